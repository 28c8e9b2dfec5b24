//! How much stands in the changelog beside what is alive.

use std::collections::HashMap;
use std::fmt;
use std::time::{Duration, Instant};

use hashbuy::core::desk::Change;
use hashbuy::log::{Isolation, Log as _, NewRecord, Partition, Producer};
use hashbuy::worker::Topics;

use crate::broker::{Broker, PARTITIONS};
use crate::writing::settle;

/// What stands in a compacted topic.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stand {
    /// Records that can be read, and the bytes of their keys and values.
    pub records: u64,
    pub bytes: u64,
    /// Records without a value.
    pub tombstones: u64,
    /// Keys whose last record has a value, and the bytes of these records.
    pub live_keys: u64,
    pub live_bytes: u64,
}

impl fmt::Display for Stand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        write!(
            f,
            "{} records ({:.1} MiB, {} of them tombstones) for {} live keys ({:.1} MiB)",
            self.records,
            mib(self.bytes),
            self.tombstones,
            self.live_keys,
            mib(self.live_bytes)
        )
    }
}

/// Reads all that is committed.
pub fn stand(broker: &Broker, topics: &Topics) -> Stand {
    let mut reader = broker.log.reader(Isolation::Committed).expect("a reader");
    let mut lookup = broker.log.lookup().expect("a lookup");
    let partitions: Vec<Partition> =
        (0..PARTITIONS).map(|number| Partition::new(topics.changelog.as_str(), number)).collect();
    let watermarks: Vec<(u64, u64)> = partitions
        .iter()
        .map(|partition| lookup.watermarks(partition, Isolation::Committed).expect("watermarks"))
        .collect();
    let from = partitions.iter().cloned().zip(watermarks.iter().map(|(from, _)| *from));
    reader.assign(&from.collect::<Vec<_>>()).expect("partitions");
    let mut stand = Stand::default();
    // The bytes of the last record of a key; none for a tombstone.
    let mut last: HashMap<(u32, Vec<u8>), Option<u64>> = HashMap::new();
    let is_read = |reader: &dyn hashbuy::log::Reader| {
        partitions.iter().zip(&watermarks).all(|(partition, (from, until))| {
            from >= until || reader.position(partition).is_some_and(|position| position >= *until)
        })
    };
    while !is_read(&*reader) {
        reader
            .poll(Duration::from_millis(100), &mut |message| {
                let key = message.key.unwrap_or_default();
                let bytes = (key.len() + message.value.map_or(0, <[u8]>::len)) as u64;
                stand.records += 1;
                stand.bytes += bytes;
                stand.tombstones += u64::from(message.value.is_none());
                last.insert((message.partition, key.to_vec()), message.value.map(|_| bytes));
            })
            .expect("records");
    }
    stand.live_keys = last.values().flatten().count() as u64;
    stand.live_bytes = last.values().flatten().sum();
    stand
}

/// Has the broker compact the changelog as far as it can, and puts its settings back. No desk is at work.
pub fn compact(broker: &Broker, topics: &Topics) -> Stand {
    broker.alter(topics, &[("segment.ms", "1000"), ("min.cleanable.dirty.ratio", "0.001")]);
    let mut producer = broker.log.producer().expect("a producer");
    let mut before = stand(broker, topics);
    let until = Instant::now() + Duration::from_secs(120);
    loop {
        roll(&mut *producer, topics);
        std::thread::sleep(Duration::from_secs(4));
        let now = stand(broker, topics);
        let is_clean = now.records <= now.live_keys + now.live_keys / 50;
        if is_clean || now.records == before.records || Instant::now() >= until {
            broker.alter(topics, &[]);
            return now;
        }
        before = now;
    }
}

/// A segment is closed when something is appended to it after its time: the end of an import that never was,
/// which means nothing to a restore.
fn roll(producer: &mut dyn Producer, topics: &Topics) {
    for number in 0..PARTITIONS {
        let partition = Partition::new(topics.changelog.as_str(), number);
        let (key, value) = (Some(Change::IMPORT.as_bytes().to_vec()), None);
        producer.send(NewRecord { partition, key, value, headers: Vec::new() }).expect("room in the queue");
    }
    settle(producer);
}
