//! All that the log holds, behind one lock, and how calls wait for it to change.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::coordinator::Coordinator;
use super::fault::{Fault, Faults, Step};
use super::group::Group;
use super::partition::PartitionLog;
use super::topic::{Timestamps, Topic};
use super::{Clock, MemorySettings};
use crate::core::time::Time;
use crate::log::{Appended, Committed, Error, Kind, NewRecord, Partition};

/// A waiting call looks at the clock so often: sessions and transactions run out by themselves.
const SLICE: Duration = Duration::from_millis(10);

/// What the log holds.
pub(super) struct State {
    /// The time of the call at hand; it never goes back.
    pub now: Time,
    pub topics: BTreeMap<String, Topic>,
    pub groups: BTreeMap<String, Group>,
    pub coordinator: Coordinator,
    pub faults: Option<Faults>,
    /// The last id that a member was given.
    pub members: u64,
}

impl State {
    /// What goes wrong with a step, if anything.
    pub fn fault(&mut self, step: Step<'_>) -> Option<Fault> {
        self.faults.as_mut().and_then(|faults| faults(step))
    }

    /// Fails if the hook says so; [`Fault::Unanswered`] is the caller's to answer, behind the deed.
    pub fn refused(&mut self, step: Step<'_>) -> Result<Option<Fault>, Error> {
        match self.fault(step) {
            Some(Fault::Refused(kind)) => {
                Err(Error::new(kind, format!("{step:?} was refused by the fault hook")))
            }
            other => Ok(other),
        }
    }

    /// Appends a record that was sent at `sent`.
    ///
    /// # Errors
    /// [`Kind::Fatal`] if there is no such partition or it cannot take the record.
    pub fn append(&mut self, record: NewRecord, sent: Time, transaction: Option<u64>) -> Result<(), Error> {
        let Some(topic) = self.topics.get_mut(&*record.partition.topic) else {
            return Err(Error::new(Kind::Fatal, format!("there is no topic {}", record.partition.topic)));
        };
        topic.append(record, sent, self.now, transaction)
    }

    /// What the acknowledgement of a record says of its time, that was sent at `sent` and is appended now.
    pub fn appended(&self, topic: &Arc<str>, sent: Time) -> Appended {
        let settings = self.topics.get(&**topic).map(|topic| topic.settings.timestamps);
        let by_log = settings != Some(Timestamps::Create);
        Appended { topic: Arc::clone(topic), timestamp: if by_log { self.now } else { sent }, by_log }
    }

    pub fn partition(&self, partition: &Partition) -> Result<&PartitionLog, Error> {
        let topic = self.topics.get(&*partition.topic);
        topic.and_then(|topic| topic.partitions.get(partition.number as usize)).ok_or_else(|| {
            Error::new(Kind::Fatal, format!("there is no partition {partition}: create its topic or grow it"))
        })
    }

    pub fn partition_mut(&mut self, partition: &Partition) -> Option<&mut PartitionLog> {
        self.topics.get_mut(&*partition.topic)?.partitions.get_mut(partition.number as usize)
    }

    /// The committed offsets of a group.
    ///
    /// # Errors
    /// [`Kind::Retry`] while a transaction is about to commit others.
    pub fn committed(
        &mut self,
        group: &str,
        partitions: &[Partition],
    ) -> Result<Vec<Option<Committed>>, Error> {
        self.refused(Step::Committed(group))?;
        if self.coordinator.is_pending(group, partitions) {
            let what = format!("an open transaction is about to commit offsets of group {group}");
            return Err(Error::new(Kind::Retry, what));
        }
        let offsets = self.groups.get(group).map(|group| &group.offsets);
        Ok(partitions.iter().map(|partition| offsets?.get(partition).cloned()).collect())
    }

    /// The groups that read a topic meet again.
    pub fn rebalance(&mut self, topic: &str) {
        for group in self.groups.values_mut().filter(|group| group.reads(topic)) {
            group.rebalance(&self.topics);
        }
    }

    /// Lets time come to `now`: what is due runs out. Whether anything has changed by that.
    fn advance(&mut self, now: Time, settings: &MemorySettings) -> bool {
        if now <= self.now {
            return false;
        }
        self.now = now;
        let mut changed = self.expire_transactions(settings.transaction_timeout);
        for group in self.groups.values_mut() {
            changed |= group.expire(now, &self.topics);
        }
        changed
    }
}

/// The lock, the clock, and whom to wake.
pub(super) struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    clock: Clock,
    pub settings: MemorySettings,
}

impl Shared {
    pub fn new(clock: Clock, settings: MemorySettings) -> Arc<Shared> {
        let state = State {
            now: clock(),
            topics: BTreeMap::new(),
            groups: BTreeMap::new(),
            coordinator: Coordinator::default(),
            faults: None,
            members: 0,
        };
        Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new(), clock, settings })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No call leaves the state torn by a panic: the only foreign code in it are clock and hook.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.advance((self.clock)(), &self.settings) {
            self.changed.notify_all();
        }
        state
    }

    /// Looks at the state, at the present time.
    pub fn look<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.lock())
    }

    /// Changes the state, at the present time, and wakes who waits for that.
    pub fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let result = change(&mut self.lock());
        self.changed.notify_all();
        result
    }

    /// Tries until something comes of it or `wait` is over; where nothing blocks, once.
    pub fn wait<T>(&self, wait: Duration, mut attempt: impl FnMut(&mut State) -> Option<T>) -> Option<T> {
        let mut state = self.lock();
        let mut found = attempt(&mut state);
        let mut left = if self.settings.blocks { wait } else { Duration::ZERO };
        while found.is_none() && !left.is_zero() {
            let slice = left.min(SLICE);
            left -= slice;
            let vain = |state: &mut State| {
                state.advance((self.clock)(), &self.settings);
                found = attempt(state);
                found.is_none()
            };
            (state, _) =
                self.changed.wait_timeout_while(state, slice, vain).unwrap_or_else(PoisonError::into_inner);
        }
        drop(state);
        found
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("settings", &self.settings).finish_non_exhaustive()
    }
}
