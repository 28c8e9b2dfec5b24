//! `hashbuy accounts`: the table of linked accounts.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use crate::command::publish::{TableTopic, changed, checked};
use crate::command::settings::Settings;
use crate::command::{Error, table_check, tell};
use crate::config::Config;
use crate::core::account::Account;
use crate::core::tables::AccountTable;

/// What can be done with accounts.
#[derive(Debug, Subcommand)]
pub enum Accounts {
    /// Check a file of accounts, without publishing anything
    #[command(after_help = "\
Each record is checked by itself, and that not too many accounts share a card. What is \
rejected is reported on stderr, one line each and never with a card token; a summary \
follows on stdout.

Exit codes: 0 all are valid, 1 some are rejected, 2 the file cannot be read or is no JSON.

Examples:
  hashbuy accounts check accounts.jsonl
  HASHBUY_LIMITS_ACCOUNTS_PER_CARD=5 hashbuy accounts check accounts.jsonl.zst")]
    Check(Check),
    /// Publish accounts from a file
    #[command(after_help = "\
The whole file is checked first, also that no card is shared by too many accounts. If anything is \
wrong nothing is published.

Examples:
  hashbuy accounts put accounts.jsonl --config hashbuy.toml")]
    Put(Put),
    /// Unlink an account; what it has pending is cancelled
    Rm(One),
    /// Freeze an account; what it has pending is cancelled
    Freeze(One),
    /// Publish all accounts once more, after tables.epoch was raised
    Resend(All),
}

/// Arguments of `accounts put`.
#[derive(Debug, Args)]
pub struct Put {
    /// Accounts as JSON lines or one JSON array; - is stdin
    pub file: PathBuf,
    /// Its settings
    #[command(flatten)]
    pub settings: Settings,
}

/// An account.
#[derive(Debug, Args)]
pub struct One {
    /// The account's id
    pub account_id: String,
    /// Its settings
    #[command(flatten)]
    pub settings: Settings,
}

/// All accounts.
#[derive(Debug, Args)]
pub struct All {
    /// Its settings
    #[command(flatten)]
    pub settings: Settings,
}

/// Arguments of `accounts check`.
#[derive(Debug, Args)]
pub struct Check {
    /// Accounts as JSON lines or one JSON array, plain or compressed by gzip, bzip2 or zstd; - is stdin
    pub file: PathBuf,
    /// Its settings
    #[command(flatten)]
    pub settings: Settings,
}

/// Runs `hashbuy accounts`.
///
/// # Errors
/// How it ended, if not well.
pub fn run(accounts: &Accounts) -> Result<(), Error> {
    match accounts {
        Accounts::Check(Check { file, settings }) => {
            check(file, settings.load()?.settings.limits.accounts_per_card)
        }
        Accounts::Put(Put { file, settings }) => put(file, &settings.load()?),
        Accounts::Rm(One { account_id, settings }) => {
            let topic = table(&settings.load()?)?;
            topic.record("account", account_id)?;
            topic.publish([(account_id.clone(), None)])?;
            tell(format_args!("account {account_id}: unlinked"));
            Ok(())
        }
        Accounts::Freeze(One { account_id, settings }) => {
            let topic = table(&settings.load()?)?;
            let json = topic.record("account", account_id)?;
            topic.publish([(account_id.clone(), Some(changed(json, &[("status", "frozen".into())])?))])?;
            tell(format_args!("account {account_id}: frozen"));
            Ok(())
        }
        Accounts::Resend(All { settings }) => {
            let topic = table(&settings.load()?)?;
            let all = topic.records.iter().map(|(key, json)| (key.clone(), Some(json.clone())));
            let count = topic.publish(all)?;
            tell(format_args!("{count} accounts published once more"));
            Ok(())
        }
    }
}

fn table(config: &Config) -> Result<TableTopic, Error> {
    TableTopic::read(config, &config.service.topics.accounts)
}

fn put(file: &Path, config: &Config) -> Result<(), Error> {
    let topic = table(config)?;
    let mut accounts = AccountTable::new(config.settings.limits.accounts_per_card);
    for (key, json) in &topic.records {
        // What is published and not valid counts for nobody.
        let _ = accounts.apply(Some(key), Some(json));
    }
    let records = checked("account", file, |json| {
        let account = Account::from_json(json)?;
        let id = account.account_id.to_string();
        accounts.put(account).map(|_| id)
    })?;
    let count = topic.publish(records)?;
    tell(format_args!(
        "{}: {count} accounts published to {}",
        file.display(),
        config.service.topics.accounts
    ));
    Ok(())
}

fn check(file: &Path, accounts_per_card: u64) -> Result<(), Error> {
    let mut table = AccountTable::new(accounts_per_card);
    table_check::check("account", file, |line, change, rejected| {
        if let Err(rejection) = table.apply(change.key.as_deref(), change.value.as_deref()) {
            rejected.add(line, rejection);
        }
    })
}
