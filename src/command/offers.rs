//! `hashbuy offers`: the table of offers.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use crate::command::publish::{TableTopic, changed, checked};
use crate::command::settings::Settings;
use crate::command::{Error, table_check, tell};
use crate::config::Config;
use crate::core::offer::Offer;
use crate::core::tables::OfferTable;

/// What can be done with offers.
#[derive(Debug, Subcommand)]
pub enum Offers {
    /// Check a file of offers, without publishing anything
    #[command(after_help = "\
Each record is checked by itself, and that no two offers have one hashtag. What is \
rejected is reported on stderr, one line each; a summary follows on stdout.

Exit codes: 0 all are valid, 1 some are rejected, 2 the file cannot be read or is no JSON.

Examples:
  hashbuy offers check offers.jsonl
  zcat offers.jsonl.gz | hashbuy offers check -")]
    Check(Check),
    /// Publish offers from a file
    #[command(after_help = "\
The whole file is checked first, also against the offers that are published: of two offers with \
one hashtag neither is. If anything is wrong nothing is published.

Examples:
  hashbuy offers put offers.jsonl --config hashbuy.toml")]
    Put(Put),
    /// Withdraw an offer
    #[command(after_help = "\
What is pending can still be confirmed, unless --cancel-pending says otherwise.

Examples:
  hashbuy offers rm teapot --config hashbuy.toml")]
    Rm(Rm),
    /// Print the published offers, one JSON line each
    List(List),
}

/// Arguments of `offers put`.
#[derive(Debug, Args)]
pub struct Put {
    /// Offers as JSON lines or one JSON array; - is stdin
    pub file: PathBuf,
    /// Its settings
    #[command(flatten)]
    pub settings: Settings,
}

/// Arguments of `offers rm`.
#[derive(Debug, Args)]
pub struct Rm {
    /// The offer's id
    pub offer_id: String,
    /// Cancel what is pending
    #[arg(long)]
    pub cancel_pending: bool,
    /// Its settings
    #[command(flatten)]
    pub settings: Settings,
}

/// Arguments of `offers list`.
#[derive(Debug, Args)]
pub struct List {
    /// Its settings
    #[command(flatten)]
    pub settings: Settings,
}

/// Arguments of `offers check`.
#[derive(Debug, Args)]
pub struct Check {
    /// Offers as JSON lines or one JSON array, plain or compressed by gzip, bzip2 or zstd; - is stdin
    pub file: PathBuf,
    /// Its settings
    #[command(flatten)]
    pub settings: Settings,
}

/// Runs `hashbuy offers`.
///
/// # Errors
/// How it ended, if not well.
pub fn run(offers: &Offers) -> Result<(), Error> {
    match offers {
        Offers::Check(Check { file, settings }) => check(file, &settings.load()?.settings.code_prefix),
        Offers::Put(Put { file, settings }) => put(file, &settings.load()?),
        Offers::Rm(rm) => withdraw(rm, &rm.settings.load()?),
        Offers::List(List { settings }) => table(&settings.load()?)?.print(),
    }
}

fn table(config: &Config) -> Result<TableTopic, Error> {
    TableTopic::read(config, &config.service.topics.offers)
}

fn put(file: &Path, config: &Config) -> Result<(), Error> {
    let prefix = &config.settings.code_prefix;
    let topic = table(config)?;
    let mut offers = OfferTable::new();
    for (key, json) in &topic.records {
        offers.apply(Some(key), Some(json), prefix);
    }
    let records = checked("offer", file, |json| {
        let offer = Offer::from_json(json, prefix)?;
        let id = offer.offer_id.clone();
        offers.put(offer).map_or(Ok(id), Err)
    })?;
    let count = topic.publish(records)?;
    tell(format_args!("{}: {count} offers published to {}", file.display(), config.service.topics.offers));
    Ok(())
}

fn withdraw(rm: &Rm, config: &Config) -> Result<(), Error> {
    let topic = table(config)?;
    let json = topic.record("offer", &rm.offer_id)?;
    let fields = [("status", "withdrawn".into()), ("cancel_pending", rm.cancel_pending.into())];
    topic.publish([(rm.offer_id.clone(), Some(changed(json, &fields)?))])?;
    tell(format_args!("offer {}: withdrawn", rm.offer_id));
    Ok(())
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
