//! The written rules, row by row, on the model: what it is right about does not hang on the desk.

mod coupons;
mod limits;
mod memory;

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
    let requested = event("purchase.requested", &purchase, "727784831185848933", "teapot");
    assert_eq!(requested, "831e411c-9df4-5524-a368-d7a37f092991");
    let wrong = event("purchase.refused", "70210001", "727784873128888937", "confirmq7w2e5r8");
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
        stage.tweet(fifth + HOUR - 1, &[wrong[0]], &[&offer("pot", 1, 1)]),
        ["refused locked", "requested"]
    );
    assert_eq!(stage.tweet(fifth + HOUR, &[wrong[0]], &[]), ["refused wrong_code -"]);
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
fn a_protected_account_is_refused_and_its_pending_stays() {
    let (mut stage, code) = requested();
    let id = stage.id(START + 1);
    let tweet = with(sighting(ANNA, id, id, START + 1, &[&code], &[&tea()]), "protected", json!(true));
    assert_eq!(stage.at(START + 1, &tweet), ["refused protected", "refused protected -"]);
    assert_eq!(stage.tweet(START + 2, &[&code], &[]), CONFIRMED);
}
