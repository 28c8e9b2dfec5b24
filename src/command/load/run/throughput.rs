//! The scan beside the loop that only counts, for one shape of the load after the other.

use clap::ValueEnum;

use super::Run;
use super::site::Site;
use crate::command::Error;
use crate::load::mix::Matches;
use crate::load::report::{Shape, Throughput};
use crate::log::kafka::Codec;
use crate::worker::Topics;

/// Linked accounts.
const ACCOUNTS: u64 = 1_000;
/// Offers whose tags are tweeted: as many as every shape has.
const ASKED: u64 = 10;

/// What is varied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Axis {
    /// 10 and 100,000 offers
    Offers,
    /// 1 match in 1,000
    OneIn,
    /// 4, 16 and 64 partitions
    Partitions,
    /// lz4 and zstd
    Compression,
    /// Tweets of 6 and 12 KB and a little more, if they are made up
    TweetBytes,
    /// Two and three processes
    Instances,
}

/// One shape, and what it is about.
struct Planned {
    axis: &'static str,
    offers: u64,
    one_in: u64,
    partitions: u32,
    codec: Codec,
    instances: u32,
    /// Bytes of a tweet at least.
    tweet_bytes: usize,
}

/// Bytes of a made-up tweet that nobody has asked to be longer.
const USUAL: usize = 2_900;

impl Planned {
    /// Of longer tweets there are fewer, so that a topic has the same bytes.
    fn records(&self, run: &Run) -> u64 {
        run.records * USUAL as u64 / self.tweet_bytes.max(USUAL) as u64
    }

    /// Whether it has a firehose of its own: what differs in the offers or in the processes alone reads the main one.
    fn has_firehose(&self) -> bool {
        !matches!(self.axis, "offers" | "instances")
    }
}

impl Run {
    fn main(&self) -> Planned {
        Planned {
            axis: "main",
            offers: 1_000,
            one_in: 100_000,
            partitions: self.partitions,
            codec: Codec::None,
            instances: 1,
            tweet_bytes: 0,
        }
    }

    /// The shapes of an axis, but for the main one.
    fn along(&self, axis: Axis) -> Vec<Planned> {
        let main = || self.main();
        match axis {
            Axis::Offers => {
                [10, 100_000].map(|offers| Planned { axis: "offers", offers, ..main() }).into_iter().collect()
            }
            Axis::OneIn => vec![Planned { axis: "one_in", one_in: 1_000, ..main() }],
            Axis::Partitions => [4, 16, 64]
                .into_iter()
                .filter(|partitions| *partitions != self.partitions)
                .map(|partitions| Planned { axis: "partitions", partitions, ..main() })
                .collect(),
            Axis::Compression => {
                [Codec::Lz4, Codec::Zstd].map(|codec| Planned { axis: "compression", codec, ..main() }).into()
            }
            // A user's tweets are as long as they are.
            Axis::TweetBytes if self.template.is_some() => Vec::new(),
            Axis::TweetBytes => [6_000, 12_000]
                .map(|bytes| Planned { axis: "tweet_bytes", tweet_bytes: bytes, ..main() })
                .into(),
            Axis::Instances => {
                [2, 3].map(|instances| Planned { axis: "instances", instances, ..main() }).into()
            }
        }
    }
}

/// Fills and rounds.
pub fn steps(run: &Run) -> u64 {
    if run.rounds == 0 {
        return 0;
    }
    let along = run.axes().into_iter().flat_map(|axis| run.along(axis));
    let (fills, shapes) = along
        .fold((1, 1), |(fills, shapes), planned| (fills + u64::from(planned.has_firehose()), shapes + 1));
    fills + shapes * run.rounds as u64
}

/// Measures the main shape, and those along the axes that were asked for.
///
/// # Errors
/// If anything cannot be made, written or read.
pub fn measure(run: &Run, site: &mut Site<'_>, all: &mut Vec<Throughput>) -> Result<(), Error> {
    let main = run.main();
    let firehose = fill(run, site, &main, "main")?;
    all.push(rounds(run, site, &main, "main", &firehose)?);
    for (number, planned) in run.axes().into_iter().flat_map(|axis| run.along(axis)).enumerate() {
        let part = format!("{}{number}", planned.axis.replace('_', ""));
        let own = if planned.has_firehose() { Some(fill(run, site, &planned, &part)?) } else { None };
        all.push(rounds(run, site, &planned, &part, own.as_ref().unwrap_or(&firehose))?);
        if let Some(own) = own {
            site.delete(&own.topics.tweets)?;
        }
    }
    site.delete(&firehose.topics.tweets)
}

/// A filled topic.
struct Firehose {
    topics: Topics,
    tweets: u64,
    tweet_bytes: f64,
}

fn fill(run: &Run, site: &mut Site<'_>, planned: &Planned, part: &str) -> Result<Firehose, Error> {
    let topics = site.topics(&format!("{part}-firehose"), (planned.partitions, 1))?;
    let matches = Matches { one_in: planned.one_in, offers: ASKED, accounts: ACCOUNTS };
    site.progress().doing(format_args!("{part}: filling {}", topics.tweets));
    let records = (planned.records(run), planned.tweet_bytes);
    let filled = site.fill(&topics, planned.codec, matches, records, &mut |_| {})?;
    site.progress().done(format_args!(
        "{part}: {} records, {:.2} GB, written in {:.1} s, {:.0} for each second of the processor",
        filled.records,
        filled.bytes as f64 / 1e9,
        filled.seconds,
        filled.records as f64 / filled.cpu_seconds
    ));
    Ok(Firehose {
        topics,
        tweets: filled.records,
        tweet_bytes: filled.bytes as f64 / filled.records.max(1) as f64,
    })
}

fn rounds(
    run: &Run,
    site: &mut Site<'_>,
    planned: &Planned,
    part: &str,
    firehose: &Firehose,
) -> Result<Throughput, Error> {
    // Tables of its own, and one partition in the inbox: each has to be told when each offer ends.
    let own = site.topics(part, (1, 1))?;
    let topics = Topics { tweets: firehose.topics.tweets.clone(), ..own };
    site.publish(&topics, planned.offers, ACCOUNTS)?;
    let measured = site.measured(&topics, part, planned.instances);
    // What comes first feeds the tables into the inbox, and warms the pages of the topic.
    site.progress().doing(format_args!("{part}: warming up"));
    measured.scan(firehose.tweets)?;
    site.progress().doing(format_args!("{part}: baseline and scan in turns"));
    let mut rounds = Vec::new();
    for number in 0..run.rounds {
        let round = measured.round(number, firehose.tweets, &mut |group| site.forget(group))?;
        site.progress().done(format_args!(
            "{part} {}/{}: baseline {:.0}, scan {:.0} tweets a second of the processor, ratio {:.3}",
            number + 1,
            run.rounds,
            round.baseline.per_cpu_second(),
            round.scan.per_cpu_second(),
            round.ratio()
        ));
        rounds.push(round);
    }
    let shape = Shape {
        partitions: planned.partitions,
        compression: planned.codec.as_str().to_owned(),
        offers: planned.offers,
        one_in: planned.one_in,
        instances: planned.instances,
        tweets: firehose.tweets,
        tweet_bytes: firehose.tweet_bytes,
    };
    Ok(Throughput { axis: planned.axis.to_owned(), shape, rounds })
}
