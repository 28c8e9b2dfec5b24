//! The workers: they feed the core from the log, and perform what it says.
//!
//! | worker | reads | writes | group |
//! | --- | --- | --- | --- |
//! | [`scan`] | `tweets`, and `offers`, `accounts` whole | sightings and deletions to `inbox`; dead letters | `<app>-scan` |
//! | [`feeder`] | `offers`, `accounts`, `card-transactions` | their records to `inbox`; dead letters | `<app>-tables` |
//! | [`keeper`] | offsets and commits of `tweets` and `card-transactions` | marks to every partition of `inbox` | none |
//! | [`desk`] | `inbox` | `purchases`, `orders`, `desk-changelog`, `inbox` | `<app>-desk` |
//!
//! Each is a value with a method `turn`, which does what is at hand, waits a little if there is nothing,
//! and returns. A thread that calls `turn` again and again is a worker of the service; a simulation calls
//! the turns of many workers from one thread, in any order, with time of its own.

pub mod desk;
pub mod feeder;
pub mod keeper;
pub mod needs;
pub mod partitioner;
mod restore;
pub mod rights;
pub mod scan;
mod tables;
mod trouble;

use std::sync::Arc;

use self::needs::{Misfit, shown};
use self::partitioner::partition_of;
pub use self::trouble::Trouble;
use crate::core::inbox::{Corrupt, Inbox, Key, Version, encode_as};
use crate::core::time::Time;
use crate::log::{Error, Kind, Lookup, NewRecord, Partition};

/// Where time comes from: the machine's clock, or that of a simulation.
pub trait Clock: Send + Sync {
    /// The present time.
    fn now(&self) -> Time;
}

/// The topics: their names, and how what is ours is written into them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topics {
    /// The firehose.
    pub tweets: String,
    /// The table of offers.
    pub offers: String,
    /// The table of accounts.
    pub accounts: String,
    /// What was paid with cards.
    pub card_transactions: String,
    /// Between the stages.
    pub inbox: String,
    /// The state of the desk.
    pub changelog: String,
    /// Events.
    pub purchases: String,
    /// What biller and shipper need.
    pub orders: String,
    /// What cannot be read.
    pub dead_letters: String,
    /// The version of the records that are written into `inbox` and `changelog`.
    pub version: Version,
    /// So many partitions of `inbox` and `changelog` are used, the first ones, if there are more; none: all.
    pub inbox_partitions: Option<u32>,
}

impl Default for Topics {
    fn default() -> Topics {
        Topics {
            tweets: "tweets".into(),
            offers: "offers".into(),
            accounts: "accounts".into(),
            card_transactions: "card-transactions".into(),
            inbox: "inbox".into(),
            changelog: "desk-changelog".into(),
            purchases: "purchases".into(),
            orders: "orders".into(),
            dead_letters: "dead-letters".into(),
            version: Version::default(),
            inbox_partitions: None,
        }
    }
}

impl Topics {
    /// How many partitions of the inbox or the changelog are used when there are so many.
    pub(crate) fn used(&self, partitions: u32) -> u32 {
        self.inbox_partitions.map_or(partitions, |used| used.min(partitions))
    }

    /// The usual names behind that of an application, `<app>-tweets` and so on.
    pub fn of(app: &str) -> Topics {
        let name = |usual: String| format!("{app}-{usual}");
        let usual = Topics::default();
        Topics {
            tweets: name(usual.tweets),
            offers: name(usual.offers),
            accounts: name(usual.accounts),
            card_transactions: name(usual.card_transactions),
            inbox: name(usual.inbox),
            changelog: name(usual.changelog),
            purchases: name(usual.purchases),
            orders: name(usual.orders),
            dead_letters: name(usual.dead_letters),
            version: usual.version,
            inbox_partitions: usual.inbox_partitions,
        }
    }
}

/// Why a worker cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum Stop {
    /// The log says so.
    #[error("{0}")]
    Log(#[from] Error),
    /// Topics that are needed are not there, or not as they have to be.
    #[error("{}", shown(.0))]
    Topics(Vec<Misfit>),
    /// Another producer has come under the id of this one's transactions, again and again.
    #[error(
        "another process writes as {id}, and each takes the other's place: {times} times within half a minute, {last}; \
         give each process its own `instance`"
    )]
    Fenced {
        /// The transactional id.
        id: String,
        /// How often.
        times: usize,
        /// What the log said last.
        last: String,
    },
    /// A record of our own that cannot be read.
    #[error("{place}: {corrupt}")]
    Corrupt {
        /// Topic, partition and offset.
        place: String,
        /// What is wrong.
        corrupt: Corrupt,
    },
    /// The committed offset of a partition is not the one its state belongs to.
    #[error("{0}")]
    Offsets(String),
    /// More than one in a hundred tweets are ahead of the clock: it is the clock that is wrong.
    #[error(
        "{ahead} of {of} tweets in the last minute are ahead of this machine's clock: set the clock, nothing was lost"
    )]
    Clock {
        /// Tweets ahead.
        ahead: u64,
        /// Tweets looked at.
        of: u64,
    },
    /// It has panicked, and has said where and why.
    #[error("it has panicked, which is a fault of hashbuy; where and why stands above")]
    Panicked,
    /// The offers cannot be compiled.
    #[error("the offers' hashtags cannot be compiled: {0}")]
    Offers(String),
}

impl Stop {
    /// Whether the same may go well later: a broker is not reached, a leader is being elected.
    pub fn passes(&self) -> bool {
        matches!(self, Stop::Log(error) if passes(error))
    }
}

impl From<Misfit> for Stop {
    fn from(misfit: Misfit) -> Stop {
        Stop::Topics(vec![misfit])
    }
}

/// What a turn has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Something.
    Worked,
    /// Nothing was at hand.
    Idle,
}

/// Whether what was done `last` is to be done again, `every` so many milliseconds. A clock that was set back
/// is no reason to wait until it is where it was.
fn is_due(now: Time, last: Time, every: i64) -> bool {
    !(0..every).contains(&now.since(last))
}

/// Whether an error goes away by trying again.
fn passes(error: &Error) -> bool {
    error.kind == Kind::Retry
}

/// A topic and the number of its partitions.
#[derive(Debug, Clone)]
struct Topic {
    name: Arc<str>,
    partitions: u32,
    /// The version of the records that are written, if it is the inbox.
    version: Version,
}

impl Topic {
    /// Looks a topic up that has to be there.
    fn look_up(lookup: &mut dyn Lookup, name: &str) -> Result<Topic, Stop> {
        let partitions = lookup.partitions(name)?.ok_or_else(|| Misfit::missing(name))?;
        Ok(Topic { name: name.into(), partitions, version: Version::default() })
    }

    /// Looks the inbox up.
    fn inbox(lookup: &mut dyn Lookup, topics: &Topics) -> Result<Topic, Stop> {
        let inbox = Topic::look_up(lookup, &topics.inbox)?;
        Ok(Topic { version: topics.version, partitions: topics.used(inbox.partitions), ..inbox })
    }

    /// Whether a partition of the inbox is one of those that are used. Only where the configuration says how
    /// many are: else one beyond the end is news, and a reason to stop.
    fn is_used(&self, partition: &Partition, topics: &Topics) -> bool {
        topics.inbox_partitions.is_none() || partition.number < self.partitions
    }

    /// A partition of it.
    fn partition(&self, number: u32) -> Partition {
        Partition { topic: Arc::clone(&self.name), number }
    }

    /// The partition of a key.
    fn partition_of(&self, key: &[u8]) -> Partition {
        self.partition(partition_of(key, self.partitions))
    }

    /// A message as records of the inbox, which this topic has to be: one for the entity that handles it,
    /// or one for each partition.
    fn inbox_records(&self, message: &Inbox) -> Vec<NewRecord> {
        let key = message.key();
        let text = key.to_string().into_bytes();
        let partitions = match key {
            Key::Everywhere => (0..self.partitions).map(|number| self.partition(number)).collect(),
            _ => vec![self.partition_of(&text)],
        };
        let value = encode_as(self.version, message);
        let record = |partition| NewRecord {
            partition,
            key: Some(text.clone()),
            value: Some(value.clone()),
            headers: Vec::new(),
        };
        partitions.into_iter().map(record).collect()
    }
}
