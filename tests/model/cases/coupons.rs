//! Coupons: loaded by a tweet, redeemed by a payment, reversed by refunds, and when they expire.

mod account;
mod time;

use serde_json::{Value, json};

use super::*;
use crate::inputs::{coupon, payment, progress, refund};

const CARD: &str = "tok1";
const REDEEM_BY: i64 = START + 288 * HOUR;
const REDEEMED: [&str; 2] = ["coupon.redeemed", "order.credited"];
const REVERSED: [&str; 2] = ["coupon.reversed", "order.credit_reversed"];

fn shoes() -> Value {
    coupon("shoes", 1)
}

impl Stage {
    /// A record, and then the messages that come of it, each in turn: all events and orders.
    fn through(&mut self, at: i64, record: &Value) -> Vec<String> {
        self.at(at, record);
        let (mut all, mut next) = (vec![], self.outputs.clone());
        while !next.is_empty() {
            match next.remove(0) {
                Output::Message(message) => {
                    self.at(at, &message);
                    next.extend(self.outputs.clone());
                }
                event => all.push(event),
            }
        }
        self.outputs = all;
        self.outputs.iter().map(words).collect()
    }

    /// A coupon's tweet, read at once, with all that comes of it.
    fn load(&mut self, at: i64, coupon: &Value) -> Vec<String> {
        let id = self.id(at);
        self.through(at, &sighting(ANNA, id, id, at, &[], &[coupon]))
    }

    /// A payment of so many cents.
    fn pay(&mut self, id: &str, at: i64, amount: i64) -> Vec<String> {
        self.at(at, &payment(id, CARD, at, amount))
    }

    fn refund(&mut self, id: &str, of: &str, at: i64, amount: i64) -> Vec<String> {
        self.at(at, &refund(id, of, CARD, at, amount))
    }

    fn progress(&mut self, to: i64) -> Vec<String> {
        self.at(START, &progress(to))
    }

    fn record(&mut self, status: &str) -> Vec<String> {
        let offset = self.offset;
        let record = account(ANNA, status, START - 2 * DAY);
        self.through(START, &account_record(ANNA, offset, record))
    }
}

/// A stage with the coupon on the card since the start.
fn with_shoes() -> Stage {
    let mut stage = Stage::new();
    assert_eq!(stage.load(START, &shoes()), ["coupon.loaded"]);
    stage
}

#[test]
fn the_events_word_by_word() {
    let mut stage = with_shoes();
    let common = json!({
        "account_id": "1", "offer_id": "shoes", "offer_version": 1, "merchant_id": "m-4",
        "credit": {"amount": 1_000, "currency": "USD"}, "redeem_by": "2016-05-16T09:00:00.000Z",
    });
    let is = |found: &Value, fields: Value| {
        let mut expected = common.clone();
        expected.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        assert_eq!(*found, expected);
    };
    let loaded = json!({
        "type": "coupon.loaded", "event_id": "d2dd2aab-248c-5c62-9dfe-be49585d3a2d",
        "at": "2016-05-04T09:00:00.000Z", "tweet_id": "727784831185846273",
        "reply": {"in_reply_to": "727784831185846273", "to": "a1"},
    });
    is(stage.event(0), loaded);
    assert_eq!(stage.pay("t-88", START + HOUR, 6_200), REDEEMED);
    let redeemed = json!({
        "type": "coupon.redeemed", "event_id": "521409e5-ebc8-5cd1-9eeb-5de402964337",
        "at": "2016-05-04T10:00:00.000Z", "transaction_id": "t-88",
        "credited": {"amount": 1_000, "currency": "USD"},
    });
    is(stage.event(0), redeemed);
    let order = |kind: &str, id: &str, at: &str, transaction: &str| {
        json!({
            "type": kind, "event_id": id, "account_id": "1", "at": at, "offer_id": "shoes", "offer_version": 1,
            "card_token": "tok1", "transaction_id": transaction,
            "credited": {"amount": 1_000, "currency": "USD"},
        })
    };
    let credited = "f3aeaf60-6308-5a80-bc0e-d0dd0ac12618";
    assert_eq!(*stage.event(1), order("order.credited", credited, "2016-05-04T10:00:00.000Z", "t-88"));
    assert_eq!(stage.refund("t-93", "t-88", START + 2 * HOUR, 6_200), REVERSED);
    let reversed = json!({
        "type": "coupon.reversed", "event_id": "7ad9bb22-644b-580e-8d0d-3194f30ee1a1",
        "at": "2016-05-04T11:00:00.000Z", "transaction_id": "t-93",
        "credited": {"amount": 1_000, "currency": "USD"},
    });
    is(stage.event(0), reversed);
    let taken_back = "8604ca8d-2e90-57c7-94d9-9cdb801b2de5";
    assert_eq!(
        *stage.event(1),
        order("order.credit_reversed", taken_back, "2016-05-04T11:00:00.000Z", "t-93")
    );

    let mut stage = with_shoes();
    assert_eq!(stage.progress(REDEEM_BY + 7 * DAY), ["coupon.expired"]);
    let expired = json!({
        "type": "coupon.expired", "event_id": "7a6c7233-bf7c-574e-9dba-b1dd458abd34",
        "at": "2016-05-16T09:00:00.000Z",
    });
    is(stage.event(0), expired);
}

#[test]
fn which_payments_redeem() {
    let after = |change: &dyn Fn(&mut Value)| {
        let mut record = payment("t1", CARD, START, 5_000);
        change(&mut record);
        with_shoes().at(START, &record).len()
    };
    assert_eq!(after(&|_| {}), 2);
    assert_eq!(after(&|p| p["amount"]["amount"] = json!(4_999)), 0);
    assert_eq!(after(&|p| p["amount"]["currency"] = json!("EUR")), 0);
    assert_eq!(after(&|p| p["merchant_id"] = json!("m-5")), 0);
    assert_eq!(after(&|p| p["card_token"] = json!("tok2")), 0);
    assert_eq!(after(&|p| p["at"] = json!(time(START - 1))), 0);
    assert_eq!(after(&|p| p["at"] = json!(time(REDEEM_BY))), 2);
    assert_eq!(after(&|p| p["at"] = json!(time(REDEEM_BY + 1))), 0);

    let with_coupon = |coupon: Value, amount: i64| {
        let mut stage = Stage::new();
        stage.load(START, &coupon);
        stage.pay("t1", START, amount);
        stage.outputs.first().map(|_| stage.event(0)["credited"]["amount"].clone())
    };
    let mut any = shoes();
    any.as_object_mut().unwrap().remove("min_spend");
    assert_eq!(with_coupon(any.clone(), 0), None);
    assert_eq!(with_coupon(any.clone(), 1), Some(json!(1)));
    assert_eq!(with_coupon(any.clone(), 999), Some(json!(999)));
    assert_eq!(with_coupon(any.clone(), 1_001), Some(json!(1_000)));
    let zero = with(shoes(), "min_spend", json!({"amount": 0, "currency": "USD"}));
    assert_eq!(with_coupon(zero.clone(), 0), None);
    assert_eq!(with_coupon(zero, 1), Some(json!(1)));
    let euros = with(shoes(), "min_spend", json!({"amount": 1, "currency": "EUR"}));
    assert_eq!(with_coupon(euros, 9_000), None);
    any.as_object_mut().unwrap().remove("merchant_id");
    assert_eq!(with_coupon(any, 9_000), None);
}

#[test]
fn a_coupon_is_redeemed_once_and_a_payment_may_redeem_several() {
    let mut stage = with_shoes();
    stage.load(START + 1, &with(coupon("hats", 1), "merchant_id", json!("m-5")));
    stage.load(START - 1, &coupon("bags", 1));
    assert_eq!(stage.pay("t1", START, 7_000), [REDEEMED, REDEEMED].concat());
    let offers: Vec<&Value> = (0..4).map(|n| &stage.event(n)["offer_id"]).collect();
    assert_eq!(offers, ["shoes", "shoes", "bags", "bags"]);
    assert_eq!(stage.pay("t1", START, 7_000), NONE);
    assert_eq!(stage.pay("t2", START + 1, 7_000), NONE);
    // The redeemed one is still the card's only one of its offer.
    let account_of_two = with(shoes(), "per_account", json!(2));
    assert_eq!(stage.load(START + 2, &account_of_two), ["refused limit_reached"]);
}

#[test]
fn refunds_that_leave_too_little_reverse_once() {
    let paid = || {
        let mut stage = with_shoes();
        assert_eq!(stage.pay("p", START, 6_000), REDEEMED);
        stage
    };
    let mut stage = paid();
    assert_eq!(stage.refund("r1", "other", START, 6_000), NONE);
    assert_eq!(stage.refund("r2", "p", START, 400), NONE);
    assert_eq!(stage.refund("r2", "p", START, 5_600), NONE, "the same id");
    assert_eq!(stage.refund("r3", "p", START, 600), NONE, "exactly the least");
    let euros = json!({"amount": 6_000, "currency": "EUR"});
    assert_eq!(stage.at(START, &with(refund("r4", "p", CARD, START, 0), "amount", euros)), NONE);
    assert_eq!(stage.at(START, &refund("r5", "p", "tok2", START, 6_000)), NONE, "another card");
    assert_eq!(stage.refund("r6", "p", START + 9, 1), REVERSED);
    assert_eq!(stage.event(0)["transaction_id"], "r6");
    assert_eq!(stage.event(0)["credited"], json!({"amount": 1_000, "currency": "USD"}));
    assert_eq!(stage.refund("r7", "p", START + 9, 4_999), NONE);
    // What was taken back is not earned again.
    assert_eq!(stage.pay("p2", START, 6_000), NONE);

    let mut any = shoes();
    any.as_object_mut().unwrap().remove("min_spend");
    let mut stage = Stage::new();
    stage.load(START, &any);
    stage.load(START, &coupon("bags", 1));
    assert_eq!(stage.pay("p", START, 6_000), [REDEEMED, REDEEMED].concat());
    assert_eq!(stage.refund("r1", "p", START, 5_999), REVERSED);
    assert_eq!(stage.event(0)["offer_id"], "bags");
    assert_eq!(stage.refund("r2", "p", START, 1), REVERSED);
    assert_eq!(stage.event(0)["offer_id"], "shoes");
}

#[test]
fn a_refund_before_its_payment() {
    let mut stage = with_shoes();
    assert_eq!(stage.refund("r1", "p", START + 1, 500), NONE);
    assert_eq!(stage.refund("r2", "p", START + 3, 501), NONE);
    assert_eq!(stage.refund("r3", "p", START + 2, 4_000), NONE);
    assert_eq!(stage.pay("p", START, 6_000), [REDEEMED, REVERSED].concat());
    assert_eq!(stage.event(2)["transaction_id"], "r2");
    assert_eq!(stage.event(2)["at"], json!(time(START + 3)));

    // Refund, payment, and then the coupon.
    let mut stage = Stage::new();
    assert_eq!(stage.refund("r", "p", START + 1, 6_000), NONE);
    assert_eq!(stage.pay("p", START, 6_000), NONE);
    assert_eq!(
        stage.load(START, &shoes()),
        ["coupon.loaded", REDEEMED[0], REDEEMED[1], REVERSED[0], REVERSED[1]]
    );
}

#[test]
fn of_the_payments_before_the_load_the_first_redeems() {
    let mut stage = Stage::new();
    for (id, at, amount) in
        [("d", 2, 9_000), ("c", 1, 9_000), ("b", 1, 9_000), ("a", 0, 4_999), ("e", -1, 9_000)]
    {
        assert_eq!(stage.pay(id, START + at, amount), NONE);
    }
    assert_eq!(stage.load(START, &shoes()), ["coupon.loaded", REDEEMED[0], REDEEMED[1]]);
    assert_eq!(stage.event(1)["transaction_id"], "b");
    // It may redeem a coupon of another offer too.
    assert_eq!(stage.load(START + 1, &coupon("bags", 1)), ["coupon.loaded", REDEEMED[0], REDEEMED[1]]);
    assert_eq!(stage.event(1)["transaction_id"], "b");
}
