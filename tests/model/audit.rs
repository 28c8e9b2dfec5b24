//! The oracle on runs that are right, and on the same runs with one thing wrong.

use serde_json::{Value, json};

use crate::common::model::{Oracle, Summary};
use crate::inputs::{SECRET, time};
use crate::run::{Found, Run, run, run_of_lapses};

/// One inbox record as it is fed.
type Entry = (u32, u64, i64, Vec<u8>);

/// What a run has left behind.
struct Topics {
    inbox: Vec<Entry>,
    events: Vec<Found>,
}

impl Topics {
    fn of(run: &Run) -> Topics {
        Topics { inbox: run.inbox(), events: run.events.clone() }
    }

    /// How an auditor sees them: all at the end.
    fn audit(&self) -> Result<Summary, String> {
        let mut oracle = Oracle::new(SECRET);
        let mut upto = [0, 0];
        for (partition, offset, appended_at, value) in &self.inbox {
            oracle.inbox(*partition, *offset, *appended_at, value);
            upto[*partition as usize] = offset + 1;
        }
        for (n, found) in self.events.iter().enumerate() {
            let value = serde_json::to_vec(&found.event).unwrap();
            oracle.written(found.topic, found.partition, n as u64, &value, &found.cause, &time(found.now));
        }
        for (partition, upto) in upto.into_iter().enumerate() {
            oracle.decided(partition as u32, upto)?;
        }
        oracle.finish()
    }

    fn first(&self, kind: &str) -> usize {
        self.events.iter().position(|found| found.event["type"] == kind).unwrap()
    }

    fn first_message(&self, kind: &str) -> usize {
        let is = |entry: &Entry| serde_json::from_slice::<Value>(&entry.3).unwrap()["type"] == kind;
        self.inbox.iter().position(is).unwrap()
    }
}

/// What is done to the topics of a run, and a word that the oracle's report must have.
type Wrong = (&'static str, &'static str, fn(&mut Topics));

const WRONGS: [Wrong; 14] = [
    ("a request lost", "expected: Purchases", |t| {
        t.events.remove(t.first("purchase.requested"));
    }),
    ("a lapse lost", "expected: Purchases", |t| {
        t.events.remove(t.first("purchase.lapsed"));
    }),
    ("an order lost", "expected: Orders", |t| {
        t.events.remove(t.first("order.placed"));
    }),
    ("a confirmation twice", "event_id was there before", |t| {
        let at = t.first("purchase.confirmed");
        t.events.insert(at, t.events[at].clone());
    }),
    ("a stranger's refusal of the same record twice", "found: Purchases", |t| {
        let at = t.events.iter().position(|found| found.event["reason"] == "not_linked").unwrap();
        t.events.insert(at, t.events[at].clone());
    }),
    ("another price", "expected: Purchases", |t| {
        let at = t.first("purchase.requested");
        t.events[at].event["price"]["amount"] = json!(1);
    }),
    ("a field too much", "found: Purchases", |t| {
        let at = t.first("purchase.confirmed");
        t.events[at].event["card_token"] = json!("tok");
    }),
    ("a reply without a text", "expected: Purchases", |t| {
        let at = t.first("purchase.reminded");
        t.events[at].event["reply"].as_object_mut().unwrap().remove("text");
    }),
    ("a request by another clock", "inbox", |t| {
        let late = |found: &Found| {
            found.event["type"] == "purchase.requested" && found.event["issued_at"] == json!(time(found.now))
        };
        let at = t.events.iter().position(late).unwrap();
        t.events[at].now += 1;
    }),
    ("another cause", "", |t| {
        let at = t.first("purchase.requested");
        t.events[at].cause = "0/999999".to_owned();
    }),
    ("a message lost", "message", |t| {
        // At its place comes something that nobody decides on.
        let at = t.first_message("answer");
        t.inbox.remove(at);
    }),
    ("a message twice", "message", |t| {
        let at = t.first_message("sold");
        let (partition, _, appended_at, value) = t.inbox[at].clone();
        let end = t.inbox.iter().filter(|entry| entry.0 == partition).map(|entry| entry.1).max().unwrap();
        t.inbox.push((partition, end + 1, appended_at, value));
    }),
    ("a message in the wrong partition", "message", |t| {
        let (partition, _, appended_at, value) = t.inbox.remove(t.first_message("sold_out"));
        let end = t.inbox.iter().filter(|entry| entry.0 != partition).map(|entry| entry.1).max().unwrap();
        t.inbox.push((1 - partition, end + 1, appended_at, value));
    }),
    ("events out of order", "came before it", |t| {
        let line = |found: &Found| (found.topic, found.partition, found.cause[..1].to_owned());
        let one = t.first("purchase.requested");
        let later = |i: &usize| {
            line(&t.events[*i]) == line(&t.events[one]) && t.events[*i].cause != t.events[one].cause
        };
        let other = (one + 1..t.events.len()).find(later).unwrap();
        t.events.swap(one, other);
    }),
];

#[test]
fn a_run_that_is_right_passes_and_one_wrong_thing_does_not() {
    for seed in [0, 2, 4] {
        let run = run(seed, 600).unwrap();
        let summary = Topics::of(&run).audit().unwrap_or_else(|e| panic!("seed {seed}: {e}"));
        assert!(summary.records > 400 && summary.messages > 0);
        assert_eq!(summary.events.values().sum::<u64>(), run.events.len() as u64);
        for (name, word, spoil) in WRONGS {
            let mut topics = Topics::of(&run);
            spoil(&mut topics);
            let told = topics.audit().expect_err(name);
            assert!(told.contains(word), "{name}: {told}");
        }
    }
}

#[test]
fn a_mark_may_take_several_transactions() {
    let run = run_of_lapses(1_100).unwrap();
    let mut topics = Topics::of(&run);
    let lapses = topics.events.iter_mut().filter(|found| found.event["type"] == "purchase.lapsed");
    for (n, lapse) in lapses.enumerate() {
        lapse.now += n as i64 / 500;
    }
    let summary = topics.audit().unwrap();
    assert_eq!(summary.events["purchase.lapsed"], 2_200);
    // But a lapse out of its order is told.
    let one = topics.first("purchase.lapsed");
    let later = topics.events[one + 1..].iter().position(|found| {
        (found.partition, &found.cause) == (topics.events[one].partition, &topics.events[one].cause)
    });
    topics.events.swap(one, one + 1 + later.unwrap());
    assert!(topics.audit().unwrap_err().contains("out of order"));
}
