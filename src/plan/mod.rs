//! What a service of a size needs: cores, partitions, memory, network, brokers; and what is full first as it grows.
//!
//! ```text
//!  Size: rate, bytes, offers, accounts ... ──┐
//!                                            ├──► Plan: what is needed, each with the step of its sum and its basis;
//!  Basis: what was measured ─────────────────┘          limits, the nearest first
//!    ▲ the reference machine, or a report of `hashbuy load run`
//! ```
//!
//! Sums over measured figures and nothing else: the same size and the same basis give the same plan.
//!
//! | module | what |
//! | --- | --- |
//! | [`basis`] | the figures, with their units and where they come from |
//! | `reported` | those that a report has |
//! | `scan`, `desk`, `brokers` | the sums, a part each |
//! | `limits` | the rates at which what is planned is full |
//!
//! What is left out: the tables are taken as read and steady; offers with a stock cost the desk two messages more for a
//! confirmation; and nothing is added for a machine that is away beyond the share of a core that is kept free.

pub mod basis;
mod brokers;
mod desk;
mod limits;
mod reported;
mod scan;
#[cfg(test)]
mod tests;

use serde::{Serialize, Serializer};

pub use basis::{Basis, Figure, Origin};
pub use limits::Limit;

/// What there is to be done, and with which machines.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Size {
    /// Tweets in a second; above 0.
    pub rate: f64,
    /// Bytes of a tweet's record, on average, before compression; above 0.
    pub tweet_bytes: f64,
    /// Offers in the table.
    pub offers: u64,
    /// Linked accounts.
    pub accounts: u64,
    /// One tweet in so many carries an offer's tag; at least 1.
    pub one_in: u64,
    /// How the records of the firehose are compressed in their topic.
    pub compression: Compression,
    /// Copies of each partition; at least 1.
    pub replication: u32,
    /// How long the firehose is kept, in hours; at least 0.
    pub retention_hours: f64,
    /// How much of a core is planned with; above 0, at most 1.
    pub core_share: f64,
    /// Cores that one process may use; at least 1.
    pub process_cores: u32,
    /// Network of a broker in each direction, in megabytes a second; above 0.
    pub broker_network_mb: f64,
    /// What the disks of a broker write, in megabytes a second; above 0.
    pub broker_writes_mb: f64,
    /// What the disks of a broker hold, in gigabytes; above 0.
    pub broker_disk_gb: f64,
}

impl Default for Size {
    /// The record of 2013: 143,199 tweets in a second.
    fn default() -> Size {
        Size {
            rate: 143_199.0,
            tweet_bytes: 2_900.0,
            offers: 1_000,
            accounts: 1_000_000,
            one_in: 100_000,
            compression: Compression::None,
            replication: 3,
            retention_hours: 24.0,
            core_share: 0.6,
            process_cores: 8,
            broker_network_mb: 1_250.0,
            broker_writes_mb: 1_000.0,
            broker_disk_gb: 8_000.0,
        }
    }
}

/// How records are compressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// They are not.
    #[default]
    None,
    /// LZ4.
    Lz4,
    /// Zstandard.
    Zstd,
}

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Unit {
    /// Things, whole.
    #[serde(rename = "")]
    Count,
    /// Cores that are busy, not whole.
    #[serde(rename = "cores")]
    Cores,
    /// Bytes.
    #[serde(rename = "bytes")]
    Bytes,
    /// Bytes in a second.
    #[serde(rename = "bytes/s")]
    BytesPerSecond,
    /// Tweets, records or purchases in a second.
    #[serde(rename = "/s")]
    PerSecond,
}

/// One line of a plan.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Need {
    /// Its name in JSON; it stays the same from release to release.
    #[serde(skip)]
    pub id: &'static str,
    /// What it is, in words.
    pub what: &'static str,
    /// How much.
    pub value: f64,
    /// Of what.
    pub unit: Unit,
    /// How it was worked out, with the numbers.
    pub step: String,
    /// What was measured that it goes by, with the sources; none if it follows from other lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub basis: Option<String>,
}

/// What is needed, and how far it goes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// What is needed, the scan first.
    #[serde(serialize_with = "by_id")]
    pub needs: Vec<Need>,
    /// The rates at which what is planned is full, the lowest first; never empty.
    pub limits: Vec<Limit>,
}

fn by_id<S: Serializer>(needs: &[Need], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(needs.iter().map(|need| (need.id, need)))
}

/// Plans a service.
///
/// The numbers of `size` are to be in their ranges; outside of them the plan means nothing, but there is one.
pub fn plan(size: &Size, basis: &Basis) -> Plan {
    let scan = scan::Scan::new(size, basis);
    let desk = desk::Desk::new(size, basis);
    let brokers = brokers::Brokers::new(size, basis, &scan, &desk);
    let mut needs = scan.needs(size, basis);
    needs.extend(desk.needs(size, basis));
    needs.extend(processes(size, &scan, &desk, basis));
    needs.extend(brokers.needs(size, basis));
    Plan { needs, limits: limits::limits(size, basis, &scan, &desk, &brokers) }
}

impl Plan {
    /// The value of a line by its name.
    pub fn value(&self, id: &str) -> Option<f64> {
        self.needs.iter().find(|need| need.id == id).map(|need| need.value)
    }
}

/// At least so many processes, so that one of them may go.
const PROCESSES: f64 = 2.0;

/// Both stages run in each process, each with at least one worker.
fn processes(size: &Size, scan: &scan::Scan, desk: &desk::Desk, basis: &Basis) -> Vec<Need> {
    use words::{bytes, plural, whole};
    let cores = f64::from(size.process_cores);
    let count = up((scan.workers + desk.workers) / cores).max(PROCESSES);
    let [scans, desks] = [scan.workers, desk.workers].map(|workers| up(workers / count));
    let empty = basis.desk_worker_bytes.value;
    let of_desk = desks * empty + desk.state / (count - 1.0);
    let need = |id, what, value, unit, step| Need { id, what, value, unit, step, basis: None };
    let each = |workers| format!("{} in {} processes", plural(workers, "worker"), whole(count));
    vec![
        need(
            "processes",
            "processes",
            count,
            Unit::Count,
            format!(
                "({} + {} workers) / {} of a process, rounded up; at least {}, so that one may go",
                whole(scan.workers),
                whole(desk.workers),
                plural(cores, "core"),
                whole(PROCESSES)
            ),
        ),
        need("process_scan_workers", "scan.workers of each", scans, Unit::Count, each(scan.workers)),
        need("process_desk_workers", "desk.workers of each", desks, Unit::Count, each(desk.workers)),
        need(
            "process_memory_bytes",
            "memory of a process",
            scans * scan.worker_memory + of_desk,
            Unit::Bytes,
            format!(
                "{} for the scan x {}, {} for the desk x {}, and of the desk's state {} / {}: one process is away",
                whole(scans),
                bytes(scan.worker_memory),
                whole(desks),
                bytes(empty),
                bytes(desk.state),
                whole(count - 1.0)
            ),
        ),
    ]
}

/// To the next whole number. What is above one by an error of floating point alone is not another.
fn up(value: f64) -> f64 {
    (value - 1e-9).ceil()
}

/// Numbers with their units, for the steps of the sums.
mod words {
    pub(super) use crate::load::report::numbers::{fixed, whole};

    /// `1.7`, `12.3`, `143,199`: three digits, or all before the point.
    pub fn number(value: f64) -> String {
        let digits = match value.abs() {
            size if size >= 100.0 => 0,
            size if size >= 10.0 => 1,
            size if size >= 1.0 => 2,
            size if size >= 0.1 => 3,
            _ => 5,
        };
        let text = fixed(value, digits);
        let is_cut = text.contains('.');
        if is_cut { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
    }

    /// `600 bytes`, `15.6 MB`, `107 TB`.
    pub fn bytes(value: f64) -> String {
        const UNITS: [(f64, &str); 4] = [(1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "KB")];
        match UNITS.iter().find(|(size, _)| value >= *size) {
            Some((size, unit)) => format!("{} {unit}", number(value / size)),
            None if value < 10.0 => format!("{} bytes", fixed(value, 1)),
            None => format!("{} bytes", number(value)),
        }
    }

    /// `1 worker`, `2 workers`.
    pub fn plural(count: f64, one: &str) -> String {
        format!("{} {one}{}", whole(count), if count == 1.0 { "" } else { "s" })
    }
}

impl Unit {
    /// A value of it in words: `143,199/s`, `15.6 MB`.
    pub fn words(self, value: f64) -> String {
        match self {
            Unit::Count => words::whole(value),
            Unit::Cores => words::number(value),
            Unit::Bytes => words::bytes(value),
            Unit::BytesPerSecond => format!("{}/s", words::bytes(value)),
            Unit::PerSecond => format!("{}/s", words::number(value)),
        }
    }
}
