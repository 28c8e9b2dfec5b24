//! All or nothing: what readers see of transactions.

use hashbuy::log::Isolation::{Committed, Uncommitted};
use hashbuy::log::{Kind, Partition};

use crate::fixture::{Fixture, plain};
use crate::tools::{
    Peer, await_end, begin, committed, eventually, read, record, some_standing, transactions, values,
    watermarks, write,
};

fn topic(fixture: &dyn Fixture, partitions: u32) -> Vec<Partition> {
    let topic = fixture.name("topic");
    fixture.create(&topic, plain(partitions));
    (0..partitions).map(|number| Partition::new(topic.as_str(), number)).collect()
}

/// A commit shows the records in all partitions, and moves the group's offsets.
pub fn commit(fixture: &dyn Fixture) {
    let out = topic(fixture, 2);
    let (source, group) = (fixture.name("source"), fixture.name("group"));
    fixture.create(&source, plain(1));
    let mut peer = Peer::join(fixture, &group, &source, None);
    peer.await_share(1);
    let source = Partition::new(source, 0);
    let mut producer = transactions(fixture, &fixture.name("id"));
    for round in 1..=3 {
        let records = out.iter().map(|partition| record(partition, &format!("round {round}"))).collect();
        begin(&mut *producer, records);
        let standing = peer.member.standing().unwrap();
        producer.commit(&[(source.clone(), round)], &standing).unwrap();
    }
    for partition in &out {
        // Each commit takes an offset.
        await_end(fixture, partition, Committed, 6);
        let read = read(fixture, partition, Committed, 0, 6);
        let wanted = [(0, "round 1".to_owned()), (2, "round 2".to_owned()), (4, "round 3".to_owned())];
        assert_eq!(read, wanted);
    }
    assert_eq!(committed(fixture, &group, &source).map(|(offset, _)| offset), Some(3));
}

/// What was aborted is never read as committed, in no partition; nor are its offsets.
pub fn abort(fixture: &dyn Fixture) {
    let out = topic(fixture, 2);
    let standing = some_standing(fixture);
    let mut producer = transactions(fixture, &fixture.name("id"));
    begin(&mut *producer, vec![record(&out[0], "no"), record(&out[1], "no"), record(&out[0], "nor this")]);
    await_end(fixture, &out[0], Uncommitted, 2);
    write(fixture, vec![record(&out[0], "between")]);
    producer.abort().unwrap();
    begin(&mut *producer, vec![record(&out[0], "yes"), record(&out[1], "yes")]);
    producer.commit(&[], &standing).unwrap();

    await_end(fixture, &out[0], Committed, 6);
    await_end(fixture, &out[1], Committed, 4);
    assert_eq!(values(&read(fixture, &out[0], Committed, 0, 6)), ["between", "yes"]);
    assert_eq!(values(&read(fixture, &out[0], Committed, 1, 6)), ["between", "yes"], "from within it");
    assert_eq!(values(&read(fixture, &out[1], Committed, 0, 4)), ["yes"]);
    assert_eq!(values(&read(fixture, &out[0], Uncommitted, 0, 6)), ["no", "nor this", "between", "yes"]);
    let stored = fixture.records(&out[0].topic);
    assert_eq!(
        stored.iter().map(|stored| stored.offset).collect::<Vec<_>>(),
        [2, 4, 2],
        "in both partitions"
    );
}

/// An open transaction holds back what is behind its first record, its own and that of others, until
/// it ends; in its own partitions only.
pub fn pinned_last_stable_offset(fixture: &dyn Fixture) {
    let out = topic(fixture, 2);
    let standing = some_standing(fixture);
    write(fixture, vec![record(&out[0], "before"), record(&out[1], "before")]);
    let mut long = transactions(fixture, &fixture.name("long"));
    let mut short = transactions(fixture, &fixture.name("short"));
    begin(&mut *long, vec![record(&out[0], "long")]);
    await_end(fixture, &out[0], Uncommitted, 2);
    begin(&mut *short, vec![record(&out[0], "short"), record(&out[1], "short")]);
    await_end(fixture, &out[0], Uncommitted, 3);
    await_end(fixture, &out[1], Uncommitted, 2);
    assert_eq!(watermarks(fixture, &out[0], Committed), (0, 1), "the first of two open ones counts");
    assert_eq!(watermarks(fixture, &out[1], Committed), (0, 1));
    short.commit(&[], &standing).unwrap();
    await_end(fixture, &out[1], Committed, 3);
    await_end(fixture, &out[0], Uncommitted, 4);
    write(fixture, vec![record(&out[0], "behind")]);

    assert_eq!(watermarks(fixture, &out[0], Committed), (0, 1));
    assert_eq!(watermarks(fixture, &out[0], Uncommitted), (0, 5));
    assert_eq!(values(&read(fixture, &out[0], Uncommitted, 0, 5)), ["before", "long", "short", "behind"]);
    let mut reader = fixture.log().reader(Committed).unwrap();
    reader.assign(&[(out[0].clone(), 0)]).unwrap();
    let mut seen = Vec::new();
    for _ in 0..20 {
        reader.poll(fixture.wait(), &mut |message| seen.push(message.offset)).unwrap();
        fixture.pass(std::time::Duration::from_millis(5));
    }
    assert_eq!(seen, [0], "nothing of or behind an open transaction");

    long.commit(&[], &standing).unwrap();
    eventually(fixture, "all of it", || {
        reader.poll(fixture.wait(), &mut |message| seen.push(message.offset)).unwrap();
        (reader.position(&out[0]) == Some(6)).then_some(())
    });
    assert_eq!(seen, [0, 1, 2, 4]);
    assert_eq!(watermarks(fixture, &out[0], Committed), (0, 6));
}

/// A reader comes to the watermark whatever stands before it: records, control records, aborted ones.
pub fn end_of_partition(fixture: &dyn Fixture) {
    let partition = topic(fixture, 1).remove(0);
    let standing = some_standing(fixture);
    let mut producer = transactions(fixture, &fixture.name("id"));
    let mut reader = fixture.log().reader(Committed).unwrap();
    reader.assign(&[(partition.clone(), 0)]).unwrap();
    assert_eq!(reader.position(&partition), Some(0), "before anything was read");
    let mut read = Vec::new();
    let mut read_to = |end: u64| {
        await_end(fixture, &partition, Committed, end);
        eventually(fixture, &format!("position {end}"), || {
            reader.poll(fixture.wait(), &mut |message| read.push(message.offset)).unwrap();
            (reader.position(&partition) == Some(end)).then_some(())
        });
        read.len()
    };
    write(fixture, vec![record(&partition, "plain")]);
    assert_eq!(read_to(1), 1);
    begin(&mut *producer, vec![record(&partition, "committed")]);
    producer.commit(&[], &standing).unwrap();
    assert_eq!(read_to(3), 2, "a control record at the end");
    begin(&mut *producer, vec![record(&partition, "aborted"), record(&partition, "aborted")]);
    await_end(fixture, &partition, Uncommitted, 5);
    producer.abort().unwrap();
    assert_eq!(read_to(6), 2, "nothing but what was aborted, and a control record");

    // From an offset behind which there is nothing to be handed.
    assert_eq!(self::read(fixture, &partition, Committed, 3, 6), []);
    assert_eq!(self::read(fixture, &partition, Committed, 6, 6), []);
    assert_eq!(values(&self::read(fixture, &partition, Uncommitted, 3, 6)), ["aborted", "aborted"]);
}

/// A producer ends those before it under the same id, with what they have open.
pub fn producer_fencing(fixture: &dyn Fixture) {
    let partition = topic(fixture, 1).remove(0);
    let standing = some_standing(fixture);
    let id = fixture.name("id");
    let mut first = transactions(fixture, &id);
    begin(&mut *first, vec![record(&partition, "first")]);
    await_end(fixture, &partition, Uncommitted, 1);
    let mut second = transactions(fixture, &id);
    begin(&mut *second, vec![record(&partition, "second")]);
    // Whether it is told so at once or later does not matter.
    let _ = first.send(&record(&partition, "late"));
    let error = first.commit(&[], &standing).unwrap_err();
    assert_eq!(error.kind, Kind::Fenced, "{error}");
    assert!(first.begin().is_err(), "it is spent");
    second.commit(&[], &standing).unwrap();
    await_end(fixture, &partition, Committed, 4);
    assert_eq!(values(&read(fixture, &partition, Committed, 0, 4)), ["second"]);

    // An idle one is fenced as well.
    let mut third = transactions(fixture, &id);
    let outcome = second.begin().and_then(|()| second.send(&record(&partition, "late")));
    let outcome = outcome.and_then(|()| second.commit(&[], &standing));
    assert_eq!(outcome.unwrap_err().kind, Kind::Fenced);
    begin(&mut *third, vec![record(&partition, "third")]);
    third.commit(&[], &standing).unwrap();
    await_end(fixture, &partition, Committed, 6);
    assert_eq!(values(&read(fixture, &partition, Committed, 0, 6)), ["second", "third"]);
}

/// What a producer that is gone has left open, the next one ends.
pub fn left_open(fixture: &dyn Fixture) {
    let partition = topic(fixture, 1).remove(0);
    let id = fixture.name("id");
    let mut gone = transactions(fixture, &id);
    begin(&mut *gone, vec![record(&partition, "left")]);
    await_end(fixture, &partition, Uncommitted, 1);
    drop(gone);
    assert_eq!(watermarks(fixture, &partition, Committed), (0, 0));
    transactions(fixture, &id);
    assert_eq!(watermarks(fixture, &partition, Committed), (0, 2), "at once");
    assert_eq!(read(fixture, &partition, Committed, 0, 2), []);
}

/// A transaction that is open for too long is aborted, and its producer is spent.
pub fn transaction_timeout(fixture: &dyn Fixture) {
    let partition = topic(fixture, 1).remove(0);
    let standing = some_standing(fixture);
    let id = fixture.name("id");
    let mut slow = transactions(fixture, &id);
    begin(&mut *slow, vec![record(&partition, "slow")]);
    await_end(fixture, &partition, Uncommitted, 1);
    assert_eq!(watermarks(fixture, &partition, Committed), (0, 0));
    await_end(fixture, &partition, Committed, 2);
    let error = slow.commit(&[], &standing).unwrap_err();
    assert!(matches!(error.kind, Kind::Fenced | Kind::Unknown), "{:?}: {error}", error.kind);
    let mut next = transactions(fixture, &id);
    begin(&mut *next, vec![record(&partition, "next")]);
    next.commit(&[], &standing).unwrap();
    await_end(fixture, &partition, Committed, 4);
    assert_eq!(values(&read(fixture, &partition, Committed, 0, 4)), ["next"]);
}
