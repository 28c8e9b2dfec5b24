//! How many instructions the core takes, counted by callgrind: the same on a busy machine as on a quiet one, so a
//! change that makes it slower shows although no time can be relied on.
//!
//! ```text
//! cargo bench --bench instructions             compares with benches/instructions.toml: 10 % more is a failure
//! cargo bench --bench instructions -- --write  writes the counts there
//! ```
//!
//! It needs valgrind (Debian's package of that name), and is left out, with a line that says so, where there is
//! none; with `HASHBUY_REQUIRE_VALGRIND=1` that is a failure. Valgrind knows no AVX-512: what is counted is the way
//! of a processor with AVX2. Another compiler may count otherwise; then the file is to be written anew, and the
//! change of each figure looked at.

#![allow(clippy::expect_used, reason = "a bench that cannot go on says why")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

mod common;
use common::shop::{confirmations, desk, in_transactions, offers, requests, step};
use common::stage::{stage, with_matches};
use common::{START, firehose, records};
use hashbuy::core::code::Secret;
use hashbuy::core::desk::Desk;

/// More than this share above the committed count is a failure, in percent.
const MOST: f64 = 10.0;
/// Accounts of the desk, and steps of each case.
const ACCOUNTS: u64 = 2_000;
const STEPS: usize = 1_000;
/// Bytes of the firehose.
const BYTES: usize = 4 << 20;

/// What is counted.
const CASES: [&str; 5] = [
    "scan: a record",
    "scan: a record, 1 match in 100",
    "desk: a request",
    "desk: a confirmation",
    "restore: an account with five pendings",
];
/// Pendings of each account that is restored.
const PENDINGS: usize = 5;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["--case", case] => {
            run(case);
            ExitCode::SUCCESS
        }
        [] => compare(),
        ["--write"] => write(),
        other => panic!("{other:?}: there is only --write"),
    }
}

/// Does the work of a case, with what is counted inside of [`counted`].
fn run(case: &str) {
    match case {
        "scan: a record" => scan(usize::MAX),
        "scan: a record, 1 match in 100" => scan(100),
        "desk: a request" => {
            let (offers, mut desk) = (offers(10), desk(ACCOUNTS));
            let records = requests(STEPS, ACCOUNTS, &offers);
            counted(&mut || assert_eq!(in_transactions(&mut desk, &records), STEPS));
            things(STEPS);
        }
        "desk: a confirmation" => {
            let (offers, mut desk) = (offers(10), desk(ACCOUNTS));
            in_transactions(&mut desk, &requests(STEPS, ACCOUNTS, &offers));
            let records = confirmations(STEPS, ACCOUNTS, &offers);
            // An event, an order, and news for the stock each.
            counted(&mut || assert_eq!(in_transactions(&mut desk, &records), 3 * STEPS));
            things(STEPS);
        }
        "restore: an account with five pendings" => {
            let mut before = desk(STEPS as u64);
            let mut changelog = BTreeMap::new();
            // Seven offers, so that no account asks for one of them twice.
            for transaction in requests(PENDINGS * STEPS, STEPS as u64, &offers(7)).chunks(STEPS) {
                for record in transaction {
                    step(&mut before, record, START);
                }
                changelog.extend(before.changes(0));
                before.commit();
            }
            assert_eq!(before.pendings().count(), PENDINGS * STEPS);
            let mut after = Desk::new(Secret::published());
            counted(&mut || {
                for (key, value) in &changelog {
                    after.restore(key, value.as_deref()).expect("a record of a changelog");
                }
            });
            assert_eq!(after.pendings().count(), PENDINGS * STEPS);
            things(STEPS);
        }
        _ => panic!("{case}: no such case"),
    }
}

fn scan(one_in: usize) {
    let stage = stage(1_000);
    let (noise, noise_ends) = firehose(BYTES);
    let (buffer, ends, expected) = with_matches(&noise, &noise_ends, one_in);
    counted(&mut || assert_eq!(stage.sightings(records(black_box(&buffer), &ends)), expected));
    things(ends.len());
}

/// Only what happens in here is counted: callgrind looks for its name.
#[inline(never)]
fn counted(work: &mut dyn FnMut()) {
    work();
    black_box(());
}

/// Says of how many the count is.
fn things(count: usize) {
    println!("{count}");
}

/// Instructions for each record or step.
fn count(case: &str) -> f64 {
    let program = std::env::current_exe().expect("this program");
    let ended = Command::new("valgrind")
        .args([
            "--tool=callgrind",
            "--callgrind-out-file=/dev/null",
            "--toggle-collect=*instructions*counted*",
        ])
        .arg(program)
        .args(["--case", case])
        .output()
        .expect("valgrind, which was there before");
    let (said, things) = (String::from_utf8_lossy(&ended.stderr), String::from_utf8_lossy(&ended.stdout));
    assert!(ended.status.success(), "{case}: {said}");
    let collected = said.lines().find_map(|line| line.split_once("Collected : "));
    let collected: f64 = collected.and_then(|(_, number)| number.trim().parse().ok()).expect("a count");
    assert!(collected > 0.0, "{case}: nothing was counted; is `counted` in the program?\n{said}");
    collected / things.trim().parse::<f64>().expect("of how many")
}

fn baseline() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/instructions.toml")
}

fn has_valgrind() -> bool {
    Command::new("valgrind").arg("--version").output().is_ok_and(|version| version.status.success())
}

fn compare() -> ExitCode {
    if !has_valgrind() {
        println!(
            "instructions: not counted, as there is no valgrind here (Debian: apt-get install valgrind)"
        );
        let is_required = std::env::var_os("HASHBUY_REQUIRE_VALGRIND").is_some();
        return if is_required { ExitCode::FAILURE } else { ExitCode::SUCCESS };
    }
    let file = std::fs::read_to_string(baseline()).expect("benches/instructions.toml");
    let committed: BTreeMap<String, f64> = toml::from_str(&file).expect("a table of counts");
    let mut ended = ExitCode::SUCCESS;
    for case in CASES {
        let (count, before) = (count(case), *committed.get(case).expect("a count of each case"));
        let more = (count / before - 1.0) * 100.0;
        let verdict = if more > MOST {
            ended = ExitCode::FAILURE;
            "TOO MANY; if that has to be, write them anew with --write"
        } else if more < -MOST {
            "much fewer: write them anew with --write, so that it stays like that"
        } else {
            "ok"
        };
        println!("{case}: {count:.0} instructions, {more:+.1} % beside {before:.0}: {verdict}");
    }
    ended
}

fn write() -> ExitCode {
    let mut file =
        "# Instructions for each record or step, counted by `cargo bench --bench instructions`.\n".to_owned();
    for case in CASES {
        let count = count(case);
        println!("{case}: {count:.0} instructions");
        file += &format!("{case:?} = {count:.1}\n");
    }
    std::fs::write(baseline(), file).expect("benches/instructions.toml");
    ExitCode::SUCCESS
}
