//! The commands: each reads its arguments, does its work through the other modules, and says how
//! it ended.

pub mod accounts;
pub mod adopt;
pub mod check;
mod columns;
pub mod completions;
pub mod config;
pub mod demo;
pub mod desk;
mod duration;
mod layout;
pub mod load;
pub mod offers;
pub mod plan;
pub mod publish;
pub mod replay;
pub mod run;
mod settings;
mod table_check;
pub mod topics;
pub mod transactions;

use std::fmt::Display;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use zeroize::Zeroizing;

use crate::core::code::Secret;
use crate::core::time::Time;
use crate::service::MachineClock;
use crate::worker::Clock as _;

/// Why a command did not end well. What it prints goes to stderr, behind `hashbuy: `.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Wrong use: arguments, configuration, or a file that cannot be read. Exit code 2.
    #[error("{0}")]
    Usage(String),
    /// It failed while running. Exit code 1.
    #[error("{0}")]
    Failed(String),
    /// It failed, and has said so already. Exit code 1.
    #[error("failed")]
    Reported,
    /// Nobody reads stdout any more, as in `hashbuy replay ... | head`: a quiet end. Exit code 0.
    #[error("stdout was closed")]
    Closed,
}

impl Error {
    /// A wrong use, with the message of its cause.
    pub fn usage(cause: impl ToString) -> Error {
        Error::Usage(cause.to_string())
    }

    /// A failure while running, with the message of its cause.
    pub fn failed(cause: impl ToString) -> Error {
        Error::Failed(cause.to_string())
    }

    /// An error of writing to stdout.
    pub fn stdout(error: &io::Error) -> Error {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Error::Closed;
        }
        Error::Failed(format!("stdout cannot be written: {error}"))
    }

    /// The exit code of the program.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Error::Closed => 0,
            Error::Failed(_) | Error::Reported => 1,
            Error::Usage(_) => 2,
        })
    }

    /// True if there is something left to tell the user.
    pub fn is_told(&self) -> bool {
        matches!(self, Error::Usage(_) | Error::Failed(_))
    }
}

/// Says something to the user. Nothing can be done for one whose stderr is gone.
pub fn tell(message: impl Display) {
    let _ = writeln!(io::stderr(), "{message}");
}

/// The present time by the machine's clock.
fn now() -> Time {
    MachineClock.now()
}

/// Reads the secret of the codes: the file's content without line ends at its end. `setting` is what named
/// the file.
fn read_secret(setting: &str, path: &Path) -> Result<Secret, Error> {
    let file = path.display();
    let bytes = std::fs::read(path)
        .map(Zeroizing::new)
        .map_err(|error| Error::Usage(format!("{setting} {file}: cannot be read: {error}")))?;
    let end = bytes.iter().rposition(|byte| !matches!(byte, b'\n' | b'\r')).map_or(0, |last| last + 1);
    Secret::new(&bytes[..end]).map_err(|error| {
        Error::Usage(format!("{setting} {file}: {error}; write at least 32 random bytes into it"))
    })
}
