//! A topic that somebody else fills, and how far it is in the inbox: the firehose, and the card transactions.
//!
//! Whoever reads it commits, beside its offsets, the greatest time of the records below, and only after what they have
//! led to is acknowledged. So the least of these times over all partitions that bring anything is a time up to which
//! all of it is in the inbox.

use std::collections::{BTreeMap, VecDeque};

use super::{Silence, Stop};
use crate::core::time::{MINUTE, SECOND, Time};
use crate::log::{Committed, Lookup, Partition};
use crate::worker::scan::read_time;
use crate::worker::tables::bounds;
use crate::worker::{Clock, is_due};

/// Looks that are further apart are no longer one observation, in milliseconds: the first partition of the
/// firehose was elsewhere meanwhile, or no broker answered.
const BLIND: i64 = 5 * SECOND;
/// A look may take so long, in milliseconds.
const LONG_LOOK: i64 = 30 * SECOND;
/// A partition that is read to its end of so long ago may be idle, in milliseconds.
const END_AGE: i64 = 10 * SECOND;
/// A partition whose tweet time has not moved for so long may be idle, in milliseconds.
const IDLE_AFTER: i64 = MINUTE;
/// With [`Silence::Advance`] time is that far behind the clock when all is idle, in milliseconds.
const SILENT_LAG: i64 = 5 * MINUTE;

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

/// How far a topic is in the inbox.
#[derive(Debug)]
pub(super) struct Source {
    topic: String,
    /// The group of those that read it.
    group: String,
    silence: Silence,
    parts: BTreeMap<u32, Part>,
    /// How far time could have gone in the last seconds, and when that was found.
    could: VecDeque<(Time, Time)>,
    /// The greatest time that was found.
    time: Time,
    /// When it was looked at last.
    looked_at: Time,
    pub scanned: Vec<Scanned>,
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

impl Source {
    /// A topic, the group that reads it, and what its time does when nothing comes.
    pub fn new(topic: &str, group: String, silence: Silence) -> Source {
        Source {
            topic: topic.to_owned(),
            group,
            silence,
            parts: BTreeMap::new(),
            could: VecDeque::new(),
            time: Time::ZERO,
            looked_at: Time::ZERO,
            scanned: Vec::new(),
        }
    }

    /// The greatest time that was found.
    pub fn time(&self) -> Time {
        self.time
    }

    /// Looks once more. Returns the partition that says how far the inbox is complete, if one does; or why nobody can
    /// say how far.
    pub fn look(
        &mut self,
        lookup: &mut dyn Lookup,
        clock: &dyn Clock,
        now: Time,
    ) -> Result<Result<Option<u32>, Holds>, Stop> {
        let found = self.least(lookup, clock, now)?;
        Ok(found.map(|(time, least)| {
            self.time = self.time.max(time);
            least
        }))
    }

    fn least(
        &mut self,
        lookup: &mut dyn Lookup,
        clock: &dyn Clock,
        now: Time,
    ) -> Result<Result<(Time, Option<u32>), Holds>, Stop> {
        // The ends before the commits: a partition that is read to an end of before is read whole.
        let ends = bounds(lookup, &self.topic)?;
        let partitions: Vec<Partition> = ends.iter().map(|(partition, ..)| partition.clone()).collect();
        let committed = lookup.committed(&self.group, &partitions)?;
        self.parts.retain(|number, _| (*number as usize) < partitions.len());
        if is_due(now, self.looked_at, BLIND) {
            // Nobody has seen what came in the meantime: what was known says nothing of the present.
            self.parts.clear();
            self.could.clear();
        }

        self.scanned.clear();
        // Of a firehose with many partitions a look takes its time; that is not to be blind.
        self.looked_at = clock.now().min(now.plus(LONG_LOOK));
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
        let time = match (least, self.silence) {
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
