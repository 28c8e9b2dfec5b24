//! Committed offsets: what is remembered with them, and who may commit them.

use hashbuy::log::{Committed, Kind, Partition, Polled};

use crate::fixture::{Fixture, plain};
use crate::tools::{
    Peer, await_end, await_shares, begin, committed, eventually, insist, read, record, transactions, values,
    write,
};

fn at(partition: &Partition, offset: u64, metadata: &str) -> (Partition, Committed) {
    (partition.clone(), Committed { offset, metadata: metadata.to_owned() })
}

/// A topic with ten records in each partition, and a group.
fn scene(fixture: &dyn Fixture, partitions: u32) -> (String, String, Vec<Partition>) {
    let (topic, group) = (fixture.name("topic"), fixture.name("group"));
    fixture.create(&topic, plain(partitions));
    let partitions: Vec<Partition> =
        (0..partitions).map(|number| Partition::new(topic.as_str(), number)).collect();
    write(fixture, partitions.iter().cycle().take(10 * partitions.len()).map(|p| record(p, "x")).collect());
    (topic, group, partitions)
}

/// A topic for what transactions write.
fn out(fixture: &dyn Fixture) -> Partition {
    let out = fixture.name("out");
    fixture.create(&out, plain(1));
    Partition::new(out, 0)
}

/// An offset comes back with what was committed with it, the last one counts, and what was not
/// committed has none.
pub fn commit_metadata(fixture: &dyn Fixture) {
    let (topic, group, partitions) = scene(fixture, 3);
    let mut peer = Peer::join(fixture, &group, &topic, None);
    peer.await_share(3);
    assert_eq!(peer.member.committed(&partitions), Ok(vec![None, None, None]));
    peer.member.commit(&[at(&partitions[0], 3, "old"), at(&partitions[2], 0, "")]).unwrap();
    peer.member.commit(&[at(&partitions[0], 7, "t=1360756800123 \u{1F6D2} \"x\"")]).unwrap();
    let wanted =
        [at(&partitions[2], 0, "").1, at(&partitions[0], 7, "t=1360756800123 \u{1F6D2} \"x\"").1].map(Some);
    let asked = [partitions[2].clone(), partitions[0].clone()];
    assert_eq!(peer.member.committed(&asked).unwrap(), wanted, "in the order of the question");
    let mut lookup = fixture.log().lookup().unwrap();
    assert_eq!(lookup.committed(&group, &asked).unwrap(), wanted, "for others as well");
    assert_eq!(committed(fixture, &group, &partitions[1]), None);
    // An offset may go back.
    peer.member.commit(&[at(&partitions[0], 5, "back")]).unwrap();
    assert_eq!(committed(fixture, &group, &partitions[0]), Some((5, "back".to_owned())));
    let stranger = Partition::new(topic, 9);
    assert!(peer.member.commit(&[at(&stranger, 1, "")]).is_err(), "not assigned");
}

/// Groups do not see each other's offsets, but anybody can look them up.
pub fn another_group(fixture: &dyn Fixture) {
    let (topic, _, partitions) = scene(fixture, 1);
    let groups = [fixture.name("one"), fixture.name("two")];
    let mut peers = groups.each_ref().map(|group| Peer::join(fixture, group, &topic, None));
    for (number, peer) in (1..).zip(&mut peers) {
        peer.await_share(1);
        peer.member.commit(&[at(&partitions[0], number, &format!("of {number}"))]).unwrap();
    }
    assert_eq!(committed(fixture, &groups[0], &partitions[0]), Some((1, "of 1".to_owned())));
    assert_eq!(committed(fixture, &groups[1], &partitions[0]), Some((2, "of 2".to_owned())));
    assert_eq!(committed(fixture, &fixture.name("nobody"), &partitions[0]), None);
    let [one, two] = peers;
    one.member.leave();
    drop(two);
    assert_eq!(
        committed(fixture, &groups[0], &partitions[0]),
        Some((1, "of 1".to_owned())),
        "without members too"
    );
}

/// A standing from before the group has met again commits nothing; a fresh one does.
pub fn fenced_generation(fixture: &dyn Fixture) {
    let (topic, group, partitions) = scene(fixture, 2);
    let out = out(fixture);
    let mut producer = transactions(fixture, &fixture.name("id"));
    let mut first = Peer::join(fixture, &group, &topic, None);
    first.await_share(2);
    let old = first.member.standing().unwrap();
    begin(&mut *producer, vec![record(&out, "stale")]);
    let mut second = Peer::join(fixture, &group, &topic, None);
    let revoked = eventually(fixture, "something to give up", || {
        second.settle();
        match first.step() {
            Polled::Revoked { partitions, .. } => Some(partitions),
            _ => None,
        }
    });
    let error = producer.commit(&[(partitions[0].clone(), 5)], &old).unwrap_err();
    assert_eq!(error.kind, Kind::Refused, "{error}");
    producer.abort().unwrap();
    first.release(&revoked);
    await_shares(&mut first, &mut second, (1, 1));
    assert_eq!(committed(fixture, &group, &partitions[0]), None);

    // The group may still be meeting: then this is refused as well, and tried again.
    let mine = first.assigned.first().unwrap().clone();
    eventually(fixture, "a commit with a fresh standing", || {
        first.settle();
        second.settle();
        begin(&mut *producer, vec![record(&out, "fresh")]);
        match producer.commit(&[(mine.clone(), 6)], &first.member.standing().unwrap()) {
            Ok(()) => Some(()),
            Err(error) => {
                assert_eq!(error.kind, Kind::Refused, "{error}");
                producer.abort().unwrap();
                None
            }
        }
    });
    assert_eq!(committed(fixture, &group, &mine).map(|found| found.0), Some(6));
    let stored = fixture.records(&out.topic);
    let stored: Vec<&[u8]> = stored.iter().filter_map(|stored| stored.value.as_deref()).collect();
    assert_eq!(stored, [b"fresh"], "once, and nothing stale");
}

/// A member whose session has ended while it was silent commits nothing, in a transaction or without;
/// when it speaks again it is told that all is lost, and may begin anew.
pub fn zombie_commit(fixture: &dyn Fixture) {
    let (topic, group, partitions) = scene(fixture, 2);
    let out = out(fixture);
    let mut zombie = Peer::join(fixture, &group, &topic, None);
    zombie.await_share(2);
    zombie.member.commit(&[at(&partitions[0], 1, "alive"), at(&partitions[1], 1, "alive")]).unwrap();
    let standing = zombie.member.standing().unwrap();
    let mut heir = Peer::join(fixture, &group, &topic, None);
    heir.await_share(2);
    heir.member.commit(&[at(&partitions[0], 2, "heir")]).unwrap();

    let error = zombie.member.commit(&[at(&partitions[0], 9, "zombie"), at(&partitions[1], 9, "zombie")]);
    assert_eq!(error.unwrap_err().kind, Kind::Fenced);
    let mut producer = transactions(fixture, &fixture.name("id"));
    begin(&mut *producer, vec![record(&out, "zombie")]);
    let error = producer.commit(&[(partitions[1].clone(), 9)], &standing).unwrap_err();
    assert_eq!(error.kind, Kind::Refused, "{error}");
    producer.abort().unwrap();
    await_end(fixture, &out, hashbuy::log::Isolation::Committed, 2);
    assert_eq!(values(&read(fixture, &out, hashbuy::log::Isolation::Committed, 0, 2)), [""; 0]);
    assert_eq!(committed(fixture, &group, &partitions[0]), Some((2, "heir".to_owned())));
    assert_eq!(committed(fixture, &group, &partitions[1]), Some((1, "alive".to_owned())));

    let mut revoked = eventually(fixture, "the zombie is told", || {
        heir.settle();
        match zombie.step() {
            Polled::Revoked { partitions, lost } => {
                assert!(lost, "they are somebody else's already");
                Some(partitions)
            }
            _ => None,
        }
    });
    revoked.sort();
    assert_eq!(revoked, partitions);
    zombie.release(&revoked);
    await_shares(&mut zombie, &mut heir, (1, 1));
}

/// While a transaction that has sent offsets is open, nobody is told the old ones.
pub fn pending_offsets(fixture: &dyn Fixture) {
    let (topic, group, partitions) = scene(fixture, 2);
    let id = fixture.name("id");
    let mut peer = Peer::join(fixture, &group, &topic, None);
    peer.await_share(2);
    peer.member.commit(&[at(&partitions[0], 1, "one"), at(&partitions[1], 1, "one")]).unwrap();
    fixture.half_commit(&id, &group, &[(partitions[0].clone(), 5)], &peer.member.standing().unwrap());
    let error = peer.member.committed(&partitions).unwrap_err();
    assert_eq!(error.kind, Kind::Retry, "{error}");
    let mut lookup = fixture.log().lookup().unwrap();
    assert_eq!(lookup.committed(&group, &partitions[..1]).unwrap_err().kind, Kind::Retry);
    assert_eq!(
        committed(fixture, &group, &partitions[1]).map(|found| found.0),
        Some(1),
        "the other partition"
    );

    // The next producer under this id ends it.
    transactions(fixture, &id);
    let found = insist(fixture, "the offsets", || peer.member.committed(&partitions));
    assert_eq!(found, [Some(at(&partitions[0], 1, "one").1), Some(at(&partitions[1], 1, "one").1)]);

    // So does its timeout.
    fixture.half_commit(&id, &group, &[(partitions[1].clone(), 5)], &peer.member.standing().unwrap());
    assert_eq!(lookup.committed(&group, &partitions).unwrap_err().kind, Kind::Retry);
    let found = eventually(fixture, "the offsets", || {
        peer.settle();
        lookup.committed(&group, &partitions[1..]).ok()
    });
    assert_eq!(found, [Some(at(&partitions[1], 1, "one").1)]);
}
