//! `hashbuy desk`: the state of the desk, for operators.

use std::io::Write as _;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::command::adopt::{self, Adopt};
use crate::command::run::connect;
use crate::command::settings::Settings;
use crate::command::{Error, tell};
use crate::operate::export::export;
use crate::operate::import::import;
use crate::operate::{Unable, quiet};

/// What can be done with the state of the desk.
#[derive(Debug, Subcommand)]
pub enum Desk {
    /// Take the changelog's offsets for the desk's group, when the two disagree
    #[command(after_help = adopt::HELP)]
    Adopt(Adopt),
    /// Write the whole state into a file, to move it to another number of inbox partitions
    #[command(after_help = "\
Everything has to stand still, and the inbox has to be decided on to its end: stop the scan stage \
first, let the desk stage run until nothing is left, then stop it too. What is missing is said, and \
then nothing is written. The file holds card tokens; only its owner can read it.

Exit codes: 0 exported, 1 it is not safe now or failed, 2 wrong use or configuration.

Examples:
  hashbuy desk export state.jsonl --config hashbuy.toml")]
    Export(Export),
    /// Write the state in a file into new, empty topics, with as many partitions as they have
    #[command(after_help = "\
The configuration has to name an inbox and a changelog that were made just now, under new names. \
All of it goes in, or nothing: after a crash run the same command again. If the topics that the \
state is from are still there, it is made sure that nothing has happened in them since.

Exit codes: 0 imported, 1 it is not safe now or failed, 2 wrong use or configuration.

Examples:
  hashbuy topics create --config hashbuy.toml --inbox-partitions 12
  hashbuy desk import state.jsonl --config hashbuy.toml")]
    Import(Import),
}

/// Arguments of `desk export`.
#[derive(Debug, Args)]
pub struct Export {
    /// The file to be made
    pub file: PathBuf,
    /// Its settings
    #[command(flatten)]
    pub settings: Settings,
}

/// Arguments of `desk import`.
#[derive(Debug, Args)]
pub struct Import {
    /// A file that `desk export` has made
    pub file: PathBuf,
    /// Its settings
    #[command(flatten)]
    pub settings: Settings,
}

/// Runs `hashbuy desk`.
///
/// # Errors
/// How it ended, if not well.
pub fn run(desk: &Desk) -> Result<(), Error> {
    match desk {
        Desk::Adopt(adopt) => adopt::run(adopt),
        Desk::Export(Export { file, settings }) => {
            let config = settings.load()?;
            let service = &config.service;
            let log = connect(&config)?;
            let done = export(&log, &service.app, &service.topics, file).map_err(error)?;
            tell(format_args!(
                "{}: {} records of {} partitions, desk time {}; it holds card tokens",
                file.display(),
                done.records,
                done.partitions,
                done.desk_time
            ));
            Ok(())
        }
        Desk::Import(Import { file, settings }) => {
            let config = settings.load()?;
            let service = &config.service;
            let log = connect(&config)?;
            let done = import(&log, &service.app, &service.topics, file).map_err(error)?;
            let (before, now) = done.partitions;
            tell(format_args!(
                "{}: {} accounts and stocks of {before} partitions are in the {now} of {}, desk time {}",
                file.display(),
                done.entities,
                service.topics.inbox,
                done.desk_time
            ));
            if !done.is_sure {
                tell(
                    "the topics that it is from are not there any more, so nobody knows whether anything has happened in \
                     them since the export",
                );
            }
            Ok(())
        }
    }
}

/// Writes text to stdout.
pub(super) fn print(text: &str) -> Result<(), Error> {
    std::io::stdout().lock().write_all(text.as_bytes()).map_err(|error| Error::stdout(&error))
}

/// How a command ends that cannot do what it was to do.
pub(super) fn error(unable: Unable) -> Error {
    match unable {
        Unable::File(why) => Error::Usage(why),
        unable => Error::failed(unable),
    }
}

/// The group of the desk, with its stage, for [`quiet::nobody_in`].
pub(super) const DESK: &[(&str, &str)] = &[quiet::GROUPS[0]];
