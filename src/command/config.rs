//! `hashbuy config`: the settings, and where they are from.

use clap::{Args, Subcommand};

use crate::command::Error;
use crate::command::desk::print;
use crate::command::settings::Settings;
use crate::config::Config as Configuration;
use crate::log::kafka::Settings as KafkaSettings;

/// What can be done with the settings.
#[derive(Debug, Subcommand)]
pub enum Config {
    /// The settings in force, each with where it is from
    #[command(after_help = "\
Behind each setting stands where it is from: default, the file, the environment variable, --set. The \
output is a configuration file itself, but for secrets, which are hidden. What `run` would refuse is \
refused here too.

Exit codes: 0 done, 1 stdout cannot be written, 2 wrong use or configuration.

Examples:
  hashbuy config show --config hashbuy.toml
  hashbuy config show --default > hashbuy.toml")]
    Show(Show),
}

/// Arguments of `config show`.
#[derive(Debug, Args)]
pub struct Show {
    /// Every setting at its default instead, with what it is for and what it may be
    #[arg(long, conflicts_with_all = ["config", "set"])]
    pub default: bool,
    /// Its settings
    #[command(flatten)]
    pub settings: Settings,
}

/// Runs `hashbuy config`.
///
/// # Errors
/// How it ended, if not well.
pub fn run(config: &Config) -> Result<(), Error> {
    let Config::Show(show) = config;
    if show.default {
        return print(&Configuration::example());
    }
    let (config, origins) = show.settings.load_with_origins()?;
    let properties = config.service.properties.clone();
    let kafka = KafkaSettings { properties, ..KafkaSettings::new(&config.service.brokers) };
    kafka.validate().map_err(Error::usage)?;
    print(&config.shown(&origins))
}
