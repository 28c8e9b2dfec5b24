//! What operators do when something has happened, with the commands that the program has for it.

pub mod adopt;
pub mod check;
pub mod elsewhere;
pub mod layout;
pub mod moving;
pub mod revisions;
pub mod versions;

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::common::program::{Run, text};
use crate::world::World;

/// A command has to fail like this: the exit code, and what it says.
#[track_caller]
fn fails(world: &World, args: &[&str], code: i32, parts: &[&str]) -> Run {
    let run = world.command(args);
    let said = format!("{}{}", String::from_utf8_lossy(&run.stdout), run.stderr);
    assert_eq!(run.code, Some(code), "hashbuy {}: {said}", args.join(" "));
    for part in parts {
        assert!(said.contains(part), "hashbuy {}: no {part:?} in {said}", args.join(" "));
    }
    run
}

/// A command that is refused while a process counts as live that has just ended, and then ends well.
#[track_caller]
fn succeeds_soon(world: &World, args: &[&str]) -> Run {
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        let run = world.command(args);
        if run.code == Some(0) {
            return run;
        }
        let passes = run.stderr.contains("live members") && Instant::now() < until;
        assert!(passes, "hashbuy {}: {}", args.join(" "), run.stderr);
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// No event stands twice in what was written.
fn nothing_twice(world: &mut World) {
    let mut ids: Vec<String> =
        world.purchases().iter().map(|event| text(event, "event_id").to_owned()).collect();
    ids.extend(world.orders().iter().map(|event| text(event, "event_id").to_owned()));
    let all = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), all, "events stand there twice");
}

fn account_of(event: &Value) -> u64 {
    text(event, "account_id").parse().unwrap()
}
