//! How far the feeders are behind, for whoever watches: a freeze or a payment that waits in its topic decides nothing.

use std::collections::BTreeMap;

use super::{Stop, Topics};
use crate::core::time::{SECOND, Time};
use crate::log::{Lookup, Partition};
use crate::metrics::Table;
use crate::worker::is_due;
use crate::worker::tables::bounds;

/// One of the tables is looked at in so long, in milliseconds: that of the accounts may have many partitions, and
/// meanwhile time stands.
const LOOK_EVERY: i64 = 3 * SECOND;

/// The topics that the feeders read, and how far they are.
#[derive(Debug)]
pub(super) struct Fed {
    topics: [(Table, String); 3],
    /// The group of the feeders.
    group: String,
    looked_at: Time,
    /// The one to look at next.
    next: usize,
    /// Records behind the last commits, by table.
    pub lags: BTreeMap<Table, u64>,
}

impl Fed {
    /// The tables among these topics, and the group that reads them.
    pub fn new(topics: &Topics, group: String) -> Fed {
        let topics = [
            (Table::Offers, topics.offers.clone()),
            (Table::Accounts, topics.accounts.clone()),
            (Table::CardTransactions, topics.card_transactions.clone()),
        ];
        Fed { topics, group, looked_at: Time::ZERO, next: 0, lags: BTreeMap::new() }
    }

    /// Looks at the next table, if it is time to.
    pub fn look(&mut self, lookup: &mut dyn Lookup, now: Time) -> Result<(), Stop> {
        if !is_due(now, self.looked_at, LOOK_EVERY) {
            return Ok(());
        }
        self.looked_at = now;
        let (table, topic) = &self.topics[self.next];
        self.next = (self.next + 1) % self.topics.len();
        let ends = bounds(lookup, topic)?;
        let partitions: Vec<Partition> = ends.iter().map(|(partition, ..)| partition.clone()).collect();
        let committed = lookup.committed(&self.group, &partitions)?;
        let behind = ends.iter().zip(committed).map(|((_, first, end), committed)| {
            end.saturating_sub(committed.map_or(*first, |committed| committed.offset.max(*first)))
        });
        self.lags.insert(*table, behind.sum());
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::log::memory::{MemoryLog, MemorySettings, TopicSettings};
    use crate::log::{Committed, Isolation, Log as _, Membership, NewRecord};

    #[test]
    fn what_is_not_committed_is_behind() {
        let settings = MemorySettings { blocks: false, ..MemorySettings::default() };
        let log = MemoryLog::new(Arc::new(|| Time::from_millis(1_000_000)), settings);
        let topics = Topics::default();
        for topic in [&topics.offers, &topics.accounts, &topics.card_transactions] {
            log.create_topic(topic, TopicSettings::new(2)).unwrap();
        }
        let mut producer = log.producer().unwrap();
        let at = |number| Partition::new(topics.accounts.as_str(), number);
        for number in [0, 0, 0, 1] {
            let record = NewRecord { partition: at(number), key: None, value: None, headers: Vec::new() };
            producer.send(record).unwrap();
        }
        let mut fed = Fed::new(&topics, "g".to_owned());
        let mut lookup = log.lookup().unwrap();
        let mut seconds = 0;
        let mut lags = |fed: &mut Fed| {
            for _ in 0..9 {
                seconds += 1;
                fed.look(&mut *lookup, Time::from_millis(seconds * SECOND)).unwrap();
            }
            std::mem::take(&mut fed.lags).into_values().collect::<Vec<u64>>()
        };
        assert_eq!(lags(&mut fed), [0, 4, 0], "offers, accounts, card transactions");

        let mut member = log
            .member(&Membership {
                group: "g".to_owned(),
                topics: vec![topics.accounts.clone()],
                instance: None,
                isolation: Isolation::Committed,
            })
            .unwrap();
        member.poll(Duration::ZERO, &mut |_| {}).unwrap();
        let committed = Committed { offset: 2, metadata: String::new() };
        member.commit(&[(at(0), committed)]).unwrap();
        assert_eq!(lags(&mut fed), [0, 2, 0]);
    }
}
