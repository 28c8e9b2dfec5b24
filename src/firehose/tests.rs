use std::collections::HashSet;

use super::*;
use crate::core::hashtag::hashtags;
use crate::core::ids::{AccountId, TweetId};
use crate::core::time::Time;
use crate::core::tweet::{self, Control, Record};

const RECORDS: i64 = 20_000;

fn start() -> Time {
    "2013-02-13T12:00:00Z".parse().unwrap()
}

/// Noise, one record a millisecond.
fn noise(seed: u64) -> Vec<Vec<u8>> {
    let mut maker = Maker::new(seed);
    (0..RECORDS).map(|n| maker.noise(start().plus(n)).to_vec()).collect()
}

fn share(part: usize, of: usize) -> f64 {
    100.0 * part as f64 / of as f64
}

#[test]
fn the_mix_is_that_of_a_real_stream() {
    let records = noise(1);
    let (mut controls, mut deletions, mut retweets, mut tagged, mut tweet_bytes, mut tweets) =
        (0, 0, 0, 0, 0, 0);
    for (n, record) in records.iter().enumerate() {
        assert!(record.is_ascii() && record.ends_with(LINE_END), "{}", String::from_utf8_lossy(record));
        let parsed = tweet::parse(record).unwrap();
        assert_eq!(Maker::is_tweet(record), matches!(parsed, Record::Tweet(_)));
        match parsed {
            Record::Deletion(_) => deletions += 1,
            Record::Tweet(tweet) => {
                tweets += 1;
                tweet_bytes += record.len();
                retweets += usize::from(tweet.retweet);
                let json: serde_json::Value = serde_json::from_slice(record).unwrap();
                tagged += usize::from(hashtags(json["text"].as_str().unwrap()).next().is_some());
                // A repeated record has the time of the one before it.
                assert!(start().plus(n as i64).since(tweet.time) <= 20, "{n}");
            }
            Record::Control(kind) => {
                assert_eq!(kind, Control::Limit);
                controls += 1;
            }
        }
    }
    let signs = records.iter().filter(|record| record.contains(&b'#')).count();
    let bytes: usize = records.iter().map(Vec::len).sum();
    let close = |what: &str, found: f64, wanted: f64, by: f64| {
        assert!((found - wanted).abs() <= by, "{what}: {found}, wanted {wanted}");
    };
    close("% control messages", share(controls, records.len()), 0.1, 0.08);
    close("% deletions", share(deletions, records.len()), 12.0, 1.0);
    close("% retweets", share(retweets, records.len()), 20.0, 1.0);
    close("% of texts with a hashtag", share(tagged, tweets), 13.0, 1.0);
    close("% of records with a sign", share(signs, records.len()), 40.0, 3.0);
    close("bytes a tweet", tweet_bytes as f64 / tweets as f64, 2_950.0, 50.0);
    close("bytes a record", bytes as f64 / records.len() as f64, 2_600.0, 50.0);
}

#[test]
fn a_seed_gives_the_same_bytes_and_another_one_gives_others() {
    assert_eq!(noise(3), noise(3));
    assert_ne!(noise(3), noise(4));
}

#[test]
fn ids_carry_their_time_and_grow() {
    let mut maker = Maker::new(5);
    let mut ids = HashSet::new();
    let mut last = None;
    for n in 0..1_000 {
        let time = start().plus(n / 3);
        let (id, _) = maker.tweet(&draft(time, "hello", Format::V1));
        assert_eq!(Time::of_tweet_id(id.get()), Some(time));
        assert!(ids.insert(id) && Some(id) > last);
        last = Some(id);
    }
    let (late, _) = maker.tweet(&draft(start(), "made late", Format::V1));
    assert!(Some(late) > last);
}

fn draft(time: Time, text: &str, format: Format) -> Draft<'_> {
    Draft { time, author: AccountId::new(77).unwrap(), handle: "anna_1", text, format }
}

const FORMATS: [Format; 3] = [Format::V1, Format::V2, Format::Activity];

#[test]
fn drafts_read_back_in_every_format() {
    let mut maker = Maker::new(5);
    let text = "Tee & \"Kekse\" <3 🍵 #BuyParaplü http://t.example/a";
    let of = Original {
        id: TweetId::new(1 << 60).unwrap(),
        author: AccountId::new(5).unwrap(),
        handle: "bo",
        text: "look: #BuyTea",
    };
    for format in FORMATS {
        let draft = draft(start(), text, format);
        for (kind, (id, record)) in
            [maker.tweet(&draft), maker.quote(&draft, &of), maker.retweet(&draft, &of)]
                .into_iter()
                .enumerate()
        {
            assert!(record.is_ascii(), "{format:?}");
            let Ok(Record::Tweet(tweet)) = tweet::parse(&record) else {
                panic!("{}", String::from_utf8_lossy(&record))
            };
            assert_eq!((tweet.id, tweet.first_id, tweet.author, tweet.time), (id, id, draft.author, start()));
            assert_eq!(tweet.handle.as_deref(), Some("anna_1"));
            assert_eq!(tweet.retweet, kind == 2, "{format:?}");
            if kind < 2 {
                let tags: Vec<_> = tweet.text.hashtags().map(|tag| tag.body.to_owned()).collect();
                assert_eq!(tags, ["BuyParaplü"], "{format:?}");
                assert_eq!(tweet.text.as_str(), text);
            }
        }
        let deletion = maker.deletion(of.id, of.author, format);
        let Ok(Record::Deletion(deletion)) = tweet::parse(&deletion) else { panic!("{format:?}") };
        assert_eq!((deletion.id, deletion.author), (of.id, of.author));
    }
}

#[test]
fn a_long_retweet_is_cut_as_the_microblog_cuts_it() {
    let mut maker = Maker::new(5);
    let text = "long ".repeat(28);
    let of = Original {
        id: TweetId::new(1 << 60).unwrap(),
        author: AccountId::new(5).unwrap(),
        handle: "bo",
        text: &text,
    };
    let (_, record) = maker.retweet(&draft(start(), "", Format::V1), &of);
    let json: serde_json::Value = serde_json::from_slice(&record).unwrap();
    let text = json["text"].as_str().unwrap();
    assert!(text.starts_with("RT @bo: long") && text.ends_with('…') && text.chars().count() == 140, "{text}");
}
