//! The desk worker: the recipe for exactly once.
//!
//! Each turn polls, hands what came to the desks of its partitions, and commits: events, changelog,
//! messages between entities and the offsets of the input are one transaction. The state of a desk is base
//! plus overlay, so an aborted transaction is as if it had never been.
//!
//! | | step of the recipe | kept by |
//! | --- | --- | --- |
//! | 1 | one thread, one consumer, one producer with a stable id | [`DeskWorker::new`], `service::threads::desk` |
//! | 2 | the id is the static member's name too, and the standing is that of the last meeting of the group that the worker was told of: the broker refuses whoever was replaced | [`DeskWorker::new`], [`Member::standing`] |
//! | 3 | settings that the rest hangs on | [`log::kafka::Settings::validate`](crate::log::kafka::Settings::validate) and below it |
//! | 4 | transactions are initialised before the group is joined | [`DeskWorker::new`] |
//! | 5 | restore: committed offset, high watermark, changelog, comparison, in slices beside the work on other partitions | `Restorer::turn`, `ask`, `read`, `finish` |
//! |   | a partition with more to read that hands nothing over for 5 s is sought again | `seek_silent` |
//! | 6 | a transaction begins at its first record; its state is an overlay | `begin`, [`Desk`] |
//! | 7 | commit when a poll comes back empty, after a message between entities, after 100 ms, after so many records; with the offsets of every partition that has a record in it | `is_due`, `commit` |
//! | 8 | revoke: finish, or abort when it is lost; then give up. After each meeting what was kept is compared with what is committed | `revoked`, `verify` |
//! | 9 | doubt about the end of a transaction: never assumed, a new producer, state from the changelog | `recover_from`, `new_producer` |
//! | 10 | a fenced producer: the same; too often in a row, or a fenced member: the worker ends. SIGTERM: finish, leave | `Fences::add`, [`DeskWorker::leave`], [`Member::leave`] |
//! | 11 | at most so many lapses in a transaction, see [`MAX_LAPSED`](crate::core::desk::MAX_LAPSED); the input stays before the mark until all are done | [`Desk::step`], `handle` |
//! | 12 | a clock that is off the brokers', a topic that stamps records with the producers' time | `check_times` |

mod done;
mod recovery;
mod topics;
mod transaction;
mod watch;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

pub use self::done::{Back, Delay, Done, Note, Restoring, State, counted};
use self::recovery::Fences;
use self::topics::DeskTopics;
use super::restore::{Restored, Restorer};
use super::trouble::Troubles;
use super::{Clock, Stop, Topics, Turn, passes};
use crate::core::code::Secret;
use crate::core::desk::{Desk, Effects, Pendings, Progress};
use crate::core::inbox::Inbox;
use crate::core::reader::Reader;
use crate::core::time::{MINUTE, SECOND, Time};
use crate::log::{Isolation, Log, Member, Membership, Message, Partition, Polled, Standing, Transactions};
use crate::metrics::AbortCause;

/// A transaction is committed after so long, in milliseconds.
const COMMIT_AFTER: i64 = 100;
/// A transaction is committed after so many input records.
const COMMIT_RECORDS: usize = 1_000;
/// What a turn has not done after so long, in milliseconds, is read again in the next: the group has to be polled.
const LONG_TURN: i64 = 5 * SECOND;
/// [`DeskOptions::patience`] by the machine's clock: a hanging transaction alone lasts its timeout and ten
/// seconds more.
pub const PATIENCE: i64 = MINUTE;

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
    /// A restore without any progress for so long is a failure, in milliseconds of the worker's clock.
    pub patience: i64,
}

/// A desk worker.
pub struct DeskWorker {
    log: Arc<dyn Log>,
    clock: Arc<dyn Clock>,
    options: DeskOptions,
    topics: DeskTopics,
    member: Box<dyn Member + Send>,
    /// None while a new one is being made.
    transactions: Option<Box<dyn Transactions + Send>>,
    restorer: Restorer,
    parts: BTreeMap<u32, Part>,
    /// Partitions that are being given up: they are not begun with again.
    leaving: BTreeSet<u32>,
    arrived: VecDeque<Arrived>,
    reader: Reader,
    open: Option<Open>,
    /// The group has met: what was kept has to be verified before anything more is decided.
    unverified: bool,
    /// The group has met with this worker.
    has_met: bool,
    /// When the present turn began.
    turned: Time,
    troubles: Troubles,
    /// Partitions whose records were in a transaction that failed, until they are in one that is committed.
    failing: BTreeSet<u32>,
    fences: Fences,
    /// See [`State::clock_offset`].
    clock_offset: i64,
    done: Done,
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
    /// It could not be started: it is tried again.
    stands: bool,
    /// When anything of it came last, or it was looked why nothing does.
    heard: Time,
    /// The offset at which it was sought again.
    sought: Option<u64>,
}

/// What a worker that has left still holds in memory. It is of no use any more, and to take millions of entities
/// apart takes seconds.
pub struct Remains {
    _parts: BTreeMap<u32, Part>,
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

impl DeskWorker {
    /// A worker that has joined its group.
    ///
    /// # Errors
    /// If topics are missing or do not fit, or the log cannot be reached.
    pub fn new(log: Arc<dyn Log>, clock: Arc<dyn Clock>, options: DeskOptions) -> Result<DeskWorker, Stop> {
        let topics = DeskTopics::look_up(&*log, &options.topics)?;
        let id = format!("{}-desk-{}", options.app, options.instance);
        let transactions = log.transactions(&id)?;
        let (secret, patience) = (options.secret.clone(), options.patience);
        let restorer = Restorer::new(&*log, &options.topics, topics.inbox.partitions, secret, patience)?;
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
            topics,
            member,
            transactions: Some(transactions),
            restorer,
            parts: BTreeMap::new(),
            leaving: BTreeSet::new(),
            arrived: VecDeque::new(),
            reader: Reader::default(),
            open: None,
            unverified: false,
            has_met: false,
            turned: Time::ZERO,
            troubles: Troubles::default(),
            failing: BTreeSet::new(),
            fences: Fences::default(),
            clock_offset: 0,
            done: Done::default(),
        })
    }

    /// Does what is at hand, waiting up to `wait` for it.
    ///
    /// # Errors
    /// [`Stop`]: the worker is spent.
    pub fn turn(&mut self, wait: Duration) -> Result<Turn, Stop> {
        let now = self.clock.now();
        self.turned = now;
        if self.transactions.is_none() && self.troubles.may_try(now) {
            self.new_producer()?;
        }
        if self.unverified && self.transactions.is_some() {
            self.verify()?;
            if self.unverified {
                return Ok(Turn::Worked);
            }
        }
        if !self.restorer.is_idle() {
            // Its questions may wait for brokers, and nothing may stay open meanwhile.
            self.commit()?;
        }
        // Without a producer nothing is begun with, and what is assigned stands still: the old one may have
        // something open, and only its successor ends that.
        let can_work = self.transactions.is_some();
        if can_work {
            for restored in self.restorer.turn(&mut *self.member, &*self.clock)? {
                self.run_from(restored)?;
            }
            self.start_standing()?;
            self.seek_silent()?;
        }
        let at_work = can_work && (self.open.is_some() || !self.restorer.is_idle());
        let wait = if at_work { Duration::ZERO } else { wait };
        let arrived = &mut self.arrived;
        let polled = self.member.poll(wait, &mut |message| arrived.push_back(Arrived::of(&message)));
        let polled = match polled {
            Err(error) if passes(&error) => Polled::Messages(0),
            polled => polled?,
        };
        let was_empty = match polled {
            Polled::Assigned(partitions) => {
                self.commit()?;
                self.unverified = true;
                self.has_met = true;
                // Of what is not used nothing comes: it stands still as it was assigned.
                let is_used =
                    |partition: &Partition| self.topics.inbox.is_used(partition, &self.options.topics);
                for partition in partitions.into_iter().filter(is_used) {
                    self.restorer.begin(partition.number, self.clock.now());
                }
                false
            }
            Polled::Revoked { partitions, lost } => {
                self.has_met &= !lost;
                self.revoked(&partitions, lost)?;
                self.unverified = true;
                false
            }
            Polled::Messages(count) => count == 0,
        };
        while let Some(arrived) = self.arrived.pop_front() {
            self.handle(&arrived)?;
            if self.is_due(false) {
                self.commit()?;
            }
            if self.clock.now().since(self.turned) >= LONG_TURN
                && !self.arrived.is_empty()
                && self.commit()?
            {
                self.arrived.clear();
                self.read_again()?;
            }
        }
        if self.is_due(was_empty) {
            self.commit()?;
        }
        Ok(if was_empty && !at_work { Turn::Idle } else { Turn::Worked })
    }

    /// Finishes what is open and leaves the group. Whoever ends the process with this forgets what remains.
    ///
    /// # Errors
    /// [`Stop`], if what is open could not be finished.
    pub fn leave(mut self) -> Result<(Done, Remains), Stop> {
        let ended = self.commit();
        self.member.leave();
        let remains = Remains { _parts: self.parts };
        ended.map(|_| (self.done, remains))
    }

    /// What was done since the last call.
    pub fn take_done(&mut self) -> Done {
        let mut done = self.done.take();
        done.restores = self.restorer.take_notes();
        done
    }

    /// How it is.
    pub fn state(&self) -> State {
        State {
            has_met: self.has_met,
            restoring: self.restorer.restoring(),
            trouble: self.troubles.now().cloned(),
            clock_offset: self.clock_offset,
        }
    }

    /// Whether a transaction is open.
    pub fn has_open(&self) -> bool {
        self.open.is_some()
    }

    /// The committed pendings of each partition, and its desk time.
    pub fn partitions(&self) -> impl Iterator<Item = (u32, Arc<Pendings>, Time)> + '_ {
        let parts = self.parts.iter();
        parts.map(|(number, part)| (*number, part.desk.pendings(), part.desk.partition().desk_time))
    }

    fn run_from(&mut self, restored: Restored) -> Result<(), Stop> {
        let Restored { number, desk, offset, records, millis, expired } = restored;
        let ahead_of = desk.partition().settings.is_none().then_some(offset);
        let heard = self.clock.now();
        self.done.units.push((number, desk.units()));
        self.parts.insert(
            number,
            Part { desk, next: offset, read: offset, ahead_of, stands: true, heard, sought: None },
        );
        self.done.restored.push(Back { partition: number, records, millis, expired });
        self.start(number)
    }

    /// Reads a partition on from what is in its state; what cannot be started now is started later.
    fn start(&mut self, number: u32) -> Result<(), Stop> {
        let inbox = self.inbox(number);
        let Some(part) = self.parts.get_mut(&number) else { return Ok(()) };
        part.heard = self.clock.now();
        part.stands = true;
        match self.member.start(&inbox, part.read) {
            Ok(()) => part.stands = false,
            Err(error) if passes(&error) => self.troubles.failed(&error, part.heard),
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// Hands one record to its desk. A record that ends more purchases than fit into a transaction is
    /// handed in again in the next one.
    fn handle(&mut self, arrived: &Arrived) -> Result<(), Stop> {
        let number = arrived.partition;
        if let Some(part) = self.parts.get_mut(&number) {
            part.heard = self.clock.now();
        }
        // A partition that is not restored, or something below the wanted offset.
        if self.parts.get(&number).is_none_or(|part| arrived.offset < part.read) {
            return Ok(());
        }
        let record = self.reader.read(&arrived.value).map_err(|corrupt| Stop::Corrupt {
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
                .map_err(|error| Stop::Offsets(format!("{}/{number}: {error}", self.topics.inbox.name)))?;
            part.read = if progress == Progress::Done { arrived.offset + 1 } else { arrived.offset };
            open.records += 1;
            if !self.perform(effects, arrived)? {
                return Ok(());
            }
            if progress == Progress::Done {
                return Ok(());
            }
            if !self.commit()? {
                return Ok(());
            }
            if self.clock.now().since(self.turned) >= LONG_TURN {
                self.arrived.clear();
                return self.read_again();
            }
        }
    }

    /// A partition without settings waits for its first mark: it is looked for ahead, and what was passed
    /// by is read again. True if the record was only looked at.
    fn look_ahead(&mut self, number: u32, record: &Inbox) -> Result<bool, Stop> {
        let Some(part) = self.parts.get_mut(&number) else { return Ok(true) };
        let Some(from) = part.ahead_of else { return Ok(false) };
        if let Inbox::Mark { settings, .. } = record {
            part.desk.begin_with(settings.clone());
            part.ahead_of = None;
            part.read = from;
            self.arrived.retain(|arrived| arrived.partition != number);
            self.start(number)?;
        }
        Ok(true)
    }

    /// Compares the committed offsets of the partitions that were kept with their state. A worker that stood
    /// still during two meetings of the group may keep, unnoticed, what another had meanwhile: then its state
    /// is old, and is made anew from the changelog.
    fn verify(&mut self) -> Result<(), Stop> {
        let numbers: Vec<u32> = self.parts.keys().copied().collect();
        let partitions: Vec<Partition> = numbers.iter().map(|number| self.inbox(*number)).collect();
        if partitions.is_empty() {
            self.unverified = false;
            return Ok(());
        }
        let committed = match self.member.committed(&partitions) {
            Err(error) if passes(&error) => {
                self.troubles.failed(&error, self.clock.now());
                return Ok(());
            }
            committed => committed?,
        };
        for (number, committed) in numbers.into_iter().zip(committed) {
            let is_ours =
                |part: &Part| committed.as_ref().is_none_or(|committed| committed.offset == part.next);
            if !self.parts.get(&number).is_none_or(is_ours) {
                self.parts.remove(&number);
                self.member.pause(&self.inbox(number))?;
                self.restorer.begin(number, self.clock.now());
            }
        }
        self.unverified = false;
        Ok(())
    }

    /// Gives partitions up. What is open is finished before, unless they are somebody else's already.
    fn revoked(&mut self, partitions: &[Partition], lost: bool) -> Result<(), Stop> {
        self.leaving = partitions.iter().map(|partition| partition.number).collect();
        if self.open.is_some() {
            if lost {
                self.abort(AbortCause::Lost)?;
            } else {
                self.commit()?;
            }
        }
        for number in std::mem::take(&mut self.leaving) {
            self.parts.remove(&number);
            self.failing.remove(&number);
            self.restorer.forget(number);
            self.arrived.retain(|arrived| arrived.partition != number);
        }
        self.member.release()?;
        Ok(())
    }

    /// Something went well. What fails in one partition is not over because another gets on.
    fn went_well(&mut self) {
        if self.failing.is_empty() {
            self.troubles.over();
        }
    }

    fn inbox(&self, number: u32) -> Partition {
        self.topics.inbox.partition(number)
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
