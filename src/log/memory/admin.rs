//! What an operator does with a cluster, and looking into the log.

use super::MemoryLog;
use super::fault::Faults;
use super::topic::{Cleanup, Topic, TopicSettings};
use crate::core::time::Time;
use crate::log::{Committed, Error, Isolation, Kind, Partition};

/// Whether a compaction keeps the tombstones, which say that a key has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tombstones {
    /// As a cluster does for a day.
    Keep,
    /// As a cluster does behind that.
    Drop,
}

/// A committed record with everything that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The number of its partition.
    pub partition: u32,
    /// Its offset.
    pub offset: u64,
    /// Whose time it is, says the topic's setting.
    pub timestamp: Time,
    /// Its key.
    pub key: Option<Vec<u8>>,
    /// Its value; none: a tombstone.
    pub value: Option<Vec<u8>>,
    /// Names and values, in their order.
    pub headers: Vec<(&'static str, Vec<u8>)>,
}

fn no_topic(name: &str) -> Error {
    Error::new(Kind::Fatal, format!("there is no topic {name}: create it first"))
}

impl MemoryLog {
    /// Makes a topic; groups that read it meet again.
    ///
    /// # Errors
    /// [`Kind::Fatal`] if there is one of this name already, or it is to have no partition.
    pub fn create_topic(&self, name: &str, settings: TopicSettings) -> Result<(), Error> {
        if settings.partitions == 0 {
            return Err(Error::new(Kind::Fatal, format!("topic {name} needs at least 1 partition")));
        }
        self.shared.change(|state| {
            if state.topics.contains_key(name) {
                return Err(Error::new(
                    Kind::Fatal,
                    format!("there is a topic {name} already: delete it first"),
                ));
            }
            state.topics.insert(name.to_owned(), Topic::new(settings));
            state.rebalance(name);
            Ok(())
        })
    }

    /// Gives a topic more partitions; groups that read it meet again.
    ///
    /// # Errors
    /// [`Kind::Fatal`] if there is no such topic, or it has as many already.
    pub fn grow_topic(&self, name: &str, partitions: u32) -> Result<(), Error> {
        self.shared.change(|state| {
            let topic = state.topics.get_mut(name).ok_or_else(|| no_topic(name))?;
            let present = topic.settings.partitions;
            if partitions <= present {
                let what =
                    format!("topic {name} has {present} partitions, it cannot be grown to {partitions}");
                return Err(Error::new(Kind::Fatal, what));
            }
            topic.grow(partitions);
            state.rebalance(name);
            Ok(())
        })
    }

    /// Deletes a topic with all that groups have committed for it. One that is made anew under the
    /// same name begins at offset 0.
    ///
    /// # Errors
    /// [`Kind::Fatal`] if there is no such topic.
    pub fn delete_topic(&self, name: &str) -> Result<(), Error> {
        self.shared.change(|state| {
            state.topics.remove(name).ok_or_else(|| no_topic(name))?;
            for group in state.groups.values_mut() {
                group.offsets.retain(|partition, _| &*partition.topic != name);
            }
            state.rebalance(name);
            Ok(())
        })
    }

    /// Forgets the records of a partition below an offset, as retention does.
    ///
    /// # Errors
    /// [`Kind::Fatal`] if there is no such partition.
    pub fn trim(&self, partition: &Partition, offset: u64) -> Result<(), Error> {
        self.shared.change(|state| {
            state.partition(partition)?;
            if let Some(log) = state.partition_mut(partition) {
                log.trim(offset);
            }
            Ok(())
        })
    }

    /// Leaves of each key of a topic the newest record below the last stable offset. Offsets stay as
    /// they are, with gaps.
    ///
    /// # Errors
    /// [`Kind::Fatal`] if there is no such topic, or it is not one of [`Cleanup::Compact`].
    pub fn compact(&self, name: &str, tombstones: Tombstones) -> Result<(), Error> {
        self.shared.change(|state| {
            let topic = state.topics.get_mut(name).ok_or_else(|| no_topic(name))?;
            if topic.settings.cleanup != Cleanup::Compact {
                let what = format!("topic {name} is not compacted: create it with Cleanup::Compact");
                return Err(Error::new(Kind::Fatal, what));
            }
            for log in &mut topic.partitions {
                log.compact(tombstones == Tombstones::Drop);
            }
            Ok(())
        })
    }

    /// Forgets all that a group has committed, as a cluster does when nobody has been in it for long.
    pub fn forget_offsets(&self, group: &str) {
        self.shared.change(|state| {
            if let Some(group) = state.groups.get_mut(group) {
                group.offsets.clear();
            }
        });
    }

    /// Sets what a group has committed of a partition, without metadata, as an operator does while nobody is in
    /// it.
    pub fn set_offset(&self, group: &str, partition: Partition, offset: u64) {
        self.shared.change(|state| {
            let group = state.groups.entry(group.to_owned()).or_default();
            group.offsets.insert(partition, Committed { offset, metadata: String::new() });
        });
    }

    /// Asks this hook before each step what goes wrong with it; none: nothing goes wrong any more.
    pub fn set_faults(&self, faults: Option<Faults>) {
        self.shared.look(|state| state.faults = faults);
    }

    /// All committed records of a topic, partition by partition.
    ///
    /// # Errors
    /// [`Kind::Fatal`] if there is no such topic.
    pub fn records(&self, name: &str) -> Result<Vec<Record>, Error> {
        self.shared.look(|state| {
            let topic = state.topics.get(name).ok_or_else(|| no_topic(name))?;
            let mut records = Vec::new();
            for (partition, log) in (0..).zip(&topic.partitions) {
                let read = log.read(log.start(), Isolation::Committed, usize::MAX, |offset, body| {
                    records.push(Record {
                        partition,
                        offset,
                        timestamp: body.timestamp,
                        key: body.key.clone(),
                        value: body.value.clone(),
                        headers: body.headers.clone(),
                    });
                });
                debug_assert!(read.is_ok(), "the start of a log is in the log");
            }
            Ok(records)
        })
    }
}
