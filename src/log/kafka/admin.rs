//! Making topics.

use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic as Wanted, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::types::RDKafkaErrorCode;

use super::KafkaLog;
use crate::log::{Error, Isolation, Kind};

/// The brokers have so long to make topics.
const PATIENCE: Duration = Duration::from_secs(20);

/// A topic to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTopic {
    /// Its name.
    pub name: String,
    /// How many partitions.
    pub partitions: u32,
    /// How many copies of each.
    pub replication: u32,
    /// Its settings, as Kafka calls them.
    pub settings: Vec<(&'static str, String)>,
}

/// What became of a topic that was to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// It is there now.
    New,
    /// It was there before, and stays as it is.
    Before,
}

impl KafkaLog {
    /// Makes topics; those that are there stay as they are. Waits up to 20 s.
    ///
    /// # Errors
    /// The first that could not be made, with the brokers' reason.
    pub async fn create_topics(&self, topics: &[NewTopic]) -> Result<Vec<Made>, Error> {
        let admin: AdminClient<DefaultClientContext> = self
            .settings
            .lookup(Isolation::Uncommitted)
            .create()
            .map_err(|error| Error::new(Kind::Fatal, format!("kafka.properties: {error}")))?;
        let wanted: Vec<Wanted<'_>> = topics.iter().map(wanted).collect();
        let options = AdminOptions::new().operation_timeout(Some(PATIENCE)).request_timeout(Some(PATIENCE));
        let answers = admin
            .create_topics(&wanted, &options)
            .await
            .map_err(|error| Error::new(Kind::Fatal, format!("topics cannot be made: {error}")))?;
        let made = answers.into_iter().map(|answer| match answer {
            Ok(_) => Ok(Made::New),
            Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => Ok(Made::Before),
            Err((name, code)) => Err(Error::new(Kind::Fatal, format!("topic {name} cannot be made: {code}"))),
        });
        made.collect()
    }
}

fn wanted(topic: &NewTopic) -> Wanted<'_> {
    let partitions = i32::try_from(topic.partitions).unwrap_or(i32::MAX);
    let replication = TopicReplication::Fixed(i32::try_from(topic.replication).unwrap_or(i32::MAX));
    let wanted = Wanted::new(&topic.name, partitions, replication);
    topic.settings.iter().fold(wanted, |wanted, (name, value)| wanted.set(name, value))
}
