//! What a case needs beside the log itself, and each implementation does in its own way.
//!
//! Methods panic if that fails: then nothing was proven.

use std::time::Duration;

use hashbuy::log::{Log, Partition, Standing};

/// How a topic is to be.
#[derive(Debug, Clone, Copy)]
pub struct Topic {
    pub partitions: u32,
    /// `LogAppendTime` rather than `CreateTime`.
    pub append_time: bool,
    /// Compacted; tombstones may go or stay.
    pub compacted: bool,
    /// A batch of records that is larger is refused. Only a real broker does that.
    pub max_bytes: Option<u32>,
}

/// So many partitions, and nothing special.
pub const fn plain(partitions: u32) -> Topic {
    Topic { partitions, append_time: true, compacted: false, max_bytes: None }
}

/// A record that was committed, as it stands in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    pub partition: u32,
    pub offset: u64,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub headers: Vec<(String, Vec<u8>)>,
}

/// A log with its surroundings, for one case.
pub trait Fixture {
    /// The log.
    fn log(&self) -> &dyn Log;

    /// A name for a topic, group, instance or transactional id that no other case or run uses; the same
    /// for the same `of`.
    fn name(&self, of: &str) -> String;

    /// Makes a topic; when this returns, it can be used.
    fn create(&self, topic: &str, settings: Topic);

    /// Gives a topic more partitions.
    fn grow(&self, topic: &str, partitions: u32);

    /// Forgets the records of a partition below an offset.
    fn trim(&self, partition: &Partition, offset: u64);

    /// Has what is in a compacted topic compacted. That may be done soon after this returns, and may
    /// add records of the key [`FILLER`].
    fn compact(&self, topic: &str);

    /// All committed records of a topic, each partition in its order.
    fn records(&self, topic: &str) -> Vec<Stored>;

    /// Begins a transaction under an id and sends offsets of a group with it, as the member with this
    /// standing if that is of use; then does nothing more. The transaction stays open until its
    /// timeout, or until a producer with the same id comes.
    fn half_commit(&self, id: &str, group: &str, offsets: &[(Partition, u64)], standing: &Standing);

    /// Lets time pass, on the clock that ends sessions and transactions.
    fn pass(&self, time: Duration);

    /// How long a poll is to wait.
    fn wait(&self) -> Duration;
}

/// The key of records that a compaction may need and no case looks at.
pub const FILLER: &[u8] = b"~";
