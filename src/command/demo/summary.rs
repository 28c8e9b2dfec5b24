//! The end of a demo: what was played, what came of it, and whether it adds up.

use std::time::Duration;

use super::screen::grouped;
use super::world::World;
use crate::command::Error;
use crate::core::event::EventKind;

/// Below this part of the rate that was asked for, the machine was too slow.
const ENOUGH: f64 = 0.95;

/// The summary, line by line.
pub fn lines(world: &World, rate: u64, elapsed: Duration) -> Vec<String> {
    let tweets = world.summary().tweets;
    let seconds = elapsed.as_secs_f64().max(f64::MIN_POSITIVE);
    let per_second = tweets as f64 / seconds;
    let megabytes = world.bytes as f64 / 1e6;
    let mut lines = vec![
        String::new(),
        format!(
            "played      {} tweets and {} deletions, {megabytes:.1} MB, in {seconds:.1} s: {} tweets/s, {:.1} MB/s",
            grouped(tweets),
            grouped(world.summary().deletions),
            grouped(per_second.round() as u64),
            megabytes / seconds
        ),
        format!("desk time   {}, after {} min {} s", world.time(), world.age() / 60, world.age() % 60),
        format!("purchases   {}", sum(world)),
        format!("refusals    {}", refusals(world)),
    ];
    if faults(world).is_empty() {
        let [orders, purchases] =
            [EventKind::OrderPlaced, EventKind::Confirmed].map(|kind| world.ledger.count(kind));
        lines.push(format!(
            "billed      nobody was billed twice: {} orders, {} purchases",
            grouped(orders),
            grouped(purchases)
        ));
    }
    if per_second < rate as f64 * ENOUGH && elapsed >= Duration::from_secs(1) {
        lines.push(format!("This machine was too slow for {} tweets a second.", grouped(rate)));
    }
    lines
}

/// Whether it adds up.
///
/// # Errors
/// What does not.
pub fn check(world: &World) -> Result<(), Error> {
    let faults = faults(world);
    if faults.is_empty() {
        return Ok(());
    }
    const SHOWN: usize = 5;
    let mut message = format!("the sums are wrong, which is a fault of hashbuy ({} in all)", faults.len());
    for fault in faults.iter().take(SHOWN) {
        message.push_str("\n  ");
        message.push_str(fault);
    }
    Err(Error::Failed(message))
}

/// `requested 412 = confirmed 280 + lapsed 71 + cancelled 33 + pending 28`.
fn sum(world: &World) -> String {
    let count = |kind| grouped(world.ledger.count(kind));
    format!(
        "requested {} = confirmed {} + lapsed {} + cancelled {} + pending {}",
        count(EventKind::Requested),
        count(EventKind::Confirmed),
        count(EventKind::Lapsed),
        count(EventKind::Cancelled),
        grouped(world.pendings() as u64)
    )
}

/// `60: lapsed 31, wrong_code 29`.
fn refusals(world: &World) -> String {
    let mut reasons: Vec<_> = world.ledger.refusals.iter().collect();
    reasons.sort_by_key(|&(reason, &n)| (std::cmp::Reverse(n), *reason));
    let reasons: Vec<_> =
        reasons.into_iter().map(|(reason, &n)| format!("{reason} {}", grouped(n))).collect();
    let total = grouped(world.ledger.count(EventKind::Refused));
    if reasons.is_empty() { total } else { format!("{total}: {}", reasons.join(", ")) }
}

fn faults(world: &World) -> Vec<String> {
    let mut faults = world.ledger.faults(world.pendings() as u64);
    faults.extend(world.unreadable.iter().map(|record| format!("a record of the demo is bad: {record}")));
    let missed = world.summary().missed;
    if missed > 0 {
        faults.push(format!("the prefilter would have dropped {missed} records that matter"));
    }
    faults
}
