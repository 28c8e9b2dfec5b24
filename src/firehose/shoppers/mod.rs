//! Shoppers: people with accounts and plans, and a few without.
//!
//! A shopper asks for an offer, reads the code in the event that answers, and goes on with his plan.
//! Whoever plays the firehose takes what [`Shoppers::next`] gives, and tells them what comes of it by
//! [`Shoppers::hear`]:
//!
//! ```text
//! arrival ─► Ask ──────► (purchase.requested: the code) ─► Confirm, Delete, Guess, ... ─► Rest
//!            tweet          hear                            tweets, account records
//!            Ask ──────► (coupon.loaded) ────────────────► Pay, Refund, ... ────────────► Rest
//!            tweet          hear                            card transactions
//! ```
//!
//! Beside all that holders pay for what has nothing to do with any offer.

mod cards;
mod coupon;
mod deeds;
mod habits;
mod holder;
mod plan;
mod shop;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, VecDeque};

use fastrand::Rng;

pub use self::habits::Habits;
use self::holder::{Aim, Holder};
use self::plan::Act;
use self::shop::{ARTICLES, COUPONS, DELIVERY, OVERDUE, SCARCE};
use super::maker::Maker;
use crate::core::event::{Details, Event};
use crate::core::ids::{AccountId, TweetId};
use crate::core::time::{DAY, MINUTE, SECOND, Time};
use crate::core::transaction::CardToken;

/// Ids of people without an account.
const STRANGERS: std::ops::Range<u64> = 1_200_000_000..1_300_000_000;
/// Between two deliveries of the scarce article.
const BETWEEN_DELIVERIES: i64 = 20 * MINUTE;
/// Tweets of others that a shopper may have read.
const READ: usize = 32;

/// The shoppers.
pub struct Shoppers {
    rng: Rng,
    start: Time,
    habits: Habits,
    /// What is to happen; equal times in the order in which it was planned.
    agenda: BTreeMap<(Time, u64), Step>,
    planned: u64,
    holders: Vec<Holder>,
    by_account: HashMap<AccountId, usize>,
    idle: VecDeque<usize>,
    /// Accounts ever linked.
    linked: u64,
    /// Deliveries of the scarce article.
    deliveries: u64,
    /// Versions of the coupon that is overdue.
    prolonged: u64,
    /// Payments and refunds, each with its number in its id.
    transactions: u64,
    /// Offer tweets of late, to be repeated, quoted and copied: their author, text and code.
    read: VecDeque<Read>,
    /// Offer tweets of holders that had no answer when they were given up.
    given_up: u64,
    /// What has happened and was not taken yet.
    happened: VecDeque<Happening>,
}

/// Something that happens in the made-up world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happening {
    /// The firehose brings a record, with its line end.
    Record(Vec<u8>),
    /// The table of offers has a new record.
    Offer {
        /// Its key.
        id: String,
        /// The record, as JSON.
        json: String,
    },
    /// The table of accounts has a new record.
    Account {
        /// Its key.
        id: AccountId,
        /// The record, as JSON; none: unlinked.
        json: Option<String>,
    },
    /// The card company tells of a payment or a refund.
    Transaction {
        /// Those of one card stay in their order.
        card: CardToken,
        /// The record, as JSON.
        json: String,
    },
}

enum Step {
    /// Somebody sets out, and somebody else will after a while.
    Arrival,
    /// The scarce article is delivered.
    Delivery,
    /// The overdue coupon is given another last day.
    Prolong,
    /// Somebody pays for something that is on no offer.
    Everyday,
    /// A holder goes on with his plan.
    Act(usize, Act),
}

struct Read {
    tweet: TweetId,
    holder: usize,
    account: AccountId,
    handle: String,
    text: String,
    code: String,
}

impl Shoppers {
    /// Shoppers that begin at `start`. The same seed, and the same things heard, give the same deeds.
    pub fn new(seed: u64, start: Time) -> Shoppers {
        Shoppers::with(Habits::default(), seed, start)
    }

    /// The same with habits of their own.
    pub fn with(habits: Habits, seed: u64, start: Time) -> Shoppers {
        let mut shoppers = Shoppers {
            rng: Rng::with_seed(seed),
            start,
            habits,
            agenda: BTreeMap::new(),
            planned: 0,
            holders: Vec::new(),
            by_account: HashMap::new(),
            idle: VecDeque::new(),
            linked: 0,
            deliveries: 1,
            prolonged: 0,
            transactions: 0,
            read: VecDeque::new(),
            given_up: 0,
            happened: VecDeque::new(),
        };
        for n in 0..ARTICLES.len() {
            shoppers.publish_offer(n);
        }
        for n in (0..COUPONS.len()).filter(|n| *n != OVERDUE) {
            shoppers.publish_coupon(n, 1, start.plus(365 * DAY));
        }
        if habits.overdue {
            shoppers.prolong(start);
        }
        for _ in 0..habits.holders {
            let holder = shoppers.link(start.minus(30 * DAY));
            shoppers.holders.push(holder);
            let n = shoppers.holders.len() - 1;
            shoppers.settle_in(n);
        }
        shoppers.plan(start.plus(SECOND), Step::Arrival);
        shoppers.plan(start.plus(BETWEEN_DELIVERIES), Step::Delivery);
        shoppers.plan(start.plus(SECOND), Step::Everyday);
        shoppers
    }

    /// The next thing that happens until `by`; the tables' first records come before everything.
    pub fn next(&mut self, by: Time, maker: &mut Maker) -> Option<Happening> {
        loop {
            if let Some(happening) = self.happened.pop_front() {
                return Some(happening);
            }
            let next = self.agenda.first_entry().filter(|step| step.key().0 <= by)?;
            let ((time, _), step) = next.remove_entry();
            match step {
                Step::Arrival => self.arrival(time, maker),
                Step::Delivery => {
                    self.deliveries += 1;
                    self.publish_offer(SCARCE);
                    self.plan(time.plus(BETWEEN_DELIVERIES), Step::Delivery);
                }
                Step::Prolong => self.prolong(time),
                Step::Everyday => self.everyday(time),
                Step::Act(holder, act) => self.act(holder, act, time, maker),
            }
        }
    }

    /// Tells the shoppers of an event. They read their codes in it.
    pub fn hear(&mut self, event: &Event) {
        match &event.details {
            Details::Requested { offer_tweet_id, code, issued_at, deadline, .. } => {
                self.answered(event.account_id, *offer_tweet_id, code, *issued_at, *deadline);
            }
            Details::Confirmed { .. } => {
                let article =
                    ARTICLES.iter().position(|article| Some(article.id) == event.offer_id.as_deref());
                let holder = self.by_account.get(&event.account_id);
                if let (Some(article), Some(&holder)) = (article, holder) {
                    self.holders[holder].bought[article] += 1;
                }
            }
            Details::CouponLoaded { tweet_id, .. } => {
                self.loaded(event.account_id, event.offer_id.as_deref(), *tweet_id, event.at);
            }
            Details::Refused { tweet_id, .. } => {
                let errand = self.by_account.get(&event.account_id).map(|&n| &mut self.holders[n].errand);
                if let Some(Some(errand)) = errand {
                    errand.answered |= errand.asked.as_ref().is_some_and(|(id, _)| id == tweet_id);
                }
            }
            _ => {}
        }
    }

    /// Offer tweets of holders that no event has answered so far.
    pub fn unanswered(&self) -> u64 {
        let waiting = self.holders.iter().filter(|holder| holder.waits()).count();
        self.given_up + waiting as u64
    }

    /// The handle of an account holder, without `@`.
    pub fn handle(&self, account: AccountId) -> Option<&str> {
        self.by_account.get(&account).map(|&holder| self.holders[holder].handle.as_str())
    }

    /// The tag of an offer, with its sign.
    pub fn tag(offer_id: &str) -> Option<&'static str> {
        let articles = ARTICLES.iter().map(|article| (article.id, article.tag));
        let coupons = COUPONS.iter().map(|coupon| (coupon.id, coupon.tag));
        articles.chain(coupons).find(|(id, _)| *id == offer_id).map(|(_, tag)| tag)
    }

    fn plan(&mut self, at: Time, step: Step) {
        self.planned += 1;
        self.agenda.insert((at, self.planned), step);
    }

    fn publish_offer(&mut self, article: usize) {
        let scarce = article == SCARCE;
        let (version, stock) =
            if scarce { (self.deliveries, Some(self.deliveries * DELIVERY)) } else { (1, None) };
        let json = shop::record(&ARTICLES[article], self.start, self.habits.window_seconds, version, stock);
        self.happened.push_back(Happening::Offer { id: ARTICLES[article].id.to_owned(), json });
    }

    fn link(&mut self, at: Time) -> Holder {
        self.linked += 1;
        // Never 0, with or without the number before it.
        let account = AccountId::new(self.habits.before_accounts + self.linked).unwrap_or(NOBODY);
        Holder::new(&mut self.rng, self.linked, account, at)
    }

    /// A new holder's account is published, and he is ready.
    fn settle_in(&mut self, n: usize) {
        let holder = &self.holders[n];
        self.by_account.insert(holder.account, n);
        let json = Some(holder.record("active"));
        self.happened.push_back(Happening::Account { id: holder.account, json });
        self.idle.push_back(n);
    }

    fn answered(
        &mut self,
        account: AccountId,
        offer_tweet: TweetId,
        code: &str,
        issued: Time,
        deadline: Time,
    ) {
        let Some(&n) = self.by_account.get(&account) else { return };
        let holder = &mut self.holders[n];
        let Some(errand) = &mut holder.errand else { return };
        let Some((_, text)) = errand.asked.as_ref().filter(|(id, _)| *id == offer_tweet) else { return };
        let Aim::Article(_, plan) = errand.aim else { return };
        errand.code = Some(code.to_owned());
        errand.answered = true;
        let text = text.clone();
        let acts = plan.acts(&mut self.rng, self.habits, issued, deadline);
        let handle = holder.handle.clone();
        self.read.push_back(Read {
            tweet: offer_tweet,
            holder: n,
            account,
            handle,
            text,
            code: code.to_owned(),
        });
        if self.read.len() > READ {
            self.read.pop_front();
        }
        for (at, act) in acts {
            self.plan(at, Step::Act(n, act));
        }
    }
}

/// Stands in where a type asks for a proof that an id is not 0.
const NOBODY: AccountId = match AccountId::new(1) {
    Some(id) => id,
    None => unreachable!(),
};
