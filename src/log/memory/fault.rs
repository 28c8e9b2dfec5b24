//! Faults on demand, for tests and for the simulation.
//!
//! A hook is asked before each [`Step`] that can fail on a real cluster, and may answer with a
//! [`Fault`]. It decides by whatever it likes, a seed or a script, so a run with faults can be repeated.
//! It is called while the log is locked: it must not use the log.

use std::time::Duration;

use crate::log::{Kind, Partition};

/// Something that can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'s> {
    /// A producer without transactions sends a record to this partition.
    Send(&'s Partition),
    /// A producer of transactions is made under this id.
    Init(&'s str),
    /// The producer with this id begins a transaction.
    Begin(&'s str),
    /// The producer with this id sends a record of its transaction to this partition.
    Write(&'s str, &'s Partition),
    /// The producer with this id sends the offsets of its transaction.
    Offsets(&'s str),
    /// The producer with this id commits; its offsets have been sent.
    Commit(&'s str),
    /// The producer with this id aborts.
    Abort(&'s str),
    /// A member of this group polls.
    Poll(&'s str),
    /// A member begins to read this partition.
    Start(&'s Partition),
    /// A member of this group commits offsets without a transaction.
    CommitOffsets(&'s str),
    /// Somebody asks for the committed offsets of this group.
    Committed(&'s str),
    /// Somebody asks for the watermarks of this partition.
    Watermarks(&'s Partition),
}

/// What goes wrong with a [`Step`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is not done, and the caller is told so in this way; [`Kind::Unknown`] at a commit or abort
    /// leaves the transaction open. The failure of a record shows when its delivery is asked for,
    /// but for [`Kind::Retry`], which [`Producer::send`](crate::log::Producer::send) answers at once.
    Refused(Kind),
    /// It is done, but the answer is lost: [`Kind::Unknown`], or [`Kind::Fenced`] for a record.
    Unanswered,
    /// [`Step::Send`] only: the record, and those that are sent behind it, are appended at the first
    /// call of their producer after so much time.
    Delayed(Duration),
}

/// Says what goes wrong.
pub type Faults = Box<dyn FnMut(Step<'_>) -> Option<Fault> + Send>;
