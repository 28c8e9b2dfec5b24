//! Writes a load's records to a topic in Kafka, as fast as one core can.

use std::time::{Duration, Instant};

use crate::log::kafka::{BulkWriter, Codec, KafkaLog};
use crate::log::{Error, Kind, Log as _};

/// Bytes that go to one partition before the next has its turn: about a batch, as a connector that reads much
/// would write them.
const RUN: usize = 950_000;
/// How long [`Writer::flush`] waits without any record becoming safe; well above the minute after which a record
/// has failed.
const STANDSTILL: Duration = Duration::from_secs(90);
/// Between two looks whether something has become safe.
const LOOK: Duration = Duration::from_millis(100);

/// Writes records without keys to all partitions of a topic, in runs of one partition after the other. Nothing is
/// lost silently: a record that was sent is safe when [`Writer::flush`] says so.
pub struct Writer {
    bulk: BulkWriter,
    topic: String,
    partitions: u32,
    /// Whose turn it is, and for how many bytes more.
    partition: u32,
    left: usize,
    records: u64,
    bytes: u64,
}

impl Writer {
    /// A writer to an existing topic. A record waits up to `linger` for others: 5 ms are good for many, 0 for a
    /// few that are waited for.
    ///
    /// # Errors
    /// [`Kind::Fatal`] if there is no such topic, or a setting is wrong; [`Kind::Retry`] if no broker answers.
    pub fn new(log: &KafkaLog, topic: &str, codec: Codec, linger: Duration) -> Result<Writer, Error> {
        let partitions = log.lookup()?.partitions(topic)?.filter(|count| *count > 0).ok_or_else(|| {
            Error::new(Kind::Fatal, format!("topic {topic}: there is none; make it before it is written to"))
        })?;
        let bulk = log.bulk_writer(topic, codec, linger)?;
        Ok(Writer {
            bulk,
            topic: topic.to_owned(),
            partitions,
            partition: 0,
            left: RUN,
            records: 0,
            bytes: 0,
        })
    }

    /// Hands a record over, and waits where the queue is full.
    ///
    /// # Errors
    /// The first record that failed, this one or one before it, with its partition and what can be done. Then
    /// this writer is spent.
    pub fn send(&mut self, record: &[u8]) -> Result<(), Error> {
        if self.left < record.len() {
            self.next_partition();
        }
        self.left = self.left.saturating_sub(record.len());
        self.bulk.send(self.partition, record)?;
        self.records += 1;
        self.bytes += record.len() as u64;
        Ok(())
    }

    /// Goes on to the next partition before this one's run is over, as where so few records come that a run
    /// would take seconds.
    pub fn next_partition(&mut self) {
        self.partition = (self.partition + 1) % self.partitions;
        self.left = RUN;
    }

    /// Waits until every record is safe.
    ///
    /// # Errors
    /// As [`Writer::send`]; [`Kind::Retry`] if for 90 s not one more has become safe.
    pub fn flush(&mut self) -> Result<(), Error> {
        let (mut before, mut since) = (usize::MAX, Instant::now());
        loop {
            let outstanding = self.bulk.outstanding(LOOK)?;
            if outstanding == 0 {
                return Ok(());
            }
            if outstanding != before {
                (before, since) = (outstanding, Instant::now());
            } else if since.elapsed() > STANDSTILL {
                let what =
                    format!("{}: {outstanding} records are not acknowledged; see to the brokers", self.topic);
                return Err(Error::new(Kind::Retry, what));
            }
        }
    }

    /// Partitions of the topic.
    pub fn partitions(&self) -> u32 {
        self.partitions
    }

    /// Records that were handed over.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Their bytes, before compression.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}
