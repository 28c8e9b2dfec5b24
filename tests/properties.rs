//! What holds for every stream, on random worlds with few accounts and few offers.

#![allow(clippy::unwrap_used, clippy::expect_used)] // in a test a panic is the report

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use bzip2::write::BzEncoder;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use common::ledger;
use common::market::{Lines, Market, author};
use common::program::{Folder, SECRET, World, arguments, census, run, text};
use common::rng::Rng;
use common::tables::{account, offer, with};
use common::tags::{code, millis, rfc3339, tweet_id};
use common::wire::{FORMATS, Tweet, deletion};

/// The world of a seed, replayed long enough for every purchase to come to its end.
fn finished(seed: u64, lines: Lines) -> World {
    let market = Market::new(seed, lines);
    World { until: Some(rfc3339(market.end + 4 * 3_600_000)), ..market.world }
}

#[test]
fn the_books_balance() {
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for seed in 0..60 {
        let world = finished(seed, Lines::Any);
        let events = world.replay().events();
        let faults = ledger::faults(&world, &events, true);
        assert!(faults.is_empty(), "seed {seed}: {} faults, the first is\n{}", faults.len(), faults[0]);
        for (kind, n) in census(&events) {
            *kinds.entry(kind).or_default() += n;
        }
        for event in &events {
            if let Some(cause) = event["cause"].as_str() {
                *kinds.entry(format!("cause {cause}")).or_default() += 1;
            }
        }
    }
    // A world in which nothing happens balances too.
    let reasons = [
        "not_linked",
        "protected",
        "frozen",
        "locked",
        "lapsed",
        "wrong_code",
        "too_old",
        "on_hold",
        "not_open",
        "sold_out",
        "limit_reached",
        "cap_exceeded",
    ];
    let causes = ["deleted", "frozen", "unlinked", "withdrawn", "sold_out"];
    let types = ["requested", "reminded", "confirmed", "lapsed", "cancelled"];
    let all = reasons
        .map(|reason| format!("purchase.refused {reason}"))
        .into_iter()
        .chain(causes.map(|cause| format!("cause {cause}")))
        .chain(types.map(|kind| format!("purchase.{kind}")));
    for kind in all {
        assert!(kinds.get(&kind).is_some_and(|n| *n > 2), "{kind} hardly ever happens: {kinds:?}");
    }
}

#[test]
fn codes_are_those_of_the_rule() {
    let events = finished(7, Lines::Any).replay().events();
    let mut requests = 0;
    for event in events.iter().filter(|event| event["type"] == "purchase.requested") {
        let number = |field| text(event, field).parse().unwrap();
        let expected = code(SECRET, number("account_id"), text(event, "offer_id"), number("offer_tweet_id"));
        assert_eq!(text(event, "code"), expected, "{event}");
        requests += 1;
    }
    assert!(requests > 10, "{requests} requests");
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    for seed in 100..106 {
        let world = finished(seed, Lines::Any);
        let (first, second) = (world.replay(), world.replay());
        assert!(first.stdout == second.stdout && !first.stdout.is_empty(), "seed {seed}");
        assert_eq!(first.code, Some(0));
    }
}

/// The events of a run as a sorted list; what strangers are told once each, because the desk keeps
/// nothing of them and may say it again.
fn multiset(events: Vec<Value>) -> Vec<String> {
    let (strangers, mut others): (Vec<String>, Vec<String>) = {
        let (strangers, others): (Vec<Value>, Vec<Value>) =
            events.into_iter().partition(|event| event["reason"] == "not_linked");
        let lines = |events: Vec<Value>| events.iter().map(Value::to_string).collect();
        (lines(strangers), lines(others))
    };
    others.extend(strangers.into_iter().collect::<BTreeSet<_>>());
    others.sort();
    others
}

#[test]
fn copies_change_nothing() {
    for seed in 200..225 {
        // A copy that comes after its author was unlinked and linked again meets another account,
        // so nobody is unlinked here.
        let world = finished(seed, Lines::NobodyUnlinked);
        let mut rng = Rng::new(seed);
        let mut copied = world.clone();
        let mut arrivals: Vec<(usize, Vec<u8>)> = world.records.iter().cloned().enumerate().collect();
        for (i, record) in world.records.iter().enumerate() {
            if rng.chance(40) {
                // Late copies of edited tweets have a test of their own, below.
                let edited = record.windows(12).any(|bytes| bytes == b"edit_history");
                let near = edited || rng.chance(50);
                let behind = if near { 1 } else { rng.range(1, 200) as usize };
                arrivals.push((i + behind, record.clone()));
            }
        }
        // The sort is stable: a copy stays behind what it is a copy of.
        arrivals.sort_by_key(|(place, _)| *place);
        copied.records = arrivals.into_iter().map(|(_, record)| record).collect();
        let (plain, with_copies) = (world.replay().events(), copied.replay().events());
        let (plain, with_copies) = (multiset(plain), multiset(with_copies));
        let more = with_copies.iter().filter(|event| !plain.contains(event)).collect::<Vec<_>>();
        let less = plain.iter().filter(|event| !with_copies.contains(event)).collect::<Vec<_>>();
        assert!(plain == with_copies, "seed {seed}: more {more:#?}, less {less:#?}");
    }
}

#[test]
fn copies_of_an_edited_tweet_change_nothing() {
    let start = millis("2016-05-04T09:00:00.000Z");
    let (anna, first) = (author(0), tweet_id(start, 1));
    let later = Tweet {
        versions: vec![first, tweet_id(start + 1_500_000, 1)],
        ..Tweet::new(0, anna, "anna", "#GetTea!")
    };
    let later = Tweet { id: later.versions[1], ..later };
    let rain = |time| Tweet::new(tweet_id(time, 2), 51_000_001, "nobody", "rain").record();
    let mut world = World {
        offers: vec![offer("tea", "#GetTea", 100)],
        accounts: vec![account(anna, "anna")],
        records: vec![
            Tweet::new(first, anna, "anna", "#GetTea").record(),
            later.record(),
            rain(start + 7_500_000),
        ],
        until: None,
    };
    let plain = census(&world.replay().events());
    assert_eq!(plain, [("purchase.requested".to_owned(), 1), ("purchase.lapsed".to_owned(), 1)].into());
    world.records.push(later.record());
    assert_eq!(census(&world.replay().events()), plain);
}

#[test]
fn what_was_said_stays_said() {
    for seed in 300..312 {
        let mut world = Market::new(seed, Lines::Any).world;
        let whole = world.replay().stdout;
        let mut rng = Rng::new(seed);
        for _ in 0..2 {
            world.records.truncate(rng.range(0, world.records.len() as i64 + 1) as usize);
            let run = world.replay();
            assert_eq!(run.code, Some(0), "{}", run.stderr);
            assert!(whole.starts_with(&run.stdout), "seed {seed}: {} records", world.records.len());
        }
    }
}

/// Shoppers who take their time: whatever an account does is far from its other deeds and from its
/// deadlines, no stock is shared and no limit is near.
fn unhurried(seed: u64) -> (World, Vec<(i64, Vec<u8>)>) {
    let mut rng = Rng::new(seed);
    let mut world = World { until: Some("2016-05-05T12:00:00.000Z".to_owned()), ..World::default() };
    for id in ["bread", "chair", "kettle"] {
        let offer = offer(id, &format!("#Get{id}"), 10);
        world.offers.push(with(offer, json!({"per_account": 1_000})));
    }
    let mut sent = Vec::new();
    for n in 0..6 {
        let (who, handle) = (author(n), format!("shopper{n}"));
        world.accounts.push(account(who, &handle));
        let mut tweet = |time: i64, text: &str, rng: &mut Rng| {
            let id = tweet_id(time, n as u64);
            let tweet = Tweet::new(id, who, &handle, text).format(*rng.pick(&FORMATS));
            sent.push((time, tweet.record()));
            id
        };
        let mut deleted = Vec::new();
        let mut time = millis("2016-05-04T09:00:00.000Z") + rng.range(0, 600_000);
        for _ in 0..8 {
            let id = *rng.pick(&["bread", "chair", "kettle"]);
            let asked = tweet(time, &format!("#Get{id}"), &mut rng);
            let in_time = time + rng.range(20_000, 880_000);
            let answer = match rng.next() % 4 {
                0 | 1 => Some(in_time),
                2 => Some(time + rng.range(920_000, 2_000_000)),
                _ => None,
            };
            match answer {
                Some(time) => _ = tweet(time, &code(SECRET, who, id, asked), &mut rng),
                None => deleted.push((in_time, asked)),
            }
            time += rng.range(2_100_000, 3_000_000);
        }
        sent.extend(deleted.into_iter().map(|(time, id)| (time, deletion(id, who, *rng.pick(&FORMATS)))));
    }
    (world, sent)
}

/// An event without what depends on when its tweet was read.
fn untimed(event: &Value) -> Value {
    let lapsed_or_cancelled = matches!(text(event, "type"), "purchase.lapsed" | "purchase.cancelled");
    let mut event = event.clone();
    let fields = event.as_object_mut().unwrap();
    fields.remove("deadline");
    if fields.remove("issued_at").is_some() || lapsed_or_cancelled {
        fields.remove("at");
    }
    if let Some(reply) = fields.get_mut("reply") {
        reply.as_object_mut().unwrap().remove("text");
    }
    event
}

#[test]
fn the_disorder_of_a_stream_decides_nothing() {
    for seed in 400..406 {
        let (mut world, sent) = unhurried(seed);
        let mut rng = Rng::new(seed);
        let mut runs = Vec::new();
        for spread in [1, 5_000, 5_000] {
            let mut arrivals: Vec<_> =
                sent.iter().map(|(time, record)| (time + rng.range(0, spread), record)).collect();
            arrivals.sort();
            world.records = arrivals.into_iter().map(|(_, record)| record.clone()).collect();
            let events: Vec<Value> = world.replay().events().iter().map(untimed).collect();
            assert_eq!(census(&events).get("purchase.requested"), Some(&48), "seed {seed}");
            runs.push(multiset(events));
        }
        assert_eq!(runs[0], runs[1], "seed {seed}");
        assert_eq!(runs[0], runs[2], "seed {seed}");
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn the_wrapping_of_a_stream_is_nothing() {
    let world = finished(500, Lines::Any);
    let plain = world.replay();
    assert_eq!(plain.code, Some(0), "{}", plain.stderr);
    let folder = Folder::new();
    let options = world.options(&folder);
    let (stream, half) = (world.stream(), world.records.len() / 2);
    let first = World { records: world.records[..half].to_vec(), ..World::default() }.stream();
    let rest = World { records: world.records[half..].to_vec(), ..World::default() }.stream();
    let zstd = |bytes: &[u8]| zstd::encode_all(bytes, 1).unwrap();
    let pretty: String = world
        .records
        .iter()
        .map(|record| {
            serde_json::to_string_pretty(&serde_json::from_slice::<Value>(record).unwrap()).unwrap() + "\n"
        })
        .collect();
    let wrappings: Vec<(&str, Vec<Vec<u8>>)> = vec![
        ("gzip", vec![gzip(&stream)]),
        ("bzip2", vec![bzip2(&stream)]),
        ("zstd", vec![zstd(&stream)]),
        ("two files", vec![first.clone(), rest.clone()]),
        ("two files, two ways", vec![gzip(&first), bzip2(&rest)]),
        ("gzip of two members", vec![[gzip(&first), gzip(&rest)].concat()]),
        ("bzip2 of two streams", vec![[bzip2(&first), bzip2(&rest)].concat()]),
        ("zstd of two frames", vec![[zstd(&first), zstd(&rest)].concat()]),
        ("an empty file before", vec![Vec::new(), stream.clone()]),
        ("pretty-printed", vec![pretty.into_bytes()]),
        (
            "line feeds alone",
            vec![String::from_utf8(stream.clone()).unwrap().replace("\r\n", "\n").into_bytes()],
        ),
        ("no line end at the end", vec![stream[..stream.len() - 2].to_vec()]),
    ];
    for (name, files) in wrappings {
        let mut args = options.clone();
        for (i, bytes) in files.iter().enumerate() {
            args.push(folder.write(&format!("part-{i}"), bytes).into());
        }
        let run = run(&args, &folder.path(""), b"");
        assert_eq!(run.code, Some(0), "{name}: {}", run.stderr);
        assert!(run.stdout == plain.stdout, "{name}: other events");
    }
    for (name, more, input) in
        [("-", arguments(["-"]), stream.clone()), ("none", arguments([""; 0]), gzip(&stream))]
    {
        let args = [options.clone(), more].concat();
        let run = run(&args, &folder.path(""), &input);
        assert_eq!(run.code, Some(0), "stdin as {name}: {}", run.stderr);
        assert!(run.stdout == plain.stdout, "stdin as {name}: other events");
    }
}
