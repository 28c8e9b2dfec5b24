//! The published schemas, `deploy/schemas`.

#![allow(dead_code, clippy::unwrap_used, reason = "a test may panic, and no suite needs all of it")]

use std::collections::BTreeMap;
use std::sync::OnceLock;

use jsonschema::Validator;
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
    static EVENT: OnceLock<Parts> = OnceLock::new();
    let parts = EVENT.get_or_init(|| Parts::of("event", "", "type"));
    if let Some(fault) = parts.fault(event) {
        return Some(fault);
    }
    let kind = event["type"].as_str().unwrap_or_default();
    let known = &parts.schema["$defs"][kind]["properties"];
    let unknown =
        event.as_object().into_iter().flatten().find(|(field, _)| known.get(field.as_str()).is_none());
    unknown.map(|(field, _)| format!("the schema of {kind} knows no {field}: {event}"))
}

/// What is wrong with a record of the inbox or the changelog, by its schema, which knows all that is written.
pub fn record_fault(name: &'static str, bytes: &[u8]) -> Option<String> {
    static INBOX: OnceLock<Parts> = OnceLock::new();
    static CHANGELOG: OnceLock<Parts> = OnceLock::new();
    let parts = match name {
        "inbox" => INBOX.get_or_init(|| Parts::of(name, "record.", "type")),
        _ => CHANGELOG.get_or_init(|| Parts::of(name, "change.", "entity")),
    };
    match serde_json::from_slice(bytes) {
        Ok(record) => parts.fault(&record),
        Err(error) => Some(format!("no JSON in {name}: {error}")),
    }
}

/// A schema of several kinds of records, each with a part of its own: to try all of them on each of very many records
/// would take long, and of all together there is no more to be said than that none fits.
struct Parts {
    schema: Value,
    /// The field that names the kind.
    kind: &'static str,
    validators: BTreeMap<String, Validator>,
}

impl Parts {
    /// The parts that the schema lists, whose names begin with `prefix`.
    fn of(name: &str, prefix: &str, kind: &'static str) -> Parts {
        let schema = schema(name);
        let listed = schema["oneOf"].as_array().unwrap().iter().map(|part| part["$ref"].as_str().unwrap());
        let validators = listed.map(|part| {
            let alone = json!({"$ref": part, "$defs": schema["$defs"]});
            let kind = part.strip_prefix(&format!("#/$defs/{prefix}")).unwrap();
            (kind.to_owned(), jsonschema::validator_for(&alone).unwrap())
        });
        let validators = validators.collect();
        Parts { schema, kind, validators }
    }

    fn fault(&self, record: &Value) -> Option<String> {
        let kind = record[self.kind].as_str().unwrap_or_default();
        let Some(validator) = self.validators.get(kind) else {
            return Some(format!("the schema {} knows no {kind:?}: {record}", self.schema["$id"]));
        };
        let error = validator.validate(record).err()?;
        Some(format!("{kind}: {error} at {}: {record}", error.instance_path()))
    }
}
