//! The tables in memory: which offer has which tag, and which account is linked to which card.
//!
//! What one record cannot know of itself is decided here: two offers cannot have one tag, and
//! only so many accounts can share a card.

mod accounts;
mod linked;
mod offers;

pub use accounts::{AccountChange, AccountTable};
pub use linked::LinkedIds;
pub use offers::{OfferChange, OfferTable};

use crate::core::record::{Rejection, shown_text};

/// Checks that a record stands under its own id, where it has a key at all. `secret` is in no message.
pub fn check_key(
    record: &'static str,
    key: Option<&str>,
    id: &str,
    secret: Option<&str>,
) -> Result<(), Rejection> {
    match key {
        Some(key) if key != id => {
            let mend = format!("must be the record's own id, {}", shown_text(id));
            let is_secret = secret.is_some_and(|secret| key.contains(secret));
            let found =
                if is_secret { "a text with the card token in it".to_owned() } else { shown_text(key) };
            Err(Rejection::new(record, Some(id), "the key", found, mend))
        }
        _ => Ok(()),
    }
}

/// The key of a `null`, which has no id of its own.
fn key_of_null<'a>(record: &'static str, key: Option<&'a str>) -> Result<&'a str, Rejection> {
    key.ok_or_else(|| Rejection::new(record, None, "the record", "null", "must be a JSON object"))
}
