//! What other languages need, and whether it is there.

use std::process::{Command, Stdio};

/// Programs that a case cannot do without.
#[derive(Clone, Copy)]
pub struct Tools {
    /// Commands that end well where everything is there, and what is missing where one does not.
    probes: &'static [(&'static [&'static str], &'static str)],
    /// The variable that makes it a failure if something is missing.
    require: &'static str,
}

/// Python with its module for environments of their own.
pub const PYTHON: Tools = Tools {
    probes: &[(&["python3", "-c", "import ensurepip, venv"], "python3 with venv")],
    require: "HASHBUY_REQUIRE_PYTHON",
};

/// A compiler of Java, and Maven.
pub const JAVA: Tools = Tools {
    probes: &[(&["javac", "-version"], "javac"), (&["mvn", "-version"], "mvn")],
    require: "HASHBUY_REQUIRE_JAVA",
};

/// Node with its package manager.
pub const NODE: Tools = Tools {
    probes: &[(&["node", "--version"], "node"), (&["npm", "--version"], "npm")],
    require: "HASHBUY_REQUIRE_NODE",
};

impl Tools {
    /// What is missing on this machine, if anything is and nobody requires it.
    pub fn missing(&self) -> Option<String> {
        if std::env::var(self.require).is_ok_and(|value| value == "1") {
            return None;
        }
        let lacks = |(probe, _): &&(&[&str], &str)| {
            let ended = Command::new(probe[0])
                .args(&probe[1..])
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
            !ended.is_ok_and(|status| status.success())
        };
        let missing: Vec<&str> = self.probes.iter().filter(lacks).map(|(_, what)| *what).collect();
        (!missing.is_empty()).then(|| format!("{} not installed", missing.join(" and ")))
    }
}
