//! The audit: what the desk believes to be pending or still loaded, read from its changelog when the desk has gone home.
//!
//! The changelog is the desk's whole memory: a worker that takes over knows nothing else. So this is what any
//! of them would go on with, independent of what the workers have said about themselves.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use uuid::Uuid;

use super::biller::{is_at_end, until_done, whole};
use super::coupons::Holding;
use crate::core::desk::Change;
use crate::core::desk::buyer::Buyer;
use crate::core::desk::buyer::history::Outcome;
use crate::core::desk::card::Card;
use crate::log::{Error, Kind, Log, Partition};

/// The purchases and coupons without an end, as the desk knows them.
#[derive(Debug, Clone, Default)]
pub struct Audit {
    /// Waiting for their confirmation.
    pub pending: BTreeSet<Uuid>,
    /// Confirmed by the buyer, and handed on to the stock, whose answer the account has not heard. If the
    /// stock has answered, the purchase has an end; else it has none.
    pub submitted: BTreeSet<Uuid>,
    /// Coupons that wait for their payment.
    pub loaded: BTreeMap<Holding, u64>,
}

impl Audit {
    /// Reads a changelog of so many partitions.
    ///
    /// # Errors
    /// If it cannot be read to the end within a time, or holds something else.
    pub fn of(log: &dyn Log, changelog: &str, partitions: u32, within: Duration) -> Result<Audit, Error> {
        let partitions: Vec<Partition> = (0..partitions).map(|n| Partition::new(changelog, n)).collect();
        let (mut reader, mut lookup) = (whole(log, &partitions)?, log.lookup()?);
        let mut buyers: HashMap<Vec<u8>, Box<Buyer>> = HashMap::new();
        let mut cards: HashMap<Vec<u8>, Card> = HashMap::new();
        let mut corrupt = None;
        until_done(changelog, within, || {
            reader.poll(Duration::from_millis(20), &mut |message| {
                let key = message.key.unwrap_or_default();
                match message.value.map(Change::decode) {
                    None => drop((buyers.remove(key), cards.remove(key))),
                    Some(Ok(Change::Account(buyer))) => drop(buyers.insert(key.to_vec(), buyer)),
                    Some(Ok(Change::Card { card, .. })) => drop(cards.insert(key.to_vec(), card)),
                    Some(Ok(_)) => {}
                    Some(Err(error)) => {
                        corrupt =
                            Some(format!("{changelog}/{}@{}: {error}", message.partition, message.offset));
                    }
                }
            })?;
            is_at_end(&*reader, &partitions, &mut *lookup)
        })?;
        match corrupt {
            Some(corrupt) => Err(Error::new(Kind::Fatal, corrupt)),
            None => {
                let audit = buyers.into_values().fold(Audit::default(), Audit::with);
                Ok(cards.values().fold(audit, Audit::with_card))
            }
        }
    }

    fn with_card(mut self, card: &Card) -> Audit {
        for (account, offer_id) in card.loaded() {
            *self.loaded.entry((account, offer_id.to_owned())).or_default() += 1;
        }
        self
    }

    fn with(mut self, buyer: Box<Buyer>) -> Audit {
        self.pending.extend(buyer.pendings.iter().map(|pending| pending.purchase_id));
        let past = buyer.history.past.iter();
        let submitted = past.filter(|past| matches!(past.outcome, Outcome::Submitted { .. }));
        self.submitted.extend(submitted.map(|past| past.purchase_id));
        self
    }
}
