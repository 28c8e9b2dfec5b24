//! Inbox records as JSON, written by hand so that they owe nothing to the program.

use serde_json::{Value, json};

use crate::common::model::HOUR;

/// 4 May 2016, 9:00 UTC.
pub const START: i64 = 1_462_352_400_000;
/// The epoch of tweet ids.
const ID_EPOCH: i64 = 1_288_834_974_657;

pub const SECRET: &[u8] = b"a secret for tests";

/// An id of this tweet time; `n` keeps ids of one time apart.
pub fn tweet_id(time: i64, n: u64) -> u64 {
    ((time - ID_EPOCH) as u64) << 22 | n
}

pub fn time(millis: i64) -> String {
    hashbuy::core::time::Time::from_millis(millis).to_string()
}

pub fn bytes(record: &Value) -> Vec<u8> {
    let mut record = record.clone();
    record["v"] = json!(1);
    serde_json::to_vec(&record).unwrap()
}

/// The settings of the tests: windows and limits so small that they are met all the time.
pub fn settings(revision: u64) -> Value {
    let mut settings = serde_json::to_value(hashbuy::core::settings::Settings::default()).unwrap();
    settings["revision"] = json!(revision);
    settings
}

pub fn mark(time_of: i64, settings: &Value) -> Value {
    json!({"type": "mark", "time": time(time_of), "settings": settings})
}

/// An offer, open for ten days around the start.
pub fn offer(id: &str, version: u64, price: i64) -> Value {
    json!({
        "offer_id": id, "version": version, "kind": "purchase", "status": "open",
        "price": {"amount": price, "currency": "USD"},
        "hashtag": format!("#Get{id}"), "product": format!("A {id}"), "merchant_id": "m-1",
        "starts_at": time(START - 24 * HOUR), "ends_at": time(START + 240 * HOUR),
        "per_account": 1, "cancel_pending": false,
    })
}

pub fn with(mut record: Value, field: &str, value: Value) -> Value {
    record[field] = value;
    record
}

pub fn account(id: u64, status: &str, linked_at: i64) -> Value {
    json!({
        "account_id": id.to_string(), "screen_name": format!("a{id}"), "card_token": format!("tok{id}"),
        "delivery_ref": format!("door{id}"), "status": status, "linked_at": time(linked_at),
    })
}

/// The record of an account table at an offset; null unlinks.
pub fn account_record(id: u64, offset: u64, record: Value) -> Value {
    json!({
        "type": "account", "account_id": id.to_string(), "position": {"epoch": 0, "offset": offset},
        "account": record,
    })
}

/// A tweet with these codes (eight characters each) and offers. `chain` is the first id of its chain.
pub fn sighting(account: u64, tweet: u64, chain: u64, at: i64, codes: &[&str], offers: &[&Value]) -> Value {
    let codes: Vec<Value> =
        codes.iter().map(|code| json!({"hashtag": format!("#confirm{code}"), "code": code})).collect();
    let offers: Vec<Value> =
        offers.iter().map(|offer| json!({"hashtag": offer["hashtag"], "offer": offer})).collect();
    json!({
        "type": "sighting", "account": account.to_string(), "tweet_id": tweet.to_string(),
        "first_id": chain.to_string(), "time": time(at), "codes": codes, "offers": offers,
    })
}

pub fn deletion(account: u64, tweet: u64) -> Value {
    json!({"type": "deletion", "account": account.to_string(), "tweet_id": tweet.to_string()})
}

/// A coupon of `m-4`: 10 dollars for 50, open for ten days around the start, to be redeemed within twelve.
pub fn coupon(id: &str, version: u64) -> Value {
    let mut coupon = offer(id, version, 0);
    coupon.as_object_mut().unwrap().remove("price");
    coupon["kind"] = json!("coupon");
    coupon["merchant_id"] = json!("m-4");
    coupon["credit"] = json!({"amount": 1_000, "currency": "USD"});
    coupon["min_spend"] = json!({"amount": 5_000, "currency": "USD"});
    coupon["redeem_by"] = json!(time(START + 288 * HOUR));
    coupon
}

/// A payment of so many cents at `m-4`.
pub fn payment(id: &str, card: &str, at: i64, amount: i64) -> Value {
    json!({
        "type": "transaction", "transaction_id": id, "card_token": card, "merchant_id": "m-4",
        "amount": {"amount": amount, "currency": "USD"}, "kind": "payment", "at": time(at),
    })
}

/// The refund of so many cents of a payment.
pub fn refund(id: &str, of: &str, card: &str, at: i64, amount: i64) -> Value {
    let refund = with(payment(id, card, at, amount), "kind", json!("refund"));
    with(refund, "of", json!(of))
}

pub fn progress(time_of: i64) -> Value {
    json!({"type": "progress", "time": time(time_of)})
}
