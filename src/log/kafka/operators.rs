//! What only operators ask of a cluster, and no worker does: who is in a group, how topics are spread over
//! the brokers, offsets that are committed by hand, and a transaction as large as a whole state.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::consumer::{CommitMode, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};

use super::error::{for_good, of_request};
use super::lookup::Offsets;
use super::member::Seat;
use super::reader::{Alone, Quiet};
use super::seek::ASK_WAIT;
use super::transactions::KafkaTransactions;
use super::{KafkaLog, Settings, partitions};
use crate::log::{Error, Isolation, Kind, Partition, Standing, Transactions};

/// A transaction of [`KafkaLog::bulk`] may be open so long. Brokers allow 15 min unless they are told
/// otherwise.
const BULK: Duration = Duration::from_secs(600);

/// A member of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupMember {
    /// What its client calls itself.
    pub client: String,
    /// Where it connects from.
    pub host: String,
}

/// How a partition lies on the brokers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spread {
    /// Whether it has a leader.
    pub has_leader: bool,
    /// Copies that there should be.
    pub copies: usize,
    /// Copies that are complete.
    pub in_sync: usize,
}

impl KafkaLog {
    /// Who is in a group at the moment. A process that was killed is in it until its session is over. `reads` is
    /// a partition that the group reads.
    ///
    /// # Errors
    /// [`Kind::Retry`]; [`Kind::Fatal`] if we may not know.
    pub fn members(&self, group: &str, reads: &Partition) -> Result<Vec<GroupMember>, Error> {
        let what = format!("the members of group {group} cannot be looked up");
        // Brokers leave a group that we may not see, or whose coordinator is moving, out of their lists without a
        // word: nobody would seem to be in it. Asked for its offsets they say so.
        Offsets::new(&self.settings, group)?.committed(std::slice::from_ref(reads))?;
        let client: Alone = create(&self.settings.lookup(Isolation::Uncommitted))?;
        // A group that never was is no error.
        let found = match client.fetch_group_list(Some(group), ASK_WAIT) {
            Err(KafkaError::GroupListFetch(Code::GroupIdNotFound)) => return Ok(Vec::new()),
            found => found.map_err(|error| of_request(&what, &error))?,
        };
        let Some(found) = found.groups().iter().find(|found| found.name() == group) else {
            return Ok(Vec::new());
        };
        let members = found.members().iter();
        Ok(members
            .map(|member| GroupMember {
                client: member.client_id().to_owned(),
                host: member.client_host().to_owned(),
            })
            .collect())
    }

    /// Commits offsets of a group that nobody is in. The broker refuses them if somebody is.
    ///
    /// # Errors
    /// [`Kind::Fenced`] if somebody is; [`Kind::Retry`]; [`Kind::Fatal`] if we may not.
    pub fn commit_by_hand(&self, group: &str, offsets: &[(Partition, u64)]) -> Result<(), Error> {
        let what = format!("the offsets of group {group} cannot be committed");
        let client: Alone = create(&self.settings.offsets(group))?;
        let list = partitions::list(offsets.iter().map(|(partition, offset)| (partition, *offset)))?;
        client.commit(&list, CommitMode::Sync).map_err(|error| of_request(&what, &error))
    }

    /// How many brokers there are.
    ///
    /// # Errors
    /// [`Kind::Retry`].
    pub fn brokers(&self) -> Result<usize, Error> {
        let client: Alone = create(&self.settings.lookup(Isolation::Uncommitted))?;
        let metadata = client.fetch_metadata(None, ASK_WAIT);
        let metadata = metadata.map_err(|error| of_request("the brokers cannot be looked up", &error))?;
        Ok(metadata.brokers().len())
    }

    /// How the partitions of a topic lie on the brokers; none if there is no such topic.
    ///
    /// # Errors
    /// [`Kind::Retry`]; [`Kind::Fatal`] if we may not know.
    pub fn spread(&self, topic: &str) -> Result<Option<Vec<Spread>>, Error> {
        let what = format!("topic {topic} cannot be looked up");
        let client: Alone = create(&self.settings.lookup(Isolation::Uncommitted))?;
        let metadata =
            client.fetch_metadata(Some(topic), ASK_WAIT).map_err(|error| of_request(&what, &error))?;
        let Some(found) = metadata.topics().iter().find(|found| found.name() == topic) else {
            return Ok(None);
        };
        match found.error().map(Code::from) {
            Some(Code::UnknownTopicOrPartition | Code::UnknownTopic) => return Ok(None),
            Some(code) if for_good(code) => return Err(Error::new(Kind::Fatal, format!("{what}: {code}"))),
            _ => {}
        }
        let spread = found.partitions().iter().map(|partition| Spread {
            has_leader: partition.leader() >= 0,
            copies: partition.replicas().len(),
            in_sync: partition.isr().len(),
        });
        Ok(Some(spread.collect()))
    }

    /// A producer of transactions that may take ten minutes and hold any number of records.
    ///
    /// # Errors
    /// As [`Log::transactions`](crate::log::Log::transactions).
    pub fn bulk(&self, id: &str) -> Result<Box<dyn Transactions + Send>, Error> {
        let mut settings = Settings { transaction: BULK, ..self.settings.clone() };
        settings.properties.entry("linger.ms".to_owned()).or_insert_with(|| "20".to_owned());
        Ok(Box::new(KafkaTransactions::new(&settings, id)?))
    }

    /// The standing of somebody who is not in a group, for [`Transactions::commit`]. The broker does not check
    /// it: whoever uses it has to know that nobody is in the group.
    ///
    /// # Errors
    /// [`Kind::Fatal`] if no client can be made.
    pub fn outsider(&self, group: &str) -> Result<Standing, Error> {
        let client: Alone = create(&self.settings.offsets(group))?;
        let metadata = client
            .group_metadata()
            .ok_or_else(|| Error::new(Kind::Fatal, format!("group {group}: librdkafka knows of no group")))?;
        Ok(Standing(Arc::new(Seat { metadata, group: group.to_owned() })))
    }
}

fn create(config: &rdkafka::ClientConfig) -> Result<Alone, Error> {
    config
        .create_with_context(Quiet)
        .map_err(|error| Error::new(Kind::Fatal, format!("kafka.properties: {error}")))
}
