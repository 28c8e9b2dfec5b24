//! Transactions, as their coordinator knows them.
//!
//! A transactional id has an *epoch* that rises with every producer that is made under it, and when a
//! transaction runs into its timeout; who comes with an older one is fenced.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::state::State;
use crate::core::time::Time;
use crate::log::{Committed, Error, Kind, NewRecord, Partition};

/// A transaction that has written something.
#[derive(Debug)]
struct Open {
    serial: u64,
    since: Time,
    partitions: BTreeSet<Partition>,
    /// With their group.
    offsets: Vec<(String, Partition, u64)>,
}

#[derive(Debug, Default)]
struct Id {
    epoch: u64,
    open: Option<Open>,
}

/// All transactional ids.
#[derive(Debug, Default)]
pub(super) struct Coordinator {
    ids: BTreeMap<String, Id>,
    /// The last serial number that was given to a transaction; some are left out.
    serials: u64,
}

impl Coordinator {
    fn current(&mut self, id: &str, epoch: u64) -> Result<&mut Id, Error> {
        match self.ids.get_mut(id) {
            Some(found) if found.epoch == epoch => Ok(found),
            _ => {
                let what =
                    format!("producer {id} was fenced: by a newer one, or by its transaction's timeout");
                Err(Error::new(Kind::Fenced, what))
            }
        }
    }

    fn open(&mut self, id: &str, epoch: u64, now: Time) -> Result<&mut Open, Error> {
        self.serials += 1;
        let fresh =
            Open { serial: self.serials, since: now, partitions: BTreeSet::new(), offsets: Vec::new() };
        Ok(self.current(id, epoch)?.open.get_or_insert(fresh))
    }

    /// Whether an open transaction has sent offsets of a group for one of these partitions.
    pub fn is_pending(&self, group: &str, partitions: &[Partition]) -> bool {
        let offsets = self.ids.values().filter_map(|id| id.open.as_ref()).flat_map(|open| &open.offsets);
        let mut of_group = offsets.filter(|(of, ..)| of == group);
        of_group.any(|(_, partition, _)| partitions.contains(partition))
    }
}

impl State {
    /// A new producer comes under an id. Returns its epoch.
    pub fn init_transactions(&mut self, id: &str) -> u64 {
        self.end_open(id, false);
        let found = self.coordinator.ids.entry(id.to_owned()).or_default();
        found.epoch += 1;
        found.epoch
    }

    /// Whether the producer is still the one.
    ///
    /// # Errors
    /// [`Kind::Fenced`].
    pub fn check_epoch(&mut self, id: &str, epoch: u64) -> Result<(), Error> {
        self.coordinator.current(id, epoch).map(|_| ())
    }

    /// Appends a record of a transaction.
    ///
    /// # Errors
    /// [`Kind::Fenced`]; those of an append.
    pub fn write(&mut self, id: &str, epoch: u64, record: NewRecord) -> Result<(), Error> {
        let open = self.coordinator.open(id, epoch, self.now)?;
        let serial = open.serial;
        open.partitions.insert(record.partition.clone());
        self.append(record, self.now, Some(serial))
    }

    /// Adds offsets of a group to a transaction.
    ///
    /// # Errors
    /// [`Kind::Fenced`].
    pub fn add_offsets(
        &mut self,
        id: &str,
        epoch: u64,
        group: &str,
        offsets: &[(Partition, u64)],
    ) -> Result<(), Error> {
        let open = self.coordinator.open(id, epoch, self.now)?;
        let offsets =
            offsets.iter().map(|(partition, offset)| (group.to_owned(), partition.clone(), *offset));
        open.offsets.extend(offsets);
        Ok(())
    }

    /// Ends the open transaction of a producer, if it has written anything.
    ///
    /// # Errors
    /// [`Kind::Fenced`].
    pub fn end_transaction(&mut self, id: &str, epoch: u64, committed: bool) -> Result<(), Error> {
        self.check_epoch(id, epoch)?;
        self.end_open(id, committed);
        Ok(())
    }

    /// Aborts what has been open for longer than `timeout`, and fences its producer.
    pub fn expire_transactions(&mut self, timeout: Duration) -> bool {
        let latest = self.now.minus(super::millis(timeout));
        let due = |id: &Id| id.open.as_ref().is_some_and(|open| open.since < latest);
        let expired: Vec<String> =
            self.coordinator.ids.iter().filter(|(_, id)| due(id)).map(|(name, _)| name.clone()).collect();
        for id in &expired {
            self.init_transactions(id);
        }
        !expired.is_empty()
    }

    fn end_open(&mut self, id: &str, committed: bool) {
        let Some(open) = self.coordinator.ids.get_mut(id).and_then(|id| id.open.take()) else { return };
        let now = self.now;
        for partition in &open.partitions {
            if let Some(log) = self.partition_mut(partition) {
                log.end_transaction(open.serial, committed, now);
            }
        }
        if committed {
            for (group, partition, offset) in open.offsets {
                let committed = Committed { offset, metadata: String::new() };
                self.groups.entry(group).or_default().offsets.insert(partition, committed);
            }
        }
    }
}
