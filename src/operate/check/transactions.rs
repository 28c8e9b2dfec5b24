//! Transactions that hang: whoever reads committed waits behind them.
//!
//! No client may ask for the open transactions with the protocols that librdkafka has, but they can be seen:
//! the last stable offset stays below the high watermark. A service at work always has one open; one that
//! hangs is known by not moving.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use super::Look;
use crate::log::{Isolation, Partition};
use crate::operate::{Unable, patiently};

const APART: Duration = Duration::from_secs(1);

pub(super) fn look(look: &mut Look<'_>) -> Result<(), Unable> {
    let topics = look.config.service.topics.clone();
    let mut open = BTreeMap::new();
    for topic in [&topics.inbox, &topics.changelog, &topics.purchases, &topics.orders] {
        for partition in look.partitions(topic)? {
            if let Some(stable) = open_at(look, &partition)? {
                open.insert(partition, stable);
            }
        }
    }
    let until = Instant::now() + look.how.wait;
    let mut looked = Duration::ZERO;
    while !open.is_empty() && Instant::now() < until {
        let begun = Instant::now();
        thread::sleep(APART);
        for partition in open.keys().cloned().collect::<Vec<_>>() {
            let now = open_at(look, &partition)?;
            if now != open.get(&partition).copied() {
                open.remove(&partition);
            }
        }
        looked += begun.elapsed();
    }
    if open.is_empty() {
        look.ok("open transactions", "none hangs");
    }
    for (partition, stable) in open {
        look.problem(
            format!("transaction in {partition}"),
            format!("open since offset {stable}, for {} s at least", looked.as_secs()),
            format!(
                "kafka-transactions --bootstrap-server BROKERS abort --topic {} --partition {} --start-offset {stable}; look \
                 before with describe-producers who has it",
                partition.topic, partition.number
            ),
        );
    }
    Ok(())
}

/// The last stable offset, if something is open behind it.
fn open_at(look: &mut Look<'_>, partition: &Partition) -> Result<Option<u64>, Unable> {
    let lookup = &mut look.lookup;
    // In this order: what is committed between the two questions is not taken for open for long.
    let (_, end) = patiently(|| lookup.watermarks(partition, Isolation::Uncommitted))?;
    let (_, stable) = patiently(|| lookup.watermarks(partition, Isolation::Committed))?;
    Ok((stable < end).then_some(stable))
}
