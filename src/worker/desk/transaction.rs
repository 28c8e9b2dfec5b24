//! The transaction of a desk worker: from its first record to its commit, its abort, or the doubt about it.

use std::collections::BTreeSet;

use super::topics::Cause;
use super::{COMMIT_AFTER, COMMIT_RECORDS, DeskWorker, MAX_FAILURES, Open};
use crate::core::desk::{Effects, Output};
use crate::core::tally::Tally;
use crate::core::time::Time;
use crate::log::{Error, Kind, NewRecord};
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
        let Some(transactions) = &mut self.transactions else { return Ok(false) };
        match transactions.begin() {
            Ok(()) => {
                let touched = BTreeSet::from([number]);
                let now = self.clock.now();
                self.open = Some(Open { standing, now, touched, records: 0, urgent: false });
                Ok(true)
            }
            Err(error) => self.recover(error).map(|()| false),
        }
    }

    /// Writes what a step has led to into the open transaction. False if it had to be given up.
    pub(super) fn perform(&mut self, effects: Effects, number: u32, offset: u64) -> Result<bool, Stop> {
        let mut records = Vec::new();
        let now = self.open.as_ref().map_or(Time::ZERO, |open| open.now);
        let mut urgent = false;
        let cause = Cause { app: &self.options.app, now, partition: number, offset };
        for output in effects.outputs {
            match output {
                Output::Event(event) => {
                    records.push(self.topics.event(&event, &self.topics.purchases, &cause));
                    self.done.pending.push(event);
                }
                Output::Order(event) => {
                    records.push(self.topics.event(&event, &self.topics.orders, &cause));
                    self.done.pending.push(event);
                }
                Output::Send(message) => {
                    urgent = true;
                    records.extend(self.topics.inbox.inbox_records(&message));
                }
            }
        }
        self.done.pending_nothing.add(&effects.tally);
        if let Some(open) = &mut self.open {
            open.urgent |= urgent;
        }
        self.send(records)
    }

    fn send(&mut self, records: Vec<NewRecord>) -> Result<bool, Stop> {
        let Some(transactions) = &mut self.transactions else { return Ok(false) };
        let sent = records.into_iter().try_for_each(|record| transactions.send(record));
        match sent {
            Ok(()) => Ok(true),
            Err(error) if error.kind == Kind::Abort || error.kind == Kind::Retry => {
                self.abort().map(|()| false)
            }
            Err(error) => self.recover(error).map(|()| false),
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
        let mut records = Vec::new();
        let mut offsets = Vec::new();
        for &number in &touched {
            let Some(part) = self.parts.get(&number) else { return self.abort().map(|()| false) };
            let partition = self.topics.changelog.partition(number);
            records.extend(part.desk.changes(part.read).into_iter().map(|(key, value)| NewRecord {
                partition: partition.clone(),
                key: Some(key.into_bytes()),
                value,
                headers: Vec::new(),
            }));
            offsets.push((self.inbox(number), part.read));
        }
        if !self.send(records)? {
            return Ok(false);
        }
        let (Some(transactions), Some(open)) = (&mut self.transactions, &self.open) else { return Ok(false) };
        match transactions.commit(&offsets, &open.standing) {
            Ok(()) => {
                self.committed(&touched);
                Ok(true)
            }
            Err(error) if error.kind == Kind::Abort => self.abort().map(|()| false),
            Err(error) => self.recover(error).map(|()| false),
        }
    }

    fn committed(&mut self, touched: &BTreeSet<u32>) {
        for number in touched {
            if let Some(part) = self.parts.get_mut(number) {
                part.desk.commit();
                part.next = part.read;
            }
        }
        self.open = None;
        self.failures = 0;
        self.done.commits += 1;
        self.done.events.append(&mut self.done.pending);
        self.done.nothing.add(&std::mem::take(&mut self.done.pending_nothing));
    }

    /// Aborts the open transaction; everything in it is read again.
    pub(super) fn abort(&mut self) -> Result<(), Stop> {
        let Some(transactions) = &mut self.transactions else { return Ok(()) };
        if let Err(error) = transactions.abort() {
            return self.recover(error);
        }
        self.forget_open();
        self.read_again()
    }

    /// Goes back to what is committed, in all partitions: whatever was read beyond is read again.
    pub(super) fn read_again(&mut self) -> Result<(), Stop> {
        let parts: Vec<(u32, u64)> = self.parts.iter().map(|(number, part)| (*number, part.next)).collect();
        for (number, next) in parts {
            if !self.leaving.contains(&number) {
                self.member.start(&self.inbox(number), next)?;
            }
        }
        Ok(())
    }

    fn forget_open(&mut self) {
        if self.open.take().is_some() {
            self.done.aborts += 1;
        }
        self.done.pending.clear();
        self.done.pending_nothing = Tally::default();
        self.arrived.clear();
        for part in self.parts.values_mut() {
            part.desk.abort();
            part.read = part.next;
            part.ahead_of = part.desk.partition().settings.is_none().then_some(part.next);
        }
    }

    /// The outcome of the open transaction is not known, or the producer is spent: a new one ends whatever
    /// the old one left, and then the changelog tells what came of it.
    pub(super) fn recover(&mut self, error: Error) -> Result<(), Stop> {
        self.failures += 1;
        if error.kind == Kind::Fatal || self.failures > MAX_FAILURES {
            return Err(error.into());
        }
        self.forget_open();
        self.transactions = None;
        let numbers: Vec<u32> = std::mem::take(&mut self.parts).into_keys().collect();
        for number in numbers {
            if self.leaving.contains(&number) {
                continue;
            }
            self.member.pause(&self.inbox(number))?;
            self.restorer.begin(number, self.clock.now());
        }
        self.new_producer()
    }

    /// Tries to make a new producer; the next turn tries again.
    pub(super) fn new_producer(&mut self) -> Result<(), Stop> {
        let id = format!("{}-desk-{}", self.options.app, self.options.instance);
        match self.log.transactions(&id) {
            Ok(transactions) => self.transactions = Some(transactions),
            Err(error) if passes(&error) && self.failures < MAX_FAILURES => self.failures += 1,
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}
