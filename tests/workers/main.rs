//! The workers on the memory log, from the firehose to the events, through crashes.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod corrupt;
mod fleet;
mod odd;
mod recipe;
#[path = "../common/schema.rs"]
mod schema;
mod silence;
mod tables;

use std::collections::{BTreeMap, BTreeSet};

use fleet::{Fleet, START};
use hashbuy::core::time::Time;
use hashbuy::firehose::{Maker, Shoppers};
use serde_json::Value;

/// What became of every purchase, and of the coupons.
#[derive(Debug, Default)]
struct Books {
    requested: BTreeSet<String>,
    ends: BTreeMap<String, String>,
    refused: usize,
    /// Events of coupons, by type.
    coupons: BTreeMap<String, usize>,
}

/// Reads the events of a run, and checks what holds for any.
fn audit(purchases: &[Value], orders: &[Value]) -> Books {
    let mut books = Books::default();
    let mut ids = BTreeSet::new();
    for event in purchases {
        let id = event["event_id"].as_str().unwrap().to_owned();
        assert!(ids.insert(id) || event["reason"] == "not_linked", "twice: {event}");
        let purchase = event["purchase_id"].as_str().unwrap_or_default().to_owned();
        match event["type"].as_str().unwrap() {
            "purchase.requested" => assert!(books.requested.insert(purchase), "requested twice: {event}"),
            "purchase.refused" => books.refused += 1,
            "purchase.reminded" => {}
            coupon if coupon.starts_with("coupon.") => {
                *books.coupons.entry(coupon.to_owned()).or_default() += 1;
            }
            end => {
                let before = books.ends.insert(purchase.clone(), end.to_owned());
                assert_eq!(before, None, "ended twice: {event}");
            }
        }
    }
    let ended: BTreeSet<String> = books.ends.keys().cloned().collect();
    assert!(ended.is_subset(&books.requested), "ended without a request");
    let confirmed: Vec<&String> =
        books.ends.iter().filter(|(_, end)| *end == "purchase.confirmed").map(|(id, _)| id).collect();
    let (placed, credits): (Vec<&Value>, Vec<&Value>) =
        orders.iter().partition(|order| order["type"] == "order.placed");
    let mut ordered: Vec<&str> = placed.iter().map(|order| order["purchase_id"].as_str().unwrap()).collect();
    ordered.sort_unstable();
    assert_eq!(ordered, confirmed, "orders and confirmed purchases are the same");
    let of_events = purchases.iter().filter(|event| event.get("credited").is_some());
    let [by_events, by_orders] = [of_events.collect(), credits].map(|events: Vec<&Value>| {
        let credit = |event: &Value| format!("{} {}", event["transaction_id"], event["credited"]);
        let mut credits: Vec<String> = events.into_iter().map(credit).collect();
        credits.sort_unstable();
        credits
    });
    assert_eq!(by_events, by_orders, "what is credited and taken back is the same in both topics");
    let counted = |kind: &str| books.coupons.get(kind).copied().unwrap_or(0);
    let ended = counted("coupon.redeemed") + counted("coupon.expired");
    assert!(ended <= counted("coupon.loaded"), "{books:?}");
    assert!(counted("coupon.reversed") <= counted("coupon.redeemed"), "{books:?}");
    books
}

fn count(books: &Books, end: &str) -> usize {
    books.ends.values().filter(|value| *value == end).count()
}

fn play(seed: u64, scans: u32, desks: u32, mut trouble: impl FnMut(&mut Fleet, i64)) -> (Fleet, Books) {
    let mut fleet = Fleet::new(seed, scans, desks);
    let mut maker = Maker::new(seed);
    let mut shoppers = Shoppers::new(seed, Time::from_millis(START));
    let mut heard = 0;
    let mut step = 0;
    for second in 0..12 * 60 {
        fleet.play(&mut shoppers, &mut maker, 1, |fleet| {
            trouble(fleet, step);
            step += 1;
        });
        let told: Vec<_> = fleet.told[heard..].to_vec();
        heard = fleet.told.len();
        told.iter().for_each(|event| shoppers.hear(event));
        assert!(second < 60 || !fleet.told.is_empty(), "nothing has happened: {:?}", fleet.holds);
    }
    // Quiet, so that everything comes to its end.
    for _ in 0..6 * 60 {
        fleet.pass(1_000);
        for partition in 0..fleet::TWEETS {
            let noise = maker.noise(fleet.now()).to_vec();
            fleet.write("tweets", partition, None, Some(noise));
        }
        (0..4).for_each(|_| fleet.turn());
    }
    let books = audit(&fleet.purchases(), &fleet.orders());
    assert_eq!(books.ends.len(), books.requested.len(), "each purchase has its end");
    (fleet, books)
}

#[test]
fn from_the_firehose_to_the_orders() {
    let (fleet, books) = play(1, 1, 1, |_, _| ());
    assert!(count(&books, "purchase.confirmed") > 20, "{books:?}");
    assert!(count(&books, "purchase.lapsed") > 5 && count(&books, "purchase.cancelled") > 2, "{books:?}");
    assert!(books.refused > 5);
    for (kind, least) in [("loaded", 20), ("redeemed", 10), ("reversed", 2), ("expired", 2)] {
        assert!(books.coupons.get(&format!("coupon.{kind}")) >= Some(&least), "{kind}: {books:?}");
    }
    assert_eq!(fleet.aborts, 0);
    check_confirm_times(&fleet);
    assert!(fleet.lockouts > 0, "some shoppers guess");
}

/// How long codes took is told of each that was taken, once, whatever was aborted on the way.
fn check_confirm_times(fleet: &Fleet) {
    let millis =
        |event: &Value, field: &str| event[field].as_str().unwrap().parse::<Time>().unwrap().millis();
    let events = fleet.purchases();
    let of = |kind: &'static str| events.iter().filter(move |event| event["type"] == kind);
    let purchase = |event: &Value| event["purchase_id"].as_str().unwrap().to_owned();
    let issued: BTreeMap<String, i64> =
        of("purchase.requested").map(|event| (purchase(event), millis(event, "issued_at"))).collect();
    let mut told = fleet.confirm_times.clone();
    let sold_out = of("purchase.cancelled").filter(|event| event["cause"] == "sold_out").count();
    for event in of("purchase.confirmed") {
        let took = millis(event, "confirmed_at") - issued[&purchase(event)];
        let place = told.iter().position(|millis| *millis == took);
        told.swap_remove(place.unwrap_or_else(|| panic!("{took} ms were not told: {event}")));
    }
    assert_eq!(told.len(), sold_out, "the rest came too late for the stock");
}

#[test]
fn desks_are_killed_and_come_back() {
    let (fleet, books) = play(2, 2, 2, |fleet, step| {
        let number = fleet.rng.u32(0..2);
        if step % 37 == 36 {
            fleet.kill_desk(number);
        }
        if step % 37 > 20 {
            (0..2)
                .filter(|number| !fleet.desks.contains_key(number))
                .collect::<Vec<_>>()
                .into_iter()
                .for_each(|number| fleet.start_desk(number));
        }
    });
    assert!(count(&books, "purchase.confirmed") > 20, "{books:?}");
    assert!(fleet.restored > 50, "{}", fleet.restored);
    check_confirm_times(&fleet);
}

/// Answers that are lost, commits that are refused or left open, abortable failures: the outcome of a
/// transaction is found out, never assumed.
#[test]
fn what_is_doubtful_is_found_out() {
    use hashbuy::log::Kind;
    use hashbuy::log::memory::{Fault, Step};

    let counts = std::sync::Arc::new(std::sync::Mutex::new(BTreeMap::new()));
    let (fleet, books) = play(3, 1, 2, |fleet, step| {
        if step > 0 {
            return;
        }
        let (mut rng, counts) = (fastrand::Rng::with_seed(3), counts.clone());
        fleet.log.set_faults(Some(Box::new(move |step| {
            let (name, fault) = match step {
                Step::Commit { .. } if rng.u32(0..100) < 3 => match rng.u32(0..3) {
                    0 => ("answer lost", Fault::Unanswered),
                    1 => ("left open", Fault::Refused(Kind::Unknown)),
                    _ => ("refused", Fault::Refused(Kind::Abort)),
                },
                Step::Offsets { .. } if rng.u32(0..100) < 2 => {
                    ("offsets refused", Fault::Refused(Kind::Abort))
                }
                Step::Abort { .. } if rng.u32(0..100) < 20 => ("abort unanswered", Fault::Unanswered),
                Step::Committed { .. } if rng.u32(0..100) < 5 => {
                    ("offsets pending", Fault::Refused(Kind::Retry))
                }
                _ => return None,
            };
            *counts.lock().unwrap().entry(name).or_insert(0) += 1;
            Some(fault)
        })));
    });
    let counts = counts.lock().unwrap().clone();
    for name in ["answer lost", "left open", "refused", "offsets refused", "offsets pending"] {
        assert!(counts.get(name).is_some_and(|n| *n > 3), "{name}: {counts:?}");
    }
    assert!(fleet.aborts > 20, "{}", fleet.aborts);
    assert!(count(&books, "purchase.confirmed") > 20, "{books:?}");
}

/// Desks come and go by the door while the shop is open: partitions wander, with work in them.
#[test]
fn partitions_wander() {
    let (fleet, books) = play(4, 2, 1, |fleet, step| {
        match step % 120 {
            30 => fleet.start_desk(1),
            60 => fleet.start_desk(2),
            90 => fleet.leave_desk(1),
            110 => fleet.leave_desk(2),
            _ => {}
        };
    });
    assert!(count(&books, "purchase.confirmed") > 20, "{books:?}");
    assert!(fleet.restored > 100, "{}", fleet.restored);
}
