//! What the inbox says of a topic that somebody else fills: up to which time all of it is there.

use std::collections::{BTreeSet, HashMap};

use hashbuy::core::time::Time;
use hashbuy::log::memory::Record;
use hashbuy::worker::partitioner::partition_of;

use super::super::stream::{Delivered, Told};

/// A partition may be idle when it was read to its end of so long ago; the keeper looks once a second.
pub const IDLE_END: i64 = 12_000;
/// And when its time has not moved for so long, or it is empty.
const IDLE_AFTER: i64 = 58_000;

/// What is in the inbox of one topic, and what was said of it.
pub struct Facts {
    /// What a record of it is called.
    what: &'static str,
    /// What has come, by partition of the inbox.
    come: Vec<BTreeSet<String>>,
    /// The greatest time that was said in each partition of the inbox.
    said: Vec<i64>,
    /// How much of each partition of the topic has to be in each of the inbox.
    complete: HashMap<(u32, u32), usize>,
    /// When something of that time or later was delivered first: (time, delivered at), both ascending.
    first: Vec<(i64, i64)>,
    counted: Vec<usize>,
}

impl Facts {
    pub fn new(what: &'static str, inbox: u32) -> Facts {
        Facts {
            what,
            come: vec![BTreeSet::new(); inbox as usize],
            said: vec![0; inbox as usize],
            complete: HashMap::new(),
            first: Vec::new(),
            counted: Vec::new(),
        }
    }

    /// When times were there first.
    pub fn note_times(&mut self, delivered: &[Vec<Delivered>]) {
        self.counted.resize(delivered.len(), 0);
        let mut news: Vec<(i64, i64)> = Vec::new();
        for (counted, delivered) in self.counted.iter_mut().zip(delivered) {
            news.extend(delivered[*counted..].iter().filter_map(|one| Some((one.at, one.time?))));
            *counted = delivered.len();
        }
        news.sort_unstable();
        for (at, time) in news {
            if self.first.last().is_none_or(|(latest, _)| time > *latest) {
                self.first.push((time, at));
            }
        }
    }

    /// One of them is in the inbox.
    pub fn has_come(&mut self, partition: u32, id: String) {
        self.come[partition as usize].insert(id);
    }

    /// A record of the inbox says that it is complete up to a time: in each partition of the topic everything before
    /// the first of that time or later; or where the partition was idle, everything that was there a while before
    /// anything of that time was.
    pub fn said(&mut self, record: &Record, time: i64, delivered: &[Vec<Delivered>]) -> Result<(), String> {
        let said = &mut self.said[record.partition as usize];
        if time <= *said {
            return Ok(());
        }
        *said = time;
        let first = self.first.partition_point(|(there, _)| *there < time);
        // By the clock of a silent firehose, if that is how it is set.
        let Some((_, first)) = self.first.get(first) else { return Ok(()) };
        for (number, delivered) in (0..).zip(delivered) {
            let is_idle = was_idle(delivered, first - IDLE_END, record.timestamp.millis());
            let mut from = self.complete.get(&(record.partition, number)).copied().unwrap_or(0);
            while let Some(one) = delivered.get(from) {
                let is_there = one.before < time && one.time.is_none_or(|at| at < time);
                if !is_there || is_idle && one.at > first - IDLE_END || one.at > record.timestamp.millis() {
                    break;
                }
                from += 1;
                if let Some(told) = one.told.as_ref().filter(|told| self.inbox_of(told) == record.partition)
                    && !self.come[record.partition as usize].contains(&told.id)
                {
                    return Err(format!(
                        "inbox/{}@{}: a mark at {}, but {} {} for {} at {}, in partition {number} since {}, is not in \
                         the inbox (I3)",
                        record.partition,
                        record.offset,
                        Time::from_millis(time),
                        self.what,
                        told.id,
                        told.entity,
                        Time::from_millis(told.time),
                        Time::from_millis(one.at),
                    ));
                }
            }
            self.complete.insert((record.partition, number), from);
        }
        Ok(())
    }

    /// Everything that was delivered is in the inbox.
    pub fn all(&self, delivered: &[Vec<Delivered>]) -> Result<(), String> {
        for told in delivered.iter().flatten().filter_map(|one| one.told.as_ref()) {
            if !self.come[self.inbox_of(told) as usize].contains(&told.id) {
                return Err(format!("{} {} for {} was never seen (I5, I6)", self.what, told.id, told.entity));
            }
        }
        Ok(())
    }

    fn inbox_of(&self, told: &Told) -> u32 {
        partition_of(told.entity.as_bytes(), u32::try_from(self.come.len()).unwrap())
    }
}

/// Whether a partition of the topic may have been idle, or empty, at any time from `from` to `until`.
pub fn was_idle(delivered: &[Delivered], from: i64, until: i64) -> bool {
    let raised =
        delivered.iter().filter(|one| one.time.is_some_and(|time| time > one.before)).map(|one| one.at);
    // Before the first it was empty, and may be idle from the last on.
    let mut since = i64::MIN / 2;
    for at in raised.chain([i64::MAX / 2]) {
        if at - since >= IDLE_AFTER && at >= from && since + IDLE_AFTER <= until {
            return true;
        }
        since = at;
    }
    false
}
