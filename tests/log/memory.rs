//! The memory log under test, on a clock that is moved by hand: where nothing blocks, and where a poll
//! in vain waits a little.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use hashbuy::core::time::Time;
use hashbuy::log::memory::{
    Cleanup, Fault, MemoryLog, MemorySettings, Step, Timestamps, Tombstones, TopicSettings,
};
use hashbuy::log::{Kind, Log, Partition, Standing};

use crate::fixture::{Fixture, Stored, Topic};

pub struct Memory {
    log: MemoryLog,
    clock: Arc<AtomicI64>,
    wait: Duration,
}

impl Memory {
    pub fn simulated() -> Memory {
        Memory::new(Duration::ZERO)
    }

    pub fn waiting() -> Memory {
        Memory::new(Duration::from_micros(200))
    }

    fn new(wait: Duration) -> Memory {
        let clock = Arc::new(AtomicI64::new(1_360_756_800_000));
        let hand = Arc::clone(&clock);
        let time = Arc::new(move || Time::from_millis(hand.load(Ordering::SeqCst)));
        let settings = MemorySettings { blocks: !wait.is_zero(), ..MemorySettings::default() };
        Memory { log: MemoryLog::new(time, settings), clock, wait }
    }
}

impl Fixture for Memory {
    fn log(&self) -> &dyn Log {
        &self.log
    }

    fn name(&self, of: &str) -> String {
        of.to_owned()
    }

    fn create(&self, topic: &str, settings: Topic) {
        let Topic { partitions, append_time, compacted, max_bytes: _ } = settings;
        let timestamps = if append_time { Timestamps::Append } else { Timestamps::Create };
        let cleanup = if compacted { Cleanup::Compact } else { Cleanup::Keep };
        self.log.create_topic(topic, TopicSettings { partitions, timestamps, cleanup }).unwrap();
    }

    fn grow(&self, topic: &str, partitions: u32) {
        self.log.grow_topic(topic, partitions).unwrap();
    }

    fn trim(&self, partition: &Partition, offset: u64) {
        self.log.trim(partition, offset).unwrap();
    }

    fn compact(&self, topic: &str) {
        self.log.compact(topic, Tombstones::Keep).unwrap();
    }

    fn records(&self, topic: &str) -> Vec<Stored> {
        let stored = self.log.records(topic).unwrap().into_iter().map(|record| Stored {
            partition: record.partition,
            offset: record.offset,
            key: record.key,
            value: record.value,
            headers: record.headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        });
        stored.collect()
    }

    fn half_commit(&self, id: &str, _: &str, offsets: &[(Partition, u64)], standing: &Standing) {
        let mut transactions = self.log.transactions(id).unwrap();
        transactions.begin().unwrap();
        let stops = |step: Step<'_>| matches!(step, Step::Commit(_)).then_some(Fault::Refused(Kind::Unknown));
        self.log.set_faults(Some(Box::new(stops)));
        let error = transactions.commit(offsets, standing).unwrap_err();
        assert_eq!(error.kind, Kind::Unknown, "{error}");
        self.log.set_faults(None);
    }

    fn pass(&self, time: Duration) {
        self.clock.fetch_add(i64::try_from(time.as_millis()).unwrap(), Ordering::SeqCst);
    }

    fn wait(&self) -> Duration {
        self.wait
    }
}
