//! What is in `deploy/` and the commands in the docs, against the program and by the tools that they are made for.
//!
//! A case whose tool is not here is ignored; `HASHBUY_REQUIRE_HADOLINT=1` makes that a failure for hadolint, and so for
//! the others. `HASHBUY_IMAGE=1` adds the long one: what the Dockerfile does to build the program, in a clean folder.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

#[path = "../common/broker.rs"]
mod broker;
#[path = "../common/mod.rs"]
mod common;

mod containers;
mod dockerfile;
mod documented;
mod image;
mod kubernetes;
mod package;
mod settings;
mod systemd;
mod tools;
#[path = "../common/trials.rs"]
mod trials;
mod yaml;

use libtest_mimic::{Arguments, Trial};

use self::broker::Broker;
use self::common::{built, program};
use self::trials::unless;

/// A case, its name, and the tool that it needs.
type Case = (&'static str, &'static str, fn());

const CASES: &[&[Case]] = &[
    containers::CASES,
    documented::CASES,
    kubernetes::CASES,
    package::CASES,
    settings::CASES,
    systemd::CASES,
];

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    let mut add = |name: &str, missing: Option<String>, case: fn()| {
        let trial = Trial::test(name, move || {
            case();
            Ok(())
        });
        trials.push(unless(missing, trial));
    };
    for &(name, tool, case) in CASES.iter().copied().flatten() {
        add(name, tools::missing(tool), case);
    }
    let is_required = std::env::var(broker::REQUIRE).is_ok_and(|value| value == "1");
    let missing = Broker::missing().filter(|_| !is_required);
    add("documented_commands_run_on_a_broker", missing, documented::run_on_a_broker);
    let missing = (!image::is_wanted()).then(|| format!("long; {}=1 runs it", image::WANTED));
    add("the_image_is_built_in_a_clean_folder", missing, image::built_in_a_clean_folder);
    libtest_mimic::run(&arguments, trials).exit();
}
