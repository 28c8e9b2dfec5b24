//! The group's offset was reset by hand: the desk stops, says so, and an operator takes the changelog's.

use std::time::Duration;

use hashbuy::log::{Log as _, Partition};

use super::{fails, nothing_twice, succeeds_soon};
use crate::common::program::text;
use crate::world::{INBOX, SOON, World, account, offer};

const ANNA: u64 = 1_301;
const BEN: u64 = 1_302;

/// Too low an offset and too high a one; with a pending that has to live through it.
pub fn adopted_offsets(world: &mut World) {
    world.set_up(&[offer("kettle", "#GetKettle")], &[account(ANNA), account(BEN)]);
    let firehose = world.firehose();
    let mut service = world.run("a");
    service.await_ready();
    firehose.tweet(ANNA, "#GetKettle");
    firehose.tweet(BEN, "#GetKettle");
    let annas = world.await_event("purchase.requested", ANNA, "kettle", SOON);
    let bens = world.await_event("purchase.requested", BEN, "kettle", SOON);
    firehose.tweet(BEN, text(&bens, "code"));
    world.await_event("order.placed", BEN, "kettle", SOON);
    fails(world, &["desk", "adopt", "--yes"], 1, &["live members", "stop every process"]);
    service.stop();
    let run = succeeds_soon(world, &["desk", "adopt"]);
    assert!(run.stderr.contains("nothing to do"), "{}", run.stderr);

    let group = format!("{}-desk", world.app);
    let places: Vec<Partition> = (0..INBOX).map(|n| Partition::new(world.topic("inbox"), n)).collect();
    let mut lookup = world.log.lookup().unwrap();
    let right: Vec<u64> =
        lookup.committed(&group, &places).unwrap().into_iter().map(|at| at.unwrap().offset).collect();
    let wrong = [(places[0].clone(), 0), (places[1].clone(), right[1] + 1)];
    world.log.commit_by_hand(&group, &wrong).unwrap();

    let (code, said) = world.run("a").await_end(Duration::from_secs(30));
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("was reset by hand") && said.contains("hashbuy desk adopt --partition"), "{said}");
    fails(world, &["desk", "adopt", "--partition", "99"], 2, &["--partition 99", "0 to 3"]);
    let shown = [format!("set to {}", right[0]), format!("set to {}", right[1])];
    let args = ["desk", "adopt"];
    let mut parts: Vec<&str> = shown.iter().map(String::as_str).collect();
    parts.extend(["nothing: they agree", "--yes"]);
    // Who has ended a moment ago may count as live; nothing is changed without an answer.
    succeeds_soon(world, &["desk", "adopt", "--partition", "2"]);
    fails(world, &args, 2, &parts);
    let run = world.command(&["check", "--quick"]);
    let table = String::from_utf8(run.stdout).unwrap();
    assert_eq!(run.code, Some(1), "{table}");
    assert!(
        table.contains("they differ: group 0, changelog") && table.contains("hashbuy desk adopt"),
        "{table}"
    );

    let one = succeeds_soon(world, &["desk", "adopt", "--partition", "0", "--yes"]);
    assert!(one.stderr.contains("1 partitions set"), "{}", one.stderr);
    succeeds_soon(world, &["desk", "adopt", "--yes"]);
    let now: Vec<u64> =
        lookup.committed(&group, &places).unwrap().into_iter().map(|at| at.unwrap().offset).collect();
    assert_eq!(now, right);

    let mut service = world.run("a");
    service.await_ready();
    firehose.tweet(ANNA, text(&annas, "code"));
    world.await_event("order.placed", ANNA, "kettle", SOON);
    service.stop();
    nothing_twice(world);
    assert_eq!((world.purchases().len(), world.orders().len()), (4, 2));

    // A changelog that has lost everything cannot be adopted.
    let other = format!("topics.changelog={}-other", world.app);
    world.hashbuy(&["topics", "create", "--inbox-partitions", "4", "--set", &other]);
    let (code, said) = world.run_as("a", &["--set", &other]).await_end(Duration::from_secs(30));
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("restore the topic from a copy"), "{said}");
    let until = std::time::Instant::now() + Duration::from_secs(30);
    while world.command(&["desk", "adopt", "--yes", "--set", &other]).stderr.contains("live members") {
        assert!(std::time::Instant::now() < until);
        std::thread::sleep(Duration::from_millis(500));
    }
    let parts = ["the changelog has lost its offset", "cannot be mended by this"];
    fails(world, &["desk", "adopt", "--yes", "--set", &other], 1, &parts);
}
