//! What a run did: for a person on a terminal, else one JSON object.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::watched;
use crate::command::tell;
use crate::core::time::Time;
use crate::replay::{Engine, Summary};

/// The report at the end of a run.
#[derive(Debug)]
pub struct Report {
    /// Records of the firehose that were whole enough to be looked at.
    pub records: u64,
    /// Table records that were left out.
    pub rejected_records: usize,
    dead_letters: BTreeMap<&'static str, u64>,
    end: Option<End>,
}

#[derive(Debug)]
struct End {
    summary: Summary,
    pending: usize,
    lines_left: usize,
    /// None before the first tweet.
    desk_time: Option<Time>,
    took: Duration,
}

impl Report {
    /// A report of a run that begins; some table records were rejected already.
    pub fn new(rejected_records: usize) -> Report {
        Report { records: 0, rejected_records, dead_letters: BTreeMap::new(), end: None }
    }

    /// Counts a dead letter.
    pub fn dead_letter(&mut self, reason: &'static str) {
        *self.dead_letters.entry(reason).or_default() += 1;
    }

    /// Takes down what the engine has counted.
    pub fn finish(&mut self, engine: &Engine, took: Duration) {
        self.end = Some(End {
            summary: engine.summary().clone(),
            pending: engine.pendings().count(),
            lines_left: engine.lines_left(),
            desk_time: Some(engine.time()).filter(|time| *time > Time::ZERO),
            took,
        });
    }

    /// Prints it to stderr.
    pub fn print(&self) {
        let Some(end) = &self.end else { return };
        if watched() {
            tell(self.for_a_person(end).trim_end());
        } else {
            tell(self.as_json(end));
        }
    }

    fn as_json(&self, end: &End) -> Value {
        let summary = &end.summary;
        let nothing: Map<String, Value> =
            summary.nothing.iter().map(|(what, n)| (what.as_str().to_owned(), n.into())).collect();
        json!({
            "records": self.records,
            "tweets": summary.tweets,
            "deletions": summary.deletions,
            "transactions": summary.transactions,
            "control_messages": summary.controls,
            "after_until": summary.after_until,
            "dead_letters": self.dead_letters,
            "rejected_table_records": self.rejected_records,
            "table_lines_not_taken": end.lines_left,
            "sightings": summary.sightings,
            "prefilter_passed_on": summary.passed_on,
            "prefilter_missed": summary.missed,
            "events": summary.events,
            "refusals": summary.refusals,
            "nothing": nothing,
            "pending": end.pending,
            "desk_time": end.desk_time,
            "seconds": end.took.as_secs_f64(),
        })
    }

    fn for_a_person(&self, end: &End) -> String {
        let summary = &end.summary;
        let mut text = String::new();
        let mut row = |name: &str, count: u64| {
            let _ = writeln!(text, "{count:>12}  {name}");
        };
        row("records", self.records);
        row("  tweets", summary.tweets);
        row("  deletions", summary.deletions);
        row("card transactions", summary.transactions);
        for (kind, count) in &summary.controls {
            row(&format!("  control messages: {kind}"), *count);
        }
        for (reason, count) in &self.dead_letters {
            row(&format!("dead letters: {reason}"), *count);
        }
        if summary.after_until > 0 {
            row("after --until", summary.after_until);
        }
        if self.rejected_records > 0 {
            row("table records rejected", self.rejected_records as u64);
        }
        if end.lines_left > 0 {
            row("table lines whose time did not come", end.lines_left as u64);
        }
        row("sightings", summary.sightings);
        for (kind, count) in &summary.events {
            row(kind, *count);
        }
        for (reason, count) in &summary.refusals {
            row(&format!("  refused: {reason}"), *count);
        }
        for (what, count) in summary.nothing.iter() {
            row(&format!("  led to nothing: {}", what.as_str()), count);
        }
        row("still pending", end.pending as u64);
        let seconds = end.took.as_secs_f64();
        let desk_time = end.desk_time.map_or("none".to_owned(), |time| time.to_string());
        let _ = writeln!(text, "desk time {desk_time}, {seconds:.1} s");
        text
    }
}
