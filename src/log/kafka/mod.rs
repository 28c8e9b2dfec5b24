//! The log in Apache Kafka. All of librdkafka stays in this folder.
//!
//! librdkafka can do what exactly-once processing needs, but many of its calls say Ok and do something
//! else, or nothing. What is done here about it, and where:
//!
//! | what | where |
//! | --- | --- |
//! | settings that the guarantees hang on cannot be changed | `settings` |
//! | partitions come paused and at a number, and go when the worker says so | `rebalances` |
//! | nothing is handed over of a partition that stands still, nor of before its start | `held` |
//! | first resume, then seek; an old position is thrown away | `seek` |
//! | the broker refuses the offsets of a member that was replaced | `member` |
//! | a record is safe when its report says so; no `flush` | `deliveries` |
//! | or, where there are very many, when it is gone and no report says that it failed | `bulk` |
//! | an end of a transaction without an answer is unknown, never assumed | `transactions` |
//! | a request that may have been repeated, and may come late, is refused then | `transactions` |
//! | a call on a transaction that is never answered is not waited for | `caller` |
//! | a topic that was made anew while it was written to is noticed by its offsets | `deliveries` |
//! | offsets that a transaction may be about to change are waited for | `lookup` |
//!
//! Each client is used by one thread, but for the calls on transactions, which have one of their own. librdkafka has threads of its own behind it, which do the
//! fetching, sending and heartbeats.

mod admin;
mod bulk;
mod caller;
mod counting;
mod deliveries;
mod error;
mod greeting;
mod grouped;
mod held;
mod logged;
mod lookup;
mod member;
mod operators;
mod partitions;
mod producer;
mod reader;
mod rebalances;
mod seek;
mod settings;
mod transactions;

use std::time::{Duration, Instant};

pub use admin::{Made, NewTopic};
pub use bulk::{BulkWriter, Codec, UnknownCodec};
pub use counting::{Counted, Counting};
pub use operators::{GroupMember, Spread};
pub use settings::{METADATA, Settings};

use self::lookup::KafkaLookup;
use self::member::KafkaMember;
use self::producer::KafkaProducer;
use self::reader::KafkaReader;
use self::transactions::KafkaTransactions;
use super::{Error, Isolation, Log, Lookup, Member, Membership, Producer, Reader, Transactions};

/// A Kafka cluster.
#[derive(Debug, Clone)]
pub struct KafkaLog {
    settings: Settings,
}

impl KafkaLog {
    /// Checks the settings and that a broker answers, for at most 10 s.
    ///
    /// # Errors
    /// [`Kind::Fatal`](super::Kind::Fatal) with the setting that is wrong, or if no broker answers.
    pub fn connect(settings: Settings) -> Result<KafkaLog, Error> {
        settings.validate()?;
        greeting::greet(&settings)?;
        Ok(KafkaLog { settings })
    }
}

/// What is left until a deadline, in whole milliseconds, upwards: the last part of one a poll of rdkafka spins through.
fn left_until(deadline: Instant) -> Duration {
    let left = deadline.saturating_duration_since(Instant::now()).as_micros().div_ceil(1_000);
    Duration::from_millis(u64::try_from(left).unwrap_or(u64::MAX))
}

impl Log for KafkaLog {
    fn member(&self, membership: &Membership) -> Result<Box<dyn Member + Send>, Error> {
        Ok(Box::new(KafkaMember::new(&self.settings, membership)?))
    }

    fn reader(&self, isolation: Isolation) -> Result<Box<dyn Reader + Send>, Error> {
        Ok(Box::new(KafkaReader::new(&self.settings, isolation)?))
    }

    fn producer(&self) -> Result<Box<dyn Producer + Send>, Error> {
        Ok(Box::new(KafkaProducer::new(&self.settings)?))
    }

    fn transactions(&self, id: &str) -> Result<Box<dyn Transactions + Send>, Error> {
        Ok(Box::new(KafkaTransactions::new(&self.settings, id)?))
    }

    fn lookup(&self) -> Result<Box<dyn Lookup + Send>, Error> {
        Ok(Box::new(KafkaLookup::new(&self.settings)?))
    }
}
