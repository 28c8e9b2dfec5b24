//! The log between the stages, as narrow as the workers need it: [`Log`] and what it hands out.
//!
//! There are two implementations. `kafka` is the real one. `memory` lives in the process and keeps the
//! same promises: partitions with offsets, groups with generations, transactions that really abort,
//! read_committed with a last stable offset that an open transaction pins, fencing, compaction, commit
//! metadata. One conformance suite runs against both, so what the workers prove on the one holds on the
//! other.
//!
//! ```text
//! Log --+-- member(..)        reads its share of some topics as a member of a group  [Member]
//!       +-- reader(..)        reads given partitions from given offsets              [Reader]
//!       +-- producer(..)      writes, and says when a write is safe                  [Producer]
//!       +-- transactions(..)  writes and commits offsets, all or nothing             [Transactions]
//!       +-- lookup(..)        watermarks, partition counts, a group's offsets        [Lookup]
//! ```
//!
//! No call blocks longer than the `wait` that it is given, or than the timeout that its implementation
//! documents. Nothing is called back: a worker asks for the next thing, is told, and answers, so that
//! one thread can run many workers in a simulation, in any order.

pub mod kafka;
pub mod memory;
pub mod right;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::core::time::Time;

/// A partition of a topic.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Partition {
    /// The topic's name.
    pub topic: Arc<str>,
    /// The number of the partition, from 0.
    pub number: u32,
}

impl Partition {
    /// Partition `number` of a topic.
    pub fn new(topic: impl Into<Arc<str>>, number: u32) -> Partition {
        Partition { topic: topic.into(), number }
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.topic, self.number)
    }
}

/// A record as it is read. It lends what the log holds: to keep something, copy it.
#[derive(Debug, Clone, Copy)]
pub struct Message<'m> {
    /// Its topic.
    pub topic: &'m str,
    /// The number of its partition.
    pub partition: u32,
    /// Its offset in the partition.
    pub offset: u64,
    /// When it was appended, or made: the topic's settings say which.
    pub timestamp: Time,
    /// Whether `timestamp` is the broker's (`LogAppendTime`) rather than the producer's.
    pub appended: bool,
    /// Its key.
    pub key: Option<&'m [u8]>,
    /// Its value; none is the end of its key in a compacted topic.
    pub value: Option<&'m [u8]>,
}

/// A record to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRecord {
    /// Where to.
    pub partition: Partition,
    /// Its key.
    pub key: Option<Vec<u8>>,
    /// Its value.
    pub value: Option<Vec<u8>>,
    /// Names and values; a name may stand there several times.
    pub headers: Vec<(&'static str, Vec<u8>)>,
}

/// What a reader sees of transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    /// Committed records only, up to the last stable offset.
    Committed,
    /// Everything, up to the high watermark.
    Uncommitted,
}

/// What a [`Member`] is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Polled {
    /// So many messages were handed over; none if the wait was in vain.
    Messages(usize),
    /// These partitions are the member's from now on. They stand still until [`Member::start`]. The
    /// list may be empty: the group has met and nothing has changed.
    Assigned(Vec<Partition>),
    /// These partitions are to be given up. They stand still. What is open has to be finished or
    /// aborted, then [`Member::release`] gives them up; until then no [`Member::poll`].
    Revoked {
        /// Which ones.
        partitions: Vec<Partition>,
        /// They are somebody else's already: abort, nothing can be finished.
        lost: bool,
    },
}

/// A member of a group, that reads its share of the partitions of some topics.
pub trait Member {
    /// Waits up to `wait` for the next thing. Messages are handed to `each`, several of them if they
    /// are at hand; of a partition that stands still none.
    ///
    /// # Errors
    /// [`Kind::Fatal`] if the member can not go on, as when another instance has taken its place;
    /// [`Kind::OutOfRange`] with the partition named, if an offset to read from is not in the log;
    /// [`Kind::Retry`] while a topic is missing.
    fn poll(&mut self, wait: Duration, each: &mut dyn FnMut(Message<'_>)) -> Result<Polled, Error>;

    /// Reads an assigned partition on from `offset`, whatever was read of it before.
    ///
    /// # Errors
    /// If the partition is not assigned.
    fn start(&mut self, partition: &Partition, offset: u64) -> Result<(), Error>;

    /// Lets an assigned partition stand still.
    ///
    /// # Errors
    /// If the partition is not assigned.
    fn pause(&mut self, partition: &Partition) -> Result<(), Error>;

    /// Gives up what [`Polled::Revoked`] named.
    ///
    /// # Errors
    /// If nothing is to be given up.
    fn release(&mut self) -> Result<(), Error>;

    /// The offset behind the last thing that was read of a partition (control records count); none
    /// before anything was read since [`Member::start`].
    fn position(&self, partition: &Partition) -> Option<u64>;

    /// The group's committed offsets with their metadata; none for a partition without a commit. Waits
    /// for transactions that are about to commit offsets of these partitions.
    ///
    /// # Errors
    /// [`Kind::Retry`] while such a transaction is open.
    fn committed(&mut self, partitions: &[Partition]) -> Result<Vec<Option<Committed>>, Error>;

    /// Commits offsets with metadata, without a transaction. Only of assigned partitions.
    ///
    /// # Errors
    /// [`Kind::Fenced`] if the group has gone on without this member.
    fn commit(&mut self, offsets: &[(Partition, Committed)]) -> Result<(), Error>;

    /// The member's standing in the group as of the last meeting that a poll has told of, to commit offsets
    /// with in a transaction. Whatever is done after that on an old standing is refused.
    ///
    /// # Errors
    /// If it is no member at the moment.
    fn standing(&self) -> Result<Standing, Error>;

    /// Leaves the group, so that others take over at once, and closes. What is assigned is released
    /// without a [`Polled::Revoked`]: finish or abort what is open before.
    fn leave(self: Box<Self>);
}

/// A committed offset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// The next offset to be read.
    pub offset: u64,
    /// Whatever the committer wants to remember with it.
    pub metadata: String,
}

/// A member's standing in its group, as the broker checks it. What is in it is the implementation's
/// business.
#[derive(Clone)]
pub struct Standing(pub(crate) Arc<dyn std::any::Any + Send + Sync>);

impl fmt::Debug for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Standing(..)")
    }
}

/// Reads given partitions, outside of any group.
pub trait Reader {
    /// Reads these partitions from these offsets from now on, and no others.
    ///
    /// # Errors
    /// If there is no such partition.
    fn assign(&mut self, from: &[(Partition, u64)]) -> Result<(), Error>;

    /// Waits up to `wait` for messages and hands them to `each`; returns how many.
    ///
    /// # Errors
    /// [`Kind::OutOfRange`] with the partition named, if an offset to read from is not in the log.
    fn poll(&mut self, wait: Duration, each: &mut dyn FnMut(Message<'_>)) -> Result<usize, Error>;

    /// The offset behind the last thing that was read of a partition: messages, control records, and
    /// what compaction has left out. The offset of the assignment, before anything was read.
    fn position(&self, partition: &Partition) -> Option<u64>;
}

/// Writes records in order, each exactly once while it lives.
pub trait Producer {
    /// Hands a record over. It is safe when [`Producer::outstanding`] has counted it down.
    ///
    /// # Errors
    /// [`Kind::Fenced`] or [`Kind::Fatal`] as for a failed delivery; [`Kind::Retry`] if its queue is
    /// full, and stays so for 10 s.
    fn send(&mut self, record: NewRecord) -> Result<(), Error>;

    /// Hands many records over, in their order: cheaper than one by one where a lock is taken for each.
    ///
    /// # Errors
    /// That of the first that could not be handed over; those behind it were not tried.
    fn send_all(&mut self, records: Vec<NewRecord>) -> Result<(), Error> {
        records.into_iter().try_for_each(|record| self.send(record))
    }

    /// Waits up to `wait` until all that was sent is acknowledged. Returns how many are not.
    ///
    /// # Errors
    /// The first delivery that failed: then this producer is spent. [`Kind::Fenced`]: begin again
    /// from the last commit, with a new one; [`Kind::Fatal`]: it will fail again.
    fn outstanding(&mut self, wait: Duration) -> Result<usize, Error>;

    /// What was said of the time of the newest record of each topic that was acknowledged since the
    /// last call.
    fn appended(&mut self) -> Vec<Appended>;
}

/// The time of a record, as the acknowledgement of its delivery says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// The topic that it was written to.
    pub topic: Arc<str>,
    /// When it was appended, or made: the topic's settings say which.
    pub timestamp: Time,
    /// Whether `timestamp` is the broker's (`LogAppendTime`) rather than the producer's.
    pub by_log: bool,
}

/// Writes records and commits offsets, all or nothing. One transaction at a time.
pub trait Transactions {
    /// Begins a transaction.
    ///
    /// # Errors
    /// [`Kind::Fenced`] if another producer with this id has come; [`Kind::Fatal`].
    fn begin(&mut self) -> Result<(), Error>;

    /// Hands a record of the open transaction over. It is copied: whoever writes many may use one again.
    ///
    /// # Errors
    /// [`Kind::Abort`] if it cannot be taken; [`Kind::Fatal`] if it never will be (too large).
    fn send(&mut self, record: &NewRecord) -> Result<(), Error>;

    /// Commits the open transaction together with the input offsets of its group: waits until every
    /// record is acknowledged, then sends the offsets, then commits.
    ///
    /// # Errors
    /// [`Kind::Abort`], [`Kind::Refused`]: nothing was committed, and [`Transactions::abort`] is due.
    /// [`Kind::Unknown`]: it may have been committed or not, and this producer is spent. [`Kind::Fenced`],
    /// [`Kind::Fatal`].
    fn commit(&mut self, offsets: &[(Partition, u64)], standing: &Standing) -> Result<(), Error>;

    /// As [`Producer::appended`], of records of whatever transaction.
    fn appended(&mut self) -> Vec<Appended>;

    /// Aborts the open transaction.
    ///
    /// # Errors
    /// [`Kind::Unknown`] or [`Kind::Fenced`]: this producer is spent; what was open will be aborted by
    /// the next one with this id, or by its timeout.
    fn abort(&mut self) -> Result<(), Error>;
}

/// Looks things up. Its calls block; not for the thread of a worker that has something to do.
pub trait Lookup {
    /// The first offset of a partition, and the one behind its last: the high watermark, or the last
    /// stable offset for [`Isolation::Committed`].
    ///
    /// # Errors
    /// [`Kind::Retry`].
    fn watermarks(&mut self, partition: &Partition, isolation: Isolation) -> Result<(u64, u64), Error>;

    /// How many partitions a topic has; none if there is no such topic.
    ///
    /// # Errors
    /// [`Kind::Retry`].
    fn partitions(&mut self, topic: &str) -> Result<Option<u32>, Error>;

    /// The settings of a topic under Kafka's names, as `cleanup.policy`, defaults included; none if
    /// there is no such topic, or we may not know.
    ///
    /// # Errors
    /// [`Kind::Retry`].
    fn settings(&mut self, topic: &str) -> Result<Option<BTreeMap<String, String>>, Error>;

    /// What a group has committed, as [`Member::committed`].
    ///
    /// # Errors
    /// [`Kind::Retry`].
    fn committed(&mut self, group: &str, partitions: &[Partition]) -> Result<Vec<Option<Committed>>, Error>;
}

/// How a [`Member`] is to be.
#[derive(Debug, Clone)]
pub struct Membership {
    /// The group's name.
    pub group: String,
    /// The topics whose partitions the group shares.
    pub topics: Vec<String>,
    /// A static member keeps its partitions through a quick restart under the same name, and the
    /// broker fences an older one. None: a member like any other.
    pub instance: Option<String>,
    /// What it sees of transactions.
    pub isolation: Isolation,
}

/// Where records are, and everything that can be done with them.
pub trait Log: Send + Sync {
    /// Joins a group.
    ///
    /// # Errors
    /// [`Kind::Fatal`] if that can not be: settings, no broker.
    fn member(&self, membership: &Membership) -> Result<Box<dyn Member + Send>, Error>;

    /// A reader without partitions yet.
    ///
    /// # Errors
    /// As [`Log::member`].
    fn reader(&self, isolation: Isolation) -> Result<Box<dyn Reader + Send>, Error>;

    /// A producer.
    ///
    /// # Errors
    /// As [`Log::member`].
    fn producer(&self) -> Result<Box<dyn Producer + Send>, Error>;

    /// A producer of transactions under an id. It fences those that came before under the same id, and
    /// ends what they have left open: when this returns, that is so.
    ///
    /// # Errors
    /// [`Kind::Retry`] if that takes too long; as [`Log::member`].
    fn transactions(&self, id: &str) -> Result<Box<dyn Transactions + Send>, Error>;

    /// For look-ups.
    ///
    /// # Errors
    /// As [`Log::member`].
    fn lookup(&self) -> Result<Box<dyn Lookup + Send>, Error>;
}

/// What went wrong with the log, and what can be done about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Error {
    /// What can be done.
    pub kind: Kind,
    /// What was to be done, with its topic, partition, group or id, and what came of it.
    pub what: String,
}

impl Error {
    /// An error.
    pub fn new(kind: Kind, what: impl Into<String>) -> Error {
        Error { kind, what: what.into() }
    }
}

/// What can be done about an [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The same again, later.
    Retry,
    /// Abort the open transaction, and go on from the last one that was committed.
    Abort,
    /// The same, because the group has gone on without this member and does not take its offsets.
    Refused,
    /// Whether it was done is not known. Find out by reading.
    Unknown,
    /// Somebody else has this producer's or member's place, or it has lost its standing: make a new
    /// one, and go on from the last commit.
    Fenced,
    /// The offset to read from is not in the log.
    OutOfRange,
    /// It will not go away by itself: stop, and say so.
    Fatal,
}
