//! `hashbuy demo` from the outside: the built program, without a terminal.

#![expect(clippy::expect_used, reason = "a test fails by a panic that says why")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

fn demo(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hashbuy"));
    command.arg("demo").args(args).stdin(Stdio::null());
    command
}

fn finished(args: &[&str]) -> Output {
    demo(args).output().expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// A demo that goes on until it is ended, with its stdout.
struct Running {
    child: Child,
    lines: BufReader<std::process::ChildStdout>,
}

impl Running {
    fn start(args: &[&str]) -> Running {
        let mut child = demo(args).stdout(Stdio::piped()).spawn().expect("the program starts");
        let lines = BufReader::new(child.stdout.take().expect("stdout is a pipe"));
        Running { child, lines }
    }

    /// The first line with this text in it.
    fn line_with(&mut self, wanted: &str) -> String {
        let mut seen = String::new();
        loop {
            let mut line = String::new();
            let read = self.lines.read_line(&mut line).expect("stdout is readable");
            assert!(read > 0, "no line with {wanted:?} in:\n{seen}");
            if line.contains(wanted) {
                return line;
            }
            seen.push_str(&line);
        }
    }

    fn interrupt(&mut self) {
        self.signal("-INT");
    }

    fn signal(&mut self, signal: &str) {
        let killed = Command::new("kill").args([signal, &self.child.id().to_string()]).status();
        assert!(killed.expect("there is a kill").success());
    }

    /// The exit code, and what is left of stdout.
    fn end(mut self) -> (Option<i32>, String) {
        let mut rest = String::new();
        self.lines.read_to_string(&mut rest).expect("stdout is readable");
        (self.child.wait().expect("it ends").code(), rest)
    }
}

/// The numbers of `requested 412 = confirmed 280 + lapsed 71 + cancelled 33 + pending 28`.
fn sum(stdout: &str) -> BTreeMap<String, u64> {
    numbers(stdout, "purchases   ")
}

/// The numbers of `loaded 61 = redeemed 35 + expired 15 + still loaded 11; reversed 6`.
fn coupons(stdout: &str) -> BTreeMap<String, u64> {
    numbers(stdout, "coupons     ")
}

fn numbers(stdout: &str, begin: &str) -> BTreeMap<String, u64> {
    let line = stdout.lines().find_map(|line| line.strip_prefix(begin)).expect("a line of the summary");
    let line = line.replace("still loaded", "still_loaded");
    let words: Vec<&str> = line.split([' ', '=', '+', ';']).filter(|word| !word.is_empty()).collect();
    words
        .chunks(2)
        .map(|pair| (pair[0].to_owned(), pair[1].replace(',', "").parse().expect("a number")))
        .collect()
}

#[test]
fn the_summary_adds_up() {
    let output = finished(&["--for", "10s", "--seed", "7", "--rate", "500"]);
    let stdout = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{stdout}{}", text(&output.stderr));
    let sum = sum(&stdout);
    assert_eq!(
        sum["requested"],
        sum["confirmed"] + sum["lapsed"] + sum["cancelled"] + sum["pending"],
        "{stdout}"
    );
    for what in ["confirmed", "lapsed", "cancelled", "pending"] {
        assert!(sum[what] > 0, "{what}: {stdout}");
    }
    let billed = format!("nobody was billed twice: {0} orders, {0} purchases", sum["confirmed"]);
    assert!(stdout.contains(&billed), "{stdout}");
    let coupons = coupons(&stdout);
    assert_eq!(
        coupons["loaded"],
        coupons["redeemed"] + coupons["expired"] + coupons["still_loaded"],
        "{stdout}"
    );
    for what in ["redeemed", "reversed", "expired", "still_loaded"] {
        assert!(coupons[what] > 0, "{what}: {stdout}");
    }
    let credited = format!("nobody was credited twice: {0} orders, {0} redeemed", coupons["redeemed"]);
    assert!(stdout.contains(&credited), "{stdout}");
    assert!(stdout.contains("killed      0 desk workers"), "{stdout}");
    assert!(
        stdout.lines().any(|line| line.starts_with("refusals    ") && line.contains("wrong_code ")),
        "{stdout}"
    );
    for story in [" requested ", " confirmed ", " refused   ", " loaded    ", " redeemed  ", "; desk time "] {
        assert!(stdout.contains(story), "{story}: {stdout}");
    }
    // Nothing but text where nobody watches.
    assert!(!stdout.contains('\x1b'), "{stdout}");
}

#[test]
fn a_demo_that_is_over_at_once_adds_up() {
    let output = finished(&["--for", "1ms"]);
    let stdout = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{stdout}{}", text(&output.stderr));
    let sum = sum(&stdout);
    assert_eq!(sum["requested"], sum["pending"], "{stdout}");
}

fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("somebody listens");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")
        .expect("it is read");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

/// The sum over all series of a metric.
fn value(metrics: &str, name: &str) -> f64 {
    let series = metrics
        .lines()
        .filter(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' '])));
    series.map(|line| line.rsplit(' ').next().expect("a value").parse::<f64>().expect("a number")).sum()
}

#[test]
fn metrics_are_served_while_it_runs() {
    let mut running = Running::start(&["--for", "1h", "--rate", "500", "--port", "0"]);
    let line = running.line_with("http://127.0.0.1:");
    let address = line
        .trim()
        .split("http://")
        .nth(1)
        .expect("an address")
        .split('/')
        .next()
        .expect("an address")
        .to_owned();
    let health = get(&address, "/healthz");
    assert!(health.starts_with("HTTP/1.1 200 OK\r\n") && health.ends_with("ok\n"), "{health}");
    running.line_with(" requested ");
    let ready = get(&address, "/readyz");
    assert!(ready.starts_with("HTTP/1.1 200 OK\r\n") && ready.ends_with("ready\n"), "{ready}");

    let fed = [
        "hashbuy_scan_records_total",
        "hashbuy_scan_bytes_total",
        "hashbuy_scan_candidates_total",
        "hashbuy_scan_sightings_total",
        "hashbuy_scan_skipped_total",
        "hashbuy_nothing_total",
        "hashbuy_desk_events_total",
        "hashbuy_desk_pendings",
        "hashbuy_desk_time_seconds",
        "hashbuy_build_info",
    ];
    let patience = Instant::now() + Duration::from_secs(60);
    let metrics = loop {
        let metrics = get(&address, "/metrics");
        if fed.iter().all(|name| value(&metrics, name) > 0.0) {
            break metrics;
        }
        assert!(Instant::now() < patience, "{metrics}");
        thread::sleep(Duration::from_millis(200));
    };
    assert!(metrics.contains("content-type: text/plain; version=0.0.4"), "{metrics}");
    for name in fed {
        assert!(metrics.contains(&format!("# HELP {name} ")), "{name} is not described");
    }
    assert!(metrics.contains(r#"hashbuy_desk_events_total{type="purchase.requested""#), "{metrics}");
    assert!(get(&address, "/nothing").starts_with("HTTP/1.1 404 "));

    running.interrupt();
    let (code, rest) = running.end();
    assert_eq!(code, Some(0), "{rest}");
}

#[test]
fn an_interrupt_ends_it_with_its_summary() {
    for signal in ["-INT", "-TERM"] {
        let mut running = Running::start(&["--for", "1h", "--rate", "300"]);
        running.line_with("requested");
        running.signal(signal);
        let (code, rest) = running.end();
        assert_eq!(code, Some(0), "{signal}: {rest}");
        assert!(rest.contains("nobody was billed twice"), "{signal}: {rest}");
    }
}

#[test]
fn an_interrupt_ends_it_however_far_behind_it_is() {
    let mut running = Running::start(&["--for", "1h", "--rate", "1000000"]);
    running.line_with("tweets/s");
    let asked = Instant::now();
    running.interrupt();
    let (code, rest) = running.end();
    assert_eq!(code, Some(0), "{rest}");
    assert!(asked.elapsed() < Duration::from_secs(10), "it took {:?}", asked.elapsed());
    assert!(rest.contains("This machine was too slow for 1,000,000 tweets a second."), "{rest}");
}

#[test]
fn wrong_use_is_told() {
    for (args, wanted) in [
        (["--for", "soon"], "such as 30s"),
        (["--for", "0s"], "longer than 0"),
        (["--rate", "99"], "100..=1000000"),
        (["--port", "65536"], "65535"),
    ] {
        let output = finished(&args);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {stderr}");
        assert!(stderr.contains(wanted) && stderr.contains(args[0]), "{args:?}: {stderr}");
    }
}

#[test]
fn brokers_that_do_not_answer_are_told() {
    // A port that was free a moment ago.
    let port =
        std::net::TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a port").port();
    let brokers = format!("127.0.0.1:{port}");
    let output = finished(&["--brokers", &brokers]);
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains(&format!("--brokers {brokers}: no broker answers")), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
}

#[test]
fn a_port_in_use_is_told() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let output = finished(&["--for", "1s", "--port", &port]);
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(
        stderr.contains(&format!("--port {port}: cannot listen")) && stderr.contains("in use"),
        "{stderr}"
    );
}

#[test]
fn a_reader_who_leaves_ends_it_quietly() {
    let mut child = demo(&["--for", "1h", "--rate", "300"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()));
}
