//! One partition: entries with offsets, and what transactions make of them.
//!
//! ```text
//! offset    0    1    2    3    4    5    6    7
//!           a    b    A1   c    A2   B1   xA   d        A, B: transactions; xA: A's control record
//!                                    ^              ^
//!                        last stable offset      high watermark
//! ```
//!
//! Records of a transaction are in the log as soon as they are written. A reader of committed records
//! stops at the last stable offset, the first record of the oldest open transaction; below it the fate
//! of everything is known, so `read` leaves out what was aborted. The end of a transaction is an entry
//! with an offset of its own, a control record, that no reader is handed.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;

use crate::core::time::Time;
use crate::log::Isolation;

/// What a producer wrote, as it is kept.
#[derive(Debug)]
pub(super) struct Body {
    pub timestamp: Time,
    /// Whether the timestamp is the log's own.
    pub appended: bool,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub headers: Vec<(&'static str, Vec<u8>)>,
}

/// What has become of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Written without a transaction, or by one that was committed.
    Stands,
    /// Written by the open transaction with this serial number.
    Open(u64),
    /// Written by a transaction that was aborted.
    Aborted,
}

#[derive(Debug)]
struct Entry {
    offset: u64,
    at: Time,
    fate: Fate,
    /// None: a control record.
    body: Option<Arc<Body>>,
}

/// The log of one partition.
#[derive(Debug, Default)]
pub(super) struct PartitionLog {
    /// In the order of their offsets, which have gaps where compaction was.
    entries: VecDeque<Entry>,
    start: u64,
    end: u64,
    /// Open transactions by serial number, with their first offset here.
    open: BTreeMap<u64, u64>,
}

impl PartitionLog {
    /// The first offset.
    pub fn start(&self) -> u64 {
        self.start
    }

    /// The offset up to which a reader gets: the high watermark, or the last stable offset.
    pub fn end(&self, isolation: Isolation) -> u64 {
        match isolation {
            Isolation::Uncommitted => self.end,
            Isolation::Committed => self.open.values().copied().min().unwrap_or(self.end).max(self.start),
        }
    }

    /// Appends a record, of a transaction if one is given.
    pub fn append(&mut self, body: Body, transaction: Option<u64>) {
        let fate = match transaction {
            None => Fate::Stands,
            Some(serial) => {
                self.open.entry(serial).or_insert(self.end);
                Fate::Open(serial)
            }
        };
        self.push(body.timestamp, fate, Some(Arc::new(body)));
    }

    /// Ends a transaction: its entries have their fate, and a control record follows. Nothing for a
    /// transaction that has not written here.
    pub fn end_transaction(&mut self, serial: u64, committed: bool, now: Time) {
        let Some(first) = self.open.remove(&serial) else { return };
        let fate = if committed { Fate::Stands } else { Fate::Aborted };
        let from = self.index(first);
        for entry in self.entries.range_mut(from..).filter(|entry| entry.fate == Fate::Open(serial)) {
            entry.fate = fate;
        }
        self.push(now, Fate::Stands, None);
    }

    fn push(&mut self, at: Time, fate: Fate, body: Option<Arc<Body>>) {
        self.entries.push_back(Entry { offset: self.end, at, fate, body });
        self.end += 1;
    }

    /// Where the first entry at or behind an offset is.
    fn index(&self, offset: u64) -> usize {
        self.entries.partition_point(|entry| entry.offset < offset)
    }

    /// Hands `take` up to `most` records from an offset on. Returns the offset to go on from, behind
    /// all that was looked at: control records, aborted records and gaps count.
    ///
    /// # Errors
    /// The offsets that there are, if `from` is not among them.
    pub fn read(
        &self,
        from: u64,
        isolation: Isolation,
        mut most: usize,
        mut take: impl FnMut(u64, &Arc<Body>),
    ) -> Result<u64, Range<u64>> {
        if from < self.start || from > self.end {
            return Err(self.start..self.end);
        }
        let end = self.end(isolation);
        let mut position = from;
        for entry in self.entries.range(self.index(from)..).take_while(|entry| entry.offset < end) {
            let hidden = isolation == Isolation::Committed && entry.fate == Fate::Aborted;
            if let Some(body) = entry.body.as_ref().filter(|_| !hidden) {
                if most == 0 {
                    return Ok(position);
                }
                most -= 1;
                take(entry.offset, body);
            }
            position = entry.offset + 1;
        }
        Ok(end.max(from))
    }

    /// Forgets everything below an offset.
    pub fn trim(&mut self, offset: u64) {
        self.start = offset.clamp(self.start, self.end);
        self.entries.drain(..self.index(self.start));
    }

    /// Forgets entries older than `oldest`, up to the last stable offset.
    pub fn retain_since(&mut self, oldest: Time) {
        let stable = self.end(Isolation::Committed);
        while let Some(first) =
            self.entries.front().filter(|first| first.at < oldest && first.offset < stable)
        {
            self.start = first.offset + 1;
            self.entries.pop_front();
        }
    }

    /// Keeps of each key the newest record below the last stable offset, at its offset, and forgets
    /// the others; what was aborted goes as well, and tombstones if `tombstones` says so. Control
    /// records stay.
    pub fn compact(&mut self, tombstones: bool) {
        let stable = self.end(Isolation::Committed);
        let mut newest: HashMap<&[u8], u64> = HashMap::new();
        for entry in self.entries.iter().filter(|entry| entry.offset < stable && entry.fate == Fate::Stands) {
            if let Some(key) = entry.body.as_ref().and_then(|body| body.key.as_deref()) {
                newest.insert(key, entry.offset);
            }
        }
        let keep = |entry: &Entry| {
            let Some(body) = entry.body.as_ref().filter(|_| entry.offset < stable) else { return true };
            let last = body.key.as_deref().and_then(|key| newest.get(key)) == Some(&entry.offset);
            last && (body.value.is_some() || !tombstones)
        };
        let kept: Vec<bool> = self.entries.iter().map(keep).collect();
        let mut kept = kept.into_iter();
        self.entries.retain(|_| kept.next().unwrap_or(true));
    }
}
