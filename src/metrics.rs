//! What can be watched: every metric, with its name, labels and meaning, in this one place.
//!
//! Nobody else names a metric. The stages count in plain integers while they work and publish at the
//! end of a batch ([`Scanned`], [`Decided`]), so watching costs nothing per tweet. Names have the
//! prefix `hashbuy_` and base units; counters end in `_total`. Labels come from closed sets: never an
//! id, a code, a token or anything else that an author can choose.

use std::collections::BTreeMap;

use metrics::{Unit, counter, describe_counter, describe_gauge, gauge};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use crate::core::event::{Cause, Details, Event};
use crate::core::tally::Counted;
use crate::core::time::{SECOND, Time};

const BUILD_INFO: &str = "hashbuy_build_info";
const SCAN_RECORDS: &str = "hashbuy_scan_records_total";
const SCAN_BYTES: &str = "hashbuy_scan_bytes_total";
const SCAN_CANDIDATES: &str = "hashbuy_scan_candidates_total";
const SCAN_SIGHTINGS: &str = "hashbuy_scan_sightings_total";
const SCAN_SKIPPED: &str = "hashbuy_scan_skipped_total";
const SCAN_DEAD_LETTERS: &str = "hashbuy_scan_dead_letters_total";
const NOTHING: &str = "hashbuy_nothing_total";
const DESK_EVENTS: &str = "hashbuy_desk_events_total";
const DESK_PENDINGS: &str = "hashbuy_desk_pendings";
const DESK_TIME: &str = "hashbuy_desk_time_seconds";

/// Why the metrics cannot be set up: a process has one recorder, and this one has one already.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the metrics of this process go somewhere else already")]
pub struct Taken;

/// Sets up the recorder of this process. The handle renders all metrics in the text format of
/// Prometheus. Without this call everything below does nothing.
///
/// # Errors
/// [`Taken`].
pub fn install() -> Result<PrometheusHandle, Taken> {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    metrics::set_global_recorder(recorder).map_err(|_| Taken)?;
    describe();
    gauge!(BUILD_INFO, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    Ok(handle)
}

fn describe() {
    describe_gauge!(BUILD_INFO, "Always 1; the version is in the label");
    describe_counter!(
        SCAN_RECORDS,
        Unit::Count,
        "Records of the firehose: tweets, deletions, control messages"
    );
    describe_counter!(SCAN_BYTES, Unit::Bytes, "Bytes of those records");
    describe_counter!(SCAN_CANDIDATES, Unit::Count, "Records that the prefilter passed on");
    describe_counter!(SCAN_SIGHTINGS, Unit::Count, "Tweets that carry an offer's tag or a code");
    describe_counter!(SCAN_SKIPPED, Unit::Count, "Control messages, by kind");
    describe_counter!(SCAN_DEAD_LETTERS, Unit::Count, "Records that cannot be read, by reason");
    describe_counter!(NOTHING, Unit::Count, "What led to nothing or is worth a count, by reason");
    describe_counter!(
        DESK_EVENTS,
        Unit::Count,
        "Events, by type; refusals by reason and cancellations by cause"
    );
    describe_gauge!(DESK_PENDINGS, Unit::Count, "Purchases that wait for their confirmation");
    describe_gauge!(DESK_TIME, Unit::Seconds, "Desk time, in seconds since 1970");
}

/// What a scan counted in one batch.
#[derive(Debug, Clone, Default)]
pub struct Scanned {
    /// Records of any kind.
    pub records: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Records that the prefilter passed on.
    pub candidates: u64,
    /// Tweets with an offer's tag or a code.
    pub sightings: u64,
    /// Control messages by [kind](crate::core::tweet::Control::as_str).
    pub skipped: BTreeMap<&'static str, u64>,
    /// Dead letters by [reason](crate::core::tweet::BadRecord::reason).
    pub dead_letters: BTreeMap<&'static str, u64>,
}

impl Scanned {
    /// Adds the batch to the metrics.
    pub fn publish(&self) {
        counter!(SCAN_RECORDS).increment(self.records);
        counter!(SCAN_BYTES).increment(self.bytes);
        counter!(SCAN_CANDIDATES).increment(self.candidates);
        counter!(SCAN_SIGHTINGS).increment(self.sightings);
        for (&kind, &n) in &self.skipped {
            counter!(SCAN_SKIPPED, "kind" => kind).increment(n);
        }
        for (&reason, &n) in &self.dead_letters {
            counter!(SCAN_DEAD_LETTERS, "reason" => reason).increment(n);
        }
    }
}

/// What a desk decided in one batch.
#[derive(Debug, Clone, Default)]
pub struct Decided {
    /// By type, and reason or cause (empty: neither).
    events: BTreeMap<(&'static str, &'static str), u64>,
}

impl Decided {
    /// Counts an event.
    pub fn count(&mut self, event: &Event) {
        let reason = match &event.details {
            Details::Refused { reason, .. } => reason.as_str(),
            Details::Cancelled { cause, .. } => name_of(*cause),
            _ => "",
        };
        *self.events.entry((event.kind.as_str(), reason)).or_default() += 1;
    }

    /// Adds the batch to the metrics.
    pub fn publish(&self) {
        for (&(kind, reason), &n) in &self.events {
            counter!(DESK_EVENTS, "type" => kind, "reason" => reason).increment(n);
        }
    }
}

/// Adds what one batch counted besides its events to the metrics: why tweets, tags and codes led to nothing.
pub fn nothing(counts: impl IntoIterator<Item = (Counted, u64)>) {
    for (what, n) in counts.into_iter().filter(|(_, n)| *n > 0) {
        counter!(NOTHING, "reason" => what.as_str()).increment(n);
    }
}

/// How much is pending, and how far desk time has come.
pub fn desk(pendings: usize, time: Time) {
    gauge!(DESK_PENDINGS).set(pendings as f64);
    gauge!(DESK_TIME).set(time.millis() as f64 / SECOND as f64);
}

/// A cause as consumers of the events see it.
fn name_of(cause: Cause) -> &'static str {
    match cause {
        Cause::Deleted => "deleted",
        Cause::Frozen => "frozen",
        Cause::Unlinked => "unlinked",
        Cause::Withdrawn => "withdrawn",
        Cause::SoldOut => "sold_out",
    }
}
