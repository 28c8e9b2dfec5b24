//! A look at one record of the firehose: the prefilter, and for what it passes on the exact rules.

use std::collections::BTreeMap;

use super::{Part, ScanOptions, Seen};
use crate::core::inbox::Inbox;
use crate::core::tables::LinkedIds;
use crate::core::tally::Counted;
use crate::core::time::{HOUR, MINUTE, SECOND, Time};
use crate::core::tweet::{self, Record, Tweet};
use crate::log::{Message, NewRecord};
use crate::worker::tables::Matchers;
use crate::worker::{Clock, Topic, is_due};

/// A partition's newest tweet is looked at for its time at most once in so long, in milliseconds.
const SAMPLE_EVERY: i64 = 100;
/// The reason of a dead letter whose tweet time is ahead of the clock.
const TIME_AHEAD: &str = "time_ahead";
/// A tweet may be that far ahead of the clock, in milliseconds.
const MAX_AHEAD: i64 = MINUTE;
/// Deletions of tweets older than the longest time for which anything can be pending are dropped, in
/// milliseconds: an hour for the offer tweet, an hour for the window, half an hour of slack.
const DELETION_AGE: i64 = 2 * HOUR + HOUR / 2;
/// As much of a dead letter is kept, in bytes.
const DEAD_LETTER_BYTES: usize = 64 << 10;

/// Tweets ahead of the clock in the present minute.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    pub(super) since: Time,
    pub(super) ahead: u64,
    pub(super) of: u64,
}

/// So many tweets of just now behind one that is ahead say that it is the tweet that is wrong.
const SURE_AFTER: u32 = 5;
/// A tweet is of just now if it is no further from the clock, in milliseconds. Older ones say nothing about a clock
/// that is slow: those that a stream has held back are behind it as well. Nor do those that are nearly ahead.
const JUST_NOW: i64 = 30 * SECOND;
/// So many tweets of a partition that are ahead are kept for a second look.
const MAX_KEPT: usize = 100;

/// Tweets of a partition that are ahead of the clock. They are dead letters; but if it is the clock that is
/// wrong, they must not be lost: nothing behind them is committed until it is known, and then they are looked at
/// once more.
#[derive(Debug, Default)]
pub(super) struct Doubtful {
    kept: Vec<Vec<u8>>,
    /// Tweets of just now since the last of them.
    behind: u32,
    /// A minute has ended since. By a clock that was set forward that is soon, so two of them have to.
    a_minute: bool,
}

impl Doubtful {
    pub(super) fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    fn keep(&mut self, bytes: &[u8]) {
        (self.behind, self.a_minute) = (0, false);
        if self.kept.len() < MAX_KEPT {
            self.kept.push(bytes.to_vec());
        }
    }
}

/// What is to be sent because of a record.
pub(super) enum Outgoing {
    Inbox(Inbox),
    DeadLetter(Box<DeadLetter>),
}

pub(super) struct DeadLetter {
    reason: &'static str,
    partition: u32,
    offset: u64,
    bytes: Vec<u8>,
}

impl DeadLetter {
    pub(super) fn record(self, topic: &Topic, source: &str) -> NewRecord {
        let headers = vec![
            ("reason", self.reason.as_bytes().to_vec()),
            ("source-topic", source.as_bytes().to_vec()),
            ("source-partition", self.partition.to_string().into_bytes()),
            ("source-offset", self.offset.to_string().into_bytes()),
        ];
        let partition = topic.partition(self.partition % topic.partitions.max(1));
        NewRecord { partition, key: None, value: Some(self.bytes), headers }
    }
}

/// What is needed to look at one record.
pub(super) struct Look<'w> {
    pub(super) matchers: Option<&'w Matchers>,
    pub(super) linked: &'w LinkedIds,
    pub(super) options: &'w ScanOptions,
    pub(super) parts: &'w mut BTreeMap<u32, Part>,
    pub(super) ahead: &'w mut Ahead,
    pub(super) strangers: &'w mut (Time, u32),
    pub(super) seen: &'w mut Seen,
    pub(super) clock: &'w dyn Clock,
    pub(super) now: Time,
}

impl Look<'_> {
    /// Looks at one record, and adds what is to be sent because of it.
    pub(super) fn at(&mut self, message: &Message<'_>, said: &mut Vec<Outgoing>) {
        let Some(part) = self.parts.get_mut(&message.partition) else { return };
        part.next = message.offset + 1;
        let bytes = message.value.unwrap_or_default();
        self.seen.records += 1;
        self.seen.bytes += bytes.len() as u64;
        let Some(matchers) = self.matchers else { return };
        let sample = is_due(self.now, part.sampled_at, SAMPLE_EVERY);
        let too_large = bytes.len() > self.options.max_record_bytes;
        if !too_large && !matchers.prefilter.passes(bytes) && !sample {
            return;
        }
        let outcome = if too_large {
            Said::DeadLetter("too_large")
        } else if bytes.trim_ascii().is_empty() {
            *self.seen.skipped.entry("keep_alive").or_default() += 1;
            Said::Nothing
        } else {
            self.parsed(message.partition, bytes)
        };
        match outcome {
            Said::Nothing => {}
            Said::Inbox(message) => said.push(Outgoing::Inbox(message)),
            Said::DeadLetter(reason) => {
                if reason == TIME_AHEAD
                    && let Some(part) = self.parts.get_mut(&message.partition)
                {
                    part.doubtful.keep(bytes);
                }
                *self.seen.dead_letters.entry(reason).or_default() += 1;
                let bytes = bytes[..bytes.len().min(DEAD_LETTER_BYTES)].to_vec();
                let (partition, offset) = (message.partition, message.offset);
                said.push(Outgoing::DeadLetter(Box::new(DeadLetter { reason, partition, offset, bytes })));
            }
        }
    }

    fn parsed(&mut self, partition: u32, bytes: &[u8]) -> Said {
        self.seen.candidates += 1;
        let tweet = match tweet::parse(bytes) {
            Err(bad) => return Said::DeadLetter(bad.reason()),
            Ok(Record::Control(kind)) => {
                *self.seen.skipped.entry(kind.as_str()).or_default() += 1;
                return Said::Nothing;
            }
            Ok(Record::Deletion(deletion)) => return self.deletion(deletion),
            Ok(Record::Tweet(tweet)) => tweet,
        };
        self.ahead.of += 1;
        if self.is_ahead(&tweet) {
            self.ahead.ahead += 1;
            return Said::DeadLetter(TIME_AHEAD);
        }
        if let Some(part) = self.parts.get_mut(&partition) {
            part.time = part.time.max(Some(tweet.time));
            part.sampled_at = self.now;
            let is_of_just_now = tweet.time.since(self.now).abs() <= JUST_NOW;
            part.doubtful.behind += u32::from(is_of_just_now);
        }
        self.told(&tweet)
    }

    /// Whether a tweet is from the future. The process may have stood still since its clock was read, and the tweet
    /// may have come meanwhile.
    fn is_ahead(&mut self, tweet: &Tweet) -> bool {
        if tweet.time > self.now.plus(MAX_AHEAD) {
            self.now = self.clock.now();
        }
        tweet.time > self.now.plus(MAX_AHEAD)
    }

    /// Looks once more at tweets that were ahead, where it is known by now what is wrong: the tweet, if others are
    /// behind it, or at the end of a second minute in which the clock was not found to be.
    pub(super) fn again(&mut self, is_minute_over: bool, said: &mut Vec<Outgoing>) {
        let mut kept = Vec::new();
        for part in self.parts.values_mut().filter(|part| !part.doubtful.is_empty()) {
            let was_over = is_minute_over && std::mem::replace(&mut part.doubtful.a_minute, is_minute_over);
            if was_over || part.doubtful.behind >= SURE_AFTER {
                kept.extend(std::mem::take(&mut part.doubtful).kept);
            }
        }
        for bytes in kept {
            if let Ok(Record::Tweet(tweet)) = tweet::parse(&bytes)
                && !self.is_ahead(&tweet)
                && let Said::Inbox(message) = self.told(&tweet)
            {
                said.push(Outgoing::Inbox(message));
            }
        }
    }

    /// What a tweet says.
    fn told(&mut self, tweet: &Tweet) -> Said {
        let Some(matchers) = self.matchers else { return Said::Nothing };
        let is_linked = self.linked.contains(tweet.author);
        let sighting = matchers.scan.sighting(tweet, |_| is_linked, &mut self.seen.nothing);
        match sighting {
            Some(sighting) if is_linked || self.is_in_sample() => {
                self.seen.sightings += 1;
                Said::Inbox(Inbox::Sighting(sighting))
            }
            _ => Said::Nothing,
        }
    }

    fn deletion(&mut self, deletion: tweet::Deletion) -> Said {
        let time = Time::of_tweet_id(deletion.id.get());
        let is_young = time.is_none_or(|time| time >= self.now.minus(DELETION_AGE));
        if !is_young || !self.linked.contains(deletion.author) {
            self.seen.nothing.count(Counted::DeletionDropped);
            return Said::Nothing;
        }
        self.seen.deletions += 1;
        Said::Inbox(Inbox::Deletion { account: deletion.author, tweet_id: deletion.id })
    }

    /// A sample of what strangers tweet is answered, the same number in every second.
    fn is_in_sample(&mut self) -> bool {
        if is_due(self.now, self.strangers.0, SECOND) {
            *self.strangers = (self.now, 0);
        }
        self.strangers.1 += 1;
        self.strangers.1 <= self.options.strangers_per_second
    }
}

/// What is to be written about a record.
enum Said {
    Nothing,
    Inbox(Inbox),
    DeadLetter(&'static str),
}
