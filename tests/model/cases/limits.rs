//! Limits, stocks, and when an offer is open.

use serde_json::{Value, json};

use super::*;

#[test]
fn exactly_the_cap_of_a_day_is_allowed() {
    let mut stage = Stage::new();
    assert_eq!(stage.tweet(START, &[], &[&offer("a", 1, 60_000)]), ["requested"]);
    let code = stage.code();
    assert_eq!(stage.tweet(START, &[], &[&offer("b", 1, 40_001)]), ["refused cap_exceeded"]);
    assert_eq!(
        stage.tweet(START, &[&code], &[&offer("b", 1, 40_000)]),
        [&CONFIRMED[..], &["requested"]].concat()
    );
    assert_eq!(stage.tweet(START, &[], &[&offer("c", 1, 1)]), ["refused cap_exceeded -"]);
    let euros = with(offer("d", 1, 100_000), "price", json!({"amount": 100_000, "currency": "EUR"}));
    assert_eq!(stage.tweet(START, &[], &[&euros]), ["requested"]);
    // The next UTC day is 15 hours later; what is open counts on every day.
    let next_day = START + 15 * HOUR;
    assert_eq!(stage.mark(next_day).len(), 2);
    assert_eq!(stage.tweet(next_day - 1, &[], &[&offer("e", 1, 40_001)]), ["refused cap_exceeded"]);
    assert_eq!(stage.tweet(next_day, &[], &[&offer("e", 1, 100_000)]), ["requested"]);
}

#[test]
fn the_cap_is_tested_again_at_the_confirmation() {
    let (mut stage, code) = requested();
    let capped = |amount: i64| {
        with(
            account(ANNA, "active", START - 2 * DAY),
            "caps",
            json!({"per_day": {"amount": amount, "currency": "USD"}}),
        )
    };
    stage.link(capped(2_449));
    assert_eq!(stage.tweet(START + 1, &[&code], &[&tea()]), ["refused cap_exceeded"]);
    stage.link(capped(2_450));
    assert_eq!(stage.tweet(START + 2, &[&code], &[]), CONFIRMED);
}

#[test]
fn limits_on_numbers() {
    let mut stage = Stage::new();
    let offers: Vec<Value> = (0..6).map(|n| offer(&format!("o{n}"), 1, 1)).collect();
    for offer in &offers[..5] {
        assert_eq!(stage.tweet(START, &[], &[offer]), ["requested"]);
    }
    assert_eq!(stage.tweet(START, &[], &[&offers[5]]), ["refused limit_reached"]);
    assert_eq!(stage.tweet(DEADLINE, &[], &[&offers[5]]), ["refused limit_reached"]);
    assert_eq!(stage.tweet(DEADLINE + 1, &[], &[&offers[5]]), ["requested"]);

    let mut stage = Stage::new();
    let quick = |n: i64| with(offer(&format!("q{n}"), 1, 1), "window_seconds", json!(60));
    for n in 0..20 {
        assert_eq!(stage.tweet(START + n * MINUTE + n, &[], &[&quick(n)]), ["requested"]);
    }
    assert_eq!(stage.tweet(START + HOUR - 1, &[], &[&quick(20)]), ["refused limit_reached"]);
    assert_eq!(stage.tweet(START + HOUR, &[], &[&quick(20)]), ["requested"]);
    assert_eq!(stage.tweet(START + HOUR, &[], &[&quick(21)]), ["refused limit_reached -"]);
}

#[test]
fn a_stock_answers_what_was_submitted() {
    let stocked = with(with(tea(), "stock", json!(1)), "per_account", json!(2));
    let mut stage = Stage::new();
    assert_eq!(stage.tweet(START, &[], &[&stocked]), ["requested"]);
    let code = stage.code();
    assert_eq!(stage.tweet(START + 1, &[&code], &[&stocked]), ["-> submitted"]);
    let submitted = stage.event(0).clone();
    // Nothing but the stock can end it now.
    assert_eq!(stage.tweet(START + 2, &[&code], &[]), NONE);
    assert_eq!(stage.link(account(ANNA, "frozen", START - 2 * DAY)), NONE);
    assert_eq!(stage.link(account(ANNA, "active", START - 2 * DAY)), NONE);
    assert_eq!(stage.mark(DEADLINE + HOUR), NONE);
    assert_eq!(stage.at(START, &submitted), ["confirmed", "order.placed", "-> answer", "-> sold_out"]);
    let (answer, sold_out) = (stage.event(2).clone(), stage.event(3).clone());
    assert_eq!((&sold_out["version"], &sold_out["sold"]), (&json!(1), &json!(1)));
    assert_eq!(stage.at(START, &answer), NONE);
    let later = DEADLINE + HOUR;
    // Not told yet, so it is requested; then the stock has nothing left.
    assert_eq!(stage.tweet(later, &[], &[&stocked]), ["requested"]);
    let code = stage.code();
    assert_eq!(stage.at(later, &sold_out), NONE);
    assert_eq!(stage.tweet(later, &[&code], &[]), ["-> submitted"]);
    let submitted = stage.event(0).clone();
    assert_eq!(stage.at(later, &submitted), ["cancelled sold_out", "-> answer"]);
    assert_eq!(stage.event(0)["reply"]["to"], "a1");
    let answer = stage.event(1).clone();
    assert_eq!(stage.at(later, &answer), NONE);
    assert_eq!(stage.tweet(later, &[&code], &[]), ["refused lapsed"]);
    // Closed until a newer version has more.
    assert_eq!(stage.tweet(later, &[], &[&stocked]), ["refused sold_out -"]);
    let newer = |stock: u64| with(with(stocked.clone(), "version", json!(2)), "stock", json!(stock));
    assert_eq!(stage.tweet(later, &[], &[&newer(1)]), ["refused sold_out -"]);
    assert_eq!(stage.tweet(later, &[], &[&newer(2)]), ["requested"]);
    // A lowered stock closes the offer again.
    assert_eq!(stage.at(later, &json!({"type": "offer", "offer": newer(1)})), ["-> sold_out"]);
}

#[test]
fn units_without_a_stock_count_too() {
    let mut stage = Stage::new();
    stage.at(START, &json!({"type": "offer", "offer": with(tea(), "stock", json!(2))}));
    let sold = json!({"type": "sold", "offer_id": "tea"});
    assert_eq!(stage.at(START, &sold), NONE);
    assert_eq!(stage.at(START, &sold), ["-> sold_out"]);
    assert_eq!(stage.at(START, &sold), ["-> sold_out"]);
    assert_eq!(stage.event(0)["sold"], json!(3));
}

#[test]
fn units_count_until_a_day_after_the_newest_end() {
    let (mut stage, code) = requested();
    assert_eq!(stage.tweet(START, &[&code], &[]), CONFIRMED);
    let end = START + HOUR;
    stage.at(START, &json!({"type": "ends", "offer_id": "tea", "ends_at": time(end)}));
    stage.mark(end + DAY);
    assert_eq!(stage.tweet(end + DAY, &[], &[&tea()]), ["refused limit_reached"]);
    stage.mark(end + DAY + 1);
    assert_eq!(stage.tweet(end + DAY + 1, &[], &[&tea()]), ["requested"]);
}

#[test]
fn when_an_offer_is_open() {
    let from = with(offer("x", 1, 1), "starts_at", json!(time(START)));
    let window = with(from, "ends_at", json!(time(START + MINUTE)));
    let after = |at: i64| Stage::new().tweet(at, &[], &[&window]);
    assert_eq!(after(START - 1), ["refused not_open"]);
    assert_eq!(after(START), ["requested"]);
    assert_eq!(after(START + MINUTE), ["requested"]);
    assert_eq!(after(START + MINUTE + 1), ["refused not_open"]);
    assert_eq!(
        Stage::new().tweet(START, &[], &[&with(window.clone(), "status", json!("withdrawn"))]),
        ["refused not_open"]
    );
    let (mut stage, _) = requested();
    assert_eq!(stage.at(START, &json!({"type": "withdrawn", "offer_id": "pot"})), NONE);
    assert_eq!(stage.at(START, &json!({"type": "withdrawn", "offer_id": "tea"})), ["cancelled withdrawn"]);
}

#[test]
fn an_hour_after_linking() {
    let mut stage = Stage::new();
    stage.link(account(ANNA, "active", START - HOUR + 1));
    assert_eq!(stage.tweet(START, &[], &[&tea()]), ["refused on_hold"]);
    assert_eq!(stage.tweet(START + 1, &[], &[&tea()]), ["requested"]);
}
