//! Every command in README, in the docs and in `--help` is one: the program takes it, and where that is cheap it is run.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser as _};
use hashbuy::cli::Cli;
use rustix::process::{Pid, Signal, kill_process};

use super::broker::Broker;
use super::program::{Folder, Run, arguments, run};
use super::tools::{file, read, succeeds};
use super::{Case, built, program};

pub const CASES: &[Case] = &[
    ("documented_commands_are_commands", "", are_commands),
    ("documented_names_of_commands_are_such", "", are_names),
    ("examples_of_help_are_commands", "", help_is_right),
    ("documented_commands_run_without_a_broker", "", run_without_a_broker),
    ("the_replay_of_the_readme_runs_as_it_stands", "bash", replay_of_the_readme),
];

/// A command in a page, without the name of the program.
struct Documented {
    page: String,
    line: String,
    words: Vec<String>,
}

fn pages() -> Vec<String> {
    let docs =
        fs::read_dir(file("docs")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut pages: Vec<String> =
        docs.filter(|name| name.ends_with(".md")).map(|name| format!("docs/{name}")).collect();
    pages.sort();
    pages.insert(0, "README.md".to_owned());
    pages
}

/// The fenced blocks of a page that are for a shell, below the headings that satisfy something.
fn blocks(page: &str, wanted: impl Fn(&str) -> bool) -> Vec<String> {
    let (mut blocks, mut heading, mut open): (Vec<String>, String, Option<bool>) = Default::default();
    for line in read(page).lines() {
        if let Some(kind) = line.strip_prefix("```") {
            let is_shell = ["", "sh", "bash", "console"].contains(&kind) && wanted(&heading);
            if open.is_none() && is_shell {
                blocks.push(String::new());
            }
            open = if open.is_none() { Some(is_shell) } else { None };
        } else if open == Some(true) {
            let block = blocks.last_mut().unwrap();
            *block += line;
            block.push('\n');
        } else if open.is_none() && line.starts_with('#') {
            heading = line.trim_start_matches('#').trim().to_owned();
        }
    }
    blocks
}

/// The commands of the program in a line of a shell.
fn commands(line: &str) -> Vec<Vec<String>> {
    let Some(words) = shlex::split(line.trim_start().trim_start_matches("$ ")) else { return Vec::new() };
    let mut found = Vec::new();
    for command in words.split(|word| ["|", "&&", "||", ";"].contains(&word.as_str())) {
        let ends = |word: &String| [">", "<", "&", "2>"].iter().any(|sign| word.starts_with(sign));
        let end = command.iter().position(ends).unwrap_or(command.len());
        match &command[..end] {
            [name, words @ ..] if name == "hashbuy" || name.ends_with("/hashbuy") => {
                found.push(words.to_vec())
            }
            [cargo, run, words @ ..] if (cargo.as_str(), run.as_str()) == ("cargo", "run") => {
                let is_other = words.iter().any(|word| word == "--example");
                let own = words.iter().position(|word| word == "--").filter(|_| !is_other);
                found.extend(own.map(|at| words[at + 1..].to_vec()));
            }
            _ => {}
        }
    }
    found
}

fn documented(page: &str) -> Vec<Documented> {
    let mut all = Vec::new();
    for block in blocks(page, |_| true) {
        for line in block.replace("\\\n", " ").lines() {
            let of_line = |words| Documented { page: page.to_owned(), line: line.to_owned(), words };
            all.extend(commands(line).into_iter().map(of_line));
        }
    }
    all
}

/// What clap says against a command, if anything.
fn fault(words: &[String]) -> Option<clap::Error> {
    let all = ["hashbuy".to_owned()].into_iter().chain(words.iter().cloned());
    let error = Cli::try_parse_from(all).err()?;
    (!matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion)).then_some(error)
}

fn are_commands() {
    let all: Vec<Documented> = pages().iter().flat_map(|page| documented(page)).collect();
    assert!(all.len() > 20, "only {} commands were found", all.len());
    for Documented { page, line, words } in &all {
        if let Some(error) = fault(words) {
            panic!("{page}: {line}\n{error}");
        }
    }
}

/// `hashbuy desk export` in the middle of a sentence need not be whole, but what there is of it is right.
fn are_names() {
    let mut found = 0;
    for page in pages() {
        let text = read(&page);
        // Not what is fenced: there every second piece would be the other way round.
        let prose: String = text.split("```").step_by(2).collect();
        for span in prose.split('`').skip(1).step_by(2) {
            let span = span.replace('\n', " ");
            let Some(rest) = span.strip_prefix("hashbuy ") else { continue };
            let words: Vec<String> = shlex::split(rest).unwrap_or_default();
            found += 1;
            let whole = [
                ErrorKind::MissingRequiredArgument,
                ErrorKind::MissingSubcommand,
                ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand,
            ];
            if let Some(error) = fault(&words).filter(|error| !whole.contains(&error.kind())) {
                panic!("{page}: `{span}`\n{error}");
            }
        }
    }
    assert!(found > 10, "only {found} names were found");
}

fn help_is_right() {
    fn below(command: &clap::Command, found: &mut usize) {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let examples =
            help.split_once("Examples:").map(|(_, examples)| examples.to_owned()).unwrap_or_default();
        for line in examples.replace("\\\n", " ").lines() {
            for words in commands(line) {
                *found += 1;
                if let Some(error) = fault(&words) {
                    panic!("{}: {line}\n{error}", command.get_name());
                }
            }
        }
        command.get_subcommands().for_each(|sub| below(sub, found));
    }
    let mut found = 0;
    below(&Cli::command(), &mut found);
    assert!(found > 20, "only {found} examples were found");
}

/// Those that ask no broker, need no tweets and take no time.
fn run_without_a_broker() {
    let folder = Folder::new();
    folder.write("hashbuy.toml", "codes.secret_file = \"secret\"\n");
    folder.write("secret", program::SECRET);
    let mut count = 0;
    for Documented { page, line, words } in pages().iter().flat_map(|page| documented(page)) {
        let is_cheap = matches!(words[0].as_str(), "plan" | "config" | "completions" | "man");
        // A report takes a quarter of an hour and a broker.
        if !is_cheap || words.iter().any(|word| word == "--report") {
            continue;
        }
        let done = run(&arguments(words), &folder.path(""), b"");
        assert_eq!(done.code, Some(0), "{page}: {line}\n{}", done.stderr);
        count += 1;
    }
    assert!(count >= 8, "only {count} were run");
}

/// All blocks of that section, one after the other, in a folder with nothing but a built program.
fn replay_of_the_readme() {
    let folder = Folder::new();
    replay_blocks(&folder);
    // The event that the README shows is the one that comes.
    let readme = read("README.md");
    let shown = readme.split_once("```json\n").unwrap().1.split("```").next().unwrap();
    let shown: serde_json::Value = serde_json::from_str(shown).unwrap();
    let events = folder.read("out.jsonl");
    let events: Vec<serde_json::Value> =
        events.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<&str> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    // Once by the first run, and again by the second, whose two more follow.
    assert_eq!(kinds, ["purchase.requested", "purchase.requested", "purchase.confirmed", "order.placed"]);
    assert_eq!(events[0], shown);
}

fn replay_blocks(folder: &Folder) {
    fs::create_dir_all(folder.path("target/release")).unwrap();
    std::os::unix::fs::symlink(built::program(), folder.path("target/release/hashbuy")).unwrap();
    // It is built already.
    let mut script = "set -euo pipefail\ncargo() { :; }\n{\n".to_owned();
    let blocks = blocks("README.md", |heading| heading == "Replay a file of your own");
    assert_eq!(blocks.len(), 2, "the blocks of the README");
    script.extend(blocks);
    script += "} > out.jsonl\n";
    let script = folder.write("script", script);
    let mut bash = Command::new("bash");
    succeeds(bash.arg(script).current_dir(folder.path("")));
}

/// The commands of README and operating.md that need a broker, in the order of the pages.
pub fn run_on_a_broker() {
    let broker = Broker::up("deployment").unwrap();
    let folder = Folder::new();
    replay_blocks(&folder);
    let offers = folder.read("offers.jsonl").replace("2013-03-03", "2099-03-03");
    folder.write("offers.jsonl", offers);
    folder.write("secret", program::SECRET);
    let config =
        format!("codes.secret_file = \"secret\"\nkafka.brokers = \"{}\"\nweb.port = 0\n", broker.bootstrap);
    folder.write("hashbuy.toml", &config);
    let mut trip = Trip { folder, config, service: None, ran: Vec::new() };
    for Documented { words, line, .. } in
        documented("README.md").into_iter().chain(documented("docs/operating.md"))
    {
        let needs_broker = match words[0].as_str() {
            "topics" | "check" | "run" | "desk" => true,
            "offers" | "accounts" | "transactions" => words[1] != "check",
            _ => false,
        };
        if needs_broker && words.iter().any(|word| word == "--config") {
            trip.goes_on(&line, &words);
        }
    }
    trip.end_service();
    for wanted in [
        "topics create",
        "offers put",
        "accounts put",
        "transactions put",
        "run",
        "check",
        "desk adopt",
        "desk export",
        "desk import",
    ] {
        assert!(trip.ran.iter().any(|ran| ran.starts_with(wanted)), "{wanted} is not among {:?}", trip.ran);
    }
}

/// An operator who does what the docs say, line by line.
struct Trip {
    folder: Folder,
    config: String,
    service: Option<Child>,
    ran: Vec<String>,
}

impl Trip {
    fn goes_on(&mut self, line: &str, words: &[String]) {
        self.ran.push(words.join(" "));
        if words[0] == "run" {
            return self.start_service(line, words);
        }
        let name = words[..2.min(words.len())].join(" ");
        let mut words = arguments(words);
        match name.as_str() {
            // The docs say to stop everything before; and a person is asked.
            "desk adopt" => {
                self.end_service();
                words.push("--yes".into());
            }
            "desk export" | "desk import" => self.end_service(),
            _ => {}
        }
        // Between export and import the docs put new names into the configuration.
        if self.ran.iter().any(|ran| ran.starts_with("desk export")) {
            let more = "topics.inbox = \"inbox-12\"\ntopics.changelog = \"desk-changelog-12\"\n";
            self.folder
                .write("hashbuy.toml", self.config.clone() + if name == "desk export" { "" } else { more });
        }
        let now = chrono::DateTime::<chrono::Utc>::from(std::time::SystemTime::now()).format("%FT%TZ");
        let payment = format!(
            "{{\"transaction_id\":\"t-88\",\"card_token\":\"tok_9f2c\",\"merchant_id\":\"m-4\",\"amount\":\
             {{\"amount\":6200,\"currency\":\"USD\"}},\"kind\":\"payment\",\"at\":\"{now}\"}}\n"
        );
        // Somebody who was there a moment ago counts for some seconds.
        let until = Instant::now() + Duration::from_secs(40);
        loop {
            let Run { code, stderr, stdout } = run(&words, &self.folder.path(""), payment.as_bytes());
            if code == Some(0) {
                return;
            }
            let said = format!("{line}\nexit code {code:?}\n{}{stderr}", String::from_utf8_lossy(&stdout));
            assert!(Instant::now() < until, "{said}");
            sleep(Duration::from_millis(500));
        }
    }

    /// Starts it, and waits until it says that it is ready.
    fn start_service(&mut self, line: &str, words: &[String]) {
        self.end_service();
        let log = self.folder.path("run.log");
        let mut command = program::command();
        command.args(words).current_dir(self.folder.path("")).stdin(Stdio::null());
        let child = command.stdout(Stdio::null()).stderr(fs::File::create(&log).unwrap()).spawn().unwrap();
        self.service = Some(child);
        let until = Instant::now() + Duration::from_secs(60);
        while !said(&log).lines().any(|line| line.contains("\"message\":\"ready\"")) {
            let ended = self.service.as_mut().unwrap().try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < until, "{line}: {ended:?}\n{}", said(&log));
            sleep(Duration::from_millis(50));
        }
        // Whoever watches sees some seconds of it.
        sleep(Duration::from_secs(2));
    }

    fn end_service(&mut self) {
        let Some(mut child) = self.service.take() else { return };
        kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
        let status = child.wait().unwrap();
        assert_eq!(status.code(), Some(0), "{}", said(&self.folder.path("run.log")));
    }
}

impl Drop for Trip {
    fn drop(&mut self) {
        if let Some(child) = &mut self.service {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn said(log: &Path) -> String {
    fs::read_to_string(log).unwrap()
}
