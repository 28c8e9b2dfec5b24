//! A record of the inbox.
//!
//! - What is read is written and read again the same, in every version that can be written.
//! - It has a key.

use hashbuy::core::inbox::{Inbox, decode, encode_as};
use hashbuy::core::versioned::{NEWEST, OLDEST, Version};

pub fn run(bytes: &[u8]) {
    let Ok(record) = decode::<Inbox>(bytes) else { return };
    assert!(!record.key().to_string().is_empty());
    for number in OLDEST..=NEWEST {
        let written = encode_as(Version::new(number).unwrap(), &record);
        let read = decode::<Inbox>(&written).unwrap();
        assert_eq!(read, record);
        assert_eq!(encode_as(Version::new(number).unwrap(), &read), written);
    }
}
