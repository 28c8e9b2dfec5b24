//! What packages have beside the program: completions, manual pages, and the list of what goes where.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use clap::CommandFactory as _;
use hashbuy::cli::Cli;

use super::Case;
use super::program::{Folder, arguments, run};
use super::tools::{file, read, succeeds};

pub const CASES: &[Case] = &[
    ("completions_know_every_command", "", completions),
    ("bash_takes_its_completions", "bash", bash_completes),
    ("each_command_has_a_manual_page", "", manual_pages),
    ("man_shows_the_pages", "man", man_shows),
    ("what_goes_into_the_package_is_there", "", package),
];

fn script(shell: &str) -> String {
    let made = run(&arguments(["completions", shell]), &Folder::new().path(""), b"");
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    String::from_utf8(made.stdout).unwrap()
}

/// All commands, as on the command line, with those that they are below.
fn commands() -> Vec<Vec<String>> {
    fn below(command: &clap::Command, way: &[String], all: &mut Vec<Vec<String>>) {
        for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
            let way = [way, &[sub.get_name().to_owned()]].concat();
            below(sub, &way, all);
            all.push(way);
        }
    }
    let mut all = Vec::new();
    below(&Cli::command(), &[], &mut all);
    assert!(all.len() > 20, "{all:?}");
    all
}

fn completions() {
    for shell in ["bash", "zsh", "fish"] {
        let script = script(shell);
        for name in commands().iter().flatten() {
            assert!(script.contains(name.as_str()), "{shell}: no {name}");
        }
        assert!(script.contains("inbox-partitions"), "{shell}: no flags");
    }
}

/// Sourced in a real shell and asked for what can follow.
fn bash_completes() {
    let folder = Folder::new();
    let script = folder.write("hashbuy.bash", script("bash"));
    let completed = |words: &str| {
        let ask = format!(
            "set -e; source {}; COMP_WORDS=({words} ''); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
             _hashbuy hashbuy '' \"${{COMP_WORDS[COMP_CWORD - 1]}}\" || true; echo \"${{COMPREPLY[@]}}\"",
            script.display()
        );
        let said = succeeds(Command::new("bash").args(["--norc", "-c", &ask]));
        said.split_whitespace().map(str::to_owned).collect::<BTreeSet<_>>()
    };
    let first = completed("hashbuy");
    assert!(["demo", "run", "config", "check"].iter().all(|name| first.contains(*name)), "{first:?}");
    let desk = completed("hashbuy desk");
    assert!(["adopt", "export", "import"].iter().all(|name| desk.contains(*name)), "{desk:?}");
}

fn pages(folder: &Folder) -> Vec<String> {
    let made = run(&arguments(["man", "--out", "man1"]), &folder.path(""), b"");
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    let entries = fs::read_dir(folder.path("man1")).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

fn manual_pages() {
    let folder = Folder::new();
    let pages: BTreeSet<String> = pages(&folder).into_iter().collect();
    let named = commands().into_iter().map(|way| format!("hashbuy-{}.1", way.join("-")));
    let wanted: BTreeSet<String> = named.chain(["hashbuy.1".to_owned()]).collect();
    assert_eq!(pages, wanted);
    let page = folder.read("man1/hashbuy-desk-export.1");
    assert!(page.contains("card tokens"), "what --help says at its end is missing: {page}");
    // A folder that cannot be made is wrong use.
    folder.write("file", "");
    let failed = run(&arguments(["man", "--out", "file"]), &folder.path(""), b"");
    assert_eq!(failed.code, Some(2), "{}", failed.stderr);
    assert!(failed.stderr.contains("--out file: cannot be written"), "{}", failed.stderr);
}

fn man_shows() {
    let folder = Folder::new();
    for page in pages(&folder) {
        let mut man = Command::new("man");
        man.args(["--warnings", "-l"])
            .arg(folder.path("man1").join(&page))
            .env("MANPAGER", "cat")
            .env("MANWIDTH", "100");
        let said = succeeds(&mut man);
        assert!(said.contains("SYNOPSIS") && !said.contains("warning:"), "{page}: {said}");
    }
}

/// What `cargo deb` is told to take is in the project, or made by `deploy/debian/build` before.
fn package() {
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    let assets = manifest["package"]["metadata"]["deb"]["assets"].as_array().unwrap().clone();
    let build = read("deploy/debian/build");
    let mut targets = BTreeSet::new();
    for asset in &assets {
        let [source, target] = [0, 1].map(|at| asset[at].as_str().unwrap().to_owned());
        let folder = source.rsplit_once('/').unwrap().0;
        if let Some(made) = source.strip_prefix("target/package/") {
            let name = made.replace("man1/*.1", "$made/man1").replace("hashbuy.", "$made/hashbuy.");
            let shells = ["bash", "zsh", "fish"].map(|shell| name.replace(shell, "$shell"));
            assert!(shells.iter().any(|name| build.contains(name.as_str())), "nothing makes {source}");
        } else if !source.starts_with("target/") {
            assert!(if source.contains('*') { file(folder) } else { file(&source) }.exists(), "{source}");
        }
        targets.insert(target);
    }
    for wanted in ["usr/bin/", "usr/lib/systemd/system/", "usr/share/man/man1/", "usr/share/doc/hashbuy/"] {
        assert!(targets.contains(wanted), "nothing goes to {wanted}");
    }
}
