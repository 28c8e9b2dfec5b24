//! This machine's clock against the brokers'.
//!
//! Nothing is written for it. While the service runs a mark comes every second, stamped by the broker: it was
//! not there at one look and is there at the next, so it was appended in between, and the stamp has to lie in
//! between too. While nothing comes the newest stamp tells one thing only: the brokers' clock was at least
//! there.

use std::thread;
use std::time::{Duration, Instant};

use super::Look;
use crate::core::time::{SECOND, Time};
use crate::log::{Isolation, Partition};
use crate::operate::reading::{Span, newest, read};
use crate::operate::{Unable, patiently};

/// A clock that is further off makes a process not ready, in milliseconds.
const TOO_FAR: i64 = 5 * SECOND;
/// Worth a warning, in milliseconds.
const FAR: i64 = SECOND;
/// A mark is waited for so long.
const WAIT: Duration = Duration::from_secs(4);
const APART: Duration = Duration::from_millis(50);

pub(super) fn look(look: &mut Look<'_>) -> Result<(), Unable> {
    let topic = look.config.service.topics.inbox.clone();
    let what = "clock";
    let Some(partition) = look.used(&topic)?.into_iter().next() else { return Ok(()) };
    let mend = "set this machine's clock, or the brokers': they have to agree within a second";
    let (log, group) = (look.log, look.group("scan"));
    let is_kept = !patiently(|| log.members(&group))?.is_empty();
    if is_kept && let Some((earliest, at, latest)) = see_one_come(look, &partition)? {
        // Ahead of the brokers by at least so much; below 0: behind.
        let off = earliest.since(at).max(0) - at.since(latest).max(0);
        let value =
            format!("{} ms off the brokers' at least, seen within {} ms", off, latest.since(earliest));
        match off.abs() {
            off if off > TOO_FAR => look.problem(what, value, mend),
            off if off > FAR => look.warn(what, value, mend),
            _ => look.ok(what, format!("as the brokers', seen within {} ms", latest.since(earliest))),
        }
        return Ok(());
    }
    let newest = newest(log, std::slice::from_ref(&partition), |message| {
        message.appended.then_some(message.timestamp)
    })?;
    let now = look.clock.now();
    match newest.into_iter().next().flatten() {
        Some(at) if at.since(now) > FAR => {
            let value = format!("{} ms behind the brokers' at least", at.since(now));
            if at.since(now) > TOO_FAR {
                look.problem(what, value, mend)
            } else {
                look.warn(what, value, mend)
            }
        }
        _ => look.warn(
            what,
            "not known: no mark comes by which it could be seen",
            "look again while the scan stage runs",
        ),
    }
    Ok(())
}

/// Waits for a record: when it was not there yet, when it says that it was appended, and when it was there.
fn see_one_come(look: &mut Look<'_>, partition: &Partition) -> Result<Option<(Time, Time, Time)>, Unable> {
    let lookup = &mut look.lookup;
    let until = Instant::now() + WAIT;
    let (_, before) = patiently(|| lookup.watermarks(partition, Isolation::Uncommitted))?;
    let mut earliest = look.clock.now();
    loop {
        // Read before the question: what the answer does not have was appended later than this.
        let asked = look.clock.now();
        let (_, end) = patiently(|| lookup.watermarks(partition, Isolation::Uncommitted))?;
        if end > before {
            let latest = look.clock.now();
            let mut at = None;
            let span = Span { partition: partition.clone(), from: before, until: end };
            read(look.log, &[span], |message| {
                if message.appended {
                    at.get_or_insert(message.timestamp);
                }
            })?;
            return Ok(at.map(|at| (earliest, at, latest)));
        }
        if Instant::now() >= until {
            return Ok(None);
        }
        earliest = asked;
        thread::sleep(APART);
    }
}
