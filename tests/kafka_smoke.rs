#![allow(clippy::unwrap_used, clippy::expect_used)] // in a test a panic is the report
#[path = "common/broker.rs"]
mod broker;
use broker::Broker;
use hashbuy::log::kafka::{KafkaLog, Settings};
use hashbuy::log::*;
use libtest_mimic::{Arguments, Trial};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

static BROKER: OnceLock<(String, Option<Broker>)> = OnceLock::new();

const S: Duration = Duration::from_secs(1);

struct T {
    broker: Arc<Broker>,
    log: KafkaLog,
}
fn settings(b: &str) -> Settings {
    Settings { session: 3 * S, transaction: 5 * S, poll: 5 * S, ..Settings::new(b) }
}
fn main() {
    let broker = Arc::new(Broker::up("smoke").unwrap());
    let _ = &BROKER;
    let log = KafkaLog::connect(settings(&broker.bootstrap)).unwrap();
    let t = Arc::new(T { broker: broker.clone(), log });
    let all: Vec<(&str, fn(&T))> = vec![
        ("basics", basics),
        ("transactions", transactions),
        ("revoke", revoke),
        ("overrun", overrun),
        ("fenced_instance", fenced_instance),
        ("fenced_producer", fenced_producer),
        ("out_of_range", out_of_range),
        ("assign_race", assign_race),
        ("leave", leave),
        ("too_large", too_large),
        ("txn_timeout", txn_timeout),
        ("missing", missing),
        ("rewind", rewind),
        ("reassign", reassign),
        ("pending", pending),
    ];
    let trials = all
        .into_iter()
        .map(|(n, f)| {
            let t = t.clone();
            Trial::test(n, move || {
                let b = Instant::now();
                f(&t);
                eprintln!("{n}: {:?}", b.elapsed());
                Ok(())
            })
        })
        .collect();
    let conclusion = libtest_mimic::run(&Arguments::from_args(), trials);
    drop(t);
    drop(broker);
    conclusion.exit();
}
fn topic(t: &T, n: &str, p: u32, s: &[(&str, &str)]) {
    t.broker.create(n, p, s);
    t.broker.await_partitions(n, p);
}
fn rec(t: &str, p: u32, v: &str) -> NewRecord {
    NewRecord {
        partition: Partition::new(t, p),
        key: Some(b"k".to_vec()),
        value: Some(v.into()),
        headers: vec![("a", b"1".to_vec()), ("a", vec![])],
    }
}
fn produce(t: &T, topic: &str, p: u32, n: usize) {
    let mut pr = t.log.producer().unwrap();
    for i in 0..n {
        pr.send(rec(topic, p, &format!("{i}"))).unwrap();
    }
    assert_eq!(pr.outstanding(10 * S).unwrap(), 0);
}
fn membership(g: &str, t: &str, i: Option<&str>) -> Membership {
    Membership {
        group: g.into(),
        topics: vec![t.into()],
        instance: i.map(str::to_owned),
        isolation: Isolation::Committed,
    }
}
/// polls until something else than messages; panics after 20 s
fn next(m: &mut Box<dyn Member + Send>) -> Polled {
    let d = Instant::now() + 20 * S;
    loop {
        match m.poll(S / 10, &mut |_| {}).unwrap() {
            Polled::Messages(_) => assert!(Instant::now() < d, "nothing happens"),
            other => return other,
        }
    }
}
fn read(m: &mut Box<dyn Member + Send>, n: usize) -> Vec<(u32, u64)> {
    let mut v = vec![];
    let d = Instant::now() + 10 * S;
    while v.len() < n && Instant::now() < d {
        let p = m.poll(S / 10, &mut |m| v.push((m.partition, m.offset))).unwrap();
        assert!(
            matches!(p, Polled::Messages(_)) || matches!(&p, Polled::Assigned(v) if v.is_empty()),
            "{p:?}"
        );
    }
    v
}
fn joined(m: &mut Box<dyn Member + Send>) -> Vec<Partition> {
    loop {
        if let Polled::Assigned(v) = next(m) {
            if !v.is_empty() {
                return v;
            }
        }
    }
}
fn basics(t: &T) {
    topic(t, "basics", 2, &[]);
    produce(t, "basics", 1, 3);
    let p = Partition::new("basics", 1);
    let mut r = t.log.reader(Isolation::Committed).unwrap();
    r.assign(&[(p.clone(), 1)]).unwrap();
    assert_eq!(r.position(&p), Some(1));
    let mut got = vec![];
    while r.position(&p) < Some(3) {
        r.poll(S, &mut |m| got.push((m.offset, m.key.map(<[u8]>::to_vec), m.value.map(<[u8]>::to_vec))))
            .unwrap();
    }
    assert_eq!(got.iter().map(|g| g.0).collect::<Vec<_>>(), [1, 2]);
    assert!(r.assign(&[(Partition::new("basics", 2), 0)]).is_err());
    let mut l = t.log.lookup().unwrap();
    assert_eq!(l.watermarks(&p, Isolation::Committed).unwrap(), (0, 3));
    assert_eq!(l.partitions("basics").unwrap(), Some(2));
    let mut m = t.log.member(&membership("basics", "basics", None)).unwrap();
    assert_eq!(joined(&mut m).len(), 2);
    assert_eq!(m.committed(std::slice::from_ref(&p)).unwrap(), vec![None]);
    m.commit(&[(p.clone(), Committed { offset: 2, metadata: "é".into() })]).unwrap();
    assert_eq!(
        l.committed("basics", &[p.clone(), Partition::new("basics", 0)]).unwrap(),
        vec![Some(Committed { offset: 2, metadata: "é".into() }), None]
    );
    let b = Instant::now();
    m.leave();
    eprintln!("leave {:?}", b.elapsed());
}
fn transactions(t: &T) {
    topic(t, "tx", 1, &[]);
    let p = Partition::new("tx", 0);
    let mut x = t.log.transactions("tx-1").unwrap();
    let mut m = t.log.member(&membership("tx", "tx", Some("tx-1"))).unwrap();
    joined(&mut m);
    let mut l = t.log.lookup().unwrap();
    for i in 0..10 {
        let b = Instant::now();
        x.begin().unwrap();
        x.send(rec("tx", 0, "1")).unwrap();
        x.send(rec("tx", 0, "2")).unwrap();
        let s = m.standing().unwrap();
        x.commit(&[(p.clone(), i)], &s).unwrap();
        eprintln!("commit {:?}", b.elapsed());
        m.poll(Duration::ZERO, &mut |_| {}).unwrap();
    }
    x.begin().unwrap();
    x.send(rec("tx", 0, "no")).unwrap();
    let d = Instant::now() + S;
    while l.watermarks(&p, Isolation::Uncommitted).unwrap().1 < 31 {
        assert!(Instant::now() < d);
    }
    assert_eq!(l.watermarks(&p, Isolation::Uncommitted).unwrap(), (0, 31));
    assert_eq!(l.watermarks(&p, Isolation::Committed).unwrap(), (0, 30));
    let b = Instant::now();
    x.abort().unwrap();
    eprintln!("abort {:?}", b.elapsed());
    assert_eq!(m.committed(std::slice::from_ref(&p)).unwrap()[0].as_ref().unwrap().offset, 9);
    let mut r = t.log.reader(Isolation::Committed).unwrap();
    r.assign(&[(p.clone(), 0)]).unwrap();
    let mut n = 0;
    let b = Instant::now();
    while r.position(&p) < Some(32) {
        n += r.poll(S, &mut |_| {}).unwrap();
        assert!(b.elapsed() < 10 * S);
    }
    eprintln!("restore {:?}", b.elapsed());
    assert_eq!(n, 20);
    // from the control record alone
    r.assign(&[(p.clone(), 30)]).unwrap();
    assert_eq!(r.position(&p), Some(30));
    let b = Instant::now();
    while r.position(&p) < Some(32) {
        assert_eq!(r.poll(S, &mut |_| {}).unwrap(), 0);
        assert!(b.elapsed() < 10 * S);
    }
    eprintln!("tail {:?}", b.elapsed());
    // empty ones
    x.begin().unwrap();
    x.commit(&[], &m.standing().unwrap()).unwrap();
    x.begin().unwrap();
    x.abort().unwrap();
}
fn revoke(t: &T) {
    topic(t, "rv", 4, &[]);
    for p in 0..4 {
        produce(t, "rv", p, 10);
    }
    let mut a = t.log.member(&membership("rv", "rv", Some("a"))).unwrap();
    let ps = joined(&mut a);
    assert_eq!(ps.len(), 4);
    for p in &ps {
        a.start(p, 3).unwrap();
    }
    let got = read(&mut a, 28);
    assert_eq!(got.len(), 28);
    assert!(got.iter().all(|g| g.1 >= 3));
    let mut b = t.log.member(&membership("rv", "rv", Some("b"))).unwrap();
    let begun = Instant::now();
    let h = std::thread::spawn(move || {
        let v = joined(&mut b);
        (b, v, begun.elapsed())
    });
    let revoked = loop {
        match next(&mut a) {
            Polled::Revoked { partitions, lost } => {
                assert!(!lost);
                break partitions;
            }
            _ => {}
        }
    };
    assert_eq!(revoked.len(), 2);
    assert!(a.poll(Duration::ZERO, &mut |_| {}).is_err());
    std::thread::sleep(4 * S); // longer than the session
    assert!(!h.is_finished());
    // a transaction with offsets of revoked partitions is still taken
    let mut x = t.log.transactions("rv-a").unwrap();
    x.begin().unwrap();
    x.commit(&[(revoked[0].clone(), 7)], &a.standing().unwrap()).unwrap();
    a.release().unwrap();
    assert!(a.release().is_err());
    // b has to come without being asked twice; a goes on
    let d = Instant::now() + 10 * S;
    while !h.is_finished() {
        assert!(Instant::now() < d);
        assert!(!matches!(a.poll(S / 20, &mut |_| {}).unwrap(), Polled::Revoked { .. }));
    }
    let (mut b, got, took) = h.join().unwrap();
    eprintln!("handed over {took:?}");
    let mut got2 = got.clone();
    got2.sort();
    let mut r2 = revoked.clone();
    r2.sort();
    assert_eq!(got2, r2);
    assert!(a.start(&revoked[0], 0).is_err());
    assert_eq!(b.committed(&[revoked[0].clone()]).unwrap()[0].as_ref().unwrap().offset, 7);
    for p in &got {
        b.start(p, 7).unwrap();
    }
    let v = read(&mut b, 6);
    assert_eq!(v.len(), 6, "{v:?}");
    // what a kept goes on where it was
    for p in 0..4 {
        produce(t, "rv", p, 1);
    }
    let v = read(&mut a, 2);
    assert_eq!(v.iter().map(|v| v.1).collect::<Vec<_>>(), [10, 10]);
    let b0 = Instant::now();
    let b = {
        drop(b);
        b0.elapsed()
    };
    eprintln!("drop {b:?}");
    // b's session ends, a gets all
    let back = joined(&mut a);
    assert_eq!(back.len(), 2);
    eprintln!("after a crash {:?}", b0.elapsed());
    for p in &back {
        a.start(p, 9).unwrap();
    }
    assert_eq!(read(&mut a, 4).len(), 4);
    // rewind while read
    for p in &ps {
        a.start(p, 5).unwrap();
    }
    assert_eq!(read(&mut a, 24).len(), 24);
}
fn overrun(t: &T) {
    topic(t, "ov", 1, &[]);
    let mut a = t.log.member(&membership("ov", "ov", Some("a"))).unwrap();
    joined(&mut a);
    let s = a.standing().unwrap();
    let mut x = t.log.transactions("ov-a").unwrap();
    x.begin().unwrap();
    x.send(rec("ov", 0, "x")).unwrap();
    std::thread::sleep(Duration::from_millis(4500));
    let mut b = t.log.member(&membership("ov", "ov", Some("b"))).unwrap();
    // a does not poll any more
    assert_eq!(joined(&mut b).len(), 1);
    let e = x.commit(&[(Partition::new("ov", 0), 1)], &s).unwrap_err();
    eprintln!("{e:?}");
    drop(x);
    let p = next(&mut a);
    eprintln!("{p:?}");
    assert!(matches!(p, Polled::Revoked { .. }), "{p:?}");
    a.release().unwrap();
    let e =
        a.commit(&[(Partition::new("ov", 0), Committed { offset: 1, metadata: String::new() })]).unwrap_err();
    assert_eq!(e.kind, Kind::Fenced);
}
fn fenced_instance(t: &T) {
    topic(t, "fi", 1, &[]);
    let mut a = t.log.member(&membership("fi", "fi", Some("a"))).unwrap();
    joined(&mut a);
    let mut b = t.log.member(&membership("fi", "fi", Some("a"))).unwrap();
    let d = Instant::now() + 10 * S;
    let e = loop {
        let _ = b.poll(S / 20, &mut |_| {}).unwrap();
        if let Err(e) = a.poll(S / 20, &mut |_| {}) {
            break e;
        }
        assert!(Instant::now() < d);
    };
    eprintln!("{e:?}");
    assert_eq!(e.kind, Kind::Fatal);
    assert!(a.standing().is_err());
    let s = Instant::now();
    drop(a);
    eprintln!("drop {:?}", s.elapsed());
    b.leave();
}
fn fenced_producer(t: &T) {
    topic(t, "fp", 1, &[]);
    let mut m = t.log.member(&membership("fp", "fp", Some("a"))).unwrap();
    joined(&mut m);
    let p = Partition::new("fp", 0);
    let mut a = t.log.transactions("fp").unwrap();
    a.begin().unwrap();
    a.send(rec("fp", 0, "1")).unwrap();
    std::thread::sleep(S / 5);
    let b0 = Instant::now();
    let mut b = t.log.transactions("fp").unwrap();
    eprintln!("init over an open one {:?}", b0.elapsed());
    let e = a.commit(&[(p.clone(), 1)], &m.standing().unwrap()).unwrap_err();
    eprintln!("{e:?}");
    assert_eq!(e.kind, Kind::Fenced);
    assert_eq!(a.begin().unwrap_err().kind, Kind::Fenced);
    b.begin().unwrap();
    b.send(rec("fp", 0, "2")).unwrap();
    b.commit(&[(p.clone(), 1)], &m.standing().unwrap()).unwrap();
    let mut c = t.log.transactions("fp").unwrap();
    b.begin().unwrap();
    let _ = b.send(rec("fp", 0, "3"));
    let e = b.commit(&[], &m.standing().unwrap()).unwrap_err();
    eprintln!("{e:?}");
    assert_eq!(e.kind, Kind::Fenced);
    c.begin().unwrap();
    c.send(rec("fp", 0, "4")).unwrap();
    std::thread::sleep(S / 5);
    let mut d = t.log.transactions("fp").unwrap();
    let e = c.abort().unwrap_err();
    eprintln!("{e:?}");
    assert_eq!(e.kind, Kind::Fenced);
    d.begin().unwrap();
    d.abort().unwrap();
}
fn out_of_range(t: &T) {
    topic(t, "oor", 2, &[]);
    produce(t, "oor", 0, 10);
    let p = Partition::new("oor", 0);
    let mut r = t.log.reader(Isolation::Committed).unwrap();
    r.assign(&[(p.clone(), 11), (Partition::new("oor", 1), 0)]).unwrap();
    let fail = |r: &mut Box<dyn Reader + Send>| {
        let d = Instant::now() + 5 * S;
        loop {
            match r.poll(S / 10, &mut |_| {}) {
                Err(e) => break e,
                Ok(_) => assert!(Instant::now() < d),
            }
        }
    };
    let e = fail(&mut r);
    eprintln!("{e:?}");
    assert_eq!(e.kind, Kind::OutOfRange);
    assert!(e.what.contains("oor/0"));
    t.broker.trim(&Partition::new("oor", 0), 5);
    r.assign(&[(p.clone(), 4)]).unwrap();
    let e = fail(&mut r);
    eprintln!("{e:?}");
    assert_eq!(e.kind, Kind::OutOfRange);
    r.assign(&[(p.clone(), 5)]).unwrap();
    let mut n = 0;
    while n < 5 {
        n += r.poll(S, &mut |_| {}).unwrap();
    }
    let mut m = t.log.member(&membership("oor", "oor", Some("a"))).unwrap();
    joined(&mut m);
    m.start(&p, 2).unwrap();
    let d = Instant::now() + 5 * S;
    let e = loop {
        match m.poll(S / 10, &mut |_| {}) {
            Err(e) => break e,
            Ok(_) => assert!(Instant::now() < d),
        }
    };
    eprintln!("{e:?}");
    assert_eq!(e.kind, Kind::OutOfRange);
    m.start(&p, 6).unwrap();
    assert_eq!(read(&mut m, 4), [(0, 6), (0, 7), (0, 8), (0, 9)]);
}
fn assign_race(t: &T) {
    topic(t, "race", 3, &[]);
    for p in 0..3 {
        produce(t, "race", p, 10);
        t.broker.trim(&Partition::new("race", p), 5);
    }
    for i in 0..15 {
        let mut m = t.log.member(&membership(&format!("race{i}"), "race", None)).unwrap();
        let ps = joined(&mut m);
        if i % 2 == 0 {
            for _ in 0..5 {
                m.poll(S / 20, &mut |_| panic!("stands still")).unwrap();
            }
        }
        let b = Instant::now();
        for p in &ps {
            m.start(p, 6).unwrap();
        }
        let started = b.elapsed();
        assert_eq!(read(&mut m, 12).len(), 12);
        eprintln!("start {started:?} read {:?}", b.elapsed());
    }
}
fn leave(t: &T) {
    topic(t, "lv", 2, &[]);
    let mut a = t.log.member(&membership("lv", "lv", Some("a"))).unwrap();
    assert_eq!(joined(&mut a).len(), 2);
    let h = {
        let mut b = t.log.member(&membership("lv", "lv", Some("b"))).unwrap();
        std::thread::spawn(move || {
            let v = joined(&mut b);
            assert_eq!(v.len(), 1);
            let b0 = Instant::now();
            let w = joined(&mut b);
            assert_eq!(w.len(), 1);
            (b, b0.elapsed())
        })
    };
    loop {
        if let Polled::Revoked { .. } = next(&mut a) {
            break;
        }
    }
    a.release().unwrap();
    let u = Instant::now() + S;
    while Instant::now() < u {
        a.poll(S / 20, &mut |_| {}).unwrap();
    }
    let b0 = Instant::now();
    a.leave();
    eprintln!("leave took {:?}", b0.elapsed());
    let (b, _) = h.join().unwrap();
    eprintln!("taken over after {:?}", b0.elapsed());
    assert!(b0.elapsed() < 3 * S);
    // a quick restart under the same name changes nothing
    drop(b);
    let b0 = Instant::now();
    let mut b = t.log.member(&membership("lv", "lv", Some("b"))).unwrap();
    assert_eq!(joined(&mut b).len(), 2);
    eprintln!("restart {:?}", b0.elapsed());
}
fn too_large(t: &T) {
    topic(t, "big", 1, &[("max.message.bytes", "2000")]);
    let big = NewRecord {
        value: Some((0..5000u32).map(|i| (i.wrapping_mul(2654435761) >> 7) as u8).collect()),
        ..rec("big", 0, "")
    };
    let mut p = t.log.producer().unwrap();
    p.send(rec("big", 0, "ok")).unwrap();
    p.outstanding(5 * S).unwrap();
    p.send(big.clone()).unwrap();
    let _ = p.send(rec("big", 0, "after"));
    let e = p.outstanding(5 * S).unwrap_err();
    eprintln!("{e:?}");
    assert_eq!(e.kind, Kind::Fatal);
    assert_eq!(p.send(rec("big", 0, "x")).unwrap_err(), e);
    let mut x = t.log.transactions("big").unwrap();
    let mut m = t.log.member(&membership("big", "big", Some("a"))).unwrap();
    joined(&mut m);
    x.begin().unwrap();
    x.send(big.clone()).unwrap();
    let e = x.commit(&[], &m.standing().unwrap()).unwrap_err();
    eprintln!("{e:?}");
    assert_eq!(e.kind, Kind::Fatal);
    let huge = NewRecord { value: Some(vec![1; 2_000_000]), ..big };
    let mut x = t.log.transactions("big").unwrap();
    x.begin().unwrap();
    let e = x.send(huge.clone()).unwrap_err();
    eprintln!("{e:?}");
    assert_eq!(e.kind, Kind::Fatal);
    let mut p = t.log.producer().unwrap();
    assert_eq!(p.send(huge).unwrap_err().kind, Kind::Fatal);
    let mut p = t.log.producer().unwrap();
    p.send(rec("nowhere", 0, "x")).unwrap();
    eprintln!("nowhere {:?}", p.outstanding(2 * S));
    let b0 = Instant::now();
    drop(p);
    eprintln!("drop {:?}", b0.elapsed());
    let mut p = t.log.producer().unwrap();
    p.send(rec("big", 7, "x")).unwrap();
    eprintln!("no partition {:?}", p.outstanding(5 * S));
}
fn txn_timeout(t: &T) {
    topic(t, "to", 1, &[]);
    let p = Partition::new("to", 0);
    let mut m = t.log.member(&membership("to", "to", Some("a"))).unwrap();
    joined(&mut m);
    for with in [true, false] {
        let mut x = t.log.transactions("to").unwrap();
        x.begin().unwrap();
        x.send(rec("to", 0, "x")).unwrap();
        let u = Instant::now() + 8 * S;
        while Instant::now() < u {
            m.poll(S / 10, &mut |_| {}).unwrap();
        }
        let offsets = if with { vec![(p.clone(), 1)] } else { vec![] };
        let e = x.commit(&offsets, &m.standing().unwrap()).unwrap_err();
        eprintln!("{e:?}");
        assert!(matches!(e.kind, Kind::Fenced | Kind::Unknown));
        assert!(x.begin().is_err());
    }
    let mut x = t.log.transactions("to").unwrap();
    x.begin().unwrap();
    x.send(rec("to", 0, "x")).unwrap();
    x.commit(&[(p, 1)], &m.standing().unwrap()).unwrap();
}
fn missing(t: &T) {
    let mut l = t.log.lookup().unwrap();
    assert_eq!(l.partitions("not-there").unwrap(), None);
    eprintln!("{:?}", l.watermarks(&Partition::new("not-there", 0), Isolation::Committed));
    eprintln!("{:?}", l.committed("no-group", &[Partition::new("not-there", 0)]));
    let mut m = t.log.member(&membership("mi", "mi", None)).unwrap();
    let u = Instant::now() + 3 * S;
    while Instant::now() < u {
        let r = m.poll(S, &mut |_| {});
        eprintln!("{r:?}");
    }
    topic(t, "mi", 1, &[]);
    let b = Instant::now();
    loop {
        if let Ok(Polled::Assigned(v)) = m.poll(S, &mut |_| {}) {
            if !v.is_empty() {
                break;
            }
        }
        assert!(b.elapsed() < 15 * S);
    }
    eprintln!("seen {:?}", b.elapsed());
    let b = Instant::now();
    let e = KafkaLog::connect(Settings::new("127.0.0.1:1")).err();
    eprintln!("{e:?} {:?}", b.elapsed());
}
fn rewind(t: &T) {
    topic(t, "rw", 2, &[]);
    for p in 0..2 {
        produce(t, "rw", p, 5000);
    }
    let mut m = t.log.member(&membership("rw", "rw", None)).unwrap();
    let ps = joined(&mut m);
    m.start(&ps[0], 0).unwrap();
    for round in 0..20u64 {
        let from = (round * 997) % 4000;
        m.start(&ps[0], from).unwrap();
        let b = Instant::now();
        let mut v = vec![];
        while v.is_empty() {
            m.poll(S, &mut |m| {
                assert_eq!(m.partition, 0);
                v.push(m.offset)
            })
            .unwrap();
        }
        let first = b.elapsed();
        assert_eq!(v[0], from);
        assert!(v.windows(2).all(|w| w[1] == w[0] + 1));
        assert_eq!(m.position(&ps[0]), Some(v.last().unwrap() + 1));
        if round % 3 == 0 {
            m.pause(&ps[0]).unwrap();
            m.poll(S / 10, &mut |_| panic!()).unwrap();
            assert_eq!(m.position(&ps[0]), None);
        }
        eprintln!("{first:?} {}", v.len());
    }
}
fn reassign(t: &T) {
    topic(t, "ra", 1, &[]);
    produce(t, "ra", 0, 100);
    let p = Partition::new("ra", 0);
    let mut r = t.log.reader(Isolation::Uncommitted).unwrap();
    for from in [0u64, 50, 99, 100, 3, 100, 100, 0] {
        r.assign(&[(p.clone(), from)]).unwrap();
        assert_eq!(r.position(&p), Some(from));
        let b = Instant::now();
        let mut v = vec![];
        while r.position(&p) < Some(100) {
            r.poll(S, &mut |m| v.push(m.offset)).unwrap();
        }
        assert_eq!(v, (from..100).collect::<Vec<_>>());
        eprintln!("{from} {:?}", b.elapsed());
    }
    r.assign(&[]).unwrap();
    assert_eq!(r.position(&p), None);
}
fn pending(t: &T) {
    use rdkafka::consumer::{BaseConsumer, Consumer};
    use rdkafka::producer::{DefaultProducerContext, Producer, ThreadedProducer};
    topic(t, "pe", 1, &[]);
    let p = Partition::new("pe", 0);
    let mut m = t.log.member(&membership("pe", "pe", Some("a"))).unwrap();
    joined(&mut m);
    let x: ThreadedProducer<DefaultProducerContext> = rdkafka::ClientConfig::new()
        .set("bootstrap.servers", &t.broker.bootstrap)
        .set("transactional.id", "pe")
        .create()
        .unwrap();
    x.init_transactions(10 * S).unwrap();
    x.begin_transaction().unwrap();
    let c: BaseConsumer = rdkafka::ClientConfig::new()
        .set("bootstrap.servers", &t.broker.bootstrap)
        .set("group.id", "pe2")
        .create()
        .unwrap();
    let mut list = rdkafka::TopicPartitionList::new();
    list.add_partition_offset("pe", 0, rdkafka::Offset::Offset(5)).unwrap();
    x.send_offsets_to_transaction(&list, &c.group_metadata().unwrap(), 10 * S).unwrap();
    let mut l = t.log.lookup().unwrap();
    let b = Instant::now();
    let e = l.committed("pe2", std::slice::from_ref(&p)).unwrap_err();
    eprintln!("{e:?} {:?}", b.elapsed());
    assert_eq!(e.kind, Kind::Retry);
    let mut u = t
        .log
        .member(&Membership { isolation: Isolation::Uncommitted, ..membership("pe2", "pe", None) })
        .unwrap();
    assert_eq!(u.committed(std::slice::from_ref(&p)).unwrap_err().kind, Kind::Retry);
    x.commit_transaction(10 * S).unwrap();
    assert_eq!(l.committed("pe2", std::slice::from_ref(&p)).unwrap()[0].as_ref().unwrap().offset, 5);
    assert_eq!(u.committed(&[p]).unwrap()[0].as_ref().unwrap().offset, 5);
}
