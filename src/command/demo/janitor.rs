//! The janitor: what a cluster does by retention and compaction, done to the log in memory, so that a demo
//! that nobody ends does not grow.

use std::time::{Duration, Instant};

use super::scene::{INBOX, Scene, TWEETS};
use crate::books::biller::Biller;
use crate::log::memory::{MemoryLog, Tombstones};
use crate::log::{Error, Isolation, Log, Lookup, Partition};
use crate::worker::Topics;

/// Compacted topics are compacted once in so long.
const COMPACT_EVERY: Duration = Duration::from_secs(1);

/// Cleans the log.
pub struct Janitor {
    log: MemoryLog,
    lookup: Box<dyn Lookup + Send>,
    app: String,
    topics: Topics,
    compacted_at: Instant,
}

impl Janitor {
    /// A janitor, if the log is in memory.
    ///
    /// # Errors
    /// Those of the log.
    pub fn of(scene: &Scene) -> Result<Option<Janitor>, Error> {
        let Some(log) = scene.memory.clone() else { return Ok(None) };
        let (app, topics) = (scene.config.service.app.clone(), scene.config.service.topics.clone());
        let lookup = log.lookup()?;
        Ok(Some(Janitor { log, lookup, app, topics, compacted_at: Instant::now() }))
    }

    /// Forgets what everybody has read. `restoring`: a desk worker may be reading the changelog.
    ///
    /// # Errors
    /// Those of the log.
    pub fn clean(&mut self, biller: &Biller, restoring: bool) -> Result<(), Error> {
        for (group, topic, partitions) in [
            (format!("{}-scan", self.app), &self.topics.tweets, TWEETS),
            (format!("{}-desk", self.app), &self.topics.inbox, INBOX),
            (format!("{}-tables", self.app), &self.topics.card_transactions, INBOX),
        ] {
            for (partition, offset) in committed(&mut *self.lookup, &group, topic, partitions)? {
                // One record stays: to the time keeper a partition without any is a silent one.
                self.log.trim(&partition, offset.saturating_sub(1))?;
            }
        }
        for (partition, offset) in biller.read() {
            self.log.trim(partition, offset)?;
        }
        if self.compacted_at.elapsed() >= COMPACT_EVERY {
            self.compacted_at = Instant::now();
            self.compact(restoring)?;
        }
        Ok(())
    }

    /// A tombstone has to stay for whoever has read what it ends, and has not come to it yet.
    fn compact(&mut self, restoring: bool) -> Result<(), Error> {
        let tombstones = |kept| if kept { Tombstones::Keep } else { Tombstones::Drop };
        self.log.compact(&self.topics.changelog, tombstones(restoring))?;
        self.log.compact(&self.topics.offers, Tombstones::Keep)?;
        // Nobody but the caller writes accounts, so nothing comes in between. The scan may miss the end of an
        // account that it knows as linked: it then passes on what the desk will not hear.
        let feeder = format!("{}-tables", self.app);
        let mut fed = true;
        for (partition, offset) in committed(&mut *self.lookup, &feeder, &self.topics.accounts, INBOX)? {
            fed &= offset >= self.lookup.watermarks(&partition, Isolation::Uncommitted)?.1;
        }
        self.log.compact(&self.topics.accounts, tombstones(!fed))
    }
}

/// The committed offsets of a group; 0 where there is none.
fn committed(
    lookup: &mut dyn Lookup,
    group: &str,
    topic: &str,
    partitions: u32,
) -> Result<Vec<(Partition, u64)>, Error> {
    let partitions: Vec<Partition> = (0..partitions).map(|number| Partition::new(topic, number)).collect();
    let committed = lookup.committed(group, &partitions)?;
    let offsets = committed.into_iter().map(|committed| committed.map_or(0, |committed| committed.offset));
    Ok(partitions.into_iter().zip(offsets).collect())
}
