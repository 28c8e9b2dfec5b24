//! The time keeper: says how far the whole firehose is in the inbox.
//!
//! Every second it asks where the firehose ends, and after that what the scan has committed, with the tweet
//! times beside it, and writes one mark into each partition of the inbox. Acknowledged sightings, then the
//! commit, then the mark: so a mark is a fact, and stays true whoever says it, however late or often. In the same way
//! it says how far the card transactions are, by their own time: coupons expire by that.

mod fed;
mod source;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use self::fed::Fed;
use self::source::Source;
pub use self::source::{Holds, Scanned};
use super::needs::Misfit;
use super::trouble::Troubles;
use super::{Clock, Stop, Topic, Topics, Trouble, is_due, passes};
use crate::core::inbox::Inbox;
use crate::core::settings::Shared;
use crate::core::time::{SECOND, Time};
use crate::log::{Error, Kind, Log, Lookup, Producer};
use crate::metrics::Table;

/// Marks are written once in so long, in milliseconds.
const MARK_EVERY: i64 = SECOND;
/// Time that has not moved for so long stands, in milliseconds.
const QUIET_AFTER: i64 = 10 * SECOND;

/// What time does when the whole firehose is silent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Silence {
    /// It stands: a late lapse hurts nobody.
    #[default]
    Wait,
    /// It goes on, five minutes behind the clock.
    Advance,
}

/// How a time keeper is to be.
#[derive(Debug, Clone)]
pub struct KeeperOptions {
    /// The name of the application: the scan's group begins with it.
    pub app: String,
    /// The topics.
    pub topics: Topics,
    /// What decides; it travels in the marks.
    pub settings: Shared,
    /// What time does when all is silent.
    pub silence: Silence,
}

/// A time keeper. Its look-ups block: it has a thread of its own.
pub struct Keeper {
    log: Arc<dyn Log>,
    clock: Arc<dyn Clock>,
    options: KeeperOptions,
    lookup: Box<dyn Lookup + Send>,
    producer: Box<dyn Producer + Send>,
    inbox: Topic,
    firehose: Source,
    transactions: Source,
    fed: Fed,
    /// How far the inbox has been told that the card transactions are in it.
    told_transactions: Time,
    /// When the last mark's time has moved.
    moved_at: Time,
    marked_at: Time,
    troubles: Troubles,
}

impl Keeper {
    /// A keeper.
    ///
    /// # Errors
    /// If topics are missing or the log cannot be reached.
    pub fn new(log: Arc<dyn Log>, clock: Arc<dyn Clock>, options: KeeperOptions) -> Result<Keeper, Stop> {
        let mut lookup = log.lookup()?;
        let inbox = Topic::inbox(&mut *lookup, &options.topics)?;
        let producer = log.producer()?;
        let group = |kind: &str| format!("{}-{kind}", options.app);
        let firehose = Source::new(&options.topics.tweets, group("scan"), options.silence);
        let transactions = Source::new(&options.topics.card_transactions, group("tables"), Silence::Wait);
        let fed = Fed::new(&options.topics, group("tables"));
        Ok(Keeper {
            log,
            clock,
            options,
            lookup,
            producer,
            inbox,
            firehose,
            transactions,
            fed,
            told_transactions: Time::ZERO,
            moved_at: Time::ZERO,
            marked_at: Time::ZERO,
            troubles: Troubles::default(),
        })
    }

    /// Writes marks, if it is time to. Returns why time stands, if it does.
    ///
    /// # Errors
    /// [`Stop`]: the keeper is spent.
    pub fn turn(&mut self) -> Result<Option<Holds>, Stop> {
        let now = self.clock.now();
        if !is_due(now, self.marked_at, MARK_EVERY) {
            return Ok(None);
        }
        self.marked_at = now;
        let before = self.time();
        let holds = match self.firehose.look(&mut *self.lookup, &*self.clock, now) {
            Ok(Ok(_)) if self.time() > before => {
                self.moved_at = now;
                None
            }
            Ok(Ok(least)) => least.filter(|_| now.since(self.moved_at) >= QUIET_AFTER).map(Holds::Quiet),
            Ok(Err(holds)) => Some(holds),
            // What cannot be seen now will be seen in a second; meanwhile time stands.
            Err(Stop::Log(error)) if passes(&error) => {
                self.troubles.failed(&error, now);
                return Ok(None);
            }
            Err(stop) => return Err(stop),
        };
        match self.transactions.look(&mut *self.lookup, &*self.clock, now) {
            // Coupons wait for as long as nobody can say how far the card transactions are.
            Ok(_) => {}
            Err(Stop::Log(error)) if passes(&error) => self.troubles.failed(&error, now),
            Err(stop) => return Err(stop),
        }
        // Nothing hangs on it: how far the feeders are is for whoever watches, and time goes on without.
        drop(self.fed.look(&mut *self.lookup, now));
        match self.write() {
            Ok(()) => self.check_stamps()?,
            Err(error) if error.kind != Kind::Fatal => {
                self.troubles.failed(&error, now);
                self.producer = self.log.producer()?;
                self.told_transactions = Time::ZERO;
            }
            Err(error) => return Err(error.into()),
        }
        Ok(holds)
    }

    /// What was seen of the firehose since the last call.
    pub fn take_scanned(&mut self) -> Vec<Scanned> {
        std::mem::take(&mut self.firehose.scanned)
    }

    /// Records behind the feeders' last commits, by table, if it was looked at since the last call.
    pub fn take_fed(&mut self) -> BTreeMap<Table, u64> {
        std::mem::take(&mut self.fed.lags)
    }

    /// What does not go well, and is tried again.
    pub fn trouble(&self) -> Option<&Trouble> {
        self.troubles.now()
    }

    /// Windows count from the time at which a record was appended to the inbox: it has to be the brokers'.
    fn check_stamps(&mut self) -> Result<(), Stop> {
        let appended = self.producer.appended();
        match appended.iter().find(|appended| !appended.by_log && appended.topic == self.inbox.name) {
            Some(appended) => Err(Misfit::create_time(&appended.topic).into()),
            None => Ok(()),
        }
    }

    /// The time of the last mark.
    pub fn time(&self) -> Time {
        self.firehose.time()
    }

    /// One mark into each partition, also when time stands; and how far the card transactions are, when that has
    /// changed.
    fn write(&mut self) -> Result<(), Error> {
        let mark = Inbox::Mark { time: self.time(), settings: self.options.settings.clone() };
        let time = self.transactions.time();
        let progress = (time > self.told_transactions).then_some(Inbox::Progress { time });
        for message in std::iter::once(mark).chain(progress) {
            self.inbox
                .inbox_records(&message)
                .into_iter()
                .try_for_each(|record| self.producer.send(record))?;
        }
        self.told_transactions = time;
        if self.producer.outstanding(Duration::from_secs(1))? == 0 {
            self.troubles.over();
        }
        Ok(())
    }
}
