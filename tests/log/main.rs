//! What a log has to keep, whichever it is: one suite of cases, run against every implementation of
//! [`hashbuy::log::Log`]. A trial is called `IMPLEMENTATION::CASE`; the cases are in `cases/`, and
//! what differs between implementations is behind [`fixture::Fixture`].
//!
//! `cargo test --test log abort` runs the cases whose names contain `abort`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

#[path = "../common/broker.rs"]
mod broker;
#[path = "../common/built.rs"]
mod built;
mod bulk_cases;
mod cases;
mod fixture;
mod kafka;
mod kafka_cases;
mod memory;
mod random;
mod tools;
#[path = "../common/trials.rs"]
mod trials;

use libtest_mimic::{Arguments, Trial};

/// So many cases run at once, unless `--test-threads` says otherwise: those on a broker wait more than they work.
const AT_ONCE: usize = 5;

fn main() {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(AT_ONCE);
    let mut trials = Vec::new();
    for &(name, case) in cases::ALL {
        trials.push(trial(format!("memory::{name}"), move || case(&memory::Memory::simulated())));
        trials.push(trial(format!("memory_that_waits::{name}"), move || case(&memory::Memory::waiting())));
    }
    trials.push(trial("memory::random_calls".to_owned(), random::play));
    let broker = kafka::trials(&mut trials);
    let conclusion = libtest_mimic::run(&arguments, trials);
    drop(broker);
    conclusion.exit();
}

fn trial(name: String, run: impl FnOnce() + Send + 'static) -> Trial {
    Trial::test(name, move || {
        run();
        Ok(())
    })
}
