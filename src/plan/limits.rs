//! The rates at which what is planned is full, with nothing kept free.

use serde::Serialize;

use super::Size;
use super::basis::Basis;
use super::brokers::Brokers;
use super::desk::Desk;
use super::scan::Scan;
use super::words::{number, plural, whole};

/// Something that ends the growth of a service as it is planned.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Limit {
    /// Its name in JSON; it stays the same from release to release.
    pub id: &'static str,
    /// What is full, in words.
    pub what: &'static str,
    /// The rate at which it is, in tweets a second.
    pub rate: f64,
    /// That rate over the one that is planned.
    pub times: f64,
    /// How it was worked out.
    pub step: String,
    /// What to do before.
    pub then: &'static str,
}

/// All of them, the nearest first.
pub(super) fn limits(size: &Size, basis: &Basis, scan: &Scan, desk: &Desk, brokers: &Brokers) -> Vec<Limit> {
    let mut all: Vec<Limit> = of_scan(scan).into_iter().chain(of_desk(size, basis, desk)).collect();
    all.extend(of_brokers(size, brokers));
    for limit in &mut all {
        limit.times = limit.rate / size.rate;
    }
    // What is not used is never full.
    all.retain(|limit| limit.rate.is_finite());
    // The sort is stable: of two that are alike the one that is cheaper to mend comes first.
    all.sort_by(|a, b| a.rate.total_cmp(&b.rate));
    all
}

fn of_scan(scan: &Scan) -> [Limit; 2] {
    let each = 1e6 / scan.tweet_us;
    let step = |count: f64, what: &str| format!("{} x {}/s of a core", plural(count, what), number(each));
    [
        limit(
            "scan_workers",
            "the cores of the scan",
            scan.workers * each,
            step(scan.workers, "worker"),
            "more scan workers, up to one for each firehose partition",
        ),
        limit(
            "firehose_partitions",
            "the firehose partitions",
            scan.partitions * each,
            step(scan.partitions, "partition"),
            "more partitions of the firehose; their number may be raised at any time",
        ),
    ]
}

fn of_desk(size: &Size, basis: &Basis, desk: &Desk) -> [Limit; 2] {
    let each = 1e6 / basis.desk_record_us.value;
    let marks = desk.marks;
    let tweets = size.rate / desk.caused;
    // Nothing is left for tweets where marks take all.
    let rate = |count: f64| (count * each - marks).max(0.0) * tweets;
    let step = |count: f64, what: &str| {
        format!(
            "({} x {}/s of a core - {} marks/s) x {} tweets a record",
            plural(count, what),
            number(each),
            whole(marks),
            whole(tweets)
        )
    };
    [
        limit(
            "desk_workers",
            "the cores of the desk",
            rate(desk.workers),
            step(desk.workers, "worker"),
            "more desk workers, up to one for each inbox partition",
        ),
        limit(
            "inbox_partitions",
            "the inbox partitions",
            rate(desk.partitions),
            step(desk.partitions, "partition"),
            "desk export and import, into more partitions",
        ),
    ]
}

fn of_brokers(size: &Size, brokers: &Brokers) -> [Limit; 3] {
    let [network, writes, disk] = brokers.times(size);
    let step = |of: String| format!("{} x {of}, over what is planned of it", plural(brokers.count, "broker"));
    let rate = |times: f64| times * size.rate;
    [
        limit(
            "broker_network",
            "the brokers' network",
            rate(network),
            step(format!("{} MB/s", number(size.broker_network_mb))),
            "more brokers, or compress the firehose",
        ),
        limit(
            "broker_writes",
            "the brokers' writes",
            rate(writes),
            step(format!("{} MB/s", number(size.broker_writes_mb))),
            "more brokers or disks, or compress the firehose",
        ),
        limit(
            "broker_disk",
            "the brokers' disks",
            rate(disk),
            step(format!("{} GB", number(size.broker_disk_gb))),
            "keep the firehose for less long, more disks, or compress it",
        ),
    ]
}

fn limit(id: &'static str, what: &'static str, rate: f64, step: String, then: &'static str) -> Limit {
    Limit { id, what, rate, times: 0.0, step, then }
}
