//! From the start of a process to its readiness, with many purchases pending.
//!
//! The desk makes the pendings, is stopped, the changelog is compacted, and then the process is started
//! again and again, on one core: it joins its group, restores all partitions from the changelog, is ready.

use std::time::Duration;

use crate::broker::Broker;
use crate::changelog::{self, Stand};
use crate::crowd::{self, Crowd, MOST};
use crate::report::{median, mib, seconds};
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
    records: f64,
    /// The most memory that it ever had.
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
    let records = service.metric("hashbuy_desk_restored_records_total");
    assert!(records as u64 >= stand.live_keys, "{records} records of {} keys", stand.live_keys);
    let end = service.stop();
    let round = Round { ready, cpu, records, most, end };
    println!("  {}", round.line(pendings));
    round
}

impl Round {
    fn line(&self, pendings: u64) -> String {
        format!(
            "ready after {} ({} of the processor), {:.0} records, {:.0} in a second; at most {:.0} MiB of memory, {:.0} \
             bytes for each pending; told to end, it ended after {}",
            seconds(self.ready),
            seconds(self.cpu),
            self.records,
            self.records / self.ready.as_secs_f64(),
            mib(self.most),
            self.most as f64 / pendings as f64,
            seconds(self.end)
        )
    }
}

fn report(rounds: &[Round], pendings: u64) {
    let medians = Round {
        ready: median(rounds.iter().map(|round| round.ready)),
        cpu: median(rounds.iter().map(|round| round.cpu)),
        records: median(rounds.iter().map(|round| round.records)),
        most: median(rounds.iter().map(|round| round.most)),
        end: median(rounds.iter().map(|round| round.end)),
    };
    println!("  medians: {}", medians.line(pendings));
}
