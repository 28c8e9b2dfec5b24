//! How far a group has read, and the room on the disk: what nobody reads any more goes.

use std::time::Duration;

use hashbuy::log::Partition;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use crate::broker::Broker;
use crate::world::World;

/// How long a question to the broker may take.
const ASK: Duration = Duration::from_secs(5);

/// A group of the service and the topic that it reads.
pub struct Group {
    consumer: BaseConsumer,
    topic: String,
    partitions: i32,
}

impl Group {
    pub fn new(world: &World, group: &str, topic: &str, partitions: u32) -> Group {
        let consumer = ClientConfig::new()
            .set("bootstrap.servers", &world.bootstrap)
            .set("group.id", format!("{}-{group}", world.app))
            // Otherwise it would wait for the end of open transactions, and so would everybody here.
            .set("isolation.level", "read_uncommitted")
            .create()
            .unwrap();
        let partitions = i32::try_from(partitions).unwrap();
        Group { consumer, topic: world.topic(topic), partitions }
    }

    /// What is committed of each partition; none where the broker does not answer.
    pub fn committed(&self) -> Option<Vec<(i32, Option<i64>)>> {
        let mut list = TopicPartitionList::new();
        for number in 0..self.partitions {
            list.add_partition(&self.topic, number);
        }
        let committed = self.consumer.committed_offsets(list, ASK).ok()?;
        let offset = |offset| match offset {
            Offset::Offset(offset) => Some(offset),
            _ => None,
        };
        Some(committed.elements().iter().map(|one| (one.partition(), offset(one.offset()))).collect())
    }

    /// The end of a partition, transactions that are open included.
    pub fn end(&self, topic: &str, number: i32) -> Option<i64> {
        Some(self.consumer.fetch_watermarks(topic, number, ASK).ok()?.1)
    }

    /// Records behind what is committed.
    pub fn lag(&self) -> Option<i64> {
        let mut lag = 0;
        for (number, committed) in self.committed()? {
            lag += self.end(&self.topic, number)? - committed.unwrap_or(0);
        }
        Some(lag)
    }

    /// Whether everything is read.
    pub fn is_done(&self) -> bool {
        self.lag() == Some(0)
    }
}

/// Removes what has been read from the firehose. Never anything else: a firehose that deletes by age or size would
/// lose tweets, and this one would hide it.
pub struct Janitor {
    scan: Group,
    /// What was committed when it came last.
    before: Vec<(i32, Option<i64>)>,
}

impl Janitor {
    pub fn new(scan: Group) -> Janitor {
        Janitor { scan, before: Vec::new() }
    }

    /// Removes what was committed the last time already.
    pub fn clean(&mut self, broker: &Broker) {
        for (number, offset) in &self.before {
            let Some(offset) = offset.and_then(|offset| u64::try_from(offset).ok()) else { continue };
            broker.trim(&Partition::new(self.scan.topic.as_str(), u32::try_from(*number).unwrap()), offset);
        }
        self.before = self.scan.committed().unwrap_or_default();
    }

    /// How far the scan is behind.
    pub fn lag(&self) -> Option<i64> {
        self.scan.lag()
    }
}
