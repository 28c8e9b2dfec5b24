//! A real Prometheus with the configuration and the rules of `deploy/prometheus`, which scrapes a demo every second and is
//! asked everything that dashboards, rules, alerts and the runbook ask.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use form_urlencoded::byte_serialize;
use serde_json::Value;

use super::demo::Demo;
use super::expressions::selectors;
use super::rules::{self, deploy};
use super::{built, dashboards, runbook};

/// Whatever is waited for comes within so long, or never.
const PATIENCE: Duration = Duration::from_secs(90);

/// A case: its name, and what it does with the Prometheus that others use too.
type Case = (&'static str, fn(&Live));

pub const CASES: &[Case] = &[
    ("live::rules_are_evaluated", rules_are_evaluated),
    ("live::what_is_recorded_is_there", recorded),
    ("live::alerts_look_at_what_is_there", alerts),
    ("live::each_panel_shows_something", panels),
    ("live::variables_of_the_dashboards_have_values", variables),
    ("live::queries_of_the_runbook_are_answered", documents),
    ("live::a_process_that_is_not_there_is_told", a_target_that_is_down),
];

/// Prometheus and the demo that it scrapes.
pub struct Live {
    // Ended first.
    server: Child,
    folder: PathBuf,
    address: String,
    demo: Demo,
}

impl Live {
    pub fn start() -> Live {
        let demo = Demo::start();
        let folder = built::scratch().join(format!("prometheus-{}", std::process::id()));
        fs::create_dir_all(folder.join("rules")).unwrap();
        fs::create_dir_all(folder.join("targets")).unwrap();
        let from = deploy().join("prometheus");
        for file in ["rules/recording.yml", "rules/alerts.yml"] {
            fs::copy(from.join(file), folder.join(file)).unwrap();
        }
        // The same, only quicker.
        let config = fs::read_to_string(from.join("prometheus.yml")).unwrap();
        let quick = config.replace("_interval: 15s", "_interval: 1s");
        assert_eq!(quick.matches("_interval: 1s").count(), 2, "{config}");
        fs::write(folder.join("prometheus.yml"), quick).unwrap();
        let mut targets = fs::read_to_string(from.join("targets/local.yml")).unwrap();
        assert!(targets.contains("127.0.0.1:9464"), "{targets}");
        targets = targets.replace("127.0.0.1:9464", &demo.address);
        fs::write(folder.join("targets/local.yml"), targets).unwrap();
        let (server, address) = serve(&folder);
        let live = Live { server, folder, address, demo };
        live.wait("it is ready", || live.get("/-/ready").is_some());
        live
    }

    /// The result of an expression, once it has any.
    fn value_of(&self, expression: &str) -> Vec<Value> {
        let mut result = Vec::new();
        self.wait(&format!("{expression} has a value"), || {
            result = self.ask(expression);
            !result.is_empty()
        });
        result
    }

    /// The result of an expression now; it has to be one that Prometheus takes.
    fn ask(&self, expression: &str) -> Vec<Value> {
        let query: String = byte_serialize(expression.as_bytes()).collect();
        let answer = self.api(&format!("query?query={query}"));
        assert_eq!(answer["status"], "success", "{expression}: {answer}");
        match answer["data"]["resultType"].as_str() {
            Some("scalar") => vec![answer["data"]["result"].clone()],
            _ => answer["data"]["result"].as_array().unwrap().clone(),
        }
    }

    fn api(&self, path: &str) -> Value {
        let body = self.get(&format!("/api/v1/{path}")).unwrap();
        serde_json::from_str(&body).unwrap_or_else(|error| panic!("{path}: {error}: {body}"))
    }

    /// The body of an answer; none if there is nobody, or nobody who is ready.
    fn get(&self, path: &str) -> Option<String> {
        let mut stream = TcpStream::connect(&self.address).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        // In this version of HTTP the answer comes in one piece.
        let request = format!("GET {path} HTTP/1.0\r\nHost: {}\r\n\r\n", self.address);
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        (!head.starts_with("HTTP/1.0 503")).then(|| body.to_owned())
    }

    fn wait(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        let until = Instant::now() + PATIENCE;
        while !is_so() {
            assert!(Instant::now() < until, "not within {PATIENCE:?}: {what}");
            thread::sleep(Duration::from_millis(200));
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        // Of no use if it has ended.
        let _ = self.server.kill();
        let _ = self.server.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// On a port that was free a moment ago; data beside the configuration.
fn serve(folder: &Path) -> (Child, String) {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap().to_string();
    drop(free);
    let child = Command::new("prometheus")
        .arg(format!("--config.file={}", folder.join("prometheus.yml").display()))
        .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
        .arg(format!("--web.listen-address={address}"))
        .arg("--log.level=warn")
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    (child, address)
}

fn rules_are_evaluated(live: &Live) {
    let rules = || {
        let answer = live.api("rules");
        let groups = answer["data"]["groups"].as_array().unwrap();
        groups.iter().flat_map(|group| group["rules"].as_array().unwrap().clone()).collect::<Vec<Value>>()
    };
    live.wait("all were evaluated", || rules().iter().all(|rule| rule["health"] != "unknown"));
    let rules = rules();
    assert_eq!(rules.len(), rules::all().len());
    for rule in rules {
        assert_eq!(rule["health"], "ok", "{rule}");
    }
}

fn recorded(live: &Live) {
    for rule in rules::all().iter().filter(|rule| !rule.is_alert) {
        live.value_of(&rule.expression);
        live.value_of(&rule.name);
    }
}

/// An alert that is silent has no value; what it compares has.
fn alerts(live: &Live) {
    for rule in rules::all().iter().filter(|rule| rule.is_alert) {
        live.ask(&rule.expression);
        let all = selectors(&rule.expression);
        assert!(!all.is_empty(), "{}", rule.name);
        for selector in all {
            live.value_of(&selector);
        }
    }
}

fn panels(live: &Live) {
    for dashboard in dashboards::all() {
        for (panel, expression) in dashboard.queries() {
            let values = live.value_of(&expression);
            println!("{panel}: {} series", values.len());
        }
        for expression in dashboard.annotations() {
            live.ask(&expression);
        }
    }
}

fn variables(live: &Live) {
    for dashboard in dashboards::all() {
        for (name, selector, label) in dashboard.variables() {
            let values = live.value_of(&selector);
            assert!(values.iter().any(|value| value["metric"][&label].is_string()), "{name}: {values:?}");
        }
    }
}

/// What somebody asks at night has an answer, and so has what he asks the process itself.
fn documents(live: &Live) {
    for query in runbook::queries() {
        live.value_of(&query);
    }
    for path in runbook::paths() {
        let answer = live.demo.get(&path);
        assert!(matches!(answer.status, 200 | 503), "{path}: {answer:?}");
    }
}

fn a_target_that_is_down(live: &Live) {
    // A port that nobody listens on.
    let targets = format!("- targets: [{}, '127.0.0.1:1']\n", live.demo.address);
    fs::write(live.folder.join("targets/local.yml"), targets).unwrap();
    live.wait("it is pending", || {
        let answer = live.api("alerts");
        let mut all = answer["data"]["alerts"].as_array().unwrap().iter();
        all.any(|alert| {
            let labels = &alert["labels"];
            labels["alertname"] == "HashbuyTargetDown" && labels["instance"] == "127.0.0.1:1"
        })
    });
}
