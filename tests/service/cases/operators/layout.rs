//! The number of inbox partitions was changed under the state.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions};
use rdkafka::client::DefaultClientContext;

use super::nothing_twice;
use crate::common::program::text;
use crate::world::{INBOX, SOON, World, account, offer};

const ANNA: u64 = 1_401;
const BEN: u64 = 1_402;
const MORE: usize = INBOX as usize + 2;

/// Inbox and changelog grow alike while the service runs: it stops, neither stage starts again, and it goes on
/// when it is told how many there were.
pub fn grown_inbox(world: &mut World) {
    world.set_up(&[offer("kettle", "#GetKettle")], &[account(ANNA), account(BEN)]);
    let firehose = world.firehose();
    let mut service = world.run("a");
    service.await_ready();
    firehose.tweet(ANNA, "#GetKettle");
    let requested = world.await_event("purchase.requested", ANNA, "kettle", SOON);
    grow(world, &[world.topic("changelog"), world.topic("inbox")]);
    let says = format!("{MORE} partitions of topic {} are to be used", world.topic("inbox"));
    // The next look at the topics shows them, within ten seconds and the time for a meeting of the group.
    let mut ends = vec![service.await_end(Duration::from_secs(60))];
    for stage in ["all", "scan", "desk"] {
        ends.push(world.run_as("a", &["--stage", stage]).await_end(Duration::from_secs(30)));
    }
    for (code, said) in ends {
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains(&says) && said.contains("was made with 4"), "{said}");
        assert!(said.contains("topics.inbox_partitions = 4"), "{said}");
        assert!(said.contains("hashbuy desk export") && said.contains("hashbuy desk import"), "{said}");
    }
    let run = world.command(&["check", "--quick"]);
    let table = String::from_utf8(run.stdout).unwrap();
    assert_eq!(run.code, Some(1), "{table}");
    assert!(table.contains("made with 4"), "{table}");

    let as_before = ["--set", "topics.inbox_partitions=4"];
    let mut service = world.run_as("a", &as_before);
    service.await_ready();
    firehose.tweet(ANNA, text(&requested, "code"));
    firehose.tweet(BEN, "#GetKettle");
    world.await_event("order.placed", ANNA, "kettle", SOON);
    world.await_event("purchase.requested", BEN, "kettle", SOON);
    world.hashbuy(&["check", "--quick", as_before[0], as_before[1]]);
    service.stop();
    nothing_twice(world);
    let beyond = world.committed(&["inbox", "changelog"]);
    assert!(beyond.iter().all(|record| record.partition < 4), "something stands where nobody looks");
}

fn grow(world: &World, topics: &[String]) {
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", &world.bootstrap).create().unwrap();
    let wanted: Vec<NewPartitions<'_>> = topics.iter().map(|topic| NewPartitions::new(topic, MORE)).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let grown = runtime.block_on(admin.create_partitions(&wanted, &AdminOptions::new())).unwrap();
    assert!(grown.iter().all(Result::is_ok), "{grown:?}");
}
