//! Two minutes of a real stream of 2013, moved to now: `run` on a broker says what `replay` says.
//!
//! No word of the stream is kept or shown: offers are numbered, and a failure tells types and ids.

use std::collections::{BTreeMap, BTreeSet};

use hashbuy::log::{Log as _, NewRecord, Partition};
use hashbuy::worker::partitioner::partition_of;
use serde_json::{Value, json};

use crate::common::program::{SECRET, arguments, json_lines, run, text};
use crate::common::tables::with;
use crate::common::tags::{millis, tweet_id};
use crate::common::wire::Tweet;
use crate::stream_2013::{Line, frequent_tags, stream};
use crate::topics::Stored;
use crate::world::{INBOX, SOON, World, account, offer};

/// Partitions of the firehose.
const PARTITIONS: u32 = 8;
/// The tags of the stream that are on offer: the most frequent ones.
const TAGS: usize = 50;
/// Fewer requests prove too little.
const LEAST: usize = 50;
/// The offer of those who tweet last of all: when they are answered, so is everybody.
const LAST: &str = "last";

/// The same tweets, offers and accounts give the same events in `run` and in `replay`.
pub fn real_tweets(world: &mut World) {
    let (mut lines, end) = stream();
    let tags = frequent_tags(&lines, TAGS);
    let mut offers: Vec<Value> = tags
        .iter()
        .enumerate()
        .map(|(n, tag)| {
            let many = json!({"per_account": 1_000, "price": {"amount": 1, "currency": "USD"}});
            with(offer(&format!("tag-{n:02}"), &format!("#{tag}")), many)
        })
        .collect();
    offers.push(offer(LAST, "#HashbuyLastOfAll"));
    let last = last_accounts();
    // Nobody reaches a limit: in `run` the tweets of two authors come in any order, but what is counted is
    // an account's own, and its tweets come in theirs.
    let free = json!({"caps": {"pendings": 1_000, "requests_per_hour": 1_000}});
    let authors: BTreeSet<u64> = lines.iter().filter_map(|line| line.author).collect();
    let linked = authors.into_iter().filter(|author| (author / 3).is_multiple_of(2)).chain(last.clone());
    let accounts: Vec<Value> = linked.map(|author| with(account(author), free.clone())).collect();

    let requests = replay(world, &offers, &accounts, &lines);
    lines.extend(confirmations(&requests, end));
    let before_the_last = lines.len();
    lines.extend(last.iter().zip(0..).map(|(&author, n)| {
        let tweet = Tweet::new(tweet_id(end, 2_000_000 + n), author, "last", "#HashbuyLastOfAll");
        Line { author: Some(author), bytes: tweet.record() }
    }));
    let replayed = replay(world, &offers, &accounts, &lines);

    world.set_up_with(PARTITIONS, &offers, &accounts);
    produce(world, &lines[..before_the_last]);
    let mut service = world.run("a");
    world.wait_for("the stream is read", SOON * 2, |_| {
        (service.metric("hashbuy_scan_records_total") >= before_the_last as f64).then_some(())
    });
    produce(world, &lines[before_the_last..]);
    for &author in &last {
        world.await_event("purchase.requested", author, LAST, SOON);
    }
    service.stop();
    let ran: Vec<Value> = world.committed(&["purchases", "orders"]).iter().map(Stored::json).collect();
    compare(&replayed, &ran);
}

/// What legitimately differs is left out, and nothing else.
fn compare(replayed: &[Value], ran: &[Value]) {
    let is_stranger = |event: &&Value| text(event, "reason") == "not_linked";
    // Of strangers `run` answers a sample, ten a second, and only while desk time, which it learns from marks,
    // is not yet a minute past the tweet; `replay` answers all. What is answered is answered alike.
    let all: BTreeSet<String> = replayed.iter().filter(is_stranger).map(Value::to_string).collect();
    for event in ran.iter().filter(is_stranger) {
        assert!(all.contains(&event.to_string()), "not so in replay: {}", name(event));
    }

    let counted = |events: &[Value]| {
        let mut counts: BTreeMap<String, (i64, String)> = BTreeMap::new();
        for event in events.iter().filter(|event| !is_stranger(event)) {
            counts.entry(without_times(event).to_string()).or_insert((0, name(event))).0 += 1;
        }
        counts
    };
    let (expected, got) = (counted(replayed), counted(ran));
    let count = |counts: &BTreeMap<String, (i64, String)>, key| counts.get(key).map_or(0, |(n, _)| *n);
    let all: BTreeMap<&String, &String> =
        expected.iter().chain(&got).map(|(key, (_, name))| (key, name)).collect();
    let differences: Vec<String> = all
        .into_iter()
        .filter(|(key, _)| count(&expected, *key) != count(&got, *key))
        .map(|(key, name)| {
            format!("{name}: {} in replay, {} in run", count(&expected, key), count(&got, key))
        })
        .collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));

    let of = |kind: &str| ran.iter().filter(|event| text(event, "type") == kind).count();
    let requested = of("purchase.requested");
    assert!(requested >= LEAST, "only {requested} requests were compared");
    assert!(of("purchase.confirmed") >= LEAST / 4 && of("order.placed") == of("purchase.confirmed"));
    assert_eq!(of("purchase.lapsed"), 0, "the window is longer than the stream");
}

/// An event without what the moment of its decision alone decides: in `replay` that is desk time, which
/// follows the tweets, in `run` the clock.
///
/// - requested: `issued_at`, which is its `at`, and `deadline`. That they are a window apart stays.
/// - reminded: `deadline`.
/// - the texts of both show that deadline to the minute. The rest of the text stays.
/// - cancelled: `at`, which is desk time.
///
/// Everything else is the same: ids and codes are made of what was tweeted, and all other times are tweet
/// times.
fn without_times(event: &Value) -> Value {
    let mut event = event.clone();
    let left_out: &[&str] = match text(&event, "type") {
        "purchase.requested" => {
            assert_eq!(event["at"], event["issued_at"], "{}", name(&event));
            let window = millis(text(&event, "deadline")) - millis(text(&event, "issued_at"));
            event["window"] = json!(window);
            &["at", "issued_at", "deadline"]
        }
        "purchase.reminded" => &["deadline"],
        "purchase.cancelled" => &["at"],
        _ => &[],
    };
    if let Some(deadline) = event["deadline"].as_str() {
        let shown = text(&event["reply"], "text");
        assert!(shown.contains(&deadline[11..16]), "no deadline in the reply: {}", name(&event));
        event["reply"]["text"] = json!(shown.replace(&deadline[11..16], "hh:mm"));
    }
    left_out.iter().for_each(|field| drop(event.as_object_mut().unwrap().remove(*field)));
    event
}

/// An event by its ids: no words.
fn name(event: &Value) -> String {
    let field = |field| text(event, field);
    format!("{} {} {} {}", field("type"), field("reason"), field("offer_id"), field("event_id"))
}

/// One buyer in three confirms, at the end of the stream, with the code that was issued.
fn confirmations(events: &[Value], end: i64) -> impl Iterator<Item = Line> {
    let requested = events.iter().filter(|event| text(event, "type") == "purchase.requested");
    requested.step_by(3).zip(1_000_000..).map(move |(event, n)| {
        let author: u64 = text(event, "account_id").parse().unwrap();
        let tweet = Tweet::new(tweet_id(end, n), author, &format!("u{author}"), text(event, "code"));
        Line { author: Some(author), bytes: tweet.record() }
    })
}

/// Accounts whose entities are in all partitions of the inbox, with ids that no author has.
fn last_accounts() -> Vec<u64> {
    let account = |partition| {
        let is_there = |id: &u64| partition_of(format!("account/{id}").as_bytes(), INBOX) == partition;
        (9_000_000_000_000_000_000..).find(is_there).unwrap()
    };
    (0..INBOX).map(account).collect()
}

/// What `hashbuy replay` makes of all this, with the same configuration.
fn replay(world: &World, offers: &[Value], accounts: &[Value], lines: &[Line]) -> Vec<Value> {
    world.folder.write("offers.jsonl", json_lines(offers));
    world.folder.write("accounts.jsonl", json_lines(accounts));
    let stream: Vec<u8> = lines.iter().flat_map(|line| [&line.bytes[..], b"\n"].concat()).collect();
    world.folder.write("stream.jsonl", stream);
    world.folder.write("secret", SECRET);
    let mut args = arguments(["replay", "--offers", "offers.jsonl", "--accounts", "accounts.jsonl"]);
    args.extend(arguments(["--secret-file", "secret", "--config", "hashbuy.toml"]));
    args.extend(arguments(["--dead-letters", "dead.jsonl", "stream.jsonl"]));
    let run = run(&args, &world.folder.path(""), b"");
    assert_eq!(run.code, Some(0), "the exit code of replay");
    run.events()
}

/// Writes the records as a connector does that keys by author.
fn produce(world: &World, lines: &[Line]) {
    let topic = world.topic("tweets");
    let mut producer = world.log.producer().unwrap();
    for lines in lines.chunks(500) {
        for line in lines {
            let key = line.author.map(|author| author.to_string().into_bytes());
            let number = partition_of(key.as_deref().unwrap_or_default(), PARTITIONS);
            let partition = Partition::new(topic.clone(), number);
            let value = Some(line.bytes.clone());
            producer.send(NewRecord { partition, key, value, headers: Vec::new() }).unwrap();
        }
        assert_eq!(producer.outstanding(SOON), Ok(0));
    }
}
