//! The state of a desk, out of a file into topics that hold nothing yet.
//!
//! It goes in whole or not at all: all partitions, and the offsets of the group, are one transaction. Before
//! it begins each partition of the changelog gets a record that says so, which the transaction takes away
//! again: a desk that is started after an import that did not end finds that record and no offset, and stops,
//! where an empty changelog would look to it like a first start. To run an import again is always safe.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::export::{belongs, shown_key};
use super::merge::Common;
use super::offsets::partitions;
use super::quiet::{GROUPS, nobody_in, nothing_unread};
use super::reading::{read as read_topic, whole};
use super::snapshot::{Entry, Header, Part, Section, read};
use super::{Unable, patiently, some_of};
use crate::core::desk::Change;
use crate::core::inbox::encode_as;
use crate::core::time::Time;
use crate::log::kafka::KafkaLog;
use crate::log::{Kind, Log, NewRecord, Partition, Transactions};
use crate::worker::Topics;
use crate::worker::needs::{self, By};
use crate::worker::partitioner::partition_of;

/// The brokers have so long to take what stands before the transaction.
const ACKNOWLEDGED: Duration = Duration::from_secs(30);

/// What was imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// How many partitions it was in, and how many it is in now.
    pub partitions: (u32, u32),
    /// Accounts and stocks.
    pub entities: u64,
    /// Desk time of all partitions now.
    pub desk_time: Time,
    /// Whether the topics that it is from are still there, and it is sure that nothing has happened in them.
    pub is_sure: bool,
}

/// A snapshot that was read once and found good.
struct Known {
    header: Header,
    sections: Vec<Section>,
    common: Common,
    entities: u64,
}

/// Writes the state in a file into the inbox and the changelog of the configuration, which have to be empty.
///
/// # Errors
/// [`Unable::Unsafe`] with what has to be done first; [`Unable::File`]; [`Unable::Log`], and then nothing was
/// imported, unless the message says that this is not known.
pub fn import(log: &KafkaLog, app: &str, topics: &Topics, path: &Path) -> Result<Imported, Unable> {
    let known = survey(path)?;
    let mut lookup = log.lookup()?;
    needs::check(&mut *lookup, topics, By::Desk).map_err(|stop| Unable::Unsafe(stop.to_string()))?;
    nobody_in(log, app, topics, &GROUPS)?;
    let is_sure = has_not_moved(log, app, topics, &known)?;
    let numbers = partitions(log, topics)?;
    let count = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
    // Whatever an import before this one has left open ends here.
    let id = format!("{app}-desk-import");
    let mut transactions = patiently(|| log.bulk(&id))?;
    let offsets = empty(log, topics, &numbers)?;
    announce(log, topics, &numbers)?;
    // What a broker says of the members of a group is old by the time it is heard. These offsets the coordinator
    // itself refuses if anybody is in the group. Alone they start no desk: it finds no offset in the changelog.
    let group = format!("{app}-desk");
    patiently(|| log.commit_by_hand(&group, &offsets))?;
    let topic: Arc<str> = topics.changelog.as_str().into();
    let to = |number, key: &str, value| NewRecord {
        partition: Partition { topic: Arc::clone(&topic), number },
        key: Some(key.as_bytes().to_vec()),
        value,
        headers: Vec::new(),
    };
    let encode = |change: &Change| Some(encode_as(topics.version, change));
    transactions.begin()?;
    for (inbox, offset) in &offsets {
        let number = inbox.number;
        transactions.send(&to(number, Change::IMPORT, None))?;
        let partition = known.common.partition(*offset, count);
        transactions.send(&to(number, Change::PARTITION, encode(&partition)))?;
        for (key, told) in known.common.told() {
            transactions.send(&to(number, &key, encode(&told)))?;
        }
    }
    let mut written = 0;
    read(path, |_, part| {
        if let Part::Entry(Entry { key, value }) = part
            && is_entity(&key)
        {
            let number = partition_of(key.as_bytes(), count);
            // Read and written anew, so that all of it has the version that is written from now on.
            let change = Change::decode(value.get().as_bytes())
                .map_err(|error| Unable::File(format!("{}: {}: {error}", path.display(), shown_key(&key))))?;
            transactions.send(&to(number, &key, encode(&change)))?;
            written += 1;
        }
        Ok(())
    })?;
    if written != known.entities {
        return Err(Unable::File(format!("{}: was changed while it was read", path.display())));
    }
    // The broker takes these offsets whoever is in the group by now.
    nobody_in(log, app, topics, &GROUPS)?;
    commit(log, app, &mut *transactions, &offsets)?;
    let (desk_time, entities) = (known.common.desk_time, known.entities);
    Ok(Imported { partitions: (known.header.partitions, count), entities, desk_time, is_sure })
}

fn is_entity(key: &str) -> bool {
    ["account/", "offer/", "card/"].iter().any(|kind| key.starts_with(kind))
}

/// Reads the file to its end, checks every record, and keeps what all partitions have in common.
fn survey(path: &Path) -> Result<Known, Unable> {
    let (mut sections, mut common, mut entities): (Vec<Section>, _, _) = (Vec::new(), Common::default(), 0);
    let header = read(path, |header, part| {
        match part {
            Part::Section(section) => sections.push(section),
            Part::Entry(Entry { key, value }) => {
                let number = sections.last().map_or(0, |section| section.partition);
                let change = Change::decode(value.get().as_bytes());
                let change = change.and_then(|change| {
                    belongs(&key, &change, number, header.partitions)?;
                    Ok(change)
                });
                let change = change.map_err(|error| {
                    Unable::File(format!("{}: {}: {error}", path.display(), shown_key(&key)))
                })?;
                if !common.take(&change) {
                    entities += 1;
                }
            }
        }
        Ok(())
    })?;
    Ok(Known { header, sections, common, entities })
}

/// Makes sure that nothing has happened in the topics that the state is from since it was exported. False if
/// they are gone, so that nobody can know.
fn has_not_moved(log: &KafkaLog, app: &str, topics: &Topics, known: &Known) -> Result<bool, Unable> {
    let Known { header, sections, .. } = known;
    if header.app != app {
        return Err(Unable::Unsafe(format!(
            "the file is of app {:?}, the configuration of {app:?}: use the same app, or codes and ids would differ",
            header.app
        )));
    }
    let mut lookup = log.lookup()?;
    if header.inbox == topics.inbox || patiently(|| lookup.partitions(&header.inbox))?.is_none() {
        return Ok(false);
    }
    let topic: Arc<str> = header.inbox.as_str().into();
    let old: Vec<Partition> =
        sections.iter().map(|section| Partition::new(Arc::clone(&topic), section.partition)).collect();
    let committed = patiently(|| lookup.committed(&format!("{app}-desk"), &old))?;
    let mut read_up_to = Vec::new();
    for ((partition, section), committed) in old.into_iter().zip(sections).zip(committed) {
        let committed = committed.map(|committed| committed.offset);
        if committed.is_some() && committed != section.offset {
            return Err(Unable::Unsafe(format!(
                "the desk has worked on {partition} since the export: export again, and import that"
            )));
        }
        let first = whole(&mut *lookup, &partition)?.from;
        read_up_to.push((partition, section.offset.unwrap_or(first)));
    }
    nothing_unread(log, &read_up_to)?;
    Ok(true)
}

/// Makes sure that the topics are empty. Returns where each partition of the inbox begins.
fn empty(log: &dyn Log, topics: &Topics, numbers: &[u32]) -> Result<Vec<(Partition, u64)>, Unable> {
    let mut lookup = log.lookup()?;
    let (mut offsets, mut spans, mut filled) = (Vec::new(), Vec::new(), Vec::new());
    for &number in numbers {
        let inbox = whole(&mut *lookup, &Partition::new(topics.inbox.as_str(), number))?;
        if inbox.until > inbox.from {
            filled.push(number);
        }
        offsets.push((inbox.partition, inbox.until));
        spans.push(whole(&mut *lookup, &Partition::new(topics.changelog.as_str(), number))?);
    }
    if !filled.is_empty() {
        return Err(not_empty(&topics.inbox, &filled));
    }
    read_topic(log, &spans, |message| {
        let is_announced = message.key == Some(Change::IMPORT.as_bytes());
        if !is_announced && !filled.contains(&message.partition) {
            filled.push(message.partition);
        }
    })?;
    filled.sort_unstable();
    if filled.is_empty() { Ok(offsets) } else { Err(not_empty(&topics.changelog, &filled)) }
}

fn not_empty(topic: &str, filled: &[u32]) -> Unable {
    Unable::Unsafe(format!(
        "{topic} is not empty (partitions {}): an import wants topics that were made just now, by `hashbuy topics create` \
         under new names. If an import into it has ended just now, it is done already",
        some_of(filled)
    ))
}

/// Says in each partition of the changelog that an import has begun, outside of any transaction.
fn announce(log: &dyn Log, topics: &Topics, numbers: &[u32]) -> Result<(), Unable> {
    let mut producer = log.producer()?;
    for &number in numbers {
        producer.send(NewRecord {
            partition: Partition::new(topics.changelog.as_str(), number),
            key: Some(Change::IMPORT.as_bytes().to_vec()),
            value: Some(encode_as(topics.version, &Change::Import)),
            headers: Vec::new(),
        })?;
    }
    match producer.outstanding(ACKNOWLEDGED)? {
        0 => Ok(()),
        left => Err(Unable::Unsafe(format!("{left} records were not acknowledged: try again"))),
    }
}

fn commit(
    log: &KafkaLog,
    app: &str,
    transactions: &mut dyn Transactions,
    offsets: &[(Partition, u64)],
) -> Result<(), Unable> {
    let standing = log.outsider(&format!("{app}-desk"))?;
    transactions.commit(offsets, &standing).map_err(|error| match error.kind {
        Kind::Unknown => Unable::Unsafe(format!("{error}: run the same import again, it will say")),
        _ => Unable::Log(error),
    })
}
