//! The ids of linked accounts, as the scan holds them: memory, growth, and look-ups that are spread over all of it.

use std::collections::HashSet;
use std::hint::black_box;
use std::time::{Duration, Instant};

use hashbuy::core::ids::AccountId;
use hashbuy::core::tables::LinkedIds;

use crate::process::{mib, most, resident};

const IDS: u64 = 10_000_000;
const LOOKUPS: u64 = 10_000_000;

/// A set of ids.
trait Ids: Default {
    fn put(&mut self, id: AccountId);
    fn has(&self, id: AccountId) -> bool;
    fn count(&self) -> usize;
}

impl Ids for HashSet<AccountId> {
    fn put(&mut self, id: AccountId) {
        self.insert(id);
    }
    fn has(&self, id: AccountId) -> bool {
        self.contains(&id)
    }
    fn count(&self) -> usize {
        self.len()
    }
}

impl Ids for LinkedIds {
    fn put(&mut self, id: AccountId) {
        self.insert(id);
    }
    fn has(&self, id: AccountId) -> bool {
        self.contains(id)
    }
    fn count(&self) -> usize {
        self.len()
    }
}

pub fn measure(std: bool) {
    if std { of::<HashSet<AccountId>>("HashSet of std") } else { of::<LinkedIds>("LinkedIds") }
}

fn of<S: Ids>(name: &str) {
    let before = resident();
    let mut ids = S::default();
    let mut longest = Duration::ZERO;
    let begun = Instant::now();
    let mut last = begun;
    for number in 0..IDS {
        ids.put(id(number));
        let now = Instant::now();
        longest = longest.max(now - last);
        last = now;
    }
    let took = begun.elapsed();
    assert_eq!(ids.count() as u64, IDS);
    println!(
        "linked: {name}: {IDS} ids: {:.1} MB, at most {:.1} MB ({:.0} MiB); {:.0} ns to put one in, the longest \
         {:.2} ms",
        (resident() - before) as f64 / 1e6,
        (most() - before) as f64 / 1e6,
        mib(most() - before),
        took.as_secs_f64() * 1e9 / IDS as f64,
        longest.as_secs_f64() * 1e3,
    );
    for (what, from) in [("that are there", 0), ("that are not", IDS)] {
        let (apart, chained) = (look_up(&ids, from, false), look_up(&ids, from, true));
        println!(
            "linked: {name}: look-ups of ids {what}: {apart:.0} ns one beside the other, {chained:.0} ns when each \
             waits for the one before"
        );
    }
    std::mem::forget(ids);
}

/// Nanoseconds for each look-up of one of the [`IDS`] ids from a number on, in no order. `chained`: which one is looked
/// up next hangs on what was found, as far as the processor can tell.
fn look_up<S: Ids>(ids: &S, from: u64, chained: bool) -> f64 {
    let (mut number, mut found) = (0, 0);
    let begun = Instant::now();
    for _ in 0..LOOKUPS {
        // A walk through all numbers below 2^64, of which the high bits are well mixed.
        number = mixed(number);
        let is_there = ids.has(id(from + (number >> 40) * IDS / (1 << 24)));
        found += u64::from(is_there);
        if chained {
            number ^= black_box(u64::from(is_there));
        }
    }
    let took = begun.elapsed();
    assert_eq!(found, if from == 0 { LOOKUPS } else { 0 });
    took.as_secs_f64() * 1e9 / LOOKUPS as f64
}

fn mixed(number: u64) -> u64 {
    number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407)
}

/// Ids as they were given out: first one behind the other with gaps, later with the time in them.
fn id(number: u64) -> AccountId {
    let id = if number.is_multiple_of(2) {
        1_000_000_000 + number * 37
    } else {
        700_000_000_000_000_000 + (number << 22)
    };
    AccountId::new(id).expect("an id")
}
