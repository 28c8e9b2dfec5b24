//! What the page shows of the last hour, and no metric holds: events as they came, who was refused, what sells.
//!
//! Only committed events come in here. Everything is bounded, whatever comes: so many events, so many pendings,
//! so many accounts, an hour of minutes by the service's own clock.

use std::collections::{BTreeMap, HashMap, VecDeque};

use hdrhistogram::Histogram;
use uuid::Uuid;

use crate::core::event::{Details, Event, EventKind, Reason};
use crate::core::ids::AccountId;
use crate::core::time::{HOUR, MINUTE, SECOND, Time};
use crate::worker::desk::Done;

/// Minutes that are kept.
pub const MINUTES: usize = 60;
/// Events that are kept.
const EVENTS: usize = 24;
/// Requests that are kept until they end.
const WAITING: usize = 200;
/// Accounts that are counted one by one.
const ACCOUNTS: usize = 256;
/// No person confirms so soon, in milliseconds.
const SOON: i64 = 2 * SECOND;

/// An event without whatever nobody may see on a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happened {
    /// When.
    pub at: Time,
    /// What.
    pub kind: EventKind,
    /// Why, if it has a reason or a cause.
    pub why: &'static str,
    /// Of which offer, if it is of one.
    pub offer_id: Option<String>,
    /// Whose.
    pub account: AccountId,
}

/// A purchase that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Of which offer.
    pub offer_id: String,
    /// Whose.
    pub account: AccountId,
    /// Until when.
    pub deadline: Time,
}

/// What was counted in a minute.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Minute {
    /// Its number since 1970.
    pub number: i64,
    /// Refusals, in the order of [`Reason::ALL`].
    pub refused: [u64; Reason::ALL.len()],
    /// Accounts whose codes were locked.
    pub lockouts: u64,
    /// Confirmations and loaded coupons, by offer.
    pub sold: BTreeMap<String, u64>,
}

/// What an account has brought upon itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Trials {
    /// Refusals.
    pub refused: u64,
    /// Times that its codes were locked.
    pub lockouts: u64,
}

/// How long something took, of late.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Took {
    /// How often.
    pub count: u64,
    /// How often in less than two seconds.
    pub soon: u64,
    /// Half of them took so long or less, in milliseconds.
    pub half: i64,
    /// 99 of 100 did.
    pub most: i64,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Watch {
    pub events: VecDeque<Happened>,
    waiting: BTreeMap<Uuid, Waiting>,
    /// Their ids, oldest first; of those that have ended too.
    order: VecDeque<Uuid>,
    pub minutes: VecDeque<Minute>,
    accounts: Halves<HashMap<AccountId, Trials>>,
    confirms: Halves<Times>,
    delays: Halves<Times>,
}

/// What is of late: this span and the one before.
#[derive(Debug, Default)]
struct Halves<T> {
    began: Time,
    now: T,
    before: T,
}

impl<T: Default> Halves<T> {
    fn at(&mut self, now: Time, span: i64) -> &mut T {
        let age = now.since(self.began);
        if age >= span {
            self.before = std::mem::take(&mut self.now);
            if age >= 2 * span {
                self.before = T::default();
            }
            self.began = now;
        }
        &mut self.now
    }
}

/// Durations.
#[derive(Debug, Default)]
struct Times {
    soon: u64,
    histogram: Option<Histogram<u64>>,
}

impl Times {
    fn add(&mut self, millis: i64) {
        self.soon += u64::from(millis < SOON);
        if self.histogram.is_none() {
            self.histogram = Histogram::new(2).ok();
        }
        if let Some(histogram) = &mut self.histogram {
            // It grows with its values, and these are bounded: hours, or a clock that is years off.
            let _ = histogram.record(millis.clamp(0, 24 * HOUR).unsigned_abs());
        }
    }
}

impl Halves<Times> {
    fn took(&self) -> Took {
        let both = [&self.before, &self.now];
        let mut all = both.iter().filter_map(|times| times.histogram.clone());
        let Some(mut sum) = all.next() else { return Took::default() };
        for more in all {
            // One that grows takes all that another holds.
            let _ = sum.add(more);
        }
        let within = |part| i64::try_from(sum.value_at_quantile(part)).unwrap_or(i64::MAX);
        Took {
            count: sum.len(),
            soon: both.iter().map(|times| times.soon).sum(),
            half: within(0.5),
            most: within(0.99),
        }
    }
}

impl Watch {
    /// What a desk worker has done.
    pub fn see(&mut self, done: &Done, now: Time) {
        for event in &done.events {
            self.event(event, now);
        }
        for account in &done.lockouts {
            self.minute(now).lockouts += 1;
            self.account(*account, now).lockouts += 1;
        }
        for millis in &done.confirm_times {
            self.confirms.at(now, HOUR).add(*millis);
        }
        for millis in done.delays.iter().filter_map(|delay| delay.from_tweet) {
            self.delays.at(now, 5 * MINUTE).add(millis);
        }
    }

    fn event(&mut self, event: &Event, now: Time) {
        let why = match &event.details {
            Details::Refused { reason, .. } => {
                self.minute(now).refused[*reason as usize] += 1;
                self.account(event.account_id, now).refused += 1;
                reason.as_str()
            }
            Details::Cancelled { cause, .. } => cause.as_str(),
            _ => "",
        };
        match (&event.details, event.purchase_id, &event.offer_id) {
            (Details::Requested { deadline, .. }, Some(purchase), Some(offer_id)) => {
                let (offer_id, account) = (offer_id.clone(), event.account_id);
                self.wait(purchase, Waiting { offer_id, account, deadline: *deadline });
            }
            (Details::Confirmed { .. } | Details::Lapsed { .. } | Details::Cancelled { .. }, Some(id), _) => {
                self.waiting.remove(&id);
            }
            _ => {}
        }
        if let (EventKind::Confirmed | EventKind::CouponLoaded, Some(offer)) = (event.kind, &event.offer_id) {
            *self.minute(now).sold.entry(offer.clone()).or_default() += 1;
        }
        if matches!(
            event.kind,
            EventKind::OrderPlaced | EventKind::OrderCredited | EventKind::OrderCreditReversed
        ) {
            return;
        }
        if self.events.len() >= EVENTS {
            self.events.pop_front();
        }
        let (at, kind, offer_id, account) = (event.at, event.kind, event.offer_id.clone(), event.account_id);
        self.events.push_back(Happened { at, kind, why, offer_id, account });
    }

    fn wait(&mut self, purchase: Uuid, waiting: Waiting) {
        self.waiting.insert(purchase, waiting);
        self.order.push_back(purchase);
        if self.order.len() > WAITING
            && let Some(oldest) = self.order.pop_front()
        {
            self.waiting.remove(&oldest);
        }
    }

    /// The minute of a time; that of the newest, if the time is older.
    fn minute(&mut self, now: Time) -> &mut Minute {
        let number = now.millis().div_euclid(MINUTE);
        if self.minutes.back().is_none_or(|last| last.number < number) {
            self.minutes.push_back(Minute { number, ..Minute::default() });
            let first = number - MINUTES as i64;
            while self.minutes.front().is_some_and(|minute| minute.number <= first) {
                self.minutes.pop_front();
            }
        }
        let last = self.minutes.len() - 1;
        &mut self.minutes[last]
    }

    /// The account's counters. When there are too many, that with the least goes, and the new one begins with its
    /// count: so whoever has many is never missed, and nobody has less than is said.
    fn account(&mut self, account: AccountId, now: Time) -> &mut Trials {
        let accounts = self.accounts.at(now, HOUR);
        let mut begins = Trials::default();
        if accounts.len() >= ACCOUNTS && !accounts.contains_key(&account) {
            let least = accounts.iter().min_by_key(|(id, trials)| (trials.lockouts, trials.refused, **id));
            if let Some((id, trials)) = least.map(|(id, trials)| (*id, *trials)) {
                accounts.remove(&id);
                begins = Trials { lockouts: 0, ..trials };
            }
        }
        accounts.entry(account).or_insert(begins)
    }

    /// The accounts with the most lockouts and refusals of the last one to two hours, the most first.
    pub fn accounts(&self) -> Vec<(AccountId, Trials)> {
        let mut all: HashMap<AccountId, Trials> = self.accounts.before.clone();
        for (id, trials) in &self.accounts.now {
            let sum = all.entry(*id).or_default();
            sum.refused += trials.refused;
            sum.lockouts += trials.lockouts;
        }
        let mut all: Vec<_> = all.into_iter().collect();
        all.sort_by_key(|(id, trials)| (std::cmp::Reverse((trials.lockouts, trials.refused)), *id));
        all
    }

    /// Of the last requests, those that wait, the first to lapse first.
    pub fn waiting(&self) -> Vec<Waiting> {
        let mut waiting: Vec<Waiting> = self.waiting.values().cloned().collect();
        waiting.sort_by_key(|waiting| (waiting.deadline, waiting.account));
        waiting
    }

    /// From requests to confirmations, in the last one to two hours.
    pub fn confirms(&self) -> Took {
        self.confirms.took()
    }

    /// From tweets to committed events, in the last five to ten minutes.
    pub fn delays(&self) -> Took {
        self.delays.took()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests;
