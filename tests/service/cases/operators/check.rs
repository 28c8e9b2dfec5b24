//! `hashbuy check`: quiet about what is well, and by name about what is not.

use hashbuy::log::kafka::NewTopic;
use hashbuy::log::{Isolation, Log as _, Lookup, NewRecord, Partition};
use serde_json::Value;

use crate::common::program::text;
use crate::world::{INBOX, SOON, World, account, offer};

const ANNA: u64 = 1_701;

/// From nothing at all to a service at work, with one thing wrong at a time.
pub fn checks(world: &mut World) {
    let (code, report) = check(world, &[]);
    assert_eq!(code, Some(1), "{report}");
    let missing = finding(&report, &format!("topic {}", world.topic("inbox")));
    assert_eq!((text(missing, "severity"), text(missing, "mend")), ("problem", "hashbuy topics create"));

    world.set_up(&[offer("kettle", "#GetKettle")], &[account(ANNA)]);
    let firehose = world.firehose();
    let readers = format!("readers of {}", world.topic("tweets"));
    world.wait_for("tweets without a reader are a problem", SOON, |world| {
        let (code, report) = check(world, &["--quick"]);
        let found = text(finding(&report, &readers), "value").to_owned();
        (code == Some(1) && found.contains("nobody has committed partitions 0, 1, 2")).then_some(())
    });

    let mut service = world.run("a");
    service.await_ready();
    firehose.tweet(ANNA, "#GetKettle");
    world.await_event("purchase.requested", ANNA, "kettle", SOON);
    let well = world.wait_for("all is well", SOON, |world| {
        let (code, report) = check(world, &[]);
        (code == Some(0)).then_some(report)
    });
    assert_eq!(well["problems"], 0);
    for what in ["clock", "offsets of group and changelog", "partitions of the state", "open transactions"] {
        assert_eq!(text(finding(&well, what), "severity"), "ok", "{well}");
    }
    assert!(text(finding(&well, "clock"), "value").contains("as the brokers'"), "{well}");
    assert!(text(finding(&well, "settings in force"), "value").contains("as here"), "{well}");
    assert!(text(finding(&well, "brokers"), "severity") == "warning", "{well}");
    for table in ["offers", "accounts"] {
        assert_eq!(text(finding(&well, &format!("table {}", world.topic(table))), "severity"), "ok");
    }

    a_transaction_that_hangs(world);
    a_bad_record(world);
    service.stop();
    settings_that_do_not_fit(world);
    let run = world.command(&["check", "--wait", "0"]);
    assert_eq!(run.code, Some(2), "{}", run.stderr);
}

/// It is not taken for one of the service's own, which come and go.
fn a_transaction_that_hangs(world: &mut World) {
    let purchases = Partition::new(world.topic("purchases"), 2);
    // One that its broker does not end while it is looked at.
    let mut transactions = world.log.bulk(&format!("{}-hangs", world.app)).unwrap();
    transactions.begin().unwrap();
    let record =
        NewRecord { partition: purchases.clone(), key: None, value: Some(b"{}".to_vec()), headers: vec![] };
    transactions.send(&record).unwrap();
    let mut lookup = world.log.lookup().unwrap();
    world.wait_for("it is open", SOON, |_| {
        let end = |isolation, lookup: &mut dyn Lookup| lookup.watermarks(&purchases, isolation).unwrap().1;
        (end(Isolation::Committed, &mut *lookup) < end(Isolation::Uncommitted, &mut *lookup)).then_some(())
    });
    let (code, report) = check(world, &["--quick", "--wait", "2"]);
    assert_eq!(code, Some(1), "{report}");
    assert_eq!(report["problems"], 1, "{report}");
    let found = finding(&report, &format!("transaction in {purchases}"));
    assert!(text(found, "mend").contains("kafka-transactions"), "{report}");
    transactions.abort().unwrap();
    let (code, report) = check(world, &["--quick", "--wait", "2"]);
    assert_eq!(code, Some(0), "{report}");
}

/// A record that somebody has put into the table without the program. No token is shown.
fn a_bad_record(world: &World) {
    let partition = Partition::new(world.topic("accounts"), 0);
    let record = |value: &[u8]| NewRecord {
        partition: partition.clone(),
        key: Some(b"1799".to_vec()),
        value: Some(value.to_vec()),
        headers: Vec::new(),
    };
    let mut producer = world.log.producer().unwrap();
    producer.send(record(br#"{"account_id":"1799","card_token":"tok-secret","status":"odd"}"#)).unwrap();
    assert_eq!(producer.outstanding(SOON), Ok(0));
    let (code, report) = check(world, &[]);
    assert_eq!(code, Some(1), "{report}");
    let found = finding(&report, &format!("table {}", world.topic("accounts")));
    assert_eq!(text(found, "severity"), "problem");
    assert!(!report.to_string().contains("tok-secret"), "{report}");
    let good = account(1_799).to_string();
    producer.send(record(good.as_bytes())).unwrap();
    assert_eq!(producer.outstanding(SOON), Ok(0));
    let (code, report) = check(world, &[]);
    assert_eq!(code, Some(0), "a record that was mended is no problem: {report}");
}

/// Topics that were made by hand, in a world of their own.
fn settings_that_do_not_fit(world: &World) {
    let world = World::new(&world.bootstrap);
    let made = |name: &str, partitions, settings: &[(&'static str, &str)]| NewTopic {
        name: world.topic(name),
        partitions,
        replication: 1,
        settings: settings.iter().map(|(name, value)| (*name, (*value).to_owned())).collect(),
    };
    let topics = [
        made("changelog", INBOX + 1, &[("message.timestamp.type", "LogAppendTime")]),
        made("dead_letters", 1, &[("retention.ms", "1000")]),
    ];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(world.log.create_topics(&topics)).unwrap();
    world.hashbuy(&["topics", "create", "--inbox-partitions", &INBOX.to_string()]);
    let (code, report) = check(&world, &["--quick"]);
    assert_eq!(code, Some(1), "{report}");
    let changelog = world.topic("changelog");
    let policy = finding(&report, &format!("topic {changelog}: cleanup.policy"));
    assert_eq!((text(policy, "severity"), text(policy, "value")), ("problem", "delete, needed is compact"));
    assert!(text(policy, "mend").contains("kafka-configs"), "{report}");
    let segment = finding(&report, &format!("topic {changelog}: segment.bytes"));
    assert_eq!(text(segment, "severity"), "warning", "advice: {report}");
    let retention = finding(&report, &format!("topic {}: retention.ms", world.topic("dead_letters")));
    assert_eq!(text(retention, "severity"), "warning");
    let partitions = finding(&report, "partitions of inbox and changelog");
    assert_eq!((text(partitions, "severity"), text(partitions, "value")), ("problem", "4 and 5"));

    // For a person it is a table, and below it what to do.
    let run = world.command(&["check", "--quick"]);
    let table = String::from_utf8(run.stdout).unwrap();
    assert!(table.contains("problem  ") && table.contains("\nWhat to do:\n1) "), "{table}");
    assert!(run.stderr.contains(" problems, "), "{}", run.stderr);
}

fn check(world: &World, more: &[&str]) -> (Option<i32>, Value) {
    let run = world.command(&[&["check", "--json"], more].concat());
    let report = serde_json::from_slice(&run.stdout);
    (run.code, report.unwrap_or_else(|error| panic!("{error}: {}", run.stderr)))
}

fn finding<'r>(report: &'r Value, what: &str) -> &'r Value {
    let mut all = report["findings"].as_array().unwrap().iter();
    all.find(|finding| finding["what"] == what).unwrap_or_else(|| panic!("no {what:?} in {report}"))
}
