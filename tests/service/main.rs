//! The built program on a real Kafka: `topics`, `offers`, `accounts` and `run` as a user starts them,
//! tweets in, events out, with processes killed and replaced meanwhile.
//!
//! One broker serves the whole run. Each case has topics, groups and a folder of its own, so that cases
//! run beside each other; most of their time is waiting.
//!
//! `cargo test --test service kill` runs the cases whose names contain `kill`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

#[path = "../common/broker.rs"]
mod broker;
mod cases;
#[path = "../common/mod.rs"]
mod common;
mod firehose;
mod process;
mod restamp;
mod stream_2013;
mod topics;
#[path = "../common/trials.rs"]
mod trials;
mod world;

use std::sync::{Arc, OnceLock};

use libtest_mimic::{Arguments, Trial};

use self::broker::Broker;
use self::common::built;
use self::trials::unless;
use self::world::World;

/// So many cases run at once, unless `--test-threads` says otherwise: they wait more than they work.
const AT_ONCE: usize = 6;

fn main() {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(AT_ONCE);
    // Started by the first case that needs it, stopped when this goes, whatever became of the cases.
    let broker: Arc<OnceLock<Result<Broker, String>>> = Arc::default();
    let required = std::env::var(broker::REQUIRE).is_ok_and(|value| value == "1");
    let missing = Broker::missing().filter(|_| !required);
    let mut trials = Vec::new();
    for &(name, case) in cases::WITH_OWN_BROKER {
        let trial = Trial::test(name, move || {
            case(&Broker::up(name)?);
            Ok(())
        });
        trials.push(unless(missing.clone(), trial));
    }
    for &(name, case) in cases::WITH_BROKER {
        let broker = Arc::clone(&broker);
        let trial = Trial::test(name, move || {
            let broker = broker.get_or_init(|| Broker::up("service")).as_ref()?;
            case(&mut World::new(&broker.bootstrap));
            Ok(())
        });
        trials.push(unless(missing.clone().or_else(|| cases::missing(name)), trial));
    }
    for &(name, case) in cases::WITHOUT_BROKER {
        trials.push(Trial::test(name, move || {
            case();
            Ok(())
        }));
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    drop(broker);
    conclusion.exit();
}
