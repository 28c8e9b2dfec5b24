//! How far the group of the desk is in the inbox, and how far its changelog says that it is.
//!
//! Both are written in one transaction, so they are the same, unless somebody has reset or lost one.

use std::fmt;
use std::sync::Arc;

use super::reading::newest;
use super::{Unable, patiently};
use crate::core::desk::{Change, Partition as State};
use crate::core::inbox::Corrupt;
use crate::log::{Isolation, Log, Message, Partition};
use crate::worker::Topics;

/// How far the desk is in one partition of the inbox.
#[derive(Debug, Clone, PartialEq)]
pub struct Offsets {
    /// The partition of the inbox.
    pub inbox: Partition,
    /// What the group has committed.
    pub group: Option<u64>,
    /// What the newest record of the partition in the changelog says.
    pub changelog: Option<u64>,
    /// The rest of that record.
    pub state: Option<State>,
    /// The first offset of the inbox, and the one behind its last.
    pub bounds: (u64, u64),
    /// Whether a transaction is open in the changelog.
    pub open: bool,
    /// Whether nothing at all stands in the changelog.
    pub is_empty: bool,
}

/// What is to be thought of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// They are the same, or there is nothing yet.
    Agree,
    /// The group has forgotten its offset: the desk takes the changelog's by itself.
    Expired,
    /// They are not, and the changelog's offset can be taken.
    Differ,
    /// The changelog has lost what it knew.
    Lost,
    /// What the changelog has not seen yet is no longer in the inbox.
    Gone,
    /// The changelog has seen more than the inbox ever held: it is another inbox.
    Beyond,
    /// A transaction is open: nobody knows yet.
    Open,
}

impl Offsets {
    /// What is to be thought of them.
    pub fn verdict(&self) -> Verdict {
        let (first, end) = self.bounds;
        match (self.group, self.changelog) {
            _ if self.open => Verdict::Open,
            (None, None) if self.is_empty => Verdict::Agree,
            (_, None) => Verdict::Lost,
            (_, Some(at)) if at < first => Verdict::Gone,
            (_, Some(at)) if at > end => Verdict::Beyond,
            (Some(group), Some(at)) if group == at => Verdict::Agree,
            (None, Some(_)) => Verdict::Expired,
            (Some(_), Some(_)) => Verdict::Differ,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Verdict::Agree => "they agree",
            Verdict::Expired => "the group has forgotten its offset",
            Verdict::Differ => "they differ",
            Verdict::Lost => "the changelog has lost its offset",
            Verdict::Gone => "the inbox has lost records that were not read",
            Verdict::Beyond => "the inbox ends before the changelog's offset",
            Verdict::Open => "a transaction is open",
        })
    }
}

/// The partitions of the inbox that are used.
///
/// # Errors
/// If there is no such topic.
pub fn partitions(log: &dyn Log, topics: &Topics) -> Result<Vec<u32>, Unable> {
    let mut lookup = log.lookup()?;
    let count = patiently(|| lookup.partitions(&topics.inbox))?.ok_or_else(|| {
        Unable::Unsafe(format!("there is no topic {}: name the right one as topics.inbox", topics.inbox))
    })?;
    Ok((0..topics.used(count)).collect())
}

/// How far the desk is, by both accounts, in these partitions.
///
/// # Errors
/// If it cannot be found out.
pub fn offsets(log: &dyn Log, app: &str, topics: &Topics, numbers: &[u32]) -> Result<Vec<Offsets>, Unable> {
    let of = |topic: &str| -> Vec<Partition> {
        let topic: Arc<str> = topic.into();
        numbers.iter().map(|number| Partition::new(Arc::clone(&topic), *number)).collect()
    };
    let (inbox, changelog) = (of(&topics.inbox), of(&topics.changelog));
    let mut lookup = log.lookup()?;
    let group = format!("{app}-desk");
    let committed = patiently(|| lookup.committed(&group, &inbox))?;
    let records = newest_records(log, &changelog)?;
    let mut found = Vec::new();
    for (((inbox, changelog), committed), record) in
        inbox.into_iter().zip(&changelog).zip(committed).zip(records)
    {
        let bounds = patiently(|| lookup.watermarks(&inbox, Isolation::Uncommitted))?;
        let (_, stable) = patiently(|| lookup.watermarks(changelog, Isolation::Committed))?;
        let (first, end) = patiently(|| lookup.watermarks(changelog, Isolation::Uncommitted))?;
        let (offset, state) = record.unzip();
        found.push(Offsets {
            inbox,
            group: committed.map(|committed| committed.offset),
            changelog: offset,
            state,
            bounds,
            open: stable < end,
            is_empty: first == end,
        });
    }
    Ok(found)
}

/// The newest record of the partition in each partition of the changelog: the offset of the inbox, and the
/// rest.
///
/// # Errors
/// If they cannot be read.
pub fn newest_records(log: &dyn Log, changelog: &[Partition]) -> Result<Vec<Option<(u64, State)>>, Unable> {
    let mut corrupt = None;
    let records = newest(log, changelog, |message| match record_of(message)? {
        Ok(record) => Some(record),
        Err(error) => {
            corrupt.get_or_insert(format!(
                "{}/{}@{}: {error}",
                message.topic, message.partition, message.offset
            ));
            None
        }
    })?;
    match corrupt {
        Some(corrupt) => Err(Unable::Unsafe(corrupt)),
        None => Ok(records),
    }
}

fn record_of(message: &Message<'_>) -> Option<Result<(u64, State), Corrupt>> {
    if message.key != Some(Change::PARTITION.as_bytes()) {
        return None;
    }
    match Change::decode(message.value?) {
        Ok(Change::Partition { offset, partition }) => Some(Ok((offset, partition))),
        Ok(_) => None,
        Err(error) => Some(Err(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pair_of_offsets_has_a_verdict() {
        let at = |group, changelog, is_empty| Offsets {
            inbox: Partition::new("inbox", 0),
            group,
            changelog,
            state: None,
            bounds: (10, 20),
            open: false,
            is_empty,
        };
        for (group, changelog, is_empty, verdict) in [
            (None, None, true, Verdict::Agree),
            (None, None, false, Verdict::Lost),
            (Some(15), None, true, Verdict::Lost),
            (Some(15), Some(15), false, Verdict::Agree),
            (Some(10), Some(10), false, Verdict::Agree),
            (Some(20), Some(20), false, Verdict::Agree),
            (None, Some(15), false, Verdict::Expired),
            (Some(14), Some(15), false, Verdict::Differ),
            (Some(16), Some(15), false, Verdict::Differ),
            (Some(9), Some(9), false, Verdict::Gone),
            (Some(15), Some(9), false, Verdict::Gone),
            (Some(15), Some(21), false, Verdict::Beyond),
        ] {
            assert_eq!(at(group, changelog, is_empty).verdict(), verdict, "{group:?} {changelog:?}");
            let open = Offsets { open: true, ..at(group, changelog, is_empty) };
            assert_eq!(open.verdict(), Verdict::Open);
        }
    }
}
