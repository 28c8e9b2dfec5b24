//! A [`Reader`] of the memory log.

use std::sync::Arc;
use std::time::Duration;

use super::cursor::{Cursor, Cursors, hand_over};
use super::state::Shared;
use crate::log::{Error, Isolation, Message, Partition, Reader};

#[derive(Debug)]
pub(super) struct MemoryReader {
    pub shared: Arc<Shared>,
    pub isolation: Isolation,
    pub cursors: Cursors,
}

impl Reader for MemoryReader {
    fn assign(&mut self, from: &[(Partition, u64)]) -> Result<(), Error> {
        self.shared.look(|state| {
            from.iter().try_for_each(|(partition, _)| state.partition(partition).map(|_| ()))
        })?;
        let cursor = |&offset| Cursor { next: Some(offset), position: Some(offset) };
        self.cursors = Cursors::default();
        self.cursors.by_partition =
            from.iter().map(|(partition, offset)| (partition.clone(), cursor(offset))).collect();
        Ok(())
    }

    fn poll(&mut self, wait: Duration, each: &mut dyn FnMut(Message<'_>)) -> Result<usize, Error> {
        let most = self.shared.settings.batch;
        let fetched = self.shared.wait(wait, |state| {
            let fetched = self.cursors.fetch(state, self.isolation, most);
            Some(fetched).filter(|fetched| fetched.as_ref().map_or(true, |batch| !batch.is_empty()))
        });
        let batch = fetched.transpose()?.unwrap_or_default();
        hand_over(&batch, each);
        Ok(batch.len())
    }

    fn position(&self, partition: &Partition) -> Option<u64> {
        self.cursors.by_partition.get(partition)?.position
    }
}
