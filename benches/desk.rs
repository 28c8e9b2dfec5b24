//! Steps of an account: what the second stage costs for each sighting, with 100,000 linked accounts
//! and a transaction of 100 steps; and the timer wheel and the map of pendings, beside what the standard library has
//! for the same.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use criterion::{BatchSize, Criterion, Throughput, criterion_group};
use hashbuy::core::code::{Code, Secret};
use hashbuy::core::desk::wheel::{Due, Next, Wheel};
use hashbuy::core::desk::{Effects, Pending, Pendings, Progress};
use hashbuy::core::ids::{AccountId, TweetId, purchase_id};
use hashbuy::core::inbox::Inbox;
use hashbuy::core::settings::Settings;
use hashbuy::core::time::{MINUTE, Time};

mod common;
use common::START;
use common::beside::beside;
use common::shop::{desk, in_transactions, offers, requests};

const ACCOUNTS: u64 = 100_000;
const STEPS: usize = 10_000;

fn steps(c: &mut Criterion) {
    let records = requests(STEPS, ACCOUNTS, &offers(10));
    let desk = || desk(ACCOUNTS);
    let mut group = c.benchmark_group("desk");
    group.sample_size(10).throughput(Throughput::Elements(STEPS as u64));
    group.bench_function("request, with its changelog", |b| {
        b.iter_batched_ref(desk, |desk| in_transactions(desk, &records), BatchSize::PerIteration);
    });
    group.bench_function("copy of a settled tweet", |b| {
        let mut desk = desk();
        assert_eq!(in_transactions(&mut desk, &records), STEPS);
        b.iter(|| assert_eq!(in_transactions(&mut desk, &records), 0));
    });
    group.bench_function("request and lapse", |b| {
        let late = START.plus(20 * MINUTE);
        let mark = Inbox::Mark { time: late, settings: Settings::default().into() };
        b.iter_batched_ref(
            desk,
            |desk| {
                in_transactions(desk, &records);
                let mut effects = Effects::default();
                while desk.step(&mark, late, late, &mut effects) == Ok(Progress::More) {
                    desk.commit();
                }
                assert_eq!(effects.outputs.len(), STEPS);
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

/// Timers and pendings come at a thousand a second, each for 15 minutes and a little.
const TIMERS: u64 = 1_000_000;

/// When the timer of a number is put in, and when it is due.
fn timer(number: u64) -> (Time, Time) {
    let now = START.plus(number as i64);
    (now, now.plus(15 * MINUTE + (number as i64 * 7_919) % 1_000))
}

/// Puts timers in and takes those that are due, millisecond by millisecond, and then what is left.
fn by_wheel(mut insert: impl FnMut(u64) -> Due, mut expire: impl FnMut(u64)) {
    let mut wheel = Wheel::default();
    let mut expired = 0;
    let mut expire_until = |wheel: &mut Wheel<u64>, until| {
        while let Next::Item(_, number) = wheel.take_due(Due::last_of(until), &mut { usize::MAX }) {
            expire(number);
            expired += 1;
        }
    };
    for number in 0..TIMERS {
        wheel.insert(insert(number), number);
        expire_until(&mut wheel, timer(number).0);
    }
    expire_until(&mut wheel, Time::MAX);
    assert_eq!(expired, TIMERS);
}

/// The same with a sorted map of times.
fn by_sorted_map(mut insert: impl FnMut(u64) -> Due, mut expire: impl FnMut(u64)) {
    let mut timers: BTreeMap<Due, Vec<u64>> = BTreeMap::new();
    let mut expired = 0;
    let mut expire_until = |timers: &mut BTreeMap<Due, Vec<u64>>, until| {
        while let Some(first) = timers.first_entry().filter(|first| *first.key() <= Due::last_of(until)) {
            for number in first.remove() {
                expire(number);
                expired += 1;
            }
        }
    };
    for number in 0..TIMERS {
        timers.entry(insert(number)).or_default().push(number);
        expire_until(&mut timers, timer(number).0);
    }
    expire_until(&mut timers, Time::MAX);
    assert_eq!(expired, TIMERS);
}

fn account_of(number: u64) -> AccountId {
    AccountId::new(1_000_000_000 + number * 37).unwrap_or_else(|| unreachable!())
}

/// Pendings as a desk makes them, one an account.
fn pendings() -> Vec<Pending> {
    let offers = offers(1_000);
    let pending = |number: u64| {
        let (now, deadline) = timer(number);
        let id = ((now.millis() - 1_288_834_974_657) as u64) << 22 | number;
        let offer_tweet = TweetId::new(id).unwrap_or_else(|| unreachable!());
        let offer = Arc::clone(&offers[number as usize % offers.len()]);
        Pending {
            purchase_id: purchase_id(account_of(number), &offer.offer_id, offer_tweet),
            code: Code::issue(&Secret::published(), account_of(number), &offer.offer_id, offer_tweet),
            offer,
            offer_tweet,
            version: offer_tweet,
            issued_at: now,
            deadline,
            reminded_at: now,
            to: Some(format!("buyer{number}")),
        }
    };
    (0..TIMERS).map(pending).collect()
}

/// Against what the standard library has for the same.
fn side_by_side() {
    let due = |number| Due::new(timer(number).1, (number * 40_503) as u16);
    beside(
        "wheel: insert and expire",
        TIMERS,
        || by_wheel(due, |_| ()),
        "BTreeMap",
        || by_sorted_map(due, |_| ()),
    );
    let made = pendings();
    let get = |number: u64| &made[number as usize];
    beside(
        "map of pendings: insert and take out",
        TIMERS,
        || {
            let pendings = Pendings::default();
            (0..TIMERS)
                .for_each(|number| pendings.set(account_of(number), std::slice::from_ref(get(number))));
            (0..TIMERS).for_each(|number| pendings.set(account_of(number), &[]));
        },
        "HashMap of Vec",
        || {
            let mut pendings = HashMap::new();
            (0..TIMERS)
                .for_each(|number| drop(pendings.insert(account_of(number), vec![get(number).clone()])));
            (0..TIMERS).for_each(|number| drop(pendings.remove(&account_of(number))));
        },
    );
    beside(
        "wheel and map: insert and expire",
        TIMERS,
        || {
            let pendings = Pendings::default();
            let insert = |number| {
                pendings.set(account_of(number), std::slice::from_ref(get(number)));
                get(number).due()
            };
            by_wheel(insert, |number| pendings.set(account_of(number), &[]));
        },
        "BTreeMap and HashMap",
        || {
            let pendings = RefCell::new(HashMap::new());
            let insert = |number| {
                pendings.borrow_mut().insert(account_of(number), vec![get(number).clone()]);
                get(number).due()
            };
            by_sorted_map(insert, |number| drop(pendings.borrow_mut().remove(&account_of(number))));
        },
    );
}

fn wheel(c: &mut Criterion) {
    let mut group = c.benchmark_group("wheel");
    group.sample_size(10).throughput(Throughput::Elements(TIMERS));
    group.bench_function("insert and expire", |b| {
        b.iter(|| by_wheel(|number| Due::new(timer(number).1, 0), |_| ()));
    });
    group.finish();
}

criterion_group!(benches, steps, wheel);

fn main() {
    side_by_side();
    benches();
    Criterion::default().configure_from_args().final_summary();
}
