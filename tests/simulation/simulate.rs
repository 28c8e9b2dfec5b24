//! Runs the simulation for as long as wanted.
//!
//! ```text
//! cargo run --release --example simulate -- --seeds 0..1000000 --for 10m
//! cargo run --release --example simulate -- --trace 4711
//! ```

#![allow(clippy::unwrap_used, reason = "a tool of the tests may panic")]

#[path = "../common/model/mod.rs"]
#[allow(dead_code, reason = "the simulation needs a part of it")]
mod model;
#[path = "../common/schema.rs"]
mod schema;
mod sim;
#[path = "../common/span.rs"]
mod span;

use std::collections::BTreeMap;
use std::ops::Range;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::Parser;
use sim::shrink::shrink;
use sim::{Report, run};

/// Runs the workers on a simulated log, with faults that seeds draw, against a model of the rules.
#[derive(Parser)]
struct Cli {
    /// The seeds to run, the last one not included.
    #[arg(long, value_name = "A..B", default_value = "0..1000", value_parser = seeds)]
    seeds: Range<u64>,
    /// Stop after so long.
    #[arg(long = "for", value_name = "TIME", value_parser = span::span)]
    until: Option<Duration>,
    /// Print what happened in one seed, and nothing else.
    #[arg(long, value_name = "SEED")]
    trace: Option<u64>,
    /// Seeds at a time [default: as many as there are cores].
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Do not look for the fewest kinds of faults with which a seed fails.
    #[arg(long)]
    no_shrink: bool,
    /// Do not stop at the first seed that fails.
    #[arg(long)]
    keep_going: bool,
}

fn seeds(text: &str) -> Result<Range<u64>, String> {
    let wanted = || format!("{text:?} is no range of seeds: write it as 0..1000");
    let (from, to) = text.split_once("..").ok_or_else(wanted)?;
    Ok(from.parse().map_err(|_| wanted())?..to.parse().map_err(|_| wanted())?)
}

#[derive(Default)]
struct Sum {
    seeds: u64,
    millis: i64,
    turns: u64,
    promises: u64,
    credits: u64,
    faults: BTreeMap<sim::Kind, u64>,
    events: BTreeMap<String, u64>,
    failed: Vec<(u64, String)>,
}

impl Sum {
    fn add(&mut self, report: &Report) {
        self.seeds += 1;
        self.millis += report.millis;
        self.turns += report.turns;
        self.promises += report.promises;
        self.credits += report.credits;
        report.faults.iter().for_each(|(kind, times)| *self.faults.entry(*kind).or_default() += times);
        report.events.iter().for_each(|(kind, times)| *self.events.entry(kind.clone()).or_default() += times);
        self.failed.extend(report.failure.clone().map(|what| (report.seed, what)));
    }

    fn print(&self, took: Duration) {
        let hours = self.millis as f64 / 3_600_000.0;
        println!("seeds       {} in {:.0} s, {} failed", self.seeds, took.as_secs_f64(), self.failed.len());
        println!("simulated   {hours:.1} h, {} turns of workers", self.turns);
        println!("promises    {} confirmations in time by people who did nothing odd", self.promises);
        println!("credits     {} payments for a coupon by people who did nothing odd", self.credits);
        let list = |entries: Vec<String>| println!("{}", entries.join("\n"));
        println!("faults");
        list(
            self.faults
                .iter()
                .map(|(kind, times)| format!("  {:<12} {times}", format!("{kind:?}")))
                .collect(),
        );
        println!("events");
        list(self.events.iter().map(|(kind, times)| format!("  {kind:<20} {times}")).collect());
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Some(seed) = cli.trace {
        let report = run(seed);
        let report = if report.failure.is_some() { shrink(report) } else { report };
        println!("{}", report.trace.join("\n"));
        report.exhibits.iter().for_each(|line| println!("{line}"));
        println!("digest {:016x}", report.digest);
        return if report.failure.is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS };
    }
    let begun = Instant::now();
    let (next, sum) = (AtomicU64::new(cli.seeds.start), Mutex::new(Sum::default()));
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..cli.threads.unwrap_or(cores) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    let has_failed = !cli.keep_going && !sum.lock().unwrap().failed.is_empty();
                    let is_late = cli.until.is_some_and(|until| begun.elapsed() >= until);
                    if seed >= cli.seeds.end || has_failed || is_late {
                        break;
                    }
                    let report = run(seed);
                    let mut sum = sum.lock().unwrap();
                    sum.add(&report);
                    if let Some(what) = &report.failure {
                        eprintln!("seed {seed}: {what}");
                    } else if sum.seeds.is_multiple_of(1_000) {
                        eprintln!("{} seeds, {:.1} simulated hours", sum.seeds, sum.millis as f64 / 3.6e6);
                    }
                }
            });
        }
    });
    let sum = sum.into_inner().unwrap();
    sum.print(begun.elapsed());
    let Some((seed, _)) = sum.failed.iter().min() else { return ExitCode::SUCCESS };
    if cli.no_shrink {
        return ExitCode::FAILURE;
    }
    let least = shrink(run(*seed));
    let kinds: Vec<String> = least.faults.keys().map(|kind| format!("{kind:?}")).collect();
    println!("\nseed {seed} fails with {} alone; its last lines:", kinds.join(", "));
    let last = least.trace.len().saturating_sub(60);
    println!("{}", least.trace[last..].join("\n"));
    println!("\nall of it: --trace {seed}");
    ExitCode::FAILURE
}
