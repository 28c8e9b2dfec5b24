//! Codes and ids, worked out from the written rules alone.
//!
//! Nothing of the program is used here on purpose: were both wrong in the same way, no test
//! that learns its codes from the program would notice.

#[allow(clippy::unwrap_used, reason = "a test may panic")]
#[path = "model/codes.rs"]
mod formulas;

pub use formulas::{event_id, purchase_id};

/// The confirmation hashtag, sign and default prefix included, of one account, offer and offer
/// tweet (the first id of its edit chain).
pub fn code(secret: &str, account: u64, offer: &str, tweet: u64) -> String {
    format!("#Confirm{}", formulas::code(secret.as_bytes(), account, offer, tweet))
}
