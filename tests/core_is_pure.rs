//! What the modules may use. The core decides on what it is handed: nothing under `src/core` uses Kafka, tokio, threads, a
//! clock, the environment, files or random numbers, and it imports nothing of the crate but itself.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::{Path, PathBuf};

/// What no line of the core may contain, outside of comments and tests.
const FORBIDDEN: &[&str] = &[
    "rdkafka",
    "tokio",
    "axum",
    "metrics::",
    "std::thread",
    "thread::",
    "thread_local",
    "rayon",
    "Instant",
    "SystemTime",
    "chrono::Utc",
    "chrono::Local",
    "Utc::now",
    "Local::now",
    "std::env",
    "env::",
    "std::fs",
    "std::net",
    "std::process",
    "std::io",
    "File::",
    "stdin",
    "stdout",
    "println!",
    "print!(",
    "rand::",
    "fastrand",
    "getrandom",
    "new_v4",
    "now_v7",
    "static mut",
];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The code of a source file: without comments, and up to its tests.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().enumerate().take_while(|(_, line)| line.trim() != "#[cfg(test)]");
    lines.map(|(number, line)| (number + 1, line.split("//").next().unwrap_or_default()))
}

/// What is wrong with a line of the core.
fn fault(line: &str) -> Option<String> {
    if let Some(word) = FORBIDDEN.iter().find(|word| line.contains(**word)) {
        return Some(format!("uses {word}"));
    }
    let outside = line.match_indices("crate::").find(|(at, _)| !line[at + 7..].starts_with("core"));
    outside.map(|_| "imports from outside the core".to_owned())
}

#[test]
fn the_core_uses_nothing_but_values() {
    let core = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/core");
    let files = sources(&core);
    assert!(files.len() > 30, "only {} files under {}", files.len(), core.display());
    let mut faults = Vec::new();
    for file in files.iter().filter(|file| !file.ends_with("tests.rs")) {
        for (number, line) in code(&fs::read_to_string(file).unwrap()) {
            if let Some(fault) = fault(line) {
                faults.push(format!("{}:{number}: {fault}: {}", file.display(), line.trim()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_check_finds_what_it_looks_for() {
    for bad in [
        "use std::time::Instant;",
        "let now = std::time::SystemTime::now();",
        "let id = uuid::Uuid::new_v4();",
        "use rdkafka::consumer::BaseConsumer;",
        "use crate::input::Input;",
        "std::thread::sleep(pause);",
    ] {
        assert!(fault(bad).is_some(), "{bad}");
    }
    for good in
        ["use crate::core::time::Time;", "use super::ids::TweetId;", "pub(crate) fn of(self) -> u64 {"]
    {
        assert_eq!(fault(good), None, "{good}");
    }
}

/// Vector instructions are the only reason for `unsafe`, and have one module.
#[test]
fn unsafe_code_has_one_place() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut places: Vec<PathBuf> = sources(&root)
        .into_iter()
        .filter(|file| {
            // Not the word in a policy for a page.
            let is_code = |line: &str| line.contains("unsafe ") || line.contains("unsafe_code");
            code(&fs::read_to_string(file).unwrap()).any(|(_, line)| is_code(line))
        })
        .map(|file| file.strip_prefix(&root).unwrap().to_owned())
        .collect();
    places.sort();
    assert_eq!(places, [Path::new("core/prefilter/vector.rs")]);
}
