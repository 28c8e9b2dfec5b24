//! The written rules, row by row, on the model: what it is right about does not hang on the desk.

use serde_json::{Value, json};

use crate::common::model::{DAY, HOUR, MINUTE, Model, Output, Record, SECOND};
use crate::inputs::{
    SECRET, START, account, account_record, bytes, deletion, mark, offer, settings, sighting, time, tweet_id,
    with,
};

const ANNA: u64 = 1;
const DEADLINE: i64 = START + 900 * SECOND;
const HORIZON: i64 = 2 * HOUR + 30 * SECOND;
const NONE: [&str; 0] = [];

/// A model with one linked account, which tells what each record leads to in a few words.
struct Stage {
    model: Model,
    offset: u64,
    /// Everything as it came out.
    outputs: Vec<Output>,
    tweets: u64,
    settings: Value,
}

impl Stage {
    fn new() -> Stage {
        let (model, settings) = (Model::new(SECRET), settings(1));
        let mut stage = Stage { model, offset: 0, outputs: vec![], tweets: 0, settings };
        assert_eq!(stage.mark(START - DAY), NONE);
        stage.link(account(ANNA, "active", START - 2 * DAY));
        stage
    }

    fn step(&mut self, record: &Value, log_time: i64, now: i64) -> Vec<String> {
        self.offset += 1;
        let value = bytes(record);
        let record = Record {
            partition: 0,
            offset: self.offset,
            appended_at: log_time,
            value: &value,
            now: Some(now),
        };
        let all = self.model.step(&record);
        assert!(all.iter().all(|(offset, _)| *offset == self.offset));
        self.outputs = all.into_iter().flat_map(|(_, outputs)| outputs).collect();
        self.outputs.iter().map(words).collect()
    }

    /// A record that is read at once.
    fn at(&mut self, clock: i64, record: &Value) -> Vec<String> {
        self.step(record, clock, clock)
    }

    fn mark(&mut self, to: i64) -> Vec<String> {
        let record = mark(to, &self.settings);
        self.at(to, &record)
    }

    fn link(&mut self, record: Value) -> Vec<String> {
        let offset = self.offset;
        self.at(START, &account_record(ANNA, offset, record))
    }

    fn id(&mut self, at: i64) -> u64 {
        self.tweets += 1;
        tweet_id(at, self.tweets)
    }

    /// A tweet of the account, read at once.
    fn tweet(&mut self, at: i64, codes: &[&str], offers: &[&Value]) -> Vec<String> {
        let id = self.id(at);
        self.at(at, &sighting(ANNA, id, id, at, codes, offers))
    }

    /// The code of the last request.
    fn code(&self) -> String {
        let Some(Output::Event(event)) = self.outputs.last() else { panic!("no event: {:?}", self.outputs) };
        event["code"].as_str().unwrap().strip_prefix("#Confirm").unwrap().to_owned()
    }

    fn event(&self, n: usize) -> &Value {
        match &self.outputs[n] {
            Output::Event(event) | Output::Order(event) | Output::Message(event) => event,
        }
    }
}

/// `requested`, `refused lapsed`, `-> sold`; a refusal without a reply has a `-` behind it.
fn words(output: &Output) -> String {
    let event = match output {
        Output::Message(message) => return format!("-> {}", message["type"].as_str().unwrap()),
        Output::Event(event) | Output::Order(event) => event,
    };
    let kind = event["type"].as_str().unwrap().trim_start_matches("purchase.");
    match event.get("reason").or(event.get("cause")).and_then(Value::as_str) {
        Some(why) if kind == "refused" && event.get("reply").is_none() => format!("refused {why} -"),
        Some(why) => format!("{kind} {why}"),
        None => kind.to_owned(),
    }
}

fn tea() -> Value {
    offer("tea", 1, 2_450)
}

/// A stage on which the tea was requested at the start, and its code.
fn requested() -> (Stage, String) {
    let mut stage = Stage::new();
    assert_eq!(stage.tweet(START, &[], &[&tea()]), ["requested"]);
    let code = stage.code();
    (stage, code)
}

const CONFIRMED: [&str; 3] = ["confirmed", "order.placed", "-> sold"];

#[test]
fn ids_and_codes_are_those_of_the_formula() {
    let code = crate::common::model::codes::code;
    let secret = b"teapots are public, secrets are not";
    assert_eq!(code(secret, 70_210_001, "teapot", 727_784_831_185_848_933), "8P3DKE3Y");
    let purchase = crate::common::model::codes::purchase_id(70_210_001, "teapot", 727_784_831_185_848_933);
    assert_eq!(purchase, "d0130e22-f29d-5851-8bd1-2f56e522134f");
    let event = crate::common::model::codes::event_id;
    let requested = event("purchase.requested", &purchase, 727_784_831_185_848_933, "teapot");
    assert_eq!(requested, "831e411c-9df4-5524-a368-d7a37f092991");
    let wrong = event("purchase.refused", "70210001", 727_784_873_128_888_937, "confirmq7w2e5r8");
    assert_eq!(wrong, "914fe39c-3d8a-52dd-8000-45cd8f772f9d");
}

#[test]
fn the_deadline_is_in_to_the_millisecond() {
    let (mut stage, code) = requested();
    assert_eq!(stage.event(0)["deadline"], json!(time(DEADLINE)));
    assert_eq!(stage.tweet(DEADLINE, &[&code], &[]), CONFIRMED);
    assert_eq!(stage.tweet(DEADLINE, &[&code], &[]), NONE);
    let (mut stage, code) = requested();
    assert_eq!(stage.tweet(DEADLINE + 1, &[&code], &[]), ["refused lapsed"]);
    assert_eq!(stage.mark(DEADLINE + 30 * SECOND - 1), NONE);
    assert_eq!(stage.mark(DEADLINE + 30 * SECOND), ["lapsed"]);
    assert_eq!(stage.event(0)["at"], json!(time(DEADLINE)));
    // In time, and too late to be read: the lapse stands.
    assert_eq!(stage.tweet(DEADLINE, &[&code], &[]), ["refused lapsed -"]);
}

#[test]
fn issued_at_is_the_latest_of_four_times() {
    for (log_time, desk_time, tweeted, now) in [(9, 1, 2, 3), (1, 9, 2, 3), (1, 2, 9, 3), (1, 2, 3, 9)] {
        let mut stage = Stage::new();
        stage.mark(START + desk_time);
        let id = stage.id(START + tweeted);
        let record = sighting(ANNA, id, id, START + tweeted, &[], &[&tea()]);
        assert_eq!(stage.step(&record, START + log_time, START + now), ["requested"]);
        assert_eq!(stage.event(0)["issued_at"], json!(time(START + 9)));
        assert_eq!(stage.event(0)["at"], json!(time(START + 9)));
        assert_eq!(stage.event(0)["deadline"], json!(time(DEADLINE + 9)));
    }
}

#[test]
fn the_fifth_wrong_code_locks_for_an_hour() {
    let wrong = ["00000000", "11111111", "22222222", "33333333", "44444444"];
    let (mut stage, code) = requested();
    for (n, wrong) in wrong.iter().enumerate() {
        let reply = if n == 0 { "refused wrong_code" } else { "refused wrong_code -" };
        assert_eq!(stage.tweet(START + n as i64, &[wrong], &[]), [reply]);
    }
    let fifth = START + 4;
    assert_eq!(stage.tweet(fifth, &[&code], &[&tea()]), ["refused locked -"]);
    assert_eq!(stage.event(0)["offer_id"], "tea");
    assert_eq!(stage.tweet(fifth - 1, &[&code], &[]), CONFIRMED);
    assert_eq!(
        stage.tweet(fifth + HOUR - 1, &[&wrong[0]], &[&offer("pot", 1, 1)]),
        ["refused locked", "requested"]
    );
    assert_eq!(stage.tweet(fifth + HOUR, &[&wrong[0]], &[]), ["refused wrong_code -"]);
}

#[test]
fn a_wrong_code_an_hour_before_the_fifth_does_not_count() {
    let (mut stage, code) = requested();
    let deadline_kept = with(tea(), "window_seconds", json!(3_600));
    for at in [0, 1, 2, 3, HOUR] {
        assert_eq!(
            stage.tweet(START + at, &["00000000"], &[])[0].split(" -").next(),
            Some("refused wrong_code")
        );
    }
    assert_eq!(stage.tweet(START + HOUR, &[&code], &[&deadline_kept]), ["refused lapsed -", "requested"]);
    let code = stage.code();
    assert_eq!(stage.tweet(START + HOUR, &["00000000"], &[]), ["refused wrong_code -"]);
    assert_eq!(stage.tweet(START + HOUR, &[&code], &[]), ["refused locked -"]);
}

#[test]
fn no_wrong_code_without_a_purchase() {
    let mut stage = Stage::new();
    for _ in 0..6 {
        assert_eq!(stage.tweet(START, &["00000000"], &[]), NONE);
    }
    assert_eq!(stage.tweet(START, &[], &[&tea()]), ["requested"]);
    let code = stage.code();
    assert_eq!(stage.tweet(START, &[&code], &[]), CONFIRMED);
}

#[test]
fn reminders_are_a_minute_apart_and_counted_from_the_request() {
    let (mut stage, code) = requested();
    assert_eq!(stage.tweet(START + 59_999, &[], &[&tea()]), NONE);
    assert_eq!(stage.tweet(START + 60_000, &[], &[&tea()]), ["reminded"]);
    assert_eq!(stage.event(0)["code"], json!(format!("#Confirm{code}")));
    assert_eq!(stage.tweet(START + 119_999, &[], &[&tea()]), NONE);
    assert_eq!(stage.tweet(START + 120_000, &[], &[&tea()]), ["reminded"]);
    assert_eq!(stage.tweet(DEADLINE, &[], &[&tea()]), ["reminded"]);
    // A new pending beside the old one; the newest is reminded.
    assert_eq!(stage.tweet(DEADLINE + 1, &[], &[&tea()]), ["requested"]);
    let newer = stage.code();
    assert_eq!(stage.tweet(DEADLINE, &[&code], &[]), CONFIRMED);
    // The refused pending is still there, and was asked for a millisecond ago.
    assert_eq!(stage.tweet(DEADLINE + 2, &[&newer], &[&tea()]), ["refused limit_reached"]);
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
fn freezing_and_unlinking_cancel_in_the_same_step() {
    let (mut stage, code) = requested();
    assert_eq!(stage.link(account(ANNA, "frozen", START - 2 * DAY)), ["cancelled frozen"]);
    assert_eq!(stage.event(0)["at"], json!(time(START - DAY)), "desk time");
    assert_eq!(stage.tweet(START + 1, &[&code, "00000000"], &[&tea()]).len(), 3);
    assert!(stage.outputs.iter().all(|output| words(output).starts_with("refused frozen")));
    assert!(stage.event(0).get("purchase_id").is_some() && stage.event(1).get("purchase_id").is_none());
    stage.link(account(ANNA, "active", START - 2 * DAY));
    assert_eq!(stage.tweet(START + 2, &[&code], &[&tea()]), ["refused lapsed -", "requested"]);
    let code = stage.code();
    assert_eq!(stage.link(Value::Null), ["cancelled unlinked"]);
    assert_eq!(stage.tweet(START + 3, &[&code], &[]), NONE);
    // An older record changes nothing.
    assert_eq!(stage.at(START, &account_record(ANNA, 0, account(ANNA, "active", START - 2 * DAY))), NONE);
    assert_eq!(stage.tweet(START + 4, &[], &[&tea()]), ["refused not_linked"]);
    assert_eq!(stage.tweet(START + 4, &[], &[&tea()]), ["refused not_linked"]);
}

#[test]
fn strangers_are_answered_for_a_minute() {
    let mut stage = Stage::new();
    stage.mark(START);
    let stranger = |at: i64| sighting(9, tweet_id(at, 1), tweet_id(at, 1), at, &["00000000"], &[&tea()]);
    assert_eq!(stage.at(START, &stranger(START - MINUTE)), ["refused not_linked"]);
    assert_eq!(stage.at(START, &stranger(START - MINUTE)), ["refused not_linked"], "nothing is remembered");
    assert_eq!(stage.at(START, &stranger(START - MINUTE - 1)), NONE);
}

#[test]
fn copies_and_later_versions_do_nothing() {
    let mut stage = Stage::new();
    let (first, second) = (stage.id(START), stage.id(START + 1));
    let tweet = sighting(ANNA, first, first, START, &[], &[&tea()]);
    assert_eq!(stage.at(START, &tweet), ["requested"]);
    assert_eq!(stage.at(START, &tweet), NONE);
    assert_eq!(stage.at(START, &sighting(ANNA, second, first, START + 1, &["00000000"], &[&tea()])), NONE);
    stage.mark(START + HORIZON);
    assert_eq!(stage.at(START, &tweet), NONE);
    assert_eq!(stage.model.alive().markers, 1);
    stage.mark(START + HORIZON + 1);
    assert_eq!(stage.at(START, &tweet), NONE);
    assert_eq!(stage.model.alive().markers, 0);
}

#[test]
fn beyond_256_markers_only_an_own_open_code_counts() {
    let (mut stage, code) = requested();
    for _ in 0..255 {
        stage.tweet(START, &["00000000"], &[]);
    }
    assert_eq!(stage.tweet(START + HOUR + 1, &["00000000"], &[&tea()]), NONE);
    assert_eq!(stage.model.alive().markers, 256);
    // The lock of the wrong codes is over for a tweet from before it.
    assert_eq!(stage.tweet(START - 1, &[&code, "00000000"], &[&offer("pot", 1, 1)]), CONFIRMED);
}

#[test]
fn how_old_a_tweet_may_be() {
    let read = |age: i64, codes: &[&str]| {
        let (mut stage, code) = requested();
        stage.mark(START);
        let codes: Vec<&str> = codes.iter().map(|c| if *c == "own" { code.as_str() } else { c }).collect();
        let id = stage.id(START - age);
        let offers = [&offer("pot", 1, 1)];
        stage.step(&sighting(ANNA, id, id, START - age, &codes, &offers), START, START)
    };
    assert_eq!(read(HOUR, &[]), ["requested"]);
    assert_eq!(read(HOUR + 1, &[]), ["refused too_old"]);
    assert_eq!(read(HORIZON, &["00000000"]), ["refused wrong_code", "refused too_old -"]);
    assert_eq!(read(HORIZON + 1, &["00000000"]), NONE);
    // A code in time counts at any age.
    assert_eq!(read(HORIZON, &["own"]), [&CONFIRMED[..], &["refused too_old"]].concat());
    assert_eq!(read(HORIZON + 1, &["own"]), CONFIRMED);
    assert_eq!(read(9 * DAY, &["own"]), CONFIRMED);
}

#[test]
fn lapses_come_in_the_order_of_deadline_and_purchase() {
    let mut stage = Stage::new();
    for id in 2..40 {
        stage.at(START, &account_record(id, 1, account(id, "active", START - 2 * DAY)));
        let at = START + i64::try_from(id).unwrap() % 3;
        let tweet = tweet_id(at, 100 + id);
        assert_eq!(stage.at(at, &sighting(id, tweet, tweet, at, &[], &[&tea()])), ["requested"]);
    }
    assert_eq!(stage.model.pendings().len(), 38);
    assert_eq!(stage.mark(DEADLINE + MINUTE).len(), 38);
    let text = |event: &Value, field: &str| event[field].as_str().unwrap().to_owned();
    let order = |n| (text(stage.event(n), "deadline"), text(stage.event(n), "purchase_id"));
    assert!((1..38).all(|n| order(n - 1) < order(n)));
    assert!(stage.model.pendings().is_empty());
}

#[test]
fn deletions() {
    let mut stage = Stage::new();
    let (first, second) = (stage.id(START), stage.id(START + 1));
    assert_eq!(stage.at(START, &deletion(ANNA, first)), NONE);
    assert_eq!(stage.at(START, &sighting(ANNA, first, first, START, &[], &[&tea()])), NONE);
    for notice in [second, first] {
        let mut stage = Stage::new();
        assert_eq!(stage.at(START, &sighting(ANNA, second, first, START + 1, &[], &[&tea()])), ["requested"]);
        let code = stage.code();
        assert_eq!(stage.at(START, &deletion(2, notice)), NONE, "somebody else's");
        assert_eq!(stage.at(START, &deletion(ANNA, notice)), ["cancelled deleted"]);
        assert_eq!(stage.tweet(START + 2, &[&code], &[]), ["refused lapsed"]);
    }
    // A code in time counts although its tweet was deleted first.
    let (mut stage, code) = requested();
    let id = stage.id(START + 1);
    stage.at(START, &deletion(ANNA, id));
    assert_eq!(
        stage.at(START, &sighting(ANNA, id, id, START + 1, &[&code], &[&offer("pot", 1, 1)])),
        CONFIRMED
    );
}

#[test]
fn the_newest_64_deletions_are_kept() {
    let mut stage = Stage::new();
    let ids: Vec<u64> = (0..66).map(|_| stage.id(START)).collect();
    for id in &ids {
        stage.at(START, &deletion(ANNA, *id));
    }
    let found: Vec<usize> = ids
        .iter()
        .map(|id| {
            stage.at(START, &sighting(ANNA, *id, *id, START, &[], &[&offer(&id.to_string(), 1, 1)])).len()
        })
        .collect();
    assert_eq!(found[..3], [1, 1, 0]);
    assert_eq!(found.iter().sum::<usize>(), 2);
}

#[test]
fn a_code_is_forgotten_a_horizon_after_its_end() {
    let (mut stage, code) = requested();
    assert_eq!(stage.tweet(START, &[&code], &[]), CONFIRMED);
    let last = DEADLINE + HORIZON;
    stage.mark(last);
    assert_eq!(stage.tweet(last, &[&code], &[]), NONE, "already done");
    stage.mark(last + 1);
    assert_eq!(stage.tweet(last, &[&code], &[]), NONE, "no purchase");
    assert_eq!(stage.tweet(last, &[], &[&offer("pot", 1, 1)]), ["requested"]);
    assert_eq!(stage.tweet(last, &[&code], &[]), ["refused wrong_code"]);
    // Its unit still counts, until a day after the end of the offer.
    assert_eq!(stage.tweet(last, &[], &[&tea()]), ["refused limit_reached -"]);
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

#[test]
fn a_protected_account_is_refused_and_its_pending_stays() {
    let (mut stage, code) = requested();
    let id = stage.id(START + 1);
    let tweet = with(sighting(ANNA, id, id, START + 1, &[&code], &[&tea()]), "protected", json!(true));
    assert_eq!(stage.at(START + 1, &tweet), ["refused protected", "refused protected -"]);
    assert_eq!(stage.tweet(START + 2, &[&code], &[]), CONFIRMED);
}

#[test]
fn what_comes_before_the_first_mark_waits_for_its_settings() {
    let mut model = Model::new(SECRET);
    let mut feed = |offset: u64, record: Value, now: i64| {
        let value = bytes(&record);
        let record = Record { partition: 0, offset, appended_at: START, value: &value, now: Some(now) };
        let all = model.step(&record);
        all.iter()
            .map(|(of, outputs)| (*of, outputs.iter().map(words).collect()))
            .collect::<Vec<(u64, Vec<String>)>>()
    };
    let id = tweet_id(START, 1);
    assert!(feed(5, account_record(ANNA, 1, account(ANNA, "active", START - DAY)), START).is_empty());
    assert!(feed(7, sighting(ANNA, id, id, START, &[], &[&tea()]), START + 9).is_empty());
    let short = with(settings(3), "window_seconds", json!(60));
    let all = feed(8, mark(START + DAY, &short), START);
    assert_eq!(all, [(5, vec![]), (7, vec!["requested".to_owned()]), (8, vec!["lapsed".to_owned()])]);
}

#[test]
fn the_highest_revision_decides() {
    let mut stage = Stage::new();
    let short = |revision: u64, seconds: u64| with(settings(revision), "window_seconds", json!(seconds));
    for (brought, seconds) in [(short(3, 60), 60), (short(2, 120), 60), (short(4, 180), 180)] {
        stage.settings = brought;
        stage.mark(START - DAY);
        let at = START + seconds * MINUTE;
        assert_eq!(stage.tweet(at, &[], &[&offer(&format!("o{}", stage.offset), 1, 1)]), ["requested"]);
        assert_eq!(stage.event(0)["deadline"], json!(time(at + seconds * SECOND)));
    }
    assert!(!stage.model.two_settings_of_one_revision);
    stage.settings = short(4, 61);
    stage.mark(START - DAY);
    assert!(stage.model.two_settings_of_one_revision);
}
