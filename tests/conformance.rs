//! The cases of `../shared/data/conformance`: each folder is one trial, with its events literal.
//!
//! A case passes with exit code 0 and the same multiset of events, where the wording of replies and
//! the order of the events are free, but for those of `orders`, each of which stands directly behind the
//! event that it belongs to. The folder lies beside the project; where it is absent the trial is
//! ignored.

#![allow(clippy::unwrap_used, clippy::expect_used)] // in a test a panic is the report

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::Value;

use common::program::{arguments, run, text};
use common::schema;

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/conformance");
    let folders = cases(&root).into_iter().chain(cases(&root.join("coupons")));
    let mut trials: Vec<Trial> = folders
        .map(|folder| {
            let name = folder.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
            Trial::test(name, move || compare(&folder))
        })
        .collect();
    if trials.is_empty() {
        let absent = Trial::test("conformance: ../shared/data/conformance is not there", || Ok(()));
        trials.push(absent.with_ignored_flag(true));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

/// The folders with a case.
fn cases(root: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(root) else { return Vec::new() };
    let mut folders: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("expected.jsonl").is_file())
        .collect();
    folders.sort();
    folders
}

fn compare(folder: &Path) -> Result<(), Failed> {
    let further = fs::read_to_string(folder.join("args"))?;
    let mut args = arguments(["replay", "--offers", "offers.jsonl", "--accounts", "accounts.jsonl"]);
    args.extend(arguments(further.split_whitespace()));
    args.push("tweets.jsonl".into());
    let run = run(&args, folder, b"");

    let mut faults = Vec::new();
    if run.code != Some(0) {
        faults.push(format!("exit code {:?}, stderr: {}", run.code, run.stderr));
    }
    let expected = fs::read_to_string(folder.join("expected.jsonl"))?;
    let (expected, got) = (read(&expected)?, read(std::str::from_utf8(&run.stdout)?)?);
    faults.extend(difference(&expected, &got));
    faults.extend(misplaced_orders(&got));
    faults.extend(got.iter().filter_map(schema::fault));
    if faults.is_empty() {
        return Ok(());
    }
    let about = fs::read_to_string(folder.join("about.txt"))?;
    Err(format!("{}\n{}", about.trim(), faults.join("\n")).into())
}

fn read(lines: &str) -> Result<Vec<Value>, Failed> {
    let events = lines.lines().filter(|line| !line.trim().is_empty()).map(serde_json::from_str);
    Ok(events.collect::<Result<_, _>>()?)
}

/// The form in which two events are compared.
fn normalised(event: &Value) -> String {
    let mut event = event.clone();
    let order = text(&event, "type").starts_with("order.");
    if let Some(fields) = event.as_object_mut() {
        if let Some(reply) = fields.get_mut("reply").and_then(Value::as_object_mut) {
            reply.remove("text");
        }
        if order {
            fields.remove("at");
        }
    }
    // The keys of an object of serde_json are sorted.
    event.to_string()
}

fn difference(expected: &[Value], got: &[Value]) -> Vec<String> {
    let mut extra: Vec<String> = got.iter().map(normalised).collect();
    let mut faults = Vec::new();
    for event in expected.iter().map(normalised) {
        match extra.iter().position(|other| *other == event) {
            Some(i) => drop(extra.swap_remove(i)),
            None => faults.push(format!("missing    {event}")),
        }
    }
    faults.extend(extra.into_iter().map(|event| format!("unexpected {event}")));
    faults
}

/// What an event of `orders` stands behind.
const ORDERS: [(&str, &str); 3] = [
    ("order.placed", "purchase.confirmed"),
    ("order.credited", "coupon.redeemed"),
    ("order.credit_reversed", "coupon.reversed"),
];

fn misplaced_orders(events: &[Value]) -> Vec<String> {
    let is_behind = |i: usize, before: &str| {
        let same = |field: &str| events[i - 1][field] == events[i][field];
        i > 0
            && events[i - 1]["type"] == before
            && ["purchase_id", "account_id", "offer_id", "transaction_id"].into_iter().all(same)
    };
    let misplaced = (0..events.len()).filter_map(|i| {
        let (_, before) = ORDERS.iter().find(|(order, _)| events[i]["type"] == *order)?;
        let is_right = is_behind(i, before);
        (!is_right).then(|| format!("does not stand directly behind its {before}: {}", events[i]))
    });
    misplaced.collect()
}
