//! Breaks the program on purpose, and sees whether a check notices.
//!
//! ```text
//! cargo run --example mutate              all of them
//! cargo run --example mutate -- NAME...   these
//! cargo run --example mutate -- --list
//! ```
//!
//! Each mutation is an entry of `mutations.toml`: a piece of the source that stands there once, and a worse
//! one. It is put into a copy of the project under `target/mutants`, the copy is built, and the check that the
//! entry names is run. A mutation that no check notices is a hole in the tests, and the exit code is 1. So is one
//! with which the check does not come to an end: nobody has seen why.

#![allow(clippy::unwrap_used, reason = "a tool of the tests may panic")]

mod table;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use table::{Mutation, mutations};

/// A check that takes longer is ended: building included, the slowest takes a third of it on two cores.
const LONGEST: Duration = Duration::from_secs(900);

fn main() -> ExitCode {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let all = mutations();
    if wanted.iter().any(|name| name == "--list") {
        all.iter().for_each(|one| println!("{:<5} {:<34} {}", one.guarantee, one.name, one.says));
        return ExitCode::SUCCESS;
    }
    if let Some(unknown) = wanted.iter().find(|name| !all.iter().any(|one| one.name == **name)) {
        eprintln!("there is no mutation {unknown}: --list names them");
        return ExitCode::from(2);
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let copy = root.join("target/mutants/project");
    copy_project(root, &copy);
    let chosen: Vec<&Mutation> =
        all.iter().filter(|one| wanted.is_empty() || wanted.contains(&one.name)).collect();
    println!("{:<5} {:<34} {:>8}  caught by", "", "mutation", "seconds");
    let mut missed = 0;
    for one in &chosen {
        let begun = Instant::now();
        let caught = try_one(one, &copy);
        missed += usize::from(caught.is_none());
        let caught = caught.unwrap_or_else(|| "NOTHING".to_owned());
        println!("{:<5} {:<34} {:>8}  {caught}", one.guarantee, one.name, begun.elapsed().as_secs());
        std::io::stdout().flush().unwrap();
    }
    println!("{} of {} mutations are caught", chosen.len() - missed, chosen.len());
    if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The files of the project as they are now, in a place of their own.
fn copy_project(root: &Path, copy: &Path) {
    let listed =
        Command::new("git").args(["ls-files", "-co", "--exclude-standard"]).current_dir(root).output();
    let listed = String::from_utf8(listed.unwrap().stdout).unwrap();
    let files: BTreeSet<PathBuf> =
        listed.lines().map(PathBuf::from).filter(|file| root.join(file).is_file()).collect();
    for file in &files {
        let to = copy.join(file);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        write_if_changed(&to, &std::fs::read(root.join(file)).unwrap());
    }
    remove_others(copy, copy, &files);
}

/// What the project has no more goes from the copy too.
fn remove_others(copy: &Path, folder: &Path, files: &BTreeSet<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if entry.file_type().unwrap().is_dir() {
            remove_others(copy, &path, files);
        } else if !files.contains(path.strip_prefix(copy).unwrap()) {
            std::fs::remove_file(path).unwrap();
        }
    }
}

/// A file that has not changed keeps its date, and is not built again.
fn write_if_changed(to: &Path, bytes: &[u8]) {
    if std::fs::read(to).ok().as_deref() != Some(bytes) {
        std::fs::write(to, bytes).unwrap();
    }
}

/// What notices a mutation; none if nothing does, or the check does not end.
fn try_one(one: &Mutation, copy: &Path) -> Option<String> {
    let file: PathBuf = copy.join(&one.file);
    let sound = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, one.applied_to(&sound)).unwrap();
    let mut words = one.check.split_whitespace();
    let place = copy.parent().unwrap();
    let log = place.join("check.log");
    let output = File::create(&log).unwrap();
    let mut check = Command::new(words.next().unwrap());
    check
        .args(words)
        .current_dir(copy)
        .env("CARGO_TARGET_DIR", place.join("target"))
        .env("RUST_BACKTRACE", "0")
        .stdout(output.try_clone().unwrap())
        .stderr(output);
    let status = run(&mut check);
    std::fs::write(&file, sound).unwrap();
    let said = String::from_utf8_lossy(&std::fs::read(&log).unwrap()).into_owned();
    assert!(!said.contains("could not compile"), "{} does not compile:\n{said}", one.name);
    if status.is_none_or(|status| status.success()) {
        return None;
    }
    // The first line that says what is wrong, whoever says it.
    let tells = |line: &&str| {
        line.starts_with("seed ") && line.contains(": ")
            || line.contains("panicked at")
            || line.contains("FAILED")
    };
    let mut lines = said.lines().skip_while(|line| !tells(line));
    let first = lines.next().unwrap_or("an exit code").trim();
    // What introduces a list says little without the first of it.
    let rest = lines.next().filter(|_| first.ends_with(':')).unwrap_or_default().trim();
    Some(format!("{first} {rest}").chars().take(150).collect())
}

/// Runs a check to its end; none if it does not come to one.
fn run(check: &mut Command) -> Option<ExitStatus> {
    let mut child = check.process_group(0).spawn().unwrap();
    let deadline = Instant::now() + LONGEST;
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    kill_process_group(Pid::from_child(&child), Signal::KILL).unwrap();
    child.wait().unwrap();
    None
}
