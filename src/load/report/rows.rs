//! The numbers of a report in rows, for the terminal and for the page.

use std::collections::BTreeMap;

use super::numbers::{NONE, fixed, megabytes, millis, plural, ratio, whole};
use super::{Books, Goal, Latency, Percentiles, Report, Restart, Throughput, Verdict};

/// Rows under a header.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sheet {
    /// What it is about.
    pub title: String,
    /// A cell for each column.
    pub header: Vec<String>,
    /// So many columns, from the left, hold words; the others hold numbers.
    pub words: usize,
    /// As many cells as the header.
    pub rows: Vec<Vec<String>>,
}

impl Sheet {
    /// Without rows yet.
    pub fn new(title: impl Into<String>, words: usize, header: &[&str]) -> Sheet {
        let header = header.iter().map(|cell| (*cell).to_owned()).collect();
        Sheet { title: title.into(), header, words, rows: Vec::new() }
    }

    fn with(self, rows: impl IntoIterator<Item = Vec<String>>) -> Sheet {
        Sheet { rows: rows.into_iter().collect(), ..self }
    }
}

/// Names and values.
pub fn pairs(title: &str, pairs: &BTreeMap<String, String>) -> Sheet {
    Sheet::new(title, 2, &["name", "value"])
        .with(pairs.iter().map(|(name, value)| [name, value].map(String::clone).to_vec()))
}

/// What was to be reached.
pub fn goals(report: &Report) -> Sheet {
    judged(report.goals())
}

/// What was to be reached by the parts alone, without what was not measured.
pub fn goals_of_parts(report: &Report) -> Sheet {
    judged(report.goals().into_iter().filter(|goal| goal.verdict != Verdict::NotMeasured).collect())
}

fn judged(goals: Vec<Goal>) -> Sheet {
    let rows = goals.into_iter().map(|goal| {
        let verdict = goal.verdict.words().to_owned();
        vec![goal.what, goal.goal, goal.measured, verdict]
    });
    Sheet::new("Goals", 4, &["what", "goal", "measured", "verdict"]).with(rows)
}

/// The figures of the parts.
pub fn parts(report: &Report) -> Sheet {
    let rows = report.parts.iter().map(|(name, value)| {
        let shown = if *value >= 1e3 { whole(*value) } else { ratio(*value) };
        vec![name.replace('_', " ").replace('.', ": "), shown]
    });
    Sheet::new("The parts alone, without a broker", 1, &["figure", "value"]).with(rows)
}

/// The desk alone, a round a line.
pub fn desk(report: &Report) -> Sheet {
    let rows = report.desk.iter().zip(1..).map(|(pass, number)| {
        vec![
            whole(f64::from(number)),
            whole(pass.sightings as f64),
            fixed(pass.wall_seconds, 2),
            whole(pass.per_second()),
            whole(pass.per_cpu_second()),
            whole(pass.commits as f64),
        ]
    });
    let header = ["round", "sightings", "seconds", "sightings/s", "per CPU-s", "transactions"];
    Sheet::new("The desk alone: requests that stand in its inbox", 0, &header).with(rows)
}

/// An entry of the throughput a line.
pub fn entries(report: &Report) -> Sheet {
    let rows = report.throughput.iter().map(|entry| {
        let ratios: Vec<f64> = entry.rounds.iter().map(|round| round.ratio()).collect();
        let lowest = ratios.iter().copied().min_by(f64::total_cmp);
        let highest = ratios.iter().copied().max_by(f64::total_cmp);
        let per_second = entry.middle(|round| round.scan.per_second());
        let mut row = vec![entry.name(), whole(ratios.len() as f64)];
        row.extend([entry.ratio(), lowest, highest].map(|value| ratio(value.unwrap_or(f64::NAN))));
        row.push(whole(per_second.unwrap_or(f64::NAN)));
        row
    });
    let header = ["shape", "rounds", "scan / baseline", "lowest", "highest", "scan tweets/s"];
    Sheet::new("Throughput: the middle one of the rounds of each shape", 1, &header).with(rows)
}

/// Every round of an entry.
pub fn rounds(entry: &Throughput) -> Sheet {
    let rows = entry.rounds.iter().zip(1..).map(|(round, number)| {
        let (scan, baseline) = (&round.scan, &round.baseline);
        vec![
            whole(f64::from(number)),
            if round.scan_first { "scan" } else { "baseline" }.to_owned(),
            whole(scan.per_second()),
            whole(baseline.per_second()),
            whole(scan.per_cpu_second()),
            whole(baseline.per_cpu_second()),
            fixed(scan.cpu_seconds, 2),
            fixed(baseline.cpu_seconds, 2),
            megabytes(scan.peak_memory_bytes),
            ratio(round.ratio()),
        ]
    });
    let header = [
        "round",
        "first",
        "scan tweets/s",
        "baseline tweets/s",
        "scan per CPU-s",
        "baseline per CPU-s",
        "scan CPU-s",
        "baseline CPU-s",
        "scan MB",
        "ratio",
    ];
    let title = match ["main", ""].contains(&entry.axis.as_str()) {
        true => format!("Rounds of {}", entry.name()),
        false => format!("Rounds of {} ({})", entry.name(), entry.shape.words()),
    };
    Sheet::new(title, 2, &header).with(rows)
}

/// Two lines for each rate.
pub fn latency(report: &Report) -> Sheet {
    let line = |entry: &Latency, kind: &str, of: &Percentiles| {
        let mut row = vec![kind.to_owned(), whole(entry.rate), whole(entry.reached), fixed(entry.seconds, 0)];
        row.push(whole(of.count as f64));
        let at = |percentile| of.at(percentile).map_or(NONE.to_owned(), millis);
        row.extend([50.0, 90.0, 99.0, 99.9, 100.0].map(at));
        row.push(whole(entry.unanswered as f64));
        row
    };
    let rows = report.latency.iter().flat_map(|entry| {
        [line(entry, "requested", &entry.requested), line(entry, "confirmed", &entry.confirmed)]
    });
    let header = [
        "event",
        "tweets/s",
        "sent /s",
        "seconds",
        "events",
        "p50 ms",
        "p90 ms",
        "p99 ms",
        "p99.9 ms",
        "greatest ms",
        "no event",
    ];
    Sheet::new("Latency: from a tweet's due time to its committed event", 1, &header).with(rows)
}

/// What the service took at each rate.
pub fn service(report: &Report) -> Sheet {
    let rows = report.latency.iter().filter_map(|entry| {
        let (first, last) = (entry.samples.first()?, entry.samples.last()?);
        let processors = (last.cpu_seconds - first.cpu_seconds) / (last.seconds - first.seconds);
        let peak = entry.samples.iter().map(|sample| sample.memory_bytes).max()?;
        Some(vec![whole(entry.rate), fixed(processors, 2), megabytes(peak), megabytes(last.memory_bytes)])
    });
    let header = ["tweets/s", "processors, on average", "most MB", "MB at the end"];
    Sheet::new("The service at each rate", 0, &header).with(rows)
}

/// Ended and started again.
pub fn restart(restart: &Restart) -> Sheet {
    let line = |what: &str, seconds| vec![what.to_owned(), fixed(seconds, 2)];
    Sheet::new("Ended and started again under load", 1, &["what", "seconds"]).with([
        line("from SIGTERM to the end of the process", restart.ended_after),
        line("from its start to ready", restart.ready_after),
        line("the longest time without an event", restart.without_events),
    ])
}

/// Events by type, and double purchases.
pub fn books(books: &Books) -> Sheet {
    let line = |what: &str, count: u64| vec![what.to_owned(), whole(count as f64)];
    let rows = books.events.iter().map(|(kind, count)| line(kind, *count));
    let last = [line("double purchases", books.doubles), line("faults", books.faults.len() as u64)];
    Sheet::new("Books, by the events", 1, &["events", "count"]).with(rows.chain(last))
}

/// What does not add up.
pub fn faults(books: &Books) -> Sheet {
    let title = plural(books.faults.len() as u64, "fault", "faults");
    Sheet::new(title, 1, &["what does not add up"]).with(books.faults.iter().map(|fault| vec![fault.clone()]))
}

/// All of them that have rows, in the order in which they are read.
pub fn all(report: &Report) -> Vec<Sheet> {
    let mut all = vec![goals(report), entries(report)];
    all.extend(report.throughput.iter().map(rounds));
    all.extend([latency(report), service(report)]);
    all.extend(report.restart.iter().map(restart));
    all.extend([desk(report), parts(report)]);
    all.extend(report.books.iter().flat_map(|of| [books(of), faults(of)]));
    all.extend([pairs("Machine", &report.machine), pairs("Settings", &report.settings)]);
    all.retain(|sheet| !sheet.rows.is_empty());
    all
}
