//! What the fields of an expected event of a coupon have to be.

use serde_json::{Value, json};

use super::cast::{Posted, only};
use super::stage::{Play, Record};
use super::words::rfc3339;
use crate::codes;

/// A coupon that was loaded.
pub struct Coupon {
    account: u64,
    /// The card that it was loaded on.
    card: Value,
    /// The offer as it stood then.
    offer: Record,
    /// The tweet that has loaded it.
    tweet: u64,
    /// What was credited for it, once it was.
    credited: Value,
}

impl<'a> Play<'a> {
    pub(super) fn loaded(
        &mut self,
        label: &'a str,
        offer: Option<&str>,
        tweet: &Posted<'a>,
    ) -> Result<Value, String> {
        let is_coupon = |record: &Record| record.get("kind").is_some_and(|kind| kind == "coupon");
        let id = match offer {
            Some(offer) => offer,
            None => only(self.offers.iter().filter(|(_, record)| is_coupon(record)).map(|(id, _)| *id))?,
        };
        let offer = self.offers.get(id).filter(|record| is_coupon(record)).cloned();
        let offer = offer.ok_or_else(|| format!("there is no coupon {id}"))?;
        let coupon = Coupon {
            account: tweet.author,
            card: self.card_of(&tweet.tweet.author, None)?,
            offer,
            tweet: tweet.own(),
            credited: Value::Null,
        };
        let mut event = coupon.event("coupon.loaded", &tweet.own().to_string(), &rfc3339(tweet.time));
        event["tweet_id"] = json!(tweet.own().to_string());
        event["reply"] = tweet.reply();
        self.coupons.insert(label, coupon);
        Ok(event)
    }

    /// With a credit comes its order.
    pub(super) fn redeemed(
        &mut self,
        label: &str,
        credited: &Value,
        by: Option<&str>,
    ) -> Result<Vec<Value>, String> {
        self.coupon(label)?.credited = credited.clone();
        self.credit(["coupon.redeemed", "order.credited"], label, by)
    }

    /// The whole credit is taken back.
    pub(super) fn reversed(&mut self, label: &str, by: Option<&str>) -> Result<Vec<Value>, String> {
        if self.coupon(label)?.credited.is_null() {
            return Err(format!("{label} is not redeemed yet"));
        }
        self.credit(["coupon.reversed", "order.credit_reversed"], label, by)
    }

    pub(super) fn expired(&mut self, label: &str) -> Result<Value, String> {
        let coupon = self.coupon(label)?;
        Ok(coupon.event("coupon.expired", &coupon.tweet.to_string(), &coupon.redeem_by()))
    }

    fn credit(
        &mut self,
        [event, order]: [&str; 2],
        label: &str,
        by: Option<&str>,
    ) -> Result<Vec<Value>, String> {
        let paid = match by {
            Some(by) => self.paid.get(by),
            None => self.last_paid.as_ref().filter(|paid| paid.line == self.line),
        };
        let paid = paid.ok_or("by which payment or refund?")?.record.clone();
        let id = paid["transaction_id"].as_str().unwrap_or_default().to_owned();
        let coupon = self.coupon(label)?;
        let mut event = coupon.event(event, &id, paid["at"].as_str().unwrap_or_default());
        let mut order = coupon.subject(order, &id);
        order["card_token"] = coupon.card.clone();
        for event in [&mut event, &mut order] {
            event["transaction_id"] = json!(id);
            event["credited"] = coupon.credited.clone();
        }
        Ok(vec![event, order])
    }

    fn coupon(&mut self, label: &str) -> Result<&mut Coupon, String> {
        self.coupons.get_mut(label).ok_or_else(|| format!("no coupon {label} is loaded above this line"))
    }
}

impl Coupon {
    /// What all events of a coupon have.
    fn subject(&self, kind: &str, cause: &str) -> Value {
        let (account, offer) =
            (self.account.to_string(), self.offer["offer_id"].as_str().unwrap_or_default());
        json!({"type": kind, "event_id": codes::event_id(kind, &account, cause, offer), "account_id": account,
            "offer_id": offer, "offer_version": self.offer["version"]})
    }

    /// And those that are no orders.
    fn event(&self, kind: &str, cause: &str, at: &str) -> Value {
        let mut event = self.subject(kind, cause);
        event["at"] = json!(at);
        event["redeem_by"] = json!(self.redeem_by());
        for field in ["credit", "merchant_id"] {
            event[field] = self.offer[field].clone();
        }
        event
    }

    fn redeem_by(&self) -> String {
        let given = self.offer.get("redeem_by").unwrap_or(&self.offer["ends_at"]);
        given.as_str().unwrap_or_default().to_owned()
    }
}
