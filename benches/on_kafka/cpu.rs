//! The time that a process has spent on all cores.

use std::time::Duration;

/// Linux counts in hundredths of a second, whatever the kernel's own clock.
const TICK: Duration = Duration::from_millis(10);

/// User and system time of a process, by its id, up to now.
pub fn spent_by(process: &str) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).expect("Linux, and a process");
    // The program's name, which may hold anything, ends at the last parenthesis; utime and stime are the
    // 14th and 15th field of all, the 12th and 13th behind it.
    let behind = stat.rsplit_once(')').expect("a name").1;
    let ticks =
        behind.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u32>().expect("a number"));
    TICK * ticks.sum::<u32>()
}
