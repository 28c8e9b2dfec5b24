//! The published schemas, `deploy/schemas`.

#![allow(dead_code, clippy::unwrap_used, reason = "a test may panic, and no suite needs all of it")]

use std::sync::OnceLock;

use jsonschema::{ValidationError, Validator};
use serde_json::{Value, json};

/// A schema by its name.
pub fn schema(name: &str) -> Value {
    let text = match name {
        "offer" => include_str!("../../deploy/schemas/offer.schema.json"),
        "account" => include_str!("../../deploy/schemas/account.schema.json"),
        "transaction" => include_str!("../../deploy/schemas/transaction.schema.json"),
        "event" => include_str!("../../deploy/schemas/event.schema.json"),
        "inbox" => include_str!("../../deploy/schemas/inbox.schema.json"),
        "changelog" => include_str!("../../deploy/schemas/changelog.schema.json"),
        _ => panic!("there is no schema {name}"),
    };
    serde_json::from_str(text).unwrap()
}

/// What is wrong with an event: it breaks its schema, or has a field of which the schema does not speak.
pub fn fault(event: &Value) -> Option<String> {
    static EVENT: OnceLock<(Value, Validator)> = OnceLock::new();
    let (schema, validator) = EVENT.get_or_init(|| {
        let schema = schema("event");
        let validator = jsonschema::validator_for(&schema).unwrap();
        (schema, validator)
    });
    if let Err(error) = validator.validate(event) {
        return Some(format!("{error}: {event}"));
    }
    let kind = event["type"].as_str().unwrap_or_default();
    let known = &schema["$defs"][kind]["properties"];
    let unknown =
        event.as_object().into_iter().flatten().find(|(field, _)| known.get(field.as_str()).is_none());
    unknown.map(|(field, _)| format!("the schema of {kind} knows no {field}: {event}"))
}

/// What is wrong with a record of the inbox or the changelog, by its schema, which knows all that is written.
pub fn record_fault(name: &'static str, bytes: &[u8]) -> Option<String> {
    static INBOX: OnceLock<Validator> = OnceLock::new();
    static CHANGELOG: OnceLock<Validator> = OnceLock::new();
    let validator = if name == "inbox" { &INBOX } else { &CHANGELOG };
    let validator = validator.get_or_init(|| jsonschema::validator_for(&schema(name)).unwrap());
    match serde_json::from_slice(bytes) {
        Ok(record) => {
            let record: Value = record;
            let fault = validator.validate(&record).err()?;
            Some(format!(
                "the schema {name} does not know this, {}: {record}",
                nearest(name, &record, &fault)
            ))
        }
        Err(error) => Some(format!("no JSON in {name}: {error}")),
    }
}

/// What stands in the way of a record by the part of the schema that is meant for its kind; of all parts together
/// there is not more to be said than that none fits.
fn nearest(name: &str, record: &Value, fault: &ValidationError<'_>) -> String {
    let whole = schema(name);
    let (prefix, kind) = if name == "inbox" { ("record", "type") } else { ("change", "entity") };
    let kind = record[kind].as_str().unwrap_or_default();
    let part = json!({"$ref": format!("#/$defs/{prefix}.{kind}"), "$defs": whole["$defs"]});
    let validator = jsonschema::validator_for(&part).ok();
    let nearer = validator.and_then(|validator| {
        let fault = validator.validate(record).err()?;
        Some(format!("{fault} at {}", fault.instance_path()))
    });
    nearer.unwrap_or_else(|| fault.to_string())
}
