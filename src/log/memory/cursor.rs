//! Where readers stand, and fetching for them.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::partition::Body;
use super::state::State;
use crate::log::{Error, Isolation, Kind, Message, Partition};

/// Where one partition is read.
#[derive(Debug, Clone, Default)]
pub(super) struct Cursor {
    /// The next offset; none: the partition stands still.
    pub next: Option<u64>,
    /// Behind the last thing that was read.
    pub position: Option<u64>,
}

/// Records on their way to a reader, without the lock.
pub(super) type Batch = Vec<(Partition, u64, Arc<Body>)>;

/// The partitions of a reader.
#[derive(Debug, Default)]
pub(super) struct Cursors {
    pub by_partition: BTreeMap<Partition, Cursor>,
    /// Fetches so far: each begins with another partition, so that a full one starves no other.
    fetches: usize,
}

impl Cursors {
    /// Reads on, up to `most` records in all.
    ///
    /// # Errors
    /// [`Kind::OutOfRange`] or [`Kind::Fatal`] with the partition named; it stands still then.
    pub fn fetch(&mut self, state: &State, isolation: Isolation, most: usize) -> Result<Batch, Error> {
        let mut batch = Batch::new();
        let count = self.by_partition.len();
        let first = self.fetches.checked_rem(count).unwrap_or(0);
        let (early, late): (Vec<_>, Vec<_>) =
            self.by_partition.iter_mut().enumerate().partition(|(number, _)| *number < first);
        for (_, (partition, cursor)) in late.into_iter().chain(early) {
            let Some(from) = cursor.next else { continue };
            let room = most - batch.len();
            let taken = state.partition(partition).and_then(|log| {
                let take =
                    |offset, body: &Arc<Body>| batch.push((partition.clone(), offset, Arc::clone(body)));
                log.read(from, isolation, room, take).map_err(|there| out_of_range(partition, from, there))
            });
            match taken {
                Ok(next) => {
                    cursor.next = Some(next);
                    cursor.position = if next > from { Some(next) } else { cursor.position };
                }
                // What was taken is handed over first; a later fetch begins with this partition.
                Err(_) if !batch.is_empty() => break,
                Err(error) => {
                    cursor.next = None;
                    return Err(error);
                }
            }
        }
        if !batch.is_empty() {
            self.fetches += 1;
        }
        Ok(batch)
    }
}

fn out_of_range(partition: &Partition, from: u64, there: Range<u64>) -> Error {
    let Range { start, end } = there;
    Error::new(
        Kind::OutOfRange,
        format!("offset {from} of {partition} is not in the log, which has {start}..{end}"),
    )
}

/// Hands a batch over.
pub(super) fn hand_over(batch: &Batch, each: &mut dyn FnMut(Message<'_>)) {
    for (partition, offset, body) in batch {
        each(Message {
            topic: &partition.topic,
            partition: partition.number,
            offset: *offset,
            timestamp: body.timestamp,
            appended: body.appended,
            key: body.key.as_deref(),
            value: body.value.as_deref(),
        });
    }
}
