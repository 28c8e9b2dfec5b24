//! What the threads of the service have to say to a person.

use std::fmt;

use tracing::{debug, error, info, warn};

use crate::core::record::Rejection;
use crate::worker::Stop;
use crate::worker::desk::{Back, Restoring, counted};

/// Something that has happened, worth a line.
#[derive(Debug)]
pub enum Notice {
    /// A desk worker begins to read the changelog.
    Restoring {
        /// The number of the desk worker in this process.
        desk: u32,
        /// How much there is.
        restoring: Restoring,
    },
    /// It is still at it.
    StillRestoring {
        /// The number of the desk worker in this process.
        desk: u32,
        /// How far it is.
        restoring: Restoring,
    },
    /// It has the state of all its partitions.
    AllRestored {
        /// The number of the desk worker in this process.
        desk: u32,
        /// How much it was.
        restoring: Restoring,
        /// How long it took, in milliseconds.
        millis: i64,
    },
    /// A desk worker has the state of a partition back from the changelog.
    Restored {
        /// The number of the desk worker in this process.
        desk: u32,
        /// What was restored.
        back: Back,
    },
    /// A desk worker was ended without a farewell; another takes its place.
    Killed {
        /// Its number in this process.
        desk: u32,
        /// Whether it has left a transaction open.
        open: bool,
    },
    /// A scan worker begins to read the firehose.
    Reading {
        /// The number of the scan worker in this process.
        scan: u32,
        /// The firehose.
        topic: String,
    },
    /// What was in the tables at the start is in the inbox.
    TablesFed,
    /// A record of a table was rejected.
    Rejected {
        /// Topic, partition and offset.
        place: String,
        /// What is wrong with it.
        rejection: Rejection,
    },
    /// A worker cannot go on: the process has to end.
    Stopped {
        /// Which one.
        worker: String,
        /// Why.
        stop: Stop,
    },
}

impl Notice {
    /// Puts it into the log of the process, as text and in its parts. Whom a rejected record is about is told at the
    /// level of debugging only.
    pub fn log(&self) {
        match self {
            Notice::Restoring { desk, restoring } => {
                info!(desk, partitions = restoring.partitions, records = restoring.of, "{self}");
            }
            Notice::StillRestoring { desk, restoring } => {
                info!(desk, read = restoring.read, records = restoring.of, "{self}");
            }
            Notice::AllRestored { desk, restoring, millis } => {
                info!(desk, partitions = restoring.partitions, millis, "{self}");
            }
            Notice::Restored { desk, back } if back.expired => {
                warn!(desk, partition = back.partition, records = back.records, "{self}");
            }
            Notice::Restored { desk, back } => {
                info!(desk, partition = back.partition, records = back.records, "{self}");
            }
            Notice::Killed { desk, open } => warn!(desk, open, "{self}"),
            Notice::Reading { scan, topic } => info!(scan, topic, "{self}"),
            Notice::TablesFed => info!("{self}"),
            Notice::Rejected { place, rejection } => {
                warn!(place, field = rejection.field(), "feeder: {place}: {}", rejection.of_nobody());
                debug!(place, "{rejection}");
            }
            Notice::Stopped { worker, .. } => error!(worker, "{self}"),
        }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Notice::Restoring { desk, restoring: Restoring { partitions, of, .. } } => {
                write!(f, "desk {desk}: restoring {}, {of} records of the changelog", counted(*partitions))
            }
            Notice::StillRestoring { desk, restoring } => {
                write!(f, "desk {desk}: restoring: {restoring}")
            }
            Notice::AllRestored { desk, restoring: Restoring { partitions, .. }, millis } => {
                let seconds = *millis as f64 / 1_000.0;
                write!(f, "desk {desk}: {} back after {seconds:.1} s", counted(*partitions))
            }
            Notice::Restored { desk, back } => {
                write!(f, "desk {desk}: partition {} restored, {} records", back.partition, back.records)?;
                if back.expired {
                    f.write_str("; the group had no offset of it any more, the changelog's was taken")?;
                }
                Ok(())
            }
            Notice::Killed { desk, open } => {
                let left = if *open { "with a transaction open" } else { "between two transactions" };
                write!(f, "desk {desk}: killed {left}; another takes its place")
            }
            Notice::Reading { scan, topic } => write!(f, "scan {scan}: reading {topic}"),
            Notice::TablesFed => f.write_str("feeder: the tables are in the inbox"),
            Notice::Rejected { place, rejection } => write!(f, "feeder: {place}: {rejection}"),
            Notice::Stopped { worker, stop } => write!(f, "{worker}: {stop}"),
        }
    }
}
