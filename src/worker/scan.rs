//! The scan worker: the firehose's bytes -> sightings and deletions in the inbox.
//!
//! It keeps no state, and may repeat itself. Once a second it commits its offsets, with the greatest tweet
//! time below each as the commit's metadata, and only after everything that it has written about the tweets
//! below is acknowledged. So whoever reads a committed time of a partition knows that every tweet up to it
//! is in the inbox, as far as tweets are in order.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::partitioner::partition_of;
use super::tables::{Matchers, Tables};
use super::{Clock, Stop, Topics, Turn, inbox_record, passes};
use crate::core::ids::AccountId;
use crate::core::inbox::{Inbox, encode};
use crate::core::tally::{Counted, Tally};
use crate::core::time::{HOUR, MINUTE, SECOND, Time};
use crate::core::tweet::{self, Record};
use crate::log::{
    Committed, Isolation, Kind, Log, Lookup, Member, Membership, Message, NewRecord, Partition, Polled,
    Producer,
};

/// Offsets are committed once in so long, in milliseconds.
const COMMIT_EVERY: i64 = SECOND;
/// A partition's newest tweet is looked at for its time at most once in so long, in milliseconds.
const SAMPLE_EVERY: i64 = 100;
/// A tweet may be that far ahead of the clock, in milliseconds.
const MAX_AHEAD: i64 = MINUTE;
/// Deletions of tweets older than the longest time for which anything can be pending are dropped, in
/// milliseconds: an hour for the offer tweet, an hour for the window, half an hour of slack.
const DELETION_AGE: i64 = 2 * HOUR + HOUR / 2;
/// As much of a dead letter is kept, in bytes.
const DEAD_LETTER_BYTES: usize = 64 << 10;
/// So many failures of the producer in a row are one too many.
const MAX_FAILURES: u32 = 5;

/// How a scan worker is to be.
#[derive(Debug, Clone)]
pub struct ScanOptions {
    /// The name of the application: its groups begin with it.
    pub app: String,
    /// The topics.
    pub topics: Topics,
    /// The prefix of the codes.
    pub code_prefix: String,
    /// Authors that are not listened to.
    pub ignored: HashSet<AccountId>,
    /// Offer tags of authors without an account that are passed on in a second.
    pub strangers_per_second: u32,
    /// Records larger than this are dead letters, in bytes.
    pub max_record_bytes: usize,
}

/// A scan worker.
pub struct ScanWorker {
    log: Arc<dyn Log>,
    clock: Arc<dyn Clock>,
    options: ScanOptions,
    member: Box<dyn Member + Send>,
    producer: Box<dyn Producer + Send>,
    lookup: Box<dyn Lookup + Send>,
    tables: Tables,
    matchers: Option<Matchers>,
    inbox: (Arc<str>, u32),
    dead_letters: (Arc<str>, u32),
    tweets: Arc<str>,
    parts: BTreeMap<u32, Part>,
    /// Assigned, and not begun with: the group could not say yet where.
    waiting: Vec<Partition>,
    committed_at: Time,
    failures: u32,
    ahead: Ahead,
    strangers: (Time, u32),
    seen: Seen,
}

/// A partition of the firehose.
#[derive(Debug, Default)]
struct Part {
    /// The first offset that was not handled.
    next: u64,
    /// The greatest tweet time among those that were looked at.
    time: Option<Time>,
    sampled_at: Time,
    /// What was committed last.
    committed: Option<u64>,
}

/// Tweets ahead of the clock in the present minute.
#[derive(Debug, Default)]
struct Ahead {
    since: Time,
    ahead: u64,
    of: u64,
}

/// What a scan worker has seen since it was asked last.
#[derive(Debug, Default, Clone)]
pub struct Seen {
    /// Records.
    pub records: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Records that the prefilter has passed on.
    pub candidates: u64,
    /// Sightings.
    pub sightings: u64,
    /// Deletions that were forwarded.
    pub deletions: u64,
    /// Control messages by kind.
    pub skipped: BTreeMap<&'static str, u64>,
    /// Dead letters by reason.
    pub dead_letters: BTreeMap<&'static str, u64>,
    /// What led to nothing, by reason.
    pub nothing: Tally,
}

/// What is to be written about a record.
enum Said {
    Nothing,
    Inbox(Inbox),
    DeadLetter(&'static str),
}

impl ScanWorker {
    /// A worker that has joined its group. It reads the tables before its first tweet.
    ///
    /// # Errors
    /// If topics are missing or the log cannot be reached.
    pub fn new(log: Arc<dyn Log>, clock: Arc<dyn Clock>, options: ScanOptions) -> Result<ScanWorker, Stop> {
        let topics = options.topics.clone();
        let mut lookup = log.lookup()?;
        let mut named = |topic: &str| -> Result<(Arc<str>, u32), Stop> {
            let partitions = lookup.partitions(topic)?.ok_or_else(|| Stop::NoTopic(topic.to_owned()))?;
            Ok((topic.into(), partitions))
        };
        let (tweets, _) = named(&topics.tweets)?;
        let (inbox, dead_letters) = (named(&topics.inbox)?, named(&topics.dead_letters)?);
        let ignored = options.ignored.clone();
        let tables = Tables::new(&*log, &topics.offers, &topics.accounts, &options.code_prefix, ignored)?;
        let member = log.member(&Membership {
            group: format!("{}-scan", options.app),
            topics: vec![topics.tweets],
            instance: None,
            isolation: Isolation::Committed,
        })?;
        let producer = log.producer()?;
        let now = clock.now();
        Ok(ScanWorker {
            log,
            clock,
            options,
            member,
            producer,
            lookup,
            tables,
            matchers: None,
            inbox,
            dead_letters,
            tweets,
            parts: BTreeMap::new(),
            waiting: Vec::new(),
            committed_at: now,
            failures: 0,
            ahead: Ahead { since: now, ..Ahead::default() },
            strangers: (now, 0),
            seen: Seen::default(),
        })
    }

    /// Does what is at hand, waiting up to `wait` for it.
    ///
    /// # Errors
    /// [`Stop`]: the worker is spent.
    pub fn turn(&mut self, wait: Duration) -> Result<Turn, Stop> {
        // The tables are read whole before the first tweet.
        let begins = self.matchers.is_none();
        if let Some(matchers) = self.tables.follow(if begins { wait } else { Duration::ZERO })? {
            self.matchers = Some(matchers);
        }
        if self.matchers.is_none() {
            return Ok(Turn::Worked);
        }
        let now = self.clock.now();
        let mut said = Vec::new();
        let polled = {
            let mut look = Look {
                matchers: self.matchers.as_ref(),
                linked: &self.tables.linked,
                options: &self.options,
                parts: &mut self.parts,
                ahead: &mut self.ahead,
                strangers: &mut self.strangers,
                seen: &mut self.seen,
                now,
            };
            self.member.poll(wait, &mut |message| look.at(&message, &mut said))
        };
        let polled = match polled {
            Err(error) if passes(&error) => Polled::Messages(0),
            polled => polled?,
        };
        let idle = match polled {
            Polled::Assigned(partitions) => {
                self.waiting.extend(partitions);
                false
            }
            Polled::Revoked { partitions, lost } => {
                self.revoked(&partitions, lost)?;
                false
            }
            Polled::Messages(count) => count == 0,
        };
        for record in said {
            let sent = self.send(record);
            if let Err(error) = sent {
                self.producer_failed(error)?;
                return Ok(Turn::Worked);
            }
        }
        self.begin_waiting()?;
        self.check_clock(now)?;
        if now.since(self.committed_at) >= COMMIT_EVERY {
            self.committed_at = now;
            self.commit()?;
        }
        Ok(if idle { Turn::Idle } else { Turn::Worked })
    }

    /// Commits and leaves the group.
    ///
    /// # Errors
    /// [`Stop`], if what was read could not be committed: it will be read again.
    pub fn leave(mut self) -> Result<Seen, Stop> {
        let ended = self.commit();
        self.member.leave();
        ended.map(|()| self.seen)
    }

    /// What was seen since the last call.
    pub fn take_seen(&mut self) -> Seen {
        std::mem::take(&mut self.seen)
    }

    /// Whether this worker reads the first partition of the firehose: then its process keeps the time.
    pub fn keeps_time(&self) -> bool {
        self.parts.contains_key(&0)
    }

    /// Begins with what was assigned; what cannot be found out now is asked for again in the next turn.
    fn begin_waiting(&mut self) -> Result<(), Stop> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        match self.begin_all() {
            Err(Stop::Log(error)) if passes(&error) => Ok(()),
            done => done,
        }
    }

    fn begin_all(&mut self) -> Result<(), Stop> {
        let committed = self.member.committed(&self.waiting)?;
        for committed in committed {
            let Some(partition) = self.waiting.first().cloned() else { break };
            let next = match &committed {
                Some(committed) => committed.offset,
                // No commit is the beginning, said in so many words.
                None => self.lookup.watermarks(&partition, Isolation::Uncommitted)?.0,
            };
            let time = committed.as_ref().and_then(|committed| read_time(&committed.metadata));
            self.member.start(&partition, next)?;
            let committed = committed.map(|committed| committed.offset);
            self.parts.insert(partition.number, Part { next, time, sampled_at: Time::ZERO, committed });
            self.waiting.remove(0);
        }
        Ok(())
    }

    fn revoked(&mut self, partitions: &[Partition], lost: bool) -> Result<(), Stop> {
        if !lost {
            self.commit()?;
        }
        for partition in partitions {
            self.parts.remove(&partition.number);
            self.waiting.retain(|waiting| waiting != partition);
        }
        self.member.release()?;
        Ok(())
    }

    fn send(&mut self, said: Outgoing) -> Result<(), crate::log::Error> {
        let record = match said {
            Outgoing::Inbox(message) => {
                let key = message.key();
                let number = partition_of(key.to_string().as_bytes(), self.inbox.1);
                inbox_record(&self.inbox.0, number, &key, encode(&message))
            }
            Outgoing::DeadLetter(letter) => letter.record(&self.dead_letters, &self.tweets),
        };
        self.producer.send(record)
    }

    /// Waits until everything that was written is acknowledged, then commits what was read.
    fn commit(&mut self) -> Result<(), Stop> {
        match self.producer.outstanding(Duration::from_secs(10)) {
            Ok(0) => {}
            Ok(_) => return Ok(()),
            Err(error) => return self.producer_failed(error),
        }
        self.failures = 0;
        let mut offsets = Vec::new();
        for (&number, part) in &self.parts {
            if part.committed != Some(part.next) {
                let metadata = part.time.map(|time| time.millis().to_string()).unwrap_or_default();
                let partition = Partition { topic: Arc::clone(&self.tweets), number };
                offsets.push((partition, Committed { offset: part.next, metadata }));
            }
        }
        if offsets.is_empty() {
            return Ok(());
        }
        match self.member.commit(&offsets) {
            Ok(()) => {
                self.parts.values_mut().for_each(|part| part.committed = Some(part.next));
                Ok(())
            }
            // What was read is read again, by whoever has it now or by us.
            Err(error) if matches!(error.kind, Kind::Retry | Kind::Fenced | Kind::Abort) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// A delivery has failed: a new producer, and back to what is committed. The desk knows copies.
    fn producer_failed(&mut self, error: crate::log::Error) -> Result<(), Stop> {
        self.failures += 1;
        if error.kind == Kind::Fatal || self.failures > MAX_FAILURES {
            return Err(error.into());
        }
        self.producer = self.log.producer()?;
        let numbers: Vec<u32> = self.parts.keys().copied().collect();
        // Nothing more of them is read before they begin anew.
        for number in numbers {
            self.waiting.push(Partition { topic: Arc::clone(&self.tweets), number });
        }
        self.parts.clear();
        self.begin_waiting()
    }

    /// When more than one in a hundred tweets of a minute are ahead, and at least ten, it is our clock that
    /// is wrong.
    fn check_clock(&mut self, now: Time) -> Result<(), Stop> {
        let Ahead { since, ahead, of } = self.ahead;
        if ahead >= 10 && ahead * 100 > of {
            return Err(Stop::Clock { ahead, of });
        }
        if now.since(since) >= MINUTE {
            self.ahead = Ahead { since: now, ..Ahead::default() };
        }
        Ok(())
    }
}

/// What is to be sent because of a record.
enum Outgoing {
    Inbox(Inbox),
    DeadLetter(Box<DeadLetter>),
}

struct DeadLetter {
    reason: &'static str,
    partition: u32,
    offset: u64,
    bytes: Vec<u8>,
}

impl DeadLetter {
    fn record(self, topic: &(Arc<str>, u32), source: &str) -> NewRecord {
        let headers = vec![
            ("reason", self.reason.as_bytes().to_vec()),
            ("source-topic", source.as_bytes().to_vec()),
            ("source-partition", self.partition.to_string().into_bytes()),
            ("source-offset", self.offset.to_string().into_bytes()),
        ];
        let partition = Partition { topic: Arc::clone(&topic.0), number: self.partition % topic.1.max(1) };
        NewRecord { partition, key: None, value: Some(self.bytes), headers }
    }
}

/// What is needed to look at one record.
struct Look<'w> {
    matchers: Option<&'w Matchers>,
    linked: &'w HashSet<AccountId>,
    options: &'w ScanOptions,
    parts: &'w mut BTreeMap<u32, Part>,
    ahead: &'w mut Ahead,
    strangers: &'w mut (Time, u32),
    seen: &'w mut Seen,
    now: Time,
}

impl Look<'_> {
    fn at(&mut self, message: &Message<'_>, said: &mut Vec<Outgoing>) {
        let Some(part) = self.parts.get_mut(&message.partition) else { return };
        part.next = message.offset + 1;
        let bytes = message.value.unwrap_or_default();
        self.seen.records += 1;
        self.seen.bytes += bytes.len() as u64;
        let Some(matchers) = self.matchers else { return };
        let sample = self.now.since(part.sampled_at) >= SAMPLE_EVERY;
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
        if tweet.time > self.now.plus(MAX_AHEAD) {
            self.ahead.ahead += 1;
            return Said::DeadLetter("time_ahead");
        }
        if let Some(part) = self.parts.get_mut(&partition) {
            part.time = part.time.max(Some(tweet.time));
            part.sampled_at = self.now;
        }
        let Some(matchers) = self.matchers else { return Said::Nothing };
        let is_linked = self.linked.contains(&tweet.author);
        let sighting = matchers.scan.sighting(&tweet, |_| is_linked, &mut self.seen.nothing);
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
        if !is_young || !self.linked.contains(&deletion.author) {
            self.seen.nothing.count(Counted::DeletionDropped);
            return Said::Nothing;
        }
        self.seen.deletions += 1;
        Said::Inbox(Inbox::Deletion { account: deletion.author, tweet_id: deletion.id })
    }

    /// A sample of what strangers tweet is answered, the same number in every second.
    fn is_in_sample(&mut self) -> bool {
        if self.now.since(self.strangers.0) >= SECOND {
            *self.strangers = (self.now, 0);
        }
        self.strangers.1 += 1;
        self.strangers.1 <= self.options.strangers_per_second
    }
}

/// The tweet time in a commit's metadata.
pub(super) fn read_time(metadata: &str) -> Option<Time> {
    metadata.parse().ok().map(Time::from_millis)
}
