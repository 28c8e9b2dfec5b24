//! The simulation: a fixed few hundred seeds, and what a run promises of itself.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod sim;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use sim::{Report, run};

/// Runs seeds on all cores, and hands each report over as it comes.
fn run_all(seeds: std::ops::Range<u64>, each: impl Fn(Report) + Sync) {
    let next = AtomicU64::new(seeds.start);
    let threads = std::thread::available_parallelism().map_or(2, |threads| threads.get());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        break;
                    }
                    each(run(seed));
                }
            });
        }
    });
}

#[test]
fn every_seed_is_exact() {
    let failed = Mutex::new(Vec::new());
    run_all(0..200, |report| {
        if let Some(what) = report.failure {
            failed.lock().unwrap().push((report.seed, what));
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn the_same_seed_is_the_same_run() {
    for seed in [3, 17, 40] {
        let (one, other) = (run(seed), run(seed));
        assert_eq!(one.trace, other.trace, "seed {seed}");
        assert_eq!(one.digest, other.digest, "seed {seed}");
        assert_ne!(one.digest, run(seed + 1).digest);
    }
}
