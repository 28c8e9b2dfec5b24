//! `deploy/asyncapi/hashbuy.yaml`, read by AsyncAPI's own parser, against what the program does.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use hashbuy::core::event::EventKind;
use hashbuy::worker::Topics;
use serde_json::Value;
use yaml_rust2::{Yaml, YamlLoader};

use crate::built;
use crate::common::program::text;
use crate::common::schema::schema;
use crate::topics::Stored;

/// What needs Node.
pub const CASES: &[(&str, fn())] = &[
    ("asyncapi_says_what_the_program_does", says_what_the_program_does),
    ("asyncapi_faults_are_found", faults_are_found),
];

fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy")
}

/// The parser with a file. It is installed by the first who asks.
fn parsed(file: &Path) -> Output {
    static PARSER: OnceLock<PathBuf> = OnceLock::new();
    let parser = PARSER.get_or_init(|| {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contracts/node");
        let folder = built::scratch().join("asyncapi-parser");
        fs::create_dir_all(&folder).unwrap();
        let lock = fs::read(source.join("package-lock.json")).unwrap();
        let stamp = folder.join("node_modules/installed");
        for name in ["package.json", "package-lock.json", "validate.mjs"] {
            fs::copy(source.join(name), folder.join(name)).unwrap();
        }
        if fs::read(&stamp).ok().as_ref() != Some(&lock) {
            let mut npm = Command::new("npm");
            npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(&folder);
            let installed = npm.stdin(Stdio::null()).output().unwrap();
            assert!(installed.status.success(), "npm ci: {}", String::from_utf8_lossy(&installed.stderr));
            fs::write(stamp, lock).unwrap();
        }
        folder
    });
    Command::new("node").arg("validate.mjs").arg(file).current_dir(parser).output().unwrap()
}

fn says_what_the_program_does() {
    let output = parsed(&deploy().join("asyncapi/hashbuy.yaml"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let channels: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let by_address: BTreeMap<&str, &Value> =
        channels.iter().map(|channel| (text(channel, "address"), channel)).collect();

    let usual = Topics::default();
    // What others write, what the service writes for itself, and what it writes for others.
    let read = [&usual.tweets, &usual.offers, &usual.accounts, &usual.card_transactions]
        .map(|topic| (topic, "receive"));
    let written = [&usual.purchases, &usual.orders, &usual.dead_letters].map(|topic| (topic, "send"));
    let own = [&usual.inbox, &usual.changelog].map(|topic| (topic, "receive send"));
    let expected: BTreeMap<&str, &str> =
        read.into_iter().chain(written).chain(own).map(|(topic, does)| (&**topic, does)).collect();
    let told: BTreeMap<&str, String> = by_address
        .iter()
        .map(|(address, channel)| {
            let actions = channel["operations"].as_array().unwrap().iter();
            (*address, actions.map(|action| action.as_str().unwrap()).collect::<Vec<_>>().join(" "))
        })
        .collect();
    assert!(told.iter().map(|(topic, does)| (*topic, &**does)).eq(expected), "{told:?}");

    let parts = &schema("event")["$defs"];
    for (topic, is_order) in [(&usual.purchases, false), (&usual.orders, true)] {
        let messages = by_address[&**topic]["messages"].as_array().unwrap();
        let kinds = EventKind::ALL.map(EventKind::as_str).into_iter();
        let kinds: BTreeSet<&str> = kinds.filter(|kind| kind.starts_with("order.") == is_order).collect();
        assert_eq!(messages.iter().map(|message| text(message, "name")).collect::<BTreeSet<_>>(), kinds);
        for message in messages {
            let name = text(message, "name");
            assert_eq!(message["required"], parts[name]["required"], "{name}");
            assert_eq!(message["key"], true, "{name}");
            assert_eq!(names(&message["headers"]), headers_of_events(), "{name}");
        }
    }
    for (topic, name) in [(&usual.offers, "offer"), (&usual.card_transactions, "transaction")] {
        assert_eq!(by_address[&**topic]["messages"][0]["required"], schema(name)["required"], "{name}");
    }
    let dead = &by_address[&*usual.dead_letters]["messages"][0]["headers"];
    let expected = ["reason", "source-offset", "source-partition", "source-topic"];
    assert_eq!(names(dead), expected.map(str::to_owned).into());
}

fn names(list: &Value) -> BTreeSet<String> {
    list.as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

/// A copy of the document with a slip in it is refused, whatever the slip is.
fn faults_are_found() {
    let folder = built::scratch().join("asyncapi-faults");
    for part in ["asyncapi", "schemas"] {
        fs::create_dir_all(folder.join(part)).unwrap();
    }
    for entry in fs::read_dir(deploy().join("schemas")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), folder.join("schemas").join(entry.file_name())).unwrap();
    }
    let sound = fs::read_to_string(deploy().join("asyncapi/hashbuy.yaml")).unwrap();
    for (right, wrong) in [
        ("$ref: '#/components/messages/tweet'", "$ref: '#/components/messages/toot'"),
        ("event.schema.json#/$defs/order.placed", "event.schema.json#/$defs/order.sent"),
        ("action: receive", "action: listen"),
        ("bindingVersion: 0.5.0", "bindingVersion: [0.5.0]"),
    ] {
        assert!(sound.contains(right), "{right}");
        let file = folder.join("asyncapi/hashbuy.yaml");
        fs::write(&file, sound.replacen(right, wrong, 1)).unwrap();
        let output = parsed(&file);
        assert_eq!(output.status.code(), Some(1), "{wrong}: {}", String::from_utf8_lossy(&output.stdout));
        assert!(!output.stderr.is_empty(), "{wrong}");
    }
}

/// The headers that each event has to have, by the document.
fn headers_of_events() -> BTreeSet<String> {
    let document = fs::read_to_string(deploy().join("asyncapi/hashbuy.yaml")).unwrap();
    let document = &YamlLoader::load_from_str(&document).unwrap()[0];
    let Yaml::Array(required) = &document["components"]["schemas"]["eventHeaders"]["required"] else {
        panic!("eventHeaders has no list of what is required")
    };
    required.iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

/// A record of `purchases` or `orders` has the headers that the document names, and is keyed as it says.
pub fn is_as_told(record: &Stored) {
    assert_eq!(record.headers.keys().cloned().collect::<BTreeSet<_>>(), headers_of_events());
    let event = record.json();
    for (header, field) in [("ce_type", "type"), ("ce_id", "event_id"), ("ce_time", "at")] {
        assert_eq!(record.header(header), text(&event, field), "{header}");
    }
    assert_eq!(record.key.as_deref(), Some(text(&event, "account_id").as_bytes()));
    assert_eq!((record.header("ce_specversion"), record.header("content-type")), ("1.0", "application/json"));
    assert!(record.header("ce_source").starts_with("hashbuy/"), "{}", record.header("ce_source"));
}
