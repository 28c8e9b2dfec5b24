//! Programs of other people that look at the files, and the files.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What is missing for a case that needs this program, if anything is. Nothing needs no program.
pub fn missing(tool: &str) -> Option<String> {
    if tool.is_empty() || is_there(tool) || is_required(tool) {
        return None;
    }
    Some(format!("no {tool} here"))
}

/// Whether a program is on the path.
pub fn is_there(tool: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(tool).is_file())
}

fn is_required(tool: &str) -> bool {
    let variable = format!("HASHBUY_REQUIRE_{}", tool.replace('-', "_").to_ascii_uppercase());
    std::env::var(variable).is_ok_and(|value| value == "1")
}

/// A file of the project.
pub fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Its text.
pub fn read(path: &str) -> String {
    std::fs::read_to_string(file(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Runs a program that has to end well. Returns what it wrote.
pub fn succeeds(command: &mut Command) -> String {
    let Output { status, stdout, stderr } =
        command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{command:?}: {status}\n{said}");
    said
}
