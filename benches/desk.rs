//! Steps of an account: what the second stage costs for each sighting, with 100,000 linked accounts
//! and a transaction of 100 steps; and the timer wheel.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use hashbuy::core::account::Account;
use hashbuy::core::code::Secret;
use hashbuy::core::desk::wheel::Wheel;
use hashbuy::core::desk::{Desk, Effects, Progress};
use hashbuy::core::ids::{AccountId, TweetId};
use hashbuy::core::inbox::{Inbox, Position, SeenOffer, Sighting};
use hashbuy::core::settings::Settings;
use hashbuy::core::time::{MINUTE, Time};

mod common;
use common::{START, offer};

const ACCOUNTS: u64 = 100_000;
const STEPS: usize = 10_000;
const TRANSACTION: usize = 100;

fn step(desk: &mut Desk, record: &Inbox, now: Time) -> usize {
    let mut effects = Effects::default();
    match desk.step(record, now, now, &mut effects) {
        Ok(Progress::Done) => effects.outputs.len(),
        other => panic!("{other:?}"),
    }
}

fn desk() -> Desk {
    let mut desk = Desk::new(Secret::published());
    let mark = Inbox::Mark { time: START, settings: Arc::new(Settings::default()) };
    step(&mut desk, &mark, START);
    for id in 1..=ACCOUNTS {
        let json = format!(
            r#"{{"account_id":"{id}","screen_name":"a{id}","card_token":"t{id}","delivery_ref":"d{id}","status":"active","linked_at":"2013-01-01T00:00:00Z"}}"#
        );
        let account = Account::from_json(&json).unwrap_or_else(|rejection| panic!("{rejection}"));
        let (account_id, position) = (account.account_id, Position::default());
        step(&mut desk, &Inbox::Account { account_id, position, account: Some(Arc::new(account)) }, START);
        desk.commit();
    }
    desk
}

/// Sightings of one offer tag each, of as many accounts.
fn requests(offers: usize) -> Vec<Inbox> {
    let offers: Vec<_> = (0..offers).map(offer).collect();
    let sighting = |number: usize| {
        let id = ((START.millis() - 1_288_834_974_657) as u64) << 22 | number as u64;
        let id = TweetId::new(id).unwrap_or_else(|| unreachable!());
        let account = AccountId::new(1 + number as u64 * 7 % ACCOUNTS).unwrap_or_else(|| unreachable!());
        let offer = &offers[number % offers.len()];
        Inbox::Sighting(Sighting {
            account,
            tweet_id: id,
            first_id: id,
            time: START,
            handle: Some("anna".into()),
            protected: false,
            codes: vec![],
            offers: vec![SeenOffer { hashtag: offer.hashtag.clone(), offer: Arc::clone(offer) }],
        })
    };
    (0..STEPS).map(sighting).collect()
}

fn in_transactions(desk: &mut Desk, records: &[Inbox]) -> usize {
    let mut outputs = 0;
    for transaction in records.chunks(TRANSACTION) {
        outputs += transaction.iter().map(|record| step(desk, record, START)).sum::<usize>();
        black_box(desk.changes(0));
        desk.commit();
    }
    outputs
}

fn steps(c: &mut Criterion) {
    let records = requests(10);
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
        let mark = Inbox::Mark { time: late, settings: Arc::new(Settings::default()) };
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

fn wheel(c: &mut Criterion) {
    const TIMERS: u64 = 1_000_000;
    let mut group = c.benchmark_group("wheel");
    group.sample_size(10).throughput(Throughput::Elements(TIMERS));
    group.bench_function("insert and expire", |b| {
        b.iter(|| {
            let mut wheel = Wheel::default();
            let mut expired = 0;
            for number in 0..TIMERS {
                // A thousand timers a second, each for 15 minutes and a little.
                let now = START.plus(number as i64);
                wheel.insert(now.plus(15 * MINUTE + (number as i64 * 7_919) % 1_000), number);
                while let Some((_, due)) = wheel.take_due(now) {
                    expired += due.len();
                }
            }
            while let Some((_, due)) = wheel.take_due(Time::MAX) {
                expired += due.len();
            }
            assert_eq!(expired as u64, TIMERS);
        });
    });
    group.finish();
}

criterion_group!(benches, steps, wheel);
criterion_main!(benches);
