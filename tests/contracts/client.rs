//! An example of `deploy/examples` in a folder for itself, set up and run by the commands of its README.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::built;

/// Where the README's broker is.
const BROKERS: &str = "127.0.0.1:9092";

/// An example that is ready to be run.
pub struct Client {
    folder: PathBuf,
    /// The command that runs it, with the README's brokers in it.
    command: String,
}

impl Client {
    /// Copies the example into the build's folder, and does what its README says, up to the last of its first
    /// commands, which runs it.
    ///
    /// # Panics
    /// If one of them fails.
    pub fn of(name: &str) -> Client {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/examples").join(name);
        let folder = built::scratch().join("examples").join(name);
        // What was downloaded the last time is of use; what a run has left is not.
        copy(&source, &folder);
        let readme = fs::read_to_string(source.join("README.md")).unwrap();
        let mut commands: Vec<&str> = readme.split("```").nth(1).unwrap().trim().lines().collect();
        let client = Client { folder, command: commands.pop().unwrap().to_owned() };
        assert!(client.command.contains(BROKERS), "{name}: {}", client.command);
        for command in commands {
            client.run(command);
        }
        client
    }

    /// A file of the example's folder that is not there.
    pub fn fresh(&self, name: &str) -> PathBuf {
        let path = self.folder.join(name);
        if path.exists() {
            fs::remove_file(&path).unwrap();
        }
        path
    }

    /// The README's command on other brokers, with some of its words replaced, and with further arguments.
    pub fn command(&self, bootstrap: &str, replaced: &[(&str, &str)], arguments: &[&str]) -> String {
        let mut command = self.command.replace(BROKERS, bootstrap);
        for (word, other) in replaced {
            assert!(command.contains(word), "no {word} in {command}");
            command = command.replace(word, other);
        }
        [&[&*command], arguments].concat().join(" ")
    }

    /// Runs a command to its end, which has to be a good one. Returns what it says.
    pub fn run(&self, command: &str) -> String {
        let output = self.shell(command).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command}\n{said}{told}");
        said.trim().to_owned()
    }

    /// Starts a command, to be ended by whoever asks for it.
    pub fn start(&self, command: &str) -> Child {
        self.shell(command).stdout(Stdio::null()).spawn().unwrap()
    }

    fn shell(&self, command: &str) -> Command {
        let mut shell = Command::new("sh");
        // What is killed is the program itself, not a shell in front of it.
        let command = format!("exec {command}");
        shell.args(["-c", &command]).current_dir(&self.folder).stdin(Stdio::null());
        shell
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(&from, &to).unwrap();
        }
    }
}
