//! `hashbuy topics`: the topics that the service needs.

use std::time::{Duration, Instant};

use clap::{Args, Subcommand};

use crate::command::run::connect;
use crate::command::settings::Settings;
use crate::command::{Error, tell};
use crate::log::kafka::{KafkaLog, Made, NewTopic};
use crate::log::{Isolation, Kind, Log, Lookup, Partition};
use crate::worker::Topics as Names;
use crate::worker::needs::{Need, Partitions, Setting, needs};

/// New topics are served within so long, or it is a failure.
const PATIENCE: Duration = Duration::from_secs(20);

/// What can be done with topics.
#[derive(Debug, Subcommand)]
pub enum Topics {
    /// Make the topics that are missing
    #[command(after_help = "\
Topics that are there stay as they are. The number of inbox partitions is fixed once there is \
state: choose it for the greatest number of desk workers there will ever be.

Examples:
  hashbuy topics create --config hashbuy.toml
  hashbuy topics create --config hashbuy.toml --inbox-partitions 64 --replication 3")]
    Create(Create),
}

/// Arguments of `topics create`.
#[derive(Debug, Args)]
pub struct Create {
    /// Its settings
    #[command(flatten)]
    pub settings: Settings,
    /// Partitions of the firehose, where it is not there yet
    #[arg(long, value_name = "N", default_value_t = 8)]
    pub tweets_partitions: u32,
    /// Partitions of the inbox and of the changelog
    #[arg(long, value_name = "N", default_value_t = 8)]
    pub inbox_partitions: u32,
    /// Copies of each partition; 3 on a cluster
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub replication: u32,
}

/// Runs `hashbuy topics`.
///
/// # Errors
/// How it ended, if not well.
pub fn run(topics: &Topics) -> Result<(), Error> {
    let Topics::Create(create) = topics;
    let config = create.settings.load()?;
    let log = connect(&config)?;
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::failed)?;
    let partitions = (create.tweets_partitions, create.inbox_partitions);
    let wanted = wanted(&config.service.topics, partitions, create.replication);
    let made = runtime.block_on(log.create_topics(&wanted)).map_err(Error::failed)?;
    for (topic, made) in wanted.iter().zip(made) {
        match made {
            Made::New => tell(format_args!("{}: made, {} partitions", topic.name, topic.partitions)),
            Made::Before => tell(format_args!("{}: is there", topic.name)),
        }
    }
    await_leaders(&*log, &wanted)
}

/// Makes topics under these names with partitions of the firehose and of the inbox, one copy of each.
///
/// # Errors
/// If they cannot be made, or are not served soon.
pub async fn make(log: &KafkaLog, names: &Names, partitions: (u32, u32)) -> Result<(), Error> {
    let wanted = wanted(names, partitions, 1);
    log.create_topics(&wanted).await.map_err(Error::failed)?;
    await_leaders(log, &wanted)
}

/// Waits until every partition answers: a topic that was just made has no leaders yet, and the next command
/// would stumble over that.
fn await_leaders(log: &dyn Log, topics: &[NewTopic]) -> Result<(), Error> {
    let mut lookup = log.lookup().map_err(Error::failed)?;
    let until = Instant::now() + PATIENCE;
    for topic in topics {
        loop {
            match are_led(&mut *lookup, &topic.name) {
                Ok(true) => break,
                Err(error) if error.kind != Kind::Retry => return Err(Error::failed(error)),
                answer if Instant::now() >= until => {
                    let why = answer.err().map(|error| format!(": {error}")).unwrap_or_default();
                    return Err(Error::Failed(format!(
                        "topic {} was made, but is not served after {} s{why}",
                        topic.name,
                        PATIENCE.as_secs()
                    )));
                }
                _ => std::thread::sleep(Duration::from_millis(50)),
            }
        }
    }
    Ok(())
}

/// Whether a topic is there and each of its partitions tells where it ends.
fn are_led(lookup: &mut dyn Lookup, topic: &str) -> Result<bool, crate::log::Error> {
    let Some(partitions) = lookup.partitions(topic)? else { return Ok(false) };
    for number in 0..partitions {
        lookup.watermarks(&Partition::new(topic, number), Isolation::Uncommitted)?;
    }
    Ok(partitions > 0)
}

/// The topics that are needed, as they are to be made. Partitions are those of the firehose and of the inbox.
fn wanted(names: &Names, (tweets, inboxes): (u32, u32), replication: u32) -> Vec<NewTopic> {
    let made = |Need { topic: name, partitions, settings, .. }| {
        let partitions = match partitions {
            Partitions::AsTweets => tweets,
            Partitions::AsInbox => inboxes,
            Partitions::One => 1,
        };
        let mut settings: Vec<(&'static str, String)> =
            settings.into_iter().map(|Setting { name, value, .. }| (name, value)).collect();
        settings.push(("unclean.leader.election.enable", "false".into()));
        if replication >= 3 {
            settings.push(("min.insync.replicas", "2".into()));
        }
        NewTopic { name, partitions, replication, settings }
    };
    needs(names).into_iter().map(made).collect()
}
