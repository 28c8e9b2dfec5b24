//! Making topics, and asking how they are.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic as Wanted, ResourceSpecifier, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::types::RDKafkaErrorCode;

use super::KafkaLog;
use super::error::of_request;
use super::settings::Settings;
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
        let admin = admin(&self.settings)?;
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

impl KafkaLog {
    /// Deletes topics with all that is in them. One that is not there is no error. Waits up to 20 s.
    ///
    /// # Errors
    /// The first that could not be deleted, with the brokers' reason.
    pub async fn delete_topics(&self, topics: &[&str]) -> Result<(), Error> {
        let options = AdminOptions::new().operation_timeout(Some(PATIENCE)).request_timeout(Some(PATIENCE));
        let answers = admin(&self.settings)?.delete_topics(topics, &options).await;
        let failed = |what: String| Error::new(Kind::Fatal, what);
        for answer in answers.map_err(|error| failed(format!("topics cannot be deleted: {error}")))? {
            match answer {
                Ok(_) | Err((_, RDKafkaErrorCode::UnknownTopicOrPartition)) => {}
                Err((name, code)) => return Err(failed(format!("topic {name} cannot be deleted: {code}"))),
            }
        }
        Ok(())
    }

    /// Forgets what groups without members have committed. One that is not there is no error. Waits up to 20 s.
    ///
    /// # Errors
    /// The first that could not be forgotten, with the brokers' reason: it may have members.
    pub async fn forget_groups(&self, groups: &[&str]) -> Result<(), Error> {
        let options = AdminOptions::new().request_timeout(Some(PATIENCE));
        let answers = admin(&self.settings)?.delete_groups(groups, &options).await;
        let failed = |what: String| Error::new(Kind::Fatal, what);
        for answer in answers.map_err(|error| failed(format!("groups cannot be deleted: {error}")))? {
            match answer {
                Ok(_) | Err((_, RDKafkaErrorCode::GroupIdNotFound)) => {}
                Err((name, code)) => return Err(failed(format!("group {name} cannot be deleted: {code}"))),
            }
        }
        Ok(())
    }
}

/// A client that asks how topics are, and makes them.
pub(super) type Admin = AdminClient<DefaultClientContext>;

/// # Errors
/// [`Kind::Fatal`] for properties that librdkafka does not take.
pub(super) fn admin(settings: &Settings) -> Result<Admin, Error> {
    let client = settings.lookup(Isolation::Uncommitted);
    client.create().map_err(|error| Error::new(Kind::Fatal, format!("kafka.properties: {error}")))
}

/// The settings of a topic, defaults included; none if there is none, or we may not know.
///
/// # Errors
/// [`Kind::Retry`]
pub(super) fn topic_settings(admin: &Admin, topic: &str) -> Result<Option<BTreeMap<String, String>>, Error> {
    let what = format!("the settings of topic {topic} cannot be looked up");
    let options = AdminOptions::new().request_timeout(Some(PATIENCE));
    let answer = wait_for(admin.describe_configs(&[ResourceSpecifier::Topic(topic)], &options));
    let answer = answer.map_err(|error| of_request(&what, &error))?.into_iter().next();
    match answer {
        // No settings at all is how librdkafka hands an unknown topic on.
        Some(Ok(found)) if found.entries.is_empty() => Ok(None),
        Some(Ok(found)) => {
            let entries = found.entries.into_iter();
            Ok(Some(entries.filter_map(|entry| Some((entry.name, entry.value?))).collect()))
        }
        Some(Err(
            RDKafkaErrorCode::UnknownTopicOrPartition
            | RDKafkaErrorCode::UnknownTopic
            | RDKafkaErrorCode::TopicAuthorizationFailed
            | RDKafkaErrorCode::ClusterAuthorizationFailed,
        )) => Ok(None),
        Some(Err(code)) => Err(Error::new(Kind::Retry, format!("{what}: {code}"))),
        None => Err(Error::new(Kind::Retry, format!("{what}: no answer"))),
    }
}

/// Waits for an answer of the admin client, on a thread that has nothing else to do.
fn wait_for<F: Future>(answer: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut answer = pin!(answer);
    loop {
        match answer.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

fn wanted(topic: &NewTopic) -> Wanted<'_> {
    let partitions = i32::try_from(topic.partitions).unwrap_or(i32::MAX);
    let replication = TopicReplication::Fixed(i32::try_from(topic.replication).unwrap_or(i32::MAX));
    let wanted = Wanted::new(&topic.name, partitions, replication);
    topic.settings.iter().fold(wanted, |wanted, (name, value)| wanted.set(name, value))
}
