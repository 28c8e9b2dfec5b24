//! Fills a topic with a firehose of a given shape, as fast as it can be written or at a rate.

use std::time::{Duration, Instant};

use super::mix::{Matches, Mix};
use super::pace::Pace;
use super::stencils::Stencils;
use super::writer::Writer;
use crate::core::time::{MINUTE, Time};
use crate::log::Error;
use crate::log::kafka::{Codec, KafkaLog};
use crate::metrics::process::cpu_seconds;

/// The times of the records are spread over so many milliseconds up to now.
const SPREAD: i64 = 5 * MINUTE;
/// A record waits so long for others.
const LINGER: Duration = Duration::from_millis(5);
/// Records between two reports of how far it is.
const REPORT_EVERY: u64 = 8_192;

/// What is to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct Filling {
    /// To which topic; it has to be there.
    pub topic: String,
    /// Records, of all kinds.
    pub records: u64,
    /// So many in a second; none: as fast as it goes. Above 0.
    pub rate: Option<f64>,
    /// How batches of them are compressed.
    pub codec: Codec,
    /// Which tweets ask for an offer.
    pub matches: Matches,
    /// The same seed gives the same records, but for their times.
    pub seed: u64,
}

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Filled {
    /// Records.
    pub records: u64,
    /// Tweets among them that ask for an offer.
    pub matches: u64,
    /// Their bytes, before compression.
    pub bytes: u64,
    /// From the first record until all were acknowledged, in seconds.
    pub seconds: f64,
    /// Processor time of this process in between, on all its threads, in seconds.
    pub cpu_seconds: f64,
}

/// Writes records, and returns when all are acknowledged. At a rate each is from when it is due; else their times end
/// at `now`, which is when the last of them counts as tweeted. `progress` is told now and then how many were handed
/// over.
///
/// # Errors
/// Those of [`Writer`]: what was written until then stays in the topic.
pub fn fill(
    log: &KafkaLog,
    filling: &Filling,
    stencils: Stencils,
    now: Time,
    progress: &mut dyn FnMut(u64),
) -> Result<Filled, Error> {
    let mut writer = Writer::new(log, &filling.topic, filling.codec, LINGER)?;
    let mut mix = Mix::new(stencils, filling.matches, filling.seed);
    let (began, cpu) = (Instant::now(), cpu_seconds());
    let pace = filling.rate.map(Pace::new);
    let mut due = 0;
    for number in 0..filling.records {
        let time = match pace {
            None => now.minus(SPREAD).plus(after(number, filling.records)),
            Some(pace) => {
                while number >= due {
                    pace.wait(number);
                    due = pace.due();
                    writer.next_partition();
                }
                now.plus(pace.millis(number))
            }
        };
        writer.send(mix.next(time))?;
        if number % REPORT_EVERY == 0 {
            progress(number);
        }
    }
    writer.flush()?;
    progress(filling.records);
    Ok(Filled {
        records: writer.records(),
        matches: mix.matched(),
        bytes: writer.bytes(),
        seconds: began.elapsed().as_secs_f64(),
        cpu_seconds: cpu_seconds() - cpu,
    })
}

/// How many milliseconds after the first of so many records this one is from.
fn after(number: u64, of: u64) -> i64 {
    let share = u128::from(number) * u128::from(SPREAD.unsigned_abs()) / u128::from(of.max(1));
    i64::try_from(share).unwrap_or(SPREAD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_spread_up_to_now() {
        let times: Vec<i64> = (0..5).map(|number| after(number, 5)).collect();
        assert_eq!(times, [0, 60_000, 120_000, 180_000, 240_000]);
        assert_eq!(after(u64::MAX - 1, u64::MAX), SPREAD - 1);
    }
}
