//! What is the memory log's own: its clock, its faults, waiting, retention, and answers that it gives
//! at once. What it has in common with any log is in the conformance suite, `tests/log`.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use super::*;
use crate::log::{Committed, Kind, NewRecord, Partition, Polled};

const SECOND: Duration = Duration::from_secs(1);

struct Hand(Arc<AtomicI64>);

impl Hand {
    fn pass(&self, time: Duration) {
        self.0.fetch_add(millis(time), Ordering::SeqCst);
    }
}

fn log_with(settings: MemorySettings) -> (MemoryLog, Hand) {
    let clock = Arc::new(AtomicI64::new(1_000_000));
    let hand = Arc::clone(&clock);
    let log = MemoryLog::new(Arc::new(move || Time::from_millis(hand.load(Ordering::SeqCst))), settings);
    log.create_topic("t", TopicSettings::new(2)).unwrap();
    (log, Hand(clock))
}

fn simulated() -> (MemoryLog, Hand) {
    log_with(MemorySettings { blocks: false, ..MemorySettings::default() })
}

fn at(number: u32) -> Partition {
    Partition::new("t", number)
}

fn record(value: &str) -> NewRecord {
    NewRecord { partition: at(0), key: None, value: Some(value.into()), headers: Vec::new() }
}

fn join(log: &MemoryLog, instance: Option<&str>) -> Box<dyn Member + Send> {
    log.member(&Membership {
        group: "g".into(),
        topics: vec!["t".into()],
        instance: instance.map(Into::into),
        isolation: Isolation::Committed,
    })
    .unwrap()
}

fn poll(member: &mut Box<dyn Member + Send>) -> Polled {
    member.poll(Duration::ZERO, &mut |_| {}).unwrap()
}

fn revoked(partitions: &[u32], lost: bool) -> Polled {
    Polled::Revoked { partitions: partitions.iter().map(|&number| at(number)).collect(), lost }
}

fn assigned(partitions: &[u32]) -> Polled {
    Polled::Assigned(partitions.iter().map(|&number| at(number)).collect())
}

fn script(faults: impl IntoIterator<Item = Option<Fault>>) -> Option<Faults> {
    let mut faults = faults.into_iter().collect::<Vec<_>>().into_iter();
    Some(Box::new(move |_| faults.next().flatten()))
}

fn stored(log: &MemoryLog) -> Vec<String> {
    let values = log.records("t").unwrap().into_iter().map(|record| record.value.unwrap_or_default());
    values.map(|value| String::from_utf8(value).unwrap()).collect()
}

#[test]
fn a_partition_moves_by_one_revoke_and_one_assignment() {
    let (log, _) = simulated();
    let mut old = join(&log, None);
    assert_eq!(poll(&mut old), assigned(&[0, 1]));
    assert_eq!(poll(&mut old), Polled::Messages(0));
    let stale = old.standing().unwrap();
    let mut new = join(&log, None);
    assert_eq!(poll(&mut new), assigned(&[]));
    assert_eq!(poll(&mut old), revoked(&[1], false));
    assert_eq!(poll(&mut new), Polled::Messages(0));
    let misuse = old.poll(Duration::ZERO, &mut |_| {}).unwrap_err();
    assert_eq!(misuse.kind, Kind::Fatal, "{misuse}");

    let mut transactions = log.transactions("x").unwrap();
    transactions.begin().unwrap();
    assert_eq!(transactions.commit(&[(at(1), 1)], &stale).unwrap_err().kind, Kind::Refused);
    transactions.abort().unwrap();
    transactions.begin().unwrap();
    transactions.commit(&[(at(1), 1)], &old.standing().unwrap()).unwrap();
    old.release().unwrap();
    assert_eq!(poll(&mut new), assigned(&[1]));
    assert_eq!(poll(&mut old), assigned(&[]), "the group has met once more");
}

#[test]
fn a_partition_that_comes_back_before_its_release_is_given_up_and_assigned_again() {
    let (log, _) = simulated();
    let mut old = join(&log, None);
    poll(&mut old);
    let new = join(&log, None);
    assert_eq!(poll(&mut old), revoked(&[1], false));
    new.leave();
    old.release().unwrap();
    assert_eq!(poll(&mut old), assigned(&[1]));
}

#[test]
fn a_newcomer_that_was_never_told_of_its_share_holds_nothing_up() {
    let (log, _) = simulated();
    let first = join(&log, None);
    let mut second = join(&log, None);
    drop(first);
    assert_eq!(poll(&mut second), assigned(&[1]));
}

#[test]
fn sessions_end_by_the_clock_and_static_members_return_within_them() {
    let (log, hand) = simulated();
    let mut member = join(&log, Some("one"));
    poll(&mut member);
    hand.pass(10 * SECOND);
    assert_eq!(poll(&mut member), Polled::Messages(0), "to the millisecond");
    hand.pass(10 * SECOND + Duration::from_millis(1));
    assert_eq!(
        member.commit(&[(at(0), Committed { offset: 0, metadata: String::new() })]).unwrap_err().kind,
        Kind::Fenced
    );
    assert_eq!(poll(&mut member), revoked(&[0, 1], true));
    assert_eq!(member.standing().unwrap_err().kind, Kind::Retry);
    member.release().unwrap();
    assert_eq!(poll(&mut member), assigned(&[0, 1]));

    let before = member.standing().unwrap();
    let mut other = join(&log, Some("two"));
    assert_eq!(poll(&mut other), assigned(&[]));
    assert_eq!(poll(&mut member), revoked(&[1], false));
    // Killed before it could release: its successor does not hold on to what is the other's.
    drop(member);
    let mut member = join(&log, Some("one"));
    assert_eq!(poll(&mut member), assigned(&[0]));
    assert_eq!(poll(&mut other), assigned(&[1]));
    assert_eq!(poll(&mut other), Polled::Messages(0));
    drop(member);
    let mut member = join(&log, Some("one"));
    assert_eq!(poll(&mut member), assigned(&[0]));
    assert_eq!(poll(&mut other), Polled::Messages(0), "nobody else notices a restart");
    let mut transactions = log.transactions("x").unwrap();
    transactions.begin().unwrap();
    assert_eq!(transactions.commit(&[(at(0), 1)], &before).unwrap_err().kind, Kind::Refused);
}

#[test]
fn what_was_delayed_comes_in_order_and_a_refusal_spends_the_producer() {
    let (log, hand) = simulated();
    log.set_faults(script([Some(Fault::Delayed(SECOND)), None, Some(Fault::Refused(Kind::Retry))]));
    let mut producer = log.producer().unwrap();
    producer.send(record("a")).unwrap();
    producer.send(record("b")).unwrap();
    assert_eq!(producer.send(record("full")).unwrap_err().kind, Kind::Retry);
    assert_eq!(producer.outstanding(SECOND), Ok(2));
    assert_eq!(stored(&log), [""; 0]);
    hand.pass(SECOND);
    assert_eq!(producer.outstanding(SECOND), Ok(0));
    assert_eq!(stored(&log), ["a", "b"]);

    log.set_faults(script([Some(Fault::Delayed(SECOND)), Some(Fault::Refused(Kind::Fatal))]));
    producer.send(record("c")).unwrap();
    producer.send(record("bad")).unwrap();
    producer.send(record("behind")).unwrap();
    hand.pass(SECOND);
    assert_eq!(producer.outstanding(SECOND).unwrap_err().kind, Kind::Fatal);
    assert_eq!(producer.send(record("late")).unwrap_err().kind, Kind::Fatal);

    log.set_faults(script([Some(Fault::Unanswered)]));
    let mut producer = log.producer().unwrap();
    producer.send(record("d")).unwrap();
    assert_eq!(producer.outstanding(SECOND).unwrap_err().kind, Kind::Fenced);
    assert_eq!(stored(&log), ["a", "b", "c", "d"]);
}

#[test]
fn an_unknown_outcome_is_one_or_the_other() {
    for (fault, wanted) in [(Fault::Unanswered, &["x"][..]), (Fault::Refused(Kind::Unknown), &[])] {
        let (log, _) = simulated();
        let mut member = join(&log, None);
        poll(&mut member);
        let mut transactions = log.transactions("id").unwrap();
        transactions.begin().unwrap();
        transactions.send(&record("x")).unwrap();
        log.set_faults(script([None, Some(fault)]));
        let error = transactions.commit(&[(at(0), 1)], &member.standing().unwrap()).unwrap_err();
        assert_eq!(error.kind, Kind::Unknown);
        assert_eq!(transactions.begin().unwrap_err().kind, Kind::Unknown, "it is spent");
        log.transactions("id").unwrap();
        assert_eq!(stored(&log), wanted);
        assert_eq!(member.committed(&[at(0)]).unwrap()[0].is_some(), !wanted.is_empty());
    }
}

#[test]
fn a_record_that_was_refused_fails_its_transaction() {
    let (log, _) = simulated();
    let standing = {
        let mut member = join(&log, None);
        poll(&mut member);
        member.standing().unwrap()
    };
    let mut transactions = log.transactions("id").unwrap();
    transactions.begin().unwrap();
    transactions.send(&record("a")).unwrap();
    log.set_faults(script([Some(Fault::Refused(Kind::Abort))]));
    transactions.send(&record("b")).unwrap();
    transactions.send(&record("c")).unwrap();
    assert_eq!(transactions.commit(&[], &standing).unwrap_err().kind, Kind::Abort);
    transactions.abort().unwrap();
    assert_eq!(stored(&log), [""; 0]);
    transactions.begin().unwrap();
    transactions.commit(&[], &standing).unwrap();
}

#[test]
fn old_records_go_when_new_ones_come() {
    let (log, hand) = simulated();
    let cleanup = Cleanup::Delete(60 * SECOND);
    log.create_topic("short", TopicSettings { cleanup, ..TopicSettings::new(1) }).unwrap();
    let partition = Partition::new("short", 0);
    let mut producer = log.producer().unwrap();
    for _ in 0..5 {
        producer.send(NewRecord { partition: partition.clone(), ..record("x") }).unwrap();
        hand.pass(30 * SECOND);
    }
    let mut lookup = log.lookup().unwrap();
    assert_eq!(lookup.watermarks(&partition, Isolation::Committed), Ok((2, 5)));
}

#[test]
fn tombstones_go_when_told() {
    let (log, _) = simulated();
    let cleanup = Cleanup::Compact;
    log.create_topic("c", TopicSettings { cleanup, ..TopicSettings::new(1) }).unwrap();
    let mut producer = log.producer().unwrap();
    for (key, value) in [("a", Some("1")), ("b", Some("1")), ("a", None), ("b", Some("2"))] {
        let (key, value) = (Some(key.into()), value.map(Into::into));
        producer
            .send(NewRecord { partition: Partition::new("c", 0), key, value, headers: Vec::new() })
            .unwrap();
    }
    let offsets = || log.records("c").unwrap().iter().map(|record| record.offset).collect::<Vec<_>>();
    log.compact("c", Tombstones::Keep).unwrap();
    assert_eq!(offsets(), [2, 3]);
    log.compact("c", Tombstones::Drop).unwrap();
    assert_eq!(offsets(), [3]);
}

#[test]
fn a_topic_made_anew_begins_at_0_and_readers_of_the_old_one_are_told() {
    let (log, _) = simulated();
    let mut producer = log.producer().unwrap();
    producer.send(record("x")).unwrap();
    let mut reader = log.reader(Isolation::Committed).unwrap();
    reader.assign(&[(at(0), 0)]).unwrap();
    assert_eq!(reader.poll(SECOND, &mut |_| {}), Ok(1));
    let mut member = join(&log, None);
    poll(&mut member);
    member.commit(&[(at(0), Committed { offset: 1, metadata: String::new() })]).unwrap();
    log.delete_topic("t").unwrap();
    assert_eq!(poll(&mut member), revoked(&[0, 1], false));
    member.release().unwrap();
    log.create_topic("t", TopicSettings::new(1)).unwrap();
    assert_eq!(poll(&mut member), assigned(&[0]));
    assert_eq!(member.committed(&[at(0)]), Ok(vec![None]));
    assert_eq!(reader.poll(SECOND, &mut |_| {}).unwrap_err().kind, Kind::OutOfRange);
    assert_eq!(reader.poll(SECOND, &mut |_| {}), Ok(0), "told once");
}

#[test]
fn a_full_partition_starves_no_other() {
    let (log, _) = log_with(MemorySettings { blocks: false, batch: 2, ..MemorySettings::default() });
    let mut producer = log.producer().unwrap();
    (0..6).for_each(|_| producer.send(record("x")).unwrap());
    producer.send(NewRecord { partition: at(1), ..record("y") }).unwrap();
    let mut reader = log.reader(Isolation::Committed).unwrap();
    reader.assign(&[(at(0), 0), (at(1), 0)]).unwrap();
    let mut order = Vec::new();
    while reader.poll(SECOND, &mut |message| order.push((message.partition, message.offset))).unwrap() > 0 {}
    assert_eq!(order, [(0, 0), (0, 1), (1, 0), (0, 2), (0, 3), (0, 4), (0, 5)]);
}

#[test]
fn the_caller_may_write_while_it_is_handed_messages() {
    let (log, _) = simulated();
    let mut producer = log.producer().unwrap();
    producer.send(record("a")).unwrap();
    let mut reader = log.reader(Isolation::Committed).unwrap();
    reader.assign(&[(at(0), 0)]).unwrap();
    reader.poll(SECOND, &mut |_| producer.send(record("b")).unwrap()).unwrap();
    assert_eq!(stored(&log), ["a", "b"]);
}

#[test]
fn a_poll_waits_for_another_thread_or_in_vain() {
    let (log, _) = log_with(MemorySettings::default());
    let mut reader = log.reader(Isolation::Committed).unwrap();
    reader.assign(&[(at(0), 0)]).unwrap();
    assert_eq!(reader.poll(Duration::from_millis(30), &mut |_| {}), Ok(0));
    let mut member = join(&log, None);
    assert_eq!(poll(&mut member), assigned(&[0, 1]));
    member.start(&at(0), 0).unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let mut count = 0;
            (member.poll(60 * SECOND, &mut |_| count += 1), reader.poll(60 * SECOND, &mut |_| {}), count)
        });
        log.producer().unwrap().send(record("x")).unwrap();
        assert_eq!(waiting.join().unwrap(), (Ok(Polled::Messages(1)), Ok(1), 1));
    });
}

#[test]
fn a_member_that_waits_is_alive() {
    let session_timeout = Duration::from_millis(50);
    let (log, hand) = log_with(MemorySettings { session_timeout, ..MemorySettings::default() });
    let mut member = join(&log, None);
    poll(&mut member);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..20 {
                std::thread::sleep(Duration::from_millis(15));
                hand.pass(Duration::from_millis(10));
            }
            log.producer().unwrap().send(record("x")).unwrap();
        });
        member.start(&at(0), 0).unwrap();
        assert_eq!(member.poll(60 * SECOND, &mut |_| {}), Ok(Polled::Messages(1)));
    });
}

#[test]
fn misuse_is_told() {
    let (log, _) = simulated();
    let fatal = |error: Error| assert_eq!(error.kind, Kind::Fatal, "{error}");
    fatal(log.create_topic("t", TopicSettings::new(1)).unwrap_err());
    fatal(log.create_topic("none", TopicSettings::new(0)).unwrap_err());
    fatal(log.grow_topic("t", 2).unwrap_err());
    fatal(log.compact("t", Tombstones::Keep).unwrap_err());
    fatal(log.trim(&at(2), 0).unwrap_err());
    let cleanup = Cleanup::Compact;
    log.create_topic("compacted", TopicSettings { cleanup, ..TopicSettings::new(1) }).unwrap();
    let mut producer = log.producer().unwrap();
    producer.send(NewRecord { partition: Partition::new("compacted", 0), ..record("x") }).unwrap();
    fatal(producer.outstanding(SECOND).unwrap_err());
    let mut transactions = log.transactions("id").unwrap();
    fatal(transactions.send(&record("x")).unwrap_err());
    fatal(transactions.abort().unwrap_err());
    transactions.begin().unwrap();
    fatal(transactions.begin().unwrap_err());
    fatal(transactions.send(&NewRecord { partition: at(7), ..record("x") }).unwrap_err());
    transactions.abort().unwrap();
}
