//! The loop that only counts, from the beginning of a topic to its end.

use std::time::{Duration, Instant};

use super::Failed;
use super::report::{Pass, Sample};
use crate::log::kafka::{Counted, Counting, KafkaLog};
use crate::log::{Isolation, Kind, Log as _, Partition};
use crate::metrics::process::{cpu_seconds, resident_bytes};

/// Records between two samples.
const SAMPLE: u64 = 16_384;
/// Between two looks whether anything comes at all.
const LOOK: Duration = Duration::from_millis(50);
/// The first record comes within so long: a group has to be formed first.
const FIRST: Duration = Duration::from_secs(30);
/// When for so long nothing has come, others of the group have the rest.
const SILENCE: Duration = Duration::from_secs(1);

/// Counts the records of a topic as a member of a group that has committed nothing. The pass begins with the first
/// records, and ends with the last, or when nothing more comes because others of the group have the rest.
///
/// # Errors
/// If the topic is missing or empty, or cannot be read.
pub fn count(log: &KafkaLog, group: &str, topic: &str) -> Result<Pass, Failed> {
    let end = records(log, topic)?;
    if end == 0 {
        return Err(Failed(format!("topic {topic} is empty; fill it with `hashbuy load fill`")));
    }
    let mut counting = log.counting(group, topic)?;
    let begun = Instant::now();
    let (mut samples, mut read) = (Vec::new(), Counted::default());
    let mut latest = begun;
    while read.messages < end {
        let more = until(&mut counting, end - read.messages)?;
        read = Counted { messages: read.messages + more.messages, bytes: read.bytes + more.bytes };
        if more.messages > 0 {
            latest = Instant::now();
            samples.push(sample(begun, read.messages));
        } else if read.messages == 0 && begun.elapsed() > FIRST {
            return Err(Failed(format!("topic {topic}: nothing could be read within {} s", FIRST.as_secs())));
        } else if read.messages > 0 && latest.elapsed() > SILENCE {
            break;
        }
    }
    Ok(Pass { bytes: read.bytes, ..Pass::of(samples) })
}

/// Counts up to the next sample.
fn until(counting: &mut Counting, most: u64) -> Result<Counted, Failed> {
    match counting.count(most.min(SAMPLE), LOOK) {
        Err(error) if error.kind == Kind::Retry => Ok(Counted::default()),
        counted => Ok(counted?),
    }
}

fn sample(begun: Instant, tweets: u64) -> Sample {
    Sample {
        seconds: begun.elapsed().as_secs_f64(),
        tweets,
        cpu_seconds: cpu_seconds(),
        memory_bytes: resident_bytes().unwrap_or(0.0) as u64,
    }
}

/// Records in a topic.
///
/// # Errors
/// If there is no such topic, or no broker answers.
pub fn records(log: &KafkaLog, topic: &str) -> Result<u64, Failed> {
    let mut lookup = log.lookup()?;
    let partitions = lookup
        .partitions(topic)?
        .ok_or_else(|| Failed(format!("there is no topic {topic}: make it with `hashbuy topics create`")))?;
    let mut records = 0;
    for number in 0..partitions {
        let (first, end) = lookup.watermarks(&Partition::new(topic, number), Isolation::Uncommitted)?;
        records += end - first;
    }
    Ok(records)
}
