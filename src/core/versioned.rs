//! How records of the inbox and the changelog are written: one JSON object with a version `v`.
//!
//! | version | since | what is different |
//! | --- | --- | --- |
//! | 1 | the first release | |
//! | 2 | the same | a changelog's record of the partition *has* to say how many partitions the inbox has; in version 1 it may |
//!
//! A release reads the versions from [`OLDEST`] to [`NEWEST`], and writes the older ones until the setting
//! `records.version` says otherwise. So a new release can be rolled out, and rolled back, one process at a
//! time; when all processes run it, the setting is raised. Any other version is a stop: a release that is
//! older or newer by more has written here, and guessing would cost money.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::error::Category;

/// The oldest version that is read.
pub const OLDEST: u32 = 1;
/// The newest version that is read.
pub const NEWEST: u32 = 2;
/// From this version on a record of the partition says how many partitions there are.
pub(super) const SAYS_PARTITIONS: u32 = 2;

/// A version that can be read and written; the oldest by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(u32);

impl Version {
    /// The version with this number, if this release knows it.
    pub fn new(number: u32) -> Option<Version> {
        (OLDEST..=NEWEST).contains(&number).then_some(Version(number))
    }

    /// Its number.
    pub fn number(self) -> u32 {
        self.0
    }
}

impl Default for Version {
    fn default() -> Version {
        Version(OLDEST)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A record of the inbox or the changelog that cannot be read. It is our own writing, so this is
/// corruption: the processor stops, it never skips (I9).
#[derive(Debug, thiserror::Error)]
pub enum Corrupt {
    /// Another release wrote it.
    #[error(
        "a record of version {found}, but this release reads {OLDEST} to {NEWEST}: run the release that wrote it, and \
         there set records.version to a version that both read before going back to this one"
    )]
    Version {
        /// The version in the record.
        found: u32,
    },
    /// Not what [`encode`] writes.
    #[error("a record that this program did not write: {}", without_values(.0))]
    NotOurs(#[from] serde_json::Error),
    /// It can be read, and cannot be where it is.
    #[error("a record that this program did not write: {0}")]
    OutOfPlace(String),
}

/// What is wrong, without what stands there: that may be a card token.
fn without_values(error: &serde_json::Error) -> String {
    let said = error.to_string();
    match error.classify() {
        Category::Data if !said.starts_with("missing field") => {
            format!("a value that is none of ours at line {} column {}", error.line(), error.column())
        }
        _ => said,
    }
}

#[derive(Serialize)]
struct Written<'r, T> {
    v: u32,
    #[serde(flatten)]
    record: &'r T,
}

#[derive(Deserialize)]
struct Read {
    v: u32,
}

/// Writes a record as JSON of the oldest version.
pub fn encode<T: Serialize>(record: &T) -> Vec<u8> {
    encode_as(Version::default(), record)
}

/// Writes a record as JSON of a version.
pub fn encode_as<T: Serialize>(version: Version, record: &T) -> Vec<u8> {
    to_json(&Written { v: version.0, record })
}

/// Writes a record or an event as JSON, with room for most of them from the start: a desk writes very many.
pub fn to_json<T: Serialize>(record: &T) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1_024);
    // They are structs of plain values with string keys: nothing in them can fail to be written.
    match serde_json::to_writer(&mut bytes, record) {
        Ok(()) => bytes,
        Err(_) => Vec::new(),
    }
}

/// Reads what [`encode`] wrote.
///
/// # Errors
/// [`Corrupt`].
pub fn decode<T: for<'de> Deserialize<'de>>(bytes: &[u8]) -> Result<T, Corrupt> {
    version_of(bytes)?;
    Ok(serde_json::from_slice(bytes)?)
}

/// The version of a record.
///
/// # Errors
/// [`Corrupt`], also for a version that this release does not read.
pub(super) fn version_of(bytes: &[u8]) -> Result<Version, Corrupt> {
    let found = match at_the_front(bytes) {
        Some(found) => found,
        None => serde_json::from_slice::<Read>(bytes)?.v,
    };
    Version::new(found).ok_or(Corrupt::Version { found })
}

/// The version where [`encode`] writes it: before everything else.
fn at_the_front(bytes: &[u8]) -> Option<u32> {
    let rest = bytes.strip_prefix(br#"{"v":"#)?;
    let (digits, _) = rest.split_at_checked(memchr::memchr(b',', rest.get(..11)?)?)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::inbox::Inbox;

    fn sold() -> Inbox {
        Inbox::Sold { offer_id: "pot".into() }
    }

    #[test]
    fn a_record_says_its_version_and_its_type() {
        let text = String::from_utf8(encode(&sold())).unwrap();
        assert_eq!(text, r#"{"v":1,"type":"sold","offer_id":"pot"}"#);
        assert_eq!(decode::<Inbox>(text.as_bytes()).unwrap(), sold());
    }

    #[test]
    fn the_older_and_the_newer_version_are_written_and_read() {
        for number in OLDEST..=NEWEST {
            let bytes = encode_as(Version::new(number).unwrap(), &sold());
            assert!(bytes.starts_with(format!("{{\"v\":{number},").as_bytes()));
            assert_eq!(decode::<Inbox>(&bytes).unwrap(), sold());
        }
        assert_eq!(Version::default().number(), NEWEST - 1, "one version back, until it is told otherwise");
    }

    #[test]
    fn an_unknown_version_says_what_to_do() {
        for number in [OLDEST - 1, NEWEST + 1] {
            assert_eq!(Version::new(number), None);
            let bytes = format!(r#"{{"v":{number},"type":"sold","offer_id":"pot"}}"#);
            let error = decode::<Inbox>(bytes.as_bytes()).unwrap_err();
            assert!(matches!(error, Corrupt::Version { found } if found == number));
            let said = error.to_string();
            assert!(
                said.contains(&format!("version {number}")) && said.contains("records.version"),
                "{said}"
            );
        }
    }

    #[test]
    fn what_we_never_wrote_is_corruption() {
        for foreign in ["", "{}", r#"{"v":1}"#, r#"{"v":1,"type":"gift"}"#, r#"{"v":1,"type":"sold"}"#, "[1]"]
        {
            assert!(matches!(decode::<Inbox>(foreign.as_bytes()), Err(Corrupt::NotOurs(_))), "{foreign}");
        }
    }

    #[test]
    fn what_stands_in_a_bad_record_is_not_told() {
        for foreign in [
            r#"{"v":1,"type":"sold","offer_id":5467}"#,
            r#"{"v":1,"type":"tok-5467"}"#,
            r#"{"v":"tok-5467"}"#,
            r#"["tok-5467"]"#,
            r#""tok-5467""#,
            r#"{"v":1,"type":"account","account":"tok-5467"}"#,
        ] {
            let said = decode::<Inbox>(foreign.as_bytes()).unwrap_err().to_string();
            assert!(!said.contains("5467"), "{foreign}: {said}");
        }
    }
}
