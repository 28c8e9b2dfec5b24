//! The dashboards, as far as Grafana leaves it to its reader whether they make sense: ids, places, variables, units, and
//! names of metrics.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use super::expressions::unknown_names;
use super::rules::{self, deploy};

pub const CASES: &[(&str, fn())] = &[
    ("dashboards::they_are_sound", they_are_sound),
    ("dashboards::panels_are_sound", panels_are_sound),
    ("dashboards::panels_do_not_overlap", panels_do_not_overlap),
    ("dashboards::they_are_provisioned", they_are_provisioned),
    ("dashboards::each_says_what_there_is_to_say_of_it", both_say_what_they_should),
];

/// The names of units as Grafana spells them, of those that are used.
const UNITS: &[&str] = &["short", "s", "percentunit", "ops", "Bps", "bytes", "locale", "dateTimeAsIso"];
/// The kinds of panels that Grafana has by itself, of those that are used.
const KINDS: &[&str] = &["timeseries", "stat", "bargauge"];
/// The source of every panel: whoever looks at it says which.
const SOURCE: &str = "${datasource}";
/// Columns of a dashboard.
const COLUMNS: u64 = 24;

/// A dashboard.
pub struct Dashboard {
    name: String,
    json: Value,
}

/// All of them.
pub fn all() -> Vec<Dashboard> {
    let folder = deploy().join("grafana/dashboards");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let read = |file: &std::path::PathBuf| Dashboard {
        name: file.file_name().unwrap().display().to_string(),
        json: serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap(),
    };
    files.iter().map(read).collect()
}

impl Dashboard {
    fn panels(&self) -> &[Value] {
        self.json["panels"].as_array().unwrap()
    }

    fn charts(&self) -> impl Iterator<Item = &Value> {
        self.panels().iter().filter(|panel| panel["type"] != "row")
    }

    /// The title of each panel with each of its queries, as a browser sends it.
    pub fn queries(&self) -> Vec<(String, String)> {
        let of = |panel: &Value| {
            let title = format!("{}: {}", self.name, text(&panel["title"]));
            let targets = panel["targets"].as_array().unwrap().clone();
            targets.into_iter().map(move |target| (title.clone(), filled(text(&target["expr"]))))
        };
        self.charts().flat_map(of).collect()
    }

    /// What is drawn over the panels.
    pub fn annotations(&self) -> Vec<String> {
        let all = self.json["annotations"]["list"].as_array().unwrap();
        all.iter().filter_map(|one| one["expr"].as_str()).map(filled).collect()
    }

    /// Variables that ask Prometheus: name, selector, label.
    pub fn variables(&self) -> Vec<(String, String, String)> {
        let all = self.json["templating"]["list"].as_array().unwrap();
        let queries = all.iter().filter(|variable| variable["type"] == "query");
        let read = |variable: &Value| {
            let query = text(&variable["query"]["query"]);
            let inner = query.strip_prefix("label_values(").and_then(|rest| rest.strip_suffix(')'));
            let (selector, label) = inner.and_then(|inner| inner.rsplit_once(", ")).unwrap();
            assert_eq!(variable["definition"], query);
            assert_eq!(variable["datasource"]["uid"], SOURCE, "{query}");
            (text(&variable["name"]).to_owned(), filled(selector), label.to_owned())
        };
        queries.map(read).collect()
    }
}

/// An expression with values in the place of Grafana's variables.
fn filled(expression: &str) -> String {
    let filled = expression
        .replace("$__rate_interval", "1m")
        .replace("$__range", "5m")
        .replace("$job", "hashbuy")
        .replace("$instance", ".*")
        .replace("$offer", ".*");
    assert!(!filled.contains('$'), "an unknown variable: {filled}");
    filled
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

fn they_are_sound() {
    let mut uids = BTreeSet::new();
    for dashboard in all() {
        let Dashboard { name, json } = &dashboard;
        let uid = text(&json["uid"]);
        assert!(uids.insert(uid.to_owned()) && uid.len() <= 40, "{name}: {uid}");
        assert!(text(&json["title"]).starts_with("hashbuy: "), "{name}");
        assert!(
            json["schemaVersion"].as_u64().unwrap() >= 36,
            "{name}: datasources by their uid came with 36"
        );
        let variables = json["templating"]["list"].as_array().unwrap();
        let named: Vec<&str> = variables.iter().map(|variable| text(&variable["name"])).collect();
        assert_eq!((named[0], &variables[0]["type"]), ("datasource", &"datasource".into()), "{name}");
        assert_eq!(variables[0]["query"], "prometheus", "{name}");
        let whole = json.to_string();
        for variable in &named[1..] {
            assert!(whole.contains(&format!("${variable}")), "{name}: nothing asks for ${variable}");
        }
        for used in ["job", "instance", "offer"].iter().filter(|used| whole.contains(&format!("${used}"))) {
            assert!(named.contains(used), "{name}: no variable ${used}");
        }
    }
    for dashboard in all() {
        for link in dashboard.json["links"].as_array().unwrap() {
            let to = text(&link["url"]).strip_prefix("/d/").unwrap();
            assert!(uids.contains(to), "{}: no dashboard {to}", dashboard.name);
        }
    }
}

fn panels_are_sound() {
    for dashboard in all() {
        let (mut ids, mut titles) = (BTreeSet::new(), BTreeSet::new());
        for panel in dashboard.panels() {
            let title = text(&panel["title"]);
            let place = format!("{}: {title}", dashboard.name);
            assert!(ids.insert(panel["id"].as_u64().unwrap()), "{place}: its id is there twice");
            assert!(titles.insert(title), "{place}: it is there twice");
        }
        for panel in dashboard.charts() {
            let place = format!("{}: {}", dashboard.name, text(&panel["title"]));
            assert!(KINDS.contains(&text(&panel["type"])), "{place}: {}", panel["type"]);
            assert!(!text(&panel["description"]).is_empty(), "{place}");
            let defaults = &panel["fieldConfig"]["defaults"];
            assert!(UNITS.contains(&text(&defaults["unit"])), "{place}: {}", defaults["unit"]);
            let steps = defaults["thresholds"]["steps"].as_array().unwrap();
            assert!(steps[0]["value"].is_null(), "{place}: the first colour is that of all below");
            let values: Vec<f64> = steps[1..].iter().map(|step| step["value"].as_f64().unwrap()).collect();
            assert!(values.is_sorted(), "{place}: {values:?}");
            let mut refs = BTreeSet::new();
            for target in panel["targets"].as_array().unwrap() {
                assert!(refs.insert(text(&target["refId"])), "{place}: a refId is there twice");
                for source in [&panel["datasource"], &target["datasource"]] {
                    assert_eq!(
                        (&source["type"], &source["uid"]),
                        (&"prometheus".into(), &SOURCE.into()),
                        "{place}"
                    );
                }
                let is_instant = target["instant"] == true;
                assert_ne!(is_instant, target["range"] == true, "{place}");
                assert_eq!(is_instant, panel["type"] != "timeseries", "{place}");
                let unknown = unknown_names(&filled(text(&target["expr"])));
                assert!(unknown.is_empty(), "{place}: it asks for what there is not: {unknown:?}");
            }
            assert!(!refs.is_empty(), "{place}");
        }
    }
}

fn panels_do_not_overlap() {
    for dashboard in all() {
        let mut taken = BTreeSet::new();
        for panel in dashboard.panels() {
            let place = &panel["gridPos"];
            let side = |name: &str| place[name].as_u64().unwrap_or_else(|| panic!("{place}"));
            let (x, y, w, h) = (side("x"), side("y"), side("w"), side("h"));
            assert!(w > 0 && h > 0 && x + w <= COLUMNS, "{}: {panel}", dashboard.name);
            for cell in (y..y + h).flat_map(|row| (x..x + w).map(move |column| (row, column))) {
                assert!(taken.insert(cell), "{}: two panels at {cell:?}: {}", dashboard.name, panel["title"]);
            }
        }
    }
}

fn they_are_provisioned() {
    let provisioning = deploy().join("grafana/provisioning");
    let provider = rules::read(&provisioning.join("dashboards/hashbuy.yml"));
    let provider = &provider["providers"][0];
    assert_eq!(provider["type"].as_str(), Some("file"));
    assert_eq!(provider["options"]["path"].as_str(), Some("$HASHBUY_DASHBOARDS"));
    let source = rules::read(&provisioning.join("datasources/prometheus.yml"));
    let source = &source["datasources"][0];
    assert_eq!(
        (source["type"].as_str(), source["url"].as_str()),
        (Some("prometheus"), Some("$PROMETHEUS_URL"))
    );
    // What Grafana takes for the time between two values has to be what it is.
    let config = rules::read(&deploy().join("prometheus/prometheus.yml"));
    assert_eq!(source["jsonData"]["timeInterval"].as_str(), config["global"]["scrape_interval"].as_str());
}

fn both_say_what_they_should() {
    let whole = |name: &str| {
        let dashboard = all().into_iter().find(|dashboard| dashboard.name == name).unwrap();
        dashboard.queries().into_iter().map(|(_, expression)| expression).collect::<String>()
    };
    let business = whole("business.json");
    for kind in hashbuy::core::event::EventKind::ALL {
        let kind = kind.as_str();
        assert!(business.contains(&format!("type=\"{kind}\"")), "no panel shows {kind}");
    }
    for metric in ["offer_revenue_minor_units", "offer_sold", "offer_stock", "confirm_seconds", "lockouts"] {
        assert!(business.contains(metric), "no panel shows {metric}");
    }
    // Between them they show everything that the service counts.
    let both = business
        + &whole("service.json")
        + &rules::all().iter().map(|rule| &*rule.expression).collect::<String>();
    for metric in hashbuy::metrics::ALL {
        assert!(both.contains(metric.name), "nothing shows {}", metric.name);
    }
}
