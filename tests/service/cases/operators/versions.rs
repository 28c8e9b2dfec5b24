//! Two versions of records: written as the configuration says, read both, and no other.

use std::time::Duration;

use hashbuy::log::{Log as _, NewRecord, Partition};

use super::succeeds_soon;
use crate::common::program::text;
use crate::topics::{Follower, Stored};
use crate::world::{SOON, World, account, offer};

const ANNA: u64 = 1_501;

/// The older one by default, the newer one when it is told to, and back; then a record from the future.
pub fn versions_of_records(world: &mut World) {
    world.set_up(&[offer("kettle", "#GetKettle")], &[account(ANNA)]);
    let firehose = world.firehose();
    let mut service = world.run("a");
    service.await_ready();
    firehose.tweet(ANNA, "#GetKettle");
    let requested = world.await_event("purchase.requested", ANNA, "kettle", SOON);
    service.stop();
    let old = world.committed(&["inbox", "changelog"]);
    assert!(!old.is_empty() && old.iter().all(|record| version(record) == 1));

    let mut service = world.run_as("a", &["--set", "records.version=2"]);
    service.await_ready();
    firehose.tweet(ANNA, text(&requested, "code"));
    world.await_event("order.placed", ANNA, "kettle", SOON);
    service.stop();
    let new = world.committed(&["inbox"]).into_iter().filter(|record| version(record) == 2).count();
    assert!(new > 0, "the newer version is in the inbox");
    let written = world.committed(&["changelog"]).into_iter().filter(|record| version(record) == 2);
    let partitions: Vec<_> = written.filter(|record| record.key.as_deref() == Some(b"partition")).collect();
    assert!(
        !partitions.is_empty()
            && partitions.iter().all(|record| record.json()["partition"]["partitions"] == 4)
    );

    // The way back to the older release: a state that was moved has one version.
    let state = world.folder.path("state.jsonl");
    let state = state.to_str().unwrap();
    drained(world);
    succeeds_soon(world, &["desk", "export", state]);
    let names = ["inbox", "changelog"].map(|name| format!("topics.{name}={}-moved-{name}", world.app));
    let there = ["--set", names[0].as_str(), "--set", names[1].as_str()];
    world.hashbuy(&[&["topics", "create", "--inbox-partitions", "4"][..], &there].concat());
    succeeds_soon(world, &[&["desk", "import", state][..], &there].concat());
    let moved = Follower::all_committed(&world.bootstrap, &[format!("{}-moved-changelog", world.app)]);
    assert!(moved.iter().filter(|record| record.value.is_some()).count() > 4);
    assert!(moved.iter().all(|record| version(record) == 1));

    // Back without that: both are read.
    let mut service = world.run("a");
    service.await_ready();
    let partition = Partition::new(world.topic("inbox"), 1);
    let value = Some(br#"{"v":3,"type":"sold","offer_id":"kettle"}"#.to_vec());
    let record = NewRecord { partition, key: Some(b"offer/kettle".to_vec()), value, headers: Vec::new() };
    let mut producer = world.log.producer().unwrap();
    producer.send(record).unwrap();
    assert_eq!(producer.outstanding(SOON), Ok(0));
    let (code, said) = service.await_end(Duration::from_secs(30));
    assert_eq!(code, Some(1), "{said}");
    let place = format!("{}/1@", world.topic("inbox"));
    assert!(said.contains(&place) && said.contains("version 3") && said.contains("reads 1 to 2"), "{said}");
    assert!(said.contains("records.version"), "{said}");

    let run = world.command(&["check", "--set", "records.version=3"]);
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    assert!(run.stderr.contains("records.version") && run.stderr.contains("1 to 2"), "{}", run.stderr);
}

/// Nothing in the inbox is left to the desk but marks.
fn drained(world: &World) {
    let mut desk = world.run_as("d", &["--stage", "desk"]);
    desk.await_ready();
    std::thread::sleep(Duration::from_secs(1));
    desk.stop();
}

/// The version of a record; of one that ends its key none is written.
fn version(record: &Stored) -> u64 {
    if record.value.is_none() { 1 } else { record.json()["v"].as_u64().unwrap() }
}
