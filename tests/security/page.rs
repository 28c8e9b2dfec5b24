//! What the page on security claims: that tests show it, and which rights there are.

use std::fs;
use std::path::{Path, PathBuf};

use hashbuy::worker::Topics;
use hashbuy::worker::needs::By;
use hashbuy::worker::rights::rights;

use crate::rights::COMMANDS;

/// A case.
pub type Case = (&'static str, fn());

pub const CASES: &[Case] = &[
    ("the_tests_that_the_page_names_are_there", the_tests_that_the_page_names_are_there),
    ("the_rights_of_the_page_are_those_of_the_program", the_rights_of_the_page_are_those_of_the_program),
];

fn page() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/security.md")).unwrap()
}

/// All source files and scenarios below a folder.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs" || extension == "txt") {
            found.push(path);
        }
    }
}

/// Each test is named as `suite: name`, with `lib` for those beside the code.
fn the_tests_that_the_page_names_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = page();
    let (_, threats) = text.split_once("## What can happen").expect("the page has the threats");
    let (threats, _) = threats.split_once("\n## ").unwrap_or((threats, ""));
    let mut named = 0;
    for row in threats.lines().filter(|line| line.starts_with("| **")) {
        let before = named;
        for (suite, name) in row.split('`').skip(1).step_by(2).filter_map(|span| span.split_once(": ")) {
            let mut found = Vec::new();
            let own = root.join(format!("tests/{suite}.rs"));
            let folder = if suite == "lib" { root.join("src") } else { root.join("tests").join(suite) };
            found.extend(own.is_file().then_some(own));
            if folder.is_dir() {
                files(&folder, &mut found);
            }
            assert!(!found.is_empty(), "there is no suite {suite}: {row}");
            let (function, entry) = (format!("fn {name}("), format!("\"{name}\""));
            let is_there = found.iter().any(|path| {
                if path.extension().is_some_and(|extension| extension == "txt") {
                    return path.file_stem().is_some_and(|stem| stem == name);
                }
                let text = fs::read_to_string(path).unwrap();
                text.contains(&function) || text.contains(&entry)
            });
            assert!(is_there, "{suite} has no test {name}: {row}");
            named += 1;
        }
        assert!(named > before, "no test shows that: {row}");
    }
    assert!(threats.matches("\n| **").count() >= 8, "{threats}");
}

fn the_rights_of_the_page_are_those_of_the_program() {
    let text = page();
    let row = |name: &str| {
        let found = text.lines().find(|line| line.starts_with(&format!("| `{name}` |")));
        found.unwrap_or_else(|| panic!("there is no row {name}")).to_owned()
    };
    for (name, by) in [("run", By::Both), ("run --stage scan", By::Scan), ("run --stage desk", By::Desk)] {
        let row = row(name);
        let cells: Vec<&str> = row.split(" | ").collect();
        for (operation, cell) in [("Read", 1), ("Write", 2), ("DescribeConfigs", 3)] {
            let mut wanted: Vec<String> = rights("<app>", &Topics::default(), by)
                .into_iter()
                .filter(|right| right.operation == operation)
                .map(|right| right.name)
                .collect();
            let mut there: Vec<String> =
                cells[cell].split('`').skip(1).step_by(2).map(str::to_owned).collect();
            wanted.sort();
            there.sort();
            assert_eq!(there, wanted, "{operation} of {name}: {row}");
        }
    }
    for (command, rights) in COMMANDS {
        let row = row(&format!("{command} put"));
        for (operation, topic) in *rights {
            let topic = topic.replace('_', "-");
            assert!(row.contains(&format!("{operation} `{topic}`")), "{operation} on {topic}: {row}");
        }
    }
}
