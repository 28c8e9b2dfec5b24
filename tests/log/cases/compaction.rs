//! What compaction leaves: of each key the newest committed record, where it was.

use hashbuy::log::Isolation::{Committed, Uncommitted};
use hashbuy::log::Partition;

use crate::fixture::{FILLER, Fixture, Stored, Topic, plain};
use crate::tools::{
    await_end, begin, eventually, keyed, read, some_standing, transactions, watermarks, write,
};

fn topic(fixture: &dyn Fixture) -> Partition {
    let topic = fixture.name("compacted");
    fixture.create(&topic, Topic { compacted: true, ..plain(1) });
    Partition::new(topic, 0)
}

/// What a case has written and is still there: offset, key and value.
fn stored(fixture: &dyn Fixture, partition: &Partition) -> Vec<(u64, String, String)> {
    let text =
        |bytes: Option<Vec<u8>>| bytes.map_or("(none)".into(), |bytes| String::from_utf8(bytes).unwrap());
    let own = |stored: &Stored| stored.key.as_deref() != Some(FILLER);
    let stored = fixture.records(&partition.topic).into_iter().filter(own);
    stored.map(|stored| (stored.offset, text(stored.key), text(stored.value))).collect()
}

fn entries(wanted: &[(u64, &str, &str)]) -> Vec<(u64, String, String)> {
    wanted.iter().map(|&(offset, key, value)| (offset, key.to_owned(), value.to_owned())).collect()
}

/// Older records of a key go, the newest stays at its offset; what was aborted replaces nothing; a
/// reader passes the gaps.
pub fn compaction(fixture: &dyn Fixture) {
    let partition = topic(fixture);
    let standing = some_standing(fixture);
    let put = |key: &str, value: &str| keyed(&partition, key, Some(value));
    write(fixture, vec![put("a", "1"), put("b", "1"), put("a", "2"), put("c", "1")]);
    let mut producer = transactions(fixture, &fixture.name("id"));
    begin(&mut *producer, vec![put("b", "2")]);
    producer.commit(&[], &standing).unwrap();
    await_end(fixture, &partition, Committed, 6);
    begin(&mut *producer, vec![put("a", "aborted"), put("c", "aborted")]);
    await_end(fixture, &partition, Uncommitted, 8);
    producer.abort().unwrap();
    await_end(fixture, &partition, Committed, 9);
    write(fixture, vec![put("d", "1")]);

    fixture.compact(&partition.topic);
    let wanted = entries(&[(2, "a", "2"), (3, "c", "1"), (4, "b", "2"), (9, "d", "1")]);
    eventually(fixture, "the compaction", || {
        let stored = stored(fixture, &partition);
        for newest in &wanted {
            assert!(stored.contains(newest), "{newest:?} is not in {stored:?}");
        }
        (stored == wanted).then_some(())
    });
    let (start, end) = watermarks(fixture, &partition, Committed);
    assert!(start <= 2, "the log began at 0 or where compaction left something, not at {start}");
    let read: Vec<u64> = read(fixture, &partition, Committed, 2, end).iter().map(|read| read.0).collect();
    assert_eq!(read[..4], [2, 3, 4, 9]);
}

/// Records of an open transaction replace nothing, since it may be aborted, and stay, since it may be
/// committed.
pub fn open_transaction(fixture: &dyn Fixture) {
    let partition = topic(fixture);
    let standing = some_standing(fixture);
    let put = |key: &str, value: &str| keyed(&partition, key, Some(value));
    write(fixture, vec![put("a", "1"), put("b", "1")]);
    let mut aborted = transactions(fixture, &fixture.name("aborted"));
    let mut committed = transactions(fixture, &fixture.name("committed"));
    begin(&mut *aborted, vec![put("a", "aborted")]);
    await_end(fixture, &partition, Uncommitted, 3);
    begin(&mut *committed, vec![put("c", "1")]);
    await_end(fixture, &partition, Uncommitted, 4);
    fixture.compact(&partition.topic);
    aborted.abort().unwrap();
    committed.commit(&[], &standing).unwrap();
    eventually(fixture, "the end of the transactions", || {
        let (_, stable) = watermarks(fixture, &partition, Committed);
        (stable >= 6).then_some(())
    });
    let stored = stored(fixture, &partition);
    for wanted in entries(&[(0, "a", "1"), (1, "b", "1"), (3, "c", "1")]) {
        assert!(stored.contains(&wanted), "{wanted:?} is not in {stored:?}");
    }
}

/// A tombstone is read as such, and ends what its key had; a later value begins it anew.
pub fn tombstones(fixture: &dyn Fixture) {
    let partition = topic(fixture);
    let put = |key: &str, value| keyed(&partition, key, value);
    write(fixture, vec![put("gone", Some("1")), put("again", Some("1")), put("stays", Some("1"))]);
    write(fixture, vec![put("gone", None), put("again", None), put("again", Some("2"))]);
    let values: Vec<String> =
        read(fixture, &partition, Committed, 0, 6).into_iter().map(|read| read.1).collect();
    assert_eq!(values, ["1", "1", "1", "(none)", "(none)", "2"]);
    fixture.compact(&partition.topic);
    let wanted = entries(&[(2, "stays", "1"), (5, "again", "2")]);
    eventually(fixture, "the compaction", || {
        let mut stored = stored(fixture, &partition);
        // A log may keep a tombstone for a while.
        stored.retain(|stored| *stored != (3, "gone".to_owned(), "(none)".to_owned()));
        (stored == wanted).then_some(())
    });
}
