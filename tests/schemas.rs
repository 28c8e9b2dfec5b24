//! The published schemas against the program's own types, both ways: what the one takes the other takes, and
//! what the one refuses the other refuses.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

#[path = "common/schema.rs"]
mod schema;

use std::collections::BTreeSet;

use hashbuy::core::account::Account;
use hashbuy::core::code::Secret;
use hashbuy::core::desk::{Change, Desk};
use hashbuy::core::event::{Event, EventKind};
use hashbuy::core::inbox::{Inbox, Version, decode, encode_as};
use hashbuy::core::offer::Offer;
use hashbuy::core::reader::Reader;
use hashbuy::core::transaction::Transaction;
use serde_json::{Value, json};

use schema::{fault, record_fault, schema};

/// Whether the program takes a record of a table.
fn is_taken(name: &str, record: &Value) -> bool {
    let record = record.to_string();
    match name {
        "offer" => Offer::from_json(&record, "Confirm").is_ok(),
        "account" => Account::from_json(&record).is_ok(),
        _ => Transaction::from_json(&record).is_ok(),
    }
}

/// Values that a field may be given by mistake.
fn mistakes() -> [Value; 11] {
    [
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(4_000),
        json!("x"),
        json!(""),
        json!("x".repeat(1_025)),
        json!([]),
        json!({"amount": -1, "currency": "USD"}),
    ]
}

#[test]
fn records_of_the_tables_are_taken_and_refused_alike() {
    let (mut taken, mut refused) = (0, 0);
    for name in ["offer", "account", "transaction"] {
        let schema = schema(name);
        let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
        let mut check = |record: &Value| {
            let valid = validator.is_valid(record);
            assert_eq!(valid, is_taken(name, record), "{name}: {record}");
            if valid { taken += 1 } else { refused += 1 }
        };
        let fields: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
        for example in schema["examples"].as_array().unwrap() {
            assert!(is_taken(name, example), "{name}: {example}");
            check(example);
            for field in &fields {
                let mut without = example.clone();
                without.as_object_mut().unwrap().remove(field.as_str());
                check(&without);
                for mistake in mistakes() {
                    let mut wrong = example.clone();
                    wrong[field.as_str()] = mistake;
                    check(&wrong);
                }
            }
        }
    }
    assert!(taken > 100 && refused > 300, "{taken} taken, {refused} refused");
}

#[test]
fn there_is_an_example_of_each_event_and_the_program_writes_it_so() {
    let schema = schema("event");
    let mut kinds = BTreeSet::new();
    for example in schema["examples"].as_array().unwrap() {
        assert_eq!(fault(example), None);
        let event: Event = serde_json::from_value(example.clone()).unwrap();
        assert_eq!(serde_json::to_value(&event).unwrap(), *example);
        kinds.insert(event.kind);
    }
    assert!(kinds.into_iter().eq(EventKind::ALL));
}

#[test]
fn an_event_without_what_it_has_to_have_is_refused() {
    let schema = schema("event");
    for example in schema["examples"].as_array().unwrap() {
        let kind = example["type"].as_str().unwrap();
        for field in schema["$defs"][kind]["required"].as_array().unwrap() {
            let field = field.as_str().unwrap();
            let mut without = example.clone();
            without.as_object_mut().unwrap().remove(field);
            assert!(fault(&without).is_some(), "{kind} without {field}");
            let mut wrong = example.clone();
            wrong[field] = json!([]);
            assert!(fault(&wrong).is_some(), "{kind} with a list for {field}");
        }
        let mut more = example.clone();
        more["fee"] = json!(1);
        assert!(fault(&more).unwrap().contains("knows no fee"), "{kind}");
    }
}

/// What the program makes of an internal record: it is read, and written again in the same version.
fn written_again(name: &str, record: &Value) -> Option<Value> {
    let bytes = record.to_string().into_bytes();
    let version = Version::new(record["v"].as_u64()?.try_into().ok()?)?;
    let bytes = match name {
        "inbox" => {
            let read: Inbox = decode(&bytes).ok()?;
            assert_eq!(Reader::default().read(&bytes).unwrap(), read, "the quick reader reads the same");
            encode_as(version, &read)
        }
        _ => encode_as(version, &Change::decode(&bytes).ok()?),
    };
    Some(serde_json::from_slice(&bytes).unwrap())
}

/// The parts of an internal schema, and which of them its examples show.
fn kinds(name: &str, schema: &Value) -> (BTreeSet<String>, BTreeSet<String>) {
    let (prefix, kind) = if name == "inbox" { ("record.", "type") } else { ("change.", "entity") };
    let parts = schema["$defs"].as_object().unwrap().keys();
    let shown = schema["examples"].as_array().unwrap().iter();
    (
        parts.filter_map(|part| part.strip_prefix(prefix)).map(str::to_owned).collect(),
        shown.map(|example| example[kind].as_str().unwrap().to_owned()).collect(),
    )
}

#[test]
fn there_is_an_example_of_each_internal_record_and_the_program_writes_it_so() {
    for name in ["inbox", "changelog"] {
        let schema = schema(name);
        let (parts, shown) = kinds(name, &schema);
        assert_eq!(parts, shown, "{name}");
        for example in schema["examples"].as_array().unwrap() {
            assert_eq!(record_fault(name, example.to_string().as_bytes()), None);
            assert_eq!(written_again(name, example).as_ref(), Some(example), "{name}");
        }
    }
}

#[test]
fn a_desk_is_restored_from_the_examples_of_the_changelog() {
    let schema = schema("changelog");
    let mut desk = Desk::new(Secret::published());
    let mut offset = None;
    for example in schema["examples"].as_array().unwrap() {
        let text = |field: &str| example[field].as_str().unwrap();
        let key = match text("entity") {
            "account" => format!("account/{}", text("id")),
            "card" => format!("card/{}", text("card_token")),
            "partition" => Change::PARTITION.to_owned(),
            // A begun import is for whoever restores, not for the desk.
            "import" => continue,
            entity => format!("{entity}/{}", text("offer_id")),
        };
        let value = example.to_string();
        offset = desk.restore(&key, Some(value.as_bytes())).unwrap().or(offset);
    }
    assert_eq!(offset, Some(4_711));
}

#[test]
fn an_internal_record_without_what_it_has_to_have_is_refused_by_both() {
    let mut refused = 0;
    for name in ["inbox", "changelog"] {
        let schema = schema(name);
        let prefix = if name == "inbox" { "record" } else { "change" };
        let kind = if name == "inbox" { "type" } else { "entity" };
        for example in schema["examples"].as_array().unwrap() {
            let part = &schema["$defs"][format!("{prefix}.{}", example[kind].as_str().unwrap())];
            for field in part["required"].as_array().unwrap().iter().map(|field| field.as_str().unwrap()) {
                let mut without = example.clone();
                without.as_object_mut().unwrap().remove(field);
                let mut wrong = example.clone();
                wrong[field] = json!(1.5);
                for broken in [without, wrong] {
                    assert!(record_fault(name, broken.to_string().as_bytes()).is_some(), "{name}: {broken}");
                    assert_eq!(written_again(name, &broken), None, "{name}: {broken}");
                    refused += 1;
                }
            }
            let mut newer = example.clone();
            newer["v"] = json!(3);
            assert!(record_fault(name, newer.to_string().as_bytes()).unwrap().contains("3"));
            assert_eq!(written_again(name, &newer), None, "{name}: {newer}");
            let mut more = example.clone();
            more["fee"] = json!(1);
            assert!(record_fault(name, more.to_string().as_bytes()).unwrap().contains("fee"));
            assert_eq!(written_again(name, &more).as_ref(), Some(example), "what is not known is ignored");
        }
    }
    assert!(refused > 150, "{refused}");
}
