//! A constant rate, open loop: what is due is sent whether or not anybody keeps up, and each latency counts from the
//! time at which its tweet was due. So a stall shows as what it is to those who wait.
//!
//! ```text
//! Driver   stencils at the rate, shoppers among them ──► tweets, offers, accounts, card-transactions
//!   ▲                                                          (the service)
//!   └── events ◄── Listener: latencies, books ◄── purchases, orders, committed records only
//! ```

mod listener;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

pub use self::listener::Heard;
use self::listener::Listener;
use super::pace::Pace;
use super::stencils::Stencils;
use super::tables::await_safe;
use super::writer::Writer;
use super::{Failed, interrupt};
use crate::core::event::Event;
use crate::core::time::{SECOND, Time};
use crate::firehose::{Habits, Happening, Maker, Shoppers};
use crate::log::kafka::{Codec, KafkaLog};
use crate::log::{Log as _, NewRecord, Partition, Producer};
use crate::metrics::Table;
use crate::service::MachineClock;
use crate::worker::partitioner::partition_of;
use crate::worker::{Clock as _, Topics};

/// A record waits so long for others.
const LINGER: Duration = Duration::from_millis(1);
/// The service has so long to learn the tables before the first tweet: who asks before it knows him is a stranger.
const SETTLE: i64 = 3 * SECOND;
/// So many are sent at most before shoppers and events have their turn.
const PIECE: u64 = 1_024;
/// The confirmation window of the offers, in seconds: the shortest there is.
const WINDOW: i64 = 60;
/// So many shoppers of a hundred load a coupon: most of them are to ask for what has a latency.
const COUPONS: u32 = 10;
/// From asking to resting, in seconds: the window, and what a shopper rests.
const ERRAND: f64 = 180.0;
/// The last events come within so long after the last tweet; what comes later counts as unanswered.
const PATIENCE: Duration = Duration::from_secs(30);
/// Accounts of a drive have ids from here on, in a range of their own.
const FIRST_ACCOUNTS: u64 = 4_000_000_000;
/// So many ids are for one drive.
const ACCOUNTS: u64 = 1_000_000;

/// How it is driven.
#[derive(Debug, Clone, PartialEq)]
pub struct Driving {
    /// Records in a second, above 0.
    pub rate: f64,
    /// Shoppers who set out in a second, on average; up to 1,000.
    pub arrivals: f64,
    /// What comes before is not counted: connections are made, code is faulted in.
    pub warm_up: Duration,
    /// How long it lasts behind the warm-up.
    pub lasts: Duration,
    /// How batches are compressed.
    pub codec: Codec,
    /// For the shoppers.
    pub seed: u64,
}

/// What came of it.
#[derive(Debug)]
pub struct Driven {
    /// Records that were sent, shoppers' ones included.
    pub sent: u64,
    /// Records in a second, as they were sent.
    pub reached: f64,
    /// What came back.
    pub heard: Heard,
    /// Offer tweets of account holders without an event.
    pub unanswered: u64,
}

/// What whoever goes along with a drive may know.
pub struct Beside {
    /// When the first tweet was due.
    pub began: Instant,
    over: AtomicBool,
}

impl Beside {
    /// Whether the last tweet is out.
    pub fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }
}

impl Driving {
    fn habits(&self, start: Time) -> Habits {
        let most = (self.warm_up + self.lasts).as_secs_f64().min(ERRAND);
        Habits {
            window_seconds: WINDOW,
            // Half of it is the mean.
            longest_pause: ((2e3 / self.arrivals) as i64).max(2),
            holders: (self.arrivals * most * 1.1) as u64 + 50,
            // A drive has accounts that no other had of late: what those have bought counts for a day.
            coupons: COUPONS,
            // One that expires when nobody listens any more would be missing in the books.
            overdue: false,
            before_accounts: FIRST_ACCOUNTS + start.millis().unsigned_abs() / 1_000 % 1_000_000 * ACCOUNTS,
        }
    }
}

/// Drives the service that reads these topics. `progress` is told now and then how many records are out; `beside` runs
/// on a thread of its own from the first tweet on, and is waited for.
///
/// # Errors
/// If a topic is missing, a record cannot be written or read, and those of `beside`.
pub fn drive<T: Send>(
    log: &Arc<KafkaLog>,
    topics: &Topics,
    driving: &Driving,
    stencils: Stencils,
    progress: &mut dyn FnMut(u64),
    beside: impl FnOnce(&Beside) -> Result<T, Failed> + Send,
) -> Result<(Driven, T), Failed> {
    let start = MachineClock.now().plus(SETTLE);
    let habits = driving.habits(start);
    let mut driver = Driver {
        writer: Writer::new(log, &topics.tweets, driving.codec, LINGER)?,
        tables: Tables::new(log, topics)?,
        maker: Maker::new(driving.seed),
        shoppers: Shoppers::with(habits, driving.seed, start),
        stencils,
    };
    driver.open_shop(start)?;
    let accounts = habits.before_accounts + 1..habits.before_accounts + ACCOUNTS;
    let (events, heard) = channel();
    let listener = Listener::new(log, topics, accounts, events)?;
    thread::sleep(Duration::from_millis(start.since(MachineClock.now()).max(0).unsigned_abs()));
    let pace = Pace::new(driving.rate);
    let first = MachineClock.now();
    let warm = first.plus(i64::try_from(driving.warm_up.as_millis()).unwrap_or(i64::MAX));
    let beside_it = Beside { began: Instant::now(), over: AtomicBool::new(false) };
    let end = AtomicBool::new(false);
    thread::scope(|scope| {
        let end_of_it = &end;
        let listening = scope.spawn(move || listener.listen(warm, end_of_it));
        let going_along = scope.spawn(|| beside(&beside_it));
        let sent = driver.play(driving, pace, first, &heard, progress);
        beside_it.over.store(true, Ordering::Release);
        let sent = sent.and_then(|sent| driver.finish(&heard).map(|()| sent));
        end.store(true, Ordering::Release);
        let heard = listening.join().map_err(|_| Failed("the listener panicked".to_owned()))?;
        let along = going_along.join().map_err(|_| Failed("what went along panicked".to_owned()))?;
        let (sent, reached) = sent?;
        let unanswered = driver.shoppers.unanswered();
        Ok((Driven { sent, reached, heard: heard?, unanswered }, along?))
    })
}

/// Plays the firehose.
struct Driver {
    writer: Writer,
    tables: Tables,
    maker: Maker,
    shoppers: Shoppers,
    stencils: Stencils,
}

impl Driver {
    /// Publishes what is there before the first tweet.
    fn open_shop(&mut self, start: Time) -> Result<(), Failed> {
        while let Some(happening) = self.shoppers.next(start, &mut self.maker) {
            self.happen(happening)?;
        }
        Ok(await_safe(&mut *self.tables.producer, "the tables")?)
    }

    /// Plays to the end. Returns how many records were sent, and how many in a second.
    fn play(
        &mut self,
        driving: &Driving,
        pace: Pace,
        first: Time,
        heard: &Receiver<Event>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(u64, f64), Failed> {
        let total = (driving.rate * (driving.warm_up + driving.lasts).as_secs_f64()) as u64;
        let mut sent = 0;
        while sent < total {
            interrupt::check()?;
            let due = pace.due().min(total);
            let until = due.min(sent + PIECE);
            while sent < until {
                self.writer.send(self.stencils.next(first.plus(pace.millis(sent))))?;
                sent += 1;
            }
            self.writer.next_partition();
            heard.try_iter().for_each(|event| self.shoppers.hear(&event));
            while let Some(happening) = self.shoppers.next(MachineClock.now(), &mut self.maker) {
                self.happen(happening)?;
            }
            self.tables.producer.outstanding(Duration::ZERO)?;
            progress(sent);
            if sent >= pace.due() && sent < total {
                pace.wait(sent);
            }
        }
        let reached = sent as f64 / pace.elapsed().as_secs_f64();
        self.writer.flush()?;
        Ok((self.writer.records(), reached))
    }

    /// Waits for the answers to what was asked last.
    fn finish(&mut self, heard: &Receiver<Event>) -> Result<(), Failed> {
        let until = Instant::now() + PATIENCE;
        while self.shoppers.unanswered() > 0 && Instant::now() < until {
            interrupt::check()?;
            if let Ok(event) = heard.recv_timeout(Duration::from_millis(20)) {
                self.shoppers.hear(&event);
            }
        }
        Ok(())
    }

    fn happen(&mut self, happening: Happening) -> Result<(), Failed> {
        match happening {
            Happening::Record(bytes) => Ok(self.writer.send(&bytes)?),
            Happening::Offer { id, json } => self.tables.put(Table::Offers, id, Some(json)),
            Happening::Account { id, json } => self.tables.put(Table::Accounts, id.to_string(), json),
            Happening::Transaction { card, json } => {
                self.tables.put(Table::CardTransactions, card.as_str().to_owned(), Some(json))
            }
        }
    }
}

/// The topics of the tables, and of the card transactions.
struct Tables {
    producer: Box<dyn Producer + Send>,
    offers: (Arc<str>, u32),
    accounts: (Arc<str>, u32),
    card_transactions: (Arc<str>, u32),
}

impl Tables {
    fn new(log: &KafkaLog, topics: &Topics) -> Result<Tables, Failed> {
        let mut lookup = log.lookup()?;
        let mut table = |topic: &str| match lookup.partitions(topic)? {
            Some(partitions) if partitions > 0 => Ok((Arc::from(topic), partitions)),
            _ => Err(Failed(format!("there is no topic {topic}: make it with `hashbuy topics create`"))),
        };
        let (offers, accounts) = (table(&topics.offers)?, table(&topics.accounts)?);
        let card_transactions = table(&topics.card_transactions)?;
        Ok(Tables { producer: log.producer()?, offers, accounts, card_transactions })
    }

    fn put(&mut self, table: Table, key: String, json: Option<String>) -> Result<(), Failed> {
        let (topic, partitions) = match table {
            Table::Offers => &self.offers,
            Table::Accounts => &self.accounts,
            Table::CardTransactions => &self.card_transactions,
        };
        let number = partition_of(key.as_bytes(), *partitions);
        self.producer.send(NewRecord {
            partition: Partition::new(Arc::clone(topic), number),
            key: Some(key.into_bytes()),
            value: json.map(String::into_bytes),
            headers: Vec::new(),
        })?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_holders_for_all_arrivals() {
        let driving = Driving {
            rate: 50_000.0,
            arrivals: 50.0,
            warm_up: Duration::from_secs(5),
            lasts: Duration::from_secs(30),
            codec: Codec::None,
            seed: 1,
        };
        let habits = driving.habits(Time::from_millis(1_760_000_123 * SECOND));
        assert_eq!(habits.longest_pause, 40);
        assert!(habits.holders > 50 * 35);
        let long = Driving { lasts: Duration::from_secs(3_600), ..driving.clone() };
        assert_eq!(
            long.habits(Time::ZERO).holders,
            50 * 198 + 50,
            "nobody is busy for longer than an errand"
        );
        let later = driving.habits(Time::from_millis(1_760_000_124 * SECOND));
        assert!(later.before_accounts >= habits.before_accounts + ACCOUNTS);
    }
}
