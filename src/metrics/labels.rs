//! The values of labels, where they are a closed set: each series of these is there from the start.

use crate::core::event::{Cause, EventKind, Reason};
use crate::core::tally::Counted;
use crate::core::tweet::{BadRecord, Control};

/// The tables that the feeder reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    /// `offers`.
    Offers,
    /// `accounts`.
    Accounts,
    /// `card-transactions`, which is no table, but goes the same way.
    CardTransactions,
}

impl Table {
    /// The name in labels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Table::Offers => "offers",
            Table::Accounts => "accounts",
            Table::CardTransactions => "card_transactions",
        }
    }
}

/// What became of a transaction that was not committed, or is not known to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AbortCause {
    /// A partition with a record in it was given up before its end.
    Revoked,
    /// Its partitions were somebody else's already.
    Lost,
    /// The group has not taken its offsets.
    Refused,
    /// A record was not delivered.
    Delivery,
    /// Its end was not answered: it may have been committed.
    Unknown,
    /// Another producer has come under its id, or it has lasted too long.
    Fenced,
    /// It will not go well again: the process ends.
    Fatal,
}

impl AbortCause {
    /// All of them.
    pub const ALL: [AbortCause; 7] = [
        AbortCause::Revoked,
        AbortCause::Lost,
        AbortCause::Refused,
        AbortCause::Delivery,
        AbortCause::Unknown,
        AbortCause::Fenced,
        AbortCause::Fatal,
    ];

    /// The name in labels.
    pub const fn as_str(self) -> &'static str {
        match self {
            AbortCause::Revoked => "revoked",
            AbortCause::Lost => "lost",
            AbortCause::Refused => "refused",
            AbortCause::Delivery => "delivery",
            AbortCause::Unknown => "unknown_outcome",
            AbortCause::Fenced => "fenced",
            AbortCause::Fatal => "fatal",
        }
    }
}

pub(super) const SIGHTING: &str = "sighting";
pub(super) const DELETION: &str = "deletion";

/// No series before there is something to say.
pub(super) fn open() -> Vec<Vec<&'static str>> {
    Vec::new()
}

/// One series without labels.
pub(super) fn one() -> Vec<Vec<&'static str>> {
    vec![Vec::new()]
}

fn each(values: impl IntoIterator<Item = &'static str>) -> Vec<Vec<&'static str>> {
    values.into_iter().map(|value| vec![value]).collect()
}

pub(super) fn sightings() -> Vec<Vec<&'static str>> {
    each([SIGHTING, DELETION])
}

pub(super) fn skipped() -> Vec<Vec<&'static str>> {
    each(Control::ALL.iter().map(|kind| kind.as_str()).chain(["keep_alive"]))
}

pub(super) fn dead_letters() -> Vec<Vec<&'static str>> {
    each(BadRecord::REASONS.iter().copied().chain(["too_large"]))
}

pub(super) fn nothing() -> Vec<Vec<&'static str>> {
    each(Counted::ALL.iter().map(|what| what.as_str()))
}

pub(super) fn tables() -> Vec<Vec<&'static str>> {
    each([Table::Offers, Table::Accounts, Table::CardTransactions].map(Table::as_str))
}

pub(super) fn aborts() -> Vec<Vec<&'static str>> {
    each(AbortCause::ALL.iter().map(|cause| cause.as_str()))
}

pub(super) fn events() -> Vec<Vec<&'static str>> {
    let reasons = |kind: EventKind| -> Vec<&'static str> {
        match kind {
            EventKind::Refused => Reason::ALL.iter().map(|reason| reason.as_str()).collect(),
            EventKind::Cancelled => Cause::ALL.iter().map(|cause| cause.as_str()).collect(),
            _ => vec![""],
        }
    };
    let of = |kind: EventKind| reasons(kind).into_iter().map(move |reason| vec![kind.as_str(), reason]);
    EventKind::ALL.into_iter().flat_map(of).collect()
}
