//! What watches the service: rules, alerts, dashboards and the runbook, with the real `promtool`, and with a real
//! Prometheus that scrapes a demo and is asked every expression that there is.
//!
//! `cargo test --test monitoring live` runs the cases whose names contain `live`.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../common/broker.rs"]
mod broker;
#[path = "../common/built.rs"]
mod built;
mod dashboards;
#[allow(dead_code, reason = "the pages' own tests need all of it")]
#[path = "../web/demo.rs"]
mod demo;
mod expressions;
#[allow(dead_code, reason = "as above")]
#[path = "../web/http.rs"]
mod http;
mod live;
mod promtool;
mod rules;
mod runbook;
#[path = "../common/trials.rs"]
mod trials;

use std::sync::{Arc, OnceLock};

use libtest_mimic::{Arguments, Failed, Trial};

use self::broker::Broker;
use self::live::Live;
use self::trials::unless;

/// The variable that makes a missing Prometheus a failure.
const REQUIRE: &str = "HASHBUY_REQUIRE_PROMETHEUS";

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for &(name, case) in rules::CASES.iter().chain(dashboards::CASES).chain(runbook::CASES) {
        trials.push(Trial::test(name, move || ended(case)));
    }

    let (missing, required) = (promtool::missing(), is_set(REQUIRE));
    let with_prometheus = |name: String, run: Box<dyn FnOnce() + Send>| {
        let lacks = missing.clone().filter(|_| required);
        let trial = Trial::test(name, move || match lacks {
            Some(lacks) => Err(format!("{lacks}, and {REQUIRE} is set").into()),
            None => ended(run),
        });
        unless(missing.clone().filter(|_| !required), trial)
    };
    for &(name, case) in promtool::CASES {
        trials.push(with_prometheus(name.to_owned(), Box::new(case)));
    }
    for file in rules::test_files() {
        let name = format!("promtool::tests::{}", file.file_stem().unwrap().display());
        trials.push(with_prometheus(name, Box::new(move || promtool::test_rules(&file))));
    }
    // Started by the first case that needs it, ended when this goes.
    let shared: Arc<OnceLock<Live>> = Arc::default();
    for (name, case) in live::CASES {
        let shared = Arc::clone(&shared);
        trials.push(with_prometheus(
            (*name).to_owned(),
            Box::new(move || case(shared.get_or_init(Live::start))),
        ));
    }

    let missing = Broker::missing().filter(|_| !is_set(broker::REQUIRE));
    let trial = Trial::test("runbook::its_commands_do_what_they_should", || {
        ended(|| runbook::run_all(&Broker::up("runbook").unwrap()))
    });
    trials.push(unless(missing, trial));

    let conclusion = libtest_mimic::run(&arguments, trials);
    drop(shared);
    conclusion.exit();
}

fn is_set(variable: &str) -> bool {
    std::env::var(variable).is_ok_and(|value| value == "1")
}

fn ended(case: impl FnOnce()) -> Result<(), Failed> {
    case();
    Ok(())
}
