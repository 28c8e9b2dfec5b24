//! The rules as they stand in `deploy/prometheus`, and what hangs together with them: each alert is told apart from the
//! sound case by a unit test, and has its section in the runbook.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use yaml_rust2::{Yaml, YamlLoader};

pub const CASES: &[(&str, fn())] = &[
    ("rules::each_alert_is_tripped_and_silent_in_a_test", each_alert_is_tested),
    ("rules::each_alert_says_what_it_has_to", each_alert_says_what_it_has_to),
    ("rules::metrics_that_they_name_exist", metrics_exist),
];

/// A rule: an alert, or something that is recorded.
#[derive(Debug, Clone)]
pub struct Rule {
    pub name: String,
    pub expression: String,
    pub is_alert: bool,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
}

impl Rule {
    fn read(rule: &Yaml) -> Rule {
        let text = |key: &str| rule[key].as_str().map(str::to_owned);
        let alert = text("alert");
        Rule {
            is_alert: alert.is_some(),
            name: alert.or_else(|| text("record")).unwrap_or_else(|| panic!("no name: {rule:?}")),
            expression: text("expr").unwrap_or_else(|| panic!("no expr: {rule:?}")),
            labels: texts(&rule["labels"]),
            annotations: texts(&rule["annotations"]),
        }
    }
}

/// `deploy`, whichever folder the test runs in.
pub fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy")
}

/// All rules, in the order of the files.
pub fn all() -> Vec<Rule> {
    let mut all = Vec::new();
    for file in yaml_files(&deploy().join("prometheus/rules")) {
        for group in read(&file)["groups"].as_vec().unwrap() {
            all.extend(group["rules"].as_vec().unwrap().iter().map(Rule::read));
        }
    }
    all
}

/// The files of unit tests.
pub fn test_files() -> Vec<PathBuf> {
    yaml_files(&deploy().join("prometheus/tests"))
}

/// A file of YAML.
pub fn read(file: &Path) -> Yaml {
    let text = fs::read_to_string(file).unwrap();
    YamlLoader::load_from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display())).remove(0)
}

fn yaml_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|end| end == "yml")).collect();
    files.sort();
    files
}

fn texts(map: &Yaml) -> BTreeMap<String, String> {
    let entries = map.as_hash().into_iter().flatten();
    entries
        .map(|(key, value)| (key.as_str().unwrap().to_owned(), value.as_str().unwrap().to_owned()))
        .collect()
}

fn alerts() -> BTreeSet<String> {
    all().into_iter().filter(|rule| rule.is_alert).map(|rule| rule.name).collect()
}

fn each_alert_is_tested() {
    let (mut tripped, mut silent) = (BTreeSet::new(), BTreeSet::new());
    for file in test_files() {
        for test in read(&file)["tests"].as_vec().unwrap() {
            for check in test["alert_rule_test"].as_vec().unwrap() {
                let expected = check["exp_alerts"].as_vec().unwrap();
                let of = if expected.is_empty() { &mut silent } else { &mut tripped };
                of.insert(check["alertname"].as_str().unwrap().to_owned());
            }
        }
    }
    assert_eq!(tripped, alerts(), "tripped");
    assert_eq!(silent, alerts(), "silent");
}

fn each_alert_says_what_it_has_to() {
    let mut names = BTreeSet::new();
    for rule in all() {
        let Rule { name, labels, annotations, .. } = &rule;
        assert!(names.insert(name.clone()), "{name} is there twice");
        if !rule.is_alert {
            // As Prometheus advises: level:metric:operations.
            assert_eq!(name.split(':').count(), 3, "{name}");
            continue;
        }
        assert!(matches!(labels["severity"].as_str(), "page" | "ticket"), "{name}: {labels:?}");
        for what in ["summary", "description"] {
            assert!(annotations[what].len() > 20, "{name}: {annotations:?}");
        }
        assert_eq!(annotations["runbook"], format!("docs/runbook.md#{}", name.to_lowercase()), "{name}");
    }
}

fn metrics_exist() {
    for rule in all() {
        let unknown = super::expressions::unknown_names(&rule.expression);
        assert!(unknown.is_empty(), "{} names what there is not: {unknown:?}", rule.name);
    }
}
