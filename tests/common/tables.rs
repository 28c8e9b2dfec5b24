//! Records of the tables, with what a test does not care about filled in.

use serde_json::{Value, json};

/// An offer of `amount` US cents, open through the whole of 2016.
pub fn offer(id: &str, hashtag: &str, amount: i64) -> Value {
    json!({
        "offer_id": id, "version": 1, "kind": "purchase", "hashtag": hashtag,
        "product": format!("Product {id}"), "merchant_id": format!("shop-{id}"),
        "price": {"amount": amount, "currency": "USD"},
        "starts_at": "2016-01-01T00:00:00.000Z", "ends_at": "2016-12-31T23:59:59.999Z",
    })
}

/// An active account, linked at the beginning of 2016, with a card and a door of its own.
pub fn account(id: u64, handle: &str) -> Value {
    json!({
        "account_id": id.to_string(), "screen_name": handle, "card_token": format!("tok-{handle}"),
        "delivery_ref": format!("door-{handle}"), "status": "active", "linked_at": "2016-01-01T00:00:00.000Z",
    })
}

/// The record with other values in some of its fields; null takes a field away.
pub fn with(mut record: Value, changes: Value) -> Value {
    let fields = record.as_object_mut().unwrap();
    for (field, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(fields.remove(field)),
            _ => drop(fields.insert(field.clone(), value.clone())),
        }
    }
    record
}

/// A line of a table that takes effect at a time; null takes the record away.
pub fn line(at: &str, key: &str, value: Value) -> Value {
    json!({"at": at, "key": key, "value": value})
}
