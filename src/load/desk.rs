//! The desk alone: requests that stand in its inbox already, decided on as fast as it can, with everything that it
//! writes about them on the brokers' disks.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::parts::shop::Shop;
use super::report::DeskPass;
use super::tables::await_safe;
use super::watched::{How, Metrics, Watched};
use super::{Failed, interrupt};
use crate::core::inbox::{Inbox, Position, encode};
use crate::core::settings::Settings;
use crate::core::time::Time;
use crate::log::{Isolation, Log, NewRecord, Partition, Producer};
use crate::worker::Topics;
use crate::worker::partitioner::partition_of;

/// Requests of an account: as many as may be pending at once.
const EACH: u64 = 5;
/// Records that are handed over in one go.
const PIECE: usize = 1_000;
/// All of it is decided within so long, or it is a failure.
const PATIENCE: Duration = Duration::from_secs(300);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(20);

/// The inbox of a desk that nobody else writes to.
pub struct Requests<'l> {
    log: &'l dyn Log,
    topics: &'l Topics,
    /// Partitions of the inbox.
    partitions: u32,
    count: u64,
}

impl<'l> Requests<'l> {
    /// So many requests, in an inbox with so many partitions.
    pub fn new(log: &'l dyn Log, topics: &'l Topics, partitions: u32, count: u64) -> Requests<'l> {
        Requests { log, topics, partitions, count }
    }

    /// Has a desk decide on them. `how` starts it; its group is `group`. It is started once before, to link the
    /// accounts: what that takes is not counted.
    ///
    /// # Errors
    /// If anything cannot be written, or the desk does not decide on all of it.
    pub fn decide(&self, how: &How, group: &str, now: Time) -> Result<DeskPass, Failed> {
        let shop = Shop::new(now)?;
        let mut producer = self.log.producer()?;
        self.link(&shop, &mut *producer, now)?;
        let mut desk = Watched::start(how)?;
        self.await_read(&mut desk, group)?;
        desk.stop()?;

        let accounts = self.count.div_ceil(EACH);
        // Each account asks for other offers, one after the other.
        let wishes = (0..self.count).map(|number| {
            let account = number % accounts;
            Ok(Inbox::Sighting(shop.wish(account, account * EACH + number / accounts, number, now)))
        });
        self.put(&mut *producer, wishes)?;
        let mut desk = Watched::start(how)?;
        let pass = self.watch(&mut desk)?;
        desk.stop()?;
        Ok(pass)
    }

    /// The first mark, and the accounts.
    fn link(&self, shop: &Shop, producer: &mut dyn Producer, now: Time) -> Result<(), Failed> {
        let mark = encode(&Inbox::Mark { time: now, settings: Settings::default().into() });
        for number in 0..self.partitions {
            let partition = Partition::new(self.topics.inbox.as_str(), number);
            producer.send(NewRecord {
                partition,
                key: None,
                value: Some(mark.clone()),
                headers: Vec::new(),
            })?;
        }
        let accounts = (0..).zip(shop.accounts(self.count.div_ceil(EACH))).map(|(number, account)| {
            let account = account?;
            let (account_id, position) = (account.account_id, Position { epoch: 0, offset: number });
            Ok(Inbox::Account { account_id, position, account: Some(Arc::new(account)) })
        });
        self.put(producer, accounts)
    }

    fn put(
        &self,
        producer: &mut dyn Producer,
        records: impl Iterator<Item = Result<Inbox, Failed>>,
    ) -> Result<(), Failed> {
        let mut piece = Vec::with_capacity(PIECE);
        for record in records {
            let record = record?;
            let key = record.key().to_string().into_bytes();
            let partition = Partition::new(self.topics.inbox.as_str(), partition_of(&key, self.partitions));
            let value = Some(encode(&record));
            piece.push(NewRecord { partition, key: Some(key), value, headers: Vec::new() });
            if piece.len() == PIECE {
                producer.send_all(std::mem::take(&mut piece))?;
            }
        }
        producer.send_all(piece)?;
        Ok(await_safe(producer, &self.topics.inbox)?)
    }

    /// Waits until the desk has committed all that stands in its inbox.
    fn await_read(&self, desk: &mut Watched, group: &str) -> Result<(), Failed> {
        let mut lookup = self.log.lookup()?;
        let inbox: Vec<Partition> =
            (0..self.partitions).map(|number| Partition::new(self.topics.inbox.as_str(), number)).collect();
        let mut ends = Vec::new();
        for partition in &inbox {
            ends.push(lookup.watermarks(partition, Isolation::Uncommitted)?.1);
        }
        desk.wait("done with the accounts", PATIENCE, |_| {
            // While a transaction is open the group cannot say.
            let committed = lookup.committed(group, &inbox).ok()?;
            let read = |(committed, end): (&Option<crate::log::Committed>, &u64)| {
                committed.as_ref().is_some_and(|committed| committed.offset >= *end)
            };
            committed.iter().zip(&ends).all(read).then_some(())
        })
    }

    /// From the first sample in which something was decided to the one in which all was.
    fn watch(&self, desk: &mut Watched) -> Result<DeskPass, Failed> {
        let begun = Instant::now();
        let (mut first, mut last): (Option<Sample>, _) = (None, Sample::default());
        while last.decided < self.count {
            interrupt::check()?;
            if let Some(reason) = desk.ended() {
                return Err(Failed(reason));
            }
            if begun.elapsed() > PATIENCE {
                let Sample { decided, .. } = last;
                let (count, patience) = (self.count, PATIENCE.as_secs());
                return Err(Failed(format!("the desk has decided on {decided} of {count} in {patience} s")));
            }
            if let Some(metrics) = desk.metrics() {
                last = Sample::of(&metrics, begun);
                if last.decided > 0 {
                    first.get_or_insert(last);
                }
            }
            std::thread::sleep(LOOK);
        }
        let first = first.unwrap_or_default();
        Ok(DeskPass {
            sightings: last.decided - first.decided,
            wall_seconds: last.seconds - first.seconds,
            cpu_seconds: last.cpu_seconds - first.cpu_seconds,
            commits: last.commits - first.commits,
        })
    }
}

/// A moment of the desk.
#[derive(Debug, Clone, Copy, Default)]
struct Sample {
    seconds: f64,
    decided: u64,
    cpu_seconds: f64,
    commits: u64,
}

impl Sample {
    fn of(metrics: &Metrics, begun: Instant) -> Sample {
        Sample {
            seconds: begun.elapsed().as_secs_f64(),
            decided: metrics.sum("hashbuy_desk_events_total") as u64,
            cpu_seconds: metrics.sum("process_cpu_seconds_total"),
            commits: metrics.sum("hashbuy_desk_commit_seconds_count") as u64,
        }
    }
}
