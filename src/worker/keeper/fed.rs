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
