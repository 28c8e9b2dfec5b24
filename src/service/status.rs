//! What goes on, for a person and for the metrics: all threads add to it, one line is made of it now and then.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::MachineClock;
use super::readiness::{DeskThere, FeederThere, KeeperThere, Posts, ScanThere};
use super::view::Speed;
use super::watch::Watch;
use crate::core::desk::Pendings;
use crate::core::offer::Offer;
use crate::core::time::Time;
use crate::metrics::{self, Decided, Fed as FedCounts, Scanned, Table};
use crate::worker::desk::{Done, Restoring, State as DeskState};
use crate::worker::feeder::Fed;
use crate::worker::keeper::{Holds, Scanned as ScannedPart};
use crate::worker::scan::{Seen, State as ScanState};
use crate::worker::{Clock as _, Trouble};

/// What the keeper has said of time's standing still is true for so long.
const HOLDS: Duration = Duration::from_secs(3);

/// Stocks are put into the metrics once in so long: there may be many.
const STOCKS: Duration = Duration::from_secs(5);

/// Shared by all threads.
#[derive(Clone)]
pub struct Status {
    shared: Arc<Mutex<Shared>>,
}

pub(super) struct Shared {
    pub records: u64,
    pub bytes: u64,
    /// When a line was made last, and records and bytes by then.
    pub shown: (Instant, u64, u64),
    pub events: BTreeMap<&'static str, u64>,
    pub commits: u64,
    pub aborts: u64,
    pub desks: BTreeMap<u32, Desk>,
    holds: Option<(Instant, Holds)>,
    pub posts: Posts,
    /// The clock, as a worker has told it last.
    pub now: Time,
    pub speed: Speed,
    pub watch: Watch,
    /// The partitions of the firehose, while this process keeps the time.
    pub firehose: Vec<ScannedPart>,
    /// The table of offers, once a scan has read it.
    pub offers: Option<Vec<Arc<Offer>>>,
    /// What is sold of offers, and whether their stock says so, by partition of the inbox.
    pub units: BTreeMap<u32, HashMap<String, (u64, bool)>>,
    /// When these were put into the metrics last.
    stocks_shown: Option<Instant>,
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
pub(super) struct Desk {
    pub partitions: Vec<(u32, Arc<Pendings>, Time)>,
    pub now: Time,
}

/// Whether a process does its work, as `/readyz` tells it.
#[derive(Clone)]
pub struct Ready(Status);

impl Ready {
    /// What is missing, a line each; nothing: it does.
    pub fn missing(&self) -> Vec<String> {
        self.0.shared().posts.missing()
    }
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
            posts: Posts::default(),
            now: Time::ZERO,
            speed: Speed::default(),
            watch: Watch::default(),
            firehose: Vec::new(),
            offers: None,
            units: BTreeMap::new(),
            stocks_shown: None,
        };
        Status { shared: Arc::new(Mutex::new(shared)) }
    }
}

impl Status {
    /// Whether this process does its work.
    pub fn ready(&self) -> Ready {
        Ready(self.clone())
    }

    pub(super) fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// So many workers are started; a feeder and a keeper with the scans.
    pub(super) fn expect(&self, desks: u32, scans: u32) {
        self.shared().posts = Posts::expect(desks, scans);
    }

    /// A batch of a scan worker, and how it is.
    pub(super) fn scan(&self, number: u32, seen: &Seen, state: ScanState, now: Time) {
        let mut shared = self.shared();
        shared.posts.scans.insert(number, ScanThere::new(state, now));
        shared.records += seen.records;
        shared.bytes += seen.bytes;
        shared.now = shared.now.max(now);
        if let Some(offers) = &seen.offers {
            shared.offers = Some(offers.clone());
        }
        drop(shared);
        metrics::swapped(seen.swaps);
        if seen.records == 0 {
            return;
        }
        Scanned {
            records: seen.records,
            bytes: seen.bytes,
            candidates: seen.candidates,
            sightings: seen.sightings,
            deletions: seen.deletions,
            skipped: seen.skipped.clone(),
            dead_letters: seen.dead_letters.clone(),
        }
        .publish();
        metrics::nothing(seen.nothing.iter());
    }

    /// A turn of the feeder.
    pub(super) fn feeder(&self, fed: &Fed, has_passed: bool, trouble: Option<&Trouble>, now: Time) {
        FedCounts { records: fed.records.clone(), rejected: fed.bad.clone() }.publish();
        self.shared().posts.feeder = Some(FeederThere::new(has_passed, trouble.cloned(), now));
    }

    /// How far the feeders are behind, in records of each table; the keeper looks now and then.
    pub(super) fn fed(&self, lags: &BTreeMap<Table, u64>) {
        lags.iter().for_each(|(table, lag)| metrics::feeder_lag(*table, *lag));
    }

    /// A turn of the time keeper; none if this process does not keep the time.
    pub(super) fn keeper(&self, scanned: Option<&[ScannedPart]>, trouble: Option<&Trouble>, now: Time) {
        for ScannedPart { partition, lag, time } in scanned.into_iter().flatten() {
            metrics::firehose(*partition, *lag, *time);
        }
        let mut shared = self.shared();
        shared.posts.keeper = scanned.map(|_| KeeperThere::new(trouble.cloned(), now));
        match scanned {
            // It looks once a second, and is asked more often.
            Some([]) => {}
            Some(scanned) => shared.firehose = scanned.to_vec(),
            None => shared.firehose.clear(),
        }
    }

    /// A turn of a desk worker, and how it is.
    pub(super) fn desk(
        &self,
        number: u32,
        done: &Done,
        partitions: impl Iterator<Item = (u32, Arc<Pendings>, Time)>,
        state: DeskState,
        now: Time,
    ) {
        publish(done);
        let mut shared = self.shared();
        for event in &done.events {
            *shared.events.entry(event.kind.as_str()).or_default() += 1;
        }
        shared.now = shared.now.max(now);
        shared.watch.see(done, now);
        shared.sell(done);
        shared.commits += done.commits;
        shared.aborts += done.aborts;
        shared.desks.insert(number, Desk { partitions: partitions.collect(), now });
        let before = shared.posts.desks.remove(&number);
        shared.posts.desks.insert(number, DeskThere::new(state, now, before.as_ref()));
    }

    /// Time stands.
    pub(super) fn time_holds(&self, holds: Holds) {
        self.shared().holds = Some((Instant::now(), holds));
    }

    /// How far all restores are together, if any is at work.
    pub fn restoring(&self) -> Option<Restoring> {
        let shared = self.shared();
        let all = shared.posts.desks.values().filter_map(|desk| desk.state.restoring);
        all.reduce(|a, b| Restoring {
            since: a.since.min(b.since),
            partitions: a.partitions + b.partitions,
            read: a.read + b.read,
            of: a.of + b.of,
        })
    }

    /// Puts what is so at the moment into the metrics.
    pub fn publish(&self) {
        let mut shared = self.shared();
        if shared.stocks_shown.is_none_or(|at| at.elapsed() >= STOCKS) {
            shared.stocks_shown = Some(Instant::now());
            metrics::units(shared.stocks().into_iter().map(|(offer, (stock, sold))| (offer, stock, sold)));
        }
        let all = shared.desks.values().flat_map(|desk| desk.partitions.iter().map(|part| (part, desk.now)));
        let pendings = all.clone().map(|((_, pendings, _), _)| pendings.count()).sum();
        if !shared.desks.is_empty() {
            let least = all.clone().map(|((.., time), _)| *time).min();
            metrics::desk(pendings, least);
            if let Some(lag) = lag(all) {
                metrics::desk_time_lag(lag);
            }
            let restores = shared.posts.desks.values().filter_map(|desk| desk.restores_since());
            metrics::restoring(restores.max().unwrap_or(0));
        }
        let offsets = shared.posts.desks.values().map(|desk| desk.state.clock_offset);
        if let Some(offset) = offsets.max_by_key(|offset| offset.abs()) {
            metrics::clock_offset(offset);
        }
        let scans = shared.posts.scans.values().map(|scan| &scan.state).filter(|state| state.has_tables);
        if let Some(state) = scans.max_by_key(|state| state.linked) {
            metrics::tables(state.offers, state.linked);
        }
        metrics::ready(shared.posts.missing().is_empty());
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
}

impl Shared {
    /// Why time stands. The keeper says so every second, as long as it does.
    pub fn holds(&self) -> Option<&Holds> {
        self.holds.as_ref().filter(|(since, _)| since.elapsed() < HOLDS).map(|(_, holds)| holds)
    }
}

/// How far the last of the partitions is behind the clock, in milliseconds, of those that know desk time.
pub(super) fn lag<'p>(
    partitions: impl Iterator<Item = (&'p (u32, Arc<Pendings>, Time), Time)>,
) -> Option<i64> {
    let known = partitions.filter(|((.., time), _)| *time > Time::ZERO);
    known.map(|((.., time), now)| now.since(*time)).max()
}

/// Adds what a desk worker has done to the metrics.
fn publish(done: &Done) {
    let mut decided = Decided::default();
    done.events.iter().for_each(|event| decided.count(event));
    decided.publish();
    metrics::lockouts(done.lockouts.len());
    done.confirm_times.iter().for_each(|millis| metrics::confirmed_after(*millis));
    metrics::nothing(done.nothing.iter());
    done.committed_within.iter().for_each(|within| metrics::committed(*within));
    done.aborted.iter().for_each(|(cause, times)| metrics::aborted(*cause, *times));
    done.restored.iter().for_each(|back| metrics::restored(back.records, back.millis));
    done.delays.iter().for_each(|delay| metrics::delay(delay.from_tweet, delay.from_record));
    metrics::sought_again(done.sought);
}
