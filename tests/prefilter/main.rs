//! I6: what the prefilter drops would have led to nothing.
//!
//! Random tweets are written as JSON in random spellings, and the prefilter is held against the
//! slow way: all strings of the record, before they were spelled, by the hashtag rules. It must
//! never drop what matters by the slow way, and where nothing odd stands around a tag it has to
//! agree with it, so one that passes everything fails too.
//!
//! The generator is seeded: each run makes the same records. `cargo test --test prefilter --
//! --nocapture` prints how many there were of each kind.

mod maker;
mod random;
mod slow;
mod spell;

use std::collections::{BTreeMap, HashSet};

use hashbuy::core::hashtag::{fold, whole};
use hashbuy::core::prefilter::Prefilter;

use maker::{Maker, OFFERS};
use random::Random;
use slow::{PREFIX, matters, parsed_strings, strings};

const RECORDS: usize = 100_000;

fn offers() -> HashSet<String> {
    OFFERS.iter().map(|offer| fold(offer).into_owned()).collect()
}

fn prefilter() -> Prefilter {
    Prefilter::new(offers().iter().map(String::as_str), PREFIX)
}

#[test]
fn a_search_over_a_buffer_finds_the_records_that_pass() {
    let mut maker = Maker::new();
    let prefilter = prefilter();
    let (mut buffer, mut passing) = (String::new(), vec![]);
    for _ in 0..5_000 {
        let (_, json, _) = maker.record();
        let record = maker.write(&json);
        if prefilter.passes(record.as_bytes()) {
            passing.push(buffer.len()..buffer.len() + record.len());
        }
        buffer += &record;
    }
    let mut hits = prefilter.hits(buffer.as_bytes()).peekable();
    for (index, record) in passing.iter().enumerate() {
        let first = hits.next();
        assert!(
            first.is_some_and(|hit| record.contains(&hit)),
            "{first:?} is not in passing record {index}, {record:?}"
        );
        while hits.next_if(|hit| record.contains(hit)).is_some() {}
    }
    assert_eq!(hits.next(), None);
    assert!(passing.len() > 2_000);
}

/// Cut off and with a byte changed, records are no JSON, often no UTF-8: any answer is right.
#[test]
fn broken_records_do_no_harm() {
    let (mut maker, mut random) = (Maker::new(), Random(11));
    let prefilter = prefilter();
    for _ in 0..20_000 {
        let (_, json, _) = maker.record();
        let mut record = maker.write(&json).into_bytes();
        let place = random.below(record.len());
        record[place] = random.below(256) as u8;
        record.truncate(1 + random.below(record.len()));
        let hits: Vec<usize> = prefilter.hits(&record).collect();
        assert!(hits.is_sorted() && hits.iter().all(|&hit| hit < record.len()));
        assert_eq!(prefilter.passes(&record), !hits.is_empty());
    }
}

#[test]
fn no_record_that_matters_is_dropped() {
    for offer in OFFERS {
        assert!(whole(&format!("#{offer}")).is_some(), "{offer}");
    }
    let (offers, prefilter) = (offers(), prefilter());
    let mut maker = Maker::new();
    // Of each kind: made, matter, passed, spelled so that serde_json reads it.
    let mut kinds: BTreeMap<&str, [usize; 4]> = BTreeMap::new();

    for number in 0..RECORDS {
        let (kind, json, must_agree) = maker.record();
        let record = maker.write(&json);

        let is_read = strings(&json).is_some_and(|mut strings| {
            let value = serde_json::from_str(&record).expect("what was written is JSON");
            let mut parsed = parsed_strings(&value);
            strings.sort();
            parsed.sort();
            assert_eq!(parsed, strings, "record {number} is spelled wrongly: {record}");
            true
        });
        let matters = matters(&json, &offers);
        let passes = prefilter.passes(record.as_bytes());
        assert!(passes || !matters, "record {number} ({kind}) matters and was dropped: {record}");
        assert!(
            !passes || matters || !must_agree,
            "record {number} ({kind}) was passed for nothing: {record}"
        );

        let counts = kinds.entry(kind).or_default();
        for (count, is) in counts.iter_mut().zip([true, matters, passes, is_read]) {
            *count += usize::from(is);
        }
    }

    println!("{:<32}{:>8}{:>8}{:>8}{:>8}", "kind", "made", "matter", "passed", "read");
    for (kind, [made, matter, passed, read]) in &kinds {
        println!("{kind:<32}{made:>8}{matter:>8}{passed:>8}{read:>8}");
        let never = matches!(*kind, "no tag" | "other tag");
        let rarely = never || kind.starts_with("nearly");
        assert!(*made > 1_000 && (*matter > 500 || rarely), "too few of {kind}");
        assert!(!never || *passed == 0, "{kind}: {passed} passed");
        assert!(*read > made / 2, "{kind}: only {read} of {made} were read back");
    }
    for (what, made) in &maker.made {
        println!("{what:<32}{made:>8}");
        assert!(*made > 50, "too few of {what}");
    }
    assert_eq!((kinds.len(), maker.made.len()), (11, 14), "a kind does not occur");
}
