//! The card entity: the coupons on one card, and what was paid with it.
//!
//! A coupon goes one way: loaded, then redeemed by one payment or expired; redeemed, then reversed if refunds leave
//! too little of that payment. A card has one coupon of an offer, whatever becomes of it, until it is forgotten. The
//! transactions' own times decide, not when they arrive: so a payment that arrives before its coupon is kept
//! for a while, and a refund that arrives before its payment, too; both lead to what they would have led to in order.

mod events;
mod kept;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use self::kept::{Payment, Refund};
use super::turn::Turn;
use crate::core::ids::{AccountId, TweetId};
use crate::core::inbox::{Inbox, Load};
use crate::core::money::Money;
use crate::core::offer::{Offer, OfferKind};
use crate::core::tally::Counted;
use crate::core::time::{DAY, Time};
use crate::core::transaction::{CardToken, Transaction, TransactionKind};

/// A coupon expires so long after its last day, in milliseconds of the transactions' own time: settlement comes late.
pub const SETTLEMENT: i64 = 7 * DAY;
/// A coupon, with the transactions that it hangs on, is remembered so long after its last day, in milliseconds.
pub const COUPON_KEPT: i64 = 30 * DAY;

/// The coupons on a card, and the transactions that may matter to them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Card {
    /// In the order in which they were loaded.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    coupons: Vec<Coupon>,
    /// In the order in which they arrived, as the refunds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    payments: Vec<Payment>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    refunds: Vec<Refund>,
}

/// One coupon on a card.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Coupon {
    /// Who has loaded it.
    account: AccountId,
    /// The coupon as it stood then.
    offer: Arc<Offer>,
    /// The tweet that loaded it.
    tweet_id: TweetId,
    /// Its tweet time: payments from here on redeem it.
    loaded_at: Time,
    /// The account is frozen or unlinked: no payment redeems it as long as that is so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    suspended: bool,
    /// Payments that would have redeemed it while it was suspended. They are remembered as long as it is, so that none
    /// redeems it when it is delivered once more: the newest [`MAX_PASSED_BY`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    passed_by: Vec<String>,
    fate: Fate,
}

/// As many payments are remembered that have come while a coupon was suspended.
const MAX_PASSED_BY: usize = 64;

/// What has become of a coupon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Fate {
    /// It waits for its payment.
    Loaded,
    /// A payment has earned its credit.
    Redeemed(Redeemed),
    /// The credit was taken back.
    Reversed(Redeemed),
    /// No payment has come.
    Expired,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Redeemed {
    /// The payment.
    by: String,
    credited: Money,
}

/// What a coupon grants.
#[derive(Clone, Copy)]
struct Terms {
    credit: Money,
    min_spend: Option<Money>,
    redeem_by: Time,
}

impl Terms {
    /// The least amount that redeems and, left by refunds, keeps the credit, in minor units: a payment of nothing
    /// earns nothing.
    fn least(self) -> i64 {
        self.min_spend.map_or(1, |least| least.amount.max(1))
    }

    /// Whether an amount is in the coupon's currency and enough.
    fn is_met_by(self, amount: Money) -> bool {
        let same_currency = |other: Money| other.currency == amount.currency;
        same_currency(self.credit)
            && self.min_spend.is_none_or(same_currency)
            && amount.amount >= self.least()
    }
}

impl Coupon {
    fn terms(&self) -> Terms {
        match self.offer.kind {
            OfferKind::Coupon { credit, min_spend, redeem_by } => Terms { credit, min_spend, redeem_by },
            // Nothing but coupons is loaded.
            OfferKind::Purchase { price } => {
                Terms { credit: price, min_spend: None, redeem_by: self.offer.ends_at }
            }
        }
    }

    /// Whether a payment redeems it, if it is not suspended.
    fn fits(&self, payment: &Payment) -> bool {
        let terms = self.terms();
        self.fate == Fate::Loaded
            && self.offer.merchant_id.as_deref() == Some(payment.merchant_id.as_str())
            && terms.is_met_by(payment.amount)
            && self.loaded_at <= payment.at
            && payment.at <= terms.redeem_by
    }

    /// Whether a payment has to be remembered because of it: its credit came, or had come, from it, or could not.
    fn hangs_on(&self, payment: &str) -> bool {
        matches!(&self.fate, Fate::Redeemed(redeemed) | Fate::Reversed(redeemed) if redeemed.by == payment)
            || self.passed_by.iter().any(|passed_by| passed_by == payment)
    }

    /// Takes note of a payment that would have redeemed it.
    fn pass_by(&mut self, payment: &Payment) {
        if self.passed_by.len() == MAX_PASSED_BY {
            self.passed_by.remove(0);
        }
        self.passed_by.push(payment.transaction_id.clone());
    }
}

impl Card {
    /// Whether there is nothing to be kept.
    pub(super) fn is_empty(&self) -> bool {
        self.coupons.is_empty() && self.payments.is_empty() && self.refunds.is_empty()
    }

    /// The coupons that wait for their payment: who has loaded each, and the id of its offer.
    pub fn loaded(&self) -> impl Iterator<Item = (AccountId, &str)> {
        let loaded = self.coupons.iter().filter(|coupon| coupon.fate == Fate::Loaded);
        loaded.map(|coupon| (coupon.account, coupon.offer.offer_id.as_str()))
    }

    /// Loads a coupon, unless there was one of its offer. A payment that was there before may redeem it at once, for a
    /// day by the `time` of the transactions, however long it is remembered for another coupon.
    pub(super) fn load(&mut self, load: &Load, time: Time, turn: &mut Turn<'_>) {
        if self.coupons.iter().any(|coupon| coupon.offer.offer_id == load.offer.offer_id) {
            turn.effects.send(Inbox::NotLoaded(Box::new(load.clone())));
            return;
        }
        let coupon = Coupon {
            account: load.account,
            offer: Arc::clone(&load.offer),
            tweet_id: load.tweet_id,
            loaded_at: load.time,
            suspended: false,
            passed_by: Vec::new(),
            fate: Fate::Loaded,
        };
        events::loaded(&coupon, load.to.as_deref(), turn);
        let payments = self.payments.iter().filter(|payment| payment.waits(time) && coupon.fits(payment));
        let first = payments.min_by_key(|payment| (payment.at, &payment.transaction_id)).cloned();
        self.coupons.push(coupon);
        if let Some(payment) = first {
            self.redeem(self.coupons.len() - 1, &payment, &load.card_token, turn);
        }
    }

    /// A transaction with this card. Each id counts once.
    pub(super) fn transaction(&mut self, transaction: &Transaction, turn: &mut Turn<'_>) {
        if self.knows(&transaction.transaction_id) {
            turn.effects.count(Counted::TransactionAgain);
            return;
        }
        match &transaction.kind {
            TransactionKind::Payment => self.payment(transaction, turn),
            TransactionKind::Refund { of } => self.refund(transaction, of, turn),
        }
    }

    /// From now on the coupons of an account can be redeemed, or not. What was paid in between does not redeem later.
    pub(super) fn standing(&mut self, account: AccountId, active: bool) {
        for coupon in self.coupons.iter_mut().filter(|coupon| coupon.account == account) {
            coupon.suspended = !active;
        }
    }

    /// What happens by itself until a time of the transactions: coupons expire, and what can matter no more is
    /// forgotten. Returns how many have expired.
    pub(super) fn pass(&mut self, time: Time, turn: &mut Turn<'_>) -> usize {
        let mut expired = 0;
        for coupon in &mut self.coupons {
            if coupon.fate == Fate::Loaded && coupon.terms().redeem_by.plus(SETTLEMENT) <= time {
                coupon.fate = Fate::Expired;
                events::expired(coupon, turn);
                expired += 1;
            }
        }
        self.forget(time);
        expired
    }

    /// When [`Card::pass`] has something to do next.
    pub(super) fn next(&self) -> Option<Time> {
        let expire = self.coupons.iter().filter(|coupon| coupon.fate == Fate::Loaded);
        let expire = expire.map(|coupon| coupon.terms().redeem_by.plus(SETTLEMENT));
        expire.chain(self.ends().map(|end| end.plus(1))).min()
    }

    fn payment(&mut self, transaction: &Transaction, turn: &mut Turn<'_>) {
        let payment = Payment::of(transaction);
        let mut redeems = false;
        for index in 0..self.coupons.len() {
            let coupon = &mut self.coupons[index];
            match (coupon.fits(&payment), coupon.suspended) {
                (false, _) => {}
                (true, true) => coupon.pass_by(&payment),
                (true, false) => {
                    self.redeem(index, &payment, &transaction.card_token, turn);
                    redeems = true;
                }
            }
        }
        if !redeems {
            turn.effects.count(Counted::PaymentWithoutCoupon);
        }
        self.keep_payment(payment, turn);
    }

    fn refund(&mut self, transaction: &Transaction, of: &str, turn: &mut Turn<'_>) {
        let refund = Refund::of(transaction, of);
        if !self.keep_refund(refund, turn) {
            return;
        }
        let mut reverses = false;
        if let Some(payment) = self.payments.iter().find(|payment| payment.transaction_id == of).cloned() {
            for index in 0..self.coupons.len() {
                reverses |= self.reverse(index, &payment, &transaction.card_token, turn);
            }
        }
        if !reverses {
            turn.effects.count(Counted::RefundWithoutEffect);
        }
    }

    /// A payment earns a coupon's credit, once. Refunds of it may have come before it.
    fn redeem(&mut self, index: usize, payment: &Payment, card: &CardToken, turn: &mut Turn<'_>) {
        let coupon = &mut self.coupons[index];
        let credit = coupon.terms().credit;
        let credited = Money::new(credit.amount.min(payment.amount.amount), credit.currency);
        let redeemed = Redeemed { by: payment.transaction_id.clone(), credited };
        events::redeemed(coupon, payment, credited, card, turn);
        coupon.fate = Fate::Redeemed(redeemed);
        self.reverse(index, payment, card, turn);
    }

    /// Takes a coupon's whole credit back with the first refund that leaves too little of its payment, once.
    fn reverse(&mut self, index: usize, payment: &Payment, card: &CardToken, turn: &mut Turn<'_>) -> bool {
        let least = self.coupons[index].terms().least();
        let Fate::Redeemed(redeemed) = &self.coupons[index].fate else { return false };
        if redeemed.by != payment.transaction_id {
            return false;
        }
        let redeemed = redeemed.clone();
        let mut left = payment.amount.amount;
        let too_much = self.refunds_of(payment).find(|refund| {
            left = left.saturating_sub(refund.amount.amount);
            left < least
        });
        let Some(refund) = too_much.cloned() else { return false };
        let coupon = &mut self.coupons[index];
        events::reversed(coupon, &refund, redeemed.credited, card, turn);
        coupon.fate = Fate::Reversed(redeemed);
        true
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests;
