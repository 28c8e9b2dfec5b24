//! What the model asks for against what the desk has done, and how a difference is told.

use std::fmt::Write;

use serde_json::Value;

use super::{Entry, Run};
use crate::common::model::{Output, Topic, strip_text};
use crate::inputs::time;

impl Run {
    /// The difference, with what happened before to whom it concerns.
    pub(super) fn report(&self, p: usize, offset: usize, difference: &str) -> String {
        let log = &self.partitions[p].log;
        let value: Value = serde_json::from_slice(&log[offset].value).unwrap();
        let concerned = |entry: &&Entry| {
            let other: Value = serde_json::from_slice(&entry.value).unwrap();
            let who = |v: &Value| v.get("account").filter(|a| a.is_string()).or(v.get("account_id")).cloned();
            let card = |v: &Value| v.get("card_token").cloned();
            other["type"] == "mark"
                || other["type"] == "progress"
                || (card(&value).is_some() && card(&value) == card(&other))
                || who(&value).is_none()
                || who(&other).is_none()
                || who(&other) == who(&value)
        };
        let before: Vec<&Entry> = log[..=offset].iter().filter(concerned).collect();
        let mut text = String::new();
        for entry in before.iter().skip(before.len().saturating_sub(lines())) {
            let mut value: Value = serde_json::from_slice(&entry.value).unwrap();
            if value["type"] == "mark" {
                value["settings"] = value["settings"]["revision"].clone();
            }
            let _ = writeln!(text, "  {} {value}", time(entry.appended_at));
            let _ = writeln!(text, "      now {} -> {}", time(entry.now), entry.found.join(" | "));
        }
        format!("{text}{difference}\ndesk time {}", time(self.partitions[p].model.desk_time()))
    }
}

fn lines() -> usize {
    std::env::var("MODEL_LINES").ok().and_then(|n| n.parse().ok()).unwrap_or(30)
}

pub(super) fn show(topic: Topic, mut event: Value) -> String {
    strip_text(&mut event);
    format!("{topic:?} {event}")
}

pub(super) fn differ(expected: Vec<Output>, found: &[String]) -> Option<String> {
    let want: Vec<String> = expected
        .into_iter()
        .map(|output| match output {
            Output::Event(event) => format!("Purchases {event}"),
            Output::Order(event) => format!("Orders {event}"),
            Output::Message(message) => format!("Message {message}"),
        })
        .collect();
    // The order is fixed among events, but for what one record cancels or lets expire.
    let ordered = |all: &[String]| -> Vec<String> {
        let is_ordered = |s: &&String| {
            let open = s.contains("purchase.cancelled") || s.contains("coupon.expired");
            !s.starts_with("Message") && !open
        };
        all.iter().filter(is_ordered).cloned().collect()
    };
    let sorted = |all: &[String]| {
        let mut all = all.to_vec();
        all.sort();
        all
    };
    if sorted(&want) == sorted(found) && ordered(&want) == ordered(found) {
        return None;
    }
    Some(format!("the model: {want:#?}\nthe desk: {found:#?}"))
}
