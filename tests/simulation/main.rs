//! The simulation: a fixed few hundred seeds, and what a run promises of itself.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../common/model/mod.rs"]
#[allow(dead_code, reason = "the simulation needs a part of it")]
mod model;
#[path = "../common/schema.rs"]
mod schema;
#[allow(dead_code, reason = "a tool beside this suite needs the rest")]
mod sim;
#[allow(dead_code, reason = "a tool beside this suite needs the rest")]
#[path = "../mutations/table.rs"]
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use sim::{Kind, Report, run};

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
    let (reports, seeds) = (Mutex::new(Vec::new()), 150);
    run_all(0..seeds, |report| reports.lock().unwrap().push(report));
    let reports = reports.into_inner().unwrap();
    let failed: Vec<String> = reports
        .iter()
        .filter_map(|report| Some(format!("seed {}: {}", report.seed, report.failure.as_ref()?)))
        .collect();
    assert!(
        failed.is_empty(),
        "{}\n`cargo run --release --example simulate -- --trace SEED`",
        failed.join("\n")
    );

    // It happened, or nothing was shown.
    let mut faults: BTreeMap<Kind, u64> = BTreeMap::new();
    let mut events: BTreeMap<String, u64> = BTreeMap::new();
    for report in &reports {
        report.faults.iter().for_each(|(kind, times)| *faults.entry(*kind).or_default() += times);
        report.events.iter().for_each(|(kind, times)| *events.entry(kind.clone()).or_default() += times);
    }
    for kind in Kind::ALL {
        assert!(faults.get(&kind).is_some_and(|times| *times >= 10), "{kind:?}: {faults:?}");
    }
    for kind in ["requested", "reminded", "confirmed", "lapsed", "cancelled", "refused"] {
        let times = events.get(&format!("purchase.{kind}")).copied().unwrap_or(0);
        assert!(times > 2 * seeds, "{kind}: {events:?}");
    }
    for kind in ["loaded", "redeemed", "reversed", "expired"] {
        let times = events.get(&format!("coupon.{kind}")).copied().unwrap_or(0);
        assert!(times > 2 * seeds, "{kind}: {events:?}");
    }
    let credits: u64 = reports.iter().map(|report| report.credits).sum();
    assert!(credits > 2 * seeds, "{credits}");
    let promises: u64 = reports.iter().map(|report| report.promises).sum();
    assert!(promises > 5 * seeds, "{promises}");
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

/// A mutation whose piece of source is gone says nothing any more.
#[test]
fn the_mutations_fit_the_source() {
    for one in table::mutations() {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(&one.file);
        let sound = std::fs::read_to_string(&file).unwrap();
        assert_ne!(one.applied_to(&sound), sound, "{}: {}", one.name, one.says);
    }
    let broken: BTreeSet<String> = table::mutations().into_iter().map(|one| one.guarantee).collect();
    for number in 1..=12 {
        assert!(broken.contains(&format!("I{number}")), "no mutation breaks I{number}");
    }
}
