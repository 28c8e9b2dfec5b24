//! The published schemas against the program's own types, both ways: what the one takes the other takes, and
//! what the one refuses the other refuses.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

#[path = "common/schema.rs"]
mod schema;

use std::collections::BTreeSet;

use hashbuy::core::account::Account;
use hashbuy::core::event::{Event, EventKind};
use hashbuy::core::offer::Offer;
use hashbuy::core::transaction::Transaction;
use serde_json::{Value, json};

use schema::{fault, schema};

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
