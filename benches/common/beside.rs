//! Two ways of doing the same, by turns: machines differ, and others work on this one, so only how they stand to
//! each other can be compared.

use std::time::Instant;

/// How often each of them has its turn.
const ROUNDS: usize = 5;

/// Prints what both take for each of `count` things, by the median, and the ratio.
pub fn beside(what: &str, count: u64, mut ours: impl FnMut(), other: &str, mut theirs: impl FnMut()) {
    let (mut our_times, mut their_times) = ([0.0; ROUNDS], [0.0; ROUNDS]);
    for round in 0..ROUNDS {
        our_times[round] = nanoseconds(&mut ours) / count as f64;
        their_times[round] = nanoseconds(&mut theirs) / count as f64;
    }
    our_times.sort_by(f64::total_cmp);
    their_times.sort_by(f64::total_cmp);
    let (ours, theirs) = (our_times[ROUNDS / 2], their_times[ROUNDS / 2]);
    println!(
        "{what}: {ours:.0} ns each, {:.2} million/s; {other}: {theirs:.0} ns, {:.2} million/s; {:.2} times as fast",
        1e3 / ours,
        1e3 / theirs,
        theirs / ours,
    );
}

fn nanoseconds(work: &mut impl FnMut()) -> f64 {
    let begun = Instant::now();
    work();
    begun.elapsed().as_secs_f64() * 1e9
}
