//! A [`Lookup`] of the memory log.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::fault::Step;
use super::state::Shared;
use crate::log::{Committed, Error, Isolation, Lookup, Partition};

#[derive(Debug)]
pub(super) struct MemoryLookup {
    pub shared: Arc<Shared>,
}

impl Lookup for MemoryLookup {
    fn watermarks(&mut self, partition: &Partition, isolation: Isolation) -> Result<(u64, u64), Error> {
        self.shared.look(|state| {
            state.refused(Step::Watermarks(partition))?;
            let log = state.partition(partition)?;
            Ok((log.start(), log.end(isolation)))
        })
    }

    fn partitions(&mut self, topic: &str) -> Result<Option<u32>, Error> {
        Ok(self.shared.look(|state| state.topics.get(topic).map(|topic| topic.settings.partitions)))
    }

    fn settings(&mut self, topic: &str) -> Result<Option<BTreeMap<String, String>>, Error> {
        Ok(self.shared.look(|state| state.topics.get(topic).map(|topic| topic.settings.in_kafkas_words())))
    }

    fn committed(&mut self, group: &str, partitions: &[Partition]) -> Result<Vec<Option<Committed>>, Error> {
        self.shared.look(|state| state.committed(group, partitions))
    }
}
