//! The scan worker: the firehose's bytes -> sightings and deletions in the inbox.
//!
//! It keeps no state, and may repeat itself. Once a second it commits its offsets, with the greatest tweet
//! time below each as the commit's metadata, and only after everything that it has written about the tweets
//! below is acknowledged. So whoever reads a committed time of a partition knows that every tweet up to it
//! is in the inbox, as far as tweets are in order.

mod look;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use self::look::{Ahead, Doubtful, Look, Outgoing};
use super::tables::{Matchers, Tables};
use super::trouble::Troubles;
use super::{Clock, Stop, Topic, Topics, Trouble, Turn, is_due, passes};
use crate::core::ids::AccountId;
use crate::core::offer::Offer;
use crate::core::tally::Tally;
use crate::core::time::{MINUTE, SECOND, Time};
use crate::log::{Committed, Isolation, Kind, Log, Lookup, Member, Membership, Partition, Polled, Producer};

/// Offsets are committed once in so long, in milliseconds.
const COMMIT_EVERY: i64 = SECOND;

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
    tweets: Topic,
    inbox: Topic,
    dead_letters: Topic,
    parts: BTreeMap<u32, Part>,
    /// Assigned, and not begun with: the group could not say yet where.
    waiting: Vec<Partition>,
    committed_at: Time,
    troubles: Troubles,
    /// The group has met with this worker.
    has_met: bool,
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
    /// Tweets that are ahead of the clock; while there are any, nothing is committed.
    doubtful: Doubtful,
    /// What was committed last.
    committed: Option<u64>,
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
    /// New matchers, because the offers had changed.
    pub swaps: u64,
    /// The offers as they are since, each with its tag.
    pub offers: Option<Vec<Arc<Offer>>>,
}

/// How a scan worker is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// The tables were read whole.
    pub has_tables: bool,
    /// The group has met with it.
    pub has_met: bool,
    /// What does not go well, and is tried again.
    pub trouble: Option<Trouble>,
    /// Tags that belong to an offer.
    pub offers: usize,
    /// Accounts that have a record.
    pub linked: usize,
}

impl ScanWorker {
    /// A worker that has joined its group. It reads the tables before its first tweet.
    ///
    /// # Errors
    /// If topics are missing or the log cannot be reached.
    pub fn new(log: Arc<dyn Log>, clock: Arc<dyn Clock>, options: ScanOptions) -> Result<ScanWorker, Stop> {
        let topics = options.topics.clone();
        let mut lookup = log.lookup()?;
        let inbox = Topic::inbox(&mut *lookup, &topics)?;
        let mut named = |name: &str| Topic::look_up(&mut *lookup, name);
        let (tweets, dead_letters) = (named(&topics.tweets)?, named(&topics.dead_letters)?);
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
            tweets,
            inbox,
            dead_letters,
            parts: BTreeMap::new(),
            waiting: Vec::new(),
            committed_at: now,
            troubles: Troubles::default(),
            has_met: false,
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
        match self.tables.follow(if begins { wait } else { Duration::ZERO }) {
            Ok(Some(matchers)) => {
                self.matchers = Some(matchers);
                self.seen.swaps += 1;
                self.seen.offers = Some(self.tables.offers());
            }
            Err(Stop::Log(error)) if passes(&error) => self.troubles.failed(&error, self.clock.now()),
            read => drop(read?),
        }
        if self.matchers.is_none() {
            return Ok(Turn::Worked);
        }
        let now = self.clock.now();
        let is_minute_over = self.check_clock(now)?;
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
                clock: &*self.clock,
                now,
            };
            let polled = self.member.poll(wait, &mut |message| look.at(&message, &mut said));
            look.again(is_minute_over, &mut said);
            polled
        };
        let polled = match polled {
            Err(error) if passes(&error) => Polled::Messages(0),
            polled => polled?,
        };
        let idle = match polled {
            Polled::Assigned(partitions) => {
                self.has_met = true;
                self.waiting.extend(partitions);
                false
            }
            Polled::Revoked { partitions, lost } => {
                self.has_met &= !lost;
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
        if is_due(now, self.committed_at, COMMIT_EVERY) {
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

    /// How it is.
    pub fn state(&self) -> State {
        State {
            has_tables: self.matchers.is_some(),
            has_met: self.has_met,
            trouble: self.troubles.now().cloned(),
            offers: self.tables.tags,
            linked: self.tables.linked.len(),
        }
    }

    /// Begins with what was assigned; what cannot be found out now is asked for again in the next turn.
    fn begin_waiting(&mut self) -> Result<(), Stop> {
        if self.waiting.is_empty() || !self.troubles.may_try(self.clock.now()) {
            return Ok(());
        }
        match self.begin_all() {
            Err(Stop::Log(error)) if passes(&error) => {
                self.troubles.failed(&error, self.clock.now());
                Ok(())
            }
            done => done,
        }
    }

    /// One that cannot be begun with now holds up no other.
    fn begin_all(&mut self) -> Result<(), Stop> {
        let committed = self.member.committed(&self.waiting)?;
        for (partition, committed) in std::mem::take(&mut self.waiting).into_iter().zip(committed) {
            match self.begin_with(&partition, committed) {
                Err(Stop::Log(error)) if passes(&error) => {
                    self.troubles.failed(&error, self.clock.now());
                    self.waiting.push(partition);
                }
                begun => begun?,
            }
        }
        Ok(())
    }

    fn begin_with(&mut self, partition: &Partition, committed: Option<Committed>) -> Result<(), Stop> {
        let next = match &committed {
            Some(committed) => committed.offset,
            // No commit is the beginning, said in so many words.
            None => self.lookup.watermarks(partition, Isolation::Uncommitted)?.0,
        };
        let time = committed.as_ref().and_then(|committed| read_time(&committed.metadata));
        self.member.start(partition, next)?;
        let committed = committed.map(|committed| committed.offset);
        self.parts.insert(partition.number, Part { next, time, committed, ..Part::default() });
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
        match said {
            Outgoing::Inbox(message) => {
                let mut records = self.inbox.inbox_records(&message).into_iter();
                records.try_for_each(|record| self.producer.send(record))
            }
            Outgoing::DeadLetter(letter) => {
                self.producer.send(letter.record(&self.dead_letters, &self.tweets.name))
            }
        }
    }

    /// Waits until everything that was written is acknowledged, then commits what was read.
    fn commit(&mut self) -> Result<(), Stop> {
        match self.producer.outstanding(Duration::from_secs(10)) {
            Ok(0) => {}
            Ok(outstanding) => {
                let what = format!("{outstanding} records for {} are not acknowledged", self.inbox.name);
                self.troubles.failed(&crate::log::Error::new(Kind::Retry, what), self.clock.now());
                return Ok(());
            }
            Err(error) => return self.producer_failed(error),
        }
        let mut offsets = Vec::new();
        for (&number, part) in &mut self.parts {
            let partition = self.tweets.partition(number);
            // The last thing in a partition may be the end of a transaction, which is handed to nobody: were
            // it not committed, the partition would never look as if it were read to its end.
            part.next = part.next.max(self.member.position(&partition).unwrap_or(0));
            if part.committed != Some(part.next) && part.doubtful.is_empty() {
                let metadata = part.time.map(|time| time.millis().to_string()).unwrap_or_default();
                offsets.push((partition, Committed { offset: part.next, metadata }));
            }
        }
        if offsets.is_empty() {
            // Nothing is read while partitions wait to be begun with: that is no success.
            if self.waiting.is_empty() {
                self.troubles.over();
            }
            return Ok(());
        }
        match self.member.commit(&offsets) {
            Ok(()) => {
                self.troubles.over();
                for (partition, committed) in offsets {
                    if let Some(part) = self.parts.get_mut(&partition.number) {
                        part.committed = Some(committed.offset);
                    }
                }
                Ok(())
            }
            // What was read is read again, by whoever has it now or by us.
            Err(error) if matches!(error.kind, Kind::Retry | Kind::Fenced | Kind::Abort) => {
                self.troubles.failed(&error, self.clock.now());
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// A delivery has failed: a new producer, and back to what is committed. The desk knows copies.
    fn producer_failed(&mut self, error: crate::log::Error) -> Result<(), Stop> {
        if error.kind == Kind::Fatal {
            return Err(error.into());
        }
        self.troubles.failed(&error, self.clock.now());
        self.producer = self.log.producer()?;
        let numbers: Vec<u32> = self.parts.keys().copied().collect();
        // Nothing more of them is read before they begin anew; what comes nevertheless is not looked at.
        for number in numbers {
            let partition = self.tweets.partition(number);
            let _ = self.member.pause(&partition);
            self.waiting.push(partition);
        }
        self.parts.clear();
        Ok(())
    }

    /// When more than one in a hundred tweets of a minute are ahead, and at least ten, it is our clock that
    /// is wrong. True at the end of a minute in which it was not.
    fn check_clock(&mut self, now: Time) -> Result<bool, Stop> {
        let Ahead { since, ahead, of } = self.ahead;
        if ahead >= 10 && ahead * 100 > of {
            return Err(Stop::Clock { ahead, of });
        }
        // A clock that was set back is no minute that is over: it may be wrong only now.
        self.ahead.since = since.min(now);
        let is_over = now.since(since) >= MINUTE;
        if is_over {
            self.ahead = Ahead { since: now, ..Ahead::default() };
        }
        Ok(is_over)
    }
}

/// The tweet time in a commit's metadata.
pub(crate) fn read_time(metadata: &str) -> Option<Time> {
    metadata.parse().ok().map(Time::from_millis)
}
