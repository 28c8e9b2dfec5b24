//! The program on a terminal. `demo`: keys, the live view, and the terminal afterwards. `run`: sentences.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]
#![cfg(target_os = "linux")]

#[path = "common/mod.rs"]
mod common;

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

/// Whatever is waited for comes within so long, or never.
const PATIENCE: Duration = Duration::from_secs(60);

/// The program in a session of its own, on a terminal of its own.
struct Terminal {
    child: Child,
    keyboard: File,
    /// The program's side of the terminal.
    inside: OwnedFd,
    shown: Arc<Mutex<String>>,
}

impl Terminal {
    fn start(command: &str, args: &[&str]) -> Terminal {
        let outside = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&outside).unwrap();
        unlockpt(&outside).unwrap();
        tcsetwinsize(&outside, Winsize { ws_row: 40, ws_col: 120, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
        let inside = ioctl_tiocgptpeer(&outside, OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        let child = Command::new("setsid")
            .args(["--ctty", "--wait", env!("CARGO_BIN_EXE_hashbuy"), command])
            .args(args)
            .env("TERM", "xterm")
            .stdin(inside.try_clone().unwrap())
            .stdout(inside.try_clone().unwrap())
            .stderr(inside.try_clone().unwrap())
            .spawn()
            .expect("there is a setsid");
        let keyboard = File::from(outside);
        let shown = Arc::<Mutex<String>>::default();
        let (mut screen, text) = (keyboard.try_clone().unwrap(), Arc::clone(&shown));
        thread::spawn(move || {
            let mut bytes = [0; 4_096];
            // It ends with an error, when nobody has the other side any more.
            while let Ok(read) = screen.read(&mut bytes) {
                text.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..read]));
            }
        });
        Terminal { child, keyboard, inside, shown }
    }

    fn shown(&self) -> String {
        self.shown.lock().unwrap().clone()
    }

    fn await_text(&self, wanted: &str) {
        let until = Instant::now() + PATIENCE;
        while !self.shown().contains(wanted) {
            assert!(Instant::now() < until, "{wanted:?} does not come:\n{}", self.shown());
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn press(&mut self, keys: &[u8]) {
        self.keyboard.write_all(keys).unwrap();
    }

    /// Whether it has lines and echoes, as a shell needs it.
    fn is_usual(&self) -> bool {
        tcgetattr(&self.inside).unwrap().local_modes.contains(LocalModes::ICANON | LocalModes::ECHO)
    }

    fn await_end(&mut self) -> ExitStatus {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < until, "it does not end:\n{}", self.shown());
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Of no use if it has ended, as it should have.
        let _ = self.child.kill();
    }
}

#[test]
fn k_kills_a_desk_worker_and_q_ends_the_demo() {
    let mut demo = Terminal::start("demo", &["--rate", "500"]);
    assert!(demo.is_usual());
    // As early as that there is nothing to restore yet, and the worker comes back all the same.
    demo.press(b"k");
    demo.await_text("desk 0: killed ");
    demo.await_text("k kills a desk worker");
    demo.await_text("desk 0: partition ");
    // A code was given out: the desks are at work.
    demo.await_text(", #Confirm");
    demo.press(b"xk");
    demo.await_text("desk 1: killed ");
    assert!(!demo.is_usual());
    demo.await_text("killed 2   double purchases 0");
    demo.press(b"q");
    let status = demo.await_end();
    demo.await_text("nobody was billed twice");
    let shown = demo.shown();
    assert!(status.success(), "{status}: {shown}");
    assert!(shown.contains("killed      2 desk workers"), "{shown}");
    assert!(demo.is_usual(), "the terminal is left without lines or echo");
}

#[test]
fn control_c_ends_it_and_leaves_the_terminal_as_it_was() {
    let mut demo = Terminal::start("demo", &["--rate", "500"]);
    demo.await_text("k kills a desk worker");
    // The terminal makes a signal of it.
    demo.press(b"\x03");
    let status = demo.await_end();
    demo.await_text("nobody was billed twice");
    assert!(status.success(), "{status}: {}", demo.shown());
    assert!(demo.is_usual());
}

#[test]
fn run_says_in_words_what_it_would_say_in_json_elsewhere() {
    let folder = common::program::Folder::new();
    let secret = folder.write("secret", common::program::SECRET);
    let config = format!("kafka.brokers = \"127.0.0.1:1\"\ncodes.secret_file = {secret:?}\n");
    let config = folder.write("hashbuy.toml", config);
    let args = ["--config", config.to_str().unwrap()];
    let mut run = Terminal::start("run", &args);
    assert_eq!(run.await_end().code(), Some(1), "{}", run.shown());
    run.await_text("hashbuy: no broker answers");
    let elsewhere = Command::new(env!("CARGO_BIN_EXE_hashbuy")).arg("run").args(args).output().unwrap();
    let said: serde_json::Value = serde_json::from_slice(&elsewhere.stderr).unwrap();
    assert_eq!((&said["level"], elsewhere.status.code()), (&"ERROR".into(), Some(1)), "{said}");
    assert!(said["message"].as_str().unwrap().starts_with("no broker answers"), "{said}");
}
