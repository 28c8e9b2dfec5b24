//! Writing and reading without transactions and groups.

use hashbuy::log::{Isolation, Kind, Membership, NewRecord, Partition, Polled};

use crate::fixture::{Fixture, Stored, Topic, plain};
use crate::tools::{
    begin, eventually, insist, read, record, some_standing, transactions, values, watermarks, write,
};

/// Keys, values and headers come out as they went in: none, empty, any bytes, a name twice.
pub fn headers_and_keys(fixture: &dyn Fixture) {
    let topic = fixture.name("topic");
    fixture.create(&topic, plain(2));
    let partition = Partition::new(topic.as_str(), 1);
    let bytes: Vec<u8> = (0..=255).collect();
    let headers = vec![("ce_type", b"x".to_vec()), ("twice", bytes.clone()), ("twice", Vec::new())];
    let new = |key: Option<&[u8]>, value: Option<&[u8]>, headers| NewRecord {
        partition: partition.clone(),
        key: key.map(Into::into),
        value: value.map(Into::into),
        headers,
    };
    let written = [
        new(Some(b"key"), Some(b"value"), headers),
        new(None, Some(&bytes), Vec::new()),
        new(Some(&bytes), None, Vec::new()),
        new(Some(b""), Some(b""), Vec::new()),
    ];
    write(fixture, written.to_vec());

    let mut reader = fixture.log().reader(Isolation::Committed).unwrap();
    reader.assign(&[(partition.clone(), 0)]).unwrap();
    let mut got = Vec::new();
    eventually(fixture, "all records", || {
        let mut take = |message: hashbuy::log::Message<'_>| {
            got.push((message.offset, message.key.map(<[u8]>::to_vec), message.value.map(<[u8]>::to_vec)));
        };
        reader.poll(fixture.wait(), &mut take).unwrap();
        (reader.position(&partition) == Some(4)).then_some(())
    });
    let wanted: Vec<_> = (0..)
        .zip(&written)
        .map(|(offset, record)| (offset, record.key.clone(), record.value.clone()))
        .collect();
    assert_eq!(got, wanted);

    let wanted: Vec<Stored> = (0..)
        .zip(written)
        .map(|(offset, NewRecord { partition, key, value, headers })| Stored {
            partition: partition.number,
            offset,
            key,
            value,
            headers: headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        })
        .collect();
    assert_eq!(fixture.records(&topic), wanted);
}

/// A producer's records stand in each partition in the order of their sending, without a gap.
pub fn ordering(fixture: &dyn Fixture) {
    let topic = fixture.name("topic");
    fixture.create(&topic, plain(2));
    let partitions = [0, 1].map(|number| Partition::new(topic.as_str(), number));
    let records = (0..3_000).map(|number| record(&partitions[number % 2], &number.to_string()));
    write(fixture, records.collect());
    for (number, partition) in partitions.iter().enumerate() {
        let wanted: Vec<(u64, String)> =
            (0..1_500).map(|offset| (offset as u64, (2 * offset + number).to_string())).collect();
        assert!(
            read(fixture, partition, Isolation::Committed, 0, 1_500) == wanted,
            "the order of {partition}"
        );
        assert!(
            read(fixture, partition, Isolation::Uncommitted, 700, 1_500) == wanted[700..],
            "from the middle"
        );
    }
}

/// Records that are handed over together come as those that are handed over one by one, among these.
pub fn many_at_once(fixture: &dyn Fixture) {
    let topic = fixture.name("topic");
    fixture.create(&topic, plain(2));
    let partitions = [0, 1].map(|number| Partition::new(topic.as_str(), number));
    let mut producer = fixture.log().producer().unwrap();
    let numbered = |number: usize| record(&partitions[number % 2], &number.to_string());
    producer.send(numbered(0)).unwrap();
    producer.send_all((1..500).map(numbered).collect()).unwrap();
    producer.send_all(Vec::new()).unwrap();
    producer.send(numbered(500)).unwrap();
    producer.send_all(vec![numbered(501)]).unwrap();
    eventually(fixture, "records are acknowledged", || {
        (producer.outstanding(fixture.wait()).unwrap() == 0).then_some(())
    });
    for (number, partition) in partitions.iter().enumerate() {
        let wanted: Vec<(u64, String)> =
            (0..251).map(|offset| (offset as u64, (2 * offset + number).to_string())).collect();
        assert_eq!(read(fixture, partition, Isolation::Committed, 0, 251), wanted);
    }
}

/// What is not outstanding any more is in the log; a producer without work has nothing outstanding.
pub fn outstanding(fixture: &dyn Fixture) {
    let topic = fixture.name("topic");
    fixture.create(&topic, plain(1));
    let partition = Partition::new(topic.as_str(), 0);
    let mut producer = fixture.log().producer().unwrap();
    assert_eq!(producer.outstanding(fixture.wait()), Ok(0));
    for sent in 1..=100 {
        insist(fixture, "a record is taken", || producer.send(record(&partition, "x")));
        let open = producer.outstanding(fixture.wait()).unwrap() as u64;
        assert!(open <= sent);
        assert!(watermarks(fixture, &partition, Isolation::Uncommitted).1 >= sent - open);
    }
    eventually(fixture, "all are acknowledged", || {
        (producer.outstanding(fixture.wait()).unwrap() == 0).then_some(())
    });
    assert_eq!(watermarks(fixture, &partition, Isolation::Uncommitted), (0, 100));
}

/// The topic says whose clock stamps a record, and the record says so.
pub fn timestamps(fixture: &dyn Fixture) {
    for append_time in [true, false] {
        let topic = fixture.name(if append_time { "appended" } else { "created" });
        fixture.create(&topic, Topic { append_time, ..plain(1) });
        let partition = Partition::new(topic.as_str(), 0);
        write(fixture, vec![record(&partition, "x")]);
        let mut reader = fixture.log().reader(Isolation::Committed).unwrap();
        reader.assign(&[(partition, 0)]).unwrap();
        let stamp = eventually(fixture, "the record", || {
            let mut stamp = None;
            let mut take = |message: hashbuy::log::Message<'_>| {
                stamp = Some((message.appended, message.timestamp));
            };
            reader.poll(fixture.wait(), &mut take).unwrap();
            stamp
        });
        assert_eq!(stamp.0, append_time);
        assert!(stamp.1.millis() > 1_300_000_000_000, "{} is no time of this century", stamp.1);
    }
}

/// A delivery says when a record was appended, by the same clock that stamps it; each only once.
pub fn delivery_times(fixture: &dyn Fixture) {
    let standing = some_standing(fixture);
    for append_time in [true, false] {
        let topic = fixture.name(if append_time { "appended" } else { "created" });
        fixture.create(&topic, Topic { append_time, ..plain(2) });
        let partitions = [0, 1].map(|number| Partition::new(topic.as_str(), number));

        let mut producer = fixture.log().producer().unwrap();
        assert_eq!(producer.appended(), []);
        partitions.iter().for_each(|partition| producer.send(record(partition, "x")).unwrap());
        eventually(fixture, "all are acknowledged", || {
            (producer.outstanding(fixture.wait()).unwrap() == 0).then_some(())
        });
        let told = producer.appended();
        assert_eq!(producer.appended(), []);

        let mut transactions = transactions(fixture, &fixture.name("id"));
        begin(&mut *transactions, partitions.iter().map(|partition| record(partition, "y")).collect());
        transactions.commit(&[], &standing).unwrap();
        let told_in_transaction = transactions.appended();
        assert_eq!(transactions.appended(), []);

        let newest = stamps(fixture, &partitions);
        for (told, value) in [(told, "x"), (told_in_transaction, "y")] {
            let [appended] = &told[..] else { panic!("one topic: {told:?}") };
            assert_eq!((&*appended.topic, appended.by_log), (topic.as_str(), append_time));
            let stamped = newest.iter().filter(|(of, _)| of == value);
            assert!(stamped.clone().any(|(_, at)| *at == appended.timestamp), "{told:?}: {newest:?}");
        }
    }
}

/// The values in some partitions with their timestamps.
fn stamps(fixture: &dyn Fixture, partitions: &[Partition]) -> Vec<(String, hashbuy::core::time::Time)> {
    let mut reader = fixture.log().reader(Isolation::Committed).unwrap();
    let from: Vec<(Partition, u64)> = partitions.iter().map(|partition| (partition.clone(), 0)).collect();
    reader.assign(&from).unwrap();
    let mut found = Vec::new();
    eventually(fixture, "both records of each partition", || {
        let mut take = |message: hashbuy::log::Message<'_>| {
            let value = String::from_utf8_lossy(message.value.unwrap_or_default()).into_owned();
            found.push((value, message.timestamp));
        };
        reader.poll(fixture.wait(), &mut take).unwrap();
        (found.len() == 2 * partitions.len()).then_some(())
    });
    found
}

/// How a topic was made can be asked for, under Kafka's names.
pub fn topic_settings(fixture: &dyn Fixture) {
    let mut lookup = fixture.log().lookup().unwrap();
    for (append_time, compacted) in [(true, false), (false, true)] {
        let topic = fixture.name(if compacted { "compacted" } else { "plain" });
        fixture.create(&topic, Topic { append_time, compacted, ..plain(1) });
        let settings = insist(fixture, "an answer", || lookup.settings(&topic)).unwrap();
        let setting = |name: &str| settings.get(name).map(String::as_str);
        assert_eq!(setting("cleanup.policy"), Some(if compacted { "compact" } else { "delete" }));
        let stamps = if append_time { "LogAppendTime" } else { "CreateTime" };
        assert_eq!(setting("message.timestamp.type"), Some(stamps));
        assert_eq!(setting("no.such.setting"), None);
    }
    assert_eq!(insist(fixture, "an answer", || lookup.settings(&fixture.name("nowhere"))), None);
}

/// Nobody reads or writes what does not exist, and is told so.
pub fn unknown_partition(fixture: &dyn Fixture) {
    let topic = fixture.name("topic");
    fixture.create(&topic, plain(2));
    let beyond = Partition::new(topic.as_str(), 2);
    let nowhere = Partition::new(fixture.name("nowhere"), 0);
    let mut lookup = fixture.log().lookup().unwrap();
    assert_eq!(insist(fixture, "a count", || lookup.partitions(&topic)), Some(2));
    assert_eq!(insist(fixture, "a count", || lookup.partitions(&nowhere.topic)), None);
    for partition in [&beyond, &nowhere] {
        let mut reader = fixture.log().reader(Isolation::Committed).unwrap();
        let error = reader.assign(&[(partition.clone(), 0)]).unwrap_err();
        assert_eq!(error.kind, Kind::Fatal, "{error}");
        assert!(error.what.contains(&*partition.topic), "{error} names the topic");

        let mut producer = fixture.log().producer().unwrap();
        let error = producer.send(record(partition, "lost")).err();
        let error = error.unwrap_or_else(|| {
            eventually(fixture, "a failed delivery", || producer.outstanding(fixture.wait()).err())
        });
        assert!(matches!(error.kind, Kind::Fatal | Kind::Fenced), "{:?}: {error}", error.kind);
        assert!(producer.outstanding(fixture.wait()).is_err(), "a producer that failed is spent");
    }
    assert_eq!(watermarks(fixture, &Partition::new(topic, 1), Isolation::Uncommitted), (0, 0));
}

/// An offset that the log does not have, or not any more, is an error for readers and members alike.
pub fn out_of_range(fixture: &dyn Fixture) {
    let topic = fixture.name("topic");
    fixture.create(&topic, plain(1));
    let partition = Partition::new(topic.as_str(), 0);
    write(fixture, (0..10).map(|number| record(&partition, &number.to_string())).collect());
    fixture.trim(&partition, 5);
    eventually(fixture, "the log begins at 5", || {
        (watermarks(fixture, &partition, Isolation::Committed) == (5, 10)).then_some(())
    });
    for offset in [0, 4, 11, 1_000] {
        let mut reader = fixture.log().reader(Isolation::Committed).unwrap();
        reader.assign(&[(partition.clone(), offset)]).unwrap();
        let mut none = |message: hashbuy::log::Message<'_>| panic!("{} was read", message.offset);
        let error = eventually(fixture, "out of range", || reader.poll(fixture.wait(), &mut none).err());
        assert_eq!(error.kind, Kind::OutOfRange, "{offset}: {error}");
        assert!(error.what.contains(&*topic), "{error} names the partition");
    }
    assert_eq!(values(&read(fixture, &partition, Isolation::Committed, 5, 10)), ["5", "6", "7", "8", "9"]);

    // A member may go on from elsewhere.
    let mut member = fixture
        .log()
        .member(&Membership {
            group: fixture.name("group"),
            topics: vec![topic],
            instance: None,
            isolation: Isolation::Committed,
        })
        .unwrap();
    let mut read = Vec::new();
    let error = eventually(fixture, "out of range", || {
        match member.poll(fixture.wait(), &mut |message| panic!("{} was read", message.offset)) {
            Ok(Polled::Assigned(partitions)) => {
                partitions.iter().for_each(|partition| member.start(partition, 0).unwrap());
                None
            }
            answer => answer.err(),
        }
    });
    assert_eq!(error.kind, Kind::OutOfRange, "{error}");
    member.start(&partition, 7).unwrap();
    eventually(fixture, "position 10", || {
        member.poll(fixture.wait(), &mut |message| read.push(message.offset)).unwrap();
        (member.position(&partition) == Some(10)).then_some(())
    });
    assert_eq!(read, [7, 8, 9]);
}
