//! The core of the first stage, from bytes to a sighting, as the scan worker puts it together.

use std::collections::HashSet;
use std::sync::Arc;

use hashbuy::core::ids::AccountId;
use hashbuy::core::offer::Offer;
use hashbuy::core::prefilter::Prefilter;
use hashbuy::core::scan::{OfferIndex, Scan};
use hashbuy::core::tally::Tally;
use hashbuy::core::tweet::{Record, parse};
use hashbuy::firehose::{Draft, Format, Maker};

use super::{START, offer, records};

pub struct Stage {
    pub prefilter: Prefilter,
    scan: Scan,
}

/// For so many offers.
pub fn stage(offers: usize) -> Stage {
    let offers: Vec<(String, Arc<Offer>)> =
        (0..offers).map(|number| (offer(number).folded_tag(), offer(number))).collect();
    let prefilter = Prefilter::new(offers.iter().map(|(tag, _)| tag.as_str()), "confirm");
    let index = OfferIndex::new(offers).unwrap_or_else(|error| panic!("{error}"));
    Stage { prefilter, scan: Scan::new(index, "Confirm", HashSet::new()) }
}

impl Stage {
    /// How many of the records lead to a sighting.
    pub fn sightings<'r>(&self, records: impl Iterator<Item = &'r [u8]>) -> usize {
        let mut tally = Tally::default();
        let candidates = records.filter(|record| self.prefilter.passes(record));
        let sighted = candidates.filter(|record| match parse(record) {
            Ok(Record::Tweet(tweet)) => self.scan.sighting(&tweet, |_| true, &mut tally).is_some(),
            _ => false,
        });
        sighted.count()
    }
}

/// A tweet with these words.
pub fn draft(text: &str, format: Format) -> Vec<u8> {
    let author = AccountId::new(1_234_567).unwrap_or_else(|| unreachable!());
    let draft = Draft { time: START, author, handle: "anna", text, format };
    Maker::new(1).tweet(&draft).1
}

/// A firehose in which one record in so many asks for an offer: the records one behind the other, where each ends, and
/// how many ask.
pub fn with_matches(noise: &[u8], noise_ends: &[usize], one_in: usize) -> (Vec<u8>, Vec<usize>, usize) {
    let tagged = draft("Finally! #BuyArticle500x", Format::V1);
    let (mut buffer, mut ends, mut matches) = (Vec::new(), Vec::new(), 0);
    for (number, record) in records(noise, noise_ends).enumerate() {
        let is_tagged = number % one_in == one_in / 2;
        matches += usize::from(is_tagged);
        buffer.extend_from_slice(if is_tagged { &tagged } else { record });
        ends.push(buffer.len());
    }
    (buffer, ends, matches)
}
