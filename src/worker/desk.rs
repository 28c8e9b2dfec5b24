//! The desk worker: the recipe for exactly once.
//!
//! Each turn polls, hands what came to the desks of its partitions, and commits: events, changelog,
//! messages between entities and the offsets of the input are one transaction. The state of a desk is base
//! plus overlay, so an aborted transaction is as if it had never been.
//!
//! | step of the recipe | kept by |
//! | --- | --- |
//! | one thread, one consumer, one producer with a stable id, which is the static member's name too | [`DeskWorker::new`] |
//! | transactions are initialised before the group is joined | [`DeskWorker::new`] |
//! | restore: committed offset, high watermark, changelog, comparison | `restore` |
//! | a transaction begins at its first record; standing taken after the poll and before that record | `begin` |
//! | commit when a poll comes back empty, after a message between entities, after 100 ms, after so many records | `is_due`, `commit` |
//! | the offsets of every partition with a record in it; one lost: abort | `commit`, `revoked` |
//! | revoke: finish, or abort when it is lost; then give up | `revoked` |
//! | doubt about a commit: new producer, state from the changelog | `recover` |
//! | at most 1,000 lapses in a transaction; the input stays before the mark until all are done | `handle` |

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::partitioner::partition_of;
use super::restore::{Restored, Restorer};
use super::{Clock, Stop, Topics, Turn, inbox_record, passes};
use crate::core::code::Secret;
use crate::core::desk::{Desk, Effects, Output, Pendings, Progress};
use crate::core::event::Event;
use crate::core::inbox::{Inbox, Key, decode, encode};
use crate::core::tally::Tally;
use crate::core::time::Time;
use crate::log::{
    Error, Isolation, Kind, Log, Member, Membership, Message, NewRecord, Partition, Polled, Standing,
    Transactions,
};

/// A transaction is committed after so long, in milliseconds.
const COMMIT_AFTER: i64 = 100;
/// A transaction is committed after so many input records.
const COMMIT_RECORDS: usize = 1_000;
/// So many transactions in a row may fail before the worker gives up.
const MAX_FAILURES: u32 = 5;

/// How a desk worker is to be.
#[derive(Debug, Clone)]
pub struct DeskOptions {
    /// The name of the application: its groups begin with it.
    pub app: String,
    /// The name of this worker among all of the application's, the same after a restart.
    pub instance: String,
    /// The topics.
    pub topics: Topics,
    /// The key of the codes.
    pub secret: Secret,
}

/// A desk worker.
pub struct DeskWorker {
    log: Arc<dyn Log>,
    clock: Arc<dyn Clock>,
    options: DeskOptions,
    names: Names,
    member: Box<dyn Member + Send>,
    /// None while a new one is being made.
    transactions: Option<Box<dyn Transactions + Send>>,
    restorer: Restorer,
    parts: BTreeMap<u32, Part>,
    /// Partitions that are being given up: they are not begun with again.
    leaving: BTreeSet<u32>,
    arrived: VecDeque<Arrived>,
    open: Option<Open>,
    failures: u32,
    done: Done,
}

/// Topic names to be cloned cheaply, with the numbers of their partitions.
struct Names {
    inbox: (Arc<str>, u32),
    changelog: Arc<str>,
    purchases: (Arc<str>, u32),
    orders: (Arc<str>, u32),
}

/// A partition whose state is in memory.
struct Part {
    desk: Desk,
    /// The first offset that is not in the committed state.
    next: u64,
    /// The first offset that is not in the open transaction either.
    read: u64,
    /// No mark has brought settings yet: one is looked for ahead, then the partition is read from here.
    ahead_of: Option<u64>,
}

struct Arrived {
    partition: u32,
    offset: u64,
    timestamp: Time,
    value: Vec<u8>,
}

/// The open transaction.
struct Open {
    standing: Standing,
    now: Time,
    touched: BTreeSet<u32>,
    records: usize,
    /// A message between entities was written: it has to be committed to go on.
    urgent: bool,
}

/// What a worker has done since it was asked last.
#[derive(Debug, Default, Clone)]
pub struct Done {
    /// Committed events, those of `orders` too.
    pub events: Vec<Event>,
    /// What led to nothing, in committed transactions.
    pub nothing: Tally,
    /// Committed transactions.
    pub commits: u64,
    /// Aborted ones.
    pub aborts: u64,
    /// Partitions restored.
    pub restored: Vec<Back>,
    /// Effects of the open transaction.
    pending: Vec<Event>,
    pending_nothing: Tally,
}

/// A partition that was restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Back {
    /// Its number.
    pub partition: u32,
    /// Records of the changelog that were read for it.
    pub records: u64,
    /// The group had no committed offset of it any more: the changelog's was taken.
    pub expired: bool,
}

impl DeskWorker {
    /// A worker that has joined its group.
    ///
    /// # Errors
    /// If topics are missing or do not fit, or the log cannot be reached.
    pub fn new(log: Arc<dyn Log>, clock: Arc<dyn Clock>, options: DeskOptions) -> Result<DeskWorker, Stop> {
        let names = Names::look_up(&*log, &options.topics)?;
        let id = format!("{}-desk-{}", options.app, options.instance);
        let transactions = log.transactions(&id)?;
        let restorer =
            Restorer::new(&*log, &options.topics.inbox, &options.topics.changelog, options.secret.clone())?;
        let member = log.member(&Membership {
            group: format!("{}-desk", options.app),
            topics: vec![options.topics.inbox.clone()],
            instance: Some(id),
            isolation: Isolation::Committed,
        })?;
        Ok(DeskWorker {
            log,
            clock,
            options,
            names,
            member,
            transactions: Some(transactions),
            restorer,
            parts: BTreeMap::new(),
            leaving: BTreeSet::new(),
            arrived: VecDeque::new(),
            open: None,
            failures: 0,
            done: Done::default(),
        })
    }

    /// Does what is at hand, waiting up to `wait` for it.
    ///
    /// # Errors
    /// [`Stop`]: the worker is spent.
    pub fn turn(&mut self, wait: Duration) -> Result<Turn, Stop> {
        if self.transactions.is_none() {
            self.new_producer()?;
        }
        for restored in self.restorer.turn(&mut *self.member, &*self.clock)? {
            self.run_from(restored)?;
        }
        let at_work = self.open.is_some() || !self.restorer.is_idle();
        let wait = if at_work { Duration::ZERO } else { wait };
        let arrived = &mut self.arrived;
        let polled = self.member.poll(wait, &mut |message| arrived.push_back(Arrived::of(&message)));
        let polled = match polled {
            Err(error) if passes(&error) => Polled::Messages(0),
            polled => polled?,
        };
        let was_empty = match polled {
            Polled::Assigned(partitions) => {
                for partition in partitions {
                    self.restorer.begin(partition.number, self.clock.now());
                }
                false
            }
            Polled::Revoked { partitions, lost } => {
                self.revoked(&partitions, lost)?;
                false
            }
            Polled::Messages(count) => count == 0,
        };
        while let Some(arrived) = self.arrived.pop_front() {
            self.handle(&arrived)?;
            if self.is_due(false) {
                self.commit()?;
            }
        }
        if self.is_due(was_empty) {
            self.commit()?;
        }
        Ok(if was_empty && !at_work { Turn::Idle } else { Turn::Worked })
    }

    /// Finishes what is open and leaves the group.
    ///
    /// # Errors
    /// [`Stop`], if what is open could not be finished.
    pub fn leave(mut self) -> Result<Done, Stop> {
        let ended = self.commit();
        self.member.leave();
        ended.map(|_| self.done)
    }

    /// What was done since the last call.
    pub fn take_done(&mut self) -> Done {
        let done = std::mem::take(&mut self.done);
        self.done.pending = done.pending.clone();
        self.done.pending_nothing = done.pending_nothing.clone();
        done
    }

    /// The committed pendings of each partition, and its desk time.
    pub fn partitions(&self) -> impl Iterator<Item = (u32, Arc<Pendings>, Time)> + '_ {
        let parts = self.parts.iter();
        parts.map(|(number, part)| (*number, part.desk.pendings(), part.desk.partition().desk_time))
    }

    fn run_from(&mut self, restored: Restored) -> Result<(), Stop> {
        let Restored { number, desk, offset, records, expired } = restored;
        self.member.start(&self.inbox(number), offset)?;
        let ahead_of = desk.partition().settings.is_none().then_some(offset);
        self.parts.insert(number, Part { desk, next: offset, read: offset, ahead_of });
        self.done.restored.push(Back { partition: number, records, expired });
        Ok(())
    }

    /// Hands one record to its desk. A record that ends more purchases than fit into a transaction is
    /// handed in again in the next one.
    fn handle(&mut self, arrived: &Arrived) -> Result<(), Stop> {
        let number = arrived.partition;
        // A partition that is not restored, or something below the wanted offset.
        if self.parts.get(&number).is_none_or(|part| arrived.offset < part.read) {
            return Ok(());
        }
        let record: Inbox = decode(&arrived.value).map_err(|corrupt| Stop::Corrupt {
            place: format!("{}@{}", self.inbox(number), arrived.offset),
            corrupt,
        })?;
        if self.look_ahead(number, &record)? {
            return Ok(());
        }
        loop {
            if !self.begin(number)? {
                return Ok(());
            }
            let (Some(part), Some(open)) = (self.parts.get_mut(&number), &mut self.open) else {
                return Ok(());
            };
            let mut effects = Effects::default();
            let progress = part
                .desk
                .step(&record, arrived.timestamp, open.now, &mut effects)
                .map_err(|error| Stop::Offsets(format!("{}/{number}: {error}", self.names.inbox.0)))?;
            part.read = if progress == Progress::Done { arrived.offset + 1 } else { arrived.offset };
            open.records += 1;
            if !self.perform(effects, number, arrived.offset)? {
                return Ok(());
            }
            if progress == Progress::Done {
                return Ok(());
            }
            if !self.commit()? {
                return Ok(());
            }
        }
    }

    /// A partition without settings waits for its first mark: it is looked for ahead, and what was passed
    /// by is read again. True if the record was only looked at.
    fn look_ahead(&mut self, number: u32, record: &Inbox) -> Result<bool, Stop> {
        let inbox = self.inbox(number);
        let Some(part) = self.parts.get_mut(&number) else { return Ok(true) };
        let Some(from) = part.ahead_of else { return Ok(false) };
        if let Inbox::Mark { settings, .. } = record {
            part.desk.begin_with(Arc::clone(settings));
            part.ahead_of = None;
            self.arrived.retain(|arrived| arrived.partition != number);
            self.member.start(&inbox, from)?;
        }
        Ok(true)
    }

    /// Makes sure that a transaction is open, and that the partition is in it. False if it had to be given
    /// up.
    fn begin(&mut self, number: u32) -> Result<bool, Stop> {
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
    fn perform(&mut self, effects: Effects, number: u32, offset: u64) -> Result<bool, Stop> {
        let mut records = Vec::new();
        let now = self.open.as_ref().map_or(Time::ZERO, |open| open.now);
        let mut urgent = false;
        for output in effects.outputs {
            match output {
                Output::Event(event) => {
                    records.push(self.event_record(&event, &self.names.purchases, now, number, offset));
                    self.done.pending.push(event);
                }
                Output::Order(event) => {
                    records.push(self.event_record(&event, &self.names.orders, now, number, offset));
                    self.done.pending.push(event);
                }
                Output::Send(message) => {
                    urgent = true;
                    records.extend(self.message_records(&message));
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
    fn is_due(&self, was_empty: bool) -> bool {
        self.open.as_ref().is_some_and(|open| {
            was_empty
                || open.urgent && self.arrived.is_empty()
                || open.records >= COMMIT_RECORDS
                || self.clock.now().since(open.now) >= COMMIT_AFTER
        })
    }

    /// Commits the open transaction, if there is one. False if it was not.
    fn commit(&mut self) -> Result<bool, Stop> {
        let Some(open) = &self.open else { return Ok(true) };
        let touched = open.touched.clone();
        let mut records = Vec::new();
        let mut offsets = Vec::new();
        for &number in &touched {
            let Some(part) = self.parts.get(&number) else { return self.abort().map(|()| false) };
            let partition = Partition { topic: Arc::clone(&self.names.changelog), number };
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
    fn abort(&mut self) -> Result<(), Stop> {
        let Some(transactions) = &mut self.transactions else { return Ok(()) };
        if let Err(error) = transactions.abort() {
            return self.recover(error);
        }
        self.forget_open();
        self.read_again()
    }

    /// Goes back to what is committed, in all partitions: whatever was read beyond is read again.
    fn read_again(&mut self) -> Result<(), Stop> {
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
    fn recover(&mut self, error: Error) -> Result<(), Stop> {
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
    fn new_producer(&mut self) -> Result<(), Stop> {
        let id = format!("{}-desk-{}", self.options.app, self.options.instance);
        match self.log.transactions(&id) {
            Ok(transactions) => self.transactions = Some(transactions),
            Err(error) if passes(&error) && self.failures < MAX_FAILURES => self.failures += 1,
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// Gives partitions up. What is open is finished before, unless they are somebody else's already.
    fn revoked(&mut self, partitions: &[Partition], lost: bool) -> Result<(), Stop> {
        self.leaving = partitions.iter().map(|partition| partition.number).collect();
        if self.open.is_some() {
            if lost {
                self.abort()?;
            } else {
                self.commit()?;
            }
        }
        for number in std::mem::take(&mut self.leaving) {
            self.parts.remove(&number);
            self.restorer.forget(number);
            self.arrived.retain(|arrived| arrived.partition != number);
        }
        self.member.release()?;
        Ok(())
    }

    fn inbox(&self, number: u32) -> Partition {
        Partition { topic: Arc::clone(&self.names.inbox.0), number }
    }

    fn message_records(&self, message: &Inbox) -> Vec<NewRecord> {
        let (topic, partitions) = &self.names.inbox;
        let (key, value) = (message.key(), encode(message));
        match key {
            Key::Everywhere => {
                (0..*partitions).map(|number| inbox_record(topic, number, &key, value.clone())).collect()
            }
            _ => {
                let number = partition_of(key.to_string().as_bytes(), *partitions);
                vec![inbox_record(topic, number, &key, value)]
            }
        }
    }

    /// An event in CloudEvents' Kafka binding, binary mode, with what it was decided on.
    fn event_record(
        &self,
        event: &Event,
        topic: &(Arc<str>, u32),
        now: Time,
        number: u32,
        offset: u64,
    ) -> NewRecord {
        let key = event.account_id.to_string().into_bytes();
        let partition = Partition { topic: Arc::clone(&topic.0), number: partition_of(&key, topic.1) };
        let headers = vec![
            ("ce_specversion", b"1.0".to_vec()),
            ("ce_id", event.event_id.to_string().into_bytes()),
            ("ce_type", event.kind.as_str().as_bytes().to_vec()),
            ("ce_source", format!("hashbuy/{}", self.options.app).into_bytes()),
            ("ce_time", event.at.to_string().into_bytes()),
            ("content-type", b"application/json".to_vec()),
            ("hashbuy-cause", format!("{number}/{offset}").into_bytes()),
            ("hashbuy-now", now.to_string().into_bytes()),
        ];
        // An event is a struct of plain values: nothing in it can fail to be written.
        let value = serde_json::to_vec(event).unwrap_or_default();
        NewRecord { partition, key: Some(key), value: Some(value), headers }
    }
}

impl Arrived {
    fn of(message: &Message<'_>) -> Arrived {
        Arrived {
            partition: message.partition,
            offset: message.offset,
            timestamp: message.timestamp,
            value: message.value.unwrap_or_default().to_vec(),
        }
    }
}

impl Names {
    fn look_up(log: &dyn Log, topics: &Topics) -> Result<Names, Stop> {
        let mut lookup = log.lookup()?;
        let mut named = |topic: &str| -> Result<(Arc<str>, u32), Stop> {
            let partitions = lookup.partitions(topic)?.ok_or_else(|| Stop::NoTopic(topic.to_owned()))?;
            Ok((topic.into(), partitions))
        };
        let inbox = named(&topics.inbox)?;
        let (changelog, partitions) = named(&topics.changelog)?;
        if partitions != inbox.1 {
            return Err(Stop::Offsets(format!(
                "{} has {} partitions, {changelog} has {partitions}: they need as many as each other",
                inbox.0, inbox.1
            )));
        }
        Ok(Names { inbox, changelog, purchases: named(&topics.purchases)?, orders: named(&topics.orders)? })
    }
}
