//! Every metric: name, type, unit, labels, meaning and buckets.
//!
//! Names have the prefix `hashbuy_` and base units; counters end in `_total`. What every process has,
//! whoever wrote it, has the usual names of Prometheus, `process_*`.

use metrics::Unit;

use crate::core::event::{Cause, EventKind, Reason};
use crate::core::tally::Counted;
use crate::core::tweet::{BadRecord, Control};

/// A metric. What it is called is said here and nowhere else.
#[derive(Debug)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// What it is to Prometheus.
    pub kind: Kind,
    /// The unit of its values; none for a mere 1.
    pub unit: Option<Unit>,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// The values of its labels, where they are a closed set: its series begin at 0.
    pub series: fn() -> Vec<Vec<&'static str>>,
    /// What it says.
    pub what: &'static str,
}

/// The types of Prometheus.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// It only grows.
    Counter,
    /// It comes and goes.
    Gauge,
    /// How often a value was at most so much, for each of these bounds.
    Histogram(&'static [f64]),
}

impl Kind {
    /// The name in the text format.
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram(_) => "histogram",
        }
    }
}

/// A commit: some milliseconds, or, when a broker is ill, seconds.
const COMMIT: &[f64] = &[0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0];
/// The way of a tweet: from a fraction of a blink to the quarter of an hour that a code is good for.
const DELAY: &[f64] = &[
    0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0,
];

/// From a request to its confirmation: what no person can do, what people do, up to the longest window.
const CONFIRM_BUCKETS: &[f64] =
    &[0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1_800.0, 3_600.0];

macro_rules! defined {
    ($($NAME:ident: $kind:expr, $name:literal, $unit:expr, [$($label:literal)*], $series:expr, $what:literal;)*) => {
        $(pub(super) static $NAME: Metric = Metric {
            name: $name,
            kind: $kind,
            unit: $unit,
            labels: &[$($label),*],
            series: $series,
            what: $what,
        };)*

        /// All of them, in the order of the way of a tweet.
        pub static ALL: &[&Metric] = &[$(&$NAME),*];
    };
}

use Kind::{Counter, Gauge, Histogram};

const COUNT: Option<Unit> = Some(Unit::Count);
const BYTES: Option<Unit> = Some(Unit::Bytes);
const SECONDS: Option<Unit> = Some(Unit::Seconds);

defined! {
    SCAN_RECORDS: Counter, "hashbuy_scan_records_total", COUNT, [], one,
        "Records of the firehose: tweets, deletions, control messages";
    SCAN_BYTES: Counter, "hashbuy_scan_bytes_total", BYTES, [], one,
        "Bytes of those records";
    SCAN_CANDIDATES: Counter, "hashbuy_scan_candidates_total", COUNT, [], one,
        "Records that were parsed: the prefilter has passed them on, or their time was wanted";
    SCAN_SIGHTINGS: Counter, "hashbuy_scan_sightings_total", COUNT, ["kind"], sightings,
        "What was handed to the desk: tweets that carry an offer's tag or a code, deletions of linked accounts";
    SCAN_SKIPPED: Counter, "hashbuy_scan_skipped_total", COUNT, ["kind"], skipped,
        "Control messages of the stream and keep-alives";
    SCAN_DEAD_LETTERS: Counter, "hashbuy_scan_dead_letters_total", COUNT, ["reason"], dead_letters,
        "Records that cannot be read";
    SCAN_LAG: Gauge, "hashbuy_scan_lag_records", COUNT, ["partition"], open,
        "Records of a partition of the firehose behind the scan's last commit, as the time keeper sees it";
    SCAN_MARK_TIME: Gauge, "hashbuy_scan_mark_time_seconds", SECONDS, ["partition"], open,
        "The tweet time up to which a partition of the firehose is scanned, in seconds since 1970";
    NOTHING: Counter, "hashbuy_nothing_total", COUNT, ["reason"], nothing,
        "Tweets, tags, codes and records that led to nothing, or are worth a count for another reason";
    TABLES_OFFERS: Gauge, "hashbuy_tables_offers", COUNT, [], open,
        "Tags that belong to an offer, withdrawn and ended ones included";
    TABLES_LINKED: Gauge, "hashbuy_tables_linked_accounts", COUNT, [], open,
        "Accounts that have a record";
    TABLES_SWAPS: Counter, "hashbuy_tables_swaps_total", COUNT, [], one,
        "New matchers since the offers had changed: the version of the tables that a scan goes by";
    TABLES_REJECTED: Counter, "hashbuy_tables_rejected_total", COUNT, ["table"], tables,
        "Records of a table that are not valid";
    FEEDER_RECORDS: Counter, "hashbuy_feeder_records_total", COUNT, ["table"], tables,
        "Records of a table that were read for the desk";
    DESK_EVENTS: Counter, "hashbuy_desk_events_total", COUNT, ["type" "reason"], events,
        "Committed events by type; refusals by reason and cancellations by cause";
    DESK_LOCKOUTS: Counter, "hashbuy_desk_lockouts_total", COUNT, [], one,
        "Committed lockouts: an account has tweeted more wrong codes in an hour than it may, and its codes are refused for an hour";
    CONFIRM: Histogram(CONFIRM_BUCKETS), "hashbuy_confirm_seconds", SECONDS, [], open,
        "From the request to the tweet whose code was taken, sold out or not: people take longer than 2 s";
    OFFER_SOLD: Counter, "hashbuy_offer_sold_total", COUNT, ["offer"], open,
        "Committed confirmations, and coupons loaded, by offer; the empty name: all offers after the first 1,000";
    DESK_PENDINGS: Gauge, "hashbuy_desk_pendings", COUNT, [], open,
        "Purchases that wait for their confirmation";
    DESK_TIME: Gauge, "hashbuy_desk_time_seconds", SECONDS, [], open,
        "The least desk time of the partitions here, in seconds since 1970";
    DESK_TIME_LAG: Gauge, "hashbuy_desk_time_lag_seconds", SECONDS, [], open,
        "How far that is behind the clock";
    DESK_COMMIT: Histogram(COMMIT), "hashbuy_desk_commit_seconds", SECONDS, [], open,
        "How long the commits of transactions took, from the first wait for deliveries to the broker's answer";
    DESK_ABORTS: Counter, "hashbuy_desk_aborts_total", COUNT, ["cause"], aborts,
        "Transactions that were not committed, or of which that is not known; what was in them is done again";
    DESK_RESTORED: Counter, "hashbuy_desk_restored_records_total", COUNT, [], one,
        "Records of the changelog that were read to restore partitions";
    DESK_RESTORE: Counter, "hashbuy_desk_restored_partitions_total", COUNT, [], one,
        "Partitions that were restored";
    DESK_RESTORE_SECONDS: Histogram(DELAY), "hashbuy_desk_restore_seconds", SECONDS, [], open,
        "How long a partition took to be restored";
    DESK_SOUGHT: Counter, "hashbuy_desk_sought_again_total", COUNT, [], one,
        "Partitions of the inbox that had more, and handed nothing over for 5 s: they were sought again";
    CLOCK_OFFSET: Gauge, "hashbuy_clock_offset_seconds", SECONDS, [], open,
        "How far this machine's clock is at least ahead of the brokers' (below 0: behind), 0 within the accuracy";
    DELAY_TWEET: Histogram(DELAY), "hashbuy_delay_from_tweet_seconds", SECONDS, [], open,
        "From the tweet time to the committed event that the tweet caused, for requests, reminders, refusals and confirmations";
    DELAY_RECORD: Histogram(DELAY), "hashbuy_delay_from_record_seconds", SECONDS, [], open,
        "The same from the append of the inbox record that the event was decided on";
    READY: Gauge, "hashbuy_ready", None, [], open,
        "1 if every stage of this process does its work, else 0; /readyz says what is missing";
    BUILD_INFO: Gauge, "hashbuy_build_info", None, ["version"], open,
        "Always 1; the version is in the label";
    PROCESS_CPU: Counter, "process_cpu_seconds_total", SECONDS, [], open,
        "Processor time, of user and system (Linux)";
    PROCESS_MEMORY: Gauge, "process_resident_memory_bytes", BYTES, [], open,
        "Resident memory (Linux)";
    PROCESS_VIRTUAL: Gauge, "process_virtual_memory_bytes", BYTES, [], open,
        "Virtual memory (Linux)";
    PROCESS_THREADS: Gauge, "process_threads", COUNT, [], open,
        "Threads (Linux)";
    PROCESS_FDS: Gauge, "process_open_fds", COUNT, [], open,
        "Open file descriptors (Linux)";
    PROCESS_START: Gauge, "process_start_time_seconds", SECONDS, [], open,
        "When the process began, in seconds since 1970 (Linux)";
}

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
fn open() -> Vec<Vec<&'static str>> {
    Vec::new()
}

/// One series without labels.
fn one() -> Vec<Vec<&'static str>> {
    vec![Vec::new()]
}

fn each(values: impl IntoIterator<Item = &'static str>) -> Vec<Vec<&'static str>> {
    values.into_iter().map(|value| vec![value]).collect()
}

fn sightings() -> Vec<Vec<&'static str>> {
    each([SIGHTING, DELETION])
}

fn skipped() -> Vec<Vec<&'static str>> {
    each(Control::ALL.iter().map(|kind| kind.as_str()).chain(["keep_alive"]))
}

fn dead_letters() -> Vec<Vec<&'static str>> {
    each(BadRecord::REASONS.iter().copied().chain(["too_large"]))
}

fn nothing() -> Vec<Vec<&'static str>> {
    each(Counted::ALL.iter().map(|what| what.as_str()))
}

fn tables() -> Vec<Vec<&'static str>> {
    each([Table::Offers, Table::Accounts, Table::CardTransactions].map(Table::as_str))
}

fn aborts() -> Vec<Vec<&'static str>> {
    each(AbortCause::ALL.iter().map(|cause| cause.as_str()))
}

fn events() -> Vec<Vec<&'static str>> {
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
