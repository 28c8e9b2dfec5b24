//! What goes on, for a person and for the metrics: all threads add to it, one line is made of it now and then.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::MachineClock;
use crate::core::desk::Pendings;
use crate::core::time::Time;
use crate::metrics::{self, Decided, Scanned};
use crate::worker::Clock as _;
use crate::worker::desk::Done;
use crate::worker::keeper::Holds;
use crate::worker::scan::Seen;

/// Shared by all threads.
#[derive(Clone)]
pub struct Status {
    shared: Arc<Mutex<Shared>>,
    ready: Arc<AtomicBool>,
}

struct Shared {
    since: Instant,
    records: u64,
    bytes: u64,
    events: BTreeMap<&'static str, u64>,
    commits: u64,
    aborts: u64,
    desks: BTreeMap<u32, Desk>,
    holds: Option<(Instant, Holds)>,
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
            since: Instant::now(),
            records: 0,
            bytes: 0,
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

    /// One line, and the counts of rates begin anew.
    pub fn line(&self) -> String {
        let mut shared = self.shared();
        let seconds = shared.since.elapsed().as_secs_f64().max(0.001);
        let (records, bytes) = (shared.records as f64 / seconds, shared.bytes as f64 / seconds / 1e6);
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
        if let Some((_, holds)) = shared.holds.as_ref().filter(|(since, _)| since.elapsed().as_secs() < 3) {
            let _ = write!(line, ", and time stands: {holds}");
        }
        let _ = write!(line, "; {} commits, {} aborts", shared.commits, shared.aborts);
        (shared.since, shared.records, shared.bytes) = (Instant::now(), 0, 0);
        line
    }
}
