//! What the open transaction writes to the changelog.

use super::super::account_record;
use super::super::buyer::Buyer;
use super::super::changelog::{Change, Partition};
use super::super::packed::pack_account;
use super::{Layout, State};
use crate::core::ids::AccountId;
use crate::core::inbox::encode_as;

impl State {
    /// What the open transaction writes to the changelog, in the order of the keys: the entities
    /// that have changed (`None`: gone), and the partition with the offset up to which it has read.
    pub fn write_changes<E>(
        &mut self,
        offset: u64,
        mut write: impl FnMut(&str, Option<&[u8]>) -> Result<(), E>,
    ) -> Result<(), E> {
        let Layout { version, partitions } = self.layout;
        let encode = |change: &Change| encode_as(version, change);
        let mut texts = std::mem::take(&mut self.texts);
        for (id, buyer) in &self.open.buyers {
            if !self.is_committed(*id, buyer) {
                let value = (!buyer.is_empty()).then(|| account_record::write(version, buyer, &mut texts));
                write(&format!("account/{id}"), value)?;
            }
        }
        self.texts = texts;
        for (key, change) in self.card_changes() {
            write(&key, change.as_ref().map(encode).as_deref())?;
        }
        for (offer_id, stock) in &self.open.stocks {
            if self.stocks.get(offer_id) != Some(stock) {
                let change = Change::Offer { offer_id: offer_id.clone(), stock: stock.clone() };
                write(&format!("offer/{offer_id}"), Some(&encode(&change)))?;
            }
        }
        for (offer_id, told) in &self.open.told {
            if self.told.get(offer_id) != Some(told) {
                let change = Change::Told { offer_id: offer_id.clone(), told: *told };
                write(&format!("told/{offer_id}"), Some(&encode(&change)))?;
            }
        }
        let partition = self.partition();
        let partitions = partitions.or(partition.partitions);
        let partition =
            Change::Partition { offset, partition: Partition { partitions, ..partition.clone() } };
        write(Change::PARTITION, Some(&encode(&partition)))
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
