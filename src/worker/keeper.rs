//! The time keeper: says how far the whole firehose is in the inbox.
//!
//! Every second it asks where the firehose ends, and after that what the scan has committed, with the tweet
//! times beside it, and writes one mark into each partition of the inbox. Acknowledged sightings, then the
//! commit, then the mark: so a mark is a fact, and stays true whoever says it, however late or often.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::needs::Misfit;
use super::scan::read_time;
use super::tables::bounds;
use super::trouble::Troubles;
use super::{Clock, Stop, Topic, Topics, Trouble, is_due, passes};
use crate::core::inbox::Inbox;
use crate::core::settings::Shared;
use crate::core::time::{MINUTE, SECOND, Time};
use crate::log::{Committed, Error, Kind, Log, Lookup, Partition, Producer};

/// Marks are written once in so long, in milliseconds.
const MARK_EVERY: i64 = SECOND;
/// Looks that are further apart are no longer one observation, in milliseconds: the first partition of the
/// firehose was elsewhere meanwhile, or no broker answered.
const BLIND: i64 = 5 * SECOND;
/// A look may take so long, in milliseconds.
const LONG_LOOK: i64 = 30 * SECOND;
/// A partition that is read to its end of so long ago may be idle, in milliseconds.
const END_AGE: i64 = 10 * SECOND;
/// A partition whose tweet time has not moved for so long may be idle, in milliseconds.
const IDLE_AFTER: i64 = MINUTE;
/// Time that has not moved for so long stands, in milliseconds.
const QUIET_AFTER: i64 = 10 * SECOND;
/// With [`Silence::Advance`] time is that far behind the clock when all is idle, in milliseconds.
const SILENT_LAG: i64 = 5 * MINUTE;

/// What time does when the whole firehose is silent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Silence {
    /// It stands: a late lapse hurts nobody.
    #[default]
    Wait,
    /// It goes on, five minutes behind the clock.
    Advance,
}

/// How a time keeper is to be.
#[derive(Debug, Clone)]
pub struct KeeperOptions {
    /// The name of the application: the scan's group begins with it.
    pub app: String,
    /// The topics.
    pub topics: Topics,
    /// What decides; it travels in the marks.
    pub settings: Shared,
    /// What time does when all is silent.
    pub silence: Silence,
}

/// A time keeper. Its look-ups block: it has a thread of its own.
pub struct Keeper {
    log: Arc<dyn Log>,
    clock: Arc<dyn Clock>,
    options: KeeperOptions,
    lookup: Box<dyn Lookup + Send>,
    producer: Box<dyn Producer + Send>,
    inbox: Topic,
    parts: BTreeMap<u32, Part>,
    /// How far time could have gone in the last seconds, and when that was found.
    could: VecDeque<(Time, Time)>,
    /// The last mark's time, and when it has moved.
    time: Time,
    moved_at: Time,
    /// When the firehose was looked at last.
    looked_at: Time,
    marked_at: Time,
    troubles: Troubles,
    scanned: Vec<Scanned>,
}

/// How far a partition of the firehose was scanned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scanned {
    /// Its number.
    pub partition: u32,
    /// Records behind the last commit.
    pub lag: u64,
    /// The tweet time of that commit.
    pub time: Option<Time>,
}

/// What is known of a partition of the firehose.
#[derive(Debug, Default)]
struct Part {
    /// Its ends of the last seconds, with the time at which each was seen.
    ends: Vec<(Time, u64)>,
    /// The tweet time of its commit, and since when it has been that.
    time: Option<(Time, Time)>,
}

/// Why time stands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Holds {
    /// Nobody has committed anything of a partition that is not empty.
    #[error("partition {0} of the firehose has no reader")]
    NoReader(u32),
    /// Nothing comes.
    #[error("the firehose is silent")]
    Silent,
    /// Something has come into a partition that was idle, and nobody knows yet how old it is.
    #[error("partition {0} of the firehose was idle and is not read to its end yet")]
    Unread(u32),
    /// The partition that is least far has brought no newer tweet for a while.
    #[error("partition {0} of the firehose brings nothing newer, and may lag")]
    Quiet(u32),
}

impl Keeper {
    /// A keeper.
    ///
    /// # Errors
    /// If topics are missing or the log cannot be reached.
    pub fn new(log: Arc<dyn Log>, clock: Arc<dyn Clock>, options: KeeperOptions) -> Result<Keeper, Stop> {
        let mut lookup = log.lookup()?;
        let inbox = Topic::inbox(&mut *lookup, &options.topics)?;
        let producer = log.producer()?;
        let marked_at = Time::ZERO;
        let (troubles, scanned) = (Troubles::default(), Vec::new());
        let (parts, could, time) = (BTreeMap::new(), VecDeque::new(), Time::ZERO);
        Ok(Keeper {
            log,
            clock,
            options,
            lookup,
            producer,
            inbox,
            parts,
            could,
            time,
            moved_at: Time::ZERO,
            looked_at: Time::ZERO,
            marked_at,
            troubles,
            scanned,
        })
    }

    /// Writes marks, if it is time to. Returns why time stands, if it does.
    ///
    /// # Errors
    /// [`Stop`]: the keeper is spent.
    pub fn turn(&mut self) -> Result<Option<Holds>, Stop> {
        let now = self.clock.now();
        if !is_due(now, self.marked_at, MARK_EVERY) {
            return Ok(None);
        }
        self.marked_at = now;
        let holds = match self.look(now) {
            Ok(Ok((time, _))) if time > self.time => {
                (self.time, self.moved_at) = (time, now);
                None
            }
            Ok(Ok((_, least))) => least.filter(|_| now.since(self.moved_at) >= QUIET_AFTER).map(Holds::Quiet),
            Ok(Err(holds)) => Some(holds),
            // What cannot be seen now will be seen in a second; meanwhile time stands.
            Err(Stop::Log(error)) if passes(&error) => {
                self.troubles.failed(&error, now);
                return Ok(None);
            }
            Err(stop) => return Err(stop),
        };
        match self.write() {
            Ok(()) => self.check_stamps()?,
            Err(error) if error.kind != Kind::Fatal => {
                self.troubles.failed(&error, now);
                self.producer = self.log.producer()?;
            }
            Err(error) => return Err(error.into()),
        }
        Ok(holds)
    }

    /// What was seen of the firehose since the last call.
    pub fn take_scanned(&mut self) -> Vec<Scanned> {
        std::mem::take(&mut self.scanned)
    }

    /// What does not go well, and is tried again.
    pub fn trouble(&self) -> Option<&Trouble> {
        self.troubles.now()
    }

    /// Windows count from the time at which a record was appended to the inbox: it has to be the brokers'.
    fn check_stamps(&mut self) -> Result<(), Stop> {
        let appended = self.producer.appended();
        match appended.iter().find(|appended| !appended.by_log && appended.topic == self.inbox.name) {
            Some(appended) => Err(Misfit::create_time(&appended.topic).into()),
            None => Ok(()),
        }
    }

    /// The time of the last mark.
    pub fn time(&self) -> Time {
        self.time
    }

    /// The tweet time up to which the inbox is complete, with the partition that says so; or why there is none.
    fn look(&mut self, now: Time) -> Result<Result<(Time, Option<u32>), Holds>, Stop> {
        // The ends before the commits: a partition that is read to an end of before is read whole.
        let ends = bounds(&mut *self.lookup, &self.options.topics.tweets)?;
        let partitions: Vec<Partition> = ends.iter().map(|(partition, ..)| partition.clone()).collect();
        let group = format!("{}-scan", self.options.app);
        let committed = self.lookup.committed(&group, &partitions)?;
        self.parts.retain(|number, _| (*number as usize) < partitions.len());
        if is_due(now, self.looked_at, BLIND) {
            // Nobody has seen what came in the meantime: what was known says nothing of the present.
            self.parts.clear();
            self.could.clear();
        }

        self.scanned.clear();
        // Of a firehose with many partitions a look takes its time; that is not to be blind.
        self.looked_at = self.clock.now().min(now.plus(LONG_LOOK));
        let mut least: Option<(Time, u32)> = None;
        let (mut no_reader, mut unread): (Option<u32>, Option<u32>) = (None, None);
        for ((partition, first, end), committed) in ends.into_iter().zip(committed) {
            let part = self.parts.entry(partition.number).or_default();
            part.see(end, committed.as_ref(), now);
            let behind = committed.as_ref().map_or(first, |committed| committed.offset.max(first));
            self.scanned.push(Scanned {
                partition: partition.number,
                lag: end.saturating_sub(behind),
                time: part.time.map(|(time, _)| time),
            });
            if end == first {
                continue;
            }
            if part.is_idle(committed.as_ref(), now) {
                unread = unread.or((end > behind).then_some(partition.number));
                continue;
            }
            match part.time {
                Some((time, _)) => {
                    let this = (time, partition.number);
                    least = Some(least.map_or(this, |least| least.min(this)));
                }
                None => no_reader = no_reader.or(Some(partition.number)),
            }
        }
        if let Some(partition) = no_reader {
            return Ok(Err(Holds::NoReader(partition)));
        }
        let time = match (least, self.options.silence) {
            (Some((least, _)), _) => least,
            (None, Silence::Advance) => now.minus(SILENT_LAG),
            (None, Silence::Wait) => return Ok(Err(Holds::Silent)),
        };
        let time = self.as_far_as_read(time.min(now), unread, now);
        Ok(time.map(|time| (time, least.map(|(_, partition)| partition))))
    }

    /// Something in an idle partition that is not read yet may be old: what was held up somewhere is delivered
    /// late, and other partitions are read sooner. Up to its end of [`END_AGE`] ago the partition is read, so
    /// time may go as far as it could have gone by what was read of the others at that time.
    fn as_far_as_read(&mut self, time: Time, unread: Option<u32>, now: Time) -> Result<Time, Holds> {
        self.could.push_back((now, time));
        while self.could.get(1).is_some_and(|(seen, _)| now.since(*seen) >= END_AGE) {
            self.could.pop_front();
        }
        let Some(unread) = unread else { return Ok(time) };
        let old = self.could.front().filter(|(seen, _)| now.since(*seen) >= END_AGE);
        match old.map(|(_, could)| time.min(*could)) {
            Some(time) if time > self.time => Ok(time),
            _ => Err(Holds::Unread(unread)),
        }
    }

    /// One mark into each partition, also when time stands.
    fn write(&mut self) -> Result<(), Error> {
        let mark = Inbox::Mark { time: self.time, settings: self.options.settings.clone() };
        self.inbox.inbox_records(&mark).into_iter().try_for_each(|record| self.producer.send(record))?;
        if self.producer.outstanding(Duration::from_secs(1))? == 0 {
            self.troubles.over();
        }
        Ok(())
    }
}

impl Part {
    fn see(&mut self, end: u64, committed: Option<&Committed>, now: Time) {
        self.ends.push((now, end));
        // The newest end that is old enough stays, and all that are newer.
        while self.ends.len() > 1 && now.since(self.ends[1].0) >= END_AGE {
            self.ends.remove(0);
        }
        let time = committed.and_then(|committed| read_time(&committed.metadata));
        match (time, self.time) {
            (Some(time), Some((held, _))) if time == held => {}
            (Some(time), _) => self.time = Some((time, now)),
            (None, _) => self.time = None,
        }
    }

    /// Read to its end of a while ago, and its tweet time has not moved for longer: control records and
    /// deletions only.
    fn is_idle(&self, committed: Option<&Committed>, now: Time) -> bool {
        let Some(committed) = committed else { return false };
        let old_end = self.ends.first().filter(|(seen, _)| now.since(*seen) >= END_AGE);
        let is_read = old_end.is_some_and(|(_, end)| committed.offset >= *end);
        is_read && self.time.is_some_and(|(_, since)| now.since(since) >= IDLE_AFTER)
    }
}
