//! Where a load run takes place: topics of its own, which go when it has ended, and the processes on them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;

use super::super::stencils;
use super::Run;
use super::progress::Progress;
use crate::command::{Error, now, topics};
use crate::config::Config;
use crate::load::Failed;
use crate::load::fill::{Filled, Filling, fill};
use crate::load::mix::Matches;
use crate::load::rounds::Measured;
use crate::load::tables;
use crate::log::kafka::{Codec, KafkaLog};
use crate::worker::Topics;

/// A group has no members any more so soon after they have left.
const LEFT: Duration = Duration::from_secs(20);

/// The site.
pub struct Site<'r> {
    run: &'r Run,
    log: Arc<KafkaLog>,
    runtime: Runtime,
    /// What the names of its topics and groups begin with.
    name: String,
    /// This program, to be started again.
    program: PathBuf,
    /// Further settings of what is started.
    settings: Vec<String>,
    folder: PathBuf,
    made: Vec<String>,
    progress: Progress,
}

impl<'r> Site<'r> {
    /// A site with no topics yet. Logs, and if need be a secret, go into `folder`, which is made.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub fn new(
        run: &'r Run,
        config: &Config,
        log: Arc<KafkaLog>,
        folder: PathBuf,
        progress: Progress,
    ) -> Result<Site<'r>, Error> {
        let digits = now().to_string();
        let digits: String = digits.chars().filter(char::is_ascii_digit).take(14).collect();
        fs::create_dir_all(&folder)
            .map_err(|error| Error::Failed(format!("--out: {} cannot be made: {error}", folder.display())))?;
        let mut settings = run.settings.arguments();
        if config.service.secret_file.is_none() {
            let secret = folder.join("secret");
            fs::write(&secret, "the secret of a load run, which protects nobody")
                .map_err(|error| Error::Failed(format!("{} cannot be written: {error}", secret.display())))?;
            settings.extend(["--set".to_owned(), format!("codes.secret_file={}", secret.display())]);
        }
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::failed)?;
        let program = std::env::current_exe().map_err(Error::failed)?;
        Ok(Site {
            run,
            log,
            runtime,
            name: format!("load-{digits}"),
            program,
            settings,
            folder,
            made: Vec::new(),
            progress,
        })
    }

    /// How far the run is.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// The log.
    pub fn log(&self) -> &Arc<KafkaLog> {
        &self.log
    }

    /// Makes all topics of an application, with partitions of the firehose and of the inbox.
    ///
    /// # Errors
    /// If they cannot be made.
    pub fn topics(&mut self, part: &str, partitions: (u32, u32)) -> Result<Topics, Error> {
        let topics = Topics::of(&format!("{}-{part}", self.name));
        self.runtime.block_on(topics::make(&self.log, &topics, partitions))?;
        let Topics { tweets, offers, accounts, card_transactions, inbox, .. } = topics.clone();
        let Topics { changelog, purchases, orders, dead_letters, .. } = topics.clone();
        self.made.extend([tweets, offers, accounts, card_transactions, inbox]);
        self.made.extend([changelog, purchases, orders, dead_letters]);
        Ok(topics)
    }

    /// Publishes offers and accounts.
    ///
    /// # Errors
    /// Those of the log.
    pub fn publish(&self, topics: &Topics, offers: u64, accounts: u64) -> Result<(), Error> {
        tables::publish(&*self.log, topics, offers, accounts, now()).map_err(Error::failed)
    }

    /// Fills the topic of the tweets with so many records, of which made-up tweets have so many bytes at least.
    ///
    /// # Errors
    /// Those of the log, and of the file of tweets.
    pub fn fill(
        &self,
        topics: &Topics,
        codec: Codec,
        matches: Matches,
        (records, tweet_bytes): (u64, usize),
        progress: &mut dyn FnMut(u64),
    ) -> Result<Filled, Error> {
        let filling = Filling {
            topic: topics.tweets.clone(),
            records,
            rate: None,
            codec,
            matches,
            seed: self.run.seed,
        };
        let stencils = stencils(self.run.template.as_deref(), self.run.seed, tweet_bytes)?;
        fill(&self.log, &filling, stencils, now(), progress).map_err(Error::failed)
    }

    /// Processes on these topics.
    pub fn measured(&self, topics: &Topics, part: &str, instances: u32) -> Measured {
        let named = [
            ("tweets", &topics.tweets),
            ("offers", &topics.offers),
            ("accounts", &topics.accounts),
            ("card_transactions", &topics.card_transactions),
            ("inbox", &topics.inbox),
            ("changelog", &topics.changelog),
            ("purchases", &topics.purchases),
            ("orders", &topics.orders),
            ("dead_letters", &topics.dead_letters),
        ];
        let sets =
            named.into_iter().flat_map(|(what, name)| ["--set".to_owned(), format!("topics.{what}={name}")]);
        Measured {
            program: self.program.clone(),
            settings: self.settings.iter().cloned().chain(sets).collect(),
            core: self.run.core,
            folder: self.folder.clone(),
            app: format!("{}-{part}", self.name),
            instances,
        }
    }

    /// Forgets what a group has committed, as soon as its members have left.
    ///
    /// # Errors
    /// If they do not.
    pub fn forget(&self, group: &str) -> Result<(), Failed> {
        let until = Instant::now() + LEFT;
        loop {
            match self.runtime.block_on(self.log.forget_groups(&[group])) {
                Err(_) if Instant::now() < until => std::thread::sleep(Duration::from_millis(100)),
                forgotten => return Ok(forgotten?),
            }
        }
    }

    /// Deletes a topic before the end.
    ///
    /// # Errors
    /// With the brokers' reason.
    pub fn delete(&mut self, topic: &str) -> Result<(), Error> {
        self.made.retain(|made| made != topic);
        self.runtime.block_on(self.log.delete_topics(&[topic])).map_err(Error::failed)
    }

    /// Deletes all that it has made on the brokers.
    ///
    /// # Errors
    /// With the brokers' reason.
    pub fn clear(&mut self) -> Result<(), Error> {
        let made = std::mem::take(&mut self.made);
        let made: Vec<&str> = made.iter().map(String::as_str).collect();
        self.runtime.block_on(self.log.delete_topics(&made)).map_err(Error::failed)
    }

    /// Where logs and report are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}
