//! A record of the firehose.
//!
//! - What leads to a sighting, or is a deletion, is passed by the prefilter: alone, and as one record of a
//!   buffer (I6).
//! - A sighting is read from the inbox as it was written.
//! - The reason of a dead letter is one bounded line.

use std::collections::HashSet;
use std::sync::{Arc, LazyLock};

use hashbuy::core::hashtag::fold;
use hashbuy::core::inbox::{Inbox, decode, encode};
use hashbuy::core::prefilter::Prefilter;
use hashbuy::core::scan::{OfferIndex, Scan};
use hashbuy::core::tables::OfferTable;
use hashbuy::core::tally::Tally;
use hashbuy::core::tweet::{Record, parse};

use super::CODE_PREFIX;

/// Plain letters; what folds to several characters, composes, or is outside of the basic plane; one tag that
/// begins another; a tag of one letter.
const TAGS: [&str; 8] = ["#BuyTea", "#BuyTeapot", "#Straße", "#Café", "#İn", "＃한글", "#𐐀K", "#x"];

struct Matchers {
    prefilter: Prefilter,
    scan: Scan,
}

static MATCHERS: LazyLock<Matchers> = LazyLock::new(|| {
    let mut offers = OfferTable::new();
    for (number, tag) in TAGS.iter().enumerate() {
        let json = format!(
            r#"{{"offer_id":"o{number}","kind":"purchase","hashtag":"{tag}","price":{{"amount":1,"currency":"USD"}},
                "starts_at":"1970-01-01T00:00:00Z","ends_at":"9999-12-31T23:59:59Z"}}"#
        );
        let change = offers.apply(None, Some(&json), CODE_PREFIX);
        assert_eq!(change.rejection, None);
    }
    let index =
        OfferIndex::new(offers.index().map(|(tag, offer)| (tag.to_owned(), Arc::clone(&offer)))).unwrap();
    let prefilter = Prefilter::new(offers.index().map(|(tag, _)| tag), &fold(CODE_PREFIX));
    Matchers { prefilter, scan: Scan::new(index, CODE_PREFIX, HashSet::new()) }
});

pub fn run(bytes: &[u8]) {
    let Matchers { prefilter, scan } = &*MATCHERS;
    match parse(bytes) {
        Ok(Record::Tweet(tweet)) => {
            if let Some(sighting) = scan.sighting(&tweet, |_| true, &mut Tally::default()) {
                check_passed(prefilter, bytes);
                let record = Inbox::Sighting(sighting);
                assert_eq!(decode::<Inbox>(&encode(&record)).unwrap(), record);
            }
        }
        Ok(Record::Deletion(_)) => check_passed(prefilter, bytes),
        Ok(Record::Control(_)) => {}
        Err(bad) => {
            let message = bad.to_string();
            assert!(message.len() <= 500, "{} bytes: {message}", message.len());
        }
    }
}

/// The promise of the prefilter, which must not hang on what stands around the record.
fn check_passed(prefilter: &Prefilter, record: &[u8]) {
    assert!(prefilter.passes(record), "the prefilter drops it");
    for (before, behind) in [("", "\n"), ("{\"text\":\"#\n", "\n#x\n")] {
        let buffer = [before.as_bytes(), record, behind.as_bytes()].concat();
        let within = before.len()..before.len() + record.len();
        let is_hit = prefilter.hits(&buffer).any(|at| within.contains(&at));
        assert!(is_hit, "the prefilter drops it between others");
    }
}
