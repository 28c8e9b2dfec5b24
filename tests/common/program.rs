//! The built program as a child process: scratch folders in, exit code and both outputs out.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use serde_json::Value;

use super::{built, schema};

/// A scratch folder under the build's own folder for temporary files; gone when dropped.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Folder {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = built::scratch().join(format!("replay-{}-{n}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    /// The content of a file that the program wrote, as text.
    pub fn read(&self, name: &str) -> String {
        String::from_utf8(fs::read(self.path(name)).unwrap()).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that stays behind is untidy, but no reason to fail a test.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// How a run ended and what it wrote.
pub struct Run {
    /// The exit code; none if a signal ended the program.
    pub code: Option<i32>,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

/// The program with its settings from the arguments alone: no `HASHBUY_...` of the caller.
pub fn command() -> Command {
    let mut command = Command::new(built::program());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("HASHBUY_") {
            command.env_remove(name);
        }
    }
    command
}

/// Runs the program to its end, with `input` as its standard input.
pub fn run(args: &[OsString], cwd: &Path, input: &[u8]) -> Run {
    let mut child = command()
        .args(args)
        .current_dir(cwd)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // A program that reads nothing closes the pipe: that is its right.
    let writer = thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    Run {
        code: output.status.code(),
        stdout: output.stdout,
        stderr: String::from_utf8(output.stderr).expect("stderr is text"),
    }
}

/// Arguments of any kind as one list.
pub fn arguments<A: Into<OsString>>(args: impl IntoIterator<Item = A>) -> Vec<OsString> {
    args.into_iter().map(Into::into).collect()
}

impl Run {
    /// The events, in the order of the output; the run must have ended with exit code 0.
    pub fn events(&self) -> Vec<Value> {
        assert_eq!(self.code, Some(0), "exit code; stderr:\n{}", self.stderr);
        self.events_so_far()
    }

    /// The events whatever the exit code.
    pub fn events_so_far(&self) -> Vec<Value> {
        let text = std::str::from_utf8(&self.stdout).expect("stdout is text");
        assert!(text.is_empty() || text.ends_with('\n'), "the last line is whole");
        let events: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).expect("each line of stdout is JSON"))
            .collect();
        if let Some(fault) = events.iter().find_map(schema::fault) {
            panic!("not as published: {fault}");
        }
        events
    }

    /// The last line of stderr: one object of counters.
    pub fn summary(&self) -> Value {
        let last = self.stderr.lines().last().expect("stderr has a summary");
        let summary: Value = serde_json::from_str(last).expect("the last line of stderr is JSON");
        assert!(summary.is_object(), "the summary is one object");
        summary
    }

    /// The dead letters that stand on stderr.
    pub fn dead_letters(&self) -> Vec<Value> {
        dead_letters(&self.stderr)
    }
}

/// The dead letters among lines of text: JSON objects with a reason and a file.
pub fn dead_letters(text: &str) -> Vec<Value> {
    text.lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|value| value["reason"].is_string() && value["file"].is_string())
        .collect()
}

/// Tables and tweets of one run. `replay` writes them into a folder and runs the program on them.
#[derive(Clone, Default)]
pub struct World {
    pub offers: Vec<Value>,
    pub accounts: Vec<Value>,
    /// One record each, without its line end.
    pub records: Vec<Vec<u8>>,
    pub until: Option<String>,
}

/// The secret of all tests, unless they say otherwise.
pub const SECRET: &str = "made up for tests";

impl World {
    /// The options of a run with these tables, which are written into `folder`.
    pub fn options(&self, folder: &Folder) -> Vec<OsString> {
        let mut args = arguments(["replay", "--offers"]);
        args.push(folder.write("offers.jsonl", json_lines(&self.offers)).into());
        args.push("--accounts".into());
        args.push(folder.write("accounts.jsonl", json_lines(&self.accounts)).into());
        args.push("--secret-file".into());
        args.push(folder.write("secret", SECRET).into());
        if let Some(until) = &self.until {
            args.extend(arguments(["--until", until]));
        }
        args
    }

    /// The tweets as one file, in the order of arrival.
    pub fn stream(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for record in &self.records {
            bytes.extend_from_slice(record);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes
    }

    pub fn replay(&self) -> Run {
        self.replay_with(&Folder::new(), &[])
    }

    /// A run with further arguments, in a folder of the caller; the tweets are `tweets.jsonl`.
    pub fn replay_with(&self, folder: &Folder, more: &[&str]) -> Run {
        let mut args = self.options(folder);
        args.extend(arguments(more));
        folder.write("tweets.jsonl", self.stream());
        args.push("tweets.jsonl".into());
        run(&args, &folder.path(""), b"")
    }
}

/// JSON lines.
pub fn json_lines(values: &[Value]) -> String {
    values.iter().map(|value| format!("{value}\n")).collect()
}

/// The text of a field, empty if it is none.
pub fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or("")
}

/// How many events there are of each type; refusals by reason.
pub fn census(events: &[Value]) -> BTreeMap<String, usize> {
    let mut census = BTreeMap::new();
    for event in events {
        let mut kind = text(event, "type").to_owned();
        if kind == "purchase.refused" {
            kind = format!("{kind} {}", text(event, "reason"));
        }
        *census.entry(kind).or_default() += 1;
    }
    census
}
