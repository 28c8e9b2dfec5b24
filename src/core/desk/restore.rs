//! Reads an account's record of the changelog, quickly: a million purchases may be pending, and nothing is
//! decided before they are back.
//!
//! What takes the time is the offer in each pending, as long as all the rest and mostly the same as in the
//! pending before. So offers are taken for texts first, and only one that was not seen yet is read; all
//! pendings of an offer then share it in memory, too. The other half is not to copy each record into a tree
//! of values, as serde does to find out which kind of entity it is: the key says that already.
//!
//! Nothing hangs on this way: what is not exactly a record of an account goes the usual one, which knows what
//! is wrong with it.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::buyer::Buyer;
use super::buyer::history::History;
use super::pending::Pending;
use crate::core::account::Account;
use crate::core::ids::AccountId;
use crate::core::inbox::{Position, Version};
use crate::core::offer::Offer;

/// The offers that were read so far, by their JSON.
#[derive(Debug, Default)]
pub(super) struct Offers(HashMap<Box<str>, Arc<Offer>>);

/// [`Change::Account`](super::Change::Account) as it is written: the fields of [`Buyer`] beside version and kind.
#[derive(Deserialize)]
struct Record<'r> {
    v: u32,
    #[serde(rename = "entity")]
    _entity: Entity,
    id: AccountId,
    #[serde(default)]
    account: Option<Arc<Account>>,
    #[serde(default)]
    position: Option<Position>,
    #[serde(default, borrow)]
    pendings: Vec<Pending<&'r RawValue>>,
    #[serde(default)]
    history: History,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Entity {
    Account,
}

impl Offers {
    /// Reads the record of an account; nothing if it is none that this release writes.
    pub fn buyer(&mut self, record: &[u8]) -> Option<Buyer> {
        let record: Record<'_> = serde_json::from_slice(record).ok()?;
        Version::new(record.v)?;
        let Record { id, account, position, pendings, history, .. } = record;
        let pendings = pendings.into_iter().map(|pending| pending.with_offer(|offer| self.offer(offer)));
        Some(Buyer { id, account, position, pendings: pendings.collect::<Option<_>>()?, history })
    }

    fn offer(&mut self, json: &RawValue) -> Option<Arc<Offer>> {
        let json = json.get();
        if let Some(offer) = self.0.get(json) {
            return Some(Arc::clone(offer));
        }
        let offer: Arc<Offer> = serde_json::from_str(json).ok()?;
        self.0.insert(json.into(), Arc::clone(&offer));
        Some(offer)
    }
}
