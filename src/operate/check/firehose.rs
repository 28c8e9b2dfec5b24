//! The readers of the firehose and of the tables: that there are some, and how far they are.

use super::Look;
use super::desk::listed;
use crate::core::time::{MINUTE, SECOND, Time};
use crate::log::{Committed, Isolation, Partition};
use crate::operate::{Unable, patiently};
use crate::worker::keeper::Silence;
use crate::worker::scan::read_time;

/// A reader that is further behind the clock than this, by tweet time, is worth a warning, in milliseconds.
const BEHIND: i64 = 2 * MINUTE;

/// A firehose that brings nothing for so long is silent, in milliseconds.
const SILENT: i64 = MINUTE;

/// Every partition of the firehose has a reader, that has committed a tweet time and is not far behind.
pub(super) fn look(look: &mut Look<'_>) -> Result<(), Unable> {
    let (topic, group) = (look.config.service.topics.tweets.clone(), look.group("scan"));
    let (mut readerless, mut lost) = (Vec::new(), Vec::new());
    let (mut lag, mut least): (u64, Option<(Time, u32)>) = (0, None);
    let mut newest = Time::ZERO;
    let read = standing(look, &topic, &group)?;
    if read.is_empty() {
        return Ok(()); // missing, which is a finding already
    }
    for (partition, first, end, committed) in &read {
        if end == first {
            continue;
        }
        let time = committed.as_ref().and_then(|committed| read_time(&committed.metadata));
        match (committed, time) {
            (Some(committed), _) if committed.offset < *first => lost.push(partition.number),
            (Some(committed), Some(time)) => {
                let behind = end.saturating_sub(committed.offset);
                lag += behind;
                newest = newest.max(time);
                // Of one that is read to its end the time says only when the last tweet came.
                if behind > 0 && least.is_none_or(|(least, _)| time < least) {
                    least = Some((time, partition.number));
                }
            }
            _ => readerless.push(partition.number),
        }
    }
    let what = format!("readers of {topic}");
    let clean = readerless.is_empty() && lost.is_empty();
    if !readerless.is_empty() {
        look.problem(
            &what,
            format!("nobody has committed {}: desk time stands, nothing lapses", listed(&readerless)),
            "start the scan stage; if it runs, its log says why it does not read",
        );
    }
    if !lost.is_empty() {
        look.problem(
            &what,
            format!("what is to be read next of {} was deleted: tweets are lost", listed(&lost)),
            "longer retention, or more scan workers; to go on, set the group's offsets with kafka-consumer-groups",
        );
    }
    if clean {
        look.ok(what, format!("{} partitions", read.len()));
    }
    let now = look.clock.now();
    if clean && lag == 0 && now.since(newest) > SILENT {
        let since = if newest == Time::ZERO {
            "no tweet has come yet".to_owned()
        } else {
            format!("no tweet since {newest}")
        };
        let (value, mend) = match look.config.service.silence {
            Silence::Wait => {
                (format!("{since}: desk time stands, nothing lapses"), "look at what writes into it")
            }
            Silence::Advance => {
                (format!("{since}: desk time goes by the clock"), "look at what writes into it")
            }
        };
        look.warn(format!("silence of {topic}"), value, mend);
    }
    if let Some((time, number)) = least {
        let late = now.since(time);
        let value =
            format!("{lag} records, partition {number} is {} s behind the clock", late.max(0) / SECOND);
        let what = format!("lag of {topic}");
        if late > BEHIND {
            look.warn(what, value, "more scan workers, or more partitions, if it does not shrink");
        } else {
            look.ok(what, value);
        }
    }
    Ok(())
}

/// What is in the tables has reached the inbox.
pub(super) fn tables(look: &mut Look<'_>) -> Result<(), Unable> {
    let topics = look.config.service.topics.clone();
    let group = look.group("tables");
    for topic in [&topics.offers, &topics.accounts] {
        let (mut unread, mut lost) = (0, Vec::new());
        let read = standing(look, topic, &group)?;
        if read.is_empty() {
            continue;
        }
        for (partition, first, end, committed) in read {
            match committed {
                Some(committed) if committed.offset < first => lost.push(partition.number),
                committed => {
                    unread += end.saturating_sub(committed.map_or(first, |committed| committed.offset))
                }
            }
        }
        let what = format!("reader of {topic}");
        if !lost.is_empty() {
            let value = format!("what is to be read next of {} is not there any more", listed(&lost));
            look.problem(
                what,
                value,
                "was the topic made anew? raise tables.epoch and `hashbuy accounts resend`",
            );
        } else if unread > 0 {
            let value = format!("{unread} records have not reached the desk");
            look.warn(what, value, "start the scan stage, or wait, if it was started just now");
        } else {
            look.ok(what, "all of it has reached the inbox");
        }
    }
    Ok(())
}

type Standing = (Partition, u64, u64, Option<Committed>);

/// The partitions of a topic, with their bounds and what a group has committed.
fn standing(look: &mut Look<'_>, topic: &str, group: &str) -> Result<Vec<Standing>, Unable> {
    let partitions = look.partitions(topic)?;
    let lookup = &mut look.lookup;
    let mut bounds = Vec::new();
    for partition in &partitions {
        bounds.push(patiently(|| lookup.watermarks(partition, Isolation::Committed))?);
    }
    // The ends before the commits, or a reader would be ahead of them.
    let committed = patiently(|| lookup.committed(group, &partitions))?;
    let all = partitions.into_iter().zip(bounds).zip(committed);
    Ok(all.map(|((partition, (first, end)), committed)| (partition, first, end, committed)).collect())
}
