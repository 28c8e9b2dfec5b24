//! Cases in which the desk did not do what the rules say: the smallest of each.

use serde_json::{Value, json};

use crate::common::model::{DAY, HOUR};
use crate::inputs::{
    START, account, account_record, coupon, mark, offer, payment, progress, settings, sighting, tweet_id,
    with,
};
use crate::run::run_of;

/// A coupon on its way to `tok1`, tweeted at the start.
fn load(id: &str, n: u64) -> Value {
    json!({
        "type": "load", "account": "1", "card_token": "tok1", "offer": coupon(id, 1),
        "tweet_id": tweet_id(START, n).to_string(), "time": "2016-05-04T09:00:00.000Z",
        "hashtag": format!("#Get{id}"), "to": "a1",
    })
}

fn begin() -> Vec<Value> {
    let record = account(1, "active", START - 2 * DAY);
    vec![mark(START, &settings(1)), account_record(1, 1, record)]
}

/// Whether a payment redeems a coupon must not hang on another one.
#[test]
fn a_payment_with_a_coupon_waits_no_longer_than_others() {
    let paid = payment("p", "tok1", START, 5_000);
    let all = [load("shoes", 1), paid, progress(START + DAY + 1), load("bags", 2)];
    let run = run_of(&[begin(), all.to_vec()].concat()).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(run.seen["coupon.redeemed"], 1);
}

#[test]
fn a_payment_while_the_account_was_frozen_never_redeems() {
    let paid = payment("p", "tok1", START, 5_000);
    let standing =
        |active: bool| json!({"type": "standing", "card_token": "tok1", "account": "1", "active": active});
    let frozen = [load("shoes", 1), standing(false), paid.clone(), progress(START + DAY + 1)];
    let back = [standing(true), paid];
    let run = run_of(&[&begin()[..], &frozen, &back].concat()).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(run.seen.get("coupon.redeemed"), None);
}

#[test]
fn one_answered_refusal_a_minute_however_late_the_card_says_no() {
    let closed = with(offer("tea", 1, 1), "status", json!("withdrawn"));
    let (refused, passed) = (tweet_id(START, 1), tweet_id(START, 2));
    let all = [
        sighting(1, refused, refused, START, &[], &[&closed]),
        sighting(1, passed, passed, START, &[], &[&coupon("shoes", 1)]),
        mark(START + 9 * HOUR, &settings(1)),
        with(load("shoes", 2), "type", json!("not_loaded")),
    ];
    run_of(&[begin(), all.to_vec()].concat()).unwrap_or_else(|e| panic!("{e}"));
}
