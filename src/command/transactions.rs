//! `hashbuy transactions`: what was paid with cards.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use crate::command::publish::{TableTopic, checked_plain};
use crate::command::settings::Settings;
use crate::command::{Error, tell};
use crate::config::Config;
use crate::core::transaction::Transaction;

/// What can be done with card transactions.
#[derive(Debug, Subcommand)]
pub enum Transactions {
    /// Publish card transactions from a file
    #[command(after_help = "\
The whole file is checked first. If anything is wrong nothing is published: each line that is wrong is \
told on stderr, never with a card token.

A record is a payment, or a refund of one:
  {\"transaction_id\":\"t-88\",\"card_token\":\"tok_9f2c\",\"merchant_id\":\"m-4\",
   \"amount\":{\"amount\":6200,\"currency\":\"USD\"},\"kind\":\"payment\",\"at\":\"2013-02-20T12:00:00.000Z\"}
  {...,\"transaction_id\":\"t-93\",\"kind\":\"refund\",\"of\":\"t-88\",\"at\":\"2013-02-22T09:30:00.000Z\"}
One that is published again under its id does nothing.

Exit codes: 0 published, 1 a record is bad or the brokers cannot be reached, 2 wrong use, or a file that \
cannot be read or is no JSON.

Examples:
  hashbuy transactions put transactions.jsonl --config hashbuy.toml")]
    Put(Put),
}

/// Arguments of `transactions put`.
#[derive(Debug, Args)]
pub struct Put {
    /// Card transactions as JSON lines or one JSON array; - is stdin
    pub file: PathBuf,
    /// Its settings
    #[command(flatten)]
    pub settings: Settings,
}

/// Runs `hashbuy transactions`.
///
/// # Errors
/// How it ended, if not well.
pub fn run(transactions: &Transactions) -> Result<(), Error> {
    match transactions {
        Transactions::Put(Put { file, settings }) => put(file, &settings.load()?),
    }
}

fn put(file: &Path, config: &Config) -> Result<(), Error> {
    // Those of one card stay in their order.
    let records = checked_plain("transaction", file, |json| {
        Transaction::from_json(json).map(|transaction| transaction.card_token.as_str().to_owned())
    })?;
    let topic = TableTopic::unread(config, &config.service.topics.card_transactions)?;
    let count = topic.publish(records)?;
    let name = &config.service.topics.card_transactions;
    tell(format_args!("{}: {count} card transactions published to {name}", file.display()));
    Ok(())
}
