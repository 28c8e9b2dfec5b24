//! The ids of linked accounts, as the scan holds them.

use std::hint::black_box;
use std::time::{Duration, Instant};

use super::{Figures, resident};
use crate::core::ids::AccountId;
use crate::core::tables::LinkedIds;
use crate::load::Failed;

/// An id is never 0; this one stands in where a type asks for a proof of it.
const FIRST: AccountId = match AccountId::new(1) {
    Some(id) => id,
    None => unreachable!(),
};

pub fn measure(ids: u64) -> Result<Figures, Failed> {
    let before = resident()?;
    let mut linked = LinkedIds::default();
    let (mut most, mut longest) = (before, Duration::ZERO);
    let mut last = Instant::now();
    for number in 0..ids {
        linked.insert(id(number));
        if number % 65_536 == 0 {
            most = most.max(resident()?);
            last = Instant::now();
        } else {
            let now = Instant::now();
            longest = longest.max(now - last);
            last = now;
        }
    }
    let bytes = resident()? - before;
    Ok(Figures::from([
        ("ids".to_owned(), linked.len() as f64),
        ("bytes".to_owned(), bytes),
        ("most_bytes".to_owned(), (most - before).max(bytes)),
        ("longest_insert.milliseconds".to_owned(), longest.as_secs_f64() * 1e3),
        ("look_up.nanoseconds".to_owned(), look_up(&linked, ids, false)),
        ("look_up_alone.nanoseconds".to_owned(), look_up(&linked, ids, true)),
    ]))
}

/// Nanoseconds for each look-up, of ids that are there and in no order. `alone`: which one is looked up next hangs on what
/// was found, as far as the processor can tell.
fn look_up(linked: &LinkedIds, ids: u64, alone: bool) -> f64 {
    let (mut number, mut found) = (0_u64, 0_u64);
    let begun = Instant::now();
    for _ in 0..ids {
        // A walk through all numbers below 2^64, of which the high bits are well mixed.
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let is_there = linked.contains(id((number >> 40) * ids / (1 << 24)));
        found += u64::from(is_there);
        if alone {
            number ^= black_box(u64::from(is_there));
        }
    }
    let nanoseconds = begun.elapsed().as_secs_f64() * 1e9 / ids as f64;
    assert_eq!(found, ids, "each id that was put in is there");
    nanoseconds
}

/// Ids as they were given out: first one behind the other with gaps, later with the time in them.
fn id(number: u64) -> AccountId {
    let id = match number % 2 {
        0 => 1_000_000_000 + number * 37,
        _ => 700_000_000_000_000_000 + (number << 22),
    };
    AccountId::new(id).unwrap_or(FIRST)
}
