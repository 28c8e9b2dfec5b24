//! What the partitions of a state have in common, when their number changes.
//!
//! An account, a stock or a card stands in one partition, and goes to the one that its key has among the new number.
//! Four things stand in every partition, and have to become one, which every new partition gets:
//!
//! | what | becomes | why that is right |
//! | --- | --- | --- |
//! | desk time | the greatest | A mark says of the *whole* inbox that every tweet up to its time is in there. Before a state is moved everything in the inbox was decided on, in all partitions. So what the greatest mark says is true for each of them, whether or not they had read it: nothing lapses wrongly. A lesser one would be wrong: an account whose partition had the greatest has forgotten what was a horizon behind it, and would take an old copy of a tweet for a new one. |
//! | time of the card transactions | the greatest | for the same reason |
//! | settings | those with the highest revision | as the desk does with marks |
//! | what was told of an offer (`told/<id>`) | the later of each | All partitions are told the same, and have been told everything; where a feeder was killed in between it tells all of them again. Until then a later end keeps counters for longer, which hurts nobody, and of two accounts of what is sold the greater is the newer one. |

use std::collections::BTreeMap;

use crate::core::desk::{Change, Partition, Told};
use crate::core::settings::Shared;
use crate::core::time::Time;

/// What all partitions have in common.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Common {
    /// The greatest desk time.
    pub desk_time: Time,
    /// The greatest time of the card transactions.
    pub transaction_time: Time,
    /// The settings in force.
    pub settings: Option<Shared>,
    /// What is known of offers.
    pub told: BTreeMap<String, Told>,
}

impl Common {
    /// Takes a record in. True if it was one of those that all partitions have, false if it is an entity.
    pub fn take(&mut self, change: &Change) -> bool {
        match change {
            Change::Account(_) | Change::Offer { .. } | Change::Card { .. } => return false,
            Change::Import => {}
            Change::Partition { partition, .. } => self.take_partition(partition),
            Change::Told { offer_id, told } => {
                let held = self.told.entry(offer_id.clone()).or_default();
                held.sold_out = held.sold_out.max(told.sold_out);
                held.ends_at = held.ends_at.max(told.ends_at);
                held.position = held.position.max(told.position);
            }
        }
        true
    }

    fn take_partition(&mut self, partition: &Partition) {
        self.desk_time = self.desk_time.max(partition.desk_time);
        self.transaction_time = self.transaction_time.max(partition.transaction_time);
        let Some(settings) = &partition.settings else { return };
        if self.settings.as_ref().is_none_or(|held| settings.goes_over(held)) {
            self.settings = Some(settings.clone());
        }
    }

    /// The record of one of so many partitions, whose inbox begins at an offset.
    pub fn partition(&self, offset: u64, partitions: u32) -> Change {
        let Common { desk_time, transaction_time, settings, .. } = self.clone();
        Change::Partition {
            offset,
            partition: Partition { desk_time, settings, transaction_time, partitions: Some(partitions) },
        }
    }

    /// The records of what is known of offers, with their keys.
    pub fn told(&self) -> impl Iterator<Item = (String, Change)> + '_ {
        self.told.iter().map(|(offer_id, told)| {
            (format!("told/{offer_id}"), Change::Told { offer_id: offer_id.clone(), told: *told })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::desk::SoldOut;
    use crate::core::settings::Settings;

    fn partition(seconds: i64, revision: u64) -> Change {
        let settings = Some(Settings { revision, ..Settings::default() }.into());
        let desk_time = Time::from_millis(seconds * 1_000);
        Change::Partition {
            offset: 1,
            partition: Partition { desk_time, settings, partitions: Some(2), ..Partition::default() },
        }
    }

    fn told(sold: u64, ends_at: Option<i64>) -> Change {
        let sold_out = Some(SoldOut { version: 1, sold });
        let told = Told { sold_out, ends_at: ends_at.map(Time::from_millis), position: None };
        Change::Told { offer_id: "pot".into(), told }
    }

    #[test]
    fn time_does_not_go_back_and_the_highest_revision_is_in_force_in_whatever_order() {
        let (earlier, later) = (partition(10, 5), partition(20, 4));
        for order in [[&earlier, &later], [&later, &earlier]] {
            let mut common = Common::default();
            assert!(order.iter().all(|change| common.take(change)));
            let Change::Partition { offset, partition } = common.partition(9, 3) else { panic!() };
            assert_eq!((offset, partition.partitions), (9, Some(3)));
            assert_eq!(partition.desk_time, Time::from_millis(20_000));
            assert_eq!(partition.settings.unwrap().revision, 5);
        }
    }

    #[test]
    fn what_was_told_of_an_offer_is_told_to_all() {
        let mut common = Common::default();
        for change in [told(7, None), told(6, Some(3)), told(7, Some(2))] {
            assert!(common.take(&change));
        }
        let records: Vec<(String, Change)> = common.told().collect();
        assert_eq!(records, [("told/pot".to_owned(), told(7, Some(3)))]);
    }
}
