//! `hashbuy check`: whether everything is as it has to be.

use std::time::Duration;

use clap::Args;
use serde_json::json;

use crate::command::columns::columns;
use crate::command::desk::{error, print};
use crate::command::run::connect;
use crate::command::settings::Settings;
use crate::command::{Error, tell};
use crate::operate::check::{Finding, How, Severity, look};
use crate::service::MachineClock;

/// Arguments of `check`.
#[derive(Debug, Args)]
#[command(after_help = "\
It only reads, and may run beside a live service at any time. Looked at are: each topic's settings, \
partitions and copies; who is in the groups; the desk's offsets against those of its changelog; the \
readers of the firehose and of the tables, and what they have left; transactions that hang; this \
machine's clock; the settings in force; and the records of the tables.

Each finding is ok, a warning or a problem, and says what to do.

Exit codes: 0 no problem (there may be warnings), 1 problems, or it failed; 2 wrong use or \
configuration.

Examples:
  hashbuy check --config hashbuy.toml
  hashbuy check --config hashbuy.toml --json --quick")]
pub struct Check {
    /// One JSON object rather than a table
    #[arg(long)]
    pub json: bool,
    /// A transaction that is open and does not move for so long hangs; longer than the brokers take
    /// to abort one that has timed out
    #[arg(long, value_name = "SECONDS", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub wait: u64,
    /// Leave out the records of the tables, which are read whole
    #[arg(long)]
    pub quick: bool,
    /// Its settings
    #[command(flatten)]
    pub settings: Settings,
}

/// Runs `hashbuy check`.
///
/// # Errors
/// How it ended, if not well.
pub fn run(check: &Check) -> Result<(), Error> {
    let config = check.settings.load()?;
    let log = connect(&config)?;
    let how = How { wait: Duration::from_secs(check.wait), tables: !check.quick };
    let findings = look(&log, &config, &MachineClock, how).map_err(error)?;
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let (problems, warnings) = (count(Severity::Problem), count(Severity::Warning));
    if check.json {
        let all = json!({"problems": problems, "warnings": warnings, "findings": findings});
        print(&format!("{all}\n"))?;
    } else {
        print(&shown(&findings))?;
        tell(format_args!("{problems} problems, {warnings} warnings, {} ok", count(Severity::Ok)));
    }
    if problems > 0 { Err(Error::Reported) } else { Ok(()) }
}

/// All findings, and below them what to do about those that need something.
fn shown(findings: &[Finding]) -> String {
    let mut numbered = 0;
    let (mut rows, mut mends) = (Vec::new(), String::new());
    for Finding { severity, what, value, mend } in findings {
        let mark = match mend {
            Some(mend) => {
                numbered += 1;
                mends += &format!("{numbered}) {what}: {mend}\n");
                format!("{numbered})")
            }
            None => String::new(),
        };
        rows.push(vec![severity.as_str().to_owned(), mark, what.clone(), value.clone()]);
    }
    let table = columns(&["", "", "what", "found"], &rows);
    if mends.is_empty() { table } else { format!("{table}\nWhat to do:\n{mends}") }
}
