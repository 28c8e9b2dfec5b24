//! Two ways of doing the same, by turns: machines differ, and others work on this one, so only how they stand to
//! each other can be compared.

use std::time::{Duration, Instant};

/// How often each of them has its turn.
const ROUNDS: usize = 5;
/// A turn takes so long at least: what is shorter is done again and again.
const TURN: Duration = Duration::from_millis(40);

/// Prints what both take for each of `count` things, by the median, and the ratio.
pub fn beside(what: &str, count: u64, mut ours: impl FnMut(), other: &str, mut theirs: impl FnMut()) {
    let [ours, theirs] =
        in_turns(&mut [(1, &mut ours), (1, &mut theirs)]).map(|seconds| seconds * 1e9 / count as f64);
    println!(
        "{what}: {ours:.0} ns each, {:.2} million/s; {other}: {theirs:.0} ns, {:.2} million/s; {:.2} times as fast",
        1e3 / ours,
        1e3 / theirs,
        theirs / ours,
    );
}

/// Prints how fast both go through the same bytes, by the median, and the ratio. Before the turns each is tried
/// once, to find out how often it has to be done in one.
pub fn over_bytes<'w>(
    what: &str,
    bytes: usize,
    ours: &'w mut dyn FnMut(),
    other: &str,
    theirs: &'w mut dyn FnMut(),
) {
    let mut ways = [ours, theirs].map(|way| (times(way), way));
    let [ours, theirs] = in_turns(&mut ways).map(|seconds| bytes as f64 / seconds / 1e9);
    println!("{what}: {ours:.2} GB/s; {other}: {theirs:.2} GB/s; ratio {:.3}", ours / theirs);
}

/// The seconds that each way takes when it is done once, by the median of the rounds.
fn in_turns<const N: usize>(ways: &mut [(u32, &mut dyn FnMut()); N]) -> [f64; N] {
    let mut rounds = [[0.0; N]; ROUNDS];
    for round in &mut rounds {
        for ((times, work), seconds) in ways.iter_mut().zip(round) {
            let begun = Instant::now();
            (0..*times).for_each(|_| work());
            *seconds = begun.elapsed().as_secs_f64() / f64::from(*times);
        }
    }
    std::array::from_fn(|way| {
        let mut seconds = rounds.map(|round| round[way]);
        seconds.sort_by(f64::total_cmp);
        seconds[ROUNDS / 2]
    })
}

fn times(work: &mut dyn FnMut()) -> u32 {
    work();
    let begun = Instant::now();
    work();
    let once = begun.elapsed().max(Duration::from_nanos(1));
    u32::try_from(TURN.as_nanos() / once.as_nanos()).unwrap_or(u32::MAX).max(1)
}
