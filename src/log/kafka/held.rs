//! The partitions that a consumer holds, and from where on their messages are wanted.

use rdkafka::message::{BorrowedMessage, Message as _, Timestamp};

use crate::core::time::Time;
use crate::log::{Message, Partition};

/// Partitions, in no order. There are tens of them at most, and messages come in runs of the same one.
#[derive(Debug, Default)]
pub(super) struct Held {
    all: Vec<One>,
    /// Where the last message belonged.
    last: usize,
    /// Whether nothing of another topic can come, so that no message need be asked for its own.
    one_topic: bool,
}

#[derive(Debug)]
struct One {
    partition: Partition,
    /// None while it stands still.
    progress: Option<Progress>,
}

/// How far a running partition was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Progress {
    /// The least offset that is still wanted.
    pub next: u64,
    /// Whether anything was read since it was started.
    pub read: bool,
}

impl Held {
    /// Nothing yet, of a consumer that reads one topic alone.
    pub(super) fn of_one_topic() -> Held {
        Held { one_topic: true, ..Held::default() }
    }

    /// Adds a partition, which stands still.
    pub(super) fn add(&mut self, partition: Partition) {
        if !self.contains(&partition) {
            self.all.push(One { partition, progress: None });
        }
    }

    pub(super) fn remove(&mut self, partition: &Partition) {
        self.all.retain(|one| one.partition != *partition);
    }

    pub(super) fn contains(&self, partition: &Partition) -> bool {
        self.all.iter().any(|one| one.partition == *partition)
    }

    /// Has a partition run from an offset on, or stand still.
    pub(super) fn set(&mut self, partition: &Partition, from: Option<u64>) {
        if let Some(one) = self.all.iter_mut().find(|one| one.partition == *partition) {
            one.progress = from.map(|next| Progress { next, read: false });
        }
    }

    /// How far a partition was read; none if it stands still or is not held.
    pub(super) fn progress(&self, partition: &Partition) -> Option<Progress> {
        self.all.iter().find(|one| one.partition == *partition)?.progress
    }

    /// All partitions, in order.
    pub(super) fn all(&self) -> Vec<Partition> {
        let mut all: Vec<Partition> = self.all.iter().map(|one| one.partition.clone()).collect();
        all.sort();
        all
    }

    /// The partitions that run, with the next offset of each.
    pub(super) fn running(&self) -> impl Iterator<Item = (&Partition, u64)> {
        self.all.iter().filter_map(|one| Some((&one.partition, one.progress?.next)))
    }

    /// The message, if it is wanted: its partition runs, and it is not from before where that began.
    pub(super) fn take<'m>(&'m mut self, message: &'m BorrowedMessage<'_>) -> Option<Message<'m>> {
        let topic = if self.one_topic { None } else { Some(message.topic()) };
        let partition = u32::try_from(message.partition()).ok()?;
        let offset = u64::try_from(message.offset()).ok()?;
        let one = self.at(topic, partition)?;
        if offset < one.progress?.next {
            return None;
        }
        one.progress = Some(Progress { next: offset + 1, read: true });
        let (millis, appended) = match message.timestamp() {
            Timestamp::NotAvailable => (0, false),
            Timestamp::CreateTime(millis) => (millis, false),
            Timestamp::LogAppendTime(millis) => (millis, true),
        };
        Some(Message {
            topic: &one.partition.topic,
            partition,
            offset,
            timestamp: Time::from_millis(millis),
            appended,
            key: message.key(),
            value: message.payload(),
        })
    }

    fn at(&mut self, topic: Option<&str>, number: u32) -> Option<&mut One> {
        let is_it = |one: &One| {
            one.partition.number == number && topic.is_none_or(|topic| *one.partition.topic == *topic)
        };
        if !self.all.get(self.last).is_some_and(is_it) {
            self.last = self.all.iter().position(is_it)?;
        }
        self.all.get_mut(self.last)
    }
}
