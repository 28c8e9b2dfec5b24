//! Sets a consumer to an offset, and finds out what an offset is that is not there.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::RDKafkaErrorCode as Code;
use rdkafka::{Offset, TopicPartitionList};

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

/// The partition whose offset is not in the log. librdkafka says only that there is one.
///
/// None if there is none among them: what librdkafka means was assigned and not yet started, so its
/// offset means nothing.
pub(super) fn out_of_range<'p, C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    running: impl Iterator<Item = (&'p Partition, u64)>,
) -> Option<Error> {
    let (mut below, mut beyond, mut unknown) = (Vec::new(), Vec::new(), Vec::new());
    for (partition, next) in running {
        let number = partitions::number(partition).ok()?;
        match consumer.fetch_watermarks(&partition.topic, number, ASK_WAIT) {
            Ok((low, _)) if low >= 0 && next < low.unsigned_abs() => {
                below.push(format!("{partition}: offset {next} is not in the log any more, which begins at {low}"));
            }
            // The last stable offset, for a reader of what is committed: one that is just beyond it may be
            // innocent, so it is accused only if nobody else is.
            Ok((_, high)) if high >= 0 && next > high.unsigned_abs() => {
                beyond.push(format!("{partition}: offset {next} is not in the log yet, which ends at {high}"));
            }
            Ok(_) => {}
            Err(error) => unknown.push(format!("{partition}: offset {next} may not be in the log: {error}")),
        }
    }
    let accused: BTreeSet<String> =
        [below, beyond, unknown].into_iter().find(|found| !found.is_empty())?.into_iter().collect();
    Some(Error::new(Kind::OutOfRange, Vec::from_iter(accused).join("; ")))
}
