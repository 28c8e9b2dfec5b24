//! Cases for a real broker alone: what librdkafka does in the background, and how long it takes.

use std::thread;
use std::time::{Duration, Instant};

use hashbuy::log::{Isolation, Kind, NewRecord, Partition, Polled};

use crate::cases::Case;
use crate::fixture::{Fixture, Topic, plain};
use crate::kafka::settings;
use crate::tools::{
    Peer, await_shares, begin, committed, eventually, record, some_standing, transactions, watermarks, write,
};

pub const ALL: &[(&str, Case)] = &[
    ("late_release", late_release),
    ("trimmed_log", trimmed_log),
    ("restarts_anywhere", restarts_anywhere),
    ("quick_takeover", quick_takeover),
    ("static_overrun", static_overrun),
    ("too_large", too_large),
    ("refused_while_more_is_sent", refused_while_more_is_sent),
    ("more_than_a_queue_holds", more_than_a_queue_holds),
];

/// A topic with records in each partition.
fn topic(fixture: &dyn Fixture, partitions: u32, records: usize) -> (String, Vec<Partition>) {
    let topic = fixture.name("topic");
    fixture.create(&topic, plain(partitions));
    let partitions: Vec<Partition> = (0..partitions).map(|number| Partition::new(&*topic, number)).collect();
    let all = partitions.iter().flat_map(|partition| (0..records).map(|n| record(partition, &n.to_string())));
    write(fixture, all.collect());
    (topic, partitions)
}

/// What is revoked may be finished for longer than a session lasts, without a poll: heartbeats go on,
/// nobody else gets it, and its offsets are still taken.
fn late_release(fixture: &dyn Fixture) {
    let (topic, _) = topic(fixture, 2, 1);
    let (group, names) = (fixture.name("group"), [fixture.name("one"), fixture.name("two")]);
    let mut old = Peer::join(fixture, &group, &topic, Some(&names[0]));
    old.await_share(2);
    let mut new = Peer::join(fixture, &group, &topic, Some(&names[1]));
    let revoked = eventually(fixture, "something to give up", || {
        new.settle();
        match old.step() {
            Polled::Revoked { partitions, .. } => Some(partitions),
            _ => None,
        }
    });
    let session = settings("").session;
    let until = Instant::now() + session + Duration::from_millis(500);
    while Instant::now() < until {
        new.settle();
        assert!(new.assigned.is_empty(), "{:?} is not released", new.assigned);
    }
    let mut producer = transactions(fixture, &names[0]);
    producer.begin().unwrap();
    producer.commit(&[(revoked[0].clone(), 1)], &old.member.standing().unwrap()).unwrap();
    old.release(&revoked);
    await_shares(&mut old, &mut new, (1, 1));
    assert_eq!(committed(fixture, &group, &revoked[0]).map(|found| found.0), Some(1));
}

/// A log that does not begin at 0 does not stop a partition that is assigned and not yet started.
fn trimmed_log(fixture: &dyn Fixture) {
    let (topic, partitions) = topic(fixture, 3, 10);
    partitions.iter().for_each(|partition| fixture.trim(partition, 5));
    for round in 0..10 {
        let group = fixture.name(&format!("group-{round}"));
        let mut peer = Peer::join(fixture, &group, &topic, None);
        let assigned = eventually(fixture, "an assignment", || {
            match peer.member.poll(fixture.wait(), &mut |message| panic!("{} is read", message.offset)) {
                Ok(Polled::Assigned(assigned)) if !assigned.is_empty() => Some(assigned),
                other => other.map(|_| None).unwrap(),
            }
        });
        // Long enough for what stands still to be fetched, if it were.
        thread::sleep(Duration::from_millis(10 * round));
        assigned.iter().for_each(|partition| peer.member.start(partition, 6).unwrap());
        eventually(fixture, "what was started", || {
            peer.step();
            (peer.read.len() == 12).then_some(())
        });
        assert!(peer.read.iter().all(|(_, offset, _)| *offset >= 6));
    }
}

/// Wherever a partition is started, the next thing that is read is what is there, and soon.
fn restarts_anywhere(fixture: &dyn Fixture) {
    let (topic, partitions) = topic(fixture, 1, 5_000);
    let mut peer = Peer::join(fixture, &fixture.name("group"), &topic, None);
    peer.await_share(1);
    for round in 0..20 {
        let from = (round * 997) % 4_000;
        peer.member.start(&partitions[0], from).unwrap();
        assert_eq!(peer.member.position(&partitions[0]), None, "nothing was read since");
        let begun = Instant::now();
        let mut read = Vec::new();
        eventually(fixture, "a record", || {
            peer.member.poll(fixture.wait(), &mut |message| read.push(message.offset)).unwrap();
            read.last().copied()
        });
        assert!(begun.elapsed() < Duration::from_millis(900), "{:?}", begun.elapsed());
        assert!(read.iter().copied().eq(from..from + read.len() as u64), "from {from}: {read:?}");
        assert_eq!(peer.member.position(&partitions[0]), Some(from + read.len() as u64));
        if round % 3 == 0 {
            peer.member.pause(&partitions[0]).unwrap();
            peer.member.poll(fixture.wait(), &mut |message| panic!("{} is read", message.offset)).unwrap();
        }
    }
}

/// A static member that leaves is followed at once, not after its session.
fn quick_takeover(fixture: &dyn Fixture) {
    let (topic, _) = topic(fixture, 2, 1);
    let (group, names) = (fixture.name("group"), [fixture.name("one"), fixture.name("two")]);
    let mut one = Peer::join(fixture, &group, &topic, Some(&names[0]));
    one.await_share(2);
    let mut two = Peer::join(fixture, &group, &topic, Some(&names[1]));
    await_shares(&mut one, &mut two, (1, 1));
    let begun = Instant::now();
    one.member.leave();
    two.await_share(2);
    assert!(begun.elapsed() < settings("").session - Duration::from_secs(1), "{:?}", begun.elapsed());
}

/// A static member that is silent for too long is replaced, commits nothing, is told so, and has its
/// share again.
fn static_overrun(fixture: &dyn Fixture) {
    let (topic, partitions) = topic(fixture, 2, 1);
    let (group, names) = (fixture.name("group"), [fixture.name("one"), fixture.name("two")]);
    let mut silent = Peer::join(fixture, &group, &topic, Some(&names[0]));
    silent.await_share(2);
    let standing = silent.member.standing().unwrap();
    let mut other = Peer::join(fixture, &group, &topic, Some(&names[1]));
    other.await_share(2);
    let mut producer = transactions(fixture, &names[0]);
    producer.begin().unwrap();
    let error = producer.commit(&[(partitions[0].clone(), 1)], &standing).unwrap_err();
    assert_eq!(error.kind, Kind::Refused, "{error}");
    assert!(silent.member.standing().is_err());
    assert_eq!(committed(fixture, &group, &partitions[0]), None);
    match silent.step() {
        Polled::Revoked { partitions: revoked, lost: true } => {
            assert_eq!(revoked, partitions);
            silent.release(&revoked);
        }
        other => panic!("all is lost, and it was told {other:?}"),
    }
    await_shares(&mut silent, &mut other, (1, 1));
}

/// What the broker never takes is no reason to try again.
fn too_large(fixture: &dyn Fixture) {
    let (_, partitions) = topic(fixture, 1, 0);
    let huge = of_noise(&partitions[0], 2_000_000);
    let mut producer = fixture.log().producer().unwrap();
    assert_eq!(producer.send(huge.clone()).unwrap_err().kind, Kind::Fatal);
    assert_eq!(producer.outstanding(fixture.wait()).unwrap_err().kind, Kind::Fatal);
    let mut producer = transactions(fixture, &fixture.name("id"));
    begin(&mut *producer, vec![record(&partitions[0], "small")]);
    assert_eq!(producer.send(&huge).unwrap_err().kind, Kind::Fatal);
    assert_eq!(producer.commit(&[], &some_standing(fixture)).unwrap_err().kind, Kind::Fatal);
    drop(producer);
    transactions(fixture, &fixture.name("id"));
    let (_, end) = watermarks(fixture, &partitions[0], Isolation::Committed);
    assert!(end <= 2, "the small record and an abort at most, not {end}");
}

/// A record that compression does not make smaller.
fn of_noise(partition: &Partition, bytes: usize) -> NewRecord {
    let mut seed = 1_u32;
    let mut noise = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 24) as u8
    };
    NewRecord { value: Some((0..bytes).map(|_| noise()).collect()), ..record(partition, "") }
}

/// The broker refuses a record while others are still handed over: what is said of them is why that one was refused, so
/// that nobody tries again for ever.
fn refused_while_more_is_sent(fixture: &dyn Fixture) {
    let topic = fixture.name("topic");
    fixture.create(&topic, Topic { max_bytes: Some(1_000), ..plain(1) });
    let partition = Partition::new(&*topic, 0);
    let mut producer = transactions(fixture, &fixture.name("id"));
    producer.begin().unwrap();
    producer.send(&of_noise(&partition, 5_000)).unwrap();
    let error = eventually(fixture, "a refusal", || {
        thread::sleep(Duration::from_millis(1));
        producer.send(&record(&partition, "small")).err()
    });
    assert_eq!(error.kind, Kind::Fatal, "{error}");
    assert!(error.what.contains("too large") && error.what.contains(&topic), "{error}");
}

/// Whoever has much to write writes it in one go: what does not fit into librdkafka's queue waits for room.
fn more_than_a_queue_holds(fixture: &dyn Fixture) {
    const RECORDS: usize = 150_000;
    let (_, partitions) = topic(fixture, 1, 0);
    let mut producer = fixture.log().producer().unwrap();
    for number in 0..RECORDS {
        producer.send(record(&partitions[0], &number.to_string())).unwrap();
    }
    eventually(fixture, "records are acknowledged", || {
        (producer.outstanding(fixture.wait()).unwrap() == 0).then_some(())
    });
    assert_eq!(watermarks(fixture, &partitions[0], Isolation::Committed).1, RECORDS as u64);
}
