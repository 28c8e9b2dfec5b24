use std::collections::HashSet;
use std::sync::LazyLock;

use super::*;
use crate::core::ids::{AccountId, TweetId};
use crate::core::time::SECOND;
use crate::core::tweet::{self, Control, Deletion};
use crate::firehose::{DELETIONS, Draft, Format, LINE_END, Original, RETWEETS};

/// Each record of a pool comes three times.
const RECORDS: i64 = 3 * POOL as i64;

fn now() -> Time {
    "2026-03-01T23:59:50Z".parse().unwrap()
}

/// Three records a millisecond.
fn at(number: i64) -> Time {
    now().plus(number / 3)
}

/// A made-up pool, of which the records are made once for all tests.
fn pool(seed: u64) -> Stencils {
    static POOLS: [LazyLock<Stencils>; 2] =
        [LazyLock::new(|| Stencils::made_up(1)), LazyLock::new(|| Stencils::made_up(2))];
    let number = usize::try_from(seed - 1).unwrap();
    (*POOLS[number]).clone()
}

fn parsed(record: &[u8]) -> Record {
    tweet::parse(record).unwrap_or_else(|bad| panic!("{bad}: {}", String::from_utf8_lossy(record)))
}

fn json(record: &[u8]) -> serde_json::Value {
    serde_json::from_slice(record).unwrap()
}

#[test]
fn every_record_reads_back_with_an_id_and_a_time_of_its_own() {
    let mut stencils = pool(1);
    let (mut ids, mut last, mut last_record) = (HashSet::new(), 0, Vec::new());
    let mut repeated = 0;
    for number in 0..RECORDS {
        let record = stencils.next(at(number)).to_vec();
        assert!(record.ends_with(LINE_END));
        if record == last_record {
            repeated += 1;
            continue;
        }
        match parsed(&record) {
            Record::Tweet(tweet) => {
                let id = tweet.id.get();
                assert_eq!((tweet.time, tweet.first_id), (at(number), tweet.id));
                assert!(id > last && id & NOISE_BIT != 0 && ids.insert(id));
                last = id;
                let json = json(&record);
                assert_eq!(
                    (json["id"].as_u64(), json["id_str"].as_str()),
                    (Some(id), Some(&*id.to_string()))
                );
                assert_eq!(json["created_at"], created(at(number)));
            }
            Record::Deletion(deletion) => {
                let age = at(number).since(Time::of_tweet_id(deletion.id.get()).unwrap());
                assert!((0..24 * HOUR).contains(&age) && deletion.id.get() & NOISE_BIT != 0, "{age}");
                let status = &json(&record)["delete"]["status"];
                assert_eq!(status["id"].as_u64(), Some(deletion.id.get()));
            }
            Record::Control(kind) => assert_eq!(kind, Control::Limit),
        }
        last_record = record;
    }
    assert!((5..60).contains(&repeated), "{repeated} arrived twice");
}

fn created(time: Time) -> String {
    crate::firehose::created_at(time)
}

#[test]
fn the_mix_is_that_of_the_maker() {
    let mut stencils = pool(2);
    let (mut controls, mut deletions, mut retweets, mut signs, mut bytes, mut others) =
        (0_u32, 0_u32, 0, 0, 0, 0);
    for number in 0..RECORDS {
        let tweet_comes = stencils.tweet_comes();
        let record = stencils.next(at(number)).to_vec();
        bytes += record.len();
        signs += usize::from(record.contains(&b'#'));
        let record = parsed(&record);
        match &record {
            Record::Tweet(tweet) => retweets += u32::from(tweet.retweet),
            Record::Deletion(_) => deletions += 1,
            Record::Control(_) => controls += 1,
        }
        others += u32::from(tweet_comes != matches!(record, Record::Tweet(_)));
    }
    let close = |what: &str, found: f64, wanted: f64, by: f64| {
        assert!((found - wanted).abs() <= by, "{what}: {found}, wanted {wanted}");
    };
    let share = |part: f64| 100.0 * part / RECORDS as f64;
    close("% control messages", share(controls.into()), 0.1, 0.03);
    close("% deletions", share(deletions.into()), DELETIONS.into(), 1.5);
    close("% retweets", share(retweets.into()), RETWEETS.into(), 1.5);
    close("% of records with a sign", share(signs as f64), 40.0, 3.0);
    close("bytes a record", bytes as f64 / RECORDS as f64, 2_600.0, 100.0);
    close("mean bytes", stencils.mean_bytes(), 2_600.0, 100.0);
    assert!(others < 60, "only what arrives twice is not what was to come: {others}");
    assert_eq!(stencils.records(), POOL);
}

#[test]
fn a_seed_gives_the_same_bytes_and_another_one_gives_others() {
    let run = |mut stencils: Stencils| {
        (0..5_000).map(|number| stencils.next(at(number)).to_vec()).collect::<Vec<_>>()
    };
    let first = run(pool(1));
    assert_eq!(run(Stencils::made_up(1)), first);
    assert_ne!(run(pool(2)), first);
}

#[test]
fn ids_are_never_those_of_a_maker() {
    let (mut stencils, mut maker) = (pool(1), Maker::new(1));
    let author = AccountId::new(7).unwrap();
    let draft = Draft { time: now(), author, handle: "anna", text: "hello", format: Format::V1 };
    let ids: HashSet<u64> = (0..1_000).map(|_| maker.tweet(&draft).0.get()).collect();
    for _ in 0..POOL {
        let (Record::Tweet(tweet::Tweet { id, .. }) | Record::Deletion(Deletion { id, .. })) =
            parsed(stencils.next(now()))
        else {
            continue;
        };
        assert!(!ids.contains(&id.get()));
    }
}

#[test]
fn times_out_of_order_and_out_of_range_keep_ids_ascending_and_as_long() {
    let mut stencils = pool(1);
    let mut last = 0;
    for time in
        ["2013-02-13T12:00:00Z", "2026-03-01T12:00:00Z", "2024-03-01T12:00:00Z", "2300-01-01T00:00:00Z"]
    {
        for _ in 0..50 {
            if let Record::Tweet(tweet) = parsed(stencils.next(time.parse().unwrap())) {
                assert!(tweet.id.get() > last && tweet.id.to_string().len() == 19);
                last = tweet.id.get();
            }
        }
    }
}

/// A file in which every kind of record of all three formats is, from the time when ids had 18 digits.
fn file() -> Vec<u8> {
    let mut maker = Maker::new(1);
    let time: Time = "2013-02-13T12:00:00Z".parse().unwrap();
    let author = AccountId::new(7).unwrap();
    let mut file = Vec::new();
    // A maker's ids never go back in time, so each format has seconds of its own.
    for (format, seconds) in [(Format::V1, 0), (Format::V2, 10), (Format::Activity, 20)] {
        let time = time.plus(seconds * SECOND);
        let draft = Draft { time, author, handle: "anna", text: "tea \"now\" #Tea", format };
        let (id, record) = maker.tweet(&draft);
        file.extend(record);
        let of = Original { id, author, handle: "anna", text: "tea" };
        let later = Draft { time: time.plus(1_000), ..draft };
        file.extend(maker.retweet(&later, &of).1);
        file.extend(maker.quote(&later, &of).1);
        file.extend(maker.deletion(id, author, format));
    }
    file
}

fn template(file: &[u8]) -> Template {
    Template::from_reader(file, "tweets.json", 1).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn a_template_is_patched_in_each_format() {
    let mut template = template(&file());
    assert_eq!((template.used, template.left_out, template.whole), (12, 0, true));
    let (mut tweets, mut deletions) = (0, 0);
    for number in 0..36 {
        let record = template.stencils.next(at(number)).to_vec();
        let text = String::from_utf8(record.clone()).unwrap();
        let other_times =
            text.matches("2013-02-13T12:00").count() + text.matches("13 12:00:00 +0000 2013").count();
        match parsed(&record) {
            Record::Tweet(tweet) => {
                tweets += 1;
                assert_eq!((tweet.time, tweet.first_id), (at(number), tweet.id), "{text}");
                assert_eq!(tweet.handle.as_deref(), Some("anna"));
                // Only that of the tweet inside.
                assert_eq!(other_times, usize::from(number % 12 % 4 > 0), "{text}");
            }
            Record::Deletion(deletion) => {
                deletions += 1;
                assert_eq!(Time::of_tweet_id(deletion.id.get()), Some(at(number).minus(1_000)), "{text}");
            }
            Record::Control(_) => panic!("{text}"),
        }
    }
    assert_eq!((tweets, deletions), (27, 9));
}

#[test]
fn other_places_of_a_template() {
    let lines = [
        // A number that has lost its last digits, an old id, a time in two ways, a version before this one.
        r#"{"id":727784831185847300,"id_str":"727784831185847308","created_at":"Wed May 04 09:00:00 +0000 2016",
  "timestamp_ms":"1462352400000","edit_history":{"initial_tweet_id":"727784579527607308",
  "edit_tweet_ids":["727784579527607308","727784831185847308"]},"text":"a","user":{"id":5}}"#,
        r#"{"delete":{"status":{"id":727784831185847308,"user_id":9},"timestamp_ms":"1"}}"#,
        r#"{"data":{"tweet_delete":{"tweet":{"id":"8","author_id":"9"},"event_at":"2016-05-04T09:00:00Z"}}}"#,
        r#"{"verb":"delete","objectType":"activity","id":"x:8","actor":{"id":"id:twitter.com:9"}}"#,
        r#"{"limit":{"track":5}}"#,
    ];
    let mut template = template(lines.join("\n").as_bytes());
    assert_eq!((template.used, template.left_out), (5, 0));
    let records: Vec<Vec<u8>> = (0..5).map(|_| template.stencils.next(now()).to_vec()).collect();
    let Record::Tweet(tweet) = parsed(&records[0]) else { panic!() };
    let own = tweet.id.get();
    assert_eq!(tweet.time, now());
    assert_eq!(Time::of_tweet_id(tweet.first_id.get()), Some(now().minus(60_000)));
    let first = json(&records[0]);
    assert_eq!(
        (first["id"].as_u64(), first["timestamp_ms"].as_str()),
        (Some(own), Some(&*now().millis().to_string()))
    );
    assert_eq!(first["edit_history"]["edit_tweet_ids"][1], own.to_string());
    let ages = [0, HOUR, HOUR];
    for (record, age) in records[1..4].iter().zip(ages) {
        let Record::Deletion(deletion) = parsed(record) else { panic!() };
        assert_eq!(Time::of_tweet_id(deletion.id.get()), Some(now().minus(age)));
    }
    assert_eq!(json(&records[1])["delete"]["timestamp_ms"], now().millis().to_string());
    assert_eq!(json(&records[2])["data"]["tweet_delete"]["event_at"], now().to_string());
    assert_eq!(records[4], lines[4].as_bytes());
}

#[test]
fn what_cannot_be_read_is_left_out_and_counted() {
    let mut bad = file();
    bad.extend(b"nonsense\n{\"id\":5,\"text\":\"no author\"}\n");
    bad.extend(br#"{"id_str":"\u0037784831185847308","text":"a","user":{"id":5}}"#);
    let template = template(&bad);
    assert_eq!((template.used, template.left_out), (12, 3));
    let why = template.first_left_out.unwrap();
    assert_eq!(why, "line 13: a line outside of a record that does not begin with {");

    let mut large = br#"{"id":727784831185847308,"user":{"id":5},"text":""#.to_vec();
    large.resize(MAX_RECORD_BYTES, b'a');
    large.extend(b"\"}");
    let error = Template::from_reader(&large[..], "x.json", 1).err().unwrap().to_string();
    assert!(
        error.contains("1 records, 1 of them unreadable; line 1: a record larger than 921600 bytes"),
        "{error}"
    );
}

#[test]
fn a_file_without_a_tweet_is_an_error_that_names_it() {
    for (file, said) in [
        ("", "t.json: no tweet in it (0 records, 0 of them unreadable);"),
        ("{\"limit\":{}}\n", "t.json: no tweet in it (1 records, 0 of them unreadable);"),
        ("a,b\nc,d\n", "t.json: no tweet in it (2 records, 2 of them unreadable; line 1: a line outside of"),
    ] {
        let error = Template::from_reader(file.as_bytes(), "t.json", 1).err().unwrap().to_string();
        assert!(error.starts_with(said), "{error}");
    }
    let error = Template::from_file(std::path::Path::new("/no/such/file"), 1).err().unwrap().to_string();
    assert!(error.starts_with("/no/such/file: "), "{error}");
}

#[test]
fn compressed_files_are_templates_too() {
    let path = std::env::temp_dir().join(format!("hashbuy-template-{}.zst", std::process::id()));
    std::fs::write(&path, zstd::encode_all(&file()[..], 1).unwrap()).unwrap();
    let template = Template::from_file(&path, 1);
    std::fs::remove_file(&path).unwrap();
    assert_eq!(template.unwrap_or_else(|error| panic!("{error}")).used, 12);
    assert_eq!(TweetId::new(0), None);
}

#[test]
fn longer_tweets_are_the_same_tweets() {
    let (mut short, mut long) = (Stencils::made_up(3), Stencils::made_up_of(3, 6_000));
    let time = MADE_AT.plus(1);
    for _ in 0..500 {
        let was_tweet = short.tweet_comes();
        let (short, long) = (short.next(time).to_vec(), long.next(time));
        assert_eq!(tweet::parse(&short), tweet::parse(long));
        if was_tweet {
            assert!((6_000..15_000).contains(&long.len()), "{}", long.len());
        }
    }
    assert!(long.mean_bytes() > 5_000.0 && long.mean_bytes() < 9_000.0, "{}", long.mean_bytes());
}
