//! What the cases have in common: patience, writing and reading a few records, and a member that
//! starts what it is assigned where its group has committed.

use std::collections::BTreeSet;
use std::time::Duration;

use hashbuy::log::{
    Error, Isolation, Kind, Member, Membership, NewRecord, Partition, Polled, Standing, Transactions,
};

use crate::fixture::Fixture;

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(20);
/// So many looks: a minute of pauses, several times the timeouts of sessions and transactions.
const LOOKS: usize = 3_000;

/// So many looks: less than a session.
const FEW_LOOKS: usize = 200;

/// Looks again and again until there is something.
pub fn eventually<T>(fixture: &dyn Fixture, what: &str, look: impl FnMut() -> Option<T>) -> T {
    within(LOOKS, fixture, what, look)
}

/// [`eventually`] for what has to come without anybody's session having to end.
pub fn soon<T>(fixture: &dyn Fixture, what: &str, look: impl FnMut() -> Option<T>) -> T {
    within(FEW_LOOKS, fixture, what, look)
}

fn within<T>(looks: usize, fixture: &dyn Fixture, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..looks {
        if let Some(found) = look() {
            return found;
        }
        fixture.pass(PAUSE);
    }
    panic!("this did not come, in {looks} looks: {what}");
}

/// What a call answers in the end, when it may answer [`Kind::Retry`] before.
pub fn insist<T>(fixture: &dyn Fixture, what: &str, mut call: impl FnMut() -> Result<T, Error>) -> T {
    eventually(fixture, what, || match call() {
        Ok(answer) => Some(answer),
        Err(error) if error.kind == Kind::Retry => None,
        Err(error) => panic!("{what}: {:?}: {error}", error.kind),
    })
}

/// A record with a value and no key.
pub fn record(partition: &Partition, value: &str) -> NewRecord {
    NewRecord { partition: partition.clone(), key: None, value: Some(value.into()), headers: Vec::new() }
}

/// A record with a key; without a value it is a tombstone.
pub fn keyed(partition: &Partition, key: &str, value: Option<&str>) -> NewRecord {
    let value = value.map(Into::into);
    NewRecord { partition: partition.clone(), key: Some(key.into()), value, headers: Vec::new() }
}

/// Writes records without a transaction, and waits until they are safe.
pub fn write(fixture: &dyn Fixture, records: Vec<NewRecord>) {
    let mut producer = fixture.log().producer().unwrap();
    for record in records {
        insist(fixture, "a record is taken", || producer.send(record.clone()));
    }
    eventually(fixture, "records are acknowledged", || {
        (producer.outstanding(fixture.wait()).unwrap() == 0).then_some(())
    });
}

/// A producer of transactions.
pub fn transactions(fixture: &dyn Fixture, id: &str) -> Box<dyn Transactions + Send> {
    insist(fixture, "a producer of transactions", || fixture.log().transactions(id))
}

/// Begins a transaction and writes records in it.
pub fn begin(transactions: &mut dyn Transactions, records: Vec<NewRecord>) {
    transactions.begin().unwrap();
    for record in records {
        transactions.send(&record).unwrap();
    }
}

/// The watermarks of a partition.
pub fn watermarks(fixture: &dyn Fixture, partition: &Partition, isolation: Isolation) -> (u64, u64) {
    let mut lookup = fixture.log().lookup().unwrap();
    insist(fixture, "watermarks", || lookup.watermarks(partition, isolation))
}

/// Waits until a partition has come to this high watermark: what was written in a transaction is
/// there some time after it was sent.
pub fn await_end(fixture: &dyn Fixture, partition: &Partition, isolation: Isolation, end: u64) {
    eventually(fixture, &format!("{partition} ends at {end}"), || {
        (watermarks(fixture, partition, isolation).1 == end).then_some(())
    });
}

/// Reads a partition from an offset until the position has come to `until`: offsets and values.
pub fn read(
    fixture: &dyn Fixture,
    partition: &Partition,
    isolation: Isolation,
    from: u64,
    until: u64,
) -> Vec<(u64, String)> {
    let mut reader = fixture.log().reader(isolation).unwrap();
    reader.assign(&[(partition.clone(), from)]).unwrap();
    let mut read = Vec::new();
    eventually(fixture, &format!("position {until} of {partition}"), || {
        let polled = reader.poll(fixture.wait(), &mut |message| {
            assert_eq!((message.topic, message.partition), (&*partition.topic, partition.number));
            let value = message.value.map_or("(none)".into(), String::from_utf8_lossy);
            read.push((message.offset, value.into_owned()));
        });
        polled.unwrap();
        (reader.position(partition) >= Some(until)).then_some(())
    });
    read
}

/// Only the values.
pub fn values(read: &[(u64, String)]) -> Vec<&str> {
    read.iter().map(|(_, value)| value.as_str()).collect()
}

/// A standing that a commit without offsets has no use for, but has to be given: that of a member of a
/// group of its own.
pub fn some_standing(fixture: &dyn Fixture) -> Standing {
    let (group, topic) = (fixture.name("bystanders"), fixture.name("bystanding"));
    fixture.create(&topic, crate::fixture::plain(1));
    let mut peer = Peer::join(fixture, &group, &topic, None);
    eventually(fixture, "a member", || (peer.step() != Polled::Messages(0)).then_some(()));
    peer.member.standing().unwrap()
}

/// A member of a group.
pub struct Peer<'f> {
    fixture: &'f dyn Fixture,
    pub member: Box<dyn Member + Send>,
    /// What it has.
    pub assigned: BTreeSet<Partition>,
    /// What it has read: partitions, offsets and values.
    pub read: Vec<(Partition, u64, String)>,
    /// What it was told, but for messages.
    pub told: Vec<Polled>,
    /// Whether it starts what it is assigned.
    pub starts: bool,
}

impl<'f> Peer<'f> {
    pub fn join(fixture: &'f dyn Fixture, group: &str, topic: &str, instance: Option<&str>) -> Peer<'f> {
        let member = fixture.log().member(&Membership {
            group: group.to_owned(),
            topics: vec![topic.to_owned()],
            instance: instance.map(str::to_owned),
            isolation: Isolation::Committed,
        });
        let (assigned, read, told) = (BTreeSet::new(), Vec::new(), Vec::new());
        Peer { fixture, member: member.unwrap(), assigned, read, told, starts: true }
    }

    /// Polls once. What is assigned is started where the group has committed, or at 0; what is revoked
    /// is left to the caller to [`Peer::release`].
    pub fn try_step(&mut self) -> Result<Polled, Error> {
        let read = &mut self.read;
        let polled = self.member.poll(self.fixture.wait(), &mut |message| {
            let value = message.value.map_or("(none)".into(), String::from_utf8_lossy);
            let partition = Partition::new(message.topic, message.partition);
            read.push((partition, message.offset, value.into_owned()));
        })?;
        if let Polled::Assigned(partitions) = &polled {
            let member = &mut self.member;
            let committed = insist(self.fixture, "committed offsets", || member.committed(partitions));
            for (partition, committed) in partitions.iter().zip(committed) {
                if self.starts {
                    self.member.start(partition, committed.map_or(0, |committed| committed.offset))?;
                }
                assert!(self.assigned.insert(partition.clone()), "{partition} was assigned twice");
            }
        }
        if !matches!(polled, Polled::Messages(_)) {
            self.told.push(polled.clone());
        }
        Ok(polled)
    }

    /// [`Peer::try_step`] that must not fail.
    pub fn step(&mut self) -> Polled {
        self.try_step().unwrap()
    }

    /// Gives up what was revoked.
    pub fn release(&mut self, revoked: &[Partition]) {
        self.member.release().unwrap();
        for partition in revoked {
            assert!(self.assigned.remove(partition), "{partition} was revoked but never assigned");
        }
    }

    /// Polls once, and gives up at once what is revoked.
    pub fn settle(&mut self) {
        if let Polled::Revoked { partitions, .. } = self.step() {
            self.release(&partitions);
        }
    }

    /// Polls until it has so many partitions.
    pub fn await_share(&mut self, count: usize) {
        eventually(self.fixture, &format!("{count} partitions for a member"), || {
            self.settle();
            (self.assigned.len() == count).then_some(())
        });
    }

    /// The values that it has read.
    pub fn values(&self) -> Vec<&str> {
        self.read.iter().map(|(_, _, value)| value.as_str()).collect()
    }
}

/// Lets two members poll until they have so many partitions each.
pub fn await_shares(first: &mut Peer<'_>, second: &mut Peer<'_>, shares: (usize, usize)) {
    eventually(first.fixture, &format!("shares of {shares:?}"), || {
        first.settle();
        second.settle();
        ((first.assigned.len(), second.assigned.len()) == shares).then_some(())
    });
}

/// What a group has committed for a partition.
pub fn committed(fixture: &dyn Fixture, group: &str, partition: &Partition) -> Option<(u64, String)> {
    let mut lookup = fixture.log().lookup().unwrap();
    let partitions = std::slice::from_ref(partition);
    let found = insist(fixture, "committed offsets", || lookup.committed(group, partitions));
    assert_eq!(found.len(), 1);
    found.into_iter().flatten().next().map(|committed| (committed.offset, committed.metadata))
}
