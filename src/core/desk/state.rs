//! The state of one inbox partition: what is committed, and the overlay of the open transaction.
//!
//! State = base + overlay. A step reads through the overlay and writes into it; [`State::commit`]
//! folds it in, [`State::abort`] drops it, and then it is as if the steps had never been.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::buyer::Buyer;
use super::buyer::history::History;
use super::changelog::{Change, Partition, Told};
use super::pending::{Pending, Pendings};
use super::restore::Offers;
use super::stock::Stock;
use super::turn::horizon;
use super::wheel::Wheel;
use crate::core::account::Account;
use crate::core::ids::AccountId;
use crate::core::inbox::{Corrupt, Position, Version, encode_as};
use crate::core::time::Time;

/// A linked or remembered account at rest: most of them have no history, and cost no room for one.
#[derive(Debug)]
struct AtRest {
    account: Option<Arc<Account>>,
    position: Option<Position>,
    history: Option<Box<History>>,
    /// When the wheel comes by to prune.
    prune_at: Option<Time>,
}

/// The state of one inbox partition.
#[derive(Debug, Default)]
pub(super) struct State {
    partition: Partition,
    buyers: HashMap<AccountId, AtRest>,
    pendings: Arc<Pendings>,
    stocks: HashMap<String, Stock>,
    told: HashMap<String, Told>,
    lapses: Wheel<AccountId>,
    prunes: Wheel<AccountId>,
    open: Open,
    layout: Layout,
    /// Those that were read by [`State::restore`], until there is something to commit.
    offers: Offers,
}

/// How the changelog of a partition is written.
#[derive(Debug, Clone, Copy, Default)]
struct Layout {
    version: Version,
    /// Of how many this partition is one, if anybody has said so.
    partitions: Option<u32>,
}

/// The overlay of the open transaction.
#[derive(Debug, Default)]
struct Open {
    partition: Option<Partition>,
    buyers: BTreeMap<AccountId, Buyer>,
    stocks: BTreeMap<String, Stock>,
    told: BTreeMap<String, Told>,
    /// Deadlines that are due or new: taken from the wheel, or not yet in it.
    lapses: BTreeSet<(Time, AccountId)>,
    /// What was taken from the wheels, to be put back by an abort.
    taken_lapses: Vec<(Time, AccountId)>,
    taken_prunes: Vec<(Time, AccountId)>,
    /// Lapses and cancellations so far.
    pub ended: usize,
}

impl State {
    /// The partition as the open transaction sees it.
    pub fn partition(&self) -> &Partition {
        self.open.partition.as_ref().unwrap_or(&self.partition)
    }

    /// How the changelog is written from now on.
    pub fn lay_out(&mut self, version: Version, partitions: u32) {
        self.layout = Layout { version, partitions: Some(partitions) };
    }

    /// The partition, to be changed.
    pub fn partition_mut(&mut self) -> &mut Partition {
        self.open.partition.get_or_insert_with(|| self.partition.clone())
    }

    /// The committed pendings.
    pub fn pendings(&self) -> &Arc<Pendings> {
        &self.pendings
    }

    /// How many purchases have ended in bulk in the open transaction.
    pub fn ended(&mut self) -> &mut usize {
        &mut self.open.ended
    }

    /// An account entity, to be changed. What can matter no more is gone from it, at every access: the
    /// effects of a step may not depend on how long the transaction has been open.
    pub fn buyer(&mut self, id: AccountId) -> &mut Buyer {
        let (desk_time, horizon) = (self.partition().desk_time, self.horizon());
        let base = || committed(&self.buyers, &self.pendings, id);
        let buyer = self.open.buyers.entry(id).or_insert_with(base);
        let (open, told) = (&self.open.told, &self.told);
        let ends_at =
            |offer_id: &str| open.get(offer_id).or(told.get(offer_id)).and_then(|told| told.ends_at);
        buyer.history.prune(desk_time, horizon, ends_at);
        buyer
    }

    /// What this partition has been told of an offer.
    pub fn told(&self, offer_id: &str) -> Told {
        self.open.told.get(offer_id).or(self.told.get(offer_id)).copied().unwrap_or_default()
    }

    /// The same, to be changed.
    pub fn told_mut(&mut self, offer_id: &str) -> &mut Told {
        let told = self.told(offer_id);
        self.open.told.entry(offer_id.to_owned()).or_insert(told)
    }

    /// The stock of an offer, to be changed.
    pub fn stock(&mut self, offer_id: &str) -> &mut Stock {
        let base = &self.stocks;
        let fresh = || base.get(offer_id).cloned().unwrap_or_default();
        self.open.stocks.entry(offer_id.to_owned()).or_insert_with(fresh)
    }

    /// An account's pendings as the open transaction sees them.
    pub fn pendings_of(&self, id: AccountId) -> Vec<Pending> {
        match self.open.buyers.get(&id) {
            Some(buyer) => buyer.pendings.clone(),
            None => self.pendings.of(id),
        }
    }

    /// The accounts that have something of an offer pending, sorted.
    pub fn accounts_with(&self, offer_id: &str) -> BTreeSet<AccountId> {
        let has = |buyer: &Buyer| buyer.pendings.iter().any(|pending| pending.offer.offer_id == offer_id);
        let base = self.pendings.accounts_with(offer_id).into_iter();
        let mut accounts: BTreeSet<AccountId> =
            base.filter(|id| !self.open.buyers.contains_key(id)).collect();
        accounts.extend(self.open.buyers.values().filter(|buyer| has(buyer)).map(|buyer| buyer.id));
        accounts
    }

    /// Takes note of the deadline of a new pending.
    pub fn add_deadline(&mut self, deadline: Time, id: AccountId) {
        self.open.lapses.insert((deadline, id));
    }

    /// The earliest deadline that is not after `until`, with the accounts that may have a pending
    /// with it. They stay due until [`State::lapsed`] says otherwise.
    pub fn due(&mut self, until: Time) -> Option<(Time, Vec<AccountId>)> {
        // The overlay's first deadline may come from a slot of the wheel that was taken as a whole;
        // an earlier one can only be in the wheel if nothing was taken beyond it.
        if let Some((deadline, ids)) = self.lapses.take_due(self.earliest_open().unwrap_or(until).min(until))
        {
            for id in ids {
                self.open.lapses.insert((deadline, id));
                self.open.taken_lapses.push((deadline, id));
            }
        }
        let deadline = self.earliest_open().filter(|deadline| *deadline <= until)?;
        let at_once = self.open.lapses.iter().take_while(|(due, _)| *due == deadline);
        Some((deadline, at_once.map(|(_, id)| *id).collect()))
    }

    fn earliest_open(&self) -> Option<Time> {
        self.open.lapses.first().map(|(deadline, _)| *deadline)
    }

    /// Nothing with this deadline is pending any more.
    pub fn lapsed(&mut self, deadline: Time) {
        while self.earliest_open() == Some(deadline) {
            self.open.lapses.pop_first();
        }
    }

    /// Prunes the accounts whose time for it has come, those of one millisecond. False when there
    /// are none.
    pub fn prune_some(&mut self) -> bool {
        // What ends at a time is still of use at that time.
        let until = self.partition().desk_time.minus(1);
        let Some((due, ids)) = self.prunes.take_due(until) else { return false };
        for id in ids {
            self.open.taken_prunes.push((due, id));
            self.buyer(id);
        }
        true
    }

    fn horizon(&self) -> i64 {
        self.partition().settings.as_ref().map_or(0, |settings| horizon(settings))
    }

    /// What the open transaction writes to the changelog, in the order of the keys: the entities
    /// that have changed (`None`: gone), and the partition with the offset up to which it has read.
    pub fn changes(&self, offset: u64) -> Vec<(String, Option<Vec<u8>>)> {
        let mut changes = Vec::new();
        let Layout { version, partitions } = self.layout;
        let encode = |change: &Change| encode_as(version, change);
        for (id, buyer) in &self.open.buyers {
            let before = committed(&self.buyers, &self.pendings, *id);
            if *buyer != before {
                let gone = buyer.is_empty();
                let value = (!gone).then(|| encode(&Change::Account(Box::new(buyer.clone()))));
                changes.push((format!("account/{id}"), value));
            }
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

    /// Folds the overlay in.
    pub fn commit(&mut self) {
        self.offers = Offers::default();
        let open = std::mem::take(&mut self.open);
        if let Some(partition) = open.partition {
            self.partition = partition;
        }
        for (deadline, id) in open.lapses {
            let is_pending =
                |buyer: &Buyer| buyer.pendings.iter().any(|pending| pending.deadline == deadline);
            // An account that was not touched has its pending from an earlier transaction.
            if open.buyers.get(&id).is_none_or(is_pending) {
                self.lapses.insert(deadline, id);
            }
        }
        for (due, id) in open.taken_prunes {
            if let Some(at_rest) = self.buyers.get_mut(&id) {
                at_rest.prune_at = at_rest.prune_at.filter(|prune_at| *prune_at != due);
            }
        }
        for (_, buyer) in open.buyers {
            self.rest(buyer);
        }
        self.stocks.extend(open.stocks);
        self.told.extend(open.told);
    }

    /// Drops the overlay.
    pub fn abort(&mut self) {
        let open = std::mem::take(&mut self.open);
        for (deadline, id) in open.taken_lapses {
            self.lapses.insert(deadline, id);
        }
        for (due, id) in open.taken_prunes {
            self.prunes.insert(due, id);
        }
    }

    /// Takes in one record of the changelog. Later records of a key replace earlier ones.
    ///
    /// # Errors
    /// [`Corrupt`].
    pub fn restore(&mut self, key: &str, value: Option<&[u8]>) -> Result<Option<u64>, Corrupt> {
        if let Some(buyer) =
            value.filter(|_| key.starts_with("account/")).and_then(|value| self.offers.buyer(value))
        {
            self.take_back(buyer);
            return Ok(None);
        }
        let change = value.map(Change::decode).transpose()?;
        match change {
            Some(Change::Account(buyer)) => self.take_back(*buyer),
            Some(Change::Offer { offer_id, stock }) => {
                self.stocks.insert(offer_id, stock);
            }
            Some(Change::Told { offer_id, told }) => {
                self.told.insert(offer_id, told);
            }
            Some(Change::Partition { offset, partition }) => {
                self.partition = partition;
                return Ok(Some(offset));
            }
            Some(Change::Import) => {}
            None => {
                if let Some(id) = key.strip_prefix("account/").and_then(AccountId::parse) {
                    self.rest(Buyer::stranger(id));
                }
            }
        }
        Ok(None)
    }

    /// Stores an account entity as it was committed by another desk.
    fn take_back(&mut self, buyer: Buyer) {
        for pending in &buyer.pendings {
            self.lapses.insert(pending.deadline, buyer.id);
        }
        self.rest(buyer);
    }

    /// Stores an account entity, and asks the wheel to come by when there is something to prune.
    fn rest(&mut self, buyer: Buyer) {
        let horizon = self.horizon();
        let gone = buyer.is_empty();
        let Buyer { id, account, position, pendings, history } = buyer;
        self.pendings.set(id, pendings);
        if gone {
            self.buyers.remove(&id);
            return;
        }
        let mut prune_at = self.buyers.get(&id).and_then(|at_rest| at_rest.prune_at);
        if let Some(wanted) = history.next_prune(horizon)
            && prune_at.is_none_or(|planned| wanted < planned)
        {
            self.prunes.insert(wanted, id);
            prune_at = Some(wanted);
        }
        let history = (!history.is_empty()).then(|| Box::new(history));
        self.buyers.insert(id, AtRest { account, position, history, prune_at });
    }
}

/// An account entity as it is committed.
fn committed(buyers: &HashMap<AccountId, AtRest>, pendings: &Pendings, id: AccountId) -> Buyer {
    let Some(at_rest) = buyers.get(&id) else { return Buyer::stranger(id) };
    Buyer {
        id,
        account: at_rest.account.clone(),
        position: at_rest.position,
        pendings: pendings.of(id),
        history: at_rest.history.as_deref().cloned().unwrap_or_default(),
    }
}
