//! The topics of a desk worker, and how an event is written to them.

use crate::core::event::Event;
use crate::core::time::Time;
use crate::core::versioned::to_json;
use crate::log::{Log, NewRecord};
use crate::worker::needs::Misfit;
use crate::worker::{Stop, Topic, Topics};

/// Where a desk worker reads and writes.
pub(super) struct DeskTopics {
    pub inbox: Topic,
    pub changelog: Topic,
    pub purchases: Topic,
    pub orders: Topic,
}

/// What an event was decided on.
pub(super) struct Cause<'c> {
    pub app: &'c str,
    pub now: Time,
    pub partition: u32,
    pub offset: u64,
}

impl DeskTopics {
    pub fn look_up(log: &dyn Log, topics: &Topics) -> Result<DeskTopics, Stop> {
        let mut lookup = log.lookup()?;
        let inbox = Topic::inbox(&mut *lookup, topics)?;
        let mut named = |name: &str| Topic::look_up(&mut *lookup, name);
        let changelog = named(&topics.changelog)?;
        let found = DeskTopics {
            inbox,
            changelog: Topic { partitions: topics.used(changelog.partitions), ..changelog },
            purchases: named(&topics.purchases)?,
            orders: named(&topics.orders)?,
        };
        let (inbox, changelog) = (&found.inbox, &found.changelog);
        match Misfit::partitions((&inbox.name, inbox.partitions), (&changelog.name, changelog.partitions)) {
            None => Ok(found),
            Some(misfit) => Err(misfit.into()),
        }
    }

    /// An event in CloudEvents' Kafka binding, binary mode, with what it was decided on.
    pub fn event(&self, event: &Event, topic: &Topic, cause: &Cause<'_>) -> NewRecord {
        let key = event.account_id.to_string().into_bytes();
        let headers = vec![
            ("ce_specversion", b"1.0".to_vec()),
            ("ce_id", event.event_id.to_string().into_bytes()),
            ("ce_type", event.kind.as_str().as_bytes().to_vec()),
            ("ce_source", format!("hashbuy/{}", cause.app).into_bytes()),
            ("ce_time", event.at.to_string().into_bytes()),
            ("content-type", b"application/json".to_vec()),
            ("hashbuy-cause", format!("{}/{}", cause.partition, cause.offset).into_bytes()),
            ("hashbuy-now", cause.now.to_string().into_bytes()),
        ];
        // An event is a struct of plain values: nothing in it can fail to be written.
        let value = to_json(event);
        NewRecord { partition: topic.partition_of(&key), key: Some(key), value: Some(value), headers }
    }
}
