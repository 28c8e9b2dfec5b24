//! `hashbuy load baseline`.

use std::io::{self, Write as _};

use clap::Args;

use crate::command::run::connect;
use crate::command::settings::Settings;
use crate::command::{Error, now};
use crate::load::baseline::count;

/// Arguments of `load baseline`.
#[derive(Debug, Args)]
#[command(after_help = "\
It polls with the client settings of the scan, in a group of its own, from the beginning of the topic \
to its end, and does nothing with what it gets. No program on this client is faster.

Examples:
  hashbuy load baseline --config hashbuy.toml
  taskset -c 1 hashbuy load baseline --config hashbuy.toml --json")]
pub struct Baseline {
    /// Its settings
    #[command(flatten)]
    pub settings: Settings,
    /// The group; several processes that are given the same one share the topic
    #[arg(long, value_name = "NAME")]
    pub group: Option<String>,
    /// Print what was measured, and every sample, as JSON
    #[arg(long)]
    pub json: bool,
}

/// Runs `hashbuy load baseline`.
///
/// # Errors
/// How it ended, if not well.
pub fn run(args: &Baseline) -> Result<(), Error> {
    let config = args.settings.load()?;
    let log = connect(&config)?;
    let group =
        args.group.clone().unwrap_or_else(|| format!("{}-baseline-{}", config.service.app, now().millis()));
    let topic = &config.service.topics.tweets;
    let pass = count(&log, &group, topic)?;
    let said = match args.json {
        true => serde_json::to_string(&pass).map_err(Error::failed)?,
        false => format!(
            "{topic}: {} records, {:.0} bytes each, in {:.2} s: {:.0} records/s, {:.0} for each second of the processor",
            pass.tweets,
            pass.bytes as f64 / (pass.tweets.max(1)) as f64,
            pass.wall_seconds,
            pass.per_second(),
            pass.per_cpu_second(),
        ),
    };
    writeln!(io::stdout(), "{said}").map_err(|error| Error::stdout(&error))
}
