//! Tweets of long ago as if they were of today: every tweet id of a record is moved in time by as much as
//! every other, and nothing else of its bytes is touched, so that the wire stays as it was.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Ids below carry no time.
const FIRST_WITH_TIME: u64 = 30_000_000_000;
/// Fields that are ids of tweets wherever they stand.
const REFERENCES: [&str; 2] = ["in_reply_to_status_id", "source_status_id"];

/// The record with its tweet ids later by so many milliseconds; as it is, if it is no JSON.
pub fn later(record: &[u8], millis: i64) -> Vec<u8> {
    let mut ids = BTreeSet::new();
    if let Ok(value) = serde_json::from_slice(record) {
        collect(&value, &mut ids);
    }
    let moved: BTreeMap<String, String> =
        ids.into_iter().map(|id| (id.to_string(), moved(id, millis).to_string())).collect();
    let mut out = Vec::with_capacity(record.len() + 64);
    let mut rest = record;
    while !rest.is_empty() {
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let run = std::str::from_utf8(&rest[..digits]).unwrap();
        out.extend_from_slice(moved.get(run).map_or(run, String::as_str).as_bytes());
        let others = rest[digits..].iter().take_while(|byte| !byte.is_ascii_digit()).count();
        out.extend_from_slice(&rest[digits..digits + others]);
        rest = &rest[digits + others..];
    }
    out
}

fn moved(id: u64, millis: i64) -> u64 {
    id.checked_add_signed(millis << 22).unwrap()
}

/// The ids of a record's tweet, of those inside it and of those that it answers or deletes.
fn collect(value: &Value, ids: &mut BTreeSet<u64>) {
    let mut note = |id: &Value| {
        if let Some(id) = id.as_u64().filter(|id| *id >= FIRST_WITH_TIME) {
            ids.insert(id);
        }
    };
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, ids)),
        Value::Object(fields) => {
            if fields.contains_key("text") && fields.contains_key("user") {
                note(&fields["id"]);
            }
            note(&value["delete"]["status"]["id"]);
            REFERENCES.iter().filter_map(|name| fields.get(*name)).for_each(&mut note);
            fields.values().for_each(|field| collect(field, ids));
        }
        _ => {}
    }
}
