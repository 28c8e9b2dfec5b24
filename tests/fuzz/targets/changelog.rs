//! Records of the changelog, a line each: what restores a desk.
//!
//! - What is read is written and read again the same.
//! - A desk takes in whatever can be read, in any order, and one that takes in what was written of it goes on
//!   in the same way: an hour later, and at the end of time.
//! - What is taken back is gone.

use hashbuy::core::code::Secret;
use hashbuy::core::desk::{Change, Desk, Effects, Progress};
use hashbuy::core::inbox::{Inbox, Key};
use hashbuy::core::settings::Settings;
use hashbuy::core::time::{HOUR, Time};
use hashbuy::core::versioned::{NEWEST, Version, encode_as};

pub fn run(bytes: &[u8]) {
    let newest = Version::new(NEWEST).unwrap();
    let (mut desk, mut again) = (Desk::new(Secret::published()), Desk::new(Secret::published()));
    let mut keys = Vec::new();
    for line in bytes.split(|&b| b == b'\n') {
        let Ok(change) = Change::decode(line) else { continue };
        // Only an older version may leave out how many partitions there are.
        let version = match &change {
            Change::Partition { partition, .. } if partition.partitions.is_none() => Version::default(),
            _ => newest,
        };
        let written = encode_as(version, &change);
        assert_eq!(Change::decode(&written).unwrap(), change);
        let key = key(&change);
        assert_eq!(desk.restore(&key, Some(line)).unwrap(), again.restore(&key, Some(&written)).unwrap());
        keys.push(key);
        if let Change::Account(buyer) = &change {
            assert_eq!(desk.pendings().of(buyer.id), buyer.pendings);
        }
    }
    // Nothing is open: only the partition is written.
    assert_eq!(desk.changes(7).len(), 1);
    let later = desk.partition().desk_time.plus(HOUR);
    for time in [later, Time::MAX] {
        assert_eq!(pass(&mut desk, time), pass(&mut again, time));
        assert_eq!(desk.pendings().count(), again.pendings().count());
    }
    for key in &keys {
        assert_eq!(desk.restore(key, None).unwrap(), None);
    }
    assert_eq!(desk.pendings().count(), 0);
}

/// Keys, and what is written under them.
type Written = Vec<(String, Option<Vec<u8>>)>;

/// Lets time pass on a desk. Returns what that leads to, and what is written.
fn pass(desk: &mut Desk, time: Time) -> (Effects, Written) {
    let mark = Inbox::Mark { time, settings: Settings::default().into() };
    let mut effects = Effects::default();
    let mut changes = Vec::new();
    while {
        let progress = desk.step(&mark, time, time, &mut effects).unwrap();
        changes.extend(desk.changes(7));
        desk.commit();
        progress == Progress::More
    } {}
    (effects, changes)
}

fn key(change: &Change) -> String {
    match change {
        Change::Account(buyer) => format!("account/{}", buyer.id),
        Change::Offer { offer_id, .. } => format!("offer/{offer_id}"),
        Change::Card { card_token, .. } => Key::Card(card_token.clone()).to_string(),
        Change::Told { offer_id, .. } => format!("told/{offer_id}"),
        Change::Partition { .. } => Change::PARTITION.to_owned(),
        Change::Import => Change::IMPORT.to_owned(),
    }
}
