//! What goes on, for a person and for the metrics: all threads add to it, one line is made of it now and then.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::MachineClock;
use crate::core::desk::Pendings;
use crate::core::time::Time;
use crate::metrics::{self, Decided, Scanned};
use crate::worker::Clock as _;
use crate::worker::desk::Done;
use crate::worker::keeper::Holds;
use crate::worker::scan::Seen;

/// What the keeper has said of time's standing still is true for so long.
const HOLDS: Duration = Duration::from_secs(3);

/// Shared by all threads.
#[derive(Clone)]
pub struct Status {
    shared: Arc<Mutex<Shared>>,
    ready: Arc<AtomicBool>,
}

struct Shared {
    records: u64,
    bytes: u64,
    /// When a line was made last, and records and bytes by then.
    shown: (Instant, u64, u64),
    events: BTreeMap<&'static str, u64>,
    commits: u64,
    aborts: u64,
    desks: BTreeMap<u32, Desk>,
    holds: Option<(Instant, Holds)>,
}

/// How it goes at a moment.
#[derive(Debug, Clone, Default)]
pub struct Glance {
    /// Records of the firehose that were scanned.
    pub scanned: u64,
    /// Partitions of the inbox whose state a desk worker has.
    pub partitions: u32,
    /// Purchases that are pending in these.
    pub pendings: usize,
    /// The least desk time of them; none before the first mark.
    pub desk_time: Option<Time>,
    /// Why time stands, if the keeper has said so in the last seconds.
    pub holds: Option<Holds>,
}

#[derive(Default)]
struct Desk {
    partitions: Vec<(u32, Arc<Pendings>, Time)>,
    now: Time,
}

/// The time of day in UTC by the machine's clock, for log lines.
pub fn time_of_day() -> String {
    MachineClock.now().to_string().get(11..19).unwrap_or_default().to_owned()
}

impl Default for Status {
    /// Nothing has happened yet.
    fn default() -> Status {
        let shared = Shared {
            records: 0,
            bytes: 0,
            shown: (Instant::now(), 0, 0),
            events: BTreeMap::new(),
            commits: 0,
            aborts: 0,
            desks: BTreeMap::new(),
            holds: None,
        };
        Status { shared: Arc::new(Mutex::new(shared)), ready: Arc::default() }
    }
}

impl Status {
    /// Whether this process does its work.
    pub fn ready(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.ready)
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A batch of a scan worker.
    pub fn scan(&self, seen: &Seen) {
        if seen.records == 0 {
            return;
        }
        Scanned {
            records: seen.records,
            bytes: seen.bytes,
            candidates: seen.candidates,
            sightings: seen.sightings,
            skipped: seen.skipped.clone(),
            dead_letters: seen.dead_letters.clone(),
        }
        .publish();
        metrics::nothing(seen.nothing.iter());
        let mut shared = self.shared();
        shared.records += seen.records;
        shared.bytes += seen.bytes;
    }

    /// A turn of a desk worker.
    pub fn desk(
        &self,
        number: u32,
        done: &Done,
        partitions: impl Iterator<Item = (u32, Arc<Pendings>, Time)>,
        now: Time,
    ) {
        let mut decided = Decided::default();
        done.events.iter().for_each(|event| decided.count(event));
        decided.publish();
        metrics::nothing(done.nothing.iter());
        let mut shared = self.shared();
        for event in &done.events {
            *shared.events.entry(event.kind.as_str()).or_default() += 1;
        }
        shared.commits += done.commits;
        shared.aborts += done.aborts;
        let partitions: Vec<_> = partitions.collect();
        if !partitions.is_empty() {
            self.ready.store(true, Ordering::Release);
        }
        shared.desks.insert(number, Desk { partitions, now });
    }

    /// Time stands.
    pub fn time_holds(&self, holds: Holds) {
        self.shared().holds = Some((Instant::now(), holds));
    }

    /// Puts what is pending into the metrics.
    pub fn publish(&self) {
        let shared = self.shared();
        let all = shared.desks.values().flat_map(|desk| &desk.partitions);
        let pendings = all.clone().map(|(_, pendings, _)| pendings.count()).sum();
        if let Some(least) = all.map(|(.., time)| *time).min() {
            metrics::desk(pendings, least);
        }
    }

    /// How it goes now.
    pub fn glance(&self) -> Glance {
        let shared = self.shared();
        let all = || shared.desks.values().flat_map(|desk| &desk.partitions);
        Glance {
            scanned: shared.records,
            partitions: u32::try_from(all().count()).unwrap_or(u32::MAX),
            pendings: all().map(|(_, pendings, _)| pendings.count()).sum(),
            desk_time: all().map(|(.., time)| *time).min().filter(|time| *time > Time::ZERO),
            holds: shared.holds().cloned(),
        }
    }

    /// One line, and the counts of rates begin anew.
    pub fn line(&self) -> String {
        let mut shared = self.shared();
        let (since, records, bytes) = shared.shown;
        let seconds = since.elapsed().as_secs_f64().max(0.001);
        let records = (shared.records - records) as f64 / seconds;
        let bytes = (shared.bytes - bytes) as f64 / seconds / 1e6;
        let all: Vec<_> = shared
            .desks
            .values()
            .flat_map(|desk| desk.partitions.iter().map(|part| (part, desk.now)))
            .collect();
        let pending: usize = all.iter().map(|((_, pendings, _), _)| pendings.count()).sum();
        let lag = all
            .iter()
            .filter(|((.., time), _)| *time > Time::ZERO)
            .map(|((.., time), now)| now.since(*time))
            .max();
        let mut line =
            format!("{}  {records:.0} tweets/s, {bytes:.1} MB/s; pending {pending}", time_of_day());
        for (kind, count) in &shared.events {
            let _ = write!(line, ", {} {count}", kind.trim_start_matches("purchase."));
        }
        match lag {
            Some(lag) => {
                let _ = write!(line, "; desk time {:.1} s behind", lag as f64 / 1_000.0);
            }
            None if all.is_empty() => {}
            None => line.push_str("; no desk time yet"),
        }
        if let Some(holds) = shared.holds() {
            let _ = write!(line, ", and time stands: {holds}");
        }
        let _ = write!(line, "; {} commits, {} aborts", shared.commits, shared.aborts);
        shared.shown = (Instant::now(), shared.records, shared.bytes);
        line
    }
}

impl Shared {
    /// Why time stands. The keeper says so every second, as long as it does.
    fn holds(&self) -> Option<&Holds> {
        self.holds.as_ref().filter(|(since, _)| since.elapsed() < HOLDS).map(|(_, holds)| holds)
    }
}
