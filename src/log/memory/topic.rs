//! Topics and what can be set for each.

use std::collections::BTreeMap;
use std::time::Duration;

use super::partition::{Body, PartitionLog};
use crate::core::time::Time;
use crate::log::{Error, Kind, NewRecord};

/// Whose clock stamps the records of a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timestamps {
    /// `LogAppendTime`: the log's, when a record is appended.
    Append,
    /// `CreateTime`: the producer's, when a record is sent.
    Create,
}

/// What becomes of old records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cleanup {
    /// They stay, but for what is trimmed.
    Keep,
    /// They go once they are so old, at the next append to their partition.
    Delete(Duration),
    /// [`MemoryLog::compact`](super::MemoryLog::compact) leaves the newest of each key. Every record
    /// needs a key.
    Compact,
}

/// The settings of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicSettings {
    /// How many partitions, at least 1.
    pub partitions: u32,
    /// Whose clock.
    pub timestamps: Timestamps,
    /// What becomes of old records.
    pub cleanup: Cleanup,
}

impl TopicSettings {
    /// So many partitions, stamped by the log, nothing is forgotten.
    pub fn new(partitions: u32) -> TopicSettings {
        TopicSettings { partitions, timestamps: Timestamps::Append, cleanup: Cleanup::Keep }
    }

    /// The settings as Kafka names them.
    pub(super) fn in_kafkas_words(&self) -> BTreeMap<String, String> {
        let timestamps = match self.timestamps {
            Timestamps::Append => "LogAppendTime",
            Timestamps::Create => "CreateTime",
        };
        let (policy, retention) = match self.cleanup {
            Cleanup::Keep => ("delete", "-1".to_owned()),
            Cleanup::Delete(age) => ("delete", age.as_millis().to_string()),
            Cleanup::Compact => ("compact", "-1".to_owned()),
        };
        let settings = [
            ("cleanup.policy", policy.to_owned()),
            ("retention.ms", retention),
            ("message.timestamp.type", timestamps.to_owned()),
        ];
        settings.map(|(name, value)| (name.to_owned(), value)).into()
    }
}

#[derive(Debug)]
pub(super) struct Topic {
    pub settings: TopicSettings,
    pub partitions: Vec<PartitionLog>,
}

impl Topic {
    pub fn new(settings: TopicSettings) -> Topic {
        let mut topic = Topic { settings, partitions: Vec::new() };
        topic.grow(topic.settings.partitions);
        topic
    }

    pub fn grow(&mut self, partitions: u32) {
        self.settings.partitions = partitions;
        self.partitions.resize_with(partitions as usize, PartitionLog::default);
    }

    /// Appends a record that was sent at `sent`.
    ///
    /// # Errors
    /// [`Kind::Fatal`] if the topic cannot take it.
    pub fn append(
        &mut self,
        record: NewRecord,
        sent: Time,
        now: Time,
        transaction: Option<u64>,
    ) -> Result<(), Error> {
        let NewRecord { partition, key, value, headers } = record;
        if self.settings.cleanup == Cleanup::Compact && key.is_none() {
            let what = format!("a record without a key for {partition}: a compacted topic needs keys");
            return Err(Error::new(Kind::Fatal, what));
        }
        let Some(log) = self.partitions.get_mut(partition.number as usize) else {
            return Err(Error::new(Kind::Fatal, format!("there is no partition {partition}")));
        };
        let appended = self.settings.timestamps == Timestamps::Append;
        let timestamp = if appended { now } else { sent };
        log.append(Body { timestamp, appended, key, value, headers }, transaction);
        if let Cleanup::Delete(age) = self.settings.cleanup {
            log.retain_since(now.minus(super::millis(age)));
        }
        Ok(())
    }
}
