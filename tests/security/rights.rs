//! The rights on the brokers: with exactly those of the manual everything works, and without any one of them it is
//! said which.
//!
//! For each right there is a user who lacks that one alone, so nothing has to be given and taken while it runs.

use std::time::{Duration, Instant};

use hashbuy::config::Config;
use hashbuy::log::right::{Resource, Right};
use hashbuy::worker::Topics;
use hashbuy::worker::needs::By;
use hashbuy::worker::rights::rights;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::Message as _;

use crate::broker::Broker;
use crate::common::program::json_lines;
use crate::process::Service;
use crate::shop::{ANNA, BEN, buy, open};
use crate::world::{TOPICS, World, account, offer, payment};

/// A case.
pub type Case = (&'static str, fn(&Broker));

pub const CASES: &[Case] =
    &[("each_right_of_the_manual_is_needed_and_they_are_enough", each_right_is_needed)];

/// A topic that is still to be made.
const NEW: &str = "more";
/// A stage says what it lacks within so long.
const TOLD: Duration = Duration::from_secs(60);

/// Commands, and what each needs on its topic, by the names of the topics in the configuration.
pub const COMMANDS: &[(&str, &[(&str, &str)])] = &[
    ("offers", &[("Read", "offers"), ("Write", "offers")]),
    ("accounts", &[("Read", "accounts"), ("Write", "accounts")]),
    ("transactions", &[("Write", "card_transactions")]),
];

/// Everybody but `hashbuy`, who has all rights of a service.
pub fn users() -> Vec<String> {
    let each = rights("app", &Topics::default(), By::Both);
    let without = (0..each.len()).map(without);
    let commands = COMMANDS.iter().map(|(command, _)| (*command).to_owned());
    without
        .chain(["scan", "desk", "biller", "operator", "checker", "creator"].map(str::to_owned))
        .chain(commands)
        .collect()
}

fn without(number: usize) -> String {
    format!("without{number}")
}

fn each_right_is_needed(broker: &Broker) {
    let mut world = World::new(&broker.bootstrap);
    open(&mut world);
    let all = of(&world, By::Both);
    give(broker, &world, &all);
    let lacking: Vec<(String, Right)> =
        all.iter().enumerate().map(|(n, right)| (without(n), right.clone())).collect();
    // With all of them, in one process and, below, in two.
    let mut service = run(broker, &world, "hashbuy", "all");
    service.await_ready();
    buy(&mut world, ANNA);
    // What cannot be read has to go somewhere, too.
    let dead = world.firehose();
    dead.raw(0, br##"{"id_str":"1","text":"#GetKettle"}"##);
    world.wait_for("a dead letter", TOLD, |world| (!world.stored("dead_letters").is_empty()).then_some(()));
    assert!(!service.log().contains("lacks"), "{}", service.log());
    service.stop();
    // Now there is a state that has to be read, too.
    for (user, right) in &lacking {
        says_what_it_lacks(broker, &world, user, right);
    }
    let stages = ["scan", "desk"].map(|stage| run(broker, &world, stage, stage));
    let [mut scan, mut desk] = stages;
    scan.await_ready();
    desk.await_ready();
    buy(&mut world, BEN);
    for stage in [scan, desk] {
        assert!(!stage.log().contains("lacks"), "{}", stage.log());
        stage.stop();
    }
    operators(broker, &world);
    caretakers(broker, &world);
    assert_eq!(billed(broker, &world), 2, "orders that a biller reads with rights of its own");
}

/// The rights of stages in this world.
fn of(world: &World, by: By) -> Vec<Right> {
    let config = Config::load(Some(&world.config()), [], &[]).unwrap();
    rights(&world.app, &config.service.topics, by)
}

/// Gives each right to all who are to have it.
fn give(broker: &Broker, world: &World, all: &[Right]) {
    let (scan, desk) = (of(world, By::Scan), of(world, By::Desk));
    let mut grants: Vec<(Vec<String>, Right)> = Vec::new();
    for (n, right) in all.iter().enumerate() {
        let mut who = vec!["hashbuy".to_owned()];
        who.extend((0..all.len()).filter(|other| *other != n).map(without));
        who.extend(scan.contains(right).then(|| "scan".to_owned()));
        who.extend(desk.contains(right).then(|| "desk".to_owned()));
        grants.push((who, right.clone()));
    }
    let mut calls: Vec<Vec<String>> = grants.iter().map(|(who, right)| call(who, &right.words())).collect();
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    for (command, rights) in COMMANDS {
        let mut given: Vec<String> =
            rights.iter().flat_map(|(operation, _)| words(&["--operation", operation])).collect();
        given.extend(words(&["--topic", &world.topic(rights[0].1)]));
        calls.push(call(&[(*command).to_owned()], &given));
    }
    let [purchases, orders] = ["purchases", "orders"].map(|topic| world.topic(topic));
    let read = ["--operation", "Read", "--topic", &purchases, "--topic", &orders, "--group", "biller"];
    calls.push(call(&["biller".to_owned()], &words(&read)));
    let topics: Vec<String> =
        TOPICS.iter().flat_map(|name| ["--topic".to_owned(), world.topic(name)]).collect();
    let operations = |operations: &[&str]| {
        operations.iter().flat_map(|name| words(&["--operation", name])).collect::<Vec<String>>()
    };
    let looks = operations(&["Describe", "DescribeConfigs", "Read"]);
    calls.push(call(&words(&["checker"]), &[looks, topics.clone()].concat()));
    let groups = ["scan", "tables", "desk"].map(|stage| format!("{}-{stage}", world.app));
    let groups = groups.iter().flat_map(|group| words(&["--group", group])).collect();
    calls.push(call(&words(&["checker"]), &[operations(&["Describe"]), groups].concat()));
    let create =
        [operations(&["Create", "Describe"]), topics, words(&["--topic", &world.topic(NEW)])].concat();
    calls.push(call(&words(&["creator"]), &create));
    broker.change_rights(&calls);
}

/// The arguments of `kafka-acls` that give somebody something.
fn call(who: &[String], what: &[String]) -> Vec<String> {
    let who = who.iter().flat_map(|user| ["--allow-principal".to_owned(), format!("User:{user}")]);
    ["--add".to_owned()].into_iter().chain(who).chain(what.iter().cloned()).collect()
}

fn run(broker: &Broker, world: &World, user: &str, stage: &str) -> Service {
    let mut arguments = broker.settings_of(user);
    arguments.extend(["--stage".to_owned(), stage.to_owned()]);
    // One after the other in the same place: nobody waits for the session of the one before.
    world.run_as("a", &arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Without one right the service ends, or says what it does without it.
fn says_what_it_lacks(broker: &Broker, world: &World, user: &str, right: &Right) {
    let wanted = match right.resource {
        // It names the very id.
        Resource::TransactionalIds => format!("lacks Write on transactional id {}", right.name),
        _ => format!("lacks {right}: `kafka-acls --add "),
    };
    let began = Instant::now();
    let mut service = run(broker, world, user, "all");
    if right.operation == "DescribeConfigs" {
        service.await_log(&wanted, TOLD);
        service.await_ready();
        assert_eq!(service.log().matches("lacks").count(), 1, "{}", service.log());
        service.stop();
    } else {
        let (code, log) = service.await_end(TOLD);
        assert_eq!(code, Some(1), "{right}: {log}");
        assert!(log.contains(&wanted) && !log.contains("panicked"), "{right} is not named:\n{log}");
    }
    eprintln!("{:.1} s: without {right}", began.elapsed().as_secs_f64());
}

/// The commands that look at topics and make them, each as a user of its own.
fn caretakers(broker: &Broker, world: &World) {
    let command = |user: &str, words: &[&str]| {
        let settings = broker.settings_of(user);
        let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
        let run = world.command(&[words, &settings].concat());
        (run.code, String::from_utf8_lossy(&run.stdout).into_owned() + &run.stderr)
    };
    let (code, said) = command("checker", &["check", "--wait", "2"]);
    assert!(code == Some(0) && !said.contains("uthoriz"), "{code:?}: {said}");
    let (code, said) = command("operator", &["check", "--wait", "2"]);
    assert!(code == Some(1) && said.contains("uthoriz"), "{code:?}: {said}");
    let new = format!("topics.dead_letters={}", world.topic(NEW));
    let create = ["topics", "create", "--replication", "1", "--set", &new];
    let (code, said) = command("operator", &create);
    assert!(code == Some(1) && said.contains("uthoriz"), "{code:?}: {said}");
    let (code, said) = command("creator", &create);
    assert_eq!(code, Some(0), "{said}");
    broker.await_partitions(&world.topic(NEW), 1);
}

/// The commands that publish, each as a user of its own.
fn operators(broker: &Broker, world: &World) {
    let records = [
        ("offers", json_lines(&[offer("lamp", "#GetLamp")])),
        ("accounts", json_lines(&[account(103)])),
        ("transactions", json_lines(&[payment("t-1", ANNA, 6_000)])),
    ];
    for (command, lines) in &records {
        let file = world.folder.write(&format!("{command}.jsonl"), lines);
        let put = |user: &str| {
            let settings = broker.settings_of(user);
            let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
            world.command(&[&[command, "put", file.to_str().unwrap()][..], &settings].concat())
        };
        let run = put(command);
        assert_eq!(run.code, Some(0), "{command}: {}", run.stderr);
        let run = put("operator");
        assert_eq!(run.code, Some(1), "{command} without rights: {}", run.stderr);
        assert!(run.stderr.contains("uthorization"), "{command} without rights: {}", run.stderr);
    }
}

/// The orders that a biller reads: of what is committed, in a group of its own.
fn billed(broker: &Broker, world: &World) -> usize {
    let consumer: BaseConsumer = broker
        .client_of("biller")
        .set("group.id", "biller")
        .set("isolation.level", "read_committed")
        .set("auto.offset.reset", "earliest")
        .create()
        .unwrap();
    let topics = ["purchases", "orders"].map(|name| world.topic(name));
    consumer.subscribe(&[&topics[0], &topics[1]]).unwrap();
    let (mut orders, mut events) = (0, 0);
    let until = Instant::now() + TOLD;
    while (orders < 2 || events < 4) && Instant::now() < until {
        match consumer.poll(Duration::from_millis(500)) {
            Some(Ok(message)) if message.topic() == topics[1] => orders += 1,
            Some(Ok(_)) => events += 1,
            Some(Err(error)) => panic!("{error}"),
            None => {}
        }
    }
    assert!(events >= 4, "{events} events of two purchases");
    orders
}
