//! The transaction of a desk worker: from its first record to its commit, its abort, or the doubt about it.

use std::collections::BTreeSet;
use std::time::Instant;

use super::topics::Cause;
use super::{Arrived, COMMIT_AFTER, COMMIT_RECORDS, DeskWorker, Open};
use crate::core::desk::{Effects, Output};
use crate::core::time::Time;
use crate::log::{Error, Kind, NewRecord};
use crate::metrics::AbortCause;
use crate::worker::{Stop, passes};

impl DeskWorker {
    /// Makes sure that a transaction is open, and that the partition is in it. False if it had to be given
    /// up.
    pub(super) fn begin(&mut self, number: u32) -> Result<bool, Stop> {
        if let Some(open) = &mut self.open {
            open.touched.insert(number);
            return Ok(true);
        }
        // After the poll, before the first record: the broker will refuse the offsets if the group has gone
        // on without us since.
        let standing = match self.member.standing() {
            // Between two generations: what has come is read again when the group has met.
            Err(error) if passes(&error) => {
                self.arrived.clear();
                return self.read_again().map(|()| false);
            }
            standing => standing?,
        };
        let Some(transactions) = &mut self.transactions else {
            // What has come is lost on us: it is read again, from where the state ends, once there is a producer.
            self.arrived.clear();
            self.parts.values_mut().for_each(|part| part.stands = true);
            return Ok(false);
        };
        match transactions.begin() {
            Ok(()) => {
                let touched = BTreeSet::from([number]);
                let now = self.clock.now();
                self.open = Some(Open { standing, now, touched, records: 0, urgent: false });
                Ok(true)
            }
            Err(error) => self.recover(&error).map(|()| false),
        }
    }

    /// Writes what a step has led to into the open transaction. False if it had to be given up.
    pub(super) fn perform(&mut self, effects: Effects, arrived: &Arrived) -> Result<bool, Stop> {
        let mut records = Vec::new();
        let now = self.open.as_ref().map_or(Time::ZERO, |open| open.now);
        let mut urgent = false;
        let (partition, offset) = (arrived.partition, arrived.offset);
        let cause = Cause { app: &self.options.app, now, partition, offset };
        let done = &mut self.done.open;
        for output in effects.outputs {
            match output {
                Output::Event(event) => {
                    records.push(self.topics.event(&event, &self.topics.purchases, &cause));
                    if let Some(tweet) = event.tweet() {
                        done.caused.push((Time::of_tweet_id(tweet.get()), arrived.timestamp));
                    }
                    done.events.push(event);
                }
                Output::Order(event) => {
                    records.push(self.topics.event(&event, &self.topics.orders, &cause));
                    done.events.push(event);
                }
                Output::Send(message) => {
                    urgent = true;
                    records.extend(self.topics.inbox.inbox_records(&message));
                }
            }
        }
        done.nothing.add(&effects.tally);
        done.lockouts.extend(effects.lockouts);
        done.confirm_times.extend(effects.confirm_times);
        if let Some(open) = &mut self.open {
            open.urgent |= urgent;
        }
        self.send(&records)
    }

    fn send(&mut self, records: &[NewRecord]) -> Result<bool, Stop> {
        let Some(transactions) = &mut self.transactions else { return Ok(false) };
        match records.iter().try_for_each(|record| transactions.send(record)) {
            Ok(()) => Ok(true),
            Err(error) => self.not_sent(&error).map(|()| false),
        }
    }

    /// Gives up the open transaction, a record of which could not be sent.
    fn not_sent(&mut self, error: &Error) -> Result<(), Stop> {
        match error.kind {
            Kind::Abort | Kind::Retry => {
                self.troubles.failed(error, self.clock.now());
                self.abort(AbortCause::Delivery)
            }
            _ => self.recover(error),
        }
    }

    /// Whether the open transaction is to be committed now.
    pub(super) fn is_due(&self, was_empty: bool) -> bool {
        self.open.as_ref().is_some_and(|open| {
            was_empty
                || open.urgent && self.arrived.is_empty()
                || open.records >= COMMIT_RECORDS
                || self.clock.now().since(open.now) >= COMMIT_AFTER
        })
    }

    /// Commits the open transaction, if there is one. False if it was not.
    pub(super) fn commit(&mut self) -> Result<bool, Stop> {
        let Some(open) = &self.open else { return Ok(true) };
        let touched = open.touched.clone();
        let mut offsets = Vec::new();
        for &number in &touched {
            let Some(transactions) = &mut self.transactions else { return Ok(false) };
            let Some(part) = self.parts.get_mut(&number) else {
                return self.abort(AbortCause::Revoked).map(|()| false);
            };
            let partition = self.topics.changelog.partition(number);
            // One record for all of them, one after the other: they are large.
            let mut record = NewRecord { partition, key: None, value: None, headers: Vec::new() };
            let sent = part.desk.write_changes(part.read, |key, value| {
                copy(&mut record.key, Some(key.as_bytes()));
                copy(&mut record.value, value);
                transactions.send(&record)
            });
            offsets.push((self.topics.inbox.partition(number), part.read));
            if let Err(error) = sent {
                return self.not_sent(&error).map(|()| false);
            }
        }
        let (Some(transactions), Some(open)) = (&mut self.transactions, &self.open) else { return Ok(false) };
        let (begun, began_at) = (open.now, Instant::now());
        match transactions.commit(&offsets, &open.standing) {
            Ok(()) => {
                self.committed(&touched, began_at);
                self.check_times(begun).map(|()| true)
            }
            Err(error) if matches!(error.kind, Kind::Abort | Kind::Refused) => {
                let refused = error.kind == Kind::Refused;
                self.troubles.failed(&error, self.clock.now());
                self.abort(if refused { AbortCause::Refused } else { AbortCause::Delivery }).map(|()| false)
            }
            Err(error) => self.recover(&error).map(|()| false),
        }
    }

    fn committed(&mut self, touched: &BTreeSet<u32>, began_at: Instant) {
        for number in touched {
            self.failing.remove(number);
            if let Some(part) = self.parts.get_mut(number) {
                let units = part.desk.changed_units();
                if !units.is_empty() {
                    self.done.units.push((*number, units));
                }
                part.desk.commit();
                part.next = part.read;
            }
        }
        self.open = None;
        self.went_well();
        self.done.committed(self.clock.now(), began_at.elapsed());
    }

    /// Aborts the open transaction; everything in it is read again.
    pub(super) fn abort(&mut self, cause: AbortCause) -> Result<(), Stop> {
        let Some(transactions) = &mut self.transactions else { return Ok(()) };
        if let Err(error) = transactions.abort() {
            return self.recover_from(&error, cause);
        }
        self.forget_open(cause);
        self.read_again()
    }

    /// Goes back to what is committed, in all partitions: whatever was read beyond is read again.
    pub(super) fn read_again(&mut self) -> Result<(), Stop> {
        let numbers: Vec<u32> = self.parts.keys().copied().collect();
        for number in numbers {
            if self.leaving.contains(&number) {
                continue;
            }
            if let Some(part) = self.parts.get_mut(&number) {
                part.read = part.next;
            }
            self.start(number)?;
        }
        Ok(())
    }

    pub(super) fn forget_open(&mut self, cause: AbortCause) {
        if let Some(open) = self.open.take() {
            self.done.aborted(cause);
            self.failing.extend(open.touched);
        }
        self.arrived.clear();
        for part in self.parts.values_mut() {
            part.desk.abort();
            part.read = part.next;
            part.ahead_of = part.desk.partition().settings.is_none().then_some(part.next);
        }
    }
}

/// Puts a copy of a text where another one was.
fn copy(into: &mut Option<Vec<u8>>, from: Option<&[u8]>) {
    match from {
        Some(from) => {
            let into = into.get_or_insert_default();
            into.clear();
            into.extend_from_slice(from);
        }
        None => *into = None,
    }
}
