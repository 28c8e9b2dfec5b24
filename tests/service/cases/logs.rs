//! What a service says as it runs: an object on each line, and of nobody more than is fit for a log.

use std::time::Duration;

use hashbuy::core::time::Time;
use hashbuy::log::{Log as _, NewRecord, Partition};
use hashbuy::worker::partitioner::partition_of;
use serde_json::{Value, json};

use crate::common::program::{SECRET, text};
use crate::common::tables::with;
use crate::world::{INBOX, SOON, World, account, offer};

/// Ids that are in no number by chance.
const ANNA: u64 = 9_182_736_450_101;
const BEN: u64 = 9_182_736_450_102;
const CLEO: u64 = 9_182_736_450_103;

/// Who buys is told when somebody looks for a fault, and never what belongs to them alone.
pub fn logs(world: &mut World) {
    world.set_up(&[offer("kettle", "#GetKettle")], &[account(ANNA), account(BEN)]);
    let usual = run(world, ANNA, "");
    for said in ["connected to ", "scan 0: reading ", "ready", "ending: finishing what is open"] {
        assert!(usual.iter().any(|line| text(line, "message").starts_with(said)), "{said}: {usual:?}");
    }
    let rejected = usual.iter().find(|line| line["field"] == "status").unwrap_or_else(|| panic!("{usual:?}"));
    assert_eq!(rejected["level"], "WARN", "{rejected}");
    let (letter, place) = (world.stored("dead_letters").pop().unwrap(), text(rejected, "place"));
    assert!(place.ends_with(&format!("@{}", letter.header("source-offset"))), "{place} is not {letter:?}");
    let told = |lines: &[Value], account: u64| {
        lines.iter().filter(|line| line.to_string().contains(&account.to_string())).count()
    };
    for account in [ANNA, BEN, CLEO] {
        assert_eq!(told(&usual, account), 0, "{account} is told: {usual:?}");
    }

    let wordy = run(world, BEN, "hashbuy=debug");
    for kind in ["purchase.requested", "purchase.confirmed", "order.placed"] {
        let is_it = |line: &&Value| text(line, "message") == kind && line["account"] == BEN;
        let line = wordy.iter().find(is_it).unwrap_or_else(|| panic!("no {kind}: {wordy:?}"));
        assert_eq!((&line["level"], &line["offer"]), (&json!("DEBUG"), &json!("kettle")), "{line}");
    }
    assert!(
        wordy
            .iter()
            .filter(|line| line["level"] != "DEBUG")
            .all(|line| !line.to_string().contains(&BEN.to_string()))
    );
    assert!(told(&wordy, CLEO) > 0, "the rejected account is not named: {wordy:?}");

    let loud = world.run_with("a", &[("RUST_LOG", "librdkafka=info,hashbuy=loud".into())]);
    let (code, said) = loud.await_end(SOON);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("RUST_LOG is \"librdkafka=info,hashbuy=loud\""), "{said}");
}

/// For a person.
pub fn logs_as_text(world: &mut World) {
    world.set_up(&[offer("kettle", "#GetKettle")], &[]);
    let mut service = world.run_as("a", &["--log-format", "text"]);
    service.await_ready();
    service.await_log("  ready", SOON);
    service.terminate();
    let (code, said) = service.await_end(SOON);
    assert_eq!(code, Some(0), "{said}");
    for line in said.lines() {
        let (time, rest) = line.split_once("  ").unwrap_or_else(|| panic!("no time: {line}"));
        assert!(time.len() == 8 && format!("2013-02-12T{time}Z").parse::<Time>().is_ok(), "{line}");
        assert!(!rest.contains('{') && !rest.is_empty(), "{line}");
    }
    assert!(said.contains("  warning: time.slack_seconds is 1:"), "{said}");
}

/// A purchase and a rejected record of the account table, by a service that says so much. Returns its lines.
fn run(world: &mut World, shopper: u64, filter: &str) -> Vec<Value> {
    let mut service = world.run_with("a", &[("RUST_LOG", filter.to_owned())]);
    service.await_ready();
    let letters = world.stored("dead_letters").len();
    let id = CLEO.to_string();
    let partition = Partition::new(world.topic("accounts"), partition_of(id.as_bytes(), INBOX));
    let value = with(account(CLEO), json!({"status": id})).to_string().into_bytes();
    let mut producer = world.log.producer().unwrap();
    let record = NewRecord { partition, key: Some(id.into_bytes()), value: Some(value), headers: Vec::new() };
    producer.send(record).unwrap();
    assert_eq!(producer.outstanding(SOON), Ok(0));
    let firehose = world.firehose();
    let before = world.orders().len();
    firehose.tweet(shopper, "#GetKettle");
    let requested = world.await_event("purchase.requested", shopper, "kettle", SOON);
    let code = text(&requested, "code").to_owned();
    firehose.tweet(shopper, &code);
    world.wait_for("an order", SOON, |world| (world.orders().len() > before).then_some(()));
    world.wait_for("a dead letter", SOON, |world| {
        (world.stored("dead_letters").len() > letters).then_some(())
    });
    service.terminate();
    let (ended, said) = service.await_end(Duration::from_secs(20));
    assert_eq!(ended, Some(0), "{said}");
    let token = format!("tok-{shopper}");
    for secret in [SECRET, &code, &token, "tok-"] {
        assert!(!said.contains(secret), "{secret} is told:\n{said}");
    }
    let lines = said.lines().map(|line| {
        let value: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(text(&value, "timestamp").parse::<Time>().is_ok(), "{line}");
        assert!(["ERROR", "WARN", "INFO", "DEBUG"].contains(&text(&value, "level")), "{line}");
        assert!(text(&value, "target").starts_with("hashbuy"), "{line}");
        assert!(!text(&value, "message").is_empty(), "{line}");
        value
    });
    lines.collect()
}
