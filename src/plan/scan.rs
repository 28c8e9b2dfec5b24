//! The scan: cores, partitions of the firehose, memory, network.

use super::basis::{Basis, Figure, cited};
use super::words::{bytes, number, plural, whole};
use super::{Compression, Need, Size, Unit, up};

/// Partitions of the firehose for each scan worker, so that there may be as many workers again.
const PARTITIONS_A_WORKER: f64 = 2.0;
/// Partitions of the firehose at least.
const PARTITIONS: f64 = 4.0;

/// What the scan needs.
pub(super) struct Scan {
    /// What a tweet costs, matches among them, in microseconds of a core.
    pub tweet_us: f64,
    /// Cores that are busy.
    pub busy: f64,
    /// Workers: a thread on a core each.
    pub workers: f64,
    /// Partitions of the firehose.
    pub partitions: f64,
    /// Bytes in a second that come in.
    pub bytes_in: f64,
    /// Memory of a worker.
    pub worker_memory: f64,
    /// Memory of all workers.
    memory: f64,
}

impl Scan {
    pub fn new(size: &Size, basis: &Basis) -> Scan {
        let (factor, ratio) = compression(size, basis);
        let value = |figure: Option<&Figure>| figure.map_or(1.0, |figure| figure.value);
        let plain = basis.plain_tweet_us(size.tweet_bytes) * value(factor);
        let tweet_us = plain + basis.match_us.value / size.one_in as f64;
        let busy = size.rate * tweet_us / 1e6;
        let workers = up(busy / size.core_share).max(1.0);
        let worker_memory = basis.scan_worker_bytes.value
            + size.accounts as f64 * basis.linked_id_bytes.value
            + size.offers as f64 * basis.offer_bytes.value;
        Scan {
            tweet_us,
            busy,
            workers,
            partitions: (workers * PARTITIONS_A_WORKER).max(PARTITIONS),
            bytes_in: size.rate * size.tweet_bytes * value(ratio),
            worker_memory,
            memory: worker_memory * workers,
        }
    }

    pub fn needs(&self, size: &Size, basis: &Basis) -> Vec<Need> {
        vec![
            self.busy(size, basis),
            Need {
                id: "scan_workers",
                what: "cores for the scan",
                value: self.workers,
                unit: Unit::Count,
                step: format!(
                    "{} cores / {} of each, rounded up: so many workers, a thread on a core each",
                    number(self.busy),
                    size.core_share
                ),
                basis: None,
            },
            Need {
                id: "firehose_partitions",
                what: "firehose partitions",
                value: self.partitions,
                unit: Unit::Count,
                step: format!(
                    "{} for each of {}, since one reads a partition alone; at least {}",
                    whole(PARTITIONS_A_WORKER),
                    plural(self.workers, "worker"),
                    whole(PARTITIONS)
                ),
                basis: None,
            },
            self.memory(size, basis),
            self.bytes_in(size, basis),
        ]
    }

    fn busy(&self, size: &Size, basis: &Basis) -> Need {
        let (fixed, kb) = (&basis.tweet_fixed_us, &basis.tweet_kb_us);
        let mut of = vec![fixed, kb, &basis.match_us];
        let mut sum = format!("{} + {} a KB", number(fixed.value), number(kb.value));
        if let (Some(factor), _) = compression(size, basis) {
            sum = format!("({sum}) x {}", number(factor.value));
            of.push(factor);
        }
        let each = number(self.tweet_us);
        Need {
            id: "scan_busy_cores",
            what: "cores busy with the scan",
            value: self.busy,
            unit: Unit::Cores,
            step: format!("{}/s x {each} µs", number(size.rate)),
            basis: Some(format!(
                "{each} µs a tweet of {} bytes: {sum}, and {} a match, 1 in {} ({})",
                whole(size.tweet_bytes),
                number(basis.match_us.value),
                whole(size.one_in as f64),
                cited(&of)
            )),
        }
    }

    fn memory(&self, size: &Size, basis: &Basis) -> Need {
        let (linked, offer, empty) = (&basis.linked_id_bytes, &basis.offer_bytes, &basis.scan_worker_bytes);
        Need {
            id: "scan_memory_bytes",
            what: "memory of the scan",
            value: self.memory,
            unit: Unit::Bytes,
            step: format!(
                "{} a worker x {}; of it {} for {} linked ids and {} for {} offers",
                bytes(self.worker_memory),
                whole(self.workers),
                bytes(size.accounts as f64 * linked.value),
                whole(size.accounts as f64),
                bytes(size.offers as f64 * offer.value),
                whole(size.offers as f64)
            ),
            basis: Some(format!(
                "a worker {} ({}); a linked id {} ({}); an offer {} ({})",
                bytes(empty.value),
                empty.cited(),
                bytes(linked.value),
                linked.cited(),
                bytes(offer.value),
                offer.cited()
            )),
        }
    }

    fn bytes_in(&self, size: &Size, basis: &Basis) -> Need {
        let (_, ratio) = compression(size, basis);
        let times = ratio.map_or(String::new(), |ratio| format!(" x {}", number(ratio.value)));
        Need {
            id: "scan_bytes_in",
            what: "network into the scan",
            value: self.bytes_in,
            unit: Unit::BytesPerSecond,
            step: format!("{}/s x {} bytes{times}", number(size.rate), whole(size.tweet_bytes)),
            basis: ratio.map(|ratio| {
                format!("{} of the bytes are left in the topic ({})", number(ratio.value), ratio.cited())
            }),
        }
    }
}

/// The figures of a compression: what a tweet costs over one that is not compressed, and its bytes over those.
fn compression<'b>(size: &Size, basis: &'b Basis) -> (Option<&'b Figure>, Option<&'b Figure>) {
    match size.compression {
        Compression::None => (None, None),
        Compression::Lz4 => (Some(&basis.lz4_factor), Some(&basis.lz4_ratio)),
        Compression::Zstd => (Some(&basis.zstd_factor), Some(&basis.zstd_ratio)),
    }
}
