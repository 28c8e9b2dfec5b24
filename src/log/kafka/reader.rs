//! Reads given partitions, outside of any group.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::{ClientContext, Offset};

use super::error::{for_good, lacking};
use super::held::Held;
use super::left_until;
use super::lookup::partition_count;
use super::partitions::list;
use super::seek::{self, NotStarted};
use super::settings::Settings;
use crate::log::right::Resource;
use crate::log::{Error, Isolation, Kind, Message, Partition, Reader};

/// The most messages that one poll hands over.
const BATCH: usize = 1_000;

/// A consumer that is told what to read.
pub(super) type Alone = BaseConsumer<Quiet>;

/// The callbacks of a consumer that is in no group: none.
#[derive(Debug)]
pub(super) struct Quiet;

impl ClientContext for Quiet {
    fn error(&self, _: KafkaError, _: &str) {} // poll returns it too
}

impl ConsumerContext for Quiet {}

pub(super) struct KafkaReader {
    consumer: Alone,
    held: Held,
    later: Option<Error>,
}

impl KafkaReader {
    pub(super) fn new(settings: &Settings, isolation: Isolation) -> Result<KafkaReader, Error> {
        let consumer = settings
            .reader(isolation)
            .create_with_context(Quiet)
            .map_err(|error| Error::new(Kind::Fatal, format!("a reader cannot be made: {error}")))?;
        Ok(KafkaReader { consumer, held: Held::default(), later: None })
    }

    /// Asks for the metadata of the topics, which makes the assigning quick, and refuses what is not there.
    fn check(&self, from: &[(Partition, u64)]) -> Result<(), Error> {
        let mut counts = BTreeMap::new();
        for (partition, _) in from {
            let count = match counts.get(&partition.topic) {
                Some(count) => *count,
                None => {
                    let count = partition_count(&self.consumer, &partition.topic)?.unwrap_or(0);
                    counts.insert(partition.topic.clone(), count);
                    count
                }
            };
            if partition.number >= count {
                let what = format!("there is no partition {partition}: the topic has {count}");
                return Err(Error::new(Kind::Fatal, what));
            }
        }
        Ok(())
    }

    fn trouble(&self, error: &KafkaError) -> Option<Error> {
        match error {
            KafkaError::MessageConsumption(Code::AutoOffsetReset | Code::OffsetOutOfRange) => {
                seek::out_of_range(&self.consumer, self.held.running())
            }
            // Its group has a name only because librdkafka wants one: nobody needs a right to that.
            KafkaError::MessageConsumption(Code::GroupAuthorizationFailed) => None,
            KafkaError::MessageConsumptionFatal(_) => {
                Some(Error::new(Kind::Fatal, format!("a reader: {error}")))
            }
            KafkaError::MessageConsumption(code) if for_good(*code) => {
                let topics: Vec<String> =
                    self.held.running().map(|(partition, _)| partition.to_string()).collect();
                let told = Error::new(Kind::Fatal, format!("a reader of {}: {error}", topics.join(", ")));
                let mut read: Vec<&str> =
                    self.held.running().map(|(partition, _)| &*partition.topic).collect();
                read.dedup();
                Some(lacking(told, Some(*code), "Read", Resource::Topic, &read.join(" or ")))
            }
            _ => None,
        }
    }
}

impl Reader for KafkaReader {
    fn assign(&mut self, from: &[(Partition, u64)]) -> Result<(), Error> {
        self.check(from)?;
        let failed =
            |error: KafkaError| Error::new(Kind::Retry, format!("a reader cannot be assigned: {error}"));
        self.later = None;
        self.held = Held::default();
        let list = list(from.iter().map(|(partition, offset)| (partition, *offset)))?;
        if from.is_empty() {
            return self.consumer.unassign().map_err(failed);
        }
        self.consumer.assign(&list).map_err(failed)?;
        // A partition that was read before keeps its old position until it is being fetched anew, and
        // whoever compares that with a watermark would believe that all was read. A seek throws it away.
        // One that an offset that is not in the log has stopped already will be told of by the next poll.
        let _: Result<(), NotStarted> = seek::seek(&self.consumer, &list)?;
        for (partition, offset) in from {
            self.held.add(partition.clone());
            self.held.set(partition, Some(*offset));
        }
        Ok(())
    }

    fn poll(&mut self, wait: Duration, each: &mut dyn FnMut(Message<'_>)) -> Result<usize, Error> {
        if let Some(error) = self.later.take() {
            return Err(error);
        }
        let deadline = Instant::now() + wait;
        let mut count = 0;
        while count < BATCH {
            let left = if count > 0 { Duration::ZERO } else { left_until(deadline) };
            match self.consumer.poll(left) {
                Some(Ok(message)) => match self.held.take(&message) {
                    Some(message) => {
                        each(message);
                        count += 1;
                    }
                    None if Instant::now() >= deadline => break,
                    None => {}
                },
                // Whoever reads up to the end wants to know that it may be there.
                Some(Err(KafkaError::PartitionEOF(_))) => break,
                Some(Err(error)) => match self.trouble(&error) {
                    Some(error) if count == 0 => return Err(error),
                    Some(error) => {
                        self.later = Some(error);
                        break;
                    }
                    None if Instant::now() >= deadline => break,
                    None => {}
                },
                None if left.is_zero() => break,
                None => {}
            }
        }
        Ok(count)
    }

    fn position(&self, partition: &Partition) -> Option<u64> {
        let progress = self.held.progress(partition)?;
        Some(progress.next).max(seek::position(&self.consumer, partition))
    }
}

/// The offset of an element of a list, if it is one.
pub(super) fn absolute(offset: Offset) -> Option<u64> {
    match offset {
        Offset::Offset(offset) => u64::try_from(offset).ok(),
        _ => None,
    }
}
