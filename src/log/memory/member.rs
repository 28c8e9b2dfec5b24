//! A [`Member`] of a group of the memory log.
//!
//! Dropped without [`Member::leave`] it is like a process that was killed: its partitions are free when
//! its session has ended.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use super::cursor::{Batch, Cursor, Cursors, hand_over};
use super::fault::{Fault, Step};
use super::group::{Group, Place};
use super::state::{Shared, State};
use crate::log::{Committed, Error, Kind, Member, Membership, Message, Partition, Polled, Standing};

/// What a [`Standing`] of the memory log holds.
#[derive(Debug)]
pub(super) struct Seated {
    pub group: String,
    pub member: u64,
    pub instance: Option<String>,
    pub generation: u64,
}

impl Seated {
    /// # Errors
    /// [`Kind::Fatal`] if the standing was given by another kind of log.
    pub fn of(standing: &Standing) -> Result<&Seated, Error> {
        let held: &(dyn Any + Send + Sync) = &*standing.0;
        let foreign = || Error::new(Kind::Fatal, "this standing is not from a member of this log");
        held.downcast_ref().ok_or_else(foreign)
    }
}

#[derive(Debug)]
pub(super) struct MemoryMember {
    shared: Arc<Shared>,
    membership: Membership,
    id: u64,
    cursors: Cursors,
    /// What is to be given up, and stands still; none: nothing.
    revoked: Option<Vec<Partition>>,
    /// The generation that it was told of.
    generation: Option<u64>,
    /// Why it cannot go on.
    fatal: Option<Error>,
}

/// What came of an attempt to poll.
enum Found {
    Told(Polled),
    Records(Batch),
}

impl MemoryMember {
    pub fn join(shared: Arc<Shared>, membership: Membership) -> MemoryMember {
        let id = shared.change(|state| seat(state, &shared, &membership));
        let (cursors, revoked) = (Cursors::default(), None);
        MemoryMember { shared, membership, id, cursors, revoked, generation: None, fatal: None }
    }

    fn fail<T>(&self, kind: Kind, what: impl std::fmt::Display) -> Result<T, Error> {
        Err(Error::new(kind, format!("group {}, member {}: {what}", self.membership.group, self.id)))
    }

    fn place(&self, group: &Group) -> Place {
        group.place(self.id, self.membership.instance.as_deref())
    }

    fn replaced<T>(&self) -> Result<T, Error> {
        let instance = self.membership.instance.as_deref().unwrap_or_default();
        self.fail(Kind::Fatal, format_args!("another member with the instance name {instance} has come"))
    }

    /// One look at what there is for this member.
    fn attempt(&mut self, state: &mut State) -> Result<Option<Found>, Error> {
        let now = state.now;
        let group = state.groups.entry(self.membership.group.clone()).or_default();
        match self.place(group) {
            Place::Replaced => return self.replaced(),
            Place::Gone if self.cursors.by_partition.is_empty() => {
                self.id = seat(state, &self.shared, &self.membership);
                return self.attempt(state);
            }
            Place::Gone => {
                self.generation = None;
                let partitions: Vec<Partition> = self.cursors.by_partition.keys().cloned().collect();
                return Ok(Some(Found::Told(self.revoke(partitions, true))));
            }
            Place::Seated => group.touch(self.id, now, self.shared.settings.session_timeout),
        }
        let news = group.news(self.id);
        self.generation = group.generation_of(self.id);
        let told = match news {
            Some(Polled::Revoked { partitions, lost }) => self.revoke(partitions, lost),
            Some(Polled::Assigned(partitions)) => {
                let still = partitions.iter().map(|partition| (partition.clone(), Cursor::default()));
                self.cursors.by_partition.extend(still);
                Polled::Assigned(partitions)
            }
            _ => {
                let batch =
                    self.cursors.fetch(state, self.membership.isolation, self.shared.settings.batch)?;
                return Ok((!batch.is_empty()).then_some(Found::Records(batch)));
            }
        };
        Ok(Some(Found::Told(told)))
    }

    fn revoke(&mut self, partitions: Vec<Partition>, lost: bool) -> Polled {
        for partition in &partitions {
            if let Some(cursor) = self.cursors.by_partition.get_mut(partition) {
                cursor.next = None;
            }
        }
        self.revoked = Some(partitions.clone());
        Polled::Revoked { partitions, lost }
    }

    fn cursor(&mut self, partition: &Partition) -> Result<&mut Cursor, Error> {
        if !self.cursors.by_partition.contains_key(partition) {
            return self.fail(Kind::Fatal, format_args!("{partition} is not assigned"));
        }
        Ok(self.cursors.by_partition.entry(partition.clone()).or_default())
    }
}

/// Gives a member a seat in its group. Returns its new id.
fn seat(state: &mut State, shared: &Shared, membership: &Membership) -> u64 {
    state.members += 1;
    let alive_until = state.now.plus(super::millis(shared.settings.session_timeout));
    let group = state.groups.entry(membership.group.clone()).or_default();
    group.join(state.members, membership, alive_until, &state.topics);
    state.members
}

impl Member for MemoryMember {
    fn poll(&mut self, wait: Duration, each: &mut dyn FnMut(Message<'_>)) -> Result<Polled, Error> {
        if let Some(fatal) = &self.fatal {
            return Err(fatal.clone());
        }
        if self.revoked.is_some() {
            return self.fail(Kind::Fatal, "polled before what was revoked was released");
        }
        let shared = Arc::clone(&self.shared);
        shared.look(|state| state.refused(Step::Poll(&self.membership.group)))?;
        let found = shared.wait(wait, |state| self.attempt(state).transpose());
        match found.transpose() {
            Ok(None) => Ok(Polled::Messages(0)),
            Ok(Some(Found::Told(polled))) => Ok(polled),
            Ok(Some(Found::Records(batch))) => {
                hand_over(&batch, each);
                Ok(Polled::Messages(batch.len()))
            }
            Err(error) => {
                if error.kind == Kind::Fatal {
                    self.fatal = Some(error.clone());
                }
                Err(error)
            }
        }
    }

    fn start(&mut self, partition: &Partition, offset: u64) -> Result<(), Error> {
        if self.revoked.as_ref().is_some_and(|revoked| revoked.contains(partition)) {
            return self.fail(Kind::Fatal, format_args!("{partition} is to be given up"));
        }
        // Whatever comes of it: what was read before is over.
        *self.cursor(partition)? = Cursor::default();
        self.shared.look(|state| state.refused(Step::Start(partition)))?;
        *self.cursor(partition)? = Cursor { next: Some(offset), position: None };
        Ok(())
    }

    fn pause(&mut self, partition: &Partition) -> Result<(), Error> {
        self.cursor(partition)?.next = None;
        Ok(())
    }

    fn release(&mut self) -> Result<(), Error> {
        let Some(revoked) = self.revoked.take() else {
            return self.fail(Kind::Fatal, "there is nothing to be given up");
        };
        self.cursors.by_partition.retain(|partition, _| !revoked.contains(partition));
        self.shared.change(|state| {
            if let Some(group) = state.groups.get_mut(&self.membership.group) {
                group.release(self.id, &revoked);
            }
        });
        Ok(())
    }

    fn position(&self, partition: &Partition) -> Option<u64> {
        self.cursors.by_partition.get(partition)?.position
    }

    fn committed(&mut self, partitions: &[Partition]) -> Result<Vec<Option<Committed>>, Error> {
        self.shared.look(|state| state.committed(&self.membership.group, partitions))
    }

    fn commit(&mut self, offsets: &[(Partition, Committed)]) -> Result<(), Error> {
        for (partition, _) in offsets {
            self.cursor(partition)?;
        }
        self.shared.change(|state| {
            let fault = state.refused(Step::CommitOffsets(&self.membership.group))?;
            let group = state.groups.entry(self.membership.group.clone()).or_default();
            match self.place(group) {
                Place::Seated => group.offsets.extend(offsets.iter().cloned()),
                Place::Gone => return self.fail(Kind::Fenced, "the group has gone on without it"),
                Place::Replaced => return self.replaced(),
            }
            match fault {
                Some(Fault::Unanswered) => self.fail(Kind::Retry, "the answer to a commit was lost"),
                _ => Ok(()),
            }
        })
    }

    fn standing(&self) -> Result<Standing, Error> {
        let Some(generation) = self.generation else {
            return self
                .fail(Kind::Retry, "not in the group at the moment: poll until partitions are assigned");
        };
        let (group, instance) = (self.membership.group.clone(), self.membership.instance.clone());
        Ok(Standing(Arc::new(Seated { group, member: self.id, instance, generation })))
    }

    fn leave(self: Box<Self>) {
        self.shared.change(|state| {
            if let Some(group) = state.groups.get_mut(&self.membership.group) {
                group.leave(self.id, &state.topics);
            }
        });
    }
}
