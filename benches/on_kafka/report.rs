//! Numbers for people.

use std::time::Duration;

/// The middle one, or the upper one of the two in the middle.
pub fn median<T: PartialOrd + Copy>(all: impl Iterator<Item = T>) -> T {
    let mut all: Vec<T> = all.collect();
    all.sort_by(|one, other| one.partial_cmp(other).expect("numbers"));
    *all.get(all.len() / 2).expect("a round at least")
}

/// `1.25 s`.
pub fn seconds(duration: Duration) -> String {
    format!("{:.2} s", duration.as_secs_f64())
}

/// Bytes as MiB.
pub fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
