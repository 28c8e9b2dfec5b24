//! What is to be reached, and how near a run came.
//!
//! Every goal has a line in every report. What was measured with another shape or at another rate than the goal is
//! meant for is told, but it is neither met nor missed by it.

mod parts;

use super::numbers::{NONE, SLACK, fixed, high, low, plural, ratio, whole};
use super::{Goal, Latency, Report, Round, Sample, Shape, Throughput, Verdict};

/// Scan over baseline, of the main shape; and what would be better still.
pub const RATIO: f64 = 0.85;
/// See [`RATIO`].
pub const STRETCH: f64 = 0.9;
/// Tweets in a second, by the clock.
pub const OUTRIGHT: f64 = 143_199.0;
/// Offers and share of tweets with an offer's tag, for which [`RATIO`] is meant.
const MAIN: (u64, u64) = (1_000, 100_000);
/// Scan over baseline where one tweet in a thousand has an offer's tag.
pub const DENSE_RATIO: f64 = 0.7;
/// See [`DENSE_RATIO`].
const DENSE: u64 = 1_000;
/// Open offers whose ratios are to be alike.
const OFFERS: [u64; 3] = [10, 1_000, 100_000];
/// Partitions with which the ratio is to be no worse than the main one.
const PARTITIONS: [u32; 3] = [4, 16, 64];
/// The same of compressed topics.
const COMPRESSIONS: [&str; 2] = ["lz4", "zstd"];
/// How far ratios may lie apart, and how far one may lie below the main one.
pub const WITHIN: f64 = 0.1;
/// Memory of the scan, in bytes.
const MEMORY: u64 = 200_000_000;
/// Memory at the end over memory at the beginning.
const FLAT: f64 = 1.1;
/// Tweets in a second, for which the latencies are meant.
pub const RATE: f64 = 50_000.0;
/// Percentile and milliseconds, from a tweet to its `purchase.requested`.
pub const LATENCIES: [(f64, f64); 2] = [(50.0, 60.0), (99.0, 250.0)];
/// A rate was not measured if less than this part of it was sent.
const AS_ASKED: f64 = 0.99;

impl Goal {
    fn new(what: impl Into<String>, goal: impl Into<String>) -> Goal {
        let (what, goal, measured) = (what.into(), goal.into(), NONE.to_owned());
        Goal { what, goal, measured, verdict: Verdict::NotMeasured }
    }

    fn judged(self, measured: String, met: bool) -> Goal {
        let verdict = if met { Verdict::Met } else { Verdict::Missed };
        Goal { measured, verdict, ..self }
    }

    /// Something like it was measured.
    fn beside(self, measured: String) -> Goal {
        Goal { measured, verdict: Verdict::NotMeasured, ..self }
    }

    /// Whether it was reached.
    pub fn met(&self) -> bool {
        self.verdict == Verdict::Met
    }
}

impl Verdict {
    /// As it is shown.
    pub fn words(self) -> &'static str {
        match self {
            Verdict::Met => "met",
            Verdict::Missed => "missed",
            Verdict::NotMeasured => "not measured",
        }
    }
}

/// `12 met, 1 missed, 3 not measured`, of which what is 0 is left out.
pub fn verdicts(goals: &[Goal]) -> String {
    let count = |verdict: Verdict| match goals.iter().filter(|goal| goal.verdict == verdict).count() {
        0 => None,
        count => Some(format!("{count} {}", verdict.words())),
    };
    let all = [Verdict::Met, Verdict::Missed, Verdict::NotMeasured];
    all.into_iter().filter_map(count).collect::<Vec<_>>().join(", ")
}

impl Report {
    /// All goals; none for a run that has measured nothing at all.
    pub fn goals(&self) -> Vec<Goal> {
        let of_service = self.throughput.is_empty() && self.latency.is_empty() && self.books.is_none();
        if of_service && self.parts.is_empty() && self.desk.is_empty() {
            return Vec::new();
        }
        let mut goals = vec![self.main_ratio(), self.outright(), self.offers_alike(), self.dense()];
        goals.extend(PARTITIONS.iter().filter_map(|count| {
            let name = plural((*count).into(), "partition", "partitions");
            self.like_main("partitions", &name, |shape| shape.partitions == *count)
        }));
        goals.extend(
            COMPRESSIONS
                .iter()
                .filter_map(|name| self.like_main("compression", name, |shape| shape.compression == *name)),
        );
        goals.extend([self.memory(), self.flat()]);
        goals.extend(LATENCIES.map(|limit| self.requested(limit)));
        goals.extend(self.parts());
        goals.extend(self.sound());
        goals
    }

    fn main_ratio(&self) -> Goal {
        let (offers, one_in) = MAIN;
        let what = format!(
            "scan / baseline with {} offers, 1 match in {}",
            whole(offers as f64),
            whole(one_in as f64)
        );
        let goal = Goal::new(what, format!("at least {}; better: {}", ratio(RATIO), ratio(STRETCH)));
        let Some((main, measured)) = self.main() else { return goal };
        if (main.shape.offers, main.shape.one_in) != MAIN {
            let [offers, one_in] = ["offers", "one_in"].map(|axis| main.shape.along(axis));
            return goal.beside(format!("{} with {offers}, {one_in}", low(measured, 3)));
        }
        let stretch = if measured >= STRETCH - SLACK { "reached too" } else { "not reached" };
        goal.judged(format!("{}; {} {stretch}", low(measured, 3), ratio(STRETCH)), measured >= RATIO - SLACK)
    }

    fn outright(&self) -> Goal {
        let goal = Goal::new("tweets scanned in a second", format!("at least {}/s", whole(OUTRIGHT)));
        let per_second =
            self.throughput.first().and_then(|main| main.middle(|round| round.scan.per_second()));
        match finite(per_second).filter(|measured| *measured > 0.0) {
            Some(measured) => goal.judged(format!("{}/s", low(measured, 0)), measured >= OUTRIGHT),
            None => goal,
        }
    }

    /// The number of offers makes no difference, in either direction.
    fn offers_alike(&self) -> Goal {
        let what = format!("scan / baseline with {} offers", list(&OFFERS));
        let goal = Goal::new(what, "within 10 % of each other");
        let measured: Vec<(u64, f64)> = self
            .entries("offers")
            .into_iter()
            .filter_map(|entry| Some((entry.shape.offers, finite(entry.ratio())?)))
            .collect();
        let mut offers: Vec<u64> = measured.iter().map(|(offers, _)| *offers).collect();
        offers.dedup();
        if offers.len() < 2 {
            return goal;
        }
        let lowest = measured.iter().map(|(_, ratio)| *ratio).fold(f64::INFINITY, f64::min);
        let highest = measured.iter().map(|(_, ratio)| *ratio).fold(0.0, f64::max);
        let apart = highest / lowest - 1.0;
        let mut shown =
            format!("{} to {}: {} % apart", ratio(lowest), ratio(highest), high(apart * 100.0, 1));
        if offers != OFFERS {
            shown.push_str(&format!(" with {} offers", list(&offers)));
        }
        match OFFERS.iter().all(|wanted| offers.contains(wanted)) {
            true => goal.judged(shown, apart <= WITHIN + SLACK),
            false => goal.beside(shown),
        }
    }

    /// Where offers' tags are frequent.
    fn dense(&self) -> Goal {
        let what = format!("scan / baseline with 1 match in {}", whole(DENSE as f64));
        let goal = Goal::new(what, format!("at least {}", ratio(DENSE_RATIO)));
        let off = |entry: &&Throughput| (entry.shape.one_in.max(1) as f64 / DENSE as f64).ln().abs();
        let of_axis = self.throughput.iter().filter(|entry| entry.axis == "one_in");
        let main = self.throughput.first().filter(|main| main.shape.one_in == DENSE);
        let nearest = main.into_iter().chain(of_axis).min_by(|a, b| off(a).total_cmp(&off(b)));
        let Some((entry, measured)) = nearest.and_then(with_ratio) else { return goal };
        match entry.shape.one_in {
            DENSE => goal.judged(low(measured, 3), measured >= DENSE_RATIO - SLACK),
            _ => goal.beside(format!("{} with {}", low(measured, 3), entry.shape.along("one_in"))),
        }
    }

    /// A ratio that is to be no worse than the main one; better is no fault. None if it is the main one's own.
    fn like_main(&self, axis: &str, name: &str, same: impl Fn(&Shape) -> bool) -> Option<Goal> {
        if self.throughput.first().is_some_and(|main| same(&main.shape)) {
            return None;
        }
        let mut goal = Goal::new(format!("scan / baseline with {name}"), "at most 10 % below the main one's");
        let Some((_, of_main)) = self.main().filter(|(_, ratio)| *ratio > 0.0) else { return Some(goal) };
        goal.goal.push_str(&format!(" {}", ratio(of_main)));
        let of_axis = |entry: &&Throughput| entry.axis == axis && same(&entry.shape);
        let Some((_, measured)) = self.throughput.iter().skip(1).find(of_axis).and_then(with_ratio) else {
            return Some(goal);
        };
        let off = measured / of_main - 1.0;
        let shown = match off < 0.0 {
            true => format!("{} % below", high(-off * 100.0, 1)),
            false => format!("{} % above", low(off * 100.0, 1)),
        };
        Some(goal.judged(format!("{}: {shown}", ratio(measured)), off >= -WITHIN - SLACK))
    }

    /// The most memory of a scan, of all entries with as many processes as the main one.
    fn memory(&self) -> Goal {
        let goal = Goal::new("peak memory of the scan", format!("at most {} MB", whole(MEMORY as f64 / 1e6)));
        let Some(main) = self.throughput.first() else { return goal };
        let alike = self.throughput.iter().filter(|entry| entry.shape.instances == main.shape.instances);
        let passes = alike.flat_map(|entry| entry.rounds.iter().map(move |round| (entry, round)));
        let peaks = passes.map(|(entry, round)| (round.scan.peak_memory_bytes, entry));
        match peaks.filter(|(peak, _)| *peak > 0).max_by_key(|(peak, _)| *peak) {
            Some((peak, entry)) => {
                let where_to =
                    if entry.axis == main.axis { String::new() } else { format!(" with {}", entry.name()) };
                goal.judged(format!("{} MB{where_to}", high(peak as f64 / 1e6, 1)), peak <= MEMORY)
            }
            None => goal,
        }
    }

    /// The memory of a scan does not grow; of all rounds the one in which it grew most.
    fn flat(&self) -> Goal {
        let what = "memory of the scan, last quarter of a pass over the second";
        let goal = Goal::new(what, format!("at most {}", fixed(FLAT, 2)));
        let rounds = self.throughput.first().into_iter().flat_map(|main| &main.rounds);
        let growths = rounds.filter_map(|round: &Round| growth(&round.scan.samples));
        match growths.max_by(f64::total_cmp) {
            Some(grown) => goal.judged(high(grown, 3), grown <= FLAT + SLACK),
            None => goal,
        }
    }

    /// One percentile, at the rate that is nearest to the one it is meant for. It is not reached if more tweets are
    /// without an event than lie above it.
    fn requested(&self, (percentile, limit): (f64, f64)) -> Goal {
        let what = format!("tweet to requested, p{percentile}, at {} tweets/s", whole(RATE));
        let goal = Goal::new(what, format!("at most {} ms", whole(limit)));
        let Some(entry) = self.nearest_rate() else { return goal };
        let (of, unanswered) = (&entry.requested, entry.unanswered);
        let measured = of.at(percentile).filter(|millis| millis.is_finite() && of.count > 0);
        if measured.is_none() && unanswered == 0 {
            return goal;
        }
        let mut shown = measured.map_or(NONE.to_owned(), |value| format!("{} ms", high(value, 1)));
        if unanswered > 0 {
            shown.push_str(&format!("; {} without an event", plural(unanswered, "tweet", "tweets")));
        }
        if entry.rate != RATE {
            return goal.beside(format!("{shown}; at {} tweets/s", whole(entry.rate)));
        }
        if entry.reached < RATE * AS_ASKED {
            return goal.beside(format!("{shown}; only {} tweets/s were sent", whole(entry.reached)));
        }
        let without = unanswered as f64 / (unanswered + of.count) as f64;
        let in_time = measured.is_some_and(|measured| measured <= limit);
        goal.judged(shown, in_time && without <= 1.0 - percentile / 100.0)
    }

    /// The rate that is nearest to the one for which latencies are meant.
    pub fn nearest_rate(&self) -> Option<&Latency> {
        let off = |entry: &&Latency| (entry.rate.max(1.0) / RATE).ln().abs();
        self.latency.iter().min_by(|a, b| off(a).total_cmp(&off(b)))
    }

    /// Nothing is bought twice, and everything adds up.
    fn sound(&self) -> [Goal; 2] {
        let none = |what: &str, count: Option<u64>| match (Goal::new(what, "0"), count) {
            (goal, Some(count)) => goal.judged(whole(count as f64), count == 0),
            (goal, None) => goal,
        };
        let books = self.books.as_ref();
        [
            none("double purchases", books.map(|books| books.doubles)),
            none("faults in the books", books.map(|books| books.faults.len() as u64)),
        ]
    }

    /// The main entry and its ratio.
    fn main(&self) -> Option<(&Throughput, f64)> {
        self.throughput.first().and_then(with_ratio)
    }
}

fn with_ratio(entry: &Throughput) -> Option<(&Throughput, f64)> {
    Some((entry, finite(entry.ratio())?))
}

/// The mean memory of the last quarter over that of the second; none without samples in both.
fn growth(samples: &[Sample]) -> Option<f64> {
    let quarter = samples.last()?.seconds / 4.0;
    let mean = |from: f64, to: f64| {
        let within = samples.iter().filter(|sample| sample.seconds >= from && sample.seconds < to);
        let (sum, count) =
            within.fold((0.0, 0.0), |(sum, count), sample| (sum + sample.memory_bytes as f64, count + 1.0));
        (count > 0.0).then_some(sum / count)
    };
    finite(Some(mean(3.0 * quarter, f64::INFINITY)? / mean(quarter, 2.0 * quarter)?))
}

fn finite(value: Option<f64>) -> Option<f64> {
    value.filter(|value| value.is_finite())
}

/// `10, 1,000`.
fn list(numbers: &[u64]) -> String {
    numbers.iter().map(|number| whole(*number as f64)).collect::<Vec<_>>().join(", ")
}
