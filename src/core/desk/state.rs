//! The state of one inbox partition: what is committed, and the overlay of the open transaction.
//!
//! State = base + overlay. A step reads through the overlay and writes into it; [`State::commit`]
//! folds it in, [`State::abort`] drops it, and then it is as if the steps had never been.

mod cards;
mod changes;
mod units;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use self::cards::{Cards, OpenCards};
use super::account_record::{Accounts, Texts};
use super::buyer::Buyer;
use super::card::Card;
use super::changelog::{Change, Partition, Told};
use super::packed::{Packed, as_it_was, pack_account, unpack_account};
use super::pending::{Pending, Pendings};
use super::stock::Stock;
use super::turn::horizon;
use super::wheel::{Due, Next, Wheel};
use crate::core::by_account::ByAccount;
use crate::core::ids::AccountId;
use crate::core::inbox::{Corrupt, Version};
use crate::core::time::{DAY, Time};
use crate::core::transaction::CardToken;

/// A linked or remembered account at rest, without its pendings.
#[derive(Debug)]
struct AtRest {
    packed: Packed,
    /// When the wheel comes by to prune; [`NEVER`] if it does not.
    prune_at: Time,
}

/// As good as never.
const NEVER: Time = Time::MAX;

/// The state of one inbox partition.
#[derive(Debug, Default)]
pub(super) struct State {
    partition: Partition,
    buyers: ByAccount<AtRest>,
    pendings: Arc<Pendings>,
    stocks: HashMap<String, Stock>,
    cards: Cards,
    told: HashMap<String, Told>,
    lapses: Wheel<AccountId>,
    prunes: Wheel<AccountId>,
    open: Open,
    layout: Layout,
    /// What [`State::restore`] reads with, until there is something to commit.
    accounts: Accounts,
    /// What [`State::write_changes`] writes offers with.
    texts: Texts,
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
    /// Boxed: they are large, and a map moves what is in it.
    buyers: BTreeMap<AccountId, Box<Buyer>>,
    stocks: BTreeMap<String, Stock>,
    cards: OpenCards,
    told: BTreeMap<String, Told>,
    /// Deadlines that are due or new: taken from the wheel, or not yet in it.
    lapses: BTreeSet<(Due, AccountId)>,
    /// What was taken from the wheels, to be put back by an abort.
    taken_lapses: Vec<(Due, AccountId)>,
    taken_prunes: Vec<(Due, AccountId)>,
    /// Lapses, cancellations and expired coupons so far.
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
        let base = || Box::new(committed(&self.buyers, &self.pendings, id));
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
    pub fn add_deadline(&mut self, due: Due, id: AccountId) {
        self.open.lapses.insert((due, id));
    }

    /// What is due first, and not after `until`: the accounts that may have a pending that lapses then. They
    /// stay due until [`State::lapsed`] says otherwise. `moves` as with [`Wheel::take_due`].
    pub fn due(&mut self, until: Due, moves: &mut usize) -> Next<Vec<AccountId>> {
        loop {
            // Of the wheel only what is not after the overlay's first.
            let until = self.earliest_open().map_or(until, |first| first.min(until));
            match self.lapses.take_due(until, moves) {
                Next::Item(due, id) => {
                    self.open.lapses.insert((due, id));
                    self.open.taken_lapses.push((due, id));
                }
                Next::More => return Next::More,
                Next::Nothing => break,
            }
        }
        let Some(first) = self.earliest_open().filter(|due| *due <= until) else { return Next::Nothing };
        let at_once = self.open.lapses.iter().take_while(|(due, _)| *due == first);
        Next::Item(first, at_once.map(|(_, id)| *id).collect())
    }

    fn earliest_open(&self) -> Option<Due> {
        self.open.lapses.first().map(|(due, _)| *due)
    }

    /// Nothing that is due then is pending any more.
    pub fn lapsed(&mut self, due: Due) {
        while self.earliest_open() == Some(due) {
            self.open.lapses.pop_first();
        }
    }

    /// Prunes the next account whose time for it has come.
    pub fn prune_one(&mut self, moves: &mut usize) -> Next<AccountId> {
        // What ends at a time is still of use at that time.
        let until = Due::last_of(self.partition().desk_time.minus(1));
        let next = self.prunes.take_due(until, moves);
        if let Next::Item(due, id) = next {
            self.open.taken_prunes.push((due, id));
            // A nearer one may have taken its place meanwhile.
            if self.buyers.get(id).is_some_and(|at_rest| at_rest.prune_at == due.at()) {
                self.buyer(id);
            }
        }
        next
    }

    fn horizon(&self) -> i64 {
        self.partition().settings.as_ref().map_or(0, |settings| horizon(settings))
    }

    /// Folds the overlay in.
    pub fn commit(&mut self) {
        self.accounts = Accounts::default();
        let open = std::mem::take(&mut self.open);
        if let Some(partition) = open.partition {
            self.partition = partition;
        }
        for (due, id) in open.lapses {
            let is_pending = |buyer: &Buyer| buyer.pendings.iter().any(|pending| pending.due() == due);
            // An account that was not touched has its pending from an earlier transaction.
            if open.buyers.get(&id).is_none_or(|buyer| is_pending(buyer)) {
                self.lapses.insert(due, id);
            }
        }
        for (due, id) in open.taken_prunes {
            if let Some(at_rest) = self.buyers.get_mut(id)
                && at_rest.prune_at == due.at()
            {
                at_rest.prune_at = NEVER;
            }
        }
        for (_, buyer) in open.buyers {
            self.rest(*buyer);
        }
        self.stocks.extend(open.stocks);
        self.cards.commit(open.cards);
        self.told.extend(open.told);
    }

    /// Drops the overlay.
    pub fn abort(&mut self) {
        let open = std::mem::take(&mut self.open);
        for (due, id) in open.taken_lapses {
            self.lapses.insert(due, id);
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
            value.filter(|_| key.starts_with("account/")).and_then(|value| self.accounts.buyer(value))
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
            Some(Change::Card { card_token, card }) => self.cards.put(card_token, card),
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
                } else if let Some(token) = key.strip_prefix("card/") {
                    self.cards.put(CardToken::new(token), Card::default());
                }
            }
        }
        Ok(None)
    }

    /// Stores an account entity as it was committed by another desk.
    fn take_back(&mut self, buyer: Buyer) {
        for pending in &buyer.pendings {
            if self.lapses.is_empty() {
                self.lapses.begin_near(pending.due());
            }
            self.lapses.insert(pending.due(), buyer.id);
        }
        self.rest(buyer);
    }

    /// Stores an account entity, and asks the wheel to come by when there is something to prune.
    fn rest(&mut self, buyer: Buyer) {
        let horizon = self.horizon();
        let id = buyer.id;
        self.pendings.set(id, &buyer.pendings);
        if buyer.is_empty() {
            self.buyers.remove(id);
            return;
        }
        let mut prune_at = self.buyers.get(id).map_or(NEVER, |at_rest| at_rest.prune_at);
        // No further ahead than a day: one that is nearer leaves it in the wheel, and there shall not be ever more of
        // them as long as an offer lasts.
        let farthest = match self.partition.desk_time {
            // A restore does not know it yet: then all would be looked at with the first mark.
            Time::ZERO => NEVER,
            desk_time => desk_time.plus(DAY),
        };
        if let Some(wanted) = buyer.history.next_prune(horizon).map(|wanted| wanted.min(farthest))
            && wanted < prune_at
        {
            self.prunes.insert(Due::new(wanted, prune_rank(id)), id);
            prune_at = wanted;
        }
        self.buyers.insert(id, AtRest { packed: pack_account(&buyer), prune_at });
    }
}

/// An account entity as it is committed.
fn committed(buyers: &ByAccount<AtRest>, pendings: &Pendings, id: AccountId) -> Buyer {
    match buyers.get(id) {
        Some(at_rest) => {
            Buyer { pendings: pendings.of(id), ..as_it_was(unpack_account(id, &at_rest.packed)) }
        }
        None => Buyer::stranger(id),
    }
}

/// In which order accounts of one millisecond are pruned is of no account: it only keeps them apart.
fn prune_rank(id: AccountId) -> u16 {
    (id.get().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48) as u16
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests;
