//! The events that should be there against those that are.

use std::collections::HashMap;
use std::fmt::Write;

use serde_json::Value;

/// Says where the two part, or nothing if they are the same in the same order.
pub fn difference(
    expected: &[(usize, Value)],
    actual: &[Value],
    names: &HashMap<String, String>,
) -> Option<String> {
    let mut expected = expected.to_vec();
    let mut actual: Vec<Value> = actual.iter().map(normalised).collect();
    let mut start = 0;
    while start < expected.len() {
        let end = start + run(&expected[start..]);
        expected[start..end].sort_by(|a, b| id(&a.1).cmp(id(&b.1)));
        // Lapses of one deadline go by purchase id; cancellations of one step in any order.
        if kind(&expected[start].1) == "purchase.cancelled" && end <= actual.len() {
            actual[start..end].sort_by(|a, b| id(a).cmp(id(b)));
        }
        start = end;
    }
    let same = expected.iter().zip(&actual).take_while(|((_, e), a)| e == *a).count();
    if same == expected.len() && same == actual.len() {
        return None;
    }
    Some(report(&expected[same..], &actual[same..], names))
}

/// How many of the first of these events belong together without an order told by the scenario.
fn run(events: &[(usize, Value)]) -> usize {
    let (line, first) = &events[0];
    let loose = ["purchase.cancelled", "purchase.lapsed"].contains(&kind(first));
    let alike = |event: &(usize, Value)| {
        loose && event.0 == *line && kind(&event.1) == kind(first) && event.1["deadline"] == first["deadline"]
    };
    events.iter().take_while(|event| alike(event)).count().max(1)
}

fn kind(event: &Value) -> &str {
    event["type"].as_str().unwrap_or_default()
}

fn id(event: &Value) -> &str {
    event["purchase_id"].as_str().unwrap_or_default()
}

/// An event without what the rules leave open: the wording of replies, and `at` on `orders`.
fn normalised(event: &Value) -> Value {
    let mut event = event.clone();
    if kind(&event).starts_with("order.")
        && let Some(fields) = event.as_object_mut()
    {
        fields.remove("at");
    }
    if let Some(reply) = event.get_mut("reply").and_then(Value::as_object_mut) {
        reply.remove("text");
    }
    event
}

fn report(expected: &[(usize, Value)], actual: &[Value], names: &HashMap<String, String>) -> String {
    let mut text = String::new();
    match (expected.first(), actual.first()) {
        (Some((line, wanted)), Some(got)) => {
            let _ =
                writeln!(text, "line {line}: expected {}, got {}", short(wanted, names), short(got, names));
            if kind(wanted) == kind(got) {
                text += &fields(wanted, got);
            }
        }
        (Some((line, wanted)), None) => {
            let _ = writeln!(text, "line {line}: expected {}, got nothing more", short(wanted, names));
        }
        (None, Some(got)) => {
            let _ = writeln!(text, "expected nothing more, got {}: {got}", short(got, names));
        }
        (None, None) => {}
    }
    let list = |events: Vec<String>| if events.is_empty() { "nothing".to_owned() } else { events.join(", ") };
    let wanted = expected.iter().map(|(line, e)| format!("{line}: {}", short(e, names))).collect();
    let got = actual.iter().map(|e| short(e, names)).collect();
    let _ = writeln!(text, "from there, expected {}", list(wanted));
    let _ = writeln!(text, "            and got  {}", list(got));
    text
}

fn fields(wanted: &Value, got: &Value) -> String {
    let mut text = String::new();
    let mut keys: Vec<&String> =
        [wanted, got].into_iter().filter_map(Value::as_object).flat_map(|o| o.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    for key in keys {
        let of = |event: &Value| event.get(key).map_or_else(|| "absent".to_owned(), Value::to_string);
        if wanted.get(key) != got.get(key) {
            let _ = writeln!(text, "    {key}: expected {}, got {}", of(wanted), of(got));
        }
    }
    text
}

/// An event as a scenario would write it.
fn short(event: &Value, names: &HashMap<String, String>) -> String {
    let mut text = kind(event).trim_start_matches("purchase.").trim_start_matches("coupon.").to_owned();
    for field in ["reason", "purchase_id", "cause", "hashtag", "transaction_id"] {
        if let Some(value) = event.get(field).and_then(Value::as_str) {
            let value = names.get(value).map_or(value, String::as_str);
            let _ = write!(text, " {value}");
        }
    }
    if kind(event) == "purchase.refused" && event.get("reply").is_none() {
        text += " unanswered";
    }
    text
}
