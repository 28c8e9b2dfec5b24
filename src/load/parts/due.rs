//! A desk with very many accounts that have one pending each, all of which fall due in one millisecond: its memory, and
//! how long the longest transaction is. They lapse in bounded ones, so that nobody waits long.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::shop::Shop;
use super::{Figures, resident};
use crate::core::code::Secret;
use crate::core::desk::{Desk, Effects, Progress};
use crate::core::inbox::{Inbox, Position};
use crate::core::settings::{Settings, Shared};
use crate::core::time::{MINUTE, Time};
use crate::load::Failed;

const START: Time = Time::from_millis(1_760_000_000_000);

pub fn measure(pendings: u64) -> Result<Figures, Failed> {
    let (shop, settings) = (Shop::new(START)?, Shared::from(Settings::default()));
    let mut desk = Desk::new(Secret::published());
    let mark = |time| Inbox::Mark { time, settings: settings.clone() };
    step(&mut desk, &mark(START), START)?;
    let before = resident()?;
    for (number, account) in (0..).zip(shop.accounts(pendings)) {
        let account = account?;
        let (account_id, position) = (account.account_id, Position { epoch: 0, offset: number });
        step(&mut desk, &Inbox::Account { account_id, position, account: Some(Arc::new(account)) }, START)?;
    }
    let linked = resident()?;
    for number in 0..pendings {
        step(&mut desk, &Inbox::Sighting(shop.wish(number, number, number, START)), START)?;
    }
    let held = desk.pendings().count();
    if held as u64 != pendings {
        return Err(Failed(format!("of {pendings} pendings there are {held}")));
    }
    let requested = resident()?;
    let late = START.plus(20 * MINUTE);
    let mark = mark(late);
    let mut figures = Figures::from([
        ("account.bytes".to_owned(), (linked - before) / pendings as f64),
        ("pending_with_its_history.bytes".to_owned(), (requested - linked) / pendings as f64),
    ]);
    let (mut longest, mut lapsed, mut transactions, mut progress) = (Duration::ZERO, 0, 0, Progress::More);
    let begun = Instant::now();
    while progress == Progress::More {
        let mut effects = Effects::default();
        let (turns, began) = (interrupted(), Instant::now());
        progress = desk.step(&mark, late, late, &mut effects).map_err(|error| Failed(error.to_string()))?;
        desk.changes(0);
        desk.commit();
        // When the processor is taken away, that is the machine's affair.
        if interrupted() == turns {
            longest = longest.max(began.elapsed());
        }
        lapsed += effects.outputs.len();
        transactions += 1;
    }
    figures.insert("pendings".to_owned(), lapsed as f64);
    figures.insert("transactions".to_owned(), f64::from(transactions));
    figures.insert("longest.milliseconds".to_owned(), longest.as_secs_f64() * 1e3);
    figures.insert("lapsed_per_second".to_owned(), lapsed as f64 / begun.elapsed().as_secs_f64());
    std::mem::forget(desk);
    Ok(figures)
}

/// A transaction of one record.
fn step(desk: &mut Desk, record: &Inbox, now: Time) -> Result<(), Failed> {
    let done = desk.step(record, now, now, &mut Effects::default());
    if done.map_err(|error| Failed(error.to_string()))? == Progress::More {
        return Err(Failed("a desk that has nothing due has more to do".to_owned()));
    }
    desk.commit();
    Ok(())
}

/// How often the processor was taken away from this thread for another one; always the same where the kernel does
/// not say.
fn interrupted() -> u64 {
    let status = std::fs::read_to_string("/proc/thread-self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("nonvoluntary_ctxt_switches:"));
    line.and_then(|count| count.trim().parse().ok()).unwrap_or(0)
}
