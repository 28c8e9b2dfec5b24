//! The schemas as they are now against those that were published first, `tests/golden/schemas/1`: what docs/contracts.md
//! promises about them.
//!
//! What others write (offers, accounts, transactions) has to be accepted as it was: a constraint may become looser, none
//! tighter. What others read (events) has to be what it was: a constraint may become tighter, none looser, but for
//! types of events, and the values of lists that are open. Nothing that has a name vanishes.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use hashbuy::core::account::Account;
use hashbuy::core::desk::Change;
use hashbuy::core::event::Event;
use hashbuy::core::inbox::{Inbox, Version, decode};
use hashbuy::core::offer::Offer;
use hashbuy::core::transaction::Transaction;
use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};

use crate::common::schema::{fault, schema};

/// Who writes what a schema describes.
#[derive(Clone, Copy, PartialEq)]
enum By {
    Others,
    Us,
}

/// The schemas that others build on.
const PUBLISHED: [(&str, By); 4] =
    [("offer", By::Others), ("account", By::Others), ("transaction", By::Others), ("event", By::Us)];

/// Lists that later releases may make longer.
const OPEN: [&str; 2] = ["reason", "cause"];

/// The cases, none of which needs anything.
pub fn trials() -> Vec<Trial> {
    vec![
        trial("golden_schemas_still_hold", golden_schemas_still_hold),
        trial("golden_breaches_are_found", breaches_are_found),
        trial("golden_examples_are_still_read", golden_examples_are_still_read),
    ]
}

fn trial(name: &str, case: fn()) -> Trial {
    Trial::test(name, move || -> Result<(), Failed> {
        case();
        Ok(())
    })
}

fn golden(name: &str) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/schemas/1");
    let text = fs::read_to_string(folder.join(format!("{name}.schema.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn golden_schemas_still_hold() {
    for (name, by) in PUBLISHED {
        assert_eq!(breaches(&golden(name), &schema(name), by), [""; 0], "{name}");
    }
}

/// What was an example then is one now, for the schemas as for the program.
fn golden_examples_are_still_read() {
    for name in ["offer", "account", "transaction", "event", "inbox", "changelog"] {
        let now = jsonschema::options().should_validate_formats(true).build(&schema(name)).unwrap();
        let is_read = |example: &Value| match name {
            "offer" => Offer::from_json(&example.to_string(), "Confirm").is_ok(),
            "account" => Account::from_json(&example.to_string()).is_ok(),
            "transaction" => Transaction::from_json(&example.to_string()).is_ok(),
            "event" => fault(example).is_none() && serde_json::from_value::<Event>(example.clone()).is_ok(),
            "inbox" => decode::<Inbox>(example.to_string().as_bytes()).is_ok(),
            _ => Change::decode(example.to_string().as_bytes()).is_ok(),
        };
        // Of internal records those of a version that is still read.
        let is_present = |example: &&Value| {
            let version = example.get("v").and_then(Value::as_u64);
            version.is_none_or(|version| Version::new(version.try_into().unwrap()).is_some())
        };
        let golden = golden(name);
        for example in golden["examples"].as_array().unwrap().iter().filter(is_present) {
            assert!(is_read(example), "{name}: {example}");
            assert!(now.is_valid(example), "{name}: {example}");
        }
    }
}

/// How a schema breaks what was promised with another one.
fn breaches(golden: &Value, now: &Value, by: By) -> Vec<String> {
    let mut found = Vec::new();
    let parts = golden["$defs"].as_object().unwrap();
    for (name, part) in parts {
        let path = format!("$defs/{name}");
        match now["$defs"].get(name) {
            Some(present) => Pair { golden, now, by }.compare(part, present, &path, &mut found),
            None => found.push(format!("{path} has vanished")),
        }
    }
    // The types of events are among the parts; more of them may come.
    if by == By::Others {
        Pair { golden, now, by }.compare(golden, now, "", &mut found);
    }
    found
}

/// Two schemas, in which references lead to their own parts.
struct Pair<'s> {
    golden: &'s Value,
    now: &'s Value,
    by: By,
}

impl Pair<'_> {
    fn compare(&self, golden: &Value, now: &Value, path: &str, found: &mut Vec<String>) {
        let (golden, now) = (self.resolved(self.golden, golden), self.resolved(self.now, now));
        // Whatever the inner one admits the outer one has to admit.
        let (outer, inner) = if self.by == By::Others { (now, golden) } else { (golden, now) };
        let mut own: Vec<String> = Vec::new();
        for (keyword, set) in [("type", listed as fn(&Value, &str) -> _), ("enum", one_of)] {
            let is_open =
                keyword == "enum" && self.by == By::Us && OPEN.iter().any(|open| path.ends_with(open));
            let (outer, inner) = (set(outer, keyword), set(inner, keyword));
            let fits =
                outer.as_ref().is_none_or(|outer| inner.as_ref().is_some_and(|inner| inner.is_subset(outer)));
            // A list that is open may become longer, never shorter.
            let fits = match (&outer, &inner) {
                (Some(golden), Some(now)) if is_open => golden.is_subset(now),
                _ => fits,
            };
            if !fits {
                own.push(format!("{keyword} {inner:?} does not fit into {outer:?}"));
            }
        }
        for keyword in ["minimum", "minLength", "maximum", "maxLength"] {
            let number =
                |schema: &Value| schema[keyword].as_number().cloned().map(|number| number.as_f64().unwrap());
            let (outer, inner) = (number(outer), number(inner));
            let is_least = keyword.starts_with("min");
            let fits = outer.is_none_or(|outer| {
                inner.is_some_and(|inner| if is_least { inner >= outer } else { inner <= outer })
            });
            if !fits {
                own.push(format!("{keyword} {inner:?} is outside of {outer:?}"));
            }
        }
        for keyword in ["pattern", "format"] {
            if !outer[keyword].is_null() && outer[keyword] != inner[keyword] {
                own.push(format!("{keyword} is {} instead of {}", now[keyword], golden[keyword]));
            }
        }
        let (needed, given) = (listed(outer, "required"), listed(inner, "required"));
        if let Some(missing) = needed.unwrap_or_default().difference(&given.unwrap_or_default()).next() {
            own.push(format!("{missing} is required by one and not by the other"));
        }
        for keyword in ["oneOf", "anyOf"] {
            let alternatives = |schema: &Value| schema[keyword].as_array().cloned().unwrap_or_default();
            let (golden, now) = (alternatives(golden), alternatives(now));
            if golden.len() > now.len() || self.by == By::Us && golden.len() != now.len() {
                own.push(format!("{} alternatives instead of {}", now.len(), golden.len()));
            }
            for (number, (golden, now)) in golden.iter().zip(&now).enumerate() {
                self.compare(golden, now, &format!("{path}/{keyword}/{number}"), found);
            }
        }
        found.extend(own.into_iter().map(|what| format!("{path}: {what}")));
        let properties = golden["properties"].as_object();
        for (name, property) in properties.into_iter().flatten() {
            let path = format!("{path}/{name}");
            match now["properties"].get(name) {
                Some(present) => self.compare(property, present, &path, found),
                None => found.push(format!("{path} has vanished")),
            }
        }
    }

    fn resolved<'v>(&self, whole: &'v Value, schema: &'v Value) -> &'v Value {
        match schema["$ref"].as_str() {
            Some(path) => whole.pointer(path.strip_prefix('#').unwrap()).unwrap(),
            None => schema,
        }
    }
}

/// A keyword with one text or several.
fn listed(schema: &Value, keyword: &str) -> Option<BTreeSet<String>> {
    match &schema[keyword] {
        Value::Null => None,
        Value::Array(all) => Some(all.iter().map(Value::to_string).collect()),
        one => Some([one.to_string()].into()),
    }
}

/// The values of `enum`, or the one of `const`.
fn one_of(schema: &Value, keyword: &str) -> Option<BTreeSet<String>> {
    listed(schema, keyword).or_else(|| Some([schema.get("const")?.to_string()].into()))
}

/// What docs/contracts.md allows is allowed, and what it forbids is found.
fn breaches_are_found() {
    let schema_with = |name: &str, path: &str, value: Value| {
        let mut changed = golden(name);
        let (parent, last) = path.rsplit_once('/').unwrap();
        let parent = changed.pointer_mut(parent).unwrap_or_else(|| panic!("{name} has no {parent}"));
        match value {
            Value::Null => drop(parent.as_object_mut().unwrap().remove(last)),
            value => parent[last] = value,
        }
        changed
    };
    let requested = |field: &str| format!("/$defs/purchase.requested/{field}");
    let event_required = |more: &[&str], without: &str| {
        let golden = golden("event");
        let all = golden.pointer(&requested("required")).unwrap().as_array().unwrap();
        let kept = all.iter().filter(|name| **name != without).cloned();
        Value::Array(kept.chain(more.iter().map(|name| json!(name))).collect())
    };
    let allowed = [
        ("offer", "/properties/gift", json!({"type": "boolean"})),
        ("offer", "/required", json!(["offer_id", "kind", "hashtag", "starts_at"])),
        ("offer", "/properties/product/maxLength", json!(2_048)),
        ("offer", "/properties/kind/enum", json!(["purchase", "coupon", "raffle"])),
        ("event", "/$defs/purchase.praised", json!({"type": "object"})),
        ("event", &requested("properties/fee"), json!({"type": "integer"})),
        ("event", &requested("required"), event_required(&["product"], "")),
        ("event", "/$defs/purchase.refused/properties/reason/enum", {
            let golden = golden("event");
            let reasons = golden.pointer("/$defs/purchase.refused/properties/reason/enum").unwrap();
            let reasons = reasons.as_array().unwrap().iter().cloned();
            Value::Array(reasons.chain([json!("tired")]).collect())
        }),
    ];
    for (name, path, value) in allowed {
        let by = PUBLISHED.iter().find(|(other, _)| *other == name).unwrap().1;
        assert_eq!(breaches(&golden(name), &schema_with(name, path, value), by), [""; 0], "{name}{path}");
    }
    let forbidden = [
        ("offer", "/properties/stock", Value::Null),
        ("offer", "/required", json!(["offer_id", "kind", "hashtag", "starts_at", "ends_at", "product"])),
        ("offer", "/properties/kind/enum", json!(["purchase"])),
        ("offer", "/properties/product/maxLength", json!(280)),
        ("offer", "/oneOf/0/required", json!(["price", "stock"])),
        ("account", "/properties/screen_name/type", json!("string")),
        ("account", "/$defs/money/properties/amount/maximum", json!(1_000)),
        ("transaction", "/$defs/money/properties/currency/pattern", json!("^USD$")),
        ("event", &requested("properties/code"), Value::Null),
        ("event", &requested("required"), event_required(&[], "reply")),
        ("event", "/$defs/purchase.reminded", Value::Null),
        ("event", "/$defs/time/pattern", Value::Null),
        ("event", "/$defs/id/type", json!(["string", "integer"])),
        ("event", "/$defs/order.placed/properties/card_token/maxLength", json!(4_096)),
        ("event", "/$defs/purchase.refused/properties/reason/enum", json!(["frozen"])),
        ("event", "/$defs/order.placed/properties/type/const", json!("order.made")),
    ];
    for (name, path, value) in forbidden {
        let by = PUBLISHED.iter().find(|(other, _)| *other == name).unwrap().1;
        let found = breaches(&golden(name), &schema_with(name, path, value), by);
        assert!(!found.is_empty(), "nothing is found wrong with {name}{path}");
    }
}
