//! `hashbuy load drive`.

use std::io::{self, Write as _};
use std::time::Duration;

use clap::Args;

use super::fill::Firehose;
use super::{bar, stencils};
use crate::command::run::connect;
use crate::command::settings::Settings;
use crate::command::{Error, duration, tell};
use crate::load::drive::{Driving, drive};
use crate::load::report::Percentiles;

/// Arguments of `load drive`.
#[derive(Debug, Args)]
#[command(after_help = "\
The service runs elsewhere: `hashbuy run` with the same topics. Offers and accounts of the shoppers \
are published before the first tweet, and card transactions while it lasts: one shopper in ten loads \
a coupon. Do not give it the topics of a real service.

A latency counts from the time at which its tweet was due, whether or not anything could keep up.

Examples:
  hashbuy load drive --config hashbuy.toml --rate 5000 --for 1m
  hashbuy load drive --config hashbuy.toml --rate 50000 --arrivals 50")]
pub struct Drive {
    /// Its settings
    #[command(flatten)]
    pub settings: Settings,
    /// Records in a second
    #[arg(long, value_name = "N", default_value_t = 5_000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub rate: u32,
    /// How long, without the warm-up
    #[arg(long = "for", value_name = "TIME", default_value = "30s", value_parser = duration::parse)]
    pub lasts: Duration,
    /// What comes before is not counted
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration::parse)]
    pub warm_up: Duration,
    /// Shoppers who set out in a second; one for a thousand records, if it is not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub arrivals: Option<u32>,
    /// What is sent
    #[command(flatten)]
    pub firehose: Firehose,
}

/// Shoppers who set out in a second, at a rate of records.
pub fn arrivals(rate: f64) -> f64 {
    (rate / 1e3).clamp(1.0, 1e3)
}

/// Runs `hashbuy load drive`.
///
/// # Errors
/// How it ended, if not well: also if an offer tweet has no answer, or anything was billed twice.
pub fn run(args: &Drive) -> Result<(), Error> {
    let config = args.settings.load()?;
    let Firehose { template, seed, tweet_bytes, .. } = &args.firehose;
    let stencils = stencils(template.as_deref(), *seed, *tweet_bytes)?;
    let log = connect(&config)?;
    let rate = f64::from(args.rate);
    let driving = Driving {
        rate,
        arrivals: args.arrivals.map_or_else(|| arrivals(rate), f64::from),
        warm_up: args.warm_up,
        lasts: args.lasts,
        codec: args.firehose.codec,
        seed: args.firehose.seed,
    };
    let bar = bar((rate * (args.warm_up + args.lasts).as_secs_f64()) as u64, "driving");
    let mut progress = |sent| bar.set_position(sent);
    let (driven, ()) = drive(&log, &config.service.topics, &driving, stencils, &mut progress, |_| Ok(()))?;
    bar.finish_and_clear();
    let mut out = io::stdout().lock();
    let mut said = || -> io::Result<()> {
        writeln!(out, "{} records sent, {:.0} in a second; {rate} were due", driven.sent, driven.reached)?;
        writeln!(
            out,
            "{:<40} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}",
            "latency in ms", "count", "p50", "p90", "p99", "p99.9", "max"
        )?;
        write_latency(&mut out, "offer tweet to purchase.requested", &driven.heard.requested)?;
        write_latency(&mut out, "code tweet to purchase.confirmed", &driven.heard.confirmed)
    };
    said().map_err(|error| Error::stdout(&error))?;
    if driven.heard.ledger.doubles > 0 {
        return Err(Error::Failed(format!(
            "{} purchases were confirmed or billed twice, or coupons credited",
            driven.heard.ledger.doubles
        )));
    }
    if driven.unanswered > 0 {
        tell(format_args!(
            "{} offer tweets have no event; does `hashbuy run` read these topics?",
            driven.unanswered
        ));
        return Err(Error::Reported);
    }
    Ok(())
}

fn write_latency(out: &mut impl io::Write, what: &str, latency: &Percentiles) -> io::Result<()> {
    write!(out, "{what:<40} {:>9}", latency.count)?;
    for percentile in [50.0, 90.0, 99.0, 99.9, 100.0] {
        match latency.at(percentile) {
            Some(millis) => write!(out, " {millis:>9.1}")?,
            None => write!(out, " {:>9}", "-")?,
        }
    }
    writeln!(out)
}
