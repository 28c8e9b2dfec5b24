//! Who reads what, and how a partition comes from one member to another.

use std::time::Duration;

use hashbuy::log::{Isolation, Kind, Partition, Polled};

use crate::fixture::{Fixture, plain};
use crate::tools::{
    Peer, await_end, await_shares, begin, committed, eventually, read, record, soon, transactions, values,
    write,
};

struct Scene {
    topic: String,
    group: String,
    partitions: Vec<Partition>,
}

/// A topic with one record in each partition, and a group.
fn scene(fixture: &dyn Fixture, partitions: u32) -> Scene {
    let (topic, group) = (fixture.name("topic"), fixture.name("group"));
    fixture.create(&topic, plain(partitions));
    let partitions: Vec<Partition> =
        (0..partitions).map(|number| Partition::new(topic.as_str(), number)).collect();
    let records =
        partitions.iter().map(|partition| record(partition, &format!("first of {}", partition.number)));
    write(fixture, records.collect());
    Scene { topic, group, partitions }
}

/// Polls one member until it has read so many records.
fn await_records(fixture: &dyn Fixture, peer: &mut Peer<'_>, count: usize) {
    eventually(fixture, &format!("{count} records"), || {
        peer.settle();
        (peer.read.len() >= count).then_some(())
    });
}

/// Polls until something is to be given up.
fn await_revoked(fixture: &dyn Fixture, peer: &mut Peer<'_>) -> (Vec<Partition>, bool) {
    eventually(fixture, "something to give up", || match peer.step() {
        Polled::Revoked { partitions, lost } => Some((partitions, lost)),
        _ => None,
    })
}

/// A member with open work is told to give a partition up, commits, and lets go; only then the other
/// one gets it, and goes on behind that commit. Every record is handled once.
pub fn hand_over(fixture: &dyn Fixture) {
    let Scene { topic, group, partitions } = scene(fixture, 2);
    let out = fixture.name("out");
    fixture.create(&out, plain(1));
    let out = Partition::new(out, 0);
    let mut producer = transactions(fixture, &fixture.name("id"));
    let mut old = Peer::join(fixture, &group, &topic, None);
    await_records(fixture, &mut old, 2);
    let work = old.read.iter().map(|(_, _, value)| record(&out, value)).collect();
    begin(&mut *producer, work);

    let mut new = Peer::join(fixture, &group, &topic, None);
    let (revoked, lost) = eventually(fixture, "something to give up", || {
        new.settle();
        match old.step() {
            Polled::Revoked { partitions, lost } => Some((partitions, lost)),
            _ => None,
        }
    });
    assert!(!lost);
    assert_eq!(revoked.len(), 1, "one of two: {revoked:?}");
    for _ in 0..50 {
        new.settle();
        assert!(new.assigned.is_empty(), "{:?} is still at work in the other member", new.assigned);
        fixture.pass(Duration::from_millis(10));
    }
    assert!(old.member.start(&revoked[0], 0).is_err(), "it stands still");
    let standing = old.member.standing().unwrap();
    let offsets: Vec<(Partition, u64)> = partitions.iter().map(|partition| (partition.clone(), 1)).collect();
    producer.commit(&offsets, &standing).unwrap();
    old.release(&revoked);
    write(fixture, partitions.iter().map(|partition| record(partition, "second")).collect());
    await_shares(&mut old, &mut new, (1, 1));
    assert_eq!(new.assigned.iter().collect::<Vec<_>>(), revoked.iter().collect::<Vec<_>>());

    await_records(fixture, &mut new, 1);
    eventually(fixture, "the second record of the other partition", || {
        old.settle();
        new.settle();
        (old.read.len() == 3).then_some(())
    });
    assert_eq!(new.values(), ["second"], "from behind what was committed");
    await_end(fixture, &out, Isolation::Committed, 3);
    assert_eq!(values(&read(fixture, &out, Isolation::Committed, 0, 3)), old.values()[..2]);
}

/// Who leaves is followed by the others at once, without a word to it.
pub fn leave(fixture: &dyn Fixture) {
    let Scene { topic, group, .. } = scene(fixture, 3);
    let mut first = Peer::join(fixture, &group, &topic, None);
    first.await_share(3);
    let mut second = Peer::join(fixture, &group, &topic, None);
    await_shares(&mut first, &mut second, (2, 1));
    let kept = first.assigned.clone();
    second.member.leave();
    soon(fixture, "all partitions again", || {
        first.settle();
        (first.assigned.len() == 3).then_some(())
    });
    assert!(kept.is_subset(&first.assigned));
    let lost = first.told.iter().filter(|told| matches!(told, Polled::Revoked { .. })).count();
    assert_eq!(lost, 1, "only when the other came: {:?}", first.told);
}

/// A static member that is killed and comes back in time has its partitions again, and nobody else
/// notices.
pub fn static_restart(fixture: &dyn Fixture) {
    let Scene { topic, group, .. } = scene(fixture, 4);
    let names = [fixture.name("one"), fixture.name("two")];
    let mut one = Peer::join(fixture, &group, &topic, Some(&names[0]));
    let mut two = Peer::join(fixture, &group, &topic, Some(&names[1]));
    await_shares(&mut one, &mut two, (2, 2));
    let mine = one.assigned.clone();
    let told = two.told.len();
    drop(one);
    for _ in 0..10 {
        two.settle();
    }
    let mut one = Peer::join(fixture, &group, &topic, Some(&names[0]));
    eventually(fixture, "its partitions again", || {
        one.settle();
        two.settle();
        (one.assigned.len() == 2).then_some(())
    });
    assert_eq!(one.assigned, mine);
    let changes = two.told[told..].iter().filter(|&told| *told != Polled::Assigned(Vec::new()));
    assert_eq!(changes.count(), 0, "the other one was told {:?}", &two.told[told..]);
    await_records(fixture, &mut one, 2);
}

/// Of two static members with one name the younger stays, and the older ends.
pub fn static_fencing(fixture: &dyn Fixture) {
    let Scene { topic, group, .. } = scene(fixture, 2);
    let name = fixture.name("name");
    let mut older = Peer::join(fixture, &group, &topic, Some(&name));
    older.await_share(2);
    let mut younger = Peer::join(fixture, &group, &topic, Some(&name));
    younger.await_share(2);
    let error = eventually(fixture, "the older one ends", || {
        younger.settle();
        match older.try_step() {
            Ok(Polled::Revoked { partitions, .. }) => {
                older.release(&partitions);
                None
            }
            answer => answer.err(),
        }
    });
    assert_eq!(error.kind, Kind::Fatal, "{error}");
    assert_eq!(older.try_step().unwrap_err().kind, Kind::Fatal, "and it stays so");
    let offsets: Vec<_> = younger.assigned.iter().map(|partition| (partition.clone(), 1)).collect();
    let mut producer = transactions(fixture, &fixture.name("id"));
    producer.begin().unwrap();
    producer.commit(&offsets, &younger.member.standing().unwrap()).unwrap();
    for (partition, offset) in offsets {
        assert_eq!(committed(fixture, &group, &partition).map(|found| found.0), Some(offset));
    }
}

/// A member without a partition is told so, is a member, and gets its share when there is one.
pub fn empty_assignment(fixture: &dyn Fixture) {
    let Scene { topic, group, .. } = scene(fixture, 1);
    let mut first = Peer::join(fixture, &group, &topic, None);
    await_records(fixture, &mut first, 1);
    let mut second = Peer::join(fixture, &group, &topic, None);
    eventually(fixture, "an empty assignment", || {
        first.settle();
        second.settle();
        second.told.contains(&Polled::Assigned(Vec::new())).then_some(())
    });
    for _ in 0..10 {
        first.settle();
        second.settle();
    }
    second.member.standing().unwrap();
    let (idle, busy) = if first.assigned.is_empty() { (&mut first, second) } else { (&mut second, first) };
    assert_eq!((idle.assigned.len(), busy.assigned.len()), (0, 1));
    busy.member.leave();
    idle.await_share(1);
}

/// Partitions that a topic gets later are read as well, from their beginning.
pub fn grown_topic(fixture: &dyn Fixture) {
    let Scene { topic, group, .. } = scene(fixture, 1);
    let mut peer = Peer::join(fixture, &group, &topic, None);
    await_records(fixture, &mut peer, 1);
    fixture.grow(&topic, 3);
    write(fixture, vec![record(&Partition::new(topic.as_str(), 2), "new")]);
    await_records(fixture, &mut peer, 2);
    assert_eq!(peer.values(), ["first of 0", "new"]);
    peer.await_share(3);
    let mut lookup = fixture.log().lookup().unwrap();
    assert_eq!(lookup.partitions(&topic), Ok(Some(3)));
}

/// A partition that stands still is not read, from its assignment on; others are. A start goes where
/// it is told, forwards or back.
pub fn pause(fixture: &dyn Fixture) {
    let Scene { topic, group, partitions } = scene(fixture, 2);
    let mut peer = Peer::join(fixture, &group, &topic, None);
    await_records(fixture, &mut peer, 2);

    let mut idle = Peer::join(fixture, &fixture.name("idle"), &topic, None);
    idle.starts = false;
    idle.await_share(2);
    for _ in 0..20 {
        idle.settle();
        fixture.pass(Duration::from_millis(5));
    }
    assert_eq!(idle.read, [], "it was not started");
    assert_eq!(idle.member.position(&partitions[0]), None);

    peer.member.pause(&partitions[0]).unwrap();
    peer.read.clear();
    write(fixture, partitions.iter().map(|partition| record(partition, "second")).collect());
    await_records(fixture, &mut peer, 1);
    for _ in 0..20 {
        peer.settle();
        fixture.pass(Duration::from_millis(5));
    }
    let wanted = |number: usize, offset, value: &str| (partitions[number].clone(), offset, value.to_owned());
    assert_eq!(peer.read, [wanted(1, 1, "second")]);
    peer.member.start(&partitions[0], 1).unwrap();
    await_records(fixture, &mut peer, 2);
    peer.member.start(&partitions[1], 0).unwrap();
    await_records(fixture, &mut peer, 4);
    assert_eq!(peer.read[1..], [wanted(0, 1, "second"), wanted(1, 0, "first of 1"), wanted(1, 1, "second")]);
    assert_eq!(peer.member.position(&partitions[0]), Some(2));
    let stranger = Partition::new(topic, 7);
    assert!(peer.member.start(&stranger, 0).is_err());
    assert!(peer.member.pause(&stranger).is_err());
    assert!(peer.member.release().is_err(), "there is nothing to be given up");
}

/// A member whose session has ended is told that its partitions are lost, and may come back.
pub fn lost(fixture: &dyn Fixture) {
    let Scene { topic, group, partitions } = scene(fixture, 2);
    let mut silent = Peer::join(fixture, &group, &topic, None);
    silent.await_share(2);
    let mut other = Peer::join(fixture, &group, &topic, None);
    other.await_share(2);
    let (mut revoked, lost) = await_revoked(fixture, &mut silent);
    assert!(lost);
    revoked.sort();
    assert_eq!(revoked, partitions);
    silent.release(&revoked);
    await_shares(&mut silent, &mut other, (1, 1));
}
