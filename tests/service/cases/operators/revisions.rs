//! Settings travel in the marks: of two revisions all follow the higher, and two contents with one revision are
//! told of.

use serde_json::Value;

use super::nothing_twice;
use crate::common::program::text;
use crate::process::Service;
use crate::world::{SOON, World, account, offer};

const SHOPPERS: std::ops::RangeInclusive<u64> = 1_601..=1_606;

/// Instances with a text of their own each, one after the other and beside each other.
pub fn revisions(world: &mut World) {
    world.set_up(&[offer("kettle", "#GetKettle")], &SHOPPERS.map(account).collect::<Vec<_>>());
    let firehose = world.firehose();
    let mut shoppers = SHOPPERS;
    // Who keeps time says what its configuration says; what is in force is seen in the answers.
    let mut answer = |world: &mut World| -> String {
        let shopper = shoppers.next().unwrap();
        firehose.tweet(shopper, "#GetKettle");
        let requested: Value = world.await_event("purchase.requested", shopper, "kettle", SOON);
        let reply = text(&requested["reply"], "text").to_owned();
        reply.split(' ').next().unwrap().to_owned()
    };
    let differ = |service: &mut Service| service.metric("hashbuy_nothing_total{reason=\"settings_differ\"}");

    let mut old = run(world, "a", 1, "old");
    old.await_ready();
    assert_eq!(answer(world), "old");
    // Beside it comes one with a higher revision; the old one ends, and the new one keeps time.
    let mut new = run(world, "b", 2, "new");
    new.await_ready();
    old.stop();
    world.wait_for("the higher revision is in force", SOON, |_| has_kept_time(&mut new));
    assert_eq!(answer(world), "new");

    // The old one again, alone: what it says counts for nothing.
    let mut old = run(world, "a", 1, "old");
    old.await_ready();
    new.stop();
    world.wait_for("the old one keeps time", SOON, |_| has_kept_time(&mut old));
    assert_eq!(answer(world), "new");
    assert_eq!(differ(&mut old), 0.0);
    let check = |world: &World, revision: &str, answer: &str| {
        let (revision, answer) = (format!("revision={revision}"), format!("texts.requested={answer}"));
        let run = world.command(&["check", "--quick", "--set", &revision, "--set", &answer]);
        (run.code, String::from_utf8(run.stdout).unwrap())
    };
    let (code, table) = check(world, "1", "old {code}");
    assert!(code == Some(0) && table.contains("revision 1, as here"), "{table}");
    let (code, table) = check(world, "1", "other {code}");
    assert!(code == Some(1) && table.contains("not the same: texts"), "{table}");
    old.stop();

    // Another content with the revision that is in force.
    let mut other = run(world, "c", 2, "other");
    other.await_ready();
    world.wait_for("two contents with one revision are counted", SOON, |_| {
        (differ(&mut other) > 0.0).then_some(())
    });
    // The greater text, whichever came first.
    assert_eq!(answer(world), "other");
    other.stop();
    nothing_twice(world);
}

fn run(world: &World, instance: &str, revision: u64, answer: &str) -> Service {
    let text = format!("{answer} {{code}}");
    world.run_with(instance, &[("HASHBUY_REVISION", revision.to_string()), ("HASHBUY_TEXTS_REQUESTED", text)])
}

/// The keeper is the one who sees how far the scan is; two marks later what it says has been read.
fn has_kept_time(service: &mut Service) -> Option<()> {
    if service.metric("hashbuy_scan_mark_time_seconds{partition=\"0\"}") == 0.0 {
        return None;
    }
    std::thread::sleep(std::time::Duration::from_secs(3));
    Some(())
}
