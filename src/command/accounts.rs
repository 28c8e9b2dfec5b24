//! `hashbuy accounts`: the table of linked accounts.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use crate::command::{Error, table_check};
use crate::config::Config;
use crate::core::tables::AccountTable;

/// What can be done with accounts.
#[derive(Debug, Subcommand)]
pub enum Accounts {
    /// Check a file of accounts, without publishing anything
    #[command(after_help = "\
Each record is checked by itself, and that not too many accounts share a card. What is
rejected is reported on stderr, one line each and never with a card token; a summary
follows on stdout.

Exit codes: 0 all are valid, 1 some are rejected, 2 the file cannot be read or is no JSON.

Examples:
  hashbuy accounts check accounts.jsonl
  HASHBUY_LIMITS_ACCOUNTS_PER_CARD=5 hashbuy accounts check accounts.jsonl.zst")]
    Check(Check),
}

/// Arguments of `accounts check`.
#[derive(Debug, Args)]
pub struct Check {
    /// Accounts as JSON lines or one JSON array, plain or compressed by gzip, bzip2 or zstd; - is stdin
    pub file: PathBuf,
    /// The configuration file, for the limit of accounts on one card
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Runs `hashbuy accounts`.
///
/// # Errors
/// How it ended, if not well.
pub fn run(accounts: &Accounts) -> Result<(), Error> {
    match accounts {
        Accounts::Check(Check { file, config }) => {
            let config = Config::load(config.as_deref(), std::env::vars_os()).map_err(Error::usage)?;
            check(file, config.settings.limits.accounts_per_card)
        }
    }
}

fn check(file: &Path, accounts_per_card: u64) -> Result<(), Error> {
    let mut table = AccountTable::new(accounts_per_card);
    table_check::check("account", file, |line, change, rejected| {
        if let Err(rejection) = table.apply(change.key.as_deref(), change.value.as_deref()) {
            rejected.add(line, rejection);
        }
    })
}
