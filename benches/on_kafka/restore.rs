//! From the start of a process to its readiness, with many purchases pending.
//!
//! The desk makes the pendings, is stopped, the changelog is compacted, and then the process is started
//! again and again, on one core: it joins its group, restores all partitions from the changelog, is ready.

use std::time::Duration;

use crate::broker::Broker;
use crate::changelog::{self, Stand};
use crate::crowd::{self, Crowd, MOST};
use crate::service::{How, Service};

/// The core of the service; the broker and everything else are kept off it.
const CORE: usize = 1;

pub fn measure(broker: &Broker, pendings: Option<u64>, rounds: usize) {
    let crowds = match pendings {
        Some(pendings) => vec![(pendings, MOST), (pendings, 1)],
        None => vec![(100_000, MOST), (100_000, 1), (1_000_000, MOST), (1_000_000, 1)],
    };
    broker.keep_to_core(0);
    for (number, (pendings, each)) in crowds.into_iter().enumerate() {
        let crowd = Crowd { pendings, each };
        println!("{pendings} pendings, {each} in each account");
        let app = format!("restore-{number}");
        let topics = broker.topics(&app);
        let took = crowd::gather(broker, &app, &topics, crowd);
        println!("  made by the desk within {:.1} s", took.as_secs_f64());
        let stand = changelog::compact(broker, &topics);
        println!("  changelog: {stand}");
        let how =
            How { app: &app, topics: &topics, instance: "a", stage: "desk", core: Some(CORE), more: "" };
        let rounds: Vec<Round> = (0..rounds).map(|_| round(broker, &how, &stand, pendings)).collect();
        report(&rounds, pendings);
    }
}

struct Round {
    ready: Duration,
    cpu: Duration,
    restore: f64,
    records: f64,
    most: u64,
    end: Duration,
}

fn round(broker: &Broker, how: &How<'_>, stand: &Stand, pendings: u64) -> Round {
    let mut service = Service::start(broker, how);
    let ready = service.await_ready();
    let cpu = service.cpu();
    let (most, _) = service.memory();
    // The metrics are written a moment later.
    service.wait(|service| (service.metric("hashbuy_desk_pendings") as u64 == pendings).then_some(()));
    let restore = service.metric("hashbuy_desk_restore_seconds_sum");
    let records = service.metric("hashbuy_desk_restored_records_total");
    assert!(records as u64 >= stand.live_keys, "{records} records of {} keys", stand.live_keys);
    let end = service.stop();
    println!(
        "  ready after {:.2} s ({:.2} s of the processor, {records} records at {:.0} a second of the processor), at most {} MiB; ended within {:.2} s",
        ready.as_secs_f64(),
        cpu.as_secs_f64(),
        records / cpu.as_secs_f64(),
        most >> 20,
        end.as_secs_f64()
    );
    Round { ready, cpu, restore, records, most, end }
}

fn report(rounds: &[Round], pendings: u64) {
    let median = |of: &dyn Fn(&Round) -> f64| {
        let mut all: Vec<f64> = rounds.iter().map(of).collect();
        all.sort_by(f64::total_cmp);
        all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
    };
    let ready = median(&|round| round.ready.as_secs_f64());
    let most = median(&|round| round.most as f64);
    println!(
        "  medians: ready after {ready:.2} s, {:.2} s of the processor, {:.0} records/s, at most {:.0} MiB, {:.0} bytes for each pending",
        median(&|round| round.cpu.as_secs_f64()),
        median(&|round| round.records / round.ready.as_secs_f64()),
        most / f64::from(1 << 20),
        most / pendings as f64
    );
    let _ = median(&|round| round.restore);
}
