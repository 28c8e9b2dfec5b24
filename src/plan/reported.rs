//! The figures that a report of `hashbuy load run` has.
//!
//! | figure | from |
//! | --- | --- |
//! | a match | the axis `one_in`: the slope of the microseconds of a tweet over the share of matches |
//! | compression | the axis `compression`: the middle round of each over that of none |
//! | a tweet | the main shape, without its matches and its compression |
//! | its fixed part and a KB | the axis `tweet_bytes`, by least squares; else in the proportion that they had |
//! | memory of a worker | the most that a scan of the main shape had |
//! | linked ids, pendings, the desk | `parts` and `desk`, where the report has them |

use super::basis::{Basis, Figure, KB};
use crate::load::report::{Report, Throughput};

/// The microseconds of a tweet in the middle round of an entry; none without a round that is a measurement.
fn tweet_us(entry: &Throughput) -> Option<f64> {
    let us = entry.middle(|round| 1e6 * round.scan.cpu_seconds / round.scan.tweets as f64)?;
    (us.is_finite() && us > 0.0).then_some(us)
}

impl Report {
    /// Puts what the report has into the basis of a plan. Returns whether it had anything.
    pub fn put_into(&self, basis: &mut Basis) -> bool {
        let before = basis.clone();
        self.put_matches(basis);
        self.put_compression(basis);
        self.put_tweets(basis);
        self.put_memory(basis);
        self.put_parts(basis);
        *basis != before
    }

    /// A place along an axis and the microseconds of a tweet there, the main shape among them.
    fn measured_along(&self, axis: &str, place: impl Fn(&Throughput) -> f64) -> Vec<(f64, f64)> {
        let entries = self.entries(axis).into_iter();
        entries.filter_map(|entry| Some((place(entry), tweet_us(entry)?))).collect()
    }

    fn put_matches(&self, basis: &mut Basis) {
        let points = self.measured_along("one_in", |entry| 1.0 / entry.shape.one_in.max(1) as f64);
        // Less than nothing is noise.
        if let Some((_, slope)) = line(&points) {
            basis.match_us = Figure::reported(slope.max(0.0), "axis one_in");
        }
    }

    fn put_compression(&self, basis: &mut Basis) {
        let entries = self.entries("compression");
        let of = |codec: &str| {
            entries.iter().filter(|entry| entry.shape.compression == codec).find_map(|entry| tweet_us(entry))
        };
        let Some(none) = of("none") else { return };
        for (codec, factor) in [("lz4", &mut basis.lz4_factor), ("zstd", &mut basis.zstd_factor)] {
            if let Some(us) = of(codec) {
                *factor = Figure::reported(us / none, "axis compression");
            }
        }
    }

    fn put_tweets(&self, basis: &mut Basis) {
        let Some(main) = self.throughput.first() else { return };
        let factor = match main.shape.compression.as_str() {
            "lz4" => basis.lz4_factor.value,
            "zstd" => basis.zstd_factor.value,
            _ => 1.0,
        };
        let match_us = basis.match_us.value;
        let plain = |(kb, us): (f64, f64), one_in: u64| (kb, (us - match_us / one_in.max(1) as f64) / factor);
        let one_in = main.shape.one_in;
        let points = self.measured_along("tweet_bytes", |entry| entry.shape.tweet_bytes / KB);
        let points: Vec<(f64, f64)> = points.into_iter().map(|point| plain(point, one_in)).collect();
        if let Some((fixed, kb)) = line(&points).filter(|(fixed, kb)| *fixed >= 0.0 && *kb >= 0.0) {
            let source = "axis tweet_bytes, least squares";
            basis.tweet_fixed_us = Figure::reported(fixed, source);
            basis.tweet_kb_us = Figure::reported(kb, source);
            return;
        }
        let Some(us) = tweet_us(main) else { return };
        let (_, us) = plain((0.0, us), one_in);
        let scale = us / basis.plain_tweet_us(main.shape.tweet_bytes);
        if scale > 0.0 && scale.is_finite() {
            let source = "main shape, split as by default";
            basis.tweet_fixed_us = Figure::reported(basis.tweet_fixed_us.value * scale, source);
            basis.tweet_kb_us = Figure::reported(basis.tweet_kb_us.value * scale, source);
        }
    }

    fn put_memory(&self, basis: &mut Basis) {
        let Some(main) = self.throughput.first() else { return };
        let most = main.rounds.iter().map(|round| round.scan.peak_memory_bytes).max().unwrap_or(0);
        if most > 0 {
            basis.scan_worker_bytes = Figure::reported(most as f64, "main shape, most memory of the scan");
        }
    }

    fn put_parts(&self, basis: &mut Basis) {
        let each = |bytes: &str, count: &str| {
            let (bytes, count) = (self.parts.get(bytes)?, self.parts.get(count)?);
            (*bytes > 0.0 && *count > 0.0).then(|| bytes / count)
        };
        if let Some(bytes) = each("linked.bytes", "linked.ids") {
            basis.linked_id_bytes = Figure::reported(bytes, "parts, linked");
        }
        for (figure, name) in [
            (&mut basis.account_bytes, "due.account.bytes"),
            (&mut basis.pending_bytes, "due.pending_with_its_history.bytes"),
        ] {
            if let Some(bytes) = self.parts.get(name).filter(|bytes| **bytes > 0.0) {
                *figure = Figure::reported(*bytes, "parts, due");
            }
        }
        let mut rounds: Vec<f64> = self.desk.iter().map(|pass| 1e6 / pass.per_cpu_second()).collect();
        rounds.retain(|us| us.is_finite() && *us > 0.0);
        rounds.sort_by(f64::total_cmp);
        if let Some(us) = rounds.get(rounds.len() / 2) {
            basis.desk_record_us = Figure::reported(*us, "desk, middle round");
        }
    }
}

/// The line through points with the least squares: its height at 0, and its slope. None without two places.
fn line(points: &[(f64, f64)]) -> Option<(f64, f64)> {
    let count = points.len() as f64;
    let (x, y) = points.iter().fold((0.0, 0.0), |(x, y), point| (x + point.0 / count, y + point.1 / count));
    let spread: f64 = points.iter().map(|point| (point.0 - x).powi(2)).sum();
    let common: f64 = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum();
    let slope = common / spread;
    (spread > 0.0 && slope.is_finite()).then_some((y - slope * x, slope))
}
