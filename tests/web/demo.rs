//! A demo with its page.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::built;
use crate::http::{self, Answer};

/// Whatever is waited for comes within so long, or never.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A case: its name, and what it does with a demo that others use too.
pub type Case = (&'static str, fn(&Demo));

/// A demo that goes on until this is dropped.
pub struct Demo {
    child: Child,
    /// Where its page is: host and port.
    pub address: String,
    told: Arc<Mutex<String>>,
}

impl Demo {
    pub fn start() -> Demo {
        let mut child = Command::new(built::program())
            .args(["demo", "--for", "1h", "--rate", "500", "--port", "0"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let (mut address, mut line) = (String::new(), String::new());
        while !line.contains(" confirmed ") {
            line.clear();
            assert!(lines.read_line(&mut line).unwrap() > 0, "it has ended");
            if let Some((_, rest)) = line.split_once("http://") {
                address = rest.split('/').next().unwrap().to_owned();
            }
        }
        let told = Arc::<Mutex<String>>::default();
        let heard = Arc::clone(&told);
        thread::spawn(move || {
            lines.lines().map_while(Result::ok).for_each(|line| heard.lock().unwrap().push_str(&line))
        });
        Demo { child, address, told }
    }

    /// What it has said on its terminal of late.
    pub fn told(&self) -> String {
        self.told.lock().unwrap().clone()
    }

    /// The answer to a request that is whole: its line, further headers, and a body.
    pub fn ask(&self, line: &str, headers: &str, body: &str) -> Answer {
        let host =
            if headers.starts_with("Host:") { String::new() } else { format!("Host: {}\r\n", self.address) };
        self.send(&format!("{line} HTTP/1.1\r\n{host}{headers}Connection: close\r\n\r\n{body}"))
    }

    pub fn get(&self, path: &str) -> Answer {
        self.ask(&format!("GET {path}"), "", "")
    }

    /// The answer to these bytes.
    pub fn send(&self, request: &str) -> Answer {
        http::send(&self.address, request)
    }

    pub fn connect(&self) -> TcpStream {
        http::connect(&self.address)
    }

    /// Waits until a page shows something.
    pub fn await_on(&self, path: &str, what: &str) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            let body = self.get(path).body;
            if body.contains(what) {
                return body;
            }
            assert!(Instant::now() < until, "{what:?} does not come:\n{body}");
            thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // Of no use if it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
