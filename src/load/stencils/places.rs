//! Where a record has its own id and its own time.
//!
//! The places are those that [`core::tweet`](crate::core::tweet) reads, in whichever of the three formats the
//! record is, and the times beside them. What is inside of other tweets, as in the original of a retweet, stays.

use std::ops::Range;

use crate::core::ids::TweetId;
use crate::core::time::Time;
use crate::core::tweet::{Deletion, Record, Tweet, json};

/// The bits of an id below its time.
const LOW_BITS: u64 = (1 << 22) - 1;

/// What is written anew whenever a record is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patch {
    /// The id of the record.
    Own,
    /// The id of another tweet: so many milliseconds older than the record, with these bits below its time.
    Older { age: i64, low: u64 },
    /// The time as v1.1 has it: `Wed Feb 13 12:00:00 +0000 2013`.
    CreatedAt,
    /// The time as the others have it: `2013-02-13T12:00:00.000Z`.
    Rfc3339,
    /// The time in milliseconds since the Unix epoch.
    Millis,
}

impl Patch {
    /// Bytes that it takes.
    pub(super) const fn width(self) -> usize {
        match self {
            Patch::Own | Patch::Older { .. } => 19,
            Patch::CreatedAt => 30,
            Patch::Rfc3339 => 24,
            Patch::Millis => 13,
        }
    }
}

/// A patch, and where it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// Of its first byte.
    pub at: usize,
    pub patch: Patch,
}

/// Appends a record to `bytes`, with room of the right width at each of its places. `text` is what `record` was
/// read from; `age` is how old a deleted tweet is, in milliseconds. Returns the places in `bytes`, ascending.
pub(super) fn cut(text: &str, record: &Record, age: i64, bytes: &mut Vec<u8>) -> Vec<Place> {
    let mut finder = Finder { text, found: Vec::new() };
    match record {
        Record::Tweet(tweet) => finder.tweet(tweet),
        Record::Deletion(deletion) => finder.deletion(deletion, age),
        Record::Control(_) => {}
    }
    let mut found = finder.found;
    found.sort_by_key(|(range, _)| range.start);
    let (mut places, mut done) = (Vec::with_capacity(found.len()), 0);
    for (range, patch) in found {
        bytes.extend_from_slice(&text.as_bytes()[done..range.start]);
        places.push(Place { at: bytes.len(), patch });
        bytes.resize(bytes.len() + patch.width(), b'0');
        done = range.end;
    }
    bytes.extend_from_slice(&text.as_bytes()[done..]);
    places
}

struct Finder<'t> {
    text: &'t str,
    found: Vec<(Range<usize>, Patch)>,
}

impl<'t> Finder<'t> {
    fn tweet(&mut self, tweet: &Tweet) {
        let own = |_: u64| Some(Patch::Own);
        let own_id = tweet.id.get();
        let if_own = |id: u64| (id == own_id).then_some(Patch::Own);
        let version = |id: u64| Some(if id == own_id { Patch::Own } else { older(id, tweet.time) });

        let names =
            ["id", "id_str", "created_at", "timestamp_ms", "postedTime", "edit_history", "data", "object"];
        let [id, id_str, created_at, timestamp, posted, history, data, object] =
            nested(Some(self.text), &names);
        self.id(id, own);
        self.id(id_str, own);
        self.time(created_at, Patch::CreatedAt);
        self.millis(timestamp);
        self.time(posted, Patch::Rfc3339);
        let [initial, versions] = nested(history, &["initial_tweet_id", "edit_tweet_ids"]);
        self.id(initial, version);
        self.ids(versions, version);

        let [id, created_at, versions] = nested(data, &["id", "created_at", "edit_history_tweet_ids"]);
        self.id(id, own);
        self.time(created_at, Patch::Rfc3339);
        self.ids(versions, version);

        // An activity's note has the id of the activity; a share's object is another tweet.
        let [id, posted] = nested(object, &["id", "postedTime"]);
        if self.id(id, if_own) {
            self.time(posted, Patch::Rfc3339);
        }
    }

    fn deletion(&mut self, deletion: &Deletion, age: i64) {
        let deleted = Patch::Older { age, low: deletion.id.get() & LOW_BITS };
        let whatever = |_: u64| Some(deleted);
        let if_it = |id: u64| (id == deletion.id.get()).then_some(deleted);

        let [delete, data, id, object, posted] =
            nested(Some(self.text), &["delete", "data", "id", "object", "postedTime"]);
        let [status, tweet, timestamp, at] = nested(delete, &["status", "tweet", "timestamp_ms", "event_at"]);
        let [status_id, status_id_str] = nested(status, &["id", "id_str"]);
        let [tweet_id] = nested(tweet, &["id"]);
        for id in [status_id, status_id_str, tweet_id] {
            self.id(id, whatever);
        }
        self.millis(timestamp);
        self.time(at, Patch::Rfc3339);

        let [notice] = nested(data, &["tweet_delete"]);
        let [tweet, at] = nested(notice, &["tweet", "event_at"]);
        let [tweet_id] = nested(tweet, &["id"]);
        self.id(tweet_id, whatever);
        self.time(at, Patch::Rfc3339);

        let [object_id] = nested(object, &["id"]);
        self.id(object_id, if_it);
        self.id(id, if_it);
        self.time(posted, Patch::Rfc3339);
    }

    /// Notes the place of an id, if the value is one and `patch` has something for it. Returns whether.
    fn id(&mut self, value: Option<&'t str>, patch: impl Fn(u64) -> Option<Patch>) -> bool {
        let found = value.and_then(digits).and_then(|digits| {
            let patch = patch(TweetId::parse(digits)?.get())?;
            Some((self.range(digits), patch))
        });
        let there = found.is_some();
        self.found.extend(found);
        there
    }

    fn ids(&mut self, values: Option<&'t str>, patch: impl Fn(u64) -> Option<Patch>) {
        for value in values.map(json::elements).unwrap_or_default() {
            self.id(Some(value), &patch);
        }
    }

    fn millis(&mut self, value: Option<&'t str>) {
        self.id(value, |_| Some(Patch::Millis));
    }

    /// Notes the place of a time, if the value is a string.
    fn time(&mut self, value: Option<&'t str>, patch: Patch) {
        if let Some(inner) = value.and_then(inner) {
            self.found.push((self.range(inner), patch));
        }
    }

    /// Where in the text a part of it stands.
    fn range(&self, part: &str) -> Range<usize> {
        let start = part.as_ptr().addr() - self.text.as_ptr().addr();
        start..start + part.len()
    }
}

/// How an id of another version of a tweet is written.
fn older(id: u64, time: Time) -> Patch {
    let age = Time::of_tweet_id(id).map_or(0, |then| time.since(then).max(0));
    Patch::Older { age, low: id & LOW_BITS }
}

/// The decimal digits of an id: all of a number, or of a string, or what stands behind its last colon.
fn digits(value: &str) -> Option<&str> {
    let digits = inner(value).unwrap_or(value).rsplit(':').next()?;
    (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(digits)
}

/// A string without its quotes.
fn inner(value: &str) -> Option<&str> {
    value.strip_prefix('"')?.strip_suffix('"')
}

/// The wanted members of an object; none of them if it is missing or no object.
fn nested<'t, const N: usize>(value: Option<&'t str>, names: &[&str; N]) -> [Option<&'t str>; N] {
    value.and_then(|value| json::members(value, names).ok().flatten()).unwrap_or([None; N])
}
