//! The second stage: inbox record -> effects. Every cent is decided here.
//!
//! A [`Desk`] holds the entities of one inbox partition. [`Desk::step`] takes one record of the inbox
//! and says what it leads to; nothing is performed here. Between two transactions of the worker the
//! steps pile up in an overlay, which [`Desk::commit`] folds in and [`Desk::abort`] drops.
//!
//! Time is an argument: desk time comes with the marks, the time of the append with each record, and
//! the worker's clock is read once at the start of a transaction and handed in.

mod account_record;
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod any;
pub mod buyer;
pub mod card;
mod changelog;
mod packed;
pub mod pending;
mod pool;
mod state;
mod stock;
mod turn;
pub mod wheel;

use std::convert::Infallible;
use std::sync::Arc;

use uuid::Uuid;

pub use self::changelog::{Change, Partition, SoldOut, Told, Units};
pub use self::pending::{Pending, Pendings};
use self::state::State;
pub use self::stock::Stock;
use self::turn::Turn;
pub use self::turn::{Effects, LONGEST_WINDOW, OFFER_TAG_AGE, Output};
use self::wheel::{Due, Next};
use super::code::Secret;
use super::event::Cause;
use super::ids::AccountId;
use super::inbox::{Corrupt, Inbox, Sighting, Version};
use super::settings::Shared;
use super::tally::Counted;
use super::time::Time;

/// Purchases that lapse, or coupons that expire, in one transaction at most: to decide on them and write them takes
/// 1.5 ms on average, and nobody else is heard meanwhile.
pub const MAX_LAPSED: usize = 100;
/// Purchases that are cancelled with their offer in one transaction at most: to find them all accounts are looked at.
pub const MAX_CANCELLED: usize = 1_000;
/// Accounts, or cards, that are pruned in one step at most.
const MAX_PRUNED: usize = 500;
/// Deadlines that are looked at in one step at most: of most of them nothing is pending any more.
const MAX_LOOKED: usize = 4_000;
/// Timers that are moved in one step at most, about a millisecond's work when there are very many.
const MAX_MOVED: usize = 10_000;

/// The entities of one inbox partition.
#[derive(Debug)]
pub struct Desk {
    secret: Secret,
    state: State,
}

/// Whether a record has been dealt with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a record with more to do has to be handed in again"]
pub enum Progress {
    /// All of it.
    Done,
    /// [`MAX_LAPSED`] or [`MAX_CANCELLED`] purchases have ended in the open transaction, or as much was looked at,
    /// moved or thrown away on the way there: commit, with the input offset before this record, and hand it in
    /// again. Nothing need have changed but the partition's record. How often it is `More` hangs on what else was in
    /// the transaction and on restores; what comes of all the times together does not.
    More,
}

/// A record that needs settings, before the first mark has brought any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no mark has brought settings yet: the record has to wait for the first one")]
pub struct NoSettings;

impl Desk {
    /// An empty desk, that waits for its first mark. The secret is the key of the codes.
    pub fn new(secret: Secret) -> Desk {
        Desk { secret, state: State::default() }
    }

    /// The same for one of so many partitions, with the version of the records that it writes to its changelog.
    pub fn in_layout(secret: Secret, version: Version, partitions: u32) -> Desk {
        let mut desk = Desk::new(secret);
        desk.state.lay_out(version, partitions);
        desk
    }

    /// The committed pendings, to be read by anybody at any time.
    pub fn pendings(&self) -> Arc<Pendings> {
        Arc::clone(self.state.pendings())
    }

    /// Desk time, settings, sold-out offers, as the open transaction sees them.
    pub fn partition(&self) -> &Partition {
        self.state.partition()
    }

    /// What the open transaction writes to the changelog, in the order of the keys: the entities that
    /// have changed (`None`: gone), and the partition with the first inbox offset that is not read.
    pub fn changes(&mut self, offset: u64) -> Vec<(String, Option<Vec<u8>>)> {
        let mut changes = Vec::new();
        let written = self.write_changes(offset, |key, value| {
            changes.push((key.to_owned(), value.map(<[u8]>::to_vec)));
            Ok::<(), Infallible>(())
        });
        match written {
            Ok(()) => changes,
        }
    }

    /// The same, one after the other, until `write` has an error.
    ///
    /// # Errors
    /// That one.
    pub fn write_changes<E>(
        &mut self,
        offset: u64,
        write: impl FnMut(&str, Option<&[u8]>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.state.write_changes(offset, write)
    }

    /// What is sold of each offer that this partition knows something of, as it is committed.
    pub fn units(&self) -> Vec<Units> {
        self.state.units()
    }

    /// The same of those offers that the open transaction has changed.
    pub fn changed_units(&self) -> Vec<Units> {
        self.state.changed_units()
    }

    /// Makes the steps since the last commit or abort a part of the state.
    pub fn commit(&mut self) {
        self.state.commit();
    }

    /// Undoes the steps since the last commit or abort.
    pub fn abort(&mut self) {
        self.state.abort();
    }

    /// Takes in one record of the changelog, in the order in which they were written. Returns the
    /// offset from which the inbox goes on, when the record was the partition's.
    ///
    /// # Errors
    /// [`Corrupt`].
    pub fn restore(&mut self, key: &str, value: Option<&[u8]>) -> Result<Option<u64>, Corrupt> {
        self.state.restore(key, value)
    }

    /// Handles one record of the inbox. `log_time` is when it was appended, `now` the worker's clock
    /// at the start of the transaction; together with the records they are all that is decided on
    /// (I7).
    ///
    /// # Errors
    /// [`NoSettings`], for anything but a mark on a desk that has not seen one.
    pub fn step(
        &mut self,
        record: &Inbox,
        log_time: Time,
        now: Time,
        effects: &mut Effects,
    ) -> Result<Progress, NoSettings> {
        if let Inbox::Mark { time, settings } = record {
            if self.adopt(settings) {
                effects.count(Counted::SettingsDiffer);
            }
            let partition = self.state.partition();
            if *time > partition.desk_time {
                self.state.partition_mut().desk_time = *time;
            }
        }
        let Partition { desk_time, settings, .. } = self.state.partition().clone();
        let settings = settings.ok_or(NoSettings)?;
        let told = match record {
            Inbox::Sighting(sighting) => self.told(sighting),
            _ => Vec::new(),
        };
        let mut deadlines = Vec::new();
        let mut turn = Turn {
            settings: &settings,
            secret: &self.secret,
            desk_time,
            log_time,
            now,
            told: &told,
            effects,
            deadlines: &mut deadlines,
        };
        let state = &mut self.state;
        match record {
            Inbox::Mark { .. } => return Ok(time_passes(state, &mut turn)),
            Inbox::Withdrawn { offer_id, position } if state.told(offer_id).is_newer_than(*position) => {}
            Inbox::Withdrawn { offer_id, .. } => return Ok(withdraw(state, offer_id, &mut turn)),
            Inbox::Sighting(sighting) => {
                state.buyer(sighting.account).sighting(sighting, &mut turn);
                for due in deadlines {
                    state.add_deadline(due, sighting.account);
                }
            }
            Inbox::Deletion { account, tweet_id } => state.buyer(*account).deletion(*tweet_id, &mut turn),
            Inbox::Account { account_id, position, account } => {
                state.buyer(*account_id).record(*position, account.clone(), &mut turn);
            }
            Inbox::Answer { account, purchase_id, confirmed } => {
                state.buyer(*account).answer(*purchase_id, *confirmed, &mut turn);
            }
            Inbox::Offer { offer } => state.stock(&offer.offer_id).record(offer, &mut turn),
            Inbox::Submitted(confirmation) => {
                state.stock(&confirmation.offer.offer_id).submitted(confirmation, &mut turn);
            }
            Inbox::Sold { offer_id } => state.stock(offer_id).sold(offer_id, &mut turn),
            Inbox::Load(load) => {
                let time = state.partition().transaction_time;
                state.card(&load.card_token, |card| {
                    card.load(load, time, &mut turn);
                    // Its time may have been over before it came.
                    card.pass(time, &mut turn)
                });
            }
            Inbox::NotLoaded(load) => state.buyer(load.account).not_loaded(load, &mut turn),
            Inbox::Standing { card_token, account, active } => {
                state.card(card_token, |card| card.standing(*account, *active));
            }
            Inbox::Transaction(transaction) => {
                state.card(&transaction.card_token, |card| card.transaction(transaction, &mut turn));
            }
            Inbox::Progress { time } => {
                let partition = state.partition();
                if *time > partition.transaction_time {
                    state.partition_mut().transaction_time = *time;
                }
                return Ok(cards_pass(state, &mut turn));
            }
            Inbox::SoldOut { offer_id, version, sold } => {
                let news = SoldOut { version: *version, sold: *sold };
                let told = &mut state.told_mut(offer_id).sold_out;
                *told = Some(told.map_or(news, |held| held.max(news)));
            }
            Inbox::Ends { offer_id, position, .. } if state.told(offer_id).is_newer_than(*position) => {}
            Inbox::Ends { offer_id, ends_at, position } => {
                let told = state.told_mut(offer_id);
                (told.ends_at, told.position) = (Some(*ends_at), told.position.max(*position));
            }
        }
        Ok(Progress::Done)
    }

    /// Settings for the records before the first mark, from that mark. Nothing else of it counts yet.
    pub fn begin_with(&mut self, settings: Shared) {
        let _ = self.adopt(&settings);
    }

    /// What is known of the offers in a sighting.
    fn told<'s>(&self, sighting: &'s Sighting) -> Vec<(&'s str, Told)> {
        let ids = sighting.offers.iter().map(|seen| seen.offer.offer_id.as_str());
        ids.map(|offer_id| (offer_id, self.state.told(offer_id))).collect()
    }

    /// The settings with the highest revision win. True if these and those that were held have one revision
    /// and are not the same.
    fn adopt(&mut self, settings: &Shared) -> bool {
        let (newer, differ) = match &self.state.partition().settings {
            None => (true, false),
            Some(held) if held == settings => (false, false),
            Some(held) => (settings.goes_over(held), settings.revision == held.revision),
        };
        if newer {
            self.state.partition_mut().settings = Some(settings.clone());
        }
        differ
    }
}

/// Fires the lapses that are due, in the order (deadline, purchase id), and then throws away what can
/// matter no more.
fn time_passes(state: &mut State, turn: &mut Turn<'_>) -> Progress {
    let until = Due::last_of(turn.desk_time.minus(turn.settings.slack_ms));
    let mut moves = MAX_MOVED;
    for _ in 0..MAX_LOOKED {
        let (due, ids) = match state.due(until, &mut moves) {
            Next::Item(due, ids) => (due, ids),
            Next::More => return Progress::More,
            Next::Nothing => return prune(state, &mut moves),
        };
        let mut ends: Vec<(Uuid, AccountId)> = Vec::with_capacity(ids.len());
        for id in ids {
            let pendings = state.pendings_of(id);
            let lapsing = pendings.iter().filter(|pending| pending.due() == due);
            ends.extend(lapsing.map(|pending| (pending.purchase_id, id)));
        }
        ends.sort_unstable();
        for (purchase_id, id) in ends {
            if *state.ended() >= MAX_LAPSED {
                return Progress::More;
            }
            *state.ended() += 1;
            state.buyer(id).lapse(purchase_id, turn);
        }
        state.lapsed(due);
    }
    Progress::More
}

/// Throws away what can matter no more of the accounts whose time for it has come.
fn prune(state: &mut State, moves: &mut usize) -> Progress {
    for _ in 0..MAX_PRUNED {
        match state.prune_one(moves) {
            Next::Item(..) => {}
            Next::More => return Progress::More,
            Next::Nothing => return Progress::Done,
        }
    }
    Progress::More
}

/// Lets coupons expire whose time has come by the transactions' own time, and forgets what can matter no more.
fn cards_pass(state: &mut State, turn: &mut Turn<'_>) -> Progress {
    let until = state.partition().transaction_time;
    for _ in 0..MAX_PRUNED {
        let Some((time, token)) = state.next_card(until) else { return Progress::Done };
        if *state.ended() >= MAX_LAPSED {
            return Progress::More;
        }
        *state.ended() += state.card(&token, |card| card.pass(time, turn));
    }
    Progress::More
}

/// Cancels what is pending of an offer.
fn withdraw(state: &mut State, offer_id: &str, turn: &mut Turn<'_>) -> Progress {
    let is_it = |pending: &Pending| pending.offer.offer_id == offer_id;
    for id in state.accounts_with(offer_id) {
        let most = MAX_CANCELLED - *state.ended();
        *state.ended() += state.buyer(id).cancel(Cause::Withdrawn, is_it, most, turn);
        if state.pendings_of(id).iter().any(is_it) {
            return Progress::More;
        }
    }
    Progress::Done
}
