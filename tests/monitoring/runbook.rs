//! The runbook: a section for each alert and an alert for each section, and commands that there are.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use clap::Parser as _;
use hashbuy::cli::Cli;

use super::broker::Broker;
use super::{built, rules};

pub const CASES: &[(&str, fn())] = &[
    ("runbook::each_alert_has_its_section", each_alert_has_its_section),
    ("runbook::its_commands_exist", its_commands_exist),
    ("runbook::its_links_lead_somewhere", its_links_lead_somewhere),
];

/// What a section says, in this order.
const PARTS: [&str; 5] = ["What it means", "Who is hurt", "What to look at", "What to do", "When it is over"];

fn page() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/runbook.md")).unwrap()
}

/// Title and text of each section.
fn sections(page: &str) -> Vec<(&str, &str)> {
    page.split("\n## ").skip(1).map(|section| section.split_once('\n').unwrap()).collect()
}

/// Blocks of code, with what is said to be in them.
fn blocks(page: &str) -> Vec<(&str, &str)> {
    let fenced = page.split("```").skip(1).step_by(2);
    fenced.map(|block| block.split_once('\n').unwrap()).collect()
}

fn each_alert_has_its_section() {
    let page = page();
    let sections = sections(&page);
    let titles: BTreeSet<&str> = sections.iter().map(|(title, _)| *title).collect();
    assert_eq!(titles.len(), sections.len(), "one is there twice");
    let rules = rules::all();
    let alerts: BTreeSet<&str> = rules.iter().filter(|rule| rule.is_alert).map(|rule| &*rule.name).collect();
    assert_eq!(titles, alerts);
    for (title, text) in sections {
        let places: Vec<Option<usize>> =
            PARTS.iter().map(|part| text.find(&format!("**{part}.**"))).collect();
        assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{title}: {places:?}");
        // What other alerts it speaks of there are.
        let named = text.split(|c: char| !c.is_alphanumeric()).filter(|word| word.starts_with("Hashbuy"));
        for word in named {
            assert!(alerts.contains(word), "{title}: there is no {word}");
        }
    }
}

/// The commands of the program, in the order of the page: those in blocks, and those in a line.
fn commands() -> Vec<Vec<String>> {
    let page = page();
    let mut lines: Vec<String> = Vec::new();
    for (at, part) in page.split("```").enumerate() {
        if at % 2 == 1 {
            lines.extend(part.lines().map(str::to_owned));
        } else {
            lines.extend(part.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    let words = |line: String| {
        let command = line.split(" #").next().unwrap();
        command.split_whitespace().map(str::to_owned).collect::<Vec<String>>()
    };
    let commands = lines.into_iter().map(words);
    commands.filter(|words| words.len() > 1 && words[0] == "hashbuy").collect()
}

fn its_commands_exist() {
    let commands = commands();
    assert!(commands.len() > 20, "{commands:?}");
    for command in commands {
        // A whole command in a line: `hashbuy check` alone is the name of one.
        if let Err(error) = Cli::try_parse_from(&command) {
            panic!("{}: {error}", command.join(" "));
        }
    }
}

/// Queries for Prometheus.
pub fn queries() -> Vec<String> {
    let page = page();
    let queries = blocks(&page).into_iter().filter(|(language, _)| *language == "promql");
    queries.map(|(_, query)| query.trim().to_owned()).collect()
}

/// What is asked of a process: the paths of its page.
pub fn paths() -> BTreeSet<String> {
    let page = page();
    let asked = page.split("curl -s http://127.0.0.1:9464").skip(1);
    let paths: BTreeSet<String> =
        asked.map(|rest| rest.split_whitespace().next().unwrap().to_owned()).collect();
    assert!(paths.contains("/readyz"), "{paths:?}");
    paths
}

fn its_links_lead_somewhere() {
    let page = page();
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    for link in page.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
        assert!(docs.join(link).is_file(), "there is no docs/{link}");
    }
}

/// Every command of the page, one after the other, on a real Kafka. No service is at work there, so `check` has
/// something to say.
pub fn run_all(broker: &Broker) {
    let folder = built::scratch().join(format!("runbook-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
    write("secret", "made up for tests, and long enough\n");
    write(
        "hashbuy.toml",
        &format!("codes.secret_file = \"secret\"\nkafka.brokers = \"{}\"\n", broker.bootstrap),
    );
    write("offers.jsonl", OFFER);
    write("accounts.jsonl", ACCOUNT);
    let run = |command: &[String]| {
        let output =
            Command::new(built::program()).args(&command[1..]).current_dir(&folder).output().unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        (output.status.code(), said)
    };
    let first = ["topics create", "offers put offers.jsonl", "accounts put accounts.jsonl"]
        .map(|command| format!("hashbuy {command} --config hashbuy.toml"));
    let first = first.iter().map(|command| command.split(' ').map(str::to_owned).collect::<Vec<_>>());
    for mut command in first.chain(commands()) {
        // In a sentence it is left out.
        if command[1] != "plan" && !command.contains(&"--config".to_owned()) {
            command.extend(["--config", "hashbuy.toml"].map(str::to_owned));
        }
        let (code, said) = run(&command);
        let command = command.join(" ");
        if command.starts_with("hashbuy check") {
            assert!(matches!(code, Some(0 | 1)) && said.contains("topic"), "{command}: {code:?}: {said}");
        } else {
            assert_eq!(code, Some(0), "{command}: {said}");
        }
        println!("{command}: {code:?}");
    }
    let _ = fs::remove_dir_all(folder);
}

const OFFER: &str = r##"{"offer_id":"kindle","kind":"purchase","hashtag":"#BuyKindleFireHD","product":"Kindle Fire HD","price":{"amount":14999,"currency":"USD"},"starts_at":"2013-02-13T00:00:00Z","ends_at":"2099-03-03T00:00:00Z","stock":5}
"##;
const ACCOUNT: &str = r#"{"account_id":"1234567","screen_name":"anna","card_token":"tok_1","delivery_ref":"addr_1","status":"active","linked_at":"2013-01-05T10:00:00Z"}
"#;
