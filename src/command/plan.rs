//! `hashbuy plan`: what a service of a size needs.

mod shown;

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde::Serialize;

use self::shown::text;
use crate::command::Error;
use crate::command::desk::print;
use crate::load::report::Report;
use crate::plan::{Basis, Compression, Plan as Planned, Size, plan};

/// Arguments of `plan`.
#[derive(Debug, Args)]
#[command(after_help = "\
It asks no broker. The figures that it goes by are those of the reference machine; with --report they \
are those of a machine of yours, as far as `hashbuy load run` has measured them there. Each line shows \
its sum and where its figures come from: measured, from the report, or assumed because nothing has \
measured them.

Exit codes: 0 done, 1 failed while running, 2 wrong use, or a report that is none.

Examples:
  hashbuy plan --rate 143199
  hashbuy plan --rate 1000000 --tweet-bytes 2900 --compression lz4 --accounts 10000000
  hashbuy plan --rate 5700 --report load-report/report.json --json")]
pub struct Plan {
    /// Tweets in a second
    #[arg(long, value_name = "N", value_parser = within::<1, 1_000_000_000>)]
    pub rate: f64,
    /// Bytes of a tweet's record, on average, before compression
    #[arg(long, value_name = "N", default_value = "2900", value_parser = within::<1, 10_000_000>)]
    pub tweet_bytes: f64,
    /// Offers in the table
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(0..=10_000_000))]
    pub offers: u64,
    /// Linked accounts
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(0..=10_000_000_000))]
    pub accounts: u64,
    /// One tweet in so many carries an offer's tag
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000_000_000))]
    pub one_in: u64,
    /// How the firehose is compressed in its topic
    #[arg(long, value_name = "HOW", value_enum, default_value_t = Codec::None)]
    pub compression: Codec,
    /// Copies of each partition
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=9))]
    pub replication: u32,
    /// How long the firehose is kept, in hours
    #[arg(long, value_name = "HOURS", default_value = "24", value_parser = within::<0, 100_000>)]
    pub retention_hours: f64,
    /// How much of a core is planned with; the rest is for peaks, and to catch up
    #[arg(long, value_name = "SHARE", default_value = "0.6", value_parser = share)]
    pub core_share: f64,
    /// Cores that one process may use
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub process_cores: u32,
    /// Network of a broker in each direction, in MB/s; 1250 are 10 Gbit/s
    #[arg(long, value_name = "MB", default_value = "1250", value_parser = within::<1, 1_000_000>)]
    pub broker_network: f64,
    /// What the disks of a broker write, in MB/s
    #[arg(long, value_name = "MB", default_value = "1000", value_parser = within::<1, 1_000_000>)]
    pub broker_writes: f64,
    /// What the disks of a broker hold, in GB
    #[arg(long, value_name = "GB", default_value = "8000", value_parser = within::<1, 10_000_000>)]
    pub broker_disk: f64,
    /// Go by a report.json of `hashbuy load run`, as far as it has the figures
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// One JSON object rather than a table
    #[arg(long)]
    pub json: bool,
}

/// How the records of a firehose are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Codec {
    /// They are not
    None,
    /// LZ4
    Lz4,
    /// Zstandard
    Zstd,
}

fn within<const LEAST: u64, const MOST: u64>(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if (LEAST as f64..=MOST as f64).contains(&value) => Ok(value),
        _ => Err(format!("must be a number from {LEAST} to {MOST}")),
    }
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if (0.01..=1.0).contains(&share) => Ok(share),
        _ => Err("must be a number from 0.01 to 1, such as 0.6".to_owned()),
    }
}

/// The object that `--json` prints.
#[derive(Serialize)]
struct Object<'p> {
    size: &'p Size,
    #[serde(flatten)]
    plan: &'p Planned,
    basis: &'p Basis,
}

/// Runs `hashbuy plan`.
///
/// # Errors
/// How it ended, if not well.
pub fn run(args: &Plan) -> Result<(), Error> {
    let size = args.size();
    let basis = args.report.as_deref().map_or(Ok(Basis::default()), basis_of)?;
    let plan = plan(&size, &basis);
    if !args.json {
        return print(&text(&size, &basis, &plan));
    }
    let object = serde_json::to_string(&Object { size: &size, plan: &plan, basis: &basis });
    print(&(object.map_err(Error::failed)? + "\n"))
}

impl Plan {
    fn size(&self) -> Size {
        Size {
            rate: self.rate,
            tweet_bytes: self.tweet_bytes,
            offers: self.offers,
            accounts: self.accounts,
            one_in: self.one_in,
            compression: match self.compression {
                Codec::None => Compression::None,
                Codec::Lz4 => Compression::Lz4,
                Codec::Zstd => Compression::Zstd,
            },
            replication: self.replication,
            retention_hours: self.retention_hours,
            core_share: self.core_share,
            process_cores: self.process_cores,
            broker_network_mb: self.broker_network,
            broker_writes_mb: self.broker_writes,
            broker_disk_gb: self.broker_disk,
        }
    }
}

/// The figures of a report, and those of the reference machine for the rest.
fn basis_of(path: &Path) -> Result<Basis, Error> {
    const MEND: &str = "give the report.json that `hashbuy load run --out FOLDER` writes";
    let file = path.display();
    let wrong = |what: String| Error::Usage(format!("--report {file}: {what}; {MEND}"));
    let bytes = fs::read(path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
    let report: Report = serde_json::from_slice(&bytes)
        .map_err(|error| wrong(format!("is no report of a load run: {error}")))?;
    let mut basis = Basis::default();
    if report.put_into(&mut basis) {
        Ok(basis)
    } else {
        Err(wrong("has no figure that a plan goes by".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use clap::Parser as _;

    use super::*;
    use crate::cli::{Cli, Command};

    fn parsed(more: &[&str]) -> Result<Plan, String> {
        let all = ["hashbuy", "plan"].iter().chain(more);
        match Cli::try_parse_from(all).map_err(|error| error.to_string())?.command {
            Command::Plan(plan) => Ok(plan),
            _ => panic!("another command"),
        }
    }

    #[test]
    fn the_defaults_are_those_of_the_model() {
        assert_eq!(parsed(&["--rate", "143199"]).unwrap().size(), Size::default());
    }

    #[test]
    fn wrong_arguments_name_flag_value_and_range() {
        for (flag, value, mend) in [
            ("--rate", "0", "from 1 to"),
            ("--rate", "fast", "must be a number"),
            ("--rate", "NaN", "must be a number"),
            ("--rate", "inf", "must be a number"),
            ("--tweet-bytes", "-5", "from 1 to"),
            ("--core-share", "60", "such as 0.6"),
            ("--one-in", "0", "1.."),
            ("--replication", "0", "1..="),
            ("--compression", "gzip", "none, lz4, zstd"),
        ] {
            let rate: &[&str] = if flag == "--rate" { &[] } else { &["--rate", "5700"] };
            let given = format!("{flag}={value}");
            let message = parsed(&[rate, &[given.as_str()]].concat()).unwrap_err();
            for part in [flag, value, mend] {
                assert!(message.contains(part), "{flag} {value}: {message}");
            }
        }
        assert!(parsed(&[]).unwrap_err().contains("--rate"));
    }

    #[test]
    fn a_report_that_is_none_is_wrong_use() {
        let folder = std::env::temp_dir().join(format!("hashbuy-plan-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let nothing =
            r#"{"began_at":"","seconds":1,"machine":{},"settings":{},"throughput":[],"latency":[]}"#;
        for (name, content, says) in [
            ("missing.json", None, "cannot be read"),
            ("words.json", Some("no JSON"), "is no report"),
            ("other.json", Some("{}"), "is no report"),
            ("nothing.json", Some(nothing), "no figure"),
        ] {
            let path = folder.join(name);
            if let Some(content) = content {
                fs::File::create(&path).unwrap().write_all(content.as_bytes()).unwrap();
            }
            let Err(Error::Usage(message)) = basis_of(&path) else { panic!("{name} is taken") };
            for part in ["--report", name, says, "hashbuy load run"] {
                assert!(message.contains(part), "{message}");
            }
        }
        fs::remove_dir_all(&folder).unwrap();
    }
}
