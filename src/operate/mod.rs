//! What people do with the state of the service when something has happened: look, mend, move.
//!
//! | module | what |
//! | --- | --- |
//! | [`reading`] | partitions from one offset to another, and the newest record of a kind |
//! | [`offsets`] | how far the group of the desk is, and how far its changelog |
//! | [`quiet`] | that nobody is at work, and that nothing is left to be done |
//! | [`snapshot`] | the file that a state is moved in |
//! | [`merge`] | what the partitions of a state have in common, when their number changes |
//! | [`export`], [`import`] | a state out of its topics, and into others |
//! | [`check`] | whether everything is as it has to be |
//!
//! Nothing in here runs beside the work: the service does not need it to live. What a person is asked, and
//! how things are shown, is in [`command`](crate::command).

pub mod check;
pub mod export;
pub mod import;
pub mod merge;
pub mod offsets;
pub mod quiet;
pub mod reading;
pub mod snapshot;

use std::time::{Duration, Instant};

use crate::log::{self, Kind};

/// The brokers have so long to answer a question.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why something cannot be done.
#[derive(Debug, thiserror::Error)]
pub enum Unable {
    /// The log says so.
    #[error("{0}")]
    Log(#[from] log::Error),
    /// It would not be safe; what to do is in the message.
    #[error("{0}")]
    Unsafe(String),
    /// A file cannot be read or written, or is not what it has to be.
    #[error("{0}")]
    File(String),
}

/// Asks again while the answer is that it may go well later, as of a topic that was made just now.
///
/// # Errors
/// The last answer, after 30 s.
pub fn patiently<T>(mut ask: impl FnMut() -> Result<T, log::Error>) -> Result<T, log::Error> {
    let until = Instant::now() + PATIENCE;
    loop {
        match ask() {
            Err(error) if error.kind == Kind::Retry && Instant::now() < until => {
                std::thread::sleep(Duration::from_millis(100));
            }
            answer => return answer,
        }
    }
}

/// Some of many numbers, for a message.
pub fn some_of(numbers: &[u32]) -> String {
    const SHOWN: usize = 12;
    let shown: Vec<String> = numbers.iter().take(SHOWN).map(u32::to_string).collect();
    let more =
        if numbers.len() > SHOWN { format!(" and {} more", numbers.len() - SHOWN) } else { String::new() };
    shown.join(", ") + &more
}
