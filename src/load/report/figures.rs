//! The plots of a report.

use super::axes::{Axis, Scale};
use super::goals::{DENSE_RATIO, LATENCIES, RATIO, STRETCH, WITHIN};
use super::numbers::{plural, ratio, whole};
use super::over_time::{Line, PROCESSOR, TWEETS, Total, memory, rates, step};
use super::plots::{Drawn, Plot, Series};
use super::shapes::axis_name;
use super::{Latency, Pass, Percentiles, Report, Round, Sample, Throughput};

/// How fast it was read: over time, and round by round.
pub fn throughput(report: &Report) -> Vec<Plot> {
    let mut plots = Vec::new();
    if let Some(main) = report.throughput.first() {
        plots.extend(middle_round(main).map(|round| passes(round, "Tweets per second", TWEETS)));
        plots.push(rounds(main));
    }
    seen(plots)
}

/// How it goes along each axis, with the axis's name: what a tweet costs, the ratio; and for more processes, how
/// much they read.
pub fn growth(report: &Report) -> Vec<(&str, Vec<Plot>)> {
    let of_axis = |axis| {
        let mut plots = Vec::new();
        plots.push(pair(report, axis, "CPU per tweet in µs", |pass| {
            1e6 * pass.cpu_seconds / pass.tweets as f64
        }));
        plots.push(ratios(report, axis));
        if axis == "instances" {
            plots.push(pair(report, axis, "Tweets per second", Pass::per_second));
        }
        (axis_name(axis), seen(plots))
    };
    report.axes().into_iter().map(of_axis).collect()
}

/// Latencies by percentile.
pub fn latency(report: &Report) -> Vec<Plot> {
    let guide = |(percentile, millis)| (format!("goal of p{percentile}: {} ms", whole(millis)), millis);
    let mut requested = percentiles(report, "Tweet to purchase.requested, ms", |entry| &entry.requested);
    requested.guides = LATENCIES.map(guide).to_vec();
    seen(vec![requested, percentiles(report, "Tweet to purchase.confirmed, ms", |entry| &entry.confirmed)])
}

/// Processors and memory over time.
pub fn resources(report: &Report) -> Vec<Plot> {
    let mut plots = Vec::new();
    if let Some((number, round)) = report.throughput.first().and_then(middle_round) {
        plots.push(passes((number, round), "Processors busy", PROCESSOR));
        let step = step([round.scan.samples.as_slice(), round.baseline.samples.as_slice()].into_iter());
        let line = |name: &str, samples: &[Sample]| line(name, memory(samples, step));
        let lines = vec![line("scan", &round.scan.samples), line("baseline", &round.baseline.samples)];
        plots.push(over_time(format!("Memory in MB, round {number}"), lines));
    }
    let step = step(report.latency.iter().map(|entry| entry.samples.as_slice()));
    let lines = |figure: &dyn Fn(&[Sample]) -> Line| {
        report.latency.iter().map(|entry| line(&rate(entry), figure(&entry.samples))).collect()
    };
    let busy = lines(&|samples| rates(samples, step, PROCESSOR));
    plots.push(over_time("Processors busy with the service".to_owned(), busy));
    plots.push(over_time("Memory of the service in MB".to_owned(), lines(&|samples| memory(samples, step))));
    seen(plots)
}

fn seen(mut plots: Vec<Plot>) -> Vec<Plot> {
    plots.retain(|plot| !plot.is_empty());
    plots
}

/// The round whose ratio is the middle one, and its number.
fn middle_round(entry: &Throughput) -> Option<(usize, &Round)> {
    let middle = entry.ratio()?;
    let same = |(_, round): &(usize, &Round)| round.ratio().total_cmp(&middle).is_eq();
    (1..).zip(&entry.rounds).find(same)
}

/// The scan and the baseline of a round over time.
fn passes((number, round): (usize, &Round), what: &str, total: Total) -> Plot {
    let (scan, baseline) = (round.scan.samples.as_slice(), round.baseline.samples.as_slice());
    let step = step([scan, baseline].into_iter());
    let lines = vec![line("scan", rates(scan, step, total)), line("baseline", rates(baseline, step, total))];
    over_time(format!("{what}, round {number}"), lines)
}

/// Scan over baseline, a point for each round.
fn rounds(main: &Throughput) -> Plot {
    let points = main.rounds.iter().enumerate().map(|(i, round)| (i as f64, round.ratio())).collect();
    let numbers = (1..=main.rounds.len()).map(|number| whole(number as f64)).collect();
    Plot {
        title: "Scan / baseline, round by round".to_owned(),
        x: Axis { name: "round".to_owned(), scale: Scale::Names(numbers) },
        y: Axis { name: "ratio".to_owned(), scale: Scale::Part },
        series: vec![Series { name: "scan / baseline".to_owned(), drawn: Drawn::Both, points }],
        guides: vec![
            (format!("goal: {}", ratio(RATIO)), RATIO),
            (format!("better: {}", ratio(STRETCH)), STRETCH),
        ],
    }
}

/// The entries of an axis with their places on it, and the axis.
fn places<'a>(report: &'a Report, axis: &str) -> (Vec<(f64, &'a Throughput)>, Axis) {
    let entries = report.entries(axis);
    let mut names: Vec<String> = entries.iter().map(|entry| entry.shape.mark(axis)).collect();
    names.dedup();
    let place = |entry: &Throughput| {
        let name = entry.shape.mark(axis);
        names.iter().position(|known| *known == name).unwrap_or(0) as f64
    };
    let entries = entries.into_iter().map(|entry| (place(entry), entry)).collect();
    (entries, Axis { name: axis_name(axis).to_owned(), scale: Scale::Names(names) })
}

/// Scan over baseline for each value of an axis: each round, and the middle ones.
fn ratios(report: &Report, axis: &str) -> Plot {
    let (entries, x) = places(report, axis);
    let every = |(x, entry): &(f64, &Throughput)| {
        let x = *x;
        entry.rounds.iter().map(move |round| (x, round.ratio())).collect::<Vec<_>>()
    };
    let middle = entries.iter().filter_map(|(x, entry)| Some((*x, entry.ratio()?))).collect();
    let rounds = entries.iter().flat_map(every).collect();
    let main = report.throughput.first().and_then(Throughput::ratio).filter(|ratio| ratio.is_finite());
    let mut guides: Vec<(String, f64)> =
        main.map(|main| (format!("main: {}", ratio(main)), main)).into_iter().collect();
    match (axis, main) {
        ("partitions" | "compression", Some(main)) => {
            let least = main * (1.0 - WITHIN);
            guides.push((format!("10 % below: {}", ratio(least)), least));
        }
        ("one_in", _) => guides.push((format!("goal of 1 in 1,000: {}", ratio(DENSE_RATIO)), DENSE_RATIO)),
        _ => {}
    }
    Plot {
        title: format!("Scan / baseline by {}", x.name),
        x,
        y: Axis { name: "ratio".to_owned(), scale: Scale::Part },
        series: vec![
            Series { name: "middle round".to_owned(), drawn: Drawn::Both, points: middle },
            Series { name: "each round".to_owned(), drawn: Drawn::Points, points: rounds },
        ],
        guides,
    }
}

/// A figure of the scan and of the baseline for each value of an axis, of the middle rounds.
fn pair(report: &Report, axis: &str, what: &str, figure: impl Fn(&Pass) -> f64) -> Plot {
    let (entries, x) = places(report, axis);
    let series = |name: &str, of: fn(&Round) -> &Pass| {
        let point = |(x, entry): &(f64, &Throughput)| Some((*x, entry.middle(|round| figure(of(round)))?));
        Series {
            name: name.to_owned(),
            drawn: Drawn::Both,
            points: entries.iter().filter_map(point).collect(),
        }
    };
    Plot {
        title: format!("{what} by {}", x.name),
        x,
        y: Axis { name: String::new(), scale: Scale::FromZero },
        series: vec![series("scan", |round| &round.scan), series("baseline", |round| &round.baseline)],
        guides: Vec::new(),
    }
}

fn percentiles(report: &Report, title: &str, of: fn(&Latency) -> &Percentiles) -> Plot {
    let count = report.latency.iter().map(|entry| of(entry).count).max().unwrap_or(0);
    let series = report.latency.iter().map(|entry| line(&rate(entry), known(of(entry))));
    Plot {
        title: title.to_owned(),
        x: Axis { name: "percentile".to_owned(), scale: Scale::Percentile(count) },
        y: Axis { name: "ms".to_owned(), scale: Scale::Logarithm },
        series: series.collect(),
        guides: Vec::new(),
    }
}

/// The percentiles above which something was measured, and the greatest.
fn known(of: &Percentiles) -> Vec<(f64, f64)> {
    let above = |percentile: f64| (1.0 - percentile / 100.0) * of.count as f64;
    of.points
        .iter()
        .copied()
        .filter(|(percentile, _)| *percentile >= 100.0 || above(*percentile) >= 1.0)
        .collect()
}

fn over_time(title: String, series: Vec<Series>) -> Plot {
    Plot {
        title,
        x: Axis { name: "seconds".to_owned(), scale: Scale::FromZero },
        y: Axis { name: String::new(), scale: Scale::FromZero },
        series,
        guides: Vec::new(),
    }
}

fn line(name: &str, points: Vec<(f64, f64)>) -> Series {
    Series { name: name.to_owned(), drawn: Drawn::Line, points }
}

fn rate(entry: &Latency) -> String {
    plural(entry.rate.round().max(0.0) as u64, "tweet/s", "tweets/s")
}
