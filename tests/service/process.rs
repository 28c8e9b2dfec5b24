//! `hashbuy run` as a child process: its log, its page, and the ways it can end.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

use crate::common::program::command;

/// A running service. It is killed when this is dropped.
pub struct Service {
    child: Child,
    log: PathBuf,
}

impl Service {
    /// Starts `hashbuy run`, with its stderr in `log`.
    pub fn start<'v>(
        config: &Path,
        arguments: &[&str],
        variables: impl IntoIterator<Item = (&'v str, &'v str)>,
        log: PathBuf,
    ) -> Service {
        let stderr = File::create(&log).unwrap();
        let child = command()
            .args(["run", "--config"])
            .arg(config)
            .args(arguments)
            .envs(variables)
            .current_dir(config.parent().unwrap())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(stderr)
            .spawn()
            .unwrap();
        Service { child, log }
    }

    /// What it has said so far.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// Waits until it has said something.
    pub fn await_log(&mut self, text: &str, within: Duration) {
        let deadline = Instant::now() + within;
        while !self.log().contains(text) {
            assert!(Instant::now() < deadline, "not said within {within:?}: {text}\n{}", self.log());
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("it has ended with {status} before it said: {text}\n{}", self.log());
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// The answer of its page to a path: status and body.
    pub fn get(&mut self, path: &str) -> (u16, String) {
        let (status, _, body) = self.ask(path, "");
        (status, body)
    }

    /// The answer to a request with further headers: status, headers and body.
    pub fn ask(&mut self, path: &str, headers: &str) -> (u16, String, String) {
        self.await_log("http://", Duration::from_secs(20));
        let log = self.log();
        let (_, rest) = log.split_once("http://").unwrap();
        let (address, _) = rest.split_once('/').unwrap();
        let mut stream = TcpStream::connect(address).unwrap_or_else(|error| {
            // It is ending: let it say why.
            thread::sleep(Duration::from_secs(1));
            panic!("no page at {address}: {error}\n{}", self.log())
        });
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\n{headers}Connection: close\r\n\r\n")
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), head.to_owned(), body.to_owned())
    }

    /// The value of a metric, with its labels as they are written; 0 if it is not there.
    pub fn metric(&mut self, name: &str) -> f64 {
        let (status, body) = self.get("/metrics");
        assert_eq!(status, 200, "{body}");
        let value = body.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.map_or(0.0, |value| value.parse().unwrap())
    }

    /// Waits until it is ready.
    pub fn await_ready(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while self.get("/readyz").0 != 200 {
            assert!(Instant::now() < deadline, "not ready\n{}", self.log());
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Ends it at once, in the middle of whatever it does.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends it a signal. One that stops it is waited for: until the last of its threads stands still, the others go
    /// on for a while.
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
        if signal == Signal::STOP {
            waitid(WaitId::Pid(pid), WaitIdOptions::STOPPED).unwrap();
        }
    }

    /// Asks it to end, as an orchestrator does.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// The process's id.
    #[allow(dead_code, reason = "the soak looks at its memory")]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has not ended.
    #[allow(dead_code, reason = "the fault matrix asks")]
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits for its end. Returns the exit code and what it said; no code if a signal ended it.
    pub fn await_end(mut self, within: Duration) -> (Option<i32>, String) {
        let deadline = Instant::now() + within;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status.code(), self.log());
            }
            assert!(Instant::now() < deadline, "it has not ended within {within:?}\n{}", self.log());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Asks it to end, and checks that it does so well.
    pub fn stop(self) {
        self.terminate();
        let (code, log) = self.await_end(Duration::from_secs(10));
        assert_eq!(code, Some(0), "exit code after SIGTERM\n{log}");
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Ok(Some(status)) = self.child.try_wait()
            && thread::panicking()
        {
            eprintln!("{} had ended before the case did: {status}", self.log.display());
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
