//! The transactions that a card remembers, and for how long.
//!
//! One that no coupon hangs on is kept for a day after its own time, for what may arrive out of order; one that a
//! coupon hangs on as long as the coupon.

use serde::{Deserialize, Serialize};

use super::{COUPON_KEPT, Card, Fate};
use crate::core::desk::turn::Turn;
use crate::core::money::Money;
use crate::core::tally::Counted;
use crate::core::time::{DAY, Time};
use crate::core::transaction::Transaction;

/// Payments of a card that no coupon hangs on, at most; of more the newest to arrive are kept.
const MAX_PAYMENTS: usize = 256;
/// Refunds of a card at most: one more leads to nothing.
const MAX_REFUNDS: usize = 256;
/// A transaction that no coupon hangs on is kept so long after its own time, in milliseconds.
const KEPT: i64 = DAY;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Payment {
    pub transaction_id: String,
    pub merchant_id: String,
    pub amount: Money,
    pub at: Time,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Refund {
    pub transaction_id: String,
    /// The payment.
    pub of: String,
    pub amount: Money,
    pub at: Time,
}

impl Payment {
    pub fn of(transaction: &Transaction) -> Payment {
        let Transaction { transaction_id, merchant_id, amount, at, .. } = transaction.clone();
        Payment { transaction_id, merchant_id, amount, at }
    }

    /// Whether it may redeem a coupon that is loaded at a time of the transactions.
    pub fn waits(&self, time: Time) -> bool {
        time <= self.at.plus(KEPT)
    }
}

impl Refund {
    pub fn of(transaction: &Transaction, of: &str) -> Refund {
        let Transaction { transaction_id, amount, at, .. } = transaction.clone();
        Refund { transaction_id, of: of.to_owned(), amount, at }
    }
}

impl Card {
    /// Whether a transaction of this id is remembered.
    pub(super) fn knows(&self, transaction_id: &str) -> bool {
        self.payments.iter().any(|payment| payment.transaction_id == transaction_id)
            || self.refunds.iter().any(|refund| refund.transaction_id == transaction_id)
    }

    /// The refunds of a payment in its currency, in the order in which they arrived.
    pub(super) fn refunds_of(&self, payment: &Payment) -> impl Iterator<Item = &Refund> {
        let is_of = |refund: &&Refund| {
            refund.of == payment.transaction_id && refund.amount.currency == payment.amount.currency
        };
        self.refunds.iter().filter(is_of)
    }

    /// Remembers a payment, in the place of the oldest if there are too many.
    pub(super) fn keep_payment(&mut self, payment: Payment, turn: &mut Turn<'_>) {
        self.payments.push(payment);
        let coupons = &self.coupons;
        let is_free =
            |payment: &Payment| !coupons.iter().any(|coupon| coupon.hangs_on(&payment.transaction_id));
        if self.payments.iter().filter(|payment| is_free(payment)).count() > MAX_PAYMENTS
            && let Some(oldest) = self.payments.iter().position(is_free)
        {
            self.payments.remove(oldest);
            turn.effects.count(Counted::TooManyTransactions);
        }
    }

    /// Remembers a refund. False if there are too many.
    pub(super) fn keep_refund(&mut self, refund: Refund, turn: &mut Turn<'_>) -> bool {
        let fits = self.refunds.len() < MAX_REFUNDS;
        if fits {
            self.refunds.push(refund);
        } else {
            turn.effects.count(Counted::TooManyTransactions);
        }
        fits
    }

    /// Throws away what can matter no more at a time of the transactions.
    pub(super) fn forget(&mut self, time: Time) {
        // Refunds go by their payments, and payments by their coupons.
        let refund_ends: Vec<Time> = self.refunds.iter().map(|refund| self.refund_end(refund)).collect();
        let payment_ends: Vec<Time> = self.payments.iter().map(|payment| self.payment_end(payment)).collect();
        let mut ends = refund_ends.into_iter();
        self.refunds.retain(|_| ends.next().is_some_and(|end| time <= end));
        let mut ends = payment_ends.into_iter();
        self.payments.retain(|_| ends.next().is_some_and(|end| time <= end));
        self.coupons.retain(|coupon| coupon.fate == Fate::Loaded || time <= coupon.end());
    }

    /// The last moments at which each of what is remembered can matter; a loaded coupon expires first.
    pub(super) fn ends(&self) -> impl Iterator<Item = Time> + '_ {
        let coupons = self.coupons.iter().filter(|coupon| coupon.fate != Fate::Loaded);
        let payments = self.payments.iter().map(|payment| self.payment_end(payment));
        let refunds = self.refunds.iter().map(|refund| self.refund_end(refund));
        coupons.map(|coupon| coupon.end()).chain(payments).chain(refunds)
    }

    fn payment_end(&self, payment: &Payment) -> Time {
        let hanging = self.coupons.iter().filter(|coupon| coupon.hangs_on(&payment.transaction_id));
        let own = payment.at.plus(KEPT);
        hanging.map(super::Coupon::end).fold(own, Time::max)
    }

    fn refund_end(&self, refund: &Refund) -> Time {
        let own = refund.at.plus(KEPT);
        let payment = self.payments.iter().find(|payment| payment.transaction_id == refund.of);
        payment.map_or(own, |payment| self.payment_end(payment).max(own))
    }
}

impl super::Coupon {
    /// The last moment at which it is remembered, if it is not still to be redeemed.
    fn end(&self) -> Time {
        self.terms().redeem_by.plus(COUPON_KEPT)
    }
}
