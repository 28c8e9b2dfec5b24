//! The service on a real Kafka:
//!
//! | `--only` | what is measured |
//! | --- | --- |
//! | `restore` | how long a process on one core takes to be ready with very many purchases pending, and its memory |
//! | `takeover` | how long partitions stand still when their process ends or is killed |
//! | `changelog` | how much stands in the changelog after an hour, once it is compacted, beside what is alive |
//!
//! It starts a broker of its own (`deploy/kafka/kafka`; Java and Maven), and prints every round:
//!
//! ```text
//! cargo bench --bench on_kafka -- [--rounds 5] [--pendings N] [--only WHAT] [--set PROPERTY=VALUE]...
//! ```
//!
//! Throughput and latency are measured by `hashbuy load`, on any Kafka.
//!
//! Machines differ, and the broker shares this one: only what stands side by side can be compared.

#![allow(clippy::expect_used, reason = "a bench that cannot go on says why")]

mod broker;
mod changelog;
mod cpu;
mod crowd;
mod hour;
mod report;
mod restore;
mod service;
mod takeover;
mod writing;

use std::collections::BTreeMap;

use broker::Broker;

/// What is measured, and how much of it.
struct Arguments {
    rounds: usize,
    pendings: Option<u64>,
    only: Option<String>,
    properties: BTreeMap<String, String>,
}

fn main() {
    let arguments = Arguments::read();
    let broker = Broker::up(arguments.properties);
    println!("Apache Kafka at {}", broker.bootstrap);
    let wanted = |name: &str| arguments.only.as_deref().is_none_or(|only| only == name);
    if wanted("restore") {
        restore::measure(&broker, arguments.pendings, arguments.rounds);
    }
    if wanted("takeover") {
        takeover::measure(&broker, arguments.rounds);
    }
    if wanted("changelog") {
        hour::measure(&broker);
    }
}

impl Arguments {
    fn read() -> Arguments {
        let mut arguments = Arguments { rounds: 5, pendings: None, only: None, properties: BTreeMap::new() };
        let mut given = std::env::args().skip(1).filter(|argument| argument != "--bench");
        while let Some(name) = given.next() {
            let value = given.next().unwrap_or_else(|| panic!("{name} needs a value"));
            let number =
                || value.parse().unwrap_or_else(|_| panic!("{name} {value}: must be a whole number"));
            match name.as_str() {
                "--rounds" => arguments.rounds = usize::try_from(number()).unwrap_or(1),
                "--pendings" => arguments.pendings = Some(number()),
                "--only" => arguments.only = Some(value),
                "--set" => {
                    let (name, value) = value.split_once('=').expect("PROPERTY=VALUE");
                    arguments.properties.insert(name.to_owned(), value.to_owned());
                }
                _ => panic!("{name} is no argument; there are --rounds, --pendings, --only, --set"),
            }
        }
        arguments
    }
}
