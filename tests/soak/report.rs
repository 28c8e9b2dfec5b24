//! What is told while it runs, and in the end.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::common::model::Summary;
use crate::drive::Played;
use crate::fleet::Strike;
use crate::memory::{Curve, Sample};
use crate::stream::Sent;

const MEGA: f64 = 1_048_576.0;
/// The rate has to be kept on the whole, to so much of it. What a machine cannot do is no soak.
const KEPT: f64 = 0.95;

/// How it is at a moment.
pub struct Line {
    pub at: Duration,
    pub sent: Sent,
    pub sample: Sample,
    pub asked: u64,
    pub waiting: usize,
    pub confirmed: u64,
    pub strikes: u64,
    pub disk: u64,
}

/// The names of the columns.
pub fn head() {
    println!("  time      tweets     lag pendings   asked waiting confirmed kills    a MB    b MB disk MB");
}

/// A line of progress.
pub fn line(line: &Line) {
    let Line { at, sent, sample, asked, waiting, confirmed, strikes, disk } = line;
    let memory = sample.memory.map(|memory| {
        memory.map_or_else(|| "-".to_owned(), |(_, bytes)| format!("{:.1}", bytes as f64 / MEGA))
    });
    println!(
        "{} {:>11} {:>7} {:>8} {asked:>7} {waiting:>7} {confirmed:>9} {strikes:>5} {:>7} {:>7} {:>7}",
        clock(*at),
        sent.tweets,
        sample.lag,
        sample.pendings,
        memory[0],
        memory[1],
        disk >> 20
    );
}

/// Something has happened.
pub fn note(at: Duration, what: &str) {
    println!("{}   {what}", clock(at));
}

/// What a run has come to.
pub struct Outcome<'a> {
    /// How long there were to be tweets and kills, and how long everything took.
    pub lasts: Duration,
    pub lasted: Duration,
    /// Tweets a second, as asked for.
    pub rate: u64,
    pub curve: &'a Curve,
    pub played: &'a Played,
    pub strikes: &'a BTreeMap<Strike, u64>,
    /// What the model says.
    pub summary: Result<Summary, String>,
    /// The longest time without an event.
    pub silence: Duration,
    /// Dead letters.
    pub letters: usize,
    /// The most that the broker had on the disk, in bytes.
    pub disk: u64,
}

/// Prints all figures.
///
/// # Errors
/// What is not as it has to be.
pub fn verdict(outcome: &Outcome<'_>) -> Result<(), String> {
    let Outcome { lasts, lasted, rate, curve, played, strikes, summary, silence, letters, disk } = outcome;
    let sent = played.sent;
    let reached = sent.tweets as f64 / lasted.as_secs_f64();
    println!("\n{}", curve.draw());
    let records = sent.tweets + sent.others + sent.shoppers;
    println!(
        "firehose   {} tweets of noise, {} deletions and control messages, {} records of {} shoppers; {:.1} GB",
        sent.tweets,
        sent.others,
        sent.shoppers,
        played.crowd.asked(),
        sent.bytes as f64 / 1e9
    );
    println!(
        "rate       {reached:.0} tweets/s in {:.0} s; at most {} MB on the disk",
        lasted.as_secs_f64(),
        disk >> 20
    );
    println!("kills      {}", list(strikes));
    println!("silence    {:.1} s without any event at the longest", silence.as_secs_f64());
    println!("belated    {} shoppers had read their code too late", played.crowd.belated);
    let mut wrong = Vec::new();
    if played.taken != records {
        wrong.push(format!("{records} records were sent, the brokers have {}", played.taken));
    }
    if reached < *rate as f64 * KEPT {
        wrong.push(format!("the rate was not kept: {reached:.0} of {rate} tweets/s"));
    }
    if *letters > 0 {
        wrong.push(format!("{letters} dead letters, although nothing bad was tweeted"));
    }
    memory(curve, lasts.as_secs_f64(), &mut wrong);
    match summary {
        Ok(summary) => {
            println!("events     {} records of the inbox were decided", summary.records);
            summary.events.iter().for_each(|(name, count)| println!("  {count:>9} {name}"));
            println!("  {:>9} messages between entities", summary.messages);
            println!(
                "model      0 events twice, 0 missing, 0 others; {} pendings are left",
                summary.pendings
            );
        }
        Err(difference) => wrong.push(format!("the events are not the model's: {difference}")),
    }
    let people = played.crowd.differences();
    println!(
        "shoppers   {} have what is due, {} have not",
        played.crowd.asked() - people.len() as u64,
        people.len()
    );
    if !people.is_empty() {
        let some = people.len().min(10);
        wrong.push(format!("shoppers without what is due:\n{}", people[..some].join("\n")));
    }
    if wrong.is_empty() {
        println!("PASSED");
        return Ok(());
    }
    Err(wrong.join("\n"))
}

fn memory(curve: &Curve, lasts: f64, wrong: &mut Vec<String>) {
    for (process, name) in ["a", "b"].into_iter().enumerate() {
        let at = [0.1, 0.5, 1.0].map(|part| match curve.around(process, part) {
            Some(bytes) => format!("{:.1} MB", bytes as f64 / MEGA),
            None => "-".to_owned(),
        });
        println!("memory     {name}: {} at 10 %, {} at 50 %, {} at 100 % of the run", at[0], at[1], at[2]);
    }
    let shopping =
        [curve.shopping(0, lasts / 2.0), curve.shopping(1, lasts)].map(|life| ("while people shop", life));
    let closing = [0, 1].map(|process| ("when nobody comes any more", curve.closing(process, lasts)));
    for ((what, life), name) in shopping.into_iter().chain(closing).zip(["a", "b", "a", "b"]) {
        let Some(life) = life else {
            wrong.push(format!("memory of {name} {what}: the process was not there"));
            continue;
        };
        let verdict = if life.is_flat() { "flat" } else { "NOT FLAT" };
        let mega = |bytes: u64| bytes as f64 / MEGA;
        let (before, end, may) = (mega(life.before), mega(life.end), mega(life.may));
        let told = format!(
            "memory     {name} {what}, {:.0} s: {before:.1} MB, then {end:.1} MB; {may:.1} MB more may be: {verdict}",
            life.seconds
        );
        println!("{told}");
        if !life.is_flat() {
            wrong.push(told);
        }
    }
}

fn list(strikes: &BTreeMap<Strike, u64>) -> String {
    let counts: Vec<String> = strikes.iter().map(|(strike, count)| format!("{count} {strike}")).collect();
    if counts.is_empty() { "none".to_owned() } else { counts.join(", ") }
}

/// Minutes and seconds.
fn clock(at: Duration) -> String {
    format!("{:>3}:{:02}", at.as_secs() / 60, at.as_secs() % 60)
}
