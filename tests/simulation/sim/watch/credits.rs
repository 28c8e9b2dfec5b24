//! What coupons have earned, by the events and orders alone.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// A transaction, and the offer for which it has earned or taken back a credit.
type Cause = (String, String);

/// The coupons of an account of one offer: on one card, or on several.
#[derive(Default)]
struct Coupons {
    loaded: u64,
    redeemed: u64,
    reversed: u64,
    expired: u64,
    /// The sum of the credits that were loaded, in minor units.
    worth: i64,
    credited: i64,
}

/// Sums of what was loaded and credited.
#[derive(Default)]
pub struct Credits {
    /// By account and offer.
    coupons: BTreeMap<(String, String), Coupons>,
    /// Credits by the payments that have earned them, and by the refunds that have taken them back.
    earned: BTreeMap<Cause, i64>,
    taken_back: BTreeMap<Cause, i64>,
    /// The same as the biller reads it.
    ordered: BTreeMap<Cause, i64>,
    ordered_back: BTreeMap<Cause, i64>,
}

impl Credits {
    /// One more event or order. All of an account are read in the order in which they were written.
    pub fn event(&mut self, event: &Value) -> Result<(), String> {
        let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
        let amount = |name: &str| event[name]["amount"].as_i64().unwrap_or(0);
        let cause = (text("transaction_id"), text("offer_id"));
        let map = match event["type"].as_str().unwrap_or_default() {
            "coupon.redeemed" => &mut self.earned,
            "coupon.reversed" => &mut self.taken_back,
            "order.credited" => &mut self.ordered,
            "order.credit_reversed" => &mut self.ordered_back,
            "coupon.loaded" | "coupon.expired" => return self.coupon(event),
            _ => return Ok(()),
        };
        if map.insert(cause, amount("credited")).is_some() {
            return Err(format!("a transaction counts twice for an offer (I12): {event}"));
        }
        if event["type"].as_str().is_some_and(|kind| kind.starts_with("coupon.")) {
            return self.coupon(event);
        }
        Ok(())
    }

    /// Credited is never more than was loaded, and each coupon has one end.
    fn coupon(&mut self, event: &Value) -> Result<(), String> {
        let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
        let amount = |name: &str| event[name]["amount"].as_i64().unwrap_or(0);
        let of = self.coupons.entry((text("account_id"), text("offer_id"))).or_default();
        match event["type"].as_str().unwrap_or_default() {
            "coupon.loaded" => (of.loaded, of.worth) = (of.loaded + 1, of.worth + amount("credit")),
            "coupon.expired" => of.expired += 1,
            "coupon.reversed" => of.reversed += 1,
            _ => (of.redeemed, of.credited) = (of.redeemed + 1, of.credited + amount("credited")),
        }
        if of.credited > of.worth || amount("credited") > amount("credit") {
            return Err(format!("more is credited than was loaded (I11): {event}"));
        }
        if of.redeemed + of.expired > of.loaded || of.reversed > of.redeemed {
            return Err(format!("more coupons have ended than were loaded (I11): {event}"));
        }
        Ok(())
    }

    /// Whether a coupon of the offer has earned something for an account.
    pub fn has_earned(&self, account: &str, offer: &str) -> bool {
        self.coupons.get(&(account.to_owned(), offer.to_owned())).is_some_and(|coupons| coupons.redeemed > 0)
    }

    /// At the end: what was announced was ordered, and nothing else.
    pub fn finish(&self) -> Result<(), String> {
        for (what, events, orders) in
            [("redeemed", &self.earned, &self.ordered), ("reversed", &self.taken_back, &self.ordered_back)]
        {
            let events: BTreeSet<_> = events.iter().collect();
            let orders: BTreeSet<_> = orders.iter().collect();
            if let Some(one) = events.symmetric_difference(&orders).next() {
                return Err(format!("{one:?} is either not {what} or not ordered (I11)"));
            }
        }
        Ok(())
    }
}
