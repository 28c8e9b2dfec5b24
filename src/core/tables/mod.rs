//! The tables in memory: which offer has which tag, and which account is linked to which card.
//!
//! What one record cannot know of itself is decided here: two offers cannot have one tag, and
//! only so many accounts can share a card.

mod accounts;
mod offers;

pub use accounts::{AccountChange, AccountTable};
pub use offers::{OfferChange, OfferTable};

use crate::core::record::{Rejection, shown_text};

/// Checks that a record stands under its own id, where it has a key at all.
fn check_key(record: &'static str, key: Option<&str>, id: &str) -> Result<(), Rejection> {
    match key {
        Some(key) if key != id => {
            let mend = format!("must be the record's own id, {}", shown_text(id));
            Err(Rejection::new(record, Some(id), "the key", shown_text(key), mend))
        }
        _ => Ok(()),
    }
}

/// The key of a `null`, which has no id of its own.
fn key_of_null<'a>(record: &'static str, key: Option<&'a str>) -> Result<&'a str, Rejection> {
    key.ok_or_else(|| Rejection::new(record, None, "the record", "null", "must be a JSON object"))
}
