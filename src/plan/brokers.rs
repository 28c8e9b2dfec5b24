//! The brokers: how many, by each of what they have.

use super::basis::{Basis, cited};
use super::desk::Desk;
use super::scan::Scan;
use super::words::{bytes, number, whole};
use super::{Need, Size, Unit, up};

/// Bytes of a gigabyte, and of a megabyte.
const GB: f64 = 1e9;
const MB: f64 = 1e6;
/// Seconds of an hour.
const HOUR: f64 = 3_600.0;

/// What the brokers need.
pub(super) struct Brokers {
    /// Bytes in a second that are written, before they are copied.
    pub written: f64,
    /// The same with all copies.
    pub copied: f64,
    /// Bytes of the firehose on all disks.
    pub stored: f64,
    by_network: f64,
    by_writes: f64,
    by_disk: f64,
    /// How many there are.
    pub count: f64,
    /// Cores of all of them that are busy.
    cores: f64,
}

impl Brokers {
    pub fn new(size: &Size, basis: &Basis, scan: &Scan, desk: &Desk) -> Brokers {
        let copies = f64::from(size.replication);
        let written = scan.bytes_in + desk.inbox + desk.changelog + desk.purchases;
        let copied = written * copies;
        let stored = scan.bytes_in * size.retention_hours * HOUR * copies;
        let speed = basis.broker_speed_share.value;
        // What comes in is each copy. What goes out is each copy but the first, and what is read once.
        let by_network = up(copied / (size.broker_network_mb * MB * speed));
        let by_writes = up(copied / (size.broker_writes_mb * MB * speed));
        let by_disk = up(stored / (size.broker_disk_gb * GB * basis.broker_disk_share.value));
        Brokers {
            written,
            copied,
            stored,
            by_network,
            by_writes,
            by_disk,
            count: by_network.max(by_writes).max(by_disk).max(copies),
            cores: 2.0 * copied / (basis.broker_core_mb.value * MB),
        }
    }

    pub fn needs(&self, size: &Size, basis: &Basis) -> Vec<Need> {
        let mut needs = self.each(size, basis);
        needs.push(Need {
            id: "brokers",
            what: "brokers",
            value: self.count,
            unit: Unit::Count,
            step: format!(
                "the most of {} by network, {} by writes, {} by disk, and {} for the copies",
                whole(self.by_network),
                whole(self.by_writes),
                whole(self.by_disk),
                size.replication
            ),
            basis: None,
        });
        needs.push(Need {
            id: "broker_busy_cores",
            what: "cores busy in all brokers",
            value: self.cores,
            unit: Unit::Cores,
            step: format!(
                "{}/s in and as much out / {} MB/s of a core",
                bytes(self.copied),
                number(basis.broker_core_mb.value)
            ),
            basis: Some(basis.broker_core_mb.cited()),
        });
        needs
    }

    fn each(&self, size: &Size, basis: &Basis) -> Vec<Need> {
        let speed = &basis.broker_speed_share;
        let rate = |value: f64| format!("{}/s", bytes(value * MB));
        let need = |id, what, value, step, basis| Need { id, what, value, unit: Unit::Count, step, basis };
        vec![
            need(
                "brokers_by_network",
                "brokers, by network",
                self.by_network,
                format!(
                    "{}/s x {} copies = {}/s in, and with one reader as much out; / {} of {} each",
                    bytes(self.written),
                    size.replication,
                    bytes(self.copied),
                    speed.value,
                    rate(size.broker_network_mb)
                ),
                Some(speed.cited()),
            ),
            need(
                "brokers_by_writes",
                "brokers, by writes",
                self.by_writes,
                format!(
                    "{}/s to disk / {} of {} each",
                    bytes(self.copied),
                    speed.value,
                    rate(size.broker_writes_mb)
                ),
                Some(speed.cited()),
            ),
            need(
                "brokers_by_disk",
                "brokers, by disk",
                self.by_disk,
                format!(
                    "{} h of the firehose x {} copies = {}; / {} of {} each",
                    size.retention_hours,
                    size.replication,
                    bytes(self.stored),
                    basis.broker_disk_share.value,
                    bytes(size.broker_disk_gb * GB)
                ),
                Some(cited(&[&basis.broker_disk_share])),
            ),
        ]
    }

    /// How many times what is planned the network, the disks' speed and the disks' room take when nothing is kept free;
    /// infinite if nothing of it is used.
    pub fn times(&self, size: &Size) -> [f64; 3] {
        [
            self.count * size.broker_network_mb * MB / self.copied,
            self.count * size.broker_writes_mb * MB / self.copied,
            self.count * size.broker_disk_gb * GB / self.stored,
        ]
    }
}
