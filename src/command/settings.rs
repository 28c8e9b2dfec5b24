//! The settings of a command: file, environment, flags.

use std::path::PathBuf;

use clap::Args;

use super::Error;
use crate::config::{Config, Origins};

/// Where settings are given.
#[derive(Debug, Clone, Default, Args)]
pub struct Settings {
    /// The configuration file
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// A setting, over the environment and the file, such as web.port=9464; may be repeated
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub set: Vec<String>,
}

impl Settings {
    /// The arguments that give them, for another process of this program.
    pub fn arguments(&self) -> Vec<String> {
        let file = self.config.iter().flat_map(|file| ["--config".to_owned(), file.display().to_string()]);
        file.chain(self.set.iter().flat_map(|set| ["--set".to_owned(), set.clone()])).collect()
    }

    /// All layers on top of each other.
    ///
    /// # Errors
    /// A wrong use.
    pub fn load(&self) -> Result<Config, Error> {
        Ok(self.load_with_origins()?.0)
    }

    /// The same, with where each setting is from.
    ///
    /// # Errors
    /// A wrong use.
    pub fn load_with_origins(&self) -> Result<(Config, Origins), Error> {
        Config::load_with_origins(self.config.as_deref(), std::env::vars_os(), &self.set)
            .map_err(Error::usage)
    }
}
