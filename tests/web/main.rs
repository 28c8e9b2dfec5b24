//! The page, over HTTP and in a browser: of a demo, since that is the whole service in one process.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod browser;
#[path = "../common/built.rs"]
mod built;
mod demo;
mod driver;
mod http;
mod pages;
#[path = "../common/trials.rs"]
mod trials;

use std::sync::{Arc, OnceLock};

use libtest_mimic::{Arguments, Trial};

use self::demo::Demo;
use self::trials::unless;

/// Where there is no browser that can be driven, its cases are ignored; with this variable at 1 they fail.
const REQUIRE: &str = "HASHBUY_REQUIRE_CHROMIUM";

fn main() {
    let arguments = Arguments::from_args();
    // Started by the first case that needs it.
    let shared: Arc<OnceLock<Demo>> = Arc::default();
    let mut trials = Vec::new();
    let mut add = |name: &str, case: fn(&Demo), missing: Option<&str>| {
        let shared = Arc::clone(&shared);
        let trial = Trial::test(name, move || {
            case(shared.get_or_init(Demo::start));
            Ok(())
        });
        trials.push(unless(missing, trial));
    };
    for (name, case) in pages::CASES {
        add(name, *case, None);
    }
    let required = std::env::var(REQUIRE).is_ok_and(|value| value == "1");
    let missing = driver::missing();
    for (name, case) in browser::CASES {
        add(name, *case, missing.filter(|_| !required));
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    // It is ended when this goes.
    drop(shared);
    conclusion.exit();
}
