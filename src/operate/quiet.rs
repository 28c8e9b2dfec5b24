//! That nobody is at work, and that nothing is left to be done: what has to be so before a state is moved.

use super::reading::{Span, read, whole};
use super::{Unable, patiently, some_of};
use crate::core::inbox::{Inbox, decode};
use crate::log::Log;
use crate::log::Partition;
use crate::log::kafka::{GroupMember, KafkaLog};
use crate::worker::Topics;

/// The groups of an application, with the stage that each belongs to.
pub const GROUPS: [(&str, &str); 3] = [("desk", "desk"), ("scan", "scan"), ("tables", "scan")];

/// Who is in one of these groups.
///
/// # Errors
/// If that cannot be found out.
pub fn members(log: &KafkaLog, app: &str, topics: &Topics, suffix: &str) -> Result<Vec<GroupMember>, Unable> {
    let reads = match suffix {
        "desk" => &topics.inbox,
        "scan" => &topics.tweets,
        _ => &topics.offers,
    };
    let (group, reads) = (format!("{app}-{suffix}"), Partition::new(reads.as_str(), 0));
    Ok(patiently(|| log.members(&group, &reads))?)
}

/// Makes sure that nobody is in one of these groups.
///
/// # Errors
/// [`Unable::Unsafe`] with who is.
pub fn nobody_in(log: &KafkaLog, app: &str, topics: &Topics, groups: &[(&str, &str)]) -> Result<(), Unable> {
    for (suffix, stage) in groups {
        let group = format!("{app}-{suffix}");
        let members = members(log, app, topics, suffix)?;
        if let Some(member) = members.first() {
            let count = members.len();
            let others = if count > 1 { format!(" and {} more", count - 1) } else { String::new() };
            return Err(Unable::Unsafe(format!(
                "group {group} has {count} live members, {} at {}{others}: stop every process that runs the {stage} stage \
                 first (one that was killed counts for 10 s more)",
                member.client, member.host
            )));
        }
    }
    Ok(())
}

/// Makes sure that the desk has decided on everything in the inbox, marks aside, up to these offsets.
///
/// # Errors
/// [`Unable::Unsafe`] with how much is left, and where.
pub fn nothing_unread(log: &dyn Log, read_up_to: &[(Partition, u64)]) -> Result<(), Unable> {
    let mut lookup = log.lookup()?;
    let mut spans = Vec::new();
    for (partition, at) in read_up_to {
        let Span { from, until, .. } = whole(&mut *lookup, partition)?;
        if *at < from {
            return Err(Unable::Unsafe(format!(
                "{partition} begins at offset {from}, but the desk has read it up to {at} only: records are lost"
            )));
        }
        spans.push(Span { partition: partition.clone(), from: *at, until });
    }
    let (mut count, mut where_, mut corrupt) = (0_u64, Vec::new(), None);
    read(log, &spans, |message| match message.value.map(decode::<Inbox>) {
        // A mark that is not read is as good as one that has not come: there will be another.
        Some(Ok(Inbox::Mark { .. } | Inbox::Progress { .. })) => {}
        Some(Err(error)) => {
            corrupt.get_or_insert(format!(
                "{}/{}@{}: {error}",
                message.topic, message.partition, message.offset
            ));
        }
        _ => {
            count += 1;
            where_.push(message.partition);
        }
    })?;
    if let Some(corrupt) = corrupt {
        return Err(Unable::Unsafe(corrupt));
    }
    if count == 0 {
        return Ok(());
    }
    where_.sort_unstable();
    where_.dedup();
    let topic = spans.first().map_or("inbox", |span| &span.partition.topic);
    Err(Unable::Unsafe(format!(
        "{count} records of {topic} are not decided on yet, in partitions {}: let the desk alone run (`hashbuy run --stage \
         desk`) until it has, then stop it and try again",
        some_of(&where_)
    )))
}
