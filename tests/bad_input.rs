//! What is wrong with an input is said, costs what it must and nothing else: dead letters, rejected
//! records, files that cannot be read, wrong use.

#![allow(clippy::unwrap_used, clippy::expect_used)] // in a test a panic is the report

mod common;

use std::io::Write;
use std::process::Stdio;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use common::program::{Folder, Run, World, arguments, census, command, dead_letters, json_lines, run, text};
use common::tables::{account, line, offer, with};
use common::tags::{millis, tweet_id};
use common::wire::{FORMATS, Format, Tweet, deletion};

/// Visa's, Mastercard's and American Express's numbers for tests, with a good check digit.
const CARD_NUMBERS: [&str; 6] = [
    "4242424242424242",
    "4242 4242 4242 4242",
    "5555-5555-5555-4444",
    " 3782 822463 10005",
    "4222222222222",
    "4-0-0-0-0-0-0-0-0-0-0-0-0-0-0-2",
];

const ANNA: u64 = 70_210_001;
/// The ids of accounts may need all 64 bits.
const BELA: u64 = 9_223_372_036_854_775_809;

fn at(seconds: i64) -> i64 {
    millis("2016-05-04T09:00:00.000Z") + seconds * 1_000
}

fn tweet(seconds: i64, author: u64, text: &str) -> Tweet {
    Tweet::new(tweet_id(at(seconds), 7), author, if author == ANNA { "anna" } else { "bela" }, text)
}

/// A good tweet's record with other values in some of its fields; null takes a field away.
fn broken_tweet(format: Format, change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut value = tweet(30, ANNA, "#GetLamp").format(format).json();
    change(&mut value);
    value.to_string().into_bytes()
}

/// Two offers, two accounts and no tweets yet.
fn tables() -> World {
    World {
        offers: vec![offer("kettle", "#GetKettle", 2_450), offer("lamp", "#GetLamp", 900)],
        accounts: vec![account(ANNA, "anna"), account(BELA, "bela")],
        ..World::default()
    }
}

/// Records between two good ones: anna asks before them, bela behind them.
fn between(records: &[Vec<u8>]) -> World {
    let mut world = tables();
    world.records.push(tweet(0, ANNA, "#GetKettle").record());
    world.records.extend_from_slice(records);
    world.records.push(tweet(60, BELA, "#GetKettle").record());
    world
}

/// Runs the records between two good ones. Gives back the dead letters, which are in their file and
/// nowhere else, and how many events there are beside those of the good ones.
fn dead(records: &[Vec<u8>]) -> (Vec<Value>, usize) {
    let folder = Folder::new();
    let run = between(records).replay_with(&folder, &["--dead-letters", "dead.jsonl"]);
    let events = run.events();
    for author in [ANNA, BELA] {
        let own = |e: &&Value| text(e, "account_id") == author.to_string() && text(e, "offer_id") == "kettle";
        let own: Vec<&Value> = events.iter().filter(own).collect();
        assert!(
            own.len() == 1 && own[0]["type"] == "purchase.requested",
            "the good record of {author}: {own:?}"
        );
    }
    assert_eq!(run.dead_letters(), Vec::<Value>::new(), "none on stderr beside the file");
    let lines = folder.read("dead.jsonl");
    let letters = dead_letters(&lines);
    assert_eq!(letters.len(), lines.lines().count(), "each line is a dead letter:\n{lines}");
    for letter in &letters {
        assert!(text(letter, "file").ends_with("tweets.jsonl"), "{letter}");
        let reason = text(letter, "reason");
        let word = reason.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        assert!(word && !reason.is_empty(), "a reason is a word that can be counted: {letter}");
        assert!(letter.to_string().len() < 2_000, "the first bytes only: {} bytes", letter.to_string().len());
    }
    assert_counts(&run, "dead", letters.len());
    (letters, events.len() - 2)
}

/// The counters of the summary whose names contain a word add up to a number.
fn assert_counts(run: &Run, word: &str, expected: usize) {
    fn sum(value: &Value, word: &str, inside: bool) -> u64 {
        match value {
            Value::Object(fields) => {
                fields.iter().map(|(name, value)| sum(value, word, inside || name.contains(word))).sum()
            }
            _ if inside => value.as_u64().unwrap_or(0),
            _ => 0,
        }
    }
    let summary = run.summary();
    assert_eq!(sum(&summary, word, false), expected as u64, "{word} in {summary}");
}

/// An array in an array ... `depth` levels of it.
fn nested(depth: usize) -> String {
    "[".repeat(depth) + &"]".repeat(depth)
}

/// A tweet of anna for the lamp with something in a field that nobody reads.
fn with_extra(extra: &str) -> Vec<u8> {
    let plain = String::from_utf8(tweet(30, ANNA, "#GetLamp").record()).unwrap();
    format!("{{\"extra\":{extra},{}", &plain[1..]).into_bytes()
}

#[test]
fn lines_that_are_no_json_are_dead_letters() {
    let bad: Vec<Vec<u8>> = [
        "no JSON at all #GetLamp",
        "[1, 2]",
        "5",
        "null",
        "\"#GetLamp\"",
        "}",
        "  {\"indented\": true}",
        "{\"id\": 1 \"text\": 2}",
        "{id: 1}",
        "{\"text\": \"\\x41\"}",
        "{\"text\": \"\\u00g0\"}",
        "{\"id\": 01}",
        "{,}",
        // These end where the next record begins.
        "{\"id\": 1, \"text\": ",
        "{\"id\": 1, \"text\": \"#GetLamp",
        "{",
    ]
    .map(|line| line.as_bytes().to_vec())
    .into();
    let (letters, more) = dead(&bad);
    let lines: Vec<u64> = letters.iter().map(|letter| letter["line"].as_u64().unwrap()).collect();
    assert_eq!(lines, (2..2 + bad.len() as u64).collect::<Vec<_>>(), "one for each, with its line");
    assert_eq!(more, 0);
    for (letter, bad) in letters.iter().zip(&bad) {
        let start = String::from_utf8(bad[..bad.len().min(8)].to_vec()).unwrap();
        let told = |value: &Value| {
            value
                .as_str()
                .is_some_and(|text| text.starts_with(start.trim_start()) || text.starts_with(&start))
        };
        assert!(letter.as_object().unwrap().values().any(told), "the first bytes, {start}: {letter}");
    }
}

#[test]
fn a_broken_record_ends_with_its_file() {
    let world = between(&[]);
    let folder = Folder::new();
    let mut args = world.options(&folder);
    let record = String::from_utf8(tweet(30, ANNA, "#GetLamp").record()).unwrap();
    let (head, tail) = record.split_at(record.len() / 2);
    args.push(folder.write("first.jsonl", format!("{head}\n")).into());
    args.push(folder.write("second.jsonl", format!("{tail}\n{record}\n")).into());
    let run = run(&args, &folder.path(""), b"");
    assert_eq!(census(&run.events()).get("purchase.requested"), Some(&1), "{}", run.stderr);
    let places: Vec<(String, u64)> = run
        .dead_letters()
        .iter()
        .map(|letter| {
            (text(letter, "file").rsplit('/').next().unwrap().to_owned(), letter["line"].as_u64().unwrap())
        })
        .collect();
    assert_eq!(places, [("first.jsonl".to_owned(), 1), ("second.jsonl".to_owned(), 1)]);
}

#[test]
fn depth_and_size_have_their_limits() {
    // With the record itself these are 64 levels.
    assert_eq!(counts(&with_extra(&nested(63))), (0, 1), "64 levels work");
    assert_eq!(counts(&with_extra(&nested(128))), (1, 0), "129 levels are too deep");
    assert_eq!(counts(&with_extra(&nested(9_999))), (1, 0), "10,000 levels are too deep");
    assert_eq!(counts(&with_extra(&"{\"a\":".repeat(9_999))), (1, 0), "10,000 levels that nobody closes");
    let mib = 1 << 20;
    let filled = |size: usize| {
        let without = with_extra("\"\"").len();
        with_extra(&format!("\"{}\"", "x".repeat(size - without)))
    };
    assert_eq!(counts(&filled(mib)), (0, 1), "1 MiB");
    assert_eq!(counts(&filled(4 * mib - 64)), (0, 1), "just under 4 MiB");
    assert_eq!(counts(&filled(4 * mib + 64)), (1, 0), "just over 4 MiB");
    assert_eq!(counts(&[b'x'].repeat(5 * mib)), (1, 0), "a line that is no record at all");
}

/// Dead letters and further events of one record between two good ones.
fn counts(record: &[u8]) -> (usize, usize) {
    let (letters, more) = dead(&[record.to_vec()]);
    (letters.len(), more)
}

#[test]
fn texts_are_unicode() {
    let mut raw = with_extra("1");
    let place = raw.windows(8).position(|w| w == b"#GetLamp").unwrap();
    raw.splice(place..place, [0xff, 0xfe, b' ']);
    assert_eq!(counts(&raw), (1, 0), "bytes that are no UTF-8 in the text");
    let mut cut = with_extra("1");
    cut.splice(place..place, [0xe2, 0x82, b' ']);
    assert_eq!(counts(&cut), (1, 0), "a character that is cut off");

    let spelled = |text: &str| {
        let plain = String::from_utf8(with_extra("1")).unwrap();
        plain.replace("\"text\":\"#GetLamp\"", &format!("\"text\":\"{text}\"")).into_bytes()
    };
    assert_eq!(counts(&spelled("\\ud83d #GetLamp")), (0, 1), "half a surrogate pair in the text");
    assert_eq!(counts(&spelled("#GetLamp\\ude00")), (0, 1), "the other half ends the tag");
    assert_eq!(counts(&with_extra("\"\\udead\"")), (0, 1), "half a pair where nobody reads");
    assert_eq!(counts(&spelled("\\u0000#GetLamp\\u0000")), (0, 1), "NUL is a character like any other");
}

#[test]
fn ids_are_whole_numbers_of_64_bits() {
    let mut bad = Vec::new();
    let numbers = [
        "1.5e17",
        "727784831185847308.0",
        "-727784831185847308",
        "0",
        "18446744073709551616",
        "1e999",
        "true",
        "{}",
    ];
    for id in numbers {
        let plain = broken_tweet(Format::V1, |t| drop(t.as_object_mut().unwrap().remove("id_str")));
        let number = format!("\"id\":{}", tweet(30, ANNA, "").id);
        let record = String::from_utf8(plain).unwrap().replace(&number, &format!("\"id\":{id}"));
        bad.push((format!("v1.1, id {id}"), record.into_bytes()));
    }
    for id in ["", "0", "-5", "1.5", "18446744073709551616", "12a", "seven"] {
        let (tweet_name, author_name) =
            (format!("tag:search.twitter.com,2005:{id}"), format!("id:twitter.com:{id}"));
        let records = [
            broken_tweet(Format::V2, |t| t["data"]["id"] = json!(id)),
            broken_tweet(Format::V2, |t| t["data"]["author_id"] = json!(id)),
            broken_tweet(Format::Activity, |t| t["id"] = json!(tweet_name)),
            broken_tweet(Format::Activity, |t| t["actor"]["id"] = json!(author_name)),
        ];
        bad.extend(records.map(|record| (format!("v2 or activity, id {id:?}"), record)));
    }
    for id in [json!(1.5), json!(-3), json!(0), json!("x"), json!(null), json!([1])] {
        let record = broken_tweet(Format::V1, |t| {
            t["user"].as_object_mut().unwrap().remove("id_str");
            t["user"]["id"] = id.clone();
        });
        bad.push((format!("v1.1, author {id}"), record));
    }
    let records: Vec<Vec<u8>> = bad.iter().map(|(_, record)| record.clone()).collect();
    let (letters, more) = dead(&records);
    let lines: Vec<u64> = letters.iter().map(|letter| letter["line"].as_u64().unwrap()).collect();
    for (line, (name, _)) in (2..).zip(&bad) {
        assert!(lines.contains(&line), "{name}");
    }
    assert_eq!((letters.len(), more), (bad.len(), 0));
    // An id text that is none, beside an id that is one.
    assert_eq!(counts(&broken_tweet(Format::V1, |t| t["id_str"] = json!("x"))), (0, 1), "id_str, else id");
}

#[test]
fn a_tweet_has_words_an_author_and_a_time() {
    for format in FORMATS {
        let without_text = broken_tweet(format, |t| match format {
            Format::V1 | Format::V1Extended => {
                t.as_object_mut().unwrap().remove("text");
                t.as_object_mut().unwrap().remove("extended_tweet");
            }
            Format::V2 => drop(t["data"].as_object_mut().unwrap().remove("text")),
            Format::Activity => drop(t.as_object_mut().unwrap().remove("body")),
        });
        assert_eq!(counts(&without_text), (1, 0), "{format:?} without text");
        let other_text = broken_tweet(format, |t| match format {
            Format::V1 | Format::V1Extended => {
                t["text"] = json!(["#GetLamp"]);
                t["extended_tweet"] = json!({"full_text": 5});
            }
            Format::V2 => t["data"]["text"] = json!({"text": "#GetLamp"}),
            Format::Activity => t["body"] = json!(5),
        });
        assert_eq!(counts(&other_text), (1, 0), "{format:?} with a text that is none");
        let without_author = broken_tweet(format, |t| match format {
            Format::V2 => drop(t["data"].as_object_mut().unwrap().remove("author_id")),
            Format::Activity => drop(t.as_object_mut().unwrap().remove("actor")),
            _ => drop(t.as_object_mut().unwrap().remove("user")),
        });
        assert_eq!(counts(&without_author), (1, 0), "{format:?} without author");
    }
    let old = |created: Value| {
        broken_tweet(Format::V1, |t| {
            (t["id"], t["id_str"]) = (json!(29_999_999_999_u64), json!("29999999999"));
            t.as_object_mut().unwrap().remove("timestamp_ms");
            t["created_at"] = created;
        })
    };
    assert_eq!(counts(&old(json!("yesterday"))).0, 1, "an old id and no time");
    assert_eq!(counts(&old(json!("Mon Oct 04 09:00:00 +0000 2010"))).0, 0, "an old id and its time");
}

#[test]
fn tweets_from_the_future_move_nothing() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64;
    let ahead = [tweet_id(now + 600_000, 1), tweet_id(now + 90_000, 1), (1 << 63) + 5, u64::MAX];
    for id in ahead {
        let record = Tweet::new(id, 51_000_001, "nobody", "rain").record();
        // bela's request would be years too old, and anna's purchase lapsed, if time had moved.
        let (letters, more) = dead(&[record]);
        assert_eq!(letters.len(), 1, "{id}");
        assert_eq!((text(&letters[0], "reason"), more), ("time_ahead", 0), "{id}");
    }
    let mut world = tables();
    world.records.push(Tweet::new(tweet_id(now - 5_000, 1), ANNA, "anna", "rain").record());
    let run = world.replay();
    assert_eq!((run.code, run.dead_letters().len()), (Some(0), 0), "a tweet of just now is none ahead");
}

#[test]
fn bad_deletions_cost_only_themselves() {
    let notices = [
        json!({"delete": {"status": {"id": 1.5, "user_id": ANNA}}}),
        json!({"delete": {"status": {"id": -4, "user_id": ANNA}}}),
        json!({"delete": {"status": {"id": 0, "id_str": "0", "user_id": ANNA, "user_id_str": ANNA.to_string()}}}),
    ];
    let notices: Vec<Vec<u8>> = notices.iter().map(|notice| notice.to_string().into_bytes()).collect();
    let (letters, more) = dead(&notices);
    assert_eq!((letters.len(), more), (3, 0));
    // One of an unknown tweet of an unknown author is nothing at all.
    assert_eq!(counts(&deletion(5_000_000_000, 6, Format::V1)), (0, 0));
}

#[test]
fn dead_letters_are_told_on_stderr_and_the_summary_last() {
    let mut world = between(&[b"noise".to_vec(), b"{broken".to_vec()]);
    world.records.push(b"{\"id\":".to_vec());
    let run = world.replay();
    assert_eq!(census(&run.events()), [("purchase.requested".to_owned(), 2)].into());
    let lines: Vec<u64> = run.dead_letters().iter().map(|l| l["line"].as_u64().unwrap()).collect();
    assert_eq!(lines, [2, 3, 5]);
    let summary = run.summary();
    assert!(summary["reason"].is_null(), "the last line is no dead letter: {summary}");
    assert_counts(&run, "pending", 2);
    assert!(!String::from_utf8(run.stdout).unwrap().contains("broken"));
}

/// Everything that a run wrote.
fn everything(folder: &Folder, run: &Run) -> String {
    format!("{}\n{}\n{}", String::from_utf8_lossy(&run.stdout), run.stderr, folder.read("dead.jsonl"))
}

#[test]
fn card_numbers_are_never_written() {
    for number in CARD_NUMBERS {
        let mut world = between(&[]);
        let hers = with(account(ANNA, "anna"), json!({"card_token": number}));
        let theirs = with(account(88, "carl"), json!({"card_token": number, "status": "happy"}));
        let digits: String = number.chars().filter(char::is_ascii_digit).collect();
        let as_number: Value = serde_json::from_str(&digits).unwrap();
        world.accounts[0] = hers.clone();
        world.accounts.push(theirs);
        world.accounts.push(line("2016-05-04T09:00:30.000Z", &ANNA.to_string(), hers));
        world.accounts.push(with(account(89, "dora"), json!({"card_token": as_number})));
        let folder = Folder::new();
        let run = world.replay_with(&folder, &["--dead-letters", "dead.jsonl"]);
        let events = census(&run.events());
        assert_eq!(
            events.get("purchase.refused not_linked"),
            Some(&1),
            "{number}: its record is rejected: {events:?}"
        );
        assert_eq!(events.get("purchase.requested"), Some(&1), "{number}: {events:?}");
        let written = everything(&folder, &run);
        for spelling in [number.trim(), &digits] {
            assert!(!written.contains(spelling), "{spelling} stands in the output");
        }
        assert!(run.stderr.contains(&ANNA.to_string()), "the rejected account is named: {}", run.stderr);
    }
    // Nearly a card number is a token like others.
    for token in ["4242424242424241", "424242424242", "42424242424242424242", "4242.4242.4242.4242"] {
        let mut world = between(&[]);
        world.accounts[0] = with(account(ANNA, "anna"), json!({"card_token": token}));
        assert_eq!(census(&world.replay().events()).get("purchase.requested"), Some(&2), "{token}");
    }
}

#[test]
fn tokens_stand_in_no_message() {
    let mut world = between(&[]);
    let wrong = [
        json!({"status": "happy"}),
        json!({"linked_at": "soon"}),
        json!({"delivery_ref": 5}),
        json!({"caps": 5}),
    ];
    for (n, wrong) in wrong.into_iter().enumerate() {
        let record = with(account(80 + n as u64, "carl"), json!({"card_token": format!("tok-unseen-{n}")}));
        world.accounts.push(with(record, wrong));
    }
    world.accounts.push(line(
        "2016-05-04T09:00:01.000Z",
        "12",
        with(account(13, "c"), json!({"card_token": "tok-unseen"})),
    ));
    // A token in the place of a key or of a time is one, too.
    for (at, key) in
        [("2016-05-04T09:00:01.000Z", "tok-unseen"), ("tok-unseen", "13"), ("soon", "tok-unseen")]
    {
        world.accounts.push(line(at, key, with(account(13, "c"), json!({"card_token": "tok-unseen"}))));
    }
    let folder = Folder::new();
    let run = world.replay_with(&folder, &["--dead-letters", "dead.jsonl"]);
    run.events();
    assert!(!everything(&folder, &run).contains("tok-unseen"), "{}", run.stderr);
    for id in [80, 81, 82, 83] {
        assert!(run.stderr.contains(&id.to_string()), "account {id} is named: {}", run.stderr);
    }
    assert!(
        run.stderr.contains("happy") && run.stderr.contains("soon"),
        "the values are told: {}",
        run.stderr
    );
}

#[test]
fn bad_offers_are_named_with_what_is_wrong() {
    let wrong: Vec<(&str, Value)> = vec![
        ("hashtag", json!({"hashtag": "NoSign"})),
        ("hashtag", json!({"hashtag": "#12345"})),
        ("hashtag", json!({"hashtag": "#Get Two"})),
        ("hashtag", json!({"hashtag": "#Get-Two"})),
        ("hashtag", json!({"hashtag": "##Get"})),
        ("hashtag", json!({"hashtag": " #Get"})),
        ("hashtag", json!({"hashtag": "#ConfirmCups"})),
        ("hashtag", json!({"hashtag": "\u{ff03}cOnFiRm"})),
        ("hashtag", json!({"hashtag": null})),
        ("kind", json!({"kind": "gift"})),
        ("status", json!({"status": "happy"})),
        ("price", json!({"price": null})),
        ("price", json!({"price": "5 USD"})),
        ("amount", json!({"price": {"amount": -1, "currency": "USD"}})),
        ("amount", json!({"price": {"amount": 9.5, "currency": "USD"}})),
        ("currency", json!({"price": {"amount": 9, "currency": "usd"}})),
        ("starts_at", json!({"starts_at": "soon"})),
        ("ends_at", json!({"ends_at": "2015-01-01T00:00:00.000Z"})),
        ("ends_at", json!({"ends_at": null})),
        ("window_seconds", json!({"window_seconds": 59})),
        ("window_seconds", json!({"window_seconds": 3_601})),
        ("per_account", json!({"per_account": 0})),
        ("stock", json!({"stock": 0})),
        ("stock", json!({"stock": "7"})),
        ("product", json!({"product": "p".repeat(1_025)})),
        ("merchant_id", json!({"merchant_id": 17})),
        ("version", json!({"version": "2"})),
        ("cancel_pending", json!({"cancel_pending": "yes"})),
        ("stock", json!({"kind": "coupon", "credit": {"amount": 5, "currency": "USD"}, "stock": 5})),
        ("credit", json!({"kind": "coupon", "price": null})),
        ("offer_id", json!({"offer_id": 5})),
    ];
    let mut world = between(&[]);
    let fields: Vec<&str> = wrong.iter().map(|(field, _)| *field).collect();
    for (n, (_, changes)) in wrong.into_iter().enumerate() {
        let good = offer(&format!("wrong-{n}"), &format!("#GetWrong{n}"), 100);
        world.offers.push(with(good, changes));
        world.records.push(tweet(100 + n as i64, ANNA, &format!("#GetWrong{n} #ConfirmCups")).record());
    }
    // The good ones are not all before the bad ones.
    world.offers.swap(1, 20);
    let run = world.replay();
    assert_eq!(census(&run.events()), [("purchase.requested".to_owned(), 2)].into(), "{}", run.stderr);
    for (n, field) in fields.iter().enumerate() {
        let line = if n == 18 { 2 } else { n + 3 };
        let told = |message: &str| {
            let numbers = || message.split(|c: char| !c.is_ascii_digit());
            numbers().any(|number| number == line.to_string()) && message.contains(field)
        };
        assert!(run.stderr.lines().any(told), "line {line}, {field} in:\n{}", run.stderr);
    }
}

#[test]
fn one_tag_is_of_one_offer() {
    let tags = [
        ("#GetStraße", "#GETSTRASSE"),
        ("#GetKelvin", "\u{ff03}get\u{212a}elvin"),
        ("#Get\u{e9}", "#gete\u{301}"),
    ];
    for (tag, twin) in tags {
        for reversed in [false, true] {
            let mut world = tables();
            world.offers =
                vec![offer("a", tag, 100), offer("b", twin, 200), offer("kettle", "#GetKettle", 300)];
            if reversed {
                world.offers.reverse();
            }
            world.records.push(tweet(0, ANNA, &format!("{twin} #GetKettle")).record());
            let run = world.replay();
            let offers: Vec<String> = run.events().iter().map(|e| text(e, "offer_id").to_owned()).collect();
            assert_eq!(offers, ["a", "kettle"], "{tag}, reversed: {reversed}");
            let told =
                run.stderr.lines().any(|line| line.contains("offers.jsonl") || line.contains("hashtag"));
            assert!(told, "the other one is named: {}", run.stderr);
        }
    }
}

#[test]
fn table_lines_that_are_no_records_are_reported_and_left_out() {
    let good = account(ANNA, "anna");
    let lines = [json!(5), json!(null), json!([1]), json!({}), json!("x"), good];
    let run = with_file("--accounts", "odd.jsonl", Some(json_lines(&lines).as_bytes()));
    let events = census(&run.events());
    assert_eq!(
        events,
        [("purchase.refused not_linked".to_owned(), 1), ("purchase.requested".to_owned(), 1)].into()
    );
    for line in 1..=5 {
        let told = |message: &str| message.contains("odd.jsonl") && message.contains(&line.to_string());
        assert!(run.stderr.lines().any(told), "line {line} in {}", run.stderr);
    }
    // A line in time, with something wrong around the record.
    let account = account(BELA, "bela");
    let wrong = [
        json!({"at": "soon", "key": BELA.to_string(), "value": account}),
        json!({"at": "2016-05-04T08:00:00.000Z", "value": account}),
        json!({"at": "2016-05-04T08:00:00.000Z", "key": 7, "value": account}),
        json!({"at": "2016-05-04T08:00:00.000Z", "key": "7", "value": account}),
        json!({"at": "2016-05-04T08:00:00.000Z", "key": BELA.to_string(), "value": "x"}),
    ];
    let run = with_file("--accounts", "odd.jsonl", Some(json_lines(&wrong).as_bytes()));
    assert_eq!(
        census(&run.events()),
        [("purchase.refused not_linked".to_owned(), 2)].into(),
        "{}",
        run.stderr
    );
    let reported = run.stderr.lines().filter(|message| message.contains("odd.jsonl")).count();
    assert_eq!(reported, wrong.len(), "{}", run.stderr);
}

/// Asserts that a run was refused before it began, with a message that names all of `words`.
fn assert_wrong_use(run: &Run, words: &[&str]) {
    assert_eq!((run.code, run.stdout.len()), (Some(2), 0), "exit code and length of stdout: {}", run.stderr);
    for word in words {
        assert!(run.stderr.contains(word), "{word:?} in: {}", run.stderr);
    }
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
}

#[test]
fn wrong_use_is_told_before_anything_runs() {
    let replay = |folder: &Folder, more: &[&str]| between(&[]).replay_with(folder, more);
    let folder = Folder::new();
    assert_wrong_use(&replay(&folder, &["--until", "soon"]), &["--until", "soon"]);
    assert_wrong_use(&replay(&folder, &["--until", "2016-05-04"]), &["--until", "2016-05-04"]);
    assert_wrong_use(&replay(&folder, &["--untl", "x"]), &["--untl"]);
    assert_wrong_use(&replay(&folder, &["--config", "absent.toml"]), &["absent.toml"]);
    folder.write("unknown.toml", "no_such_setting = 1\n");
    assert_wrong_use(&replay(&folder, &["--config", "unknown.toml"]), &["unknown.toml", "no_such_setting"]);
    folder.write("unknown.toml", "[scan]\nignore_autors = []\n");
    assert_wrong_use(&replay(&folder, &["--config", "unknown.toml"]), &["ignore_autors"]);
    folder.write("broken.toml", "[scan\n");
    assert_wrong_use(&replay(&folder, &["--config", "broken.toml"]), &["broken.toml"]);

    let none = arguments(["replay"]);
    assert_wrong_use(&run(&none, &folder.path(""), b""), &["--offers"]);
    let unknown = arguments(["repay"]);
    assert_wrong_use(&run(&unknown, &folder.path(""), b""), &["repay"]);
}

/// A run of the usual world with one of its options given another file.
fn with_file(option: &str, name: &str, bytes: Option<&[u8]>) -> Run {
    let (world, folder) = (between(&[]), Folder::new());
    let mut args = world.options(&folder);
    let place = args.iter().position(|arg| arg == option).unwrap();
    if let Some(bytes) = bytes {
        folder.write(name, bytes);
    }
    args[place + 1] = name.into();
    run(&args, &folder.path(""), &world.stream())
}

#[test]
fn a_secret_is_not_empty() {
    for empty in ["", "\n", "\r\n\r\n"] {
        assert_wrong_use(&with_file("--secret-file", "hushed", Some(empty.as_bytes())), &["hushed"]);
    }
    assert_wrong_use(&with_file("--secret-file", "hushed", None), &["hushed"]);
    // Line ends behind it are no part of it; spaces are.
    let codes = |secret: &str| {
        let events = with_file("--secret-file", "hushed", Some(secret.as_bytes())).events();
        events.iter().map(|event| text(event, "code").to_owned()).collect::<Vec<_>>()
    };
    let plain = codes("a secret");
    assert_eq!(plain, codes("a secret\n"));
    assert_eq!(plain, codes("a secret\r\n\n"));
    assert_ne!(plain, codes("a secret \n"));
    assert_ne!(plain, codes("another"));
}

#[test]
fn without_a_secret_there_is_a_warning() {
    let (world, folder) = (between(&[]), Folder::new());
    let mut args = world.options(&folder);
    let place = args.iter().position(|arg| arg == "--secret-file").unwrap();
    args.drain(place..place + 2);
    let (first, second) =
        (run(&args, &folder.path(""), &world.stream()), run(&args, &folder.path(""), &world.stream()));
    assert_eq!(census(&first.events()).get("purchase.requested"), Some(&2));
    assert!(first.stdout == second.stdout, "it is always the same secret");
    let warnings = first.stderr.lines().filter(|line| line.contains("--secret-file")).count();
    assert_eq!(warnings, 1, "{}", first.stderr);
    assert!(!world.replay().stderr.contains("--secret-file"), "no warning with a secret");
}

#[test]
fn tables_that_cannot_be_read_stop_the_run() {
    let good = account(ANNA, "anna").to_string();
    let broken = ["{\"account_id\": ", "{\"account_id\": \"5\",}", "nothing", "[{\"account_id\": \"5\"}"];
    for bad in broken {
        let table = format!("{good}\n{bad}\n{good}\n");
        assert_wrong_use(&with_file("--accounts", "bad.jsonl", Some(table.as_bytes())), &["bad.jsonl", "2"]);
        assert_wrong_use(&with_file("--offers", "bad.jsonl", Some(bad.as_bytes())), &["bad.jsonl"]);
    }
    let number = format!("{good}\n{{\"card_token\": \"{}\", oh\n", CARD_NUMBERS[0]);
    let run = with_file("--accounts", "bad.jsonl", Some(number.as_bytes()));
    assert_wrong_use(&run, &["bad.jsonl"]);
    assert!(!run.stderr.contains(CARD_NUMBERS[0]), "{}", run.stderr);
    assert_wrong_use(&with_file("--accounts", "bad.jsonl", Some(b"\xff\xfe{}\n")), &["bad.jsonl"]);
    assert_wrong_use(&with_file("--accounts", "absent.jsonl", None), &["absent.jsonl"]);
    assert_wrong_use(&with_file("--offers", "absent.jsonl", None), &["absent.jsonl"]);
    assert_wrong_use(&with_file("--offers", ".", None), &["directory"]);
}

#[test]
fn a_table_is_lines_or_one_array() {
    let records = between(&[]).accounts;
    let pretty = serde_json::to_string_pretty(&records).unwrap();
    for table in [pretty, json!(records).to_string(), json_lines(&records).replace('\n', "\r\n")] {
        let events = with_file("--accounts", "table", Some(table.as_bytes())).events();
        assert_eq!(census(&events), [("purchase.requested".to_owned(), 2)].into());
    }
    for empty in ["", "[]"] {
        let events = with_file("--accounts", "table", Some(empty.as_bytes())).events();
        assert_eq!(census(&events), [("purchase.refused not_linked".to_owned(), 2)].into());
        assert_eq!(census(&with_file("--offers", "table", Some(empty.as_bytes())).events()), [].into());
    }
}

/// A stream whose first record is anna's request and the rest noise that does not compress well.
fn long_stream() -> Vec<u8> {
    let mut world = between(&[]);
    let mut rng = common::rng::Rng::new(9);
    for n in 0..4_000 {
        let words: String = (0..12).map(|_| format!("{:x} ", rng.next())).collect();
        world.records.push(tweet(100 + n, 51_000_001, &words).record());
    }
    world.stream()
}

type Compress = fn(&[u8]) -> Vec<u8>;

const COMPRESSIONS: [(&str, Compress); 3] = [
    ("gz", |bytes| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }),
    ("bz2", |bytes| {
        let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }),
    ("zst", |bytes| zstd::encode_all(bytes, 1).unwrap()),
];

#[test]
fn a_file_that_is_cut_off_gives_what_it_has() {
    let stream = long_stream();
    for (kind, compress) in COMPRESSIONS {
        let (world, folder) = (tables(), Folder::new());
        let options = world.options(&folder);
        let replay = |bytes: &[u8]| {
            let mut args = options.clone();
            args.push(folder.write(&format!("cut.{kind}"), bytes).into());
            run(&args, &folder.path(""), b"")
        };
        let whole = compress(&stream);
        assert_eq!(census(&replay(&whole).events()).get("purchase.requested"), Some(&2), "{kind}");
        assert_eq!(replay(&compress(b"")).events().len(), 0, "{kind} of nothing");

        let cut = replay(&whole[..whole.len() * 3 / 4]);
        assert_eq!(cut.code, Some(1), "{kind}: {}", cut.stderr);
        assert!(cut.stderr.contains(&format!("cut.{kind}")), "{kind}: {}", cut.stderr);
        let events = census(&cut.events_so_far());
        assert_eq!(events.get("purchase.requested"), Some(&2), "{kind}: what could be read is replayed");

        let header = replay(&whole[..6]);
        assert_eq!(
            (header.code, header.stdout.len()),
            (Some(1), 0),
            "{kind}, header alone: {}",
            header.stderr
        );
        let mut spoiled = whole.clone();
        let end = spoiled.len() - 1_000;
        spoiled[end..end + 500].fill(0x55);
        let spoiled = replay(&spoiled);
        assert_eq!(spoiled.code, Some(1), "{kind} with bytes changed: {}", spoiled.stderr);
        assert!(!spoiled.stderr.contains("panicked") && !cut.stderr.contains("panicked"), "{kind}");
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    for name in ["absent.jsonl", "."] {
        let (world, folder) = (tables(), Folder::new());
        let mut args = world.options(&folder);
        args.push(name.into());
        let run = run(&args, &folder.path(""), b"");
        assert!(matches!(run.code, Some(1 | 2)), "{name}: {:?}", run.code);
        assert!(run.stderr.contains(name) && !run.stderr.contains("panicked"), "{name}: {}", run.stderr);
    }
    let (world, folder) = (between(&[]), Folder::new());
    let run = world.replay_with(&folder, &["--dead-letters", "no-folder/dead.jsonl"]);
    assert!(matches!(run.code, Some(1 | 2)) && run.stderr.contains("no-folder/dead.jsonl"), "{}", run.stderr);
}

#[test]
fn an_empty_file_is_an_empty_stream() {
    let mut world = tables();
    assert_eq!(world.replay().events().len(), 0);
    world.records = vec![Vec::new(), b"  ".to_vec(), Vec::new()];
    let run = world.replay();
    assert_eq!((run.events().len(), run.dead_letters().len()), (0, 0), "{}", run.stderr);
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let mut world = tables();
    // Far more than a pipe holds.
    for n in 0..3_000 {
        world
            .records
            .push(Tweet::new(tweet_id(at(n), 1), 51_000_000 + n as u64, "nobody", "#GetKettle").record());
    }
    let folder = Folder::new();
    let mut args = world.options(&folder);
    args.push(folder.write("tweets.jsonl", world.stream()).into());
    let mut child = command()
        .args(&args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&ended.stderr);
    // No code at all: the signal of a closed pipe ended it, which is as quiet.
    assert!(matches!(ended.status.code(), Some(0) | None), "{:?}: {stderr}", ended.status);
    for loud in ["panicked", "roken pipe", "error"] {
        assert!(!stderr.contains(loud), "{loud}: {stderr}");
    }
}

#[test]
fn a_reader_of_stderr_that_goes_away_costs_no_event() {
    let mut world = tables();
    world.records =
        vec![b"no record".to_vec(), Tweet::new(tweet_id(at(5), 1), 51, "zed", "#GetKettle").record()];
    let folder = Folder::new();
    let mut args = world.options(&folder);
    args.push(folder.write("tweets.jsonl", world.stream()).into());
    let mut child = command().args(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stderr.take());
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&ended.stdout).lines().count(), 1);
}

#[test]
fn a_screen_name_that_can_be_no_handle_is_not_addressed() {
    for name in [String::new(), "x".repeat(1_000), "anna k".to_owned()] {
        let mut world = tables();
        world.accounts = vec![with(account(51, "anna"), json!({"screen_name": name}))];
        let record = json!({"id": tweet_id(at(5), 1), "text": "#GetKettle", "user": {"id": 51}});
        world.records = vec![record.to_string().into_bytes()];
        let run = world.replay();
        let reply = &run.events()[0]["reply"];
        assert_eq!(reply.get("to"), None, "{reply}");
        let text = reply["text"].as_str().unwrap();
        assert!(!text.contains('@') && text.contains("#Confirm"), "{text}");
    }
}
