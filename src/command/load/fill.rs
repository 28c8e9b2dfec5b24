//! `hashbuy load fill`.

use std::path::PathBuf;

use clap::Args;

use super::{bar, stencils};
use crate::command::run::connect;
use crate::command::settings::Settings;
use crate::command::{Error, now, tell};
use crate::load::fill::{Filling, fill};
use crate::load::mix::Matches;
use crate::load::tables;
use crate::log::kafka::Codec;

/// Arguments of `load fill`.
#[derive(Debug, Args)]
#[command(after_help = "\
The topic has to be there: `hashbuy topics create` makes it. Offers and accounts are published \
before the first tweet, as offer-0 and so on: do not give it the topics of a real service.

Examples:
  hashbuy load fill --config hashbuy.toml --records 2000000
  hashbuy load fill --config hashbuy.toml --records 600000 --rate 5000 --one-in 1000
  hashbuy load fill --config hashbuy.toml --template my-tweets.jsonl.gz")]
pub struct Fill {
    /// Its settings
    #[command(flatten)]
    pub settings: Settings,
    /// Records to write, deletions and control messages among them
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub records: u64,
    /// Records in a second; as fast as it goes, if it is not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub rate: Option<u32>,
    /// What is sent
    #[command(flatten)]
    pub firehose: Firehose,
    /// Tweets with an offer's tag: one in so many; 0: none
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    pub one_in: u64,
    /// Offers to publish
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub offers: u64,
    /// Linked accounts to publish
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub accounts: u64,
}

/// What the firehose is made of.
#[derive(Debug, Clone, Args)]
pub struct Firehose {
    /// A file of tweets to send, with new ids and times, instead of made-up ones
    #[arg(long, value_name = "FILE")]
    pub template: Option<PathBuf>,
    /// Bytes of a made-up tweet at least; they have 2,900 or so
    #[arg(long, value_name = "N", default_value_t = 0, conflicts_with = "template",
          value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(0..=500_000))]
    pub tweet_bytes: usize,
    /// How batches are compressed: none, lz4, zstd, gzip, snappy
    #[arg(long, value_name = "CODEC", default_value_t = Codec::None)]
    pub codec: Codec,
    /// The same seed makes the same records, but for their times
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
}

/// Runs `hashbuy load fill`.
///
/// # Errors
/// How it ended, if not well.
pub fn run(args: &Fill) -> Result<(), Error> {
    let config = args.settings.load()?;
    let Firehose { template, seed, tweet_bytes, .. } = &args.firehose;
    let stencils = stencils(template.as_deref(), *seed, *tweet_bytes)?;
    let log = connect(&config)?;
    let topics = &config.service.topics;
    tables::publish(&*log, topics, args.offers, args.accounts, now()).map_err(Error::failed)?;
    let filling = Filling {
        topic: topics.tweets.clone(),
        records: args.records,
        rate: args.rate.map(f64::from),
        codec: args.firehose.codec,
        matches: Matches { one_in: args.one_in, offers: args.offers, accounts: args.accounts },
        seed: args.firehose.seed,
    };
    let bar = bar(args.records, "filling");
    let filled =
        fill(&log, &filling, stencils, now(), &mut |sent| bar.set_position(sent)).map_err(Error::failed)?;
    bar.finish_and_clear();
    tell(format_args!(
        "{}: {} records, {} of them for an offer, {:.2} GB in {:.1} s: {:.0} records/s, {:.0} for each second of the \
         processor",
        topics.tweets,
        filled.records,
        filled.matches,
        filled.bytes as f64 / 1e9,
        filled.seconds,
        filled.records as f64 / filled.seconds,
        filled.records as f64 / filled.cpu_seconds,
    ));
    Ok(())
}
