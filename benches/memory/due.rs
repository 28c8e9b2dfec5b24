//! Pendings that fall due at once: how long each part of a transaction takes.

use std::time::{Duration, Instant};

use hashbuy::core::desk::{Desk, Effects, Progress};
use hashbuy::core::time::{HOUR, MINUTE, Time};

use crate::crowd::{START, desk, link, mark, request};
use crate::process::interrupted;

/// What something took: the mean, what 99 of 100 were below, and the longest.
fn shown(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let millis = |time: Duration| time.as_secs_f64() * 1e3;
    let count = times.len();
    let mean = millis(times.iter().sum::<Duration>()) / count as f64;
    format!("{mean:.2} / {:.2} / {:.2} ms", millis(times[count * 99 / 100]), millis(times[count - 1]))
}

/// `span` is how many milliseconds the deadlines go through.
pub fn measure(pendings: u64, span: u64) {
    let mut desk = desk();
    link(&mut desk, pendings);
    request(&mut desk, pendings, 1, span);
    println!("due: {pendings} in {span} ms; mean, 99 of 100, longest:");
    pass(&mut desk, "lapses", START.plus(20 * MINUTE));
    pass(&mut desk, "pruning", START.plus(6 * HOUR));
    std::mem::forget(desk);
}

/// Lets time pass, and what is due by then happen. Transactions in which the processor was taken away do not count:
/// what they took is the machine's affair.
fn pass(desk: &mut Desk, what: &str, time: Time) {
    let mark = mark(time);
    let (mut steps, mut changes, mut commits, mut all) = (vec![], vec![], vec![], vec![]);
    let (mut ended, mut disturbed) = (0, 0);
    loop {
        let mut effects = Effects::default();
        let before = interrupted();
        let begun = Instant::now();
        let progress = desk.step(&mark, time, time, &mut effects).expect("settings");
        let stepped = begun.elapsed();
        desk.changes(0);
        let changed = begun.elapsed();
        desk.commit();
        let committed = begun.elapsed();
        if interrupted() == before {
            steps.push(stepped);
            changes.push(changed - stepped);
            commits.push(committed - changed);
            all.push(committed);
        } else {
            disturbed += 1;
        }
        ended += effects.outputs.len();
        if progress == Progress::Done {
            break;
        }
    }
    println!(
        "due: {what}: {ended} ended in {} transactions (and {disturbed} disturbed ones) of {}: the step {}, changes \
         {}, commit {}",
        all.len(),
        shown(all),
        shown(steps),
        shown(changes),
        shown(commits),
    );
}
