//! Between our partitions and offsets and librdkafka's lists of them.

use rdkafka::{Offset, TopicPartitionList};

use crate::log::{Committed, Error, Kind, Partition};

/// Partitions with the offset to read from, or to commit.
///
/// # Errors
/// [`Kind::Fatal`] for what Kafka has no such topic, partition or offset for.
pub(super) fn list<'p>(
    partitions: impl IntoIterator<Item = (&'p Partition, u64)>,
) -> Result<TopicPartitionList, Error> {
    let mut list = TopicPartitionList::new();
    for (partition, offset) in partitions {
        let (number, offset) = numbers(partition, offset)?;
        list.add_partition_offset(&partition.topic, number, offset)
            .map_err(|error| impossible(partition, error))?;
    }
    Ok(list)
}

/// Partitions with the offset and the metadata to commit.
///
/// # Errors
/// As [`list`].
pub(super) fn list_to_commit(offsets: &[(Partition, Committed)]) -> Result<TopicPartitionList, Error> {
    let mut list = TopicPartitionList::new();
    for (partition, committed) in offsets {
        let (number, offset) = numbers(partition, committed.offset)?;
        let mut element = list.add_partition(&partition.topic, number);
        element.set_offset(offset).map_err(|error| impossible(partition, error))?;
        element.set_metadata(&committed.metadata);
    }
    Ok(list)
}

/// The partitions of a list, whatever their offsets.
pub(super) fn partitions(list: &TopicPartitionList) -> Vec<Partition> {
    let mut partitions: Vec<Partition> = list
        .elements()
        .iter()
        .filter_map(|element| Some(Partition::new(element.topic(), u32::try_from(element.partition()).ok()?)))
        .collect();
    partitions.sort();
    partitions
}

/// The number of a partition, as librdkafka wants it.
///
/// # Errors
/// As [`list`].
pub(super) fn number(partition: &Partition) -> Result<i32, Error> {
    numbers(partition, 0).map(|(number, _)| number)
}

fn numbers(partition: &Partition, offset: u64) -> Result<(i32, Offset), Error> {
    if partition.topic.contains('\0') {
        return Err(impossible(partition, "a topic's name has no zero byte"));
    }
    let number = i32::try_from(partition.number).map_err(|error| impossible(partition, error))?;
    let offset = i64::try_from(offset).map_err(|error| impossible(partition, error))?;
    Ok((number, Offset::Offset(offset)))
}

fn impossible(partition: &Partition, why: impl std::fmt::Display) -> Error {
    Error::new(Kind::Fatal, format!("{partition}: {why}"))
}
