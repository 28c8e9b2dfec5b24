//! Sets a consumer to an offset, and finds out what an offset is that is not there.

use std::thread;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::RDKafkaErrorCode as Code;
use rdkafka::{Offset, TopicPartitionList};

use super::lookup::watermarks;
use super::partitions;
use crate::log::{Error, Kind, Partition};

/// How long a question to the brokers may take.
pub(super) const ASK_WAIT: Duration = Duration::from_secs(10);

/// How long after an assignment librdkafka may still be busy with the partition's past.
const SETTLE: Duration = Duration::from_secs(1);

/// Reads assigned partitions on from the offsets of the list. What was fetched before is thrown away,
/// and so is the position of before.
///
/// # Errors
/// [`NotStarted`] if a partition is not being fetched: an offset that is not in the log has stopped it.
/// [`Kind::Retry`] otherwise.
pub(super) fn seek<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    list: &TopicPartitionList,
) -> Result<Result<(), NotStarted>, Error> {
    let begun = Instant::now();
    loop {
        let left = ASK_WAIT.saturating_sub(begun.elapsed());
        let sought = consumer
            .seek_partitions(list.clone(), left)
            .map_err(|error| Error::new(Kind::Retry, format!("{list:?} cannot be sought: {error}")))?;
        let Some(code) = sought.elements().iter().find_map(|element| element.error().err()) else {
            return Ok(Ok(()));
        };
        match code.rdkafka_error_code() {
            // Just assigned; or the partition is still being stopped where it was.
            Some(Code::State | Code::PreviousInProgress) if begun.elapsed() < SETTLE => {
                thread::sleep(Duration::from_millis(2));
            }
            Some(Code::State | Code::PreviousInProgress) => return Ok(Err(NotStarted)),
            _ => return Err(Error::new(Kind::Retry, format!("{list:?} cannot be sought: {code}"))),
        }
    }
}

/// A partition is assigned and not fetched.
#[derive(Debug)]
pub(super) struct NotStarted;

/// The offset behind the last thing that was read, control records included, as librdkafka knows it.
pub(super) fn position<C: ConsumerContext>(consumer: &BaseConsumer<C>, partition: &Partition) -> Option<u64> {
    let positions = consumer.position().ok()?;
    let number = partitions::number(partition).ok()?;
    match positions.find_partition(&partition.topic, number)?.offset() {
        Offset::Offset(offset) => u64::try_from(offset).ok(),
        _ => None,
    }
}

/// An offset that is not in the log, which reaches from `low` to `high`.
pub(super) fn absent(partition: &Partition, offset: u64, low: u64, high: u64) -> Error {
    let what = format!("{partition}: offset {offset} is not in the log, which reaches from {low} to {high}");
    Error::new(Kind::OutOfRange, what)
}

/// The partition whose offset is not in the log. librdkafka says only that there is one.
///
/// None if there is none among them: what librdkafka means was assigned and not yet started, so its
/// offset means nothing.
pub(super) fn out_of_range<'p, C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    running: impl Iterator<Item = (&'p Partition, u64)>,
) -> Option<Error> {
    let (mut below, mut beyond, mut unknown) = (None, None, None);
    for (partition, next) in running {
        match watermarks(consumer, partition) {
            Ok((low, high)) if next < low => below = Some(absent(partition, next, low, high)),
            // For a reader of what is committed this is the last stable offset. One that is just behind it
            // may be innocent, so it is accused only if nobody else is.
            Ok((low, high)) if next > high => beyond = Some(absent(partition, next, low, high)),
            Ok(_) => {}
            Err(error) => {
                unknown = Some(Error::new(Kind::OutOfRange, format!("perhaps of {partition}: {error}")))
            }
        }
    }
    below.or(beyond).or(unknown)
}
