//! What the open transaction writes to the changelog.

use super::super::buyer::Buyer;
use super::super::changelog::{Change, Partition};
use super::super::packed::pack_account;
use super::{Layout, State};
use crate::core::ids::AccountId;
use crate::core::inbox::encode_as;

impl State {
    /// What the open transaction writes to the changelog, in the order of the keys: the entities
    /// that have changed (`None`: gone), and the partition with the offset up to which it has read.
    pub fn changes(&self, offset: u64) -> Vec<(String, Option<Vec<u8>>)> {
        let mut changes = Vec::new();
        let Layout { version, partitions } = self.layout;
        let encode = |change: &Change| encode_as(version, change);
        for (id, buyer) in &self.open.buyers {
            if !self.is_committed(*id, buyer) {
                let gone = buyer.is_empty();
                let value = (!gone).then(|| encode(&Change::Account(Box::new(buyer.clone()))));
                changes.push((format!("account/{id}"), value));
            }
        }
        for (key, change) in self.card_changes() {
            changes.push((key, change.as_ref().map(encode)));
        }
        for (offer_id, stock) in &self.open.stocks {
            if self.stocks.get(offer_id) != Some(stock) {
                let change = Change::Offer { offer_id: offer_id.clone(), stock: stock.clone() };
                changes.push((format!("offer/{offer_id}"), Some(encode(&change))));
            }
        }
        for (offer_id, told) in &self.open.told {
            if self.told.get(offer_id) != Some(told) {
                let change = Change::Told { offer_id: offer_id.clone(), told: *told };
                changes.push((format!("told/{offer_id}"), Some(encode(&change))));
            }
        }
        let partition = self.partition();
        let partitions = partitions.or(partition.partitions);
        let partition =
            Change::Partition { offset, partition: Partition { partitions, ..partition.clone() } };
        changes.push((Change::PARTITION.to_owned(), Some(encode(&partition))));
        changes
    }

    /// Whether an account entity is as it is committed. What is at rest need not be unpacked for that: equal
    /// entities are equal when they are packed, too.
    fn is_committed(&self, id: AccountId, buyer: &Buyer) -> bool {
        match self.buyers.get(id) {
            Some(at_rest) => pack_account(buyer) == at_rest.packed && self.pendings.are(id, &buyer.pendings),
            None => *buyer == Buyer::stranger(id),
        }
    }
}
