//! A [`Log`] that lives in the process, and keeps the promises of a real one.
//!
//! ```text
//! MemoryLog --+-- topic ------ partition      records, offsets, fates; compaction
//!   (lock,    +-- group ------ assignor       seats, generations, hand-over, committed offsets
//!    clock)   +-- coordinator                 transactional ids, epochs, open transactions
//!             +-- fault                       what goes wrong, when a test wants it to
//!
//! clients:  member  reader (both over cursor)  producer  transactions  lookup
//! ```
//!
//! **It is deterministic.** Time is what the [`Clock`] says, there are no threads, and no order comes
//! from a hash map: the same calls at the same times give the same answers. Sessions and transactions
//! that have run out end with the next call, whoever makes it.
//!
//! **It waits, or it does not.** Where [`MemorySettings::blocks`] is false every call returns at once,
//! as a simulation needs that runs many workers on one thread; otherwise a poll in vain waits until
//! another thread has changed something.
//!
//! **It is as strict as a real log, or stricter.** A new generation begins at once, so a transaction
//! whose standing was taken before a member came or left is always refused. It is nowhere kinder, but
//! for this: what is written is there and acknowledged at once, unless a [`Fault`] says otherwise.

mod admin;
mod assignor;
mod coordinator;
mod cursor;
mod fault;
mod group;
mod lookup;
mod member;
mod partition;
mod producer;
mod reader;
mod state;
#[cfg(test)]
mod tests;
mod topic;
mod transactions;

use std::sync::Arc;
use std::time::Duration;

use self::cursor::Cursors;
use self::lookup::MemoryLookup;
use self::member::MemoryMember;
use self::producer::MemoryProducer;
use self::reader::MemoryReader;
use self::state::Shared;
use self::transactions::MemoryTransactions;
use super::{Error, Isolation, Log, Lookup, Member, Membership, Producer, Reader, Transactions};
use crate::core::time::Time;

pub use self::admin::{Record, Tombstones};
pub use self::fault::{Fault, Faults, Step};
pub use self::topic::{Cleanup, Timestamps, TopicSettings};

/// Says what time it is. It is called while the log is locked: it must not use the log.
pub type Clock = Arc<dyn Fn() -> Time + Send + Sync>;

/// The settings of a [`MemoryLog`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemorySettings {
    /// A member that has not polled for longer has lost its partitions.
    pub session_timeout: Duration,
    /// A transaction that is open for longer is aborted, and its producer fenced.
    pub transaction_timeout: Duration,
    /// How many records a poll hands over at most; at least 1.
    pub batch: usize,
    /// Whether a call waits as long as it was told to. False: every call returns at once.
    pub blocks: bool,
}

impl Default for MemorySettings {
    /// 10 s each, 500 records, waiting.
    fn default() -> MemorySettings {
        let timeout = Duration::from_secs(10);
        MemorySettings { session_timeout: timeout, transaction_timeout: timeout, batch: 500, blocks: true }
    }
}

/// The log. A clone is the same log.
#[derive(Debug, Clone)]
pub struct MemoryLog {
    shared: Arc<Shared>,
}

impl MemoryLog {
    /// An empty log.
    pub fn new(clock: Clock, settings: MemorySettings) -> MemoryLog {
        let settings = MemorySettings { batch: settings.batch.max(1), ..settings };
        MemoryLog { shared: Shared::new(clock, settings) }
    }
}

impl Log for MemoryLog {
    fn member(&self, membership: &Membership) -> Result<Box<dyn Member + Send>, Error> {
        Ok(Box::new(MemoryMember::join(Arc::clone(&self.shared), membership.clone())))
    }

    fn reader(&self, isolation: Isolation) -> Result<Box<dyn Reader + Send>, Error> {
        let (shared, cursors) = (Arc::clone(&self.shared), Cursors::default());
        Ok(Box::new(MemoryReader { shared, isolation, cursors }))
    }

    fn producer(&self) -> Result<Box<dyn Producer + Send>, Error> {
        Ok(Box::new(MemoryProducer::new(Arc::clone(&self.shared))))
    }

    fn transactions(&self, id: &str) -> Result<Box<dyn Transactions + Send>, Error> {
        Ok(Box::new(MemoryTransactions::new(Arc::clone(&self.shared), id)?))
    }

    fn lookup(&self) -> Result<Box<dyn Lookup + Send>, Error> {
        Ok(Box::new(MemoryLookup { shared: Arc::clone(&self.shared) }))
    }
}

/// A span in milliseconds.
fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}
