//! A plan for a person: a table, then what is full first, then where the figures come from.

use crate::load::report::numbers::{fixed, short, whole};
use crate::plan::{Basis, Compression, Limit, Need, Origin, Plan, Size};

/// No line is longer.
const WIDTH: usize = 100;
/// The columns of a line: what, how much, and behind them the sum.
const WHAT: usize = 28;
const VALUE: usize = 11;
/// Where the sum begins.
const SUM: usize = WHAT + VALUE + 2;

/// All of it.
pub fn text(size: &Size, basis: &Basis, plan: &Plan) -> String {
    let mut text = wrapped(&heading(size), 0);
    text.push('\n');
    plan.needs.iter().for_each(|need| text += &line(need));
    text += "\nWhat is full first as the rate grows, if nothing is kept free:\n";
    plan.limits.iter().for_each(|limit| text += &limit_line(limit));
    text.push('\n');
    text += &origins(basis);
    text
}

fn heading(size: &Size) -> String {
    let compression = match size.compression {
        Compression::None => "not compressed",
        Compression::Lz4 => "lz4",
        Compression::Zstd => "zstd",
    };
    format!(
        "{} tweets/s of {} bytes ({compression}), 1 in {} with the tag of one of {} offers; {} accounts; {} copies, kept \
         for {} h; cores used to {}; processes of {} cores; brokers with {} MB/s of network, {} MB/s of writes, {} GB.",
        whole(size.rate),
        whole(size.tweet_bytes),
        whole(size.one_in as f64),
        whole(size.offers as f64),
        whole(size.accounts as f64),
        size.replication,
        size.retention_hours,
        size.core_share,
        size.process_cores,
        whole(size.broker_network_mb),
        whole(size.broker_writes_mb),
        whole(size.broker_disk_gb)
    )
}

fn line(need: &Need) -> String {
    let mut text = row(need.what, &need.unit.words(need.value), &need.step);
    if let Some(basis) = &need.basis {
        text += &wrapped(&format!("basis: {basis}"), SUM);
    }
    text
}

fn limit_line(limit: &Limit) -> String {
    let step =
        format!("{} times as much: {}", fixed(limit.times, usize::from(limit.times < 100.0)), limit.step);
    let text = row(limit.what, &format!("{}/s", short(rounded(limit.rate))), &step);
    text + &wrapped(&format!("then: {}", limit.then), SUM)
}

/// What and how much; beside it, or below it if there is no room, the sum.
fn row(what: &str, value: &str, step: &str) -> String {
    let head = format!("{what:<WHAT$}{value:>VALUE$}  ");
    let sum = wrapped(step, SUM);
    if head.chars().count() > SUM { format!("{}\n{sum}", head.trim_end()) } else { head + sum.trim_start() }
}

/// With three digits: nobody knows it better.
fn rounded(value: f64) -> f64 {
    let digits = value.abs().max(1.0).log10().floor() - 2.0;
    let unit = 10f64.powf(digits.max(0.0));
    (value / unit).round() * unit
}

/// Which figures come from where.
fn origins(basis: &Basis) -> String {
    let mut text = String::new();
    for (origin, what) in [
        (Origin::Report, "From the report"),
        (Origin::Measured, "Measured on the reference machine"),
        (Origin::Assumed, "Assumed, since nothing has measured it"),
    ] {
        let all = basis.all();
        let names: Vec<&str> =
            all.iter().filter(|(_, figure)| figure.origin == origin).map(|(name, _)| *name).collect();
        if !names.is_empty() {
            text += &wrapped(&format!("{what}: {}.", names.join(", ")), 0);
        }
    }
    text
}

/// Words in lines that end before [`WIDTH`], each behind so many spaces.
fn wrapped(words: &str, indent: usize) -> String {
    let (mut text, mut width) = (String::new(), 0);
    for word in words.split(' ') {
        let length = word.chars().count();
        if width == 0 || width + 1 + length > WIDTH {
            if width > 0 {
                text.push('\n');
            }
            text.extend(std::iter::repeat_n(' ', indent));
            width = indent;
        } else {
            text.push(' ');
            width += 1;
        }
        text += word;
        width += length;
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::plan;

    #[test]
    fn no_line_is_too_long_and_each_number_has_its_line() {
        for rate in [1.0, 5_700.0, 143_199.0, 1e6, 1e9] {
            let (size, basis) = (Size { rate, accounts: 10_000_000, ..Size::default() }, Basis::default());
            let plan = plan(&size, &basis);
            let text = text(&size, &basis, &plan);
            for line in text.lines() {
                assert!(line.chars().count() <= WIDTH, "{line}");
            }
            for need in &plan.needs {
                let value = need.unit.words(need.value);
                let is_shown =
                    |line: &str| line.starts_with(need.what) && line.contains(&format!(" {value}"));
                assert!(text.lines().any(is_shown), "{}: {value}\n{text}", need.id);
            }
        }
    }

    #[test]
    fn words_are_wrapped() {
        assert_eq!(wrapped("a b", 2), "  a b\n");
        let long = wrapped(&"word ".repeat(30), 50);
        assert!(long.lines().all(|line| line.len() <= WIDTH && line.starts_with(&" ".repeat(50))), "{long}");
        assert_eq!(long.split_whitespace().count(), 30);
    }
}
