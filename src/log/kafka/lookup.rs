//! Looks things up, without reading or joining anything.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};

use super::admin::{Admin, admin, topic_settings};
use super::error::{lacking, of_request};
use super::partitions;
use super::reader::{Alone, Quiet, absolute};
use super::seek::ASK_WAIT;
use super::settings::Settings;
use crate::log::right::Resource;
use crate::log::{Committed, Error, Isolation, Kind, Lookup, Partition};

/// How long an open transaction is waited for that is about to change committed offsets.
const COMMITTED_WAIT: Duration = Duration::from_secs(2);

pub(super) struct KafkaLookup {
    settings: Settings,
    /// Which end it is told is a consumer's setting, so there are two.
    committed: Alone,
    uncommitted: Alone,
    groups: BTreeMap<String, Offsets>,
    /// Made when it is needed, and kept.
    admin: Option<Admin>,
}

impl Drop for KafkaLookup {
    /// To be rid of an admin client takes a tenth of a second, which nobody has to wait for.
    fn drop(&mut self) {
        if let Some(admin) = self.admin.take() {
            let _ = thread::Builder::new().name("admin's end".into()).spawn(|| drop(admin));
        }
    }
}

impl KafkaLookup {
    pub(super) fn new(settings: &Settings) -> Result<KafkaLookup, Error> {
        let client = |isolation| {
            settings.lookup(isolation).create_with_context(Quiet).map_err(|error| {
                Error::new(Kind::Fatal, format!("a client for look-ups cannot be made: {error}"))
            })
        };
        Ok(KafkaLookup {
            settings: settings.clone(),
            committed: client(Isolation::Committed)?,
            uncommitted: client(Isolation::Uncommitted)?,
            groups: BTreeMap::new(),
            admin: None,
        })
    }
}

impl Lookup for KafkaLookup {
    fn watermarks(&mut self, partition: &Partition, isolation: Isolation) -> Result<(u64, u64), Error> {
        let client = match isolation {
            Isolation::Committed => &self.committed,
            Isolation::Uncommitted => &self.uncommitted,
        };
        clear(client);
        watermarks(client, partition)
    }

    fn partitions(&mut self, topic: &str) -> Result<Option<u32>, Error> {
        clear(&self.uncommitted);
        partition_count(&self.uncommitted, topic)
    }

    fn settings(&mut self, topic: &str) -> Result<Option<BTreeMap<String, String>>, Error> {
        let admin = match &mut self.admin {
            Some(admin) => admin,
            none => none.insert(admin(&self.settings)?),
        };
        topic_settings(admin, topic)
    }

    fn committed(&mut self, group: &str, partitions: &[Partition]) -> Result<Vec<Option<Committed>>, Error> {
        if !self.groups.contains_key(group) {
            self.groups.insert(group.to_owned(), Offsets::new(&self.settings, group)?);
        }
        match self.groups.get(group) {
            Some(offsets) => offsets.committed(partitions),
            None => Ok(vec![None; partitions.len()]), // just inserted
        }
    }
}

/// Looks up the offsets of a group, under its name but without joining it.
pub(super) struct Offsets {
    client: Alone,
    group: String,
}

impl Offsets {
    pub(super) fn new(settings: &Settings, group: &str) -> Result<Offsets, Error> {
        let client = settings.offsets(group).create_with_context(Quiet).map_err(|error| {
            Error::new(Kind::Fatal, format!("group {group} cannot be looked up: {error}"))
        })?;
        Ok(Offsets { client, group: group.to_owned() })
    }

    pub(super) fn committed(&self, partitions: &[Partition]) -> Result<Vec<Option<Committed>>, Error> {
        clear(&self.client);
        committed(&self.client, &self.group, partitions).map_err(|error| self.denied().unwrap_or(error))
    }

    /// Whether the brokers refuse this user the group. librdkafka goes on asking them who coordinates it, and an
    /// answer that does not come is all that whoever waits for it gets to see.
    fn denied(&self) -> Option<Error> {
        while let Some(said) = self.client.poll(Duration::ZERO) {
            let Err(error @ KafkaError::MessageConsumption(Code::GroupAuthorizationFailed)) = said else {
                continue;
            };
            let denied = of_request(&format!("group {} cannot be looked up", self.group), &error);
            return Some(lacking(
                denied,
                error.rdkafka_error_code(),
                "Describe",
                Resource::Group,
                &self.group,
            ));
        }
        None
    }
}

/// The committed offsets of the consumer's group. The broker keeps its answer back while a transaction is
/// about to change one of them; librdkafka asks again until its time is over.
pub(super) fn committed<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    group: &str,
    partitions: &[Partition],
) -> Result<Vec<Option<Committed>>, Error> {
    if partitions.is_empty() {
        return Ok(Vec::new());
    }
    let what = format!("the committed offsets of group {group} cannot be looked up");
    let list = partitions::list(partitions.iter().map(|partition| (partition, 0)))?;
    let list = consumer.committed_offsets(list, COMMITTED_WAIT).map_err(|error| of_request(&what, &error))?;
    let mut found = Vec::with_capacity(partitions.len());
    for partition in partitions {
        let element = list.find_partition(&partition.topic, partitions::number(partition)?);
        let Some(element) = element else {
            return Err(Error::new(Kind::Retry, format!("{what}: no answer for {partition}")));
        };
        element.error().map_err(|error| of_request(&format!("{what}: {partition}"), &error))?;
        let offset = absolute(element.offset());
        found.push(offset.map(|offset| Committed { offset, metadata: element.metadata().to_owned() }));
    }
    Ok(found)
}

/// The first offset of a partition and the one behind its last, as the consumer may read it.
pub(super) fn watermarks<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    partition: &Partition,
) -> Result<(u64, u64), Error> {
    let what = format!("the ends of {partition} cannot be looked up");
    let number = partitions::number(partition)?;
    let (low, high) = consumer
        .fetch_watermarks(&partition.topic, number, ASK_WAIT)
        .map_err(|error| of_request(&what, &error))?;
    match (u64::try_from(low), u64::try_from(high)) {
        (Ok(low), Ok(high)) => Ok((low, high)),
        _ => Err(Error::new(Kind::Retry, format!("{what}: the broker says {low} and {high}"))),
    }
}

/// How many partitions a topic has; none if there is no such topic.
pub(super) fn partition_count<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    topic: &str,
) -> Result<Option<u32>, Error> {
    let what = format!("topic {topic:?} cannot be looked up");
    let metadata =
        consumer.fetch_metadata(Some(topic), ASK_WAIT).map_err(|error| of_request(&what, &error))?;
    let Some(found) = metadata.topics().iter().find(|found| found.name() == topic) else { return Ok(None) };
    match found.error().map(Code::from) {
        None => {}
        Some(Code::UnknownTopicOrPartition | Code::UnknownTopic) => return Ok(None),
        Some(code) => return Err(of_request(&what, &KafkaError::MetadataFetch(code))),
    }
    let count = u32::try_from(found.partitions().len()).unwrap_or(u32::MAX);
    Ok((count > 0).then_some(count))
}

/// Throws away what a client has to say that nobody listens to, so that it does not pile up.
fn clear(client: &Alone) {
    while client.poll(Duration::ZERO).is_some() {}
}
