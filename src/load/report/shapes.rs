//! A shape of the load in words.

use super::numbers::{plural, whole};
use super::{Report, Shape, Throughput};

impl Shape {
    /// All of it: `16 partitions, lz4, 1,000 offers, 1 match in 100,000, 1 process, 5,000,000 tweets of 540 bytes`.
    pub fn words(&self) -> String {
        let [partitions, compression, offers, one_in, instances] =
            ["partitions", "compression", "offers", "one_in", "instances"].map(|axis| self.along(axis));
        let (tweets, bytes) = (plural(self.tweets, "tweet", "tweets"), whole(self.tweet_bytes));
        format!("{partitions}, {compression}, {offers}, {one_in}, {instances}, {tweets} of {bytes} bytes")
    }

    /// Where it stands along an axis: `1,000 offers`; all of it for an axis that has no name here.
    pub fn along(&self, axis: &str) -> String {
        match axis {
            "partitions" => plural(self.partitions.into(), "partition", "partitions"),
            "compression" if self.compression == "none" => "no compression".to_owned(),
            "compression" => self.compression.clone(),
            "offers" => plural(self.offers, "offer", "offers"),
            "one_in" => format!("1 match in {}", whole(self.one_in as f64)),
            "instances" => plural(self.instances.into(), "process", "processes"),
            "tweets" => plural(self.tweets, "tweet", "tweets"),
            "tweet_bytes" => format!("{} bytes", whole(self.tweet_bytes)),
            _ => self.words(),
        }
    }

    /// The same without the unit, which the name of the axis has.
    pub fn mark(&self, axis: &str) -> String {
        match axis {
            "partitions" => whole(self.partitions.into()),
            "compression" => self.compression.clone(),
            "offers" => whole(self.offers as f64),
            "one_in" => format!("1 in {}", whole(self.one_in as f64)),
            "instances" => whole(self.instances.into()),
            "tweets" => whole(self.tweets as f64),
            "tweet_bytes" => whole(self.tweet_bytes),
            _ => self.words(),
        }
    }

    /// What orders the shapes along an axis.
    pub fn order(&self, axis: &str) -> f64 {
        match axis {
            "partitions" => self.partitions.into(),
            "offers" => self.offers as f64,
            // Where more tweets match is further along.
            "one_in" => -(self.one_in as f64),
            "instances" => self.instances.into(),
            "tweets" => self.tweets as f64,
            "tweet_bytes" => self.tweet_bytes,
            _ => 0.0,
        }
    }
}

/// The axes that [`Shape::along`] knows.
const AXES: [&str; 7] =
    ["partitions", "compression", "offers", "one_in", "instances", "tweets", "tweet_bytes"];

/// What an axis is called; the ones that have no name here are called as they come.
pub fn axis_name(axis: &str) -> &str {
    match axis {
        "offers" => "open offers",
        "one_in" => "share of matches",
        "instances" => "processes",
        "tweets" => "tweets in the topic",
        "tweet_bytes" => "bytes of a tweet",
        other => other,
    }
}

impl Throughput {
    /// `10 offers`; for the main one, all of its shape.
    pub fn name(&self) -> String {
        let along = self.shape.along(&self.axis);
        if AXES.contains(&self.axis.as_str()) { along } else { format!("{}: {along}", self.axis) }
    }
}

impl Report {
    /// The axes along which shapes other than the main one were measured, as they come.
    pub fn axes(&self) -> Vec<&str> {
        let mut axes = Vec::new();
        for entry in self.throughput.iter().skip(1) {
            if !axes.contains(&entry.axis.as_str()) {
                axes.push(entry.axis.as_str());
            }
        }
        axes
    }

    /// The entries of an axis and the main one, by their place along it.
    pub fn entries(&self, axis: &str) -> Vec<&Throughput> {
        let of_axis = |(i, entry): &(usize, &Throughput)| *i == 0 || entry.axis == axis;
        let mut entries: Vec<&Throughput> =
            self.throughput.iter().enumerate().filter(of_axis).map(|(_, entry)| entry).collect();
        entries.sort_by(|a, b| a.shape.order(axis).total_cmp(&b.shape.order(axis)));
        entries
    }
}
