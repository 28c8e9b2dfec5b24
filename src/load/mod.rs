//! The load benchmark: a made-up firehose in a real Kafka, at a rate or as fast as it can be written, and what the
//! service makes of it.
//!
//! ```text
//! fill ─────► a topic of a size           baseline, scan: how fast it is read, in turns
//! drive ────► tweets at a constant rate   purchases: how long from a tweet's due time to its event
//!             shoppers  ◄───────────────────┘ they read their codes there, and go on
//! report ◄── all of it
//! ```
//!
//! What is measured runs as a process of its own, as it would anywhere else: `hashbuy run` for the service, `hashbuy
//! load baseline` for the loop that only counts. It is watched from outside.

pub mod baseline;
pub mod desk;
pub mod drive;
pub mod fill;
pub mod interrupt;
pub mod machine;
pub mod mix;
pub mod pace;
pub mod parts;
pub mod report;
pub mod rounds;
pub mod stencils;
pub mod tables;
pub mod watched;
pub mod writer;

use crate::log;

/// Why something could not be measured.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Failed(pub String);

impl Failed {
    /// With the message of its cause behind what was tried.
    pub fn to(what: &str, cause: impl std::fmt::Display) -> Failed {
        Failed(format!("{what}: {cause}"))
    }
}

impl From<log::Error> for Failed {
    fn from(error: log::Error) -> Failed {
        Failed(error.to_string())
    }
}
