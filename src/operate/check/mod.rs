//! Whether everything is as it has to be: topics, offsets, readers, transactions, clock, settings, tables.
//!
//! It only reads, in no group and under no transactional id, so it may run beside a live service at any time.
//! What moves while it is looked at is looked at again before anything is said about it.

mod clock;
mod desk;
mod firehose;
mod tables;
mod topics;
mod transactions;

use std::time::Duration;

use serde::Serialize;

use super::{Unable, patiently};
use crate::config::Config;
use crate::log::kafka::KafkaLog;
use crate::log::{Kind, Log, Lookup, Partition};
use crate::worker::Clock;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// As it has to be.
    Ok,
    /// It works, but somebody should know.
    Warning,
    /// Something does not work, or will be lost.
    Problem,
}

impl Severity {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Ok => "ok",
            Severity::Warning => "warning",
            Severity::Problem => "problem",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What was looked at.
    pub what: String,
    /// What was found.
    pub value: String,
    /// What to do about it, if anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mend: Option<String>,
}

/// How the look is to be.
#[derive(Debug, Clone, Copy)]
pub struct How {
    /// A transaction that is open is looked at again for so long.
    pub wait: Duration,
    /// Whether the tables are read whole.
    pub tables: bool,
}

/// Looks at everything.
///
/// # Errors
/// If there is no client for it; whatever cannot be found out is a finding.
pub fn look(log: &KafkaLog, config: &Config, clock: &dyn Clock, how: How) -> Result<Vec<Finding>, Unable> {
    let mut look = Look { log, config, clock, how, lookup: log.lookup()?, findings: Vec::new() };
    look.part("topics", topics::look);
    look.part("groups", desk::members);
    look.part("state", desk::state);
    look.part("firehose", firehose::look);
    look.part("tables' readers", firehose::tables);
    look.part("transactions", transactions::look);
    look.part("clock", clock::look);
    look.part("settings in force", desk::settings);
    if how.tables {
        look.part("tables", tables::look);
    }
    Ok(look.findings)
}

/// A look that is going on.
struct Look<'l> {
    log: &'l KafkaLog,
    config: &'l Config,
    clock: &'l dyn Clock,
    how: How,
    lookup: Box<dyn Lookup + Send>,
    findings: Vec<Finding>,
}

impl Look<'_> {
    /// One part of it. What cannot be found out is a problem by itself.
    fn part(&mut self, what: &str, look: impl FnOnce(&mut Look<'_>) -> Result<(), Unable>) {
        if let Err(error) = look(self) {
            let mend = match &error {
                Unable::Log(error) if error.kind == Kind::Fatal => {
                    "give this user Describe and DescribeConfigs on the topics, Describe on the groups, and Read on the \
                     topics of the service"
                }
                _ => "look at the brokers, then again",
            };
            self.problem(what, error.to_string(), mend);
        }
    }

    fn ok(&mut self, what: impl Into<String>, value: impl Into<String>) {
        self.add(Severity::Ok, what.into(), value.into(), None);
    }

    fn warn(&mut self, what: impl Into<String>, value: impl Into<String>, mend: impl Into<String>) {
        self.add(Severity::Warning, what.into(), value.into(), Some(mend.into()));
    }

    fn problem(&mut self, what: impl Into<String>, value: impl Into<String>, mend: impl Into<String>) {
        self.add(Severity::Problem, what.into(), value.into(), Some(mend.into()));
    }

    fn add(&mut self, severity: Severity, what: String, value: String, mend: Option<String>) {
        self.findings.push(Finding { severity, what, value, mend });
    }

    fn group(&self, suffix: &str) -> String {
        format!("{}-{suffix}", self.config.service.app)
    }

    /// The partitions of a topic; none if it is missing, which the topics' part says.
    fn partitions(&mut self, topic: &str) -> Result<Vec<Partition>, Unable> {
        let lookup = &mut self.lookup;
        let count = patiently(|| lookup.partitions(topic))?.unwrap_or(0);
        Ok((0..count).map(|number| Partition::new(topic, number)).collect())
    }

    /// The same of the inbox or the changelog: those that are used.
    fn used(&mut self, topic: &str) -> Result<Vec<Partition>, Unable> {
        let mut all = self.partitions(topic)?;
        let used = self.config.service.topics.used(u32::try_from(all.len()).unwrap_or(u32::MAX));
        all.truncate(used as usize);
        Ok(all)
    }
}
