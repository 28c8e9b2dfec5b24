//! Coupons and cards: what is loaded, paid and given back.

use serde_json::{Value, json};

use super::holder::{Aim, Paid};
use super::plan::Act;
use super::shop::{self, COUPONS, OVERDUE};
use super::{Happening, Shoppers, Step};
use crate::core::desk::card::SETTLEMENT;
use crate::core::ids::{AccountId, TweetId};
use crate::core::time::{SECOND, Time};
use crate::core::transaction::CardToken;

/// The longest pause between two payments that are on no offer, in milliseconds: they make the time of the card
/// transactions go on.
const EVERYDAY: i64 = 10 * SECOND;

impl Shoppers {
    pub(super) fn publish_coupon(&mut self, n: usize, version: u64, redeem_by: Time) {
        let json = shop::coupon_record(&COUPONS[n], self.start, version, redeem_by);
        self.happened.push_back(Happening::Offer { id: COUPONS[n].id.to_owned(), json });
    }

    /// A coupon expires a week after its last day, and nobody watches for a week. So there is one whose last day was
    /// a week ago, all but half a window: whoever loads it sees it expire soon, and no payment can redeem it.
    pub(super) fn prolong(&mut self, time: Time) {
        self.prolonged += 1;
        let half_a_window = self.habits.window_seconds * SECOND / 2;
        self.publish_coupon(OVERDUE, self.prolonged, time.plus(half_a_window - SETTLEMENT));
        self.plan(time.plus(half_a_window), Step::Prolong);
    }

    /// A coupon is on somebody's card.
    pub(super) fn loaded(&mut self, account: AccountId, offer: Option<&str>, tweet: TweetId, at: Time) {
        let Some(&n) = self.by_account.get(&account) else { return };
        let holder = &mut self.holders[n];
        if let Some(coupon) = COUPONS.iter().position(|coupon| Some(coupon.id) == offer) {
            holder.loaded[coupon] = true;
        }
        let Some(errand) = &mut holder.errand else { return };
        if errand.asked.as_ref().is_none_or(|(id, _)| *id != tweet) {
            return;
        }
        errand.answered = true;
        let Aim::Coupon(_, plan) = errand.aim else { return };
        for (at, act) in plan.acts(&mut self.rng, self.habits, at) {
            self.plan(at, Step::Act(n, act));
        }
    }

    /// A holder pays at the merchant of his coupon.
    pub(super) fn pay(&mut self, n: usize, act: Act, time: Time) {
        let Some(Aim::Coupon(coupon, _)) = self.holders[n].errand.as_ref().map(|errand| errand.aim) else {
            return;
        };
        let (coupon, card) = (&COUPONS[coupon], self.holders[n].card());
        let enough = coupon.enough();
        let amount = match act {
            Act::PayLittle => self.rng.i64(1..enough),
            _ => enough + self.rng.i64(1..enough),
        };
        let money = json!({ "amount": amount, "currency": coupon.credit.1 });
        let id = self.next_transaction(&card);
        let record = self.pays(&card, &id, coupon.merchant, &money, time);
        if let Some(errand) = &mut self.holders[n].errand {
            errand.paid = Some(Paid { id, left: amount, record });
        }
    }

    /// A holder gets something back of what he has paid: all of it, or so little that enough is left.
    pub(super) fn refund(&mut self, n: usize, act: Act, time: Time) {
        let holder = &self.holders[n];
        let (card, Some(errand)) = (holder.card(), &holder.errand) else { return };
        let (Aim::Coupon(coupon, _), Some(paid)) = (errand.aim, &errand.paid) else { return };
        let coupon = &COUPONS[coupon];
        let most = if act == Act::RefundSome { paid.left - coupon.enough() } else { paid.left };
        let (of, amount) = (paid.id.clone(), most.max(0));
        let record = json!({
            "transaction_id": self.next_transaction(&card),
            "card_token": card,
            "merchant_id": coupon.merchant,
            "amount": { "amount": amount, "currency": coupon.credit.1 },
            "kind": "refund",
            "of": of,
            "at": time,
        });
        let record = self.tell(&card, &record);
        if let Some(Some(paid)) = self.holders[n].errand.as_mut().map(|errand| &mut errand.paid) {
            paid.left -= amount;
            paid.record = record;
        }
    }

    /// The card company tells of the last payment or refund once more.
    pub(super) fn pay_again(&mut self, n: usize) {
        let holder = &self.holders[n];
        let paid = holder.errand.as_ref().and_then(|errand| errand.paid.as_ref());
        let again =
            paid.map(|paid| Happening::Transaction { card: holder.card(), json: paid.record.clone() });
        self.happened.extend(again);
    }

    /// Some holder pays for what is on no offer, and somebody else will after a while.
    pub(super) fn everyday(&mut self, time: Time) {
        let pause = self.rng.i64(1..EVERYDAY);
        self.plan(time.plus(pause), Step::Everyday);
        if self.holders.is_empty() {
            return;
        }
        let card = self.holders[self.rng.usize(0..self.holders.len())].card();
        let money = json!({ "amount": self.rng.i64(100..20_000), "currency": "USD" });
        let id = self.next_transaction(&card);
        self.pays(&card, &id, "m-everyday", &money, time);
    }

    /// A payment. Returns its record.
    fn pays(&mut self, card: &CardToken, id: &str, merchant: &str, money: &Value, time: Time) -> String {
        let record = json!({
            "transaction_id": id,
            "card_token": card,
            "merchant_id": merchant,
            "amount": money,
            "kind": "payment",
            "at": time,
        });
        self.tell(card, &record)
    }

    fn tell(&mut self, card: &CardToken, record: &Value) -> String {
        let json = record.to_string();
        self.happened.push_back(Happening::Transaction { card: card.clone(), json: json.clone() });
        json
    }

    /// An id that no other transaction has: a card is in one world alone.
    fn next_transaction(&mut self, card: &CardToken) -> String {
        self.transactions += 1;
        format!("{}-{}", card.as_str().replace("tok", "t"), self.transactions)
    }
}
