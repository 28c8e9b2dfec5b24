//! The configuration: defaults, over them a TOML file, over that environment variables, over those flags.
//!
//! Every setting has one dotted name, `purchase.window_seconds`. In the file it stands under its
//! section, `[purchase]`; as an environment variable it is `HASHBUY_PURCHASE_WINDOW_SECONDS`.
//! A name that is no setting is an error, as a misspelt limit would be no limit.

mod keys;
mod layers;
mod notes;
mod service;
mod show;

use std::ffi::OsString;
use std::path::Path;

use crate::core::ids::AccountId;
use crate::core::settings::Settings;

pub use service::Service;
pub use show::Origins;

/// All settings, checked.
///
/// | name | default | range |
/// | --- | --- | --- |
/// | `revision` | 1 | 0 or more |
/// | `codes.prefix` | `Confirm` | 1 to 20 ASCII letters and digits, one a letter |
/// | `purchase.window_seconds` | 900 | 60 to 3,600 |
/// | `time.slack_seconds` | 30 | 0 to 3,600 |
/// | `limits.per_day` | 100,000 | minor units, 0 or more |
/// | `limits.pendings` | 5 | 0 or more |
/// | `limits.requests_per_hour` | 20 | 0 or more |
/// | `limits.wrong_codes_per_hour` | 5 | 1 or more |
/// | `limits.hold_seconds` | 3,600 | 0 to ten years |
/// | `limits.accounts_per_card` | 3 | 1 or more |
/// | `scan.ignore_authors` | none | ids, as texts or numbers; in the environment with commas between |
/// | `input.max_record_bytes` | 4 MiB | 1 KiB to 1 GiB |
/// | `app` | `hashbuy` | letters, digits, `.`, `_`, `-` |
/// | `instance` | `0` | the same; each process has its own |
/// | `codes.secret_file` | none | a path; needed by `run` |
/// | `kafka.brokers` | `127.0.0.1:9092` | `host:port`, with commas between |
/// | `kafka.properties.<name>` | none | librdkafka's, but for those that the guarantees hang on |
/// | `kafka.property_files.<name>` | none | a file that holds the value of such a property, for secrets |
/// | `topics.tweets` ... `topics.dead_letters` | `tweets`, `offers`, `accounts`, `card-transactions`, `inbox`, `desk-changelog`, `purchases`, `orders`, `dead-letters` | names |
/// | `topics.inbox_partitions` | all that there are | 1 to 100,000 |
/// | `records.version` | 1 | 1 to 2: see [`versioned`](crate::core::versioned) |
/// | `scan.workers`, `desk.workers` | 1 | 1 to 1,024 |
/// | `scan.strangers_per_second` | 10 | 0 to 1,000,000 for each scan worker |
/// | `tables.epoch` | 0 | 0 or more |
/// | `firehose.silent` | `wait` | `wait`, `advance` |
/// | `web.port` | 9464 | 0 to 65,535 |
/// | `web.address` | `127.0.0.1` | an IP address |
/// | `web.token_file` | none | a path: who wants more than the public list shows what is in it |
/// | `web.show_ids` | `false` | `true`, `false`; with another address than loopback it needs a token |
/// | `texts.requested` ... `texts.refused.sold_out` | see [`Texts`](crate::core::settings::Texts) | templates |
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Config {
    /// What decides, and the texts.
    pub settings: Settings,
    /// The first stage.
    pub scan: Scan,
    /// What comes in.
    pub input: InputLimits,
    /// The service on Kafka.
    pub service: Service,
}

/// Settings of the scan.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Scan {
    /// Authors whose tweets are dropped: the bot and the merchants. Sorted, without repetition.
    pub ignore_authors: Vec<AccountId>,
}

/// Bounds on what comes in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputLimits {
    /// The largest tweet record in bytes; a larger one is a dead letter.
    pub max_record_bytes: usize,
}

impl Default for InputLimits {
    fn default() -> InputLimits {
        InputLimits { max_record_bytes: 4 << 20 }
    }
}

/// Why a configuration cannot be used. The message names the setting, where it is from, its value
/// and the way to mend it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(String);

impl Config {
    /// Reads `file`, if there is one, then the `HASHBUY_...` ones among `variables`, then `flags`, each
    /// `NAME=VALUE`.
    ///
    /// # Errors
    /// The first setting that is wrong, or a file that cannot be read.
    pub fn load(
        file: Option<&Path>,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
        flags: &[String],
    ) -> Result<Config, ConfigError> {
        Ok(Config::load_with_origins(file, variables, flags)?.0)
    }

    /// The same, with where each setting is from.
    ///
    /// # Errors
    /// The first setting that is wrong, or a file that cannot be read.
    pub fn load_with_origins(
        file: Option<&Path>,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
        flags: &[String],
    ) -> Result<(Config, Origins), ConfigError> {
        let mut settings = Vec::new();
        if let Some(file) = file {
            let text = std::fs::read_to_string(file)
                .map_err(|error| ConfigError(format!("{}: cannot be read: {error}", file.display())))?;
            settings = layers::of_toml(&file.display().to_string(), &text)?;
        }
        settings.extend(layers::of_variables(variables)?);
        settings.extend(layers::of_flags(flags)?);
        let mut config = Config::default();
        settings.iter().try_for_each(|setting| keys::set(&mut config, setting))?;
        config.check()?;
        Ok((config, Origins::of(&settings)))
    }

    /// Whether the settings go together.
    fn check(&self) -> Result<(), ConfigError> {
        let Service { address, show_ids, token_file, .. } = &self.service;
        if *show_ids && token_file.is_none() && !address.is_loopback() {
            return Err(ConfigError(format!(
                "web.show_ids is true and web.address is {address}: anybody who gets there would see who buys what; set \
                 web.token_file, or take the loopback address"
            )));
        }
        Ok(())
    }

    /// Lays the text of a TOML file over what is set already; `file` is its name for messages.
    ///
    /// # Errors
    /// The first setting that is wrong.
    pub fn add_toml(&mut self, file: &str, text: &str) -> Result<(), ConfigError> {
        for setting in layers::of_toml(file, text)? {
            keys::set(self, &setting)?;
        }
        Ok(())
    }

    /// Lays environment variables over what is set already; those of others are left alone.
    ///
    /// # Errors
    /// The first setting that is wrong.
    pub fn add_variables(
        &mut self,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<(), ConfigError> {
        for setting in layers::of_variables(variables)? {
            keys::set(self, &setting)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
