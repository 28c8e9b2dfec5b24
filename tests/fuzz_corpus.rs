//! The targets of the fuzzer over its seeds and over every input that once broke something, without libFuzzer.
//!
//! A finding of `tests/fuzz/run` goes to `tests/fuzz/regressions/<target>`, and stays mended from then on.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "fuzz/targets/mod.rs"]
mod targets;

use std::fs;
use std::path::{Path, PathBuf};

use targets::TARGETS;

/// So many beginnings of an input are tried too: what is cut off is what comes from broken connections.
const BEGINNINGS: usize = 32;

#[test]
fn seeds_and_former_findings_break_nothing() {
    for (name, target) in TARGETS {
        let seeds = files("corpus", name);
        assert!(!seeds.is_empty(), "{name} has no seeds");
        for path in seeds.into_iter().chain(files("regressions", name)) {
            // Shown if it fails.
            println!("{}", path.display());
            let bytes = fs::read(&path).unwrap();
            target(&bytes);
            for end in (0..bytes.len()).step_by(bytes.len().div_ceil(BEGINNINGS).max(1)) {
                target(&bytes[..end]);
            }
        }
    }
}

#[test]
fn every_folder_is_that_of_a_target() {
    for kind in ["corpus", "regressions"] {
        for entry in fs::read_dir(root().join(kind)).unwrap() {
            let name = entry.unwrap().file_name();
            assert!(TARGETS.iter().any(|(target, _)| name == *target), "{kind}/{}", name.display());
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz")
}

/// The inputs of a target, sorted.
fn files(kind: &str, target: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(root().join(kind).join(target)) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}
