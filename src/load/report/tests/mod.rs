//! A report as it is shown.

mod goals;
mod shown;

use super::*;

/// A report with something of everything, and of a size as real ones have.
fn full() -> Report {
    let shape = |axis: &str, value: u64| {
        let mut shape = main_shape();
        match axis {
            "offers" => shape.offers = value,
            "partitions" => shape.partitions = value as u32,
            "one_in" => shape.one_in = value,
            "instances" => shape.instances = value as u32,
            "compression" => shape.compression = if value == 0 { "none" } else { "zstd" }.to_owned(),
            _ => {}
        }
        shape
    };
    let axes = [
        ("main", 0, 0.874),
        ("offers", 10, 0.881),
        ("offers", 100_000, 0.862),
        ("partitions", 4, 0.869),
        ("partitions", 64, 0.878),
        ("compression", 0, 0.861),
        ("compression", 1, 0.912),
        ("one_in", 1_000, 0.713),
        ("instances", 2, 0.866),
    ];
    let entry = |(axis, value, ratio): (&str, u64, f64)| Throughput {
        axis: axis.to_owned(),
        shape: shape(axis, value),
        rounds: (0..5).map(|i| round(ratio + (f64::from(i) - 2.0) * 0.006, i % 2 == 1)).collect(),
    };
    let pairs = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    Report {
        began_at: "2025-03-01T12:00:00Z".to_owned(),
        seconds: 1_234.5,
        machine: pairs(&[("processor", "A Processor <of some kind> & more, 3.2 GHz"), ("cores", "2")]),
        settings: pairs(&[
            ("--rate", "50000"),
            ("--note", "<b>bold</b> \"quoted\""),
            ("--long", &format!("https://example.org/{}", "a-long-word-".repeat(12))),
        ]),
        throughput: axes.into_iter().map(entry).collect(),
        latency: vec![latency(1_000.0, 4.0), latency(50_000.0, 11.0), latency(80_000.0, 30.0)],
        restart: Some(Restart { ended_after: 1.25, ready_after: 2.5, without_events: 4.75 }),
        books: Some(Books {
            events: [("purchase.requested".to_owned(), 12_345), ("purchase.confirmed".to_owned(), 9_876)]
                .into(),
            doubles: 0,
            faults: vec!["purchase <1> was requested and never ended".to_owned()],
        }),
        parts: parts(),
        desk: [30_500, 31_000, 20_000].map(|sightings| desk_pass(sightings, 250)).to_vec(),
    }
}

fn desk_pass(sightings: u64, commits: u64) -> DeskPass {
    DeskPass { sightings, wall_seconds: 1.0, cpu_seconds: 0.9, commits }
}

/// All of them as they are to be.
fn parts() -> BTreeMap<String, f64> {
    [
        ("prefilter.vector_bits", 512.0),
        ("prefilter.hot.to_memchr", 0.25),
        ("prefilter.hot.bytes_per_second", 11.5e9),
        ("prefilter.cold.to_memchr", 0.75),
        ("prefilter.cold.bytes_per_second", 7.2e9),
        ("prefilter.hot.spread_of_offers", 0.07),
        ("prefilter.build.milliseconds", 110.0),
        ("prefilter.build.bytes", 2.1e6),
        ("pendings.held", 10e6),
        ("pendings.bytes", 900e6),
        ("pendings.passed_per_second", 3.1e6),
        ("due.pendings", 1e6),
        ("due.longest.milliseconds", 4.2),
        ("linked.ids", 10e6),
        ("linked.bytes", 156e6),
        ("linked.look_up.nanoseconds", 61.5),
        ("replay.to_ids", 0.93),
        ("replay.bytes_per_second", 512e6),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

fn main_shape() -> Shape {
    Shape {
        partitions: 16,
        compression: "lz4".to_owned(),
        offers: 1_000,
        one_in: 100_000,
        instances: 1,
        tweets: 20_000_000,
        tweet_bytes: 2_841.7,
    }
}

/// A round with the ratio, in which the scan reads about a million tweets a second.
fn round(ratio: f64, scan_first: bool) -> Round {
    Round { baseline: pass(1_000_000.0, 24), scan: pass(1_000_000.0 * ratio, 61), scan_first }
}

fn pass(per_second: f64, megabytes: u64) -> Pass {
    let sample = |i: u32| {
        let seconds = f64::from(i) * 0.25;
        // Faster and slower by turns, and memory that fills at first.
        let tweets = per_second * (seconds + 0.05 * (seconds * 2.0).sin());
        let memory = megabytes * 1_000_000 - 8_000_000 / u64::from(i + 1);
        Sample { seconds, tweets: tweets as u64, cpu_seconds: seconds * 0.93, memory_bytes: memory }
    };
    let samples: Vec<Sample> = (0..=80).map(sample).collect();
    Pass {
        tweets: (per_second * 20.0) as u64,
        wall_seconds: 20.0,
        cpu_seconds: 20.0,
        peak_memory_bytes: megabytes * 1_000_000,
        samples,
        ..Pass::default()
    }
}

fn latency(rate: f64, least: f64) -> Latency {
    let tail = [0.0, 10.0, 25.0, 50.0, 75.0, 90.0, 95.0, 99.0, 99.5, 99.9, 99.95, 99.99, 100.0];
    let points = |factor: f64| {
        let at = |(i, percentile): (usize, &f64)| (*percentile, least * factor * 1.3f64.powi(i as i32));
        tail.iter().enumerate().map(at).collect()
    };
    let sample = |i: u32| Sample {
        seconds: f64::from(i),
        tweets: u64::from(i) * rate as u64,
        cpu_seconds: f64::from(i) * rate / 60_000.0,
        memory_bytes: 90_000_000 + u64::from(i % 7) * 1_500_000,
    };
    Latency {
        rate,
        reached: rate * 0.9998,
        seconds: 120.0,
        requested: Percentiles { count: 60_000, points: points(1.0) },
        confirmed: Percentiles { count: 45_000, points: points(1.2) },
        unanswered: 2,
        samples: (0..=120).map(sample).collect(),
    }
}
