//! The workers' own code on the memory log, under a scheduler that a seed drives: one thread, time of its
//! own, and at every call a worker makes something may happen to it.
//!
//! ```text
//!  people -- tweets --> firehose --+                       +--> watch: what stands in the topics
//!   | ^-- payments ----> bank ------+                       |    against what was tweeted and paid, and
//!     |          world: processes of scan, feeder,         |    against a model that knows the rules alone
//!     +- events --  keeper, desk workers  ---> memory log -+
//!                     |  every call                 |  every step
//!                   chaos: crash, freeze,         broker: lost answers, refusals,
//!                   late ends of transactions     delays, outages
//! ```
//!
//! Which faults a run uses and how often is drawn from its seed ([`Swarm`]): a run with few kinds of faults
//! finds what a run with all of them hides. Each kind has dice of its own, so that leaving one out changes
//! as little as possible of the rest; that is how a run that fails is made small ([`shrink`]).

mod bank;
mod broker;
mod chaos;
mod firehose;
mod people;
mod process;
pub mod shrink;
mod stream;
mod strike;
mod swarm;
mod trace;
mod wallets;
mod watch;
mod world;

use std::collections::BTreeMap;

pub use self::swarm::{Kind, Swarm};

/// What came of a run.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// What was drawn.
    pub seed: u64,
    /// Simulated time, in milliseconds, without the week in which nothing ran.
    pub millis: i64,
    /// Turns of workers.
    pub turns: u64,
    /// How often each kind of fault has struck.
    pub faults: BTreeMap<Kind, u64>,
    /// Committed events by their type.
    pub events: BTreeMap<String, u64>,
    /// Promises to people that were tested: confirmations in time that had to count.
    pub promises: u64,
    /// Payments that had to earn a coupon's credit, and were tested.
    pub credits: u64,
    /// A number that stands for everything that happened and everything that was written.
    pub digest: u64,
    /// What was wrong, if anything was.
    pub failure: Option<String>,
    /// What happened, line by line.
    pub trace: Vec<String>,
    /// What stands in the topics about what a failure names.
    pub exhibits: Vec<String>,
}

/// Runs one seed.
pub fn run(seed: u64) -> Report {
    run_swarm(seed, Swarm::draw(seed))
}

/// Runs a seed with faults that may be fewer than it would draw.
pub fn run_swarm(seed: u64, swarm: Swarm) -> Report {
    world::run(seed, swarm)
}
