//! Everything that the page shows, as it is at a moment.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Status;
use super::status::Shared;
use super::watch::{Happened, Minute, Took, Trials, Waiting};
use crate::core::desk::Units;
use crate::core::ids::AccountId;
use crate::core::offer::Offer;
use crate::core::time::{DAY, Time};
use crate::worker::desk::Done;
use crate::worker::keeper::Scanned;

/// The rates are measured over so long at least.
const MEASURED: Duration = Duration::from_millis(900);

/// How it goes at a moment, in full.
#[derive(Debug, Clone, Default)]
pub struct View {
    /// The service's clock.
    pub now: Time,
    /// Every post with what it misses.
    pub posts: Vec<(String, Vec<String>)>,
    /// Partitions of the inbox that are here: number, pendings, desk time if there is any yet.
    pub partitions: Vec<(u32, usize, Option<Time>)>,
    /// Partitions of the firehose, if this process keeps the time.
    pub firehose: Vec<Scanned>,
    /// Records and bytes of the firehose in a second; none if nothing is scanned here.
    pub rate: Option<(f64, f64)>,
    /// Why time stands.
    pub holds: Option<String>,
    /// Committed events by type.
    pub counts: BTreeMap<&'static str, u64>,
    /// Transactions that were committed, and that were not.
    pub transactions: (u64, u64),
    /// The last events, oldest first.
    pub events: Vec<Happened>,
    /// Pendings among the last requests, the first to lapse first.
    pub waiting: Vec<Waiting>,
    /// The last hour, minute by minute; one in which nothing happened may be missing.
    pub minutes: Vec<Minute>,
    /// Accounts with lockouts and refusals, the most first.
    pub accounts: Vec<(AccountId, Trials)>,
    /// From requests to confirmations.
    pub confirms: Took,
    /// From tweets to committed events.
    pub delays: Took,
}

/// The offers as a process knows them.
#[derive(Debug, Clone, Default)]
pub struct Offers {
    /// The service's clock.
    pub now: Time,
    /// All offers that have a tag; none if no scan of this process has read the table.
    pub offers: Option<Vec<Listed>>,
}

/// An offer with what is known of its sale.
#[derive(Debug, Clone)]
pub struct Listed {
    /// The offer.
    pub offer: Arc<Offer>,
    /// Units sold, if the process has its stock.
    pub sold: Option<u64>,
    /// Nothing is left.
    pub sold_out: bool,
}

impl View {
    /// Pendings here.
    pub fn pendings(&self) -> usize {
        self.partitions.iter().map(|(_, pendings, _)| pendings).sum()
    }

    /// The least desk time here.
    pub fn desk_time(&self) -> Option<Time> {
        self.partitions.iter().filter_map(|(.., time)| *time).min()
    }
}

/// The speed of the scan between two looks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Speed {
    since: (Instant, u64, u64),
    rate: (f64, f64),
}

impl Default for Speed {
    fn default() -> Speed {
        Speed { since: (Instant::now(), 0, 0), rate: (0.0, 0.0) }
    }
}

impl Speed {
    fn measure(&mut self, records: u64, bytes: u64) -> (f64, f64) {
        let (at, before, bytes_before) = self.since;
        let elapsed = at.elapsed();
        if elapsed >= MEASURED {
            let per_second = |n: u64| n as f64 / elapsed.as_secs_f64();
            self.rate = (per_second(records - before), per_second(bytes - bytes_before));
            self.since = (Instant::now(), records, bytes);
        }
        self.rate
    }
}

impl Status {
    /// Everything that the page shows.
    pub fn view(&self) -> View {
        let mut shared = self.shared();
        let (records, bytes) = (shared.records, shared.bytes);
        let rate = shared.speed.measure(records, bytes);
        let scans = !shared.posts.scans.is_empty();
        let watch = &shared.watch;
        let known = |time: Time| Some(time).filter(|time| *time > Time::ZERO);
        let parts = shared.desks.values().flat_map(|desk| &desk.partitions);
        let mut partitions: Vec<_> =
            parts.map(|(number, pendings, time)| (*number, pendings.count(), known(*time))).collect();
        partitions.sort_unstable();
        View {
            now: shared.now,
            posts: shared.posts.all(),
            partitions,
            firehose: shared.firehose.clone(),
            rate: scans.then_some(rate),
            holds: shared.holds().map(ToString::to_string),
            counts: shared.events.clone(),
            transactions: (shared.commits, shared.aborts),
            events: watch.events.iter().cloned().collect(),
            waiting: watch.waiting(),
            minutes: watch.minutes.iter().cloned().collect(),
            accounts: watch.accounts(),
            confirms: watch.confirms(),
            delays: watch.delays(),
        }
    }

    /// The offers, with what is known of their sale.
    pub fn offers(&self) -> Offers {
        let shared = self.shared();
        let listed = |offer: &Arc<Offer>| listed(&shared, offer);
        Offers {
            now: shared.now,
            offers: shared.offers.as_ref().map(|offers| offers.iter().map(listed).collect()),
        }
    }
}

impl Shared {
    /// What is sold of offers. A partition that was restored says all that it knows; what a stock says goes over
    /// what it has told others.
    pub fn sell(&mut self, done: &Done) {
        for back in &done.restored {
            self.units.remove(&back.partition);
        }
        for (partition, units) in &done.units {
            let known = self.units.entry(*partition).or_default();
            for Units { offer_id, sold, by_stock } in units {
                if *by_stock || !known.get(offer_id).is_some_and(|(_, by_stock)| *by_stock) {
                    known.insert(offer_id.clone(), (*sold, *by_stock));
                }
            }
        }
    }
}

impl Shared {
    /// Units to sell and units sold of offers with a stock, by their ids, as far as either is known here; without
    /// those that have ended a day ago.
    pub fn stocks(&self) -> BTreeMap<&str, (Option<u64>, Option<u64>)> {
        let mut stocks: BTreeMap<&str, (Option<u64>, Option<u64>)> = BTreeMap::new();
        for offer in self.offers.iter().flatten().filter(|offer| offer.ends_at.plus(DAY) >= self.now) {
            if let Some(stock) = offer.stock {
                stocks.entry(&offer.offer_id).or_default().0 = Some(stock);
            }
        }
        for (offer, (sold, by_stock)) in
            self.units.iter().filter(|(number, _)| self.is_here(**number)).flat_map(|(_, units)| units)
        {
            if *by_stock {
                stocks.entry(offer).or_default().1 = Some(*sold);
            }
        }
        stocks
    }

    /// Whether a desk worker of this process has a partition.
    fn is_here(&self, number: u32) -> bool {
        self.desks.values().flat_map(|desk| &desk.partitions).any(|(held, ..)| *held == number)
    }
}

fn listed(shared: &Shared, offer: &Arc<Offer>) -> Listed {
    let here = shared.units.iter().filter(|(number, _)| shared.is_here(**number));
    let known: Vec<(u64, bool)> = here.filter_map(|(_, units)| units.get(&offer.offer_id).copied()).collect();
    let sold = known.iter().filter(|(_, by_stock)| *by_stock).map(|(sold, _)| *sold).max();
    // Where nobody knows the stock itself, it has told all when nothing was left.
    let most = known.iter().map(|(sold, _)| *sold).max().unwrap_or(0);
    Listed { offer: Arc::clone(offer), sold, sold_out: offer.stock.is_some_and(|stock| most >= stock) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::super::status::Desk;
    use super::*;

    const NOW: Time = Time::from_millis(1_360_756_800_000);

    fn offer(id: &str, stock: u64, ends_at: Time) -> Arc<Offer> {
        let json = format!(
            r##"{{"offer_id":"{id}","kind":"purchase","hashtag":"#Get{id}","price":{{"amount":1,"currency":"USD"}},
            "starts_at":"2013-01-01T00:00:00Z","ends_at":"{ends_at}","stock":{stock}}}"##
        );
        Arc::new(Offer::from_json(&json, "Confirm").unwrap())
    }

    #[test]
    fn stocks_are_those_that_are_known_here() {
        let status = Status::default();
        let mut shared = status.shared();
        shared.now = NOW;
        shared.offers = Some(vec![offer("kettle", 5, NOW), offer("teapot", 7, NOW.minus(2 * DAY))]);
        shared.desks.insert(0, Desk { partitions: vec![(3, Arc::default(), NOW)], now: NOW });
        let units = |offer_id: &str, sold, by_stock| Units { offer_id: offer_id.to_owned(), sold, by_stock };
        let here = (3, vec![units("kettle", 4, true), units("cup", 1, true), units("spoon", 9, false)]);
        let elsewhere = (1, vec![units("kettle", 3, true)]);
        let mut done = Done::default();
        done.units.extend([here, elsewhere]);
        shared.sell(&done);
        let stocks: Vec<_> = shared.stocks().into_iter().collect();
        assert_eq!(stocks, [("cup", (None, Some(1))), ("kettle", (Some(5), Some(4)))]);
    }
}
