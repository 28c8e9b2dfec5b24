//! Two ways of doing the same, by turns: machines differ, and others work on this one, so only how they stand to
//! each other can be compared.

use hashbuy::load::parts::turns::{in_turns, middle};

/// Prints what both take for each of `count` things, by the median, and the ratio.
pub fn beside(what: &str, count: u64, mut ours: impl FnMut(), other: &str, mut theirs: impl FnMut()) {
    let rounds = in_turns([&mut ours, &mut theirs]);
    let [ours, theirs] = [0, 1].map(|way| middle(&rounds, |round| round[way]) * 1e9 / count as f64);
    println!(
        "{what}: {ours:.0} ns each, {:.2} million/s; {other}: {theirs:.0} ns, {:.2} million/s; {:.2} times as fast",
        1e3 / ours,
        1e3 / theirs,
        theirs / ours,
    );
}

/// Prints how fast both go through the same bytes, by the median, and the ratio.
pub fn over_bytes<'w>(
    what: &str,
    bytes: usize,
    ours: &'w mut dyn FnMut(),
    other: &str,
    theirs: &'w mut dyn FnMut(),
) {
    let rounds = in_turns([ours, theirs]);
    let [ours, theirs] = [0, 1].map(|way| bytes as f64 / middle(&rounds, |round| round[way]) / 1e9);
    println!("{what}: {ours:.2} GB/s; {other}: {theirs:.2} GB/s; ratio {:.3}", ours / theirs);
}
