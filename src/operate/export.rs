//! The state of the desk, out of its topics into a file.
//!
//! Only of a service that stands still and has nothing left to do: nobody in its groups, every record of the
//! inbox decided on, no transaction open, and offsets that agree. That is looked at before and after reading.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::offsets::{Offsets, Verdict, offsets, partitions};
use super::quiet::{GROUPS, nobody_in, nothing_unread};
use super::reading::{read, whole};
use super::snapshot::{Header, Section, Writer};
use super::{Unable, patiently, some_of};
use crate::core::desk::Change;
use crate::core::inbox::{Corrupt, Key};
use crate::core::time::Time;
use crate::log::kafka::KafkaLog;
use crate::log::{Log, Partition};
use crate::worker::Topics;
use crate::worker::partitioner::partition_of;

/// What was exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// Of so many partitions.
    pub partitions: u32,
    /// So many records.
    pub records: u64,
    /// The greatest desk time.
    pub desk_time: Time,
}

/// Writes the state of an application's desk into a file.
///
/// # Errors
/// [`Unable::Unsafe`] with what has to be done first; [`Unable::File`].
pub fn export(log: &KafkaLog, app: &str, topics: &Topics, path: &Path) -> Result<Exported, Unable> {
    let before = standing(log, app, topics)?;
    let count = u32::try_from(before.len()).unwrap_or(u32::MAX);
    let mut writer = Writer::new(path, &Header::new(app, &topics.inbox, &topics.changelog, count))?;
    let mut desk_time = Time::ZERO;
    for offsets in &before {
        let (section, records) = partition(log, topics, offsets, count)?;
        desk_time = desk_time.max(section.desk_time);
        writer.partition(&section, &records)?;
    }
    // Nobody may have come in the meantime, or the file is a mixture.
    if standing(log, app, topics)? != before {
        return Err(Unable::Unsafe(
            "the service has worked meanwhile: stop all of it and export again".into(),
        ));
    }
    let records = writer.finish()?;
    Ok(Exported { partitions: count, records, desk_time })
}

/// How far the desk is in all partitions, if it is safe to move its state.
fn standing(log: &KafkaLog, app: &str, topics: &Topics) -> Result<Vec<Offsets>, Unable> {
    nobody_in(log, app, topics, &GROUPS)?;
    let found = offsets(log, app, topics, &partitions(log, topics)?)?;
    for offsets in &found {
        match offsets.verdict() {
            Verdict::Agree | Verdict::Expired => {}
            verdict => {
                return Err(Unable::Unsafe(format!(
                    "{}: {verdict} (group {}, changelog {}): see `hashbuy desk adopt`",
                    offsets.inbox,
                    shown(offsets.group),
                    shown(offsets.changelog)
                )));
            }
        }
    }
    let count = found.len();
    let others: Vec<u32> = found
        .iter()
        .filter(|offsets| {
            let says = offsets.state.as_ref().and_then(|state| state.partitions);
            says.is_some_and(|says| says as usize != count)
        })
        .map(|offsets| offsets.inbox.number)
        .collect();
    if let Some(says) = found.iter().find_map(|offsets| offsets.state.as_ref()?.partitions)
        && !others.is_empty()
    {
        return Err(Unable::Unsafe(format!(
            "{} has {count} partitions, but the state was made with another number (partitions {}): if it was {says}, set \
             topics.inbox_partitions = {says}",
            topics.inbox,
            some_of(&others)
        )));
    }
    let read_up_to: Vec<(Partition, u64)> = found
        .iter()
        .map(|offsets| (offsets.inbox.clone(), offsets.changelog.unwrap_or(offsets.bounds.0)))
        .collect();
    nothing_unread(log, &read_up_to)?;
    nothing_unread(log, &beyond(log, topics, count)?)?;
    Ok(found)
}

/// Partitions of the inbox beyond those that are used, from their beginning: somebody may have written there
/// who did not know.
fn beyond(log: &dyn Log, topics: &Topics, used: usize) -> Result<Vec<(Partition, u64)>, Unable> {
    let mut lookup = log.lookup()?;
    let has = patiently(|| lookup.partitions(&topics.inbox))?.unwrap_or(0);
    let mut found = Vec::new();
    for number in u32::try_from(used).unwrap_or(u32::MAX)..has {
        let partition = Partition::new(topics.inbox.as_str(), number);
        let from = whole(&mut *lookup, &partition)?.from;
        found.push((partition, from));
    }
    Ok(found)
}

/// The living records of a partition of the changelog.
fn partition(
    log: &dyn Log,
    topics: &Topics,
    offsets: &Offsets,
    count: u32,
) -> Result<(Section, BTreeMap<String, String>), Unable> {
    let number = offsets.inbox.number;
    let changelog = Partition { topic: Arc::from(topics.changelog.as_str()), number };
    let mut lookup = log.lookup()?;
    let span = whole(&mut *lookup, &changelog)?;
    let (mut records, mut bad) = (BTreeMap::new(), None);
    read(log, &[span], |message| {
        let key = String::from_utf8_lossy(message.key.unwrap_or_default()).into_owned();
        match message.value {
            None => drop(records.remove(&key)),
            // What stands there is checked when it is known to be the newest of its key.
            Some(value) => match std::str::from_utf8(value) {
                Ok(text) => drop(records.insert(key, text.to_owned())),
                Err(_) => bad = Some(format!("{changelog}@{}: a record that is no text", message.offset)),
            },
        }
    })?;
    let mut section = Section { partition: number, offset: None, desk_time: Time::ZERO, records: 0 };
    for (key, value) in &records {
        let change = Change::decode(value.as_bytes());
        match change.and_then(|change| belongs(key, &change, number, count).map(|()| change)) {
            Ok(Change::Partition { offset, partition }) => {
                (section.offset, section.desk_time) = (Some(offset), partition.desk_time);
            }
            Ok(_) => {}
            Err(error) => bad = Some(format!("{changelog}: {}: {error}", shown_key(key))),
        }
    }
    if let Some(bad) = bad {
        return Err(Unable::Unsafe(bad));
    }
    section.records = records.len() as u64;
    Ok((section, records))
}

/// A key, without the token of a card.
pub(super) fn shown_key(key: &str) -> &str {
    if key.starts_with("card/") { "a card" } else { key }
}

/// Whether a record stands where its key says.
pub(super) fn belongs(key: &str, change: &Change, number: u32, count: u32) -> Result<(), Corrupt> {
    let wrong = |why: String| Err(Corrupt::OutOfPlace(why));
    let own = match change {
        Change::Account(buyer) => format!("account/{}", buyer.id),
        Change::Offer { offer_id, .. } => format!("offer/{offer_id}"),
        Change::Card { card_token, .. } => Key::Card(card_token.clone()).to_string(),
        Change::Told { offer_id, .. } => format!("told/{offer_id}"),
        Change::Partition { .. } => Change::PARTITION.to_owned(),
        Change::Import => {
            return wrong("an import was begun and did not end: run `hashbuy desk import` again".into());
        }
    };
    if own != key {
        return wrong(format!("it has the state of {}", shown_key(&own)));
    }
    let is_entity = matches!(change, Change::Account(_) | Change::Offer { .. } | Change::Card { .. });
    let place = partition_of(key.as_bytes(), count);
    if is_entity && place != number {
        return wrong(format!(
            "it stands in partition {number} and belongs to {place} of {count}: was the number of partitions changed \
             before? Then set topics.inbox_partitions to the number that the state was made with"
        ));
    }
    Ok(())
}

fn shown(offset: Option<u64>) -> String {
    offset.map_or("none".to_owned(), |offset| offset.to_string())
}
