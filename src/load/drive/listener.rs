//! Listens to what the service says: how long each answer took, and whether the books add up.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use hdrhistogram::Histogram;

use crate::books::ledger::Ledger;
use crate::core::event::{Event, EventKind};
use crate::core::time::Time;
use crate::load::Failed;
use crate::load::report::Percentiles;
use crate::log::kafka::KafkaLog;
use crate::log::{Isolation, Log as _, Partition, Reader};
use crate::worker::Topics;

/// Between two looks whether it is to end.
const LOOK: Duration = Duration::from_millis(20);
/// When nothing has come for so long, what was committed before has been read.
const SILENCE: Duration = Duration::from_millis(500);
/// The percentiles of a report.
const PERCENTILES: [f64; 14] =
    [0.0, 10.0, 25.0, 50.0, 75.0, 90.0, 95.0, 99.0, 99.5, 99.9, 99.95, 99.99, 99.999, 100.0];

/// What was heard.
#[derive(Debug)]
pub struct Heard {
    /// From the offer tweet to its `purchase.requested`, of tweets behind the warm-up.
    pub requested: Percentiles,
    /// From the confirming tweet to its `purchase.confirmed`, of tweets behind the warm-up.
    pub confirmed: Percentiles,
    /// The longest time without an event, between the first and the last of them, in seconds.
    pub without_events: f64,
    /// All events of the accounts of this drive.
    pub ledger: Ledger,
}

/// Reads `purchases` and `orders` from their ends on.
pub struct Listener {
    reader: Box<dyn Reader + Send>,
    accounts: Range<u64>,
    events: Sender<Event>,
    requested: Histogram<u64>,
    confirmed: Histogram<u64>,
    last: Option<Instant>,
    longest: Duration,
    ledger: Ledger,
}

impl Listener {
    /// Listens to the events of these accounts, and passes them on.
    ///
    /// # Errors
    /// If a topic is missing, or a broker does not answer.
    pub fn new(
        log: &KafkaLog,
        topics: &Topics,
        accounts: Range<u64>,
        events: Sender<Event>,
    ) -> Result<Listener, Failed> {
        let (mut reader, mut lookup) = (log.reader(Isolation::Committed)?, log.lookup()?);
        let mut from = Vec::new();
        for topic in [&topics.purchases, &topics.orders] {
            let partitions = lookup.partitions(topic)?.ok_or_else(|| {
                Failed(format!("there is no topic {topic}: make it with `hashbuy topics create`"))
            })?;
            for number in 0..partitions {
                let partition = Partition::new(topic.as_str(), number);
                let (_, end) = lookup.watermarks(&partition, Isolation::Committed)?;
                from.push((partition, end));
            }
        }
        reader.assign(&from)?;
        Ok(Listener {
            reader,
            accounts,
            events,
            requested: histogram()?,
            confirmed: histogram()?,
            last: None,
            longest: Duration::ZERO,
            ledger: Ledger::default(),
        })
    }

    /// Listens until it is told to end, and all that was said by then is read. Returns what was heard. Latencies count from tweets at `warm`
    /// or later.
    ///
    /// # Errors
    /// Those of the log.
    pub fn listen(mut self, warm: Time, end: &AtomicBool) -> Result<Heard, Failed> {
        let mut latest = Instant::now();
        loop {
            let is_end = end.load(Ordering::Acquire);
            let mut events: Vec<(Event, f64)> = Vec::new();
            let ledger = &mut self.ledger;
            self.reader.poll(LOOK, &mut |message| match serde_json::from_slice::<Event>(
                message.value.unwrap_or_default(),
            ) {
                Ok(event) => events.push((event, now())),
                Err(error) => ledger.unreadable(format_args!(
                    "{}/{}@{}: {error}",
                    message.topic, message.partition, message.offset
                )),
            })?;
            if !events.is_empty() {
                latest = Instant::now();
            }
            for (event, at) in events {
                if self.accounts.contains(&event.account_id.get()) {
                    self.note(event, at, warm);
                }
            }
            if is_end && latest.elapsed() > SILENCE {
                return Ok(self.into_heard());
            }
        }
    }

    fn note(&mut self, event: Event, at: f64, warm: Time) {
        self.ledger.note(&event);
        let (now, last) = (Instant::now(), self.last);
        self.longest = self.longest.max(last.map_or(Duration::ZERO, |last| now.duration_since(last)));
        self.last = Some(now);
        let due = event.tweet().and_then(|tweet| Time::of_tweet_id(tweet.get())).filter(|due| *due >= warm);
        let histogram = match event.kind {
            EventKind::Requested => Some(&mut self.requested),
            EventKind::Confirmed => Some(&mut self.confirmed),
            _ => None,
        };
        if let (Some(due), Some(histogram)) = (due, histogram) {
            let micros = (at * 1e6 - due.millis() as f64 * 1e3).max(0.0) as u64;
            histogram.saturating_record(micros);
        }
        // When the driver has ended, nobody hears it any more.
        let _ = self.events.send(event);
    }

    fn into_heard(self) -> Heard {
        Heard {
            requested: percentiles(&self.requested),
            confirmed: percentiles(&self.confirmed),
            without_events: self.longest.as_secs_f64(),
            ledger: self.ledger,
        }
    }
}

/// Microseconds, up to an hour, to three digits.
fn histogram() -> Result<Histogram<u64>, Failed> {
    Histogram::new_with_bounds(1, 3_600_000_000, 3).map_err(|error| Failed::to("the histogram", error))
}

fn percentiles(of: &Histogram<u64>) -> Percentiles {
    if of.is_empty() {
        return Percentiles::default();
    }
    let points = PERCENTILES.iter().map(|&at| (at, of.value_at_percentile(at) as f64 / 1e3)).collect();
    Percentiles { count: of.len(), points }
}

/// The present time by the machine's clock, in seconds, finer than tweets have it.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_in_milliseconds() {
        let mut latencies = histogram().unwrap();
        assert_eq!(percentiles(&latencies), Percentiles::default());
        (1..=1_000).for_each(|millis: u64| latencies.saturating_record(millis * 1_000));
        let percentiles = percentiles(&latencies);
        assert_eq!(percentiles.count, 1_000);
        for (percentile, expected) in [(50.0, 500.0), (99.0, 990.0), (100.0, 1_000.0)] {
            let found = percentiles.at(percentile).unwrap();
            assert!((found - expected).abs() <= expected / 500.0, "{percentile}: {found}");
        }
    }
}
