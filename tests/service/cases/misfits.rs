//! Topics that the guarantees cannot be kept with: the service does not start on them, and says how to mend
//! each.

use std::time::{Duration, Instant};

use hashbuy::log::Log as _;
use hashbuy::log::kafka::NewTopic;
use serde_json::Value;

use crate::common::program::text;
use crate::world::{INBOX, SOON, World};

/// One topic after the other is not as it has to be.
pub fn topics_that_do_not_fit(world: &mut World) {
    let compact = ("cleanup.policy", "compact");
    let append_time = ("message.timestamp.type", "LogAppendTime");
    for (name, partitions, settings, parts) in [
        ("changelog", INBOX, &[append_time][..], &["cleanup.policy=delete and needs compact"][..]),
        ("changelog", INBOX, &[compact], &["message.timestamp.type=CreateTime and needs LogAppendTime"]),
        ("changelog", INBOX - 1, &[compact, append_time], &["has 3 partitions", "--partitions 4"]),
        ("changelog", INBOX + 1, &[compact, append_time], &["has 5 partitions", "--partitions 5"]),
        (
            "inbox",
            INBOX,
            &[],
            &["message.timestamp.type=CreateTime and needs LogAppendTime", "kafka-configs"],
        ),
        ("offers", 1, &[], &["cleanup.policy=delete and needs compact", "kafka-configs"]),
        ("accounts", 2, &[("cleanup.policy", "compact,delete")], &["cleanup.policy=compact,delete"]),
    ] {
        let world = World::new(&world.bootstrap);
        let settings = settings.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        make(&world, NewTopic { name: world.topic(name), partitions, replication: 1, settings });
        let inbox = INBOX.to_string();
        world.hashbuy(&["topics", "create", "--inbox-partitions", &inbox]);
        let (code, said) = world.run("a").await_end(Duration::from_secs(20));
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains(&world.topic(name)) && !said.contains("panicked"), "{said}");
        assert!(parts.iter().all(|part| said.contains(part)), "{parts:?} in {said}");
        assert_eq!(said.lines().count(), 1, "one line says it all:\n{said}");
    }

    // What is missing is named in one message.
    make(world, NewTopic { name: world.topic("inbox"), partitions: 1, replication: 1, settings: vec![] });
    let (code, said) = world.run("a").await_end(Duration::from_secs(20));
    assert_eq!(code, Some(1), "{said}");
    let missing = [
        "tweets",
        "offers",
        "accounts",
        "card_transactions",
        "changelog",
        "purchases",
        "orders",
        "dead_letters",
    ];
    let said: Value = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
    let said = text(&said, "message");
    let line = said.lines().find(|line| line.contains("there is no topic")).unwrap_or_default();
    assert!(missing.iter().all(|name| line.contains(&world.topic(name))), "{said}");
    assert!(!line.contains(&world.topic("inbox")) && said.contains("LogAppendTime"), "{said}");
}

fn make(world: &World, topic: NewTopic) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let name = topic.name.clone();
    runtime.block_on(world.log.create_topics(&[topic])).unwrap();
    // The broker answers before everybody who asks is told of it.
    let mut lookup = world.log.lookup().unwrap();
    let until = Instant::now() + SOON;
    while !matches!(lookup.partitions(&name), Ok(Some(_))) {
        assert!(Instant::now() < until, "{name} does not appear");
        std::thread::sleep(Duration::from_millis(100));
    }
}
