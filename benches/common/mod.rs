//! What the benches share: a made-up firehose in memory, and offers.

#![allow(dead_code)] // No bench uses all of it.

pub mod beside;
pub mod shop;
pub mod stage;

use std::sync::Arc;

use hashbuy::core::offer::Offer;
use hashbuy::core::time::Time;
use hashbuy::firehose::Maker;

/// The beginning of the made-up stream.
pub const START: Time = Time::from_millis(1_360_756_800_000);

/// Records of a firehose one behind the other, with their line ends, `bytes` of them or a little
/// more, and where each one ends.
pub fn firehose(bytes: usize) -> (Vec<u8>, Vec<usize>) {
    let mut maker = Maker::new(1);
    let (mut buffer, mut ends) = (Vec::with_capacity(bytes + (1 << 16)), Vec::new());
    let mut time = START;
    while buffer.len() < bytes {
        buffer.extend_from_slice(maker.noise(time));
        ends.push(buffer.len());
        time = time.plus(1);
    }
    (buffer, ends)
}

/// The records of a buffer.
pub fn records<'b>(buffer: &'b [u8], ends: &'b [usize]) -> impl Iterator<Item = &'b [u8]> {
    let starts = std::iter::once(0).chain(ends.iter().copied());
    starts.zip(ends).map(|(start, &end)| &buffer[start..end])
}

/// A valid offer with a tag of its own, open all the time.
pub fn offer(number: usize) -> Arc<Offer> {
    let json = format!(
        r##"{{"offer_id":"offer-{number}","kind":"purchase","hashtag":"#BuyArticle{number}x","product":"Article {number}",
            "merchant_id":"m-1","price":{{"amount":100,"currency":"USD"}},"per_account":1000000,
            "starts_at":"2013-01-01T00:00:00Z","ends_at":"2014-01-01T00:00:00Z"}}"##
    );
    Arc::new(Offer::from_json(&json, "Confirm").unwrap_or_else(|rejection| panic!("{rejection}")))
}
