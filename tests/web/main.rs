//! The page, over HTTP and in a browser: of a demo, since that is the whole service in one process.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod browser;
#[path = "../common/built.rs"]
mod built;
mod demo;
mod pages;
#[path = "../common/trials.rs"]
mod trials;

use std::sync::{Arc, OnceLock};

use libtest_mimic::{Arguments, Trial};

use self::demo::Demo;
use self::trials::unless;

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
    for (name, case) in browser::CASES {
        add(name, *case, (!browser::is_there()).then_some("no chromium here"));
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    // It is ended when this goes.
    drop(shared);
    conclusion.exit();
}
