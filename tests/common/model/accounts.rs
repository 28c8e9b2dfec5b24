//! An account: everything that ever happened to it, and what records about it do. What its tweets
//! do is in `sightings`.

use std::collections::BTreeMap;

use hashbuy::core::account::{Account as AccountRecord, AccountStatus};
use hashbuy::core::inbox::Position;
use hashbuy::core::offer::Offer;

use super::loads::Passed;
use super::{Circumstances, DAY, Output, written};

/// Deletions that are remembered.
const DELETIONS: usize = 64;

#[derive(Default)]
pub struct Account {
    /// The record in force; none before it is linked and after it was unlinked.
    pub record: Option<AccountRecord>,
    /// Where the newest record stood, an unlinking too.
    position: Option<Position>,
    pub purchases: Vec<Purchase>,
    /// Coupons passed on to a card.
    pub passed: Vec<Passed>,
    /// Decided tweets: first id and tweet time.
    pub markers: Vec<(u64, i64)>,
    /// Ids of deletion notices, the newest last.
    pub deletions: Vec<u64>,
    /// Tweet times of wrong codes since the last lock.
    pub wrong_codes: Vec<i64>,
    /// The tweet times from which on codes were locked.
    pub locks: Vec<i64>,
    /// Tweet time of the last refusal with a reply.
    pub answered: Option<i64>,
}

/// A purchase, from its request to long after its end.
pub struct Purchase {
    pub id: String,
    /// Without sign and prefix.
    pub code: String,
    /// With sign and prefix, as it was issued.
    pub hashtag: String,
    /// The version of the request.
    pub offer: Offer,
    /// The first id of the chain of the offer tweet.
    pub first_tweet: u64,
    /// The version of the offer tweet that was seen.
    pub own_tweet: u64,
    pub issued_at: i64,
    pub deadline: i64,
    /// Whom replies about it address.
    pub to: Option<String>,
    /// Tweet time of the request or of the last reminder.
    pub reminded_at: i64,
    /// Tweet time of the code that confirmed it, or that was submitted.
    pub confirmed_at: i64,
    pub state: State,
    /// Desk time of its end.
    pub decided_at: i64,
    /// Its code is like anybody's.
    pub code_forgotten: bool,
    /// Its unit counts no more.
    pub unit_forgotten: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Pending,
    Submitted,
    Confirmed,
    Lapsed,
    Cancelled,
}

impl Account {
    /// A record of the table, or its end: an older one is ignored, and a copy changes nothing.
    pub fn recorded(
        &mut self,
        id: u64,
        position: Position,
        record: Option<&AccountRecord>,
        with: &Circumstances,
        out: &mut Vec<Output>,
    ) {
        if self.position.is_some_and(|held| position <= held) {
            return;
        }
        self.position = Some(position);
        let was_active = self.is_active();
        self.record = record.cloned();
        if self.is_active() != was_active {
            self.tell_cards(id, with.desk_time, out);
        }
        match record.map(|record| record.status) {
            Some(AccountStatus::Active) => {}
            Some(AccountStatus::Frozen) => self.cancel(id, "frozen", with, out, |_| true),
            None => self.cancel(id, "unlinked", with, out, |_| true),
        }
    }

    /// A notice that a tweet was deleted.
    pub fn deleted(&mut self, id: u64, tweet: u64, with: &Circumstances, out: &mut Vec<Output>) {
        if self.record.is_none() {
            return;
        }
        // open: a second notice of one deletion makes it no newer.
        if !self.deletions.contains(&tweet) {
            self.deletions.push(tweet);
        }
        if self.deletions.len() > DELETIONS {
            self.deletions.remove(0);
        }
        self.cancel(id, "deleted", with, out, |p| p.own_tweet == tweet || p.first_tweet == tweet);
    }

    /// Ends the pendings that are meant. What is submitted is nobody's but the stock's.
    pub fn cancel(
        &mut self,
        id: u64,
        cause: &str,
        with: &Circumstances,
        out: &mut Vec<Output>,
        meant: impl Fn(&Purchase) -> bool,
    ) {
        for purchase in self.purchases.iter_mut().filter(|p| p.state == State::Pending && meant(p)) {
            purchase.end(State::Cancelled, with.desk_time);
            out.push(Output::Event(written::cancelled(id, purchase, cause, with.desk_time)));
        }
    }

    /// The deadline of a pending has passed.
    pub fn lapse(&mut self, id: u64, index: usize, desk_time: i64, out: &mut Vec<Output>) {
        let purchase = &mut self.purchases[index];
        purchase.end(State::Lapsed, desk_time);
        out.push(Output::Event(written::lapsed(id, purchase)));
    }

    /// The stock has answered.
    pub fn answered(&mut self, purchase_id: &str, confirmed: bool, with: &Circumstances) {
        let submitted = |p: &&mut Purchase| p.id == purchase_id && p.state == State::Submitted;
        if let Some(purchase) = self.purchases.iter_mut().find(submitted) {
            purchase.end(if confirmed { State::Confirmed } else { State::Cancelled }, with.desk_time);
        }
    }

    /// Drops what the rules say is forgotten.
    pub fn forget(&mut self, desk_time: i64, horizon: i64, ends: &BTreeMap<String, i64>) {
        self.markers.retain(|(_, time)| desk_time <= time + horizon);
        for p in &mut self.purchases {
            if matches!(p.state, State::Pending | State::Submitted) {
                continue;
            }
            p.code_forgotten |= desk_time > p.deadline.max(p.decided_at) + horizon;
            // open: the newest word about the end of the offer counts, be it earlier or later.
            let end = ends.get(&p.offer.offer_id).copied().unwrap_or(p.offer.ends_at.millis());
            p.unit_forgotten |= desk_time > end + DAY;
        }
        for p in &mut self.passed {
            let end = ends.get(&p.offer_id).copied().unwrap_or(p.ends_at);
            p.unit_forgotten |= desk_time > end + DAY;
        }
        self.passed.retain(|p| !p.unit_forgotten || p.card_is_known(desk_time));
        // Nothing but the size of the list depends on this.
        let week_ago = desk_time - 7 * DAY;
        self.purchases.retain(|p| {
            !(p.code_forgotten && (p.unit_forgotten || p.state != State::Confirmed))
                || p.issued_at.max(p.confirmed_at) > week_ago
        });
    }
}

impl Purchase {
    pub fn end(&mut self, state: State, desk_time: i64) {
        self.state = state;
        self.decided_at = desk_time;
    }
}
