//! `hashbuy offers`: the table of offers.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use crate::command::{Error, table_check};
use crate::config::Config;
use crate::core::tables::OfferTable;

/// What can be done with offers.
#[derive(Debug, Subcommand)]
pub enum Offers {
    /// Check a file of offers, without publishing anything
    #[command(after_help = "\
Each record is checked by itself, and that no two offers have one hashtag. What is
rejected is reported on stderr, one line each; a summary follows on stdout.

Exit codes: 0 all are valid, 1 some are rejected, 2 the file cannot be read or is no JSON.

Examples:
  hashbuy offers check offers.jsonl
  zcat offers.jsonl.gz | hashbuy offers check -")]
    Check(Check),
}

/// Arguments of `offers check`.
#[derive(Debug, Args)]
pub struct Check {
    /// Offers as JSON lines or one JSON array, plain or compressed by gzip, bzip2 or zstd; - is stdin
    pub file: PathBuf,
    /// The configuration file, for the prefix of the codes
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Runs `hashbuy offers`.
///
/// # Errors
/// How it ended, if not well.
pub fn run(offers: &Offers) -> Result<(), Error> {
    match offers {
        Offers::Check(Check { file, config }) => {
            let config = Config::load(config.as_deref(), std::env::vars_os()).map_err(Error::usage)?;
            check(file, &config.settings.code_prefix)
        }
    }
}

fn check(file: &Path, code_prefix: &str) -> Result<(), Error> {
    let mut table = OfferTable::new();
    // The line of each offer's newest record, for offers that lose their tag to a later line.
    let mut lines = HashMap::new();
    table_check::check("offer", file, |line, change, rejected| {
        let change = table.apply(change.key.as_deref(), change.value.as_deref(), code_prefix);
        if let Some(id) = change.id {
            lines.insert(id, line);
        }
        if let Some(rejection) = change.rejection {
            let own = change.put.is_none();
            let loser = rejection.id().and_then(|id| lines.get(id)).copied();
            rejected.add(loser.filter(|_| !own).unwrap_or(line), rejection);
        }
    })
}
