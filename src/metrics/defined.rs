//! Every metric: name, type, unit, labels, meaning and buckets.
//!
//! Names have the prefix `hashbuy_` and base units; counters end in `_total`. What every process has,
//! whoever wrote it, has the usual names of Prometheus, `process_*`.

use metrics::Unit;

use super::labels::{aborts, dead_letters, events, nothing, one, open, sightings, skipped, tables};

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
    /// The question that it answers.
    pub asks: &'static str,
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
    ($($NAME:ident: $kind:expr, $name:literal, $unit:expr, [$($label:literal)*], $series:expr, $what:literal, $asks:literal;)*) => {
        $(pub(super) static $NAME: Metric = Metric {
            name: $name,
            kind: $kind,
            unit: $unit,
            labels: &[$($label),*],
            series: $series,
            what: $what,
            asks: $asks,
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
        "Records of the firehose: tweets, deletions, control messages",
        "Does the firehose come, and how fast?";
    SCAN_BYTES: Counter, "hashbuy_scan_bytes_total", BYTES, [], one,
        "Bytes of those records",
        "How much of the network does it take?";
    SCAN_CANDIDATES: Counter, "hashbuy_scan_candidates_total", COUNT, [], one,
        "Records that were parsed: the prefilter has passed them on, or their time was wanted",
        "How much does the prefilter keep away from the parser?";
    SCAN_SIGHTINGS: Counter, "hashbuy_scan_sightings_total", COUNT, ["kind"], sightings,
        "What was handed to the desk: tweets that carry an offer's tag or a code, deletions of linked accounts",
        "How many people want to buy?";
    SCAN_SKIPPED: Counter, "hashbuy_scan_skipped_total", COUNT, ["kind"], skipped,
        "Control messages of the stream and keep-alives",
        "Does the stream say that it disconnects or that we are too slow?";
    SCAN_DEAD_LETTERS: Counter, "hashbuy_scan_dead_letters_total", COUNT, ["reason"], dead_letters,
        "Records that cannot be read",
        "Does the connector deliver what we can read?";
    SCAN_LAG: Gauge, "hashbuy_scan_lag_records", COUNT, ["partition"], open,
        "Records of a partition of the firehose behind the scan's last commit, as the time keeper sees it",
        "Does the scan keep up, and is every partition read?";
    SCAN_MARK_TIME: Gauge, "hashbuy_scan_mark_time_seconds", SECONDS, ["partition"], open,
        "The tweet time up to which a partition of the firehose is scanned, in seconds since 1970",
        "Which partition holds desk time back?";
    NOTHING: Counter, "hashbuy_nothing_total", COUNT, ["reason"], nothing,
        "Tweets, tags, codes and records that led to nothing, or are worth a count for another reason",
        "Why did this tweet lead to nothing?";
    TABLES_OFFERS: Gauge, "hashbuy_tables_offers", COUNT, [], open,
        "Tags that belong to an offer, withdrawn and ended ones included",
        "Has the scan got the offers?";
    TABLES_LINKED: Gauge, "hashbuy_tables_linked_accounts", COUNT, [], open,
        "Accounts that have a record",
        "Has the scan got the accounts?";
    TABLES_SWAPS: Counter, "hashbuy_tables_swaps_total", COUNT, [], one,
        "New matchers since the offers had changed: the version of the tables that a scan goes by",
        "Has a change of the offers reached the scan?";
    TABLES_REJECTED: Counter, "hashbuy_tables_rejected_total", COUNT, ["table"], tables,
        "Records of a table that are not valid",
        "Is what merchants and enrolment publish valid?";
    FEEDER_RECORDS: Counter, "hashbuy_feeder_records_total", COUNT, ["table"], tables,
        "Records of a table that were read for the desk",
        "Do changes of the tables reach the desk?";
    FEEDER_LAG: Gauge, "hashbuy_feeder_lag_records", COUNT, ["table"], open,
        "Records of a table, over all its partitions, behind the feeder's last commit, as the time keeper sees it",
        "Are freezes, withdrawals and payments late?";
    DESK_EVENTS: Counter, "hashbuy_desk_events_total", COUNT, ["type" "reason"], events,
        "Committed events by type; refusals by reason and cancellations by cause",
        "What do we sell, and what do we refuse?";
    DESK_LOCKOUTS: Counter, "hashbuy_desk_lockouts_total", COUNT, [], one,
        "Committed lockouts: an account has tweeted more wrong codes in an hour than it may, and its codes are refused for an hour",
        "Does somebody guess codes?";
    CONFIRM: Histogram(CONFIRM_BUCKETS), "hashbuy_confirm_seconds", SECONDS, [], one,
        "From the request to the tweet whose code was taken, sold out or not: people take longer than 2 s",
        "Do people confirm, or programs?";
    OFFER_SOLD: Counter, "hashbuy_offer_sold_total", COUNT, ["offer"], open,
        "Committed confirmations, and coupons loaded, by offer; the empty name: all offers after the first 1,000",
        "What sells?";
    OFFER_REVENUE: Counter, "hashbuy_offer_revenue_minor_units_total", COUNT, ["offer" "currency"], open,
        "Prices of committed confirmations, in cents or whatever the least unit of the currency is; offers as above",
        "What do we earn by it?";
    OFFER_STOCK: Gauge, "hashbuy_offer_stock_units", COUNT, ["offer"], open,
        "Units to sell of an offer that has a stock and has not ended a day ago, by the table of offers; of the first 1,000",
        "How many were there?";
    OFFER_UNITS: Gauge, "hashbuy_offer_sold_units", COUNT, ["offer"], open,
        "Units sold of an offer, over all its versions, as its stock counts them; of the first 1,000",
        "Is more sold than there is?";
    DESK_PENDINGS: Gauge, "hashbuy_desk_pendings", COUNT, [], open,
        "Purchases that wait for their confirmation",
        "How much waits for its confirmation?";
    DESK_TIME: Gauge, "hashbuy_desk_time_seconds", SECONDS, [], open,
        "The least desk time of the partitions here, in seconds since 1970",
        "Up to when is everything decided?";
    DESK_TIME_LAG: Gauge, "hashbuy_desk_time_lag_seconds", SECONDS, [], open,
        "How far that is behind the clock",
        "Do purchases lapse when they should?";
    DESK_COMMIT: Histogram(COMMIT), "hashbuy_desk_commit_seconds", SECONDS, [], one,
        "How long the commits of transactions took, from the first wait for deliveries to the broker's answer",
        "Are the brokers quick enough?";
    DESK_ABORTS: Counter, "hashbuy_desk_aborts_total", COUNT, ["cause"], aborts,
        "Transactions that were not committed, or of which that is not known; what was in them is done again",
        "Does work have to be done again, and why?";
    DESK_RESTORED: Counter, "hashbuy_desk_restored_records_total", COUNT, [], one,
        "Records of the changelog that were read to restore partitions",
        "How large is the state that a restart has to read?";
    DESK_RESTORE: Counter, "hashbuy_desk_restored_partitions_total", COUNT, [], one,
        "Partitions that were restored",
        "How often do partitions change hands?";
    DESK_RESTORE_SECONDS: Histogram(DELAY), "hashbuy_desk_restore_seconds", SECONDS, [], one,
        "How long a partition took to be restored",
        "How long is nobody served after a restart?";
    DESK_RESTORING: Gauge, "hashbuy_desk_restoring_seconds", SECONDS, [], open,
        "Since when partitions are being restored, 0 if none is",
        "Does a restore come to its end?";
    DESK_SOUGHT: Counter, "hashbuy_desk_sought_again_total", COUNT, [], one,
        "Partitions of the inbox that had more, and handed nothing over for 5 s: they were sought again",
        "Was a seek lost?";
    CLOCK_OFFSET: Gauge, "hashbuy_clock_offset_seconds", SECONDS, [], open,
        "How far this machine's clock is at least ahead of the brokers' (below 0: behind), 0 within the accuracy",
        "Can this machine's clock be trusted?";
    DELAY_TWEET: Histogram(DELAY), "hashbuy_delay_from_tweet_seconds", SECONDS, [], one,
        "From the tweet time to the committed event that the tweet caused, for requests, reminders, refusals and confirmations",
        "How long does a buyer wait for an answer?";
    DELAY_RECORD: Histogram(DELAY), "hashbuy_delay_from_record_seconds", SECONDS, [], one,
        "The same from the append of the inbox record that the event was decided on",
        "How much of that is ours?";
    READY: Gauge, "hashbuy_ready", None, [], open,
        "1 if every stage of this process does its work, else 0; /readyz says what is missing",
        "Does it work?";
    BUILD_INFO: Gauge, "hashbuy_build_info", None, ["version"], open,
        "Always 1; the version is in the label",
        "Which release runs where?";
    PROCESS_CPU: Counter, "process_cpu_seconds_total", SECONDS, [], open,
        "Processor time, of user and system (Linux)",
        "How busy is it?";
    PROCESS_MEMORY: Gauge, "process_resident_memory_bytes", BYTES, [], open,
        "Resident memory (Linux)",
        "Does memory grow?";
    PROCESS_VIRTUAL: Gauge, "process_virtual_memory_bytes", BYTES, [], open,
        "Virtual memory (Linux)",
        "How much has it asked for?";
    PROCESS_THREADS: Gauge, "process_threads", COUNT, [], open,
        "Threads (Linux)",
        "Are all workers there?";
    PROCESS_FDS: Gauge, "process_open_fds", COUNT, [], open,
        "Open file descriptors (Linux)",
        "Does it run out of connections and files?";
    PROCESS_START: Gauge, "process_start_time_seconds", SECONDS, [], open,
        "When the process began, in seconds since 1970 (Linux)",
        "When, and how often, was it started?";
}
