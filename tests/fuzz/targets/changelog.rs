//! Records of the changelog, a line each: what restores a desk.
//!
//! - What is read is written and read again the same.
//! - A desk takes in whatever can be read, in any order, and one that takes in what was written of it knows
//!   the same.
//! - What is taken back is gone.

use hashbuy::core::code::Secret;
use hashbuy::core::desk::{Change, Desk};
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
    assert_eq!(desk.partition(), again.partition());
    assert_eq!(desk.pendings().count(), again.pendings().count());
    // Nothing is open: only the partition is written.
    assert_eq!(desk.changes(7), again.changes(7));
    assert_eq!(desk.changes(7).len(), 1);
    for key in &keys {
        assert_eq!(desk.restore(key, None).unwrap(), None);
    }
    assert_eq!(desk.pendings().count(), 0);
}

fn key(change: &Change) -> String {
    match change {
        Change::Account(buyer) => format!("account/{}", buyer.id),
        Change::Offer { offer_id, .. } => format!("offer/{offer_id}"),
        Change::Told { offer_id, .. } => format!("told/{offer_id}"),
        Change::Partition { .. } => Change::PARTITION.to_owned(),
        Change::Import => Change::IMPORT.to_owned(),
    }
}
