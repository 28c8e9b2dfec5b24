//! A group: who is in it, who reads what, and what it has committed.
//!
//! A partition moves in three steps, so that two members never read it at once:
//!
//! ```text
//! assigned to A --(target: B)--> A is told Revoked --(A releases, or its session ends)--> assigned to B
//! ```
//!
//! The *target* is what the assignor wants. A *seat* is a member's place: what it *holds* is nobody
//! else's, and what it was *told* of is what it may be at work on. Whatever changes the target or frees
//! a partition begins a new *generation*; a member learns of it at its next poll, and until then its
//! standing is out of date, as with a real broker.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::assignor::{Candidate, assign};
use super::topic::Topic;
use crate::core::time::Time;
use crate::log::{Committed, Error, Kind, Membership, Partition, Polled};

/// A member's place in a group.
#[derive(Debug)]
struct Seat {
    topics: BTreeSet<String>,
    /// Its session ends when this is past.
    alive_until: Time,
    /// Nobody else has these.
    held: BTreeSet<Partition>,
    /// Those of them that it knows of.
    told: BTreeSet<Partition>,
    /// The generation it knows of; 0: none.
    generation: u64,
}

/// What a group knows of a member that speaks to it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// It is a member.
    Seated,
    /// Its session has ended, or it has left.
    Gone,
    /// Another member has come under the same instance name.
    Replaced,
}

#[derive(Debug, Default)]
pub(super) struct Group {
    generation: u64,
    /// By member id; ids ascend.
    seats: BTreeMap<u64, Seat>,
    /// Who came last under each instance name.
    instances: BTreeMap<String, u64>,
    target: BTreeMap<u64, BTreeSet<Partition>>,
    pub offsets: BTreeMap<Partition, Committed>,
}

impl Group {
    /// Gives a new member its seat: that of the same instance if it has one, or a fresh one.
    pub fn join(
        &mut self,
        id: u64,
        membership: &Membership,
        alive_until: Time,
        topics: &BTreeMap<String, Topic>,
    ) {
        let mut seat = Seat {
            topics: membership.topics.iter().cloned().collect(),
            alive_until,
            held: BTreeSet::new(),
            told: BTreeSet::new(),
            generation: 0,
        };
        let former = membership.instance.clone().and_then(|instance| self.instances.insert(instance, id));
        let former = former.and_then(|former| Some((former, self.seats.remove(&former)?)));
        let Some((former, left)) = former else {
            self.seats.insert(id, seat);
            return self.rebalance(topics);
        };
        let same = left.topics == seat.topics;
        seat.held = left.held;
        self.seats.insert(id, seat);
        if let Some(target) = self.target.remove(&former) {
            self.target.insert(id, target);
        }
        if same { self.settle() } else { self.rebalance(topics) }
    }

    /// Takes a member's seat away.
    pub fn leave(&mut self, id: u64, topics: &BTreeMap<String, Topic>) {
        if self.seats.remove(&id).is_some() {
            self.rebalance(topics);
        }
    }

    /// Ends the sessions that are due.
    pub fn expire(&mut self, now: Time, topics: &BTreeMap<String, Topic>) -> bool {
        let seats = self.seats.len();
        self.seats.retain(|_, seat| seat.alive_until >= now);
        let expired = self.seats.len() < seats;
        if expired {
            self.rebalance(topics);
        }
        expired
    }

    /// A sign of life of a member.
    pub fn touch(&mut self, id: u64, now: Time, session: Duration) {
        if let Some(seat) = self.seats.get_mut(&id) {
            seat.alive_until = seat.alive_until.max(now.plus(super::millis(session)));
        }
    }

    pub fn place(&self, id: u64, instance: Option<&str>) -> Place {
        match instance.and_then(|instance| self.instances.get(instance)) {
            Some(&last) if last != id => Place::Replaced,
            _ if self.seats.contains_key(&id) => Place::Seated,
            _ => Place::Gone,
        }
    }

    /// The generation that a member knows of; none if it knows of none.
    pub fn generation_of(&self, id: u64) -> Option<u64> {
        self.seats.get(&id).map(|seat| seat.generation).filter(|&generation| generation > 0)
    }

    /// Whether a standing is that of a member now.
    ///
    /// # Errors
    /// [`Kind::Refused`], as a broker answers unknown members, old generations and fenced instances.
    pub fn check(&self, id: u64, instance: Option<&str>, generation: u64) -> Result<(), Error> {
        let what = match self.place(id, instance) {
            Place::Seated if self.generation == generation => return Ok(()),
            Place::Seated => format!("generation {generation} is over, the group is at {}", self.generation),
            Place::Gone => format!("member {id} is not in the group any more"),
            Place::Replaced => format!("member {id} was replaced by another of the same instance"),
        };
        Err(Error::new(Kind::Refused, what))
    }

    /// What a member is to be told next about its assignment; it knows of it from now on.
    pub fn news(&mut self, id: u64) -> Option<Polled> {
        let none = BTreeSet::new();
        let target = self.target.get(&id).unwrap_or(&none);
        let seat = self.seats.get_mut(&id)?;
        let known = std::mem::replace(&mut seat.generation, self.generation);
        let revoked: Vec<Partition> = seat.told.difference(target).cloned().collect();
        if !revoked.is_empty() {
            return Some(Polled::Revoked { partitions: revoked, lost: false });
        }
        let assigned: Vec<Partition> = seat.held.difference(&seat.told).cloned().collect();
        if assigned.is_empty() && known == self.generation {
            return None;
        }
        seat.told.extend(assigned.iter().cloned());
        Some(Polled::Assigned(assigned))
    }

    /// A member gives partitions up.
    pub fn release(&mut self, id: u64, partitions: &[Partition]) {
        let Some(seat) = self.seats.get_mut(&id) else { return };
        for partition in partitions {
            seat.held.remove(partition);
            seat.told.remove(partition);
        }
        self.generation += 1;
        self.settle();
    }

    /// Makes a new target, and a new generation.
    pub fn rebalance(&mut self, topics: &BTreeMap<String, Topic>) {
        let read: BTreeSet<&String> = self.seats.values().flat_map(|seat| &seat.topics).collect();
        let there = read.into_iter().filter_map(|name| Some((name, topics.get(name)?)));
        let partitions = there
            .flat_map(|(name, topic)| {
                (0..topic.settings.partitions).map(|number| Partition::new(name.as_str(), number))
            })
            .collect();
        let candidates = self.seats.iter().map(|(&id, seat)| {
            let Seat { topics, held, .. } = seat;
            (id, Candidate { topics, held })
        });
        self.target = assign(&candidates.collect(), &partitions);
        self.generation += 1;
        self.settle();
    }

    /// Frees what was never spoken of, and gives what is free to whom it is meant for.
    fn settle(&mut self) {
        let none = BTreeSet::new();
        for (id, seat) in &mut self.seats {
            let target = self.target.get(id).unwrap_or(&none);
            seat.held.retain(|partition| seat.told.contains(partition) || target.contains(partition));
        }
        let taken: BTreeSet<Partition> = self.seats.values().flat_map(|seat| &seat.held).cloned().collect();
        for (id, target) in &self.target {
            if let Some(seat) = self.seats.get_mut(id) {
                seat.held.extend(target.difference(&taken).cloned());
            }
        }
    }

    /// Whether any member reads a topic.
    pub fn reads(&self, topic: &str) -> bool {
        self.seats.values().any(|seat| seat.topics.contains(topic))
    }
}
