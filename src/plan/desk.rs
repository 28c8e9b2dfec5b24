//! The desk: cores, partitions of the inbox, memory, and what the topics behind the scan take.

use super::basis::{Basis, cited};
use super::words::{bytes, fixed, number, plural, whole};
use super::{Need, Size, Unit, up};

/// Partitions of the inbox for each desk worker: their number is fixed once there is state, and each is read by one
/// worker.
const PARTITIONS_A_WORKER: f64 = 4.0;
/// Partitions of the inbox at least, as `topics create` makes them.
const PARTITIONS: f64 = 8.0;
/// How long a purchase may be pending: the window, and the slack behind it, as shipped; seconds.
const PENDING_SECONDS: f64 = 930.0;
/// Pendings of an account at most, as shipped.
const PENDINGS_OF_ONE: f64 = 5.0;
/// Marks in each partition of the inbox in a second.
const MARKS: f64 = 1.0;
/// Transactions of a partition in a second at most: each lasts 100 ms while there is work.
const TRANSACTIONS: f64 = 10.0;
/// A request changes its account when it comes and when it ends, and each of it is one event.
const STEPS: f64 = 2.0;

/// What the desk needs.
pub(super) struct Desk {
    /// Requests in a second: tweets with an offer's tag.
    requests: f64,
    /// Sightings in a second: requests and confirmations.
    pub sightings: f64,
    /// Messages in a second: an account tells the offer of each confirmation.
    messages: f64,
    /// Records in a second in the inbox that tweets have caused: sightings and messages.
    pub caused: f64,
    /// Marks in a second, in all partitions of the inbox.
    pub marks: f64,
    /// Cores that are busy.
    busy: f64,
    /// Workers: a thread on a core each.
    pub workers: f64,
    /// Partitions of the inbox.
    pub partitions: f64,
    /// Purchases that wait for their confirmation.
    pendings: f64,
    /// Memory of accounts and pendings.
    pub state: f64,
    /// Memory of all workers, with the state.
    memory: f64,
    /// Bytes in a second, those from the scan.
    scan_out: f64,
    /// Bytes in a second, all of them.
    pub inbox: f64,
    /// Partition records of the changelog in a second.
    partition_records: f64,
    /// Bytes in a second.
    pub changelog: f64,
    /// Bytes in a second, of `purchases` and `orders`.
    pub purchases: f64,
}

impl Desk {
    pub fn new(size: &Size, basis: &Basis) -> Desk {
        let requests = size.rate / size.one_in as f64;
        let messages = requests * basis.confirmed_share.value;
        let sightings = requests + messages;
        let caused = sightings + messages;
        let cores = |records: f64| records * basis.desk_record_us.value / 1e6;
        // There are as many marks as partitions, and more partitions for more workers.
        let partitions = |workers: f64| (workers * PARTITIONS_A_WORKER).max(PARTITIONS);
        let mut workers = 1.0;
        loop {
            let needed = up(cores(caused + partitions(workers) * MARKS) / size.core_share);
            // A mark costs far less than a worker has: the next step is the last but for absurd figures.
            if needed <= workers || workers >= 1e9 {
                break;
            }
            workers = needed;
        }
        let partitions = partitions(workers);
        let marks = partitions * MARKS;
        let records = caused + marks;
        let scan_out = sightings * basis.sighting_bytes.value + marks * basis.mark_bytes.value;
        let pendings = (requests * PENDING_SECONDS).min(size.accounts as f64 * PENDINGS_OF_ONE);
        let state = size.accounts as f64 * basis.account_bytes.value + pendings * basis.pending_bytes.value;
        let partition_records = records.min(partitions * TRANSACTIONS);
        Desk {
            requests,
            sightings,
            messages,
            caused,
            marks,
            busy: cores(records),
            workers,
            partitions,
            pendings,
            state,
            memory: workers * basis.desk_worker_bytes.value + state,
            scan_out,
            inbox: scan_out + messages * basis.message_bytes.value,
            partition_records,
            changelog: requests * STEPS * basis.changelog_account_bytes.value
                + messages * basis.changelog_offer_bytes.value
                + partition_records * basis.changelog_partition_bytes.value,
            purchases: requests * STEPS * basis.event_bytes.value + messages * basis.order_bytes.value,
        }
    }

    pub fn needs(&self, size: &Size, basis: &Basis) -> Vec<Need> {
        let mut needs = self.work(size, basis);
        needs.extend([self.memory(size, basis), self.scan_out(basis), self.inbox(basis)]);
        needs.extend([self.changelog(basis), self.purchases(basis)]);
        needs
    }

    fn work(&self, size: &Size, basis: &Basis) -> Vec<Need> {
        vec![
            Need {
                id: "sightings",
                what: "sightings",
                value: self.sightings,
                unit: Unit::PerSecond,
                step: format!(
                    "{}/s / {} = {} requests/s; and {} of them are confirmed",
                    number(size.rate),
                    whole(size.one_in as f64),
                    number(self.requests),
                    basis.confirmed_share.value
                ),
                basis: Some(basis.confirmed_share.cited()),
            },
            Need {
                id: "desk_workers",
                what: "cores for the desk",
                value: self.workers,
                unit: Unit::Count,
                step: format!(
                    "({} sightings/s + {} messages/s + {} marks/s) x {} µs = {} cores; / {} of each, rounded up",
                    number(self.sightings),
                    number(self.messages),
                    whole(self.marks),
                    number(basis.desk_record_us.value),
                    number(self.busy),
                    size.core_share
                ),
                basis: Some(format!(
                    "{} µs a record ({})",
                    number(basis.desk_record_us.value),
                    basis.desk_record_us.cited()
                )),
            },
            Need {
                id: "inbox_partitions",
                what: "inbox partitions",
                value: self.partitions,
                unit: Unit::Count,
                step: format!(
                    "{} for each of {}, at least {}: the number is fixed once there is state",
                    whole(PARTITIONS_A_WORKER),
                    plural(self.workers, "worker"),
                    whole(PARTITIONS)
                ),
                basis: None,
            },
        ]
    }

    fn memory(&self, size: &Size, basis: &Basis) -> Need {
        let (empty, account, pending) =
            (&basis.desk_worker_bytes, &basis.account_bytes, &basis.pending_bytes);
        Need {
            id: "desk_memory_bytes",
            what: "memory of the desk",
            value: self.memory,
            unit: Unit::Bytes,
            step: format!(
                "{} for {}, {} for {} accounts, {} for {} pendings ({} requests/s x {} s, at most {} an account)",
                bytes(self.workers * empty.value),
                plural(self.workers, "worker"),
                bytes(size.accounts as f64 * account.value),
                whole(size.accounts as f64),
                bytes(self.pendings * pending.value),
                whole(self.pendings),
                number(self.requests),
                whole(PENDING_SECONDS),
                whole(PENDINGS_OF_ONE)
            ),
            basis: Some(format!(
                "a worker {} ({}); an account {}, a pending {} ({})",
                bytes(empty.value),
                empty.cited(),
                bytes(account.value),
                bytes(pending.value),
                cited(&[account, pending])
            )),
        }
    }

    fn scan_out(&self, basis: &Basis) -> Need {
        let (sighting, mark) = (&basis.sighting_bytes, &basis.mark_bytes);
        Need {
            id: "scan_bytes_out",
            what: "network out of the scan",
            value: self.scan_out,
            unit: Unit::BytesPerSecond,
            step: format!(
                "{} sightings/s x {} + {} marks/s x {}",
                number(self.sightings),
                bytes(sighting.value),
                whole(self.marks),
                bytes(mark.value)
            ),
            basis: Some(cited(&[sighting, mark])),
        }
    }

    fn inbox(&self, basis: &Basis) -> Need {
        let message = &basis.message_bytes;
        Need {
            id: "inbox_bytes",
            what: "into inbox",
            value: self.inbox,
            unit: Unit::BytesPerSecond,
            step: format!(
                "{}/s of the scan + {} messages/s x {}: an account tells the offer of each confirmation",
                bytes(self.scan_out),
                number(self.messages),
                bytes(message.value)
            ),
            basis: Some(message.cited()),
        }
    }

    fn changelog(&self, basis: &Basis) -> Need {
        let (account, partition) = (&basis.changelog_account_bytes, &basis.changelog_partition_bytes);
        let offer = &basis.changelog_offer_bytes;
        Need {
            id: "changelog_bytes",
            what: "into desk-changelog",
            value: self.changelog,
            unit: Unit::BytesPerSecond,
            step: format!(
                "{} requests/s, which come and end, x {} + {} messages/s x {} + {} partition records/s x {}",
                number(self.requests),
                bytes(account.value),
                number(self.messages),
                bytes(offer.value),
                fixed(self.partition_records, 1),
                bytes(partition.value)
            ),
            basis: Some(cited(&[account, offer, partition])),
        }
    }

    fn purchases(&self, basis: &Basis) -> Need {
        let (event, order) = (&basis.event_bytes, &basis.order_bytes);
        Need {
            id: "purchases_bytes",
            what: "into purchases and orders",
            value: self.purchases,
            unit: Unit::BytesPerSecond,
            step: format!(
                "{} requests/s, two events each, x {} + {} orders/s x {}",
                number(self.requests),
                bytes(event.value),
                number(self.messages),
                bytes(order.value)
            ),
            basis: Some(cited(&[event, order])),
        }
    }
}
