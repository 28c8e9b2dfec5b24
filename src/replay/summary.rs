//! What a run has counted.

use std::collections::BTreeMap;

use crate::core::event::{Details, Event};
use crate::core::tally::Tally;

/// Counters of a run.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// Records that are tweets, those after `until` too.
    pub tweets: u64,
    /// Records that are deletions.
    pub deletions: u64,
    /// Control messages by kind.
    pub controls: BTreeMap<&'static str, u64>,
    /// Tweets after `until`, and deletions behind one.
    pub after_until: u64,
    /// Tweets that led to a sighting.
    pub sightings: u64,
    /// Records that the prefilter passed on.
    pub passed_on: u64,
    /// Records that matter, but that the prefilter would have dropped: always 0 (I6).
    pub missed: u64,
    /// Card transactions that were taken.
    pub transactions: u64,
    /// Events by type.
    pub events: BTreeMap<&'static str, u64>,
    /// Refusals by reason.
    pub refusals: BTreeMap<&'static str, u64>,
    /// What led to nothing, by reason.
    pub nothing: Tally,
}

impl Summary {
    /// Counts what the prefilter said of a record, and whether the record does matter.
    pub(super) fn prefilter(&mut self, passed_on: bool, matters: bool) {
        self.passed_on += u64::from(passed_on);
        self.missed += u64::from(matters && !passed_on);
    }

    /// Counts an event.
    pub(super) fn event(&mut self, event: &Event) {
        *self.events.entry(event.kind.as_str()).or_default() += 1;
        if let Details::Refused { reason, .. } = &event.details {
            *self.refusals.entry(reason.as_str()).or_default() += 1;
        }
    }
}
