//! What a load run has measured: the numbers, and how they are shown.
//!
//! ```text
//! Report ──► report.json   all numbers, to the millionth
//!        ──► report.html   the same as a page with plots, readable without a network
//!        ──► terminal      the same as a table
//! ```

mod axes;
mod figures;
pub mod goals;
mod html;
pub mod numbers;
mod over_time;
pub mod page;
mod plots;
mod rows;
mod shapes;
mod stored;
pub mod table;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// Everything that one run has measured.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// When the run began, RFC 3339 in UTC.
    pub began_at: String,
    /// How long it took, in seconds.
    #[serde(serialize_with = "stored::number")]
    pub seconds: f64,
    /// Where it ran: processor, cores, memory, kernel, versions.
    pub machine: BTreeMap<String, String>,
    /// How it was called, and what was set.
    pub settings: BTreeMap<String, String>,
    /// The scan beside a loop that only counts, one entry for each shape of the load. The first is the main one.
    pub throughput: Vec<Throughput>,
    /// From a tweet's due time to the committed event, one entry for each rate.
    pub latency: Vec<Latency>,
    /// The service was ended and started again under load.
    pub restart: Option<Restart>,
    /// What became of the purchases, by the events.
    pub books: Option<Books>,
    /// Figures of the parts alone, without a broker, by name: see [`parts`](crate::load::parts).
    #[serde(default, serialize_with = "stored::numbers")]
    pub parts: BTreeMap<String, f64>,
    /// The desk alone, one entry for each round.
    #[serde(default)]
    pub desk: Vec<DeskPass>,
}

/// What a firehose looks like.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shape {
    /// Partitions of the firehose.
    pub partitions: u32,
    /// `none`, `lz4`, `zstd`, as the topic's producer was told.
    pub compression: String,
    /// Open offers.
    pub offers: u64,
    /// One tweet in so many carries an offer's tag.
    pub one_in: u64,
    /// Processes that scan together.
    pub instances: u32,
    /// Records.
    pub tweets: u64,
    /// Bytes of a record, on average, before compression.
    #[serde(serialize_with = "stored::number")]
    pub tweet_bytes: f64,
}

/// The scan beside a loop that only counts, on the same topic, in turns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Throughput {
    /// What this one is about: `main`, or what differs from the main one, such as `offers` or `partitions`.
    pub axis: String,
    /// What was read.
    pub shape: Shape,
    /// Each pair of passes, in their order.
    pub rounds: Vec<Round>,
}

/// One pair of passes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Round {
    /// The loop that only counts.
    pub baseline: Pass,
    /// The scan.
    pub scan: Pass,
    /// Whether the scan came first. They take turns: whoever comes second finds what the first has warmed.
    pub scan_first: bool,
}

/// One pass over the topic, by one process or several.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Pass {
    /// Records that were read between the first sample and the last.
    pub tweets: u64,
    /// The bytes of all records that were read, as far as they were counted; 0 if they were not.
    #[serde(default)]
    pub bytes: u64,
    /// From the first sample to the last, in seconds.
    #[serde(serialize_with = "stored::number")]
    pub wall_seconds: f64,
    /// Processor time of all its threads in between, in seconds.
    #[serde(serialize_with = "stored::number")]
    pub cpu_seconds: f64,
    /// The most memory, in bytes.
    pub peak_memory_bytes: u64,
    /// How it went; with several processes, nothing.
    pub samples: Vec<Sample>,
    /// Records of each process.
    #[serde(default)]
    pub shares: Vec<u64>,
}

/// A moment of a process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Since the first sample.
    #[serde(serialize_with = "stored::number")]
    pub seconds: f64,
    /// Records by then.
    pub tweets: u64,
    /// Processor time by then, in seconds.
    #[serde(serialize_with = "stored::number")]
    pub cpu_seconds: f64,
    /// Memory at the time, in bytes.
    pub memory_bytes: u64,
}

/// A constant rate, open loop: a tweet counts from the time at which it was due.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// Tweets in a second, as they were asked for.
    #[serde(serialize_with = "stored::number")]
    pub rate: f64,
    /// Tweets in a second, as they were sent.
    #[serde(serialize_with = "stored::number")]
    pub reached: f64,
    /// How long it lasted, without the warm-up.
    #[serde(serialize_with = "stored::number")]
    pub seconds: f64,
    /// From the offer tweet to its `purchase.requested`.
    pub requested: Percentiles,
    /// From the confirming tweet to its `purchase.confirmed`.
    pub confirmed: Percentiles,
    /// Offer tweets and confirmations without an event when the run ended.
    pub unanswered: u64,
    /// The service.
    pub samples: Vec<Sample>,
}

/// How long something took, in milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Percentiles {
    /// How often it was measured.
    pub count: u64,
    /// Percentile (0 to 100) and milliseconds, ascending; the last is 100.
    #[serde(serialize_with = "stored::pairs")]
    pub points: Vec<(f64, f64)>,
}

/// The service was ended and started again under load.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Restart {
    /// From SIGTERM to the end of the process, in seconds.
    #[serde(serialize_with = "stored::number")]
    pub ended_after: f64,
    /// From its start to ready, in seconds.
    #[serde(serialize_with = "stored::number")]
    pub ready_after: f64,
    /// The longest time without an event around it, in seconds.
    #[serde(serialize_with = "stored::number")]
    pub without_events: f64,
}

/// A desk that decides on sightings that stand in its inbox already, as fast as it can.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DeskPass {
    /// Sightings that were decided on between the first sample and the last.
    pub sightings: u64,
    /// From the first sample to the last, in seconds.
    #[serde(serialize_with = "stored::number")]
    pub wall_seconds: f64,
    /// Processor time of the process in between, in seconds.
    #[serde(serialize_with = "stored::number")]
    pub cpu_seconds: f64,
    /// Transactions that it has committed in between.
    pub commits: u64,
}

/// What became of the purchases, by the events.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Books {
    /// Events by type.
    pub events: BTreeMap<String, u64>,
    /// Purchases that were confirmed or billed twice, and coupons that were credited twice. There is nothing worse.
    pub doubles: u64,
    /// Everything that does not add up, a line each.
    pub faults: Vec<String>,
}

/// One line of what is to be reached, and how near the run came.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Goal {
    /// What is measured.
    pub what: String,
    /// What is to be reached, with its unit.
    pub goal: String,
    /// What was measured, with its unit.
    pub measured: String,
    /// Whether it was reached.
    pub verdict: Verdict,
}

/// Whether a goal was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// It was.
    Met,
    /// It was not.
    Missed,
    /// The run did not measure it, or only something like it.
    NotMeasured,
}

impl Report {
    /// Writes `report.json` and `report.html` into a folder, which is made if there is none.
    ///
    /// # Errors
    /// The folder cannot be made, or a file cannot be written.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        let mut json = serde_json::to_string_pretty(self)?;
        json.push('\n');
        fs::write(folder.join("report.json"), json)?;
        fs::write(folder.join("report.html"), page::html(self))
    }
}

impl Pass {
    /// What there was between the first sample and the last.
    pub fn of(mut samples: Vec<Sample>) -> Pass {
        let (Some(first), Some(last)) = (samples.first().copied(), samples.last().copied()) else {
            return Pass::default();
        };
        samples.iter_mut().for_each(|sample| sample.seconds -= first.seconds);
        Pass {
            tweets: last.tweets - first.tweets,
            bytes: 0,
            wall_seconds: last.seconds - first.seconds,
            cpu_seconds: last.cpu_seconds - first.cpu_seconds,
            peak_memory_bytes: samples.iter().map(|sample| sample.memory_bytes).max().unwrap_or(0),
            shares: vec![last.tweets - first.tweets],
            samples,
        }
    }

    /// Tweets for each second of processor time.
    pub fn per_cpu_second(&self) -> f64 {
        self.tweets as f64 / self.cpu_seconds.max(f64::MIN_POSITIVE)
    }

    /// Tweets for each second by the clock.
    pub fn per_second(&self) -> f64 {
        self.tweets as f64 / self.wall_seconds.max(f64::MIN_POSITIVE)
    }
}

impl DeskPass {
    /// Sightings for each second by the clock.
    pub fn per_second(&self) -> f64 {
        self.sightings as f64 / self.wall_seconds.max(f64::MIN_POSITIVE)
    }

    /// Sightings for each second of processor time.
    pub fn per_cpu_second(&self) -> f64 {
        self.sightings as f64 / self.cpu_seconds.max(f64::MIN_POSITIVE)
    }
}

impl Round {
    /// Tweets per CPU-second of the scan over those of the loop that only counts.
    pub fn ratio(&self) -> f64 {
        self.scan.per_cpu_second() / self.baseline.per_cpu_second()
    }
}

impl Throughput {
    /// The middle one of the rounds' ratios, or the upper one of the two in the middle; none without rounds.
    pub fn ratio(&self) -> Option<f64> {
        self.middle(Round::ratio)
    }

    /// The middle one of a figure of the rounds.
    pub fn middle(&self, figure: impl Fn(&Round) -> f64) -> Option<f64> {
        let mut all: Vec<f64> = self.rounds.iter().map(figure).collect();
        all.sort_by(f64::total_cmp);
        all.get(all.len() / 2).copied()
    }
}

impl Percentiles {
    /// The milliseconds at a percentile that was kept, or at the next above it.
    pub fn at(&self, percentile: f64) -> Option<f64> {
        self.points.iter().find(|(kept, _)| *kept >= percentile).map(|(_, millis)| *millis)
    }
}
