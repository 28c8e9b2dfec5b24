//! What can be watched: every metric with its name, labels and meaning is in one place, [`ALL`].
//!
//! Nobody else names a metric. The stages count in plain integers while they work and publish at the
//! end of a batch ([`Scanned`], [`Fed`], [`Decided`]), so watching costs nothing per tweet. Labels come
//! from closed sets, numbers of partitions and the ids of a bounded number of offers: never the id of an
//! account, a code, a token or anything else that an author can choose. A series of a closed set is there from the start, at 0, so that a first failure
//! is a rise and not a birth; a gauge that nobody sets any more goes after [`STALE`].

mod defined;
mod labels;
mod offers;
pub mod process;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use metrics::{Label, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use metrics_util::MetricKindMask;

use self::defined::*;
pub use self::defined::{ALL, Kind, Metric};
pub use self::labels::{AbortCause, Table};
use self::labels::{DELETION, SIGHTING};
pub use self::offers::{Decided, units};
use crate::core::tally::Counted;
use crate::core::time::{SECOND, Time};

/// A gauge that was not set for so long is not shown: another process has the partition now.
pub const STALE: Duration = Duration::from_secs(30);

/// Why the metrics cannot be set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unable {
    /// A process has one recorder, and this one has one already.
    #[error("the metrics of this process go somewhere else already")]
    Taken,
    /// A histogram without buckets.
    #[error("the buckets of {0} are none")]
    Buckets(&'static str),
}

/// Sets up the recorder of this process. [`page`] shows what it has. Without this call everything below
/// does nothing.
///
/// # Errors
/// [`Unable`].
pub fn install() -> Result<PrometheusHandle, Unable> {
    let mut builder = PrometheusBuilder::new().idle_timeout(MetricKindMask::GAUGE, Some(STALE));
    for metric in ALL {
        if let Kind::Histogram(buckets) = metric.kind {
            // Without buckets it would be shown as a summary, which cannot be added up over processes.
            builder = builder
                .set_buckets_for_metric(Matcher::Full(metric.name.to_owned()), buckets)
                .map_err(|_| Unable::Buckets(metric.name))?;
        }
    }
    let recorder = builder.build_recorder();
    let handle = recorder.handle();
    metrics::set_global_recorder(recorder).map_err(|_| Unable::Taken)?;
    for metric in ALL {
        metric.describe();
        for values in (metric.series)() {
            metric.begin(&values);
        }
    }
    Ok(handle)
}

/// Everything in the text format of Prometheus.
pub fn page(handle: &PrometheusHandle) -> String {
    BUILD_INFO.set(&[env!("CARGO_PKG_VERSION")], 1.0);
    handle.run_upkeep();
    let mut page = handle.render();
    process::show(&mut page);
    page
}

/// All metrics as a table of Markdown, for the documentation.
pub fn table() -> String {
    let mut table = String::from("| metric | type | labels | meaning | the question that it answers |\n");
    table.push_str("| --- | --- | --- | --- | --- |\n");
    for Metric { name, kind, labels, what, asks, .. } in ALL {
        let labels: Vec<String> = labels.iter().map(|label| format!("`{label}`")).collect();
        let _ = write!(table, "| `{name}` | {} | {} | {what}", kind.as_str(), labels.join(", "));
        if let Kind::Histogram([first, .., last]) = kind {
            let _ = write!(table, "; buckets from {first} to {last} s");
        }
        let _ = writeln!(table, " | {asks} |");
    }
    table
}

impl Metric {
    fn describe(&self) {
        let Metric { name, what, .. } = *self;
        match (self.kind, self.unit) {
            (Kind::Counter, Some(unit)) => describe_counter!(name, unit, what),
            (Kind::Counter, None) => describe_counter!(name, what),
            (Kind::Gauge, Some(unit)) => describe_gauge!(name, unit, what),
            (Kind::Gauge, None) => describe_gauge!(name, what),
            (Kind::Histogram(_), Some(unit)) => describe_histogram!(name, unit, what),
            (Kind::Histogram(_), None) => describe_histogram!(name, what),
        }
    }

    /// The labels with these values, in the order of their names.
    fn labelled(&self, values: &[&'static str]) -> Vec<Label> {
        debug_assert_eq!(values.len(), self.labels.len(), "{}", self.name);
        self.labels.iter().zip(values).map(|(label, value)| Label::from_static_parts(label, value)).collect()
    }

    /// A series that is there before it has anything to say.
    fn begin(&self, values: &[&'static str]) {
        match self.kind {
            Kind::Counter => self.add(values, 0),
            Kind::Gauge => self.set(values, 0.0),
            // One without values has its buckets, all at 0.
            Kind::Histogram(_) => drop(histogram!(self.name, self.labelled(values))),
        }
    }

    fn add(&self, values: &[&'static str], n: u64) {
        counter!(self.name, self.labelled(values)).increment(n);
    }

    fn set(&self, values: &[&'static str], value: f64) {
        gauge!(self.name, self.labelled(values)).set(value);
    }

    fn set_of(&self, partition: u32, value: f64) {
        gauge!(self.name, "partition" => partition.to_string()).set(value);
    }

    fn record(&self, millis: i64) {
        histogram!(self.name).record(seconds(millis));
    }
}

fn seconds(millis: i64) -> f64 {
    millis as f64 / SECOND as f64
}

/// What a scan counted in one batch.
#[derive(Debug, Clone, Default)]
pub struct Scanned {
    /// Records of any kind.
    pub records: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Records that were parsed.
    pub candidates: u64,
    /// Tweets with an offer's tag or a code.
    pub sightings: u64,
    /// Deletions that were passed on.
    pub deletions: u64,
    /// Control messages by [kind](crate::core::tweet::Control::as_str).
    pub skipped: BTreeMap<&'static str, u64>,
    /// Dead letters by [reason](crate::core::tweet::BadRecord::reason).
    pub dead_letters: BTreeMap<&'static str, u64>,
}

impl Scanned {
    /// Adds the batch to the metrics.
    pub fn publish(&self) {
        SCAN_RECORDS.add(&[], self.records);
        SCAN_BYTES.add(&[], self.bytes);
        SCAN_CANDIDATES.add(&[], self.candidates);
        SCAN_SIGHTINGS.add(&[SIGHTING], self.sightings);
        SCAN_SIGHTINGS.add(&[DELETION], self.deletions);
        for (&kind, &n) in &self.skipped {
            SCAN_SKIPPED.add(&[kind], n);
        }
        for (&reason, &n) in &self.dead_letters {
            SCAN_DEAD_LETTERS.add(&[reason], n);
        }
    }
}

/// So many records of a table are behind the feeder's last commit.
pub fn feeder_lag(table: Table, lag: u64) {
    FEEDER_LAG.set(&[table.as_str()], lag as f64);
}

/// How far a partition of the firehose was scanned: records behind the last commit, and the tweet time of
/// that commit if it has one.
pub fn firehose(partition: u32, lag: u64, time: Option<Time>) {
    SCAN_LAG.set_of(partition, lag as f64);
    if let Some(time) = time {
        SCAN_MARK_TIME.set_of(partition, seconds(time.millis()));
    }
}

/// How large the tables are.
pub fn tables(offers: usize, linked: usize) {
    TABLES_OFFERS.set(&[], offers as f64);
    TABLES_LINKED.set(&[], linked as f64);
}

/// New matchers were put in the place of the old ones, so many times.
pub fn swapped(times: u64) {
    TABLES_SWAPS.add(&[], times);
}

/// What a feeder counted in one batch, of each table.
#[derive(Debug, Clone, Default)]
pub struct Fed {
    /// Records that were read.
    pub records: BTreeMap<Table, u64>,
    /// Records that are not valid.
    pub rejected: BTreeMap<Table, u64>,
}

impl Fed {
    /// Adds the batch to the metrics.
    pub fn publish(&self) {
        for (metric, counts) in [(&FEEDER_RECORDS, &self.records), (&TABLES_REJECTED, &self.rejected)] {
            for (table, &n) in counts {
                metric.add(&[table.as_str()], n);
            }
        }
    }
}

/// Accounts' codes were locked, so many times.
pub fn lockouts(times: usize) {
    DESK_LOCKOUTS.add(&[], times as u64);
}

/// A code was taken, so many milliseconds after its request. Clocks differ: it may be a little before.
pub fn confirmed_after(millis: i64) {
    CONFIRM.record(millis.max(0));
}

/// Adds what one batch counted besides its events to the metrics: why tweets, tags and codes led to nothing.
pub fn nothing(counts: impl IntoIterator<Item = (Counted, u64)>) {
    for (what, n) in counts.into_iter().filter(|(_, n)| *n > 0) {
        NOTHING.add(&[what.as_str()], n);
    }
}

/// How much is pending, and how far desk time has come, if there is any.
pub fn desk(pendings: usize, time: impl Into<Option<Time>>) {
    DESK_PENDINGS.set(&[], pendings as f64);
    if let Some(time) = time.into() {
        DESK_TIME.set(&[], seconds(time.millis()));
    }
}

/// How far desk time is behind the clock, in milliseconds.
pub fn desk_time_lag(millis: i64) {
    DESK_TIME_LAG.set(&[], seconds(millis));
}

/// A transaction was committed within so long.
pub fn committed(within: Duration) {
    histogram!(DESK_COMMIT.name).record(within.as_secs_f64());
}

/// Transactions were not committed, so many times.
pub fn aborted(cause: AbortCause, times: u64) {
    DESK_ABORTS.add(&[cause.as_str()], times);
}

/// A partition was restored from so many records of the changelog, in so many milliseconds.
pub fn restored(records: u64, millis: i64) {
    DESK_RESTORE.add(&[], 1);
    DESK_RESTORED.add(&[], records);
    DESK_RESTORE_SECONDS.record(millis);
}

/// Partitions are being restored since so many milliseconds; 0: none is.
pub fn restoring(millis: i64) {
    DESK_RESTORING.set(&[], seconds(millis));
}

/// Partitions of the inbox were sought again, so many times.
pub fn sought_again(times: u64) {
    DESK_SOUGHT.add(&[], times);
}

/// This machine's clock is ahead of the brokers' by at least so many milliseconds; below 0: behind.
pub fn clock_offset(millis: i64) {
    CLOCK_OFFSET.set(&[], seconds(millis));
}

/// A tweet has led to a committed event: so many milliseconds after its tweet time, if its id tells that,
/// and after the append of the inbox record.
pub fn delay(from_tweet: Option<i64>, from_record: i64) {
    if let Some(millis) = from_tweet {
        DELAY_TWEET.record(millis);
    }
    DELAY_RECORD.record(from_record);
}

/// Whether this process does its work.
pub fn ready(is_ready: bool) {
    READY.set(&[], if is_ready { 1.0 } else { 0.0 });
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_as_prometheus_wants_them() {
        let mut names = BTreeSet::new();
        for metric in ALL {
            let Metric { name, kind, unit, labels, series, what, asks } = metric;
            assert!(names.insert(*name), "{name} is there twice");
            assert!(name.starts_with("hashbuy_") || name.starts_with("process_"), "{name}");
            assert_eq!(name.ends_with("_total"), *kind == Kind::Counter, "{name}");
            let stem = name.trim_end_matches("_total");
            assert_eq!(stem.ends_with("_seconds"), *unit == Some(metrics::Unit::Seconds), "{name}");
            assert_eq!(stem.ends_with("_bytes"), *unit == Some(metrics::Unit::Bytes), "{name}");
            assert!(!what.is_empty() && !what.ends_with('.'), "{name}: {what}");
            assert!(asks.ends_with('?'), "{name}: {asks}");
            for values in series() {
                assert_eq!(values.len(), labels.len(), "{name}: {values:?}");
            }
            if let Kind::Histogram(buckets) = kind {
                assert!(buckets.is_sorted() && !buckets.is_empty(), "{name}");
            }
        }
    }

    #[test]
    fn the_documentation_has_every_metric() {
        let page = include_str!("../../docs/metrics.md");
        let table = table();
        assert!(page.contains(&table), "the table in docs/metrics.md is to be:\n{table}");
    }
}
