//! Reading what is committed: partitions from one offset to another, and the newest record of a kind.

use std::time::{Duration, Instant};

use super::{PATIENCE, Unable, patiently};
use crate::log::{Isolation, Log, Lookup, Message, Partition, Reader};

/// The first look at the end of a partition goes so many offsets back; each further one eight times as many.
const NEAR: u64 = 256;
/// One poll waits so long.
const A_WHILE: Duration = Duration::from_millis(100);

/// A part of a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// Of this partition.
    pub partition: Partition,
    /// Its first offset.
    pub from: u64,
    /// The offset behind its last.
    pub until: u64,
}

/// Hands what is committed in these spans to `each`, the records of a partition in their order.
///
/// # Errors
/// [`Unable::Unsafe`] if nothing can be read for 30 s, as behind a transaction that hangs.
pub fn read(log: &dyn Log, spans: &[Span], mut each: impl FnMut(&Message<'_>)) -> Result<(), Unable> {
    let wanted: Vec<&Span> = spans.iter().filter(|span| span.until > span.from).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let mut reader = log.reader(Isolation::Committed)?;
    let from: Vec<(Partition, u64)> = wanted.iter().map(|span| (span.partition.clone(), span.from)).collect();
    patiently(|| reader.assign(&from))?;
    let at = |reader: &dyn Reader, span: &Span| reader.position(&span.partition).unwrap_or(span.from);
    let (mut progress, mut since) = (0, Instant::now());
    loop {
        let behind = wanted.iter().find(|span| at(&*reader, span) < span.until);
        let Some(behind) = behind else { return Ok(()) };
        let now: u64 = wanted.iter().map(|span| at(&*reader, span)).sum();
        if now > progress {
            (progress, since) = (now, Instant::now());
        } else if since.elapsed() > PATIENCE {
            return Err(Unable::Unsafe(format!(
                "{} cannot be read beyond offset {} of {}: nothing came for {} s. Look for a hanging transaction with \
                 `kafka-transactions --bootstrap-server BROKERS find-hanging --broker-id ID`",
                behind.partition,
                at(&*reader, behind),
                behind.until,
                PATIENCE.as_secs()
            )));
        }
        patiently(|| {
            reader.poll(A_WHILE, &mut |message| {
                let is_in = |span: &&&Span| {
                    span.partition.number == message.partition && *span.partition.topic == *message.topic
                };
                if wanted.iter().find(is_in).is_some_and(|span| message.offset < span.until) {
                    each(&message);
                }
            })
        })?;
    }
}

/// The whole of a partition: from its first offset to the high watermark.
///
/// # Errors
/// If it cannot be looked up.
pub fn whole(lookup: &mut dyn Lookup, partition: &Partition) -> Result<Span, Unable> {
    let (from, until) = patiently(|| lookup.watermarks(partition, Isolation::Uncommitted))?;
    Ok(Span { partition: partition.clone(), from, until })
}

/// The newest record of each partition that `take` takes, among what is committed. Reads from the end of the
/// partitions, and further back only where nothing was found.
///
/// # Errors
/// As [`read`].
pub fn newest<T>(
    log: &dyn Log,
    partitions: &[Partition],
    mut take: impl FnMut(&Message<'_>) -> Option<T>,
) -> Result<Vec<Option<T>>, Unable> {
    let mut lookup = log.lookup()?;
    let mut found: Vec<Option<T>> = partitions.iter().map(|_| None).collect();
    let mut left = Vec::new();
    for (index, partition) in partitions.iter().enumerate() {
        // Up to the last stable offset: what a hanging transaction hides is not waited for.
        let (first, end) = patiently(|| lookup.watermarks(partition, Isolation::Committed))?;
        if end > first {
            left.push((index, first, end));
        }
    }
    let mut back = NEAR;
    while !left.is_empty() {
        let span = |&(index, first, end): &(usize, u64, u64)| {
            let partition = partitions[index].clone();
            Span { partition, from: end.saturating_sub(back).max(first), until: end }
        };
        let spans: Vec<Span> = left.iter().map(span).collect();
        read(log, &spans, |message| {
            let is_it = |partition: &Partition| {
                partition.number == message.partition && *partition.topic == *message.topic
            };
            if let Some(index) = partitions.iter().position(is_it)
                && let Some(taken) = take(message)
            {
                found[index] = Some(taken);
            }
        })?;
        left.retain(|(index, first, end)| found[*index].is_none() && end.saturating_sub(back) > *first);
        back = back.saturating_mul(8);
    }
    Ok(found)
}
