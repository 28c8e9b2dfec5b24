//! The events as JSON, by the contract. A reply has no `text` here: its wording is free.

use hashbuy::core::inbox::Confirmation;
use hashbuy::core::offer::Offer;
use hashbuy::core::time::Time;
use serde_json::{Map, Value, json};

use super::accounts::Purchase;
use super::codes::event_id;

/// What an event is about.
pub struct About<'a> {
    pub account: u64,
    pub purchase: Option<&'a str>,
    /// Id and version.
    pub offer: Option<(&'a str, u64)>,
    /// The tweet or the card transaction that its id is made of.
    pub cause: String,
}

/// RFC 3339 with milliseconds.
pub fn time(millis: i64) -> String {
    Time::from_millis(millis).to_string()
}

pub fn reply(to: Option<&str>, tweet: u64) -> Value {
    match to {
        Some(to) => json!({"in_reply_to": tweet.to_string(), "to": to}),
        None => json!({"in_reply_to": tweet.to_string()}),
    }
}

/// The fields of all events and those of this type; what is null is left out.
pub fn event(kind: &str, about: About, tag: &str, at: i64, details: Value) -> Value {
    let account = about.account.to_string();
    let what = about.offer.map_or(tag, |(id, _)| id);
    let mut event = json!({
        "type": kind,
        "event_id": event_id(kind, about.purchase.unwrap_or(&account), &about.cause, what),
        "account_id": account,
        "at": time(at),
        "purchase_id": about.purchase,
        "offer_id": about.offer.map(|(id, _)| id),
        "offer_version": about.offer.map(|(_, version)| version),
    });
    if let (Value::Object(all), Value::Object(details)) = (&mut event, details) {
        all.extend(details);
        all.retain(|_, value| !value.is_null());
    }
    event
}

fn about_purchase(account: u64, p: &Purchase, cause: u64) -> About<'_> {
    About {
        account,
        purchase: Some(&p.id),
        offer: Some((&p.offer.offer_id, p.offer.version)),
        cause: cause.to_string(),
    }
}

pub fn requested(account: u64, p: &Purchase) -> Value {
    let details = json!({
        "offer_tweet_id": p.first_tweet.to_string(),
        "code": p.hashtag,
        "issued_at": time(p.issued_at),
        "deadline": time(p.deadline),
        "price": price(&p.offer),
        "product": p.offer.product,
        "reply": reply(p.to.as_deref(), p.own_tweet),
    });
    event("purchase.requested", about_purchase(account, p, p.own_tweet), "", p.issued_at, details)
}

pub fn reminded(account: u64, p: &Purchase, tweet: u64, at: i64, to: Option<&str>) -> Value {
    let details = json!({
        "offer_tweet_id": p.first_tweet.to_string(),
        "tweet_id": tweet.to_string(),
        "code": p.hashtag,
        "deadline": time(p.deadline),
        "reply": reply(to, tweet),
    });
    event("purchase.reminded", about_purchase(account, p, tweet), "", at, details)
}

pub fn lapsed(account: u64, p: &Purchase) -> Value {
    let details = json!({
        "offer_tweet_id": p.first_tweet.to_string(),
        "deadline": time(p.deadline),
        "reply": reply(p.to.as_deref(), p.own_tweet),
    });
    event("purchase.lapsed", about_purchase(account, p, p.first_tweet), "", p.deadline, details)
}

pub fn cancelled(account: u64, p: &Purchase, cause: &str, desk_time: i64) -> Value {
    let details = json!({"offer_tweet_id": p.first_tweet.to_string(), "cause": cause});
    event("purchase.cancelled", about_purchase(account, p, p.first_tweet), "", desk_time, details)
}

/// Cancelled by the stock: nothing is left.
pub fn sold_out(c: &Confirmation, desk_time: i64) -> Value {
    let details = json!({
        "offer_tweet_id": c.offer_tweet.to_string(),
        "cause": "sold_out",
        "reply": reply(c.to.as_deref(), c.confirm_tweet.get()),
    });
    of_confirmation("purchase.cancelled", c, c.offer_tweet.get(), desk_time, details)
}

pub fn confirmed(c: &Confirmation) -> Value {
    let details = json!({
        "offer_tweet_id": c.offer_tweet.to_string(),
        "confirm_tweet_id": c.confirm_tweet.to_string(),
        "confirmed_at": time(c.confirmed_at.millis()),
        "price": price(&c.offer),
        "product": c.offer.product,
        "merchant_id": c.offer.merchant_id,
        "reply": reply(c.to.as_deref(), c.confirm_tweet.get()),
    });
    of_confirmation("purchase.confirmed", c, c.confirm_tweet.get(), c.confirmed_at.millis(), details)
}

pub fn order(c: &Confirmation) -> Value {
    let details = json!({
        "product": c.offer.product,
        "merchant_id": c.offer.merchant_id,
        "price": price(&c.offer),
        "card_token": c.card_token,
        "delivery_ref": c.delivery_ref,
        "confirmed_at": time(c.confirmed_at.millis()),
    });
    of_confirmation("order.placed", c, c.confirm_tweet.get(), c.confirmed_at.millis(), details)
}

/// The message to the stock: the confirmation as it stands in the inbox.
pub fn submitted(c: &Confirmation) -> Value {
    let mut message = Map::new();
    message.insert("type".into(), "submitted".into());
    message.insert("account".into(), c.account.to_string().into());
    message.insert("purchase_id".into(), c.purchase_id.to_string().into());
    message.insert("offer".into(), json!(c.offer));
    message.insert("offer_tweet".into(), c.offer_tweet.to_string().into());
    message.insert("confirm_tweet".into(), c.confirm_tweet.to_string().into());
    message.insert("confirmed_at".into(), time(c.confirmed_at.millis()).into());
    if let Some(to) = &c.to {
        message.insert("to".into(), to.clone().into());
    }
    message.insert("card_token".into(), c.card_token.clone().into());
    message.insert("delivery_ref".into(), c.delivery_ref.clone().into());
    message.into()
}

fn of_confirmation(kind: &str, c: &Confirmation, cause: u64, at: i64, details: Value) -> Value {
    let purchase = c.purchase_id.to_string();
    let offer = Some((c.offer.offer_id.as_str(), c.offer.version));
    let about =
        About { account: c.account.get(), purchase: Some(&purchase), offer, cause: cause.to_string() };
    event(kind, about, "", at, details)
}

fn price(offer: &Offer) -> Value {
    let price = offer.amount();
    json!({"amount": price.amount, "currency": price.currency.code()})
}
