//! What was measured: the figures that a plan goes by, all of them in this file.
//!
//! The values below are those of the reference machine (two busy cores of an Intel Xeon with AVX-512, see
//! `docs/performance.md`). A report of `hashbuy load run` puts those of another machine in their place, as far as it has
//! them. Where nothing has measured a figure its origin says so, and every line of a plan that uses it shows that.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// Bytes of a kilobyte, as `a KB` is meant in a plan.
pub const KB: f64 = 1e3;

/// A number that a plan goes by, and where it comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// In the unit that its name ends with; finite, at least 0.
    pub value: f64,
    /// How sure it is.
    pub origin: Origin,
    /// Where it was measured, or why it is taken to be so.
    pub source: Cow<'static, str>,
}

/// Where a figure comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// It was measured on the reference machine, or counted in records as the program writes them.
    Measured,
    /// Nothing has measured it: a goal, a rule of thumb, or half of a measurement.
    Assumed,
    /// A report has it.
    Report,
}

impl Figure {
    /// A figure of a report.
    pub fn reported(value: f64, source: impl Into<Cow<'static, str>>) -> Figure {
        Figure { value, origin: Origin::Report, source: source.into() }
    }

    /// Where it comes from, in words: `measured: README`.
    pub fn cited(&self) -> String {
        let origin = match self.origin {
            Origin::Measured => "measured",
            Origin::Assumed => "assumed",
            Origin::Report => "report",
        };
        format!("{origin}: {}", self.source)
    }
}

/// Where some figures come from, in words, each source once.
pub fn cited(figures: &[&Figure]) -> String {
    let mut all: Vec<String> = Vec::new();
    for cited in figures.iter().map(|figure| figure.cited()) {
        if !all.contains(&cited) {
            all.push(cited);
        }
    }
    all.join("; ")
}

macro_rules! figures {
    ($($(#[$doc:meta])* $name:ident: $value:expr, $origin:ident, $source:expr;)*) => {
        /// What a plan goes by. The unit of a figure is the end of its name: `us` is microseconds of one core, `bytes`
        /// are bytes, `mb` are a million bytes; a `factor`, a `share` and a `ratio` have none.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        pub struct Basis {
            $($(#[$doc])* pub $name: Figure,)*
        }

        impl Default for Basis {
            /// The figures of the reference machine.
            fn default() -> Basis {
                Basis {
                    $($name: Figure {
                        value: $value,
                        origin: Origin::$origin,
                        source: Cow::Borrowed($source),
                    },)*
                }
            }
        }

        impl Basis {
            /// All figures by their names, in the order of their use.
            pub fn all(&self) -> Vec<(&'static str, &Figure)> {
                vec![$((stringify!($name), &self.$name),)*]
            }
        }
    };
}

figures! {
    /// What a tweet costs the scan however long it is, with all that the client does for it; microseconds, above 0.
    tweet_fixed_us: 1.21, Measured, "docs/performance.md, axis tweet_bytes";
    /// What a KB (1,000 bytes) of a tweet costs the scan beside that; microseconds, above 0.
    tweet_kb_us: 0.52, Measured, "docs/performance.md, axis tweet_bytes";
    /// The same tweet from a topic with lz4 over one without compression; above 0, usually at least 1.
    lz4_factor: 1.42, Measured, "docs/performance.md, axis compression";
    /// The same with zstd.
    zstd_factor: 3.1, Measured, "docs/performance.md, axis compression";
    /// What a tweet with an offer's tag costs the scan beside any tweet: parsed, written, acknowledged; microseconds.
    match_us: 220.0, Measured, "docs/performance.md, axis one_in; within its noise";
    /// Bytes in the topic over bytes of the records, with lz4; 0 to 1.
    lz4_ratio: 0.253, Measured, "the sampled stream of 2013 in batches of 256 KiB, lz4 -1";
    /// The same with zstd.
    zstd_ratio: 0.160, Measured, "the sampled stream of 2013 in batches of 256 KiB, zstd -3";
    /// Memory of a process with one scan worker, without tables: program, client, buffers; bytes.
    scan_worker_bytes: 38.6e6, Measured, "docs/performance.md, the most of a scan";
    /// Memory of a linked account in each scan worker; bytes.
    linked_id_bytes: 13.9, Measured, "10 million linked ids, load parts";
    /// Memory of an offer in each scan worker: its record, and its tag in the automaton; bytes.
    offer_bytes: 1_000.0, Assumed, "a record of 300 bytes, read, with room";
    /// Requests that are confirmed, as a share of all; 0 to 1. Each confirmation is one more sighting.
    confirmed_share: 0.6, Assumed, "as the made-up shoppers do, docs/performance.md";
    /// What a record of the inbox costs the desk, with its share of a transaction that has many; microseconds.
    desk_record_us: 99.0, Measured, "docs/performance.md, the desk alone";
    /// Memory of a process with a desk worker, without state; bytes.
    desk_worker_bytes: 28e6, Measured, "docs/performance.md: restores of two sizes, less their state";
    /// Memory of an account at rest in the desk, without anything pending; bytes.
    account_bytes: 150.0, Measured, "a million accounts in one desk, load parts";
    /// Memory of a pending in the desk, with its timer and what its account remembers; bytes.
    pending_bytes: 192.0, Measured, "a million, one in each account, load parts";
    /// A sighting in the inbox, with key and the offer's record; bytes.
    sighting_bytes: 540.0, Measured, "counted in a sighting of one offer";
    /// A mark in the inbox, with the settings and the texts in it; bytes.
    mark_bytes: 1_550.0, Measured, "counted with the settings as shipped";
    /// What an account tells an offer of a confirmed purchase, in the inbox, with its key; bytes.
    message_bytes: 80.0, Measured, "counted in the message of a purchase";
    /// An offer's record in the changelog, after such a message; bytes.
    changelog_offer_bytes: 100.0, Measured, "counted after the message of a purchase";
    /// An account's record in the changelog, as it is written while it buys; bytes.
    changelog_account_bytes: 1_804.0, Measured, "docs/performance.md, changelog of an hour";
    /// A partition's record in the changelog, with the settings in force; bytes.
    changelog_partition_bytes: 1_600.0, Measured, "counted with the settings as shipped";
    /// An event in `purchases`, with key and headers; bytes.
    event_bytes: 845.0, Measured, "counted in the events of a purchase";
    /// A record in `orders`, with key and headers; bytes.
    order_bytes: 665.0, Measured, "counted in the order of a purchase";
    /// What one core of a broker takes of its traffic, in and out, in a second; megabytes.
    broker_core_mb: 200.0, Assumed, "a rule of thumb; no core of a broker was measured";
    /// How much of a broker's network and of its disk's speed is planned with; 0 to 1.
    broker_speed_share: 0.6, Assumed, "room for a broker that is away, and for catching up";
    /// How much of a broker's disk is filled; 0 to 1.
    broker_disk_share: 0.8, Assumed, "room for segments that are not deleted yet";
}

impl Basis {
    /// What a tweet costs the scan, in microseconds, without what a match costs and without compression.
    pub fn plain_tweet_us(&self, bytes: f64) -> f64 {
        self.tweet_fixed_us.value + self.tweet_kb_us.value * bytes / KB
    }
}
