//! The published schemas, `deploy/schemas`.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::OnceLock;

use jsonschema::Validator;
use serde_json::Value;

/// A schema by its name.
pub fn schema(name: &str) -> Value {
    let text = match name {
        "offer" => include_str!("../../deploy/schemas/offer.schema.json"),
        "account" => include_str!("../../deploy/schemas/account.schema.json"),
        "transaction" => include_str!("../../deploy/schemas/transaction.schema.json"),
        "event" => include_str!("../../deploy/schemas/event.schema.json"),
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
