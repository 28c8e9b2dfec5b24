//! Ways of doing the same, by turns: others work on this machine too, so what is compared has to stand side by side.

use std::time::{Duration, Instant};

/// How often each has its turn.
pub const ROUNDS: usize = 5;
/// A turn takes so long at least: what is shorter is done again and again.
const TURN: Duration = Duration::from_millis(40);

/// The seconds that each way takes when it is done once, in each round. Each is tried once before the turns.
pub fn in_turns<const N: usize>(mut ways: [&mut dyn FnMut(); N]) -> [[f64; N]; ROUNDS] {
    let times: [u32; N] = std::array::from_fn(|way| times(ways[way]));
    let mut rounds = [[0.0; N]; ROUNDS];
    for round in &mut rounds {
        for ((way, times), seconds) in ways.iter_mut().zip(times).zip(round) {
            let begun = Instant::now();
            (0..times).for_each(|_| way());
            *seconds = begun.elapsed().as_secs_f64() / f64::from(times);
        }
    }
    rounds
}

/// The middle one of a figure of the rounds.
pub fn middle<const N: usize>(rounds: &[[f64; N]; ROUNDS], figure: impl Fn(&[f64; N]) -> f64) -> f64 {
    let mut all = rounds.each_ref().map(figure);
    all.sort_by(f64::total_cmp);
    all[ROUNDS / 2]
}

fn times(work: &mut dyn FnMut()) -> u32 {
    let begun = Instant::now();
    work();
    let once = begun.elapsed().max(Duration::from_nanos(1));
    u32::try_from(TURN.as_nanos() / once.as_nanos()).unwrap_or(u32::MAX).max(1)
}
