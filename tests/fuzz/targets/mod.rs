//! What is done with the bytes of one input, and what has to hold of it: a target for each parser of bytes
//! from outside. A property that does not hold is a panic.
//!
//! `tests/fuzz/run` looks for inputs that break one; `tests/fuzz_corpus.rs` holds every `cargo test` against
//! those that were found, and against the seeds.

mod account;
mod changelog;
mod config;
mod frame;
mod inbox;
mod offer;
mod tweet;

use hashbuy::core::card_number::contains_card_number;
use hashbuy::core::record::Rejection;

/// Takes one input.
pub type Target = fn(&[u8]);

/// All targets by name.
pub const TARGETS: [(&str, Target); 7] = [
    ("tweet", tweet::run),
    ("frame", frame::run),
    ("offer", offer::run),
    ("account", account::run),
    ("inbox", inbox::run),
    ("changelog", changelog::run),
    ("config", config::run),
];

/// The prefix of codes in all targets.
const CODE_PREFIX: &str = "Confirm";

/// The longest rejection: an id and a value are cut to 60 characters, which an escape may make ten times as
/// long; the rest are words of ours.
const LONGEST_REJECTION: usize = 1_500;

/// What holds of every rejection, as it is printed and logged: one line, bounded, without a card number.
fn check_message(rejection: &Rejection) {
    let message = rejection.to_string();
    assert!(message.len() <= LONGEST_REJECTION, "{} bytes: {message}", message.len());
    assert!(!message.contains(char::is_control), "{message:?}");
    // An account's id is shown whatever it looks like: it is a number by its nature.
    let shown_id = rejection.id().map(|id| format!("account {id}")).unwrap_or_default();
    let rest = message.strip_prefix(&shown_id).unwrap_or(&message);
    assert!(!contains_card_number(rest), "{message}");
}
