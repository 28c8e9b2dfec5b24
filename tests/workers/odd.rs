//! A log with oddities that librdkafka has, and the memory log has not.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use hashbuy::log::{
    Committed, Error, Isolation, Log, Lookup, Member, Membership, Message, Partition, Polled, Producer,
    Reader, Standing, Transactions,
};

/// What is odd at the moment.
#[derive(Default)]
pub struct Oddities {
    /// So many of the next seeks say Ok, and nothing comes.
    pub lost_seeks: AtomicU32,
    /// A member is not told that all it had was lost, when it has it again at once.
    pub silent_losses: AtomicBool,
    /// How often that was so.
    pub were_silent: AtomicU32,
}

/// Another log with oddities.
pub struct Odd {
    pub log: Arc<dyn Log>,
    pub oddities: Arc<Oddities>,
}

impl Log for Odd {
    fn member(&self, membership: &Membership) -> Result<Box<dyn Member + Send>, Error> {
        let (member, oddities) = (self.log.member(membership)?, Arc::clone(&self.oddities));
        Ok(Box::new(OddMember { member, oddities, next: BTreeMap::new(), lost: BTreeMap::new() }))
    }

    fn reader(&self, isolation: Isolation) -> Result<Box<dyn Reader + Send>, Error> {
        self.log.reader(isolation)
    }

    fn producer(&self) -> Result<Box<dyn Producer + Send>, Error> {
        self.log.producer()
    }

    fn transactions(&self, id: &str) -> Result<Box<dyn Transactions + Send>, Error> {
        self.log.transactions(id)
    }

    fn lookup(&self) -> Result<Box<dyn Lookup + Send>, Error> {
        self.log.lookup()
    }
}

struct OddMember {
    member: Box<dyn Member + Send>,
    oddities: Arc<Oddities>,
    /// The next offset of each partition that was started.
    next: BTreeMap<Partition, u64>,
    /// What was lost and its worker does not know of.
    lost: BTreeMap<Partition, u64>,
}

impl Member for OddMember {
    fn poll(&mut self, wait: Duration, each: &mut dyn FnMut(Message<'_>)) -> Result<Polled, Error> {
        let next = &mut self.next;
        let polled = self.member.poll(wait, &mut |message| {
            next.insert(Partition::new(message.topic, message.partition), message.offset + 1);
            each(message);
        })?;
        match polled {
            Polled::Revoked { lost: true, .. } if self.oddities.silent_losses.load(Ordering::SeqCst) => {
                self.lost = std::mem::take(&mut self.next);
                self.member.release()?;
                self.poll(wait, each)
            }
            Polled::Revoked { partitions, lost } => {
                self.next.retain(|partition, _| !partitions.contains(partition));
                Ok(Polled::Revoked { partitions, lost })
            }
            // What it has again runs on from where it was.
            Polled::Assigned(mut partitions) if !self.lost.is_empty() => {
                for (partition, next) in std::mem::take(&mut self.lost) {
                    assert!(partitions.contains(&partition), "{partition} is somebody else's still");
                    partitions.retain(|assigned| *assigned != partition);
                    self.member.start(&partition, next)?;
                    self.next.insert(partition, next);
                }
                self.oddities.were_silent.fetch_add(1, Ordering::SeqCst);
                Ok(Polled::Assigned(partitions))
            }
            polled => Ok(polled),
        }
    }

    fn start(&mut self, partition: &Partition, offset: u64) -> Result<(), Error> {
        self.member.start(partition, offset)?;
        self.next.insert(partition.clone(), offset);
        let fewer = |left: u32| left.checked_sub(1);
        match self.oddities.lost_seeks.fetch_update(Ordering::SeqCst, Ordering::SeqCst, fewer) {
            Ok(_) => self.member.pause(partition),
            Err(_) => Ok(()),
        }
    }

    fn pause(&mut self, partition: &Partition) -> Result<(), Error> {
        self.member.pause(partition)
    }

    fn release(&mut self) -> Result<(), Error> {
        self.member.release()
    }

    fn position(&self, partition: &Partition) -> Option<u64> {
        self.member.position(partition)
    }

    fn committed(&mut self, partitions: &[Partition]) -> Result<Vec<Option<Committed>>, Error> {
        self.member.committed(partitions)
    }

    fn commit(&mut self, offsets: &[(Partition, Committed)]) -> Result<(), Error> {
        self.member.commit(offsets)
    }

    fn standing(&self) -> Result<Standing, Error> {
        self.member.standing()
    }

    fn leave(self: Box<Self>) {
        self.member.leave();
    }
}
