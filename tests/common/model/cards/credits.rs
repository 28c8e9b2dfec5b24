//! The events of a coupon, and the messages between an account and its card, as JSON.

use hashbuy::core::inbox::Load;
use hashbuy::core::money::Money;
use hashbuy::core::transaction::Transaction;
use serde_json::{Map, Value, json};

use super::super::Output;
use super::super::written::{About, event, reply, time};
use super::Coupon;

pub fn loaded(coupon: &Coupon) -> Value {
    let load = &coupon.load;
    let mut details = details(coupon);
    details["tweet_id"] = json!(load.tweet_id.to_string());
    details["reply"] = reply(load.to.as_deref(), load.tweet_id.get());
    let cause = load.tweet_id.to_string();
    event("coupon.loaded", about(coupon, cause), "", load.time.millis(), details)
}

pub fn expired(coupon: &Coupon) -> Value {
    let cause = coupon.load.tweet_id.to_string();
    event("coupon.expired", about(coupon, cause), "", coupon.redeem_by, details(coupon))
}

/// What a payment earns or a refund takes back, with the order directly behind it.
pub fn credit(what: &str, coupon: &Coupon, by: &Transaction, out: &mut Vec<Output>) {
    let order = if what == "redeemed" { "order.credited" } else { "order.credit_reversed" };
    let credited = coupon.redeemed.as_ref().map(|redeemed| money(redeemed.credited));
    let about = || about(coupon, by.transaction_id.clone());
    let mut details = details(coupon);
    details["transaction_id"] = json!(by.transaction_id);
    details["credited"] = json!(credited);
    out.push(Output::Event(event(&format!("coupon.{what}"), about(), "", by.at.millis(), details)));
    let details = json!({
        "card_token": coupon.load.card_token.as_str(),
        "transaction_id": by.transaction_id,
        "credited": credited,
    });
    out.push(Output::Order(event(order, about(), "", by.at.millis(), details)));
}

/// `load` or `not_loaded`, as it stands in the inbox.
pub fn message(kind: &str, load: &Load) -> Value {
    let mut message = Map::new();
    message.insert("type".into(), kind.into());
    message.insert("account".into(), load.account.to_string().into());
    message.insert("card_token".into(), load.card_token.as_str().into());
    message.insert("offer".into(), json!(load.offer));
    message.insert("tweet_id".into(), load.tweet_id.to_string().into());
    message.insert("time".into(), time(load.time.millis()).into());
    message.insert("hashtag".into(), load.hashtag.clone().into());
    if let Some(to) = &load.to {
        message.insert("to".into(), to.clone().into());
    }
    message.into()
}

fn about(coupon: &Coupon, cause: String) -> About<'_> {
    let load = &coupon.load;
    let offer = Some((load.offer.offer_id.as_str(), load.offer.version));
    About { account: load.account.get(), purchase: None, offer, cause }
}

fn details(coupon: &Coupon) -> Value {
    json!({
        "credit": money(coupon.credit),
        "merchant_id": coupon.load.offer.merchant_id,
        "redeem_by": time(coupon.redeem_by),
    })
}

fn money(money: Money) -> Value {
    json!({"amount": money.amount, "currency": money.currency.code()})
}
