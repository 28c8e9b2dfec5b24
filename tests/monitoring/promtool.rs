//! What Prometheus' own tool says of the files, and of the metrics.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super::demo::Demo;
use super::rules::deploy;

pub const CASES: &[(&str, fn())] = &[
    ("promtool::the_configuration_is_sound", configuration),
    ("promtool::the_metrics_are_as_prometheus_advises", metrics),
];

/// What is missing on this machine for Prometheus, if anything is.
pub fn missing() -> Option<String> {
    let is_there = |program: &&str| {
        let asked = Command::new(program).arg("--version").output();
        !asked.is_ok_and(|output| output.status.success())
    };
    let missing: Vec<&str> = ["prometheus", "promtool"].into_iter().filter(is_there).collect();
    (!missing.is_empty()).then(|| format!("{} not installed", missing.join(" and ")))
}

/// The rules are checked with the configuration that names them.
fn configuration() {
    let said = run(&["check", "config", "prometheus.yml"], "");
    let files = said.matches("rules found").count();
    assert_eq!(files, 2, "{said}");
    run(&["check", "rules", "--lint=all", "--lint-fatal", "rules/recording.yml", "rules/alerts.yml"], "");
}

/// The unit tests of a file.
pub fn test_rules(file: &Path) {
    run(&["test", "rules", file.to_str().unwrap()], "");
}

fn metrics() {
    let demo = Demo::start();
    let page = demo.get("/metrics").body;
    assert!(page.contains("hashbuy_scan_records_total"), "{page}");
    let said = run(&["check", "metrics"], &page);
    assert_eq!(said, "", "it would have it otherwise");
}

fn run(args: &[&str], input: &str) -> String {
    let mut child = Command::new("promtool")
        .args(args)
        .current_dir(deploy().join("prometheus"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "promtool {args:?}: {said}");
    said
}
