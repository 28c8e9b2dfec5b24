//! How long coupons, payments, refunds and cards are remembered, by which time.

use super::*;

#[test]
fn a_payment_waits_a_day_for_its_coupon() {
    let after = |time_passed: i64| {
        let mut stage = Stage::new();
        stage.pay("p", START, 5_000);
        stage.progress(START + time_passed);
        stage.load(START, &shoes()).len()
    };
    assert_eq!(after(DAY), 3);
    assert_eq!(after(DAY + 1), 1);
}

#[test]
fn a_refund_waits_a_day_for_its_payment() {
    let after = |time_passed: i64| {
        let mut stage = with_shoes();
        stage.refund("r", "p", START + 5, 5_000);
        stage.progress(START + 5 + time_passed);
        stage.pay("p", START, 5_000).len()
    };
    assert_eq!(after(DAY), 4);
    assert_eq!(after(DAY + 1), 2);
}

#[test]
fn a_coupon_expires_a_week_after_its_last_moment() {
    let mut stage = with_shoes();
    stage.load(START, &coupon("bags", 1));
    assert_eq!(stage.mark(REDEEM_BY + 60 * DAY), NONE, "by the transactions' time alone");
    assert_eq!(stage.progress(REDEEM_BY + 7 * DAY - 1), NONE);
    // What was paid in time and comes late counts.
    let mut other = with_shoes();
    other.progress(REDEEM_BY + 7 * DAY - 1);
    assert_eq!(other.pay("p", REDEEM_BY, 5_000), REDEEMED);
    assert_eq!(other.progress(REDEEM_BY + 7 * DAY), NONE);
    assert_eq!(stage.progress(REDEEM_BY + 7 * DAY), ["coupon.expired", "coupon.expired"]);
    assert_eq!(stage.pay("p", REDEEM_BY, 5_000), NONE);
    assert_eq!(stage.progress(REDEEM_BY + 8 * DAY), NONE);
}

#[test]
fn a_frozen_account_s_coupon_expires_too() {
    let mut stage = with_shoes();
    stage.record("frozen");
    assert_eq!(stage.progress(REDEEM_BY + 7 * DAY), ["coupon.expired"]);
}

#[test]
fn the_transactions_time_never_goes_back() {
    let mut stage = with_shoes();
    stage.pay("p", START - 1, 5_000);
    stage.progress(START + DAY);
    stage.progress(START);
    assert_eq!(stage.load(START - 1, &coupon("bags", 1)), ["coupon.loaded"]);
}

#[test]
fn a_coupon_and_its_transactions_are_forgotten_after_thirty_days() {
    let many = with(with(shoes(), "per_account", json!(9)), "ends_at", json!(time(START + 90 * DAY)));
    let mut stage = Stage::new();
    stage.load(START, &many);
    stage.pay("p", START, 6_000);
    stage.progress(REDEEM_BY + 30 * DAY);
    assert_eq!(stage.pay("p", START, 6_000), NONE, "known");
    assert_eq!(stage.load(START + MINUTE, &many), ["refused limit_reached"]);
    let mut other = Stage::new();
    other.load(START, &many);
    other.pay("p", START, 6_000);
    other.progress(REDEEM_BY + 30 * DAY + 1);
    assert_eq!(other.refund("r", "p", START, 6_000), NONE);
    assert_eq!(other.load(START + MINUTE, &many), ["coupon.loaded", "coupon.expired"]);
    assert_eq!(stage.refund("r", "p", START, 6_000), REVERSED);
}

#[test]
fn the_account_forgets_its_cards_thirty_days_after_the_last_coupon_by_desk_time() {
    for (passed, messages) in [(0, 1), (1, 0)] {
        let mut stage = with_shoes();
        stage.load(START, &with(coupon("bags", 1), "redeem_by", json!(time(START))));
        stage.mark(REDEEM_BY + 30 * DAY + passed);
        assert_eq!(stage.link(Value::Null).len(), messages);
    }
}

#[test]
fn a_unit_counts_until_a_day_after_the_end_of_its_offer() {
    for (passed, comes) in [(0, "refused limit_reached"), (1, "-> load")] {
        let mut stage = with_shoes();
        let end = START + 240 * HOUR;
        stage.mark(end + DAY + passed);
        let prolonged = with(shoes(), "ends_at", json!(time(end + 9 * DAY)));
        assert_eq!(stage.tweet(end + DAY + passed, &[], &[&prolonged]), [comes]);
    }
}
