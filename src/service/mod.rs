//! The service in one process: a [`Crew`] of threads that drive the workers, what they have to say to a
//! person ([`Notice`]), and how it goes ([`Status`]).
//!
//! ```text
//! Plan --> Crew --+-- desk 0, desk 1, ...   worker::desk     each thread calls its worker's `turn`
//!   log           +-- feeder                worker::feeder   until it is told to end, or cannot go on
//!   clock         +-- keeper                worker::keeper
//!                 +-- topics                worker::needs    whether they are still there
//!                 +-- scan 0, scan 1, ...   worker::scan
//! ```
//!
//! Nothing in here knows which log it is, or what time it is: `run` brings Kafka and the machine's clock,
//! `demo` a log in memory, and a clock on which a minute passes in a second.

mod crew;
mod line;
mod notice;
mod readiness;
mod status;
mod threads;
mod view;
mod watch;

use clap::ValueEnum;

pub use self::crew::{Crew, Plan};
pub use self::notice::Notice;
pub use self::status::{Glance, Ready, Status, time_of_day};
pub use self::view::{Listed, Offers, View};
pub use self::watch::{Happened, MINUTES, Minute, Took, Trials, Waiting};

use std::time::{SystemTime, UNIX_EPOCH};

use crate::core::time::Time;
use crate::worker::Clock;
use crate::worker::needs::By;

/// Which stages run in a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Stage {
    /// The firehose to the inbox, with the tables and the time
    Scan,
    /// The inbox to the events
    Desk,
    /// Both
    All,
}

impl Stage {
    /// Whose topics they are.
    pub const fn by(self) -> By {
        match self {
            Stage::Scan => By::Scan,
            Stage::Desk => By::Desk,
            Stage::All => By::Both,
        }
    }
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct MachineClock;

impl Clock for MachineClock {
    fn now(&self) -> Time {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Time::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}
