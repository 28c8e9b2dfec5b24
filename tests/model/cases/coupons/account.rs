//! What the account decides: which tags it passes on, its units, and when it stops or starts to be active.

use super::*;

#[test]
fn why_a_tag_is_not_passed_on() {
    let tag = |at: i64, now: i64, coupon: Value| {
        let mut stage = Stage::new();
        let id = stage.id(at);
        stage.step(&sighting(ANNA, id, id, at, &[], &[&coupon]), now, now)
    };
    assert_eq!(tag(START, START + HOUR, shoes()), ["-> load"]);
    assert_eq!(tag(START, START + HOUR + 1, shoes()), ["refused too_old"]);
    assert_eq!(tag(START, START, with(shoes(), "starts_at", json!(time(START + 1)))), ["refused not_open"]);
    assert_eq!(tag(START, START, with(shoes(), "ends_at", json!(time(START - 1)))), ["refused not_open"]);
    assert_eq!(tag(START, START, with(shoes(), "status", json!("withdrawn"))), ["refused not_open"]);

    let mut stage = Stage::new();
    stage.link(account(ANNA, "active", START - HOUR + 1));
    assert_eq!(stage.load(START, &shoes()), ["refused on_hold"]);
    assert_eq!(stage.load(START + 1, &shoes()), ["coupon.loaded"]);
    stage.record("frozen");
    assert_eq!(stage.load(START + MINUTE, &coupon("bags", 1)), ["refused frozen"]);
    stage.at(START, &account_record(ANNA, 99, Value::Null));
    assert_eq!(stage.load(START + MINUTE, &coupon("bags", 1)), ["refused not_linked"]);

    let mut stage = Stage::new();
    let id = stage.id(START);
    let tweet = sighting(ANNA, id, id, START, &[], &[&shoes()]);
    assert_eq!(stage.at(START, &with(tweet.clone(), "protected", json!(true))), ["refused protected"]);
    assert_eq!(stage.at(START, &tweet), NONE, "decided");
    let id = stage.id(START);
    stage.at(START, &deletion(ANNA, id));
    assert_eq!(stage.at(START, &sighting(ANNA, id, id, START, &[], &[&shoes()])), NONE, "deleted");
}

#[test]
fn neither_pendings_nor_requests_nor_amounts_limit_coupons() {
    let mut stage = Stage::new();
    let own = json!({"per_day": {"amount": 1, "currency": "EUR"}, "pendings": 0, "requests_per_hour": 0});
    stage.link(with(account(ANNA, "active", START - 2 * DAY), "caps", own));
    for n in 0..30 {
        assert_eq!(stage.load(START + n, &coupon(&format!("c{n}"), 1)), ["coupon.loaded"]);
    }
    // Nor do coupons use up what purchases may have.
    stage.link(account(ANNA, "active", START - 2 * DAY));
    assert_eq!(stage.tweet(START, &[], &[&offer("tea", 1, 100_000)]), ["requested"]);
}

#[test]
fn units_are_counted_when_they_are_passed_on_and_given_back() {
    let mut stage = Stage::new();
    let two = with(shoes(), "per_account", json!(2));
    assert_eq!(stage.tweet(START, &[], &[&two]), ["-> load"]);
    let first = stage.event(0).clone();
    assert_eq!(stage.tweet(START, &[], &[&with(two.clone(), "version", json!(2))]), ["-> load"]);
    let second = stage.event(0).clone();
    assert_eq!(stage.tweet(START, &[], &[&two]), ["refused limit_reached"]);
    assert_eq!(stage.at(START, &first), ["coupon.loaded"]);
    assert_eq!(stage.at(START, &second), ["-> not_loaded"]);
    let back = stage.event(0).clone();
    assert_eq!(back, with(second.clone(), "type", json!("not_loaded")));
    // Answered less than a minute before.
    assert_eq!(stage.at(START, &back), ["refused limit_reached -"]);
    let fields = ["tweet_id", "offer_version", "hashtag", "at"].map(|field| stage.event(0)[field].clone());
    let tweet = second["tweet_id"].clone();
    assert_eq!(fields, [tweet, json!(2), json!("#Getshoes"), json!("2016-05-04T09:00:00.000Z")]);
    // There is a unit again: from another card it is loaded.
    stage.link(with(account(ANNA, "active", START - 2 * DAY), "card_token", json!("tok7")));
    assert_eq!(stage.load(START + MINUTE, &two), ["coupon.loaded"]);
    assert_eq!(stage.load(START + MINUTE, &two), ["refused limit_reached"]);
}

#[test]
fn one_coupon_of_an_offer_for_a_card_that_two_share() {
    let mut stage = with_shoes();
    let shared = with(account(2, "active", START - 2 * DAY), "card_token", json!(CARD));
    stage.at(START, &account_record(2, 1, shared));
    let id = stage.id(START);
    let tweet = sighting(2, id, id, START, &[], &[&shoes(), &coupon("bags", 1)]);
    assert_eq!(stage.through(START, &tweet), ["coupon.loaded", "refused limit_reached"]);
    assert_eq!(stage.event(1)["reply"], json!({"in_reply_to": id.to_string(), "to": "a2"}));
    assert_eq!(stage.pay("t1", START, 5_000), [REDEEMED, REDEEMED].concat());
    assert_eq!((&stage.event(0)["account_id"], &stage.event(2)["account_id"]), (&json!("1"), &json!("2")));
}

#[test]
fn a_frozen_or_unlinked_account_redeems_nothing_until_it_is_back() {
    for status in ["frozen", "unlinked"] {
        let mut stage = with_shoes();
        let gone = if status == "frozen" { account(ANNA, "frozen", START - 2 * DAY) } else { Value::Null };
        assert_eq!(stage.link(gone.clone()), ["-> standing"]);
        let stop = json!({"type": "standing", "card_token": "tok1", "account": "1", "active": false});
        assert_eq!(*stage.event(0), stop);
        assert_eq!(stage.at(START, &stop), NONE);
        assert_eq!(stage.link(gone), NONE, "no change");
        assert_eq!(stage.pay("t1", START + 1, 5_000), NONE);
        // Linked again with another card: the coupon stays where it is.
        let back = with(account(ANNA, "active", START - 2 * DAY), "card_token", json!("tok7"));
        assert_eq!(stage.link(back), ["-> standing"]);
        let start = json!({"type": "standing", "card_token": "tok1", "account": "1", "active": true});
        assert_eq!(*stage.event(0), start);
        assert_eq!(stage.at(START, &start), NONE);
        assert_eq!(stage.pay("t1", START + 1, 5_000), NONE);
        assert_eq!(stage.at(START, &payment("t2", "tok7", START, 5_000)), NONE);
        assert_eq!(stage.pay("t3", START, 5_000), REDEEMED);
        // What was earned is taken back even from a frozen account.
        stage.record("frozen");
        assert_eq!(stage.refund("r", "t3", START, 1), REVERSED);
    }
}

#[test]
fn every_card_with_coupons_is_told_once() {
    let mut stage = with_shoes();
    stage.load(START, &coupon("bags", 1));
    stage.link(with(account(ANNA, "active", START - 2 * DAY), "card_token", json!("tok7")));
    stage.load(START, &coupon("hats", 1));
    assert_eq!(stage.link(Value::Null), ["-> standing", "-> standing"]);
    let cards = [0, 1].map(|n| stage.event(n)["card_token"].clone());
    assert_eq!(cards, ["tok1", "tok7"]);
}
