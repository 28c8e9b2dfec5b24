//! Stencils: a firehose of prepared records, in which only ids and times are written anew.
//!
//! A [`Maker`] needs a microsecond or two for a record, most of it for copying what the last tweet of the same
//! author had as well. Here a pool of records is made once, with the byte places of each one's own id and time.
//! They are sent in turns, again and again, and what is written each time is some hundred bytes, in place. So one
//! core has nearly all of its time for the log.
//!
//! The pool is either made up, in the mix of a real stream, or a file of somebody's own tweets.
//!
//! - Ids ascend strictly, carry the record's time, and have [`NOISE_BIT`] set, so that they are never those of
//!   the shoppers' tweets that a [`Maker`] puts between them.
//! - A deleted tweet keeps its age: its id moves with the time of the notice.
//! - One record in [`REPEATED`] is the last one again.
//! - Tweets inside of tweets stay as they are, and so do control messages.

mod places;
mod stamp;
mod template;

#[cfg(test)]
mod tests;

use std::ops::Range;

use fastrand::Rng;

pub use self::stamp::NOISE_BIT;
pub use self::template::{MAX_BYTES, MAX_RECORD_BYTES, Template, TemplateError};

use self::places::{Place, cut};
use self::stamp::Stamp;
use crate::core::time::{HOUR, Time};
use crate::core::tweet::{self, Record};
use crate::firehose::{CONTROLS, Maker, REPEATED};

/// Records of a made-up pool.
const POOL: usize = 4_096;
/// Control messages among them.
const POOL_CONTROLS: usize = POOL / CONTROLS as usize;
/// When the records of a made-up pool are from, before they are patched: 13 September 2020.
const MADE_AT: Time = Time::from_millis(1_600_000_000_000);
/// A deleted tweet is so old if nothing says how old it is.
const USUAL_AGE: i64 = HOUR;

/// A pool of records, and whose turn it is.
#[derive(Clone)]
pub struct Stencils {
    rng: Rng,
    stamp: Stamp,
    /// All records, one behind the other.
    bytes: Vec<u8>,
    places: Vec<Place>,
    records: Vec<Stencil>,
    coming: usize,
    /// The last one that was given out.
    last: Range<usize>,
}

/// One record: its bytes and its places.
#[derive(Clone)]
struct Stencil {
    bytes: Range<usize>,
    places: Range<usize>,
    is_tweet: bool,
}

impl Stencils {
    /// A made-up pool in the mix of [`Maker::noise`]: 10 MiB. The same seed and the same calls give the same bytes.
    pub fn made_up(seed: u64) -> Stencils {
        Stencils::made_up_of(seed, 0)
    }

    /// The same with tweets of so many bytes or some more: they have others inside of a member that nobody reads,
    /// as the tweets of later years have ever more of them.
    pub fn made_up_of(seed: u64, least_bytes: usize) -> Stencils {
        let mut stencils = Stencils::empty(seed);
        let mut maker = Maker::new(seed);
        // The controls are so few that their share would be left to chance.
        let (mut controls, mut others) = (Vec::new(), Vec::new());
        let mut last = Vec::new();
        while controls.len() < POOL_CONTROLS || others.len() < POOL - POOL_CONTROLS {
            let record = maker.noise(MADE_AT);
            let again = record == last;
            record.clone_into(&mut last);
            let Ok(parsed) = tweet::parse(&last) else { continue };
            let (wanted, kept) = match parsed {
                Record::Control(_) => (POOL_CONTROLS, &mut controls),
                _ => (POOL - POOL_CONTROLS, &mut others),
            };
            if !again && kept.len() < wanted {
                kept.push((last.clone(), parsed));
            }
        }
        lengthen(&mut others, least_bytes);
        let each = others.len().div_ceil(POOL_CONTROLS);
        let mut controls = controls.into_iter();
        for (number, other) in others.into_iter().enumerate() {
            let control = if number % each == 0 { controls.next() } else { None };
            for (record, parsed) in control.into_iter().chain([other]) {
                let age = age(&parsed, Some(MADE_AT));
                stencils.add(&String::from_utf8_lossy(&record), &parsed, age);
            }
        }
        stencils
    }

    /// The next record, as of `time`; valid until the next call. Times are to ascend: of an earlier one come ids
    /// of the last. Ids have 19 digits, so a time before 26 May 2018 is taken for that day.
    pub fn next(&mut self, time: Time) -> &[u8] {
        let again = self.rng.u32(0..REPEATED) == 0 && !self.last.is_empty();
        if !again {
            self.stamp.set_time(time);
            self.patch(self.coming);
            self.last = self.records[self.coming].bytes.clone();
            self.skip();
        }
        &self.bytes[self.last.clone()]
    }

    /// Whether the record whose turn it is is a tweet: no deletion, no control message.
    pub fn tweet_comes(&self) -> bool {
        self.records[self.coming].is_tweet
    }

    /// Leaves the record out whose turn it is.
    pub fn skip(&mut self) {
        self.coming = if self.coming + 1 < self.records.len() { self.coming + 1 } else { 0 };
    }

    /// Bytes of a record, on average.
    pub fn mean_bytes(&self) -> f64 {
        self.bytes.len() as f64 / self.records.len() as f64
    }

    /// Records of the pool.
    pub fn records(&self) -> usize {
        self.records.len()
    }

    /// A pool that has to be filled before it is used.
    fn empty(seed: u64) -> Stencils {
        Stencils {
            rng: Rng::with_seed(seed),
            stamp: Stamp::new(),
            bytes: Vec::new(),
            places: Vec::new(),
            records: Vec::new(),
            coming: 0,
            last: 0..0,
        }
    }

    /// Adds a record to the pool. `record` is what `text` says; a deleted tweet is `age` milliseconds old.
    fn add(&mut self, text: &str, record: &Record, age: i64) {
        let (start, first) = (self.bytes.len(), self.places.len());
        let places = cut(text, record, age, &mut self.bytes);
        self.places.extend(places);
        self.records.push(Stencil {
            bytes: start..self.bytes.len(),
            places: first..self.places.len(),
            is_tweet: matches!(record, Record::Tweet(_)),
        });
    }

    /// Writes id and time into a record of the pool.
    fn patch(&mut self, number: usize) {
        let record = &self.records[number];
        if record.is_tweet {
            self.stamp.next_id();
        }
        for place in &self.places[record.places.clone()] {
            self.stamp.put(&mut self.bytes, place);
        }
    }
}

/// Has each tweet have its neighbours inside until it has so many bytes.
fn lengthen(records: &mut [(Vec<u8>, Record)], least_bytes: usize) {
    let is_tweet = |(_, parsed): &&(Vec<u8>, Record)| matches!(parsed, Record::Tweet(_));
    let whole: Vec<Vec<u8>> =
        records.iter().filter(is_tweet).map(|(record, _)| record.trim_ascii_end().to_vec()).collect();
    let mut neighbours = whole.iter().cycle();
    for (record, _) in
        records.iter_mut().filter(|record| is_tweet(&&**record) && record.0.len() < least_bytes)
    {
        let end = record.trim_ascii_end().len() - 1;
        let mut inside = br#","others":["#.to_vec();
        while end + inside.len() < least_bytes {
            if !inside.ends_with(b"[") {
                inside.push(b',');
            }
            inside.extend_from_slice(neighbours.next().map_or(b"0", Vec::as_slice));
        }
        inside.push(b']');
        record.splice(end..end, inside);
    }
}

/// How old a deleted tweet is at `time`, in milliseconds; nothing matters for other records.
fn age(record: &Record, time: Option<Time>) -> i64 {
    let Record::Deletion(deletion) = record else { return 0 };
    let age = time.zip(Time::of_tweet_id(deletion.id.get())).map(|(time, then)| time.since(then).max(0));
    age.unwrap_or(USUAL_AGE)
}
