//! Reading the inbox record by record. Marks are many, and nearly all of one content: only their time is
//! another, so what stands behind it is read again only when it has changed.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::inbox::{Corrupt, Inbox, decode};
use super::settings::Shared;
use super::time::Time;
use super::versioned::version_of;

/// Where the time of a mark ends and its settings begin.
const SETTINGS: &[u8] = br#","settings":"#;
/// They begin within so many bytes.
const HEAD: usize = 96;

/// Reads records of the inbox, with the same results as [`decode`].
#[derive(Debug, Default)]
pub struct Reader {
    /// The settings of the last mark, with the bytes that said them.
    last: Option<(Box<[u8]>, Shared)>,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Head {
    Mark { time: Time },
}

impl Reader {
    /// Reads one record.
    ///
    /// # Errors
    /// [`Corrupt`].
    pub fn read(&mut self, bytes: &[u8]) -> Result<Inbox, Corrupt> {
        let head = &bytes[..bytes.len().min(HEAD)];
        let Some(at) = memchr::memmem::find(head, SETTINGS) else { return decode(bytes) };
        let (head, tail) = bytes.split_at(at);
        if let Some((_, settings)) = self.last.as_ref().filter(|(said, _)| **said == *tail) {
            let head = [head, b"}"].concat();
            if let (Ok(_), Ok(Head::Mark { time })) = (version_of(&head), serde_json::from_slice(&head)) {
                return Ok(Inbox::Mark { time, settings: settings.clone() });
            }
        }
        let record = decode(bytes)?;
        if let Inbox::Mark { settings, .. } = &record
            && is_settings_alone(tail)
        {
            self.last = Some((tail.into(), settings.clone()));
        }
        Ok(record)
    }
}

/// Whether nothing but the settings stands in the tail of a mark: any other member could be one that its head has too.
fn is_settings_alone(tail: &[u8]) -> bool {
    let value = tail.strip_prefix(SETTINGS).and_then(|rest| rest.strip_suffix(b"}"));
    value.is_some_and(|value| serde_json::from_slice::<IgnoredAny>(value).is_ok())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;
    use crate::core::settings::Settings;
    use crate::core::versioned::{Version, encode, encode_as};

    fn mark(time: i64, revision: u64) -> Inbox {
        let settings = Settings { revision, ..Settings::default() };
        Inbox::Mark { time: Time::from_millis(time), settings: settings.into() }
    }

    #[test]
    fn it_reads_what_decode_reads() {
        let mut reader = Reader::default();
        let newest = Version::new(2).unwrap();
        let records =
            [mark(7, 1), mark(8, 1), Inbox::Sold { offer_id: "pot".into() }, mark(9, 1), mark(9, 2)];
        for record in records.iter().cycle().take(20) {
            assert_eq!(&reader.read(&encode(record)).unwrap(), record);
            assert_eq!(&reader.read(&encode_as(newest, record)).unwrap(), record);
        }
    }

    #[test]
    fn settings_that_are_the_last_ones_are_not_read_again() {
        let mut reader = Reader::default();
        let mut settings = |time| match reader.read(&encode(&mark(time, 3))).unwrap() {
            Inbox::Mark { settings, .. } => settings,
            other => panic!("{other:?}"),
        };
        let (one, other) = (settings(7), settings(8));
        assert!(std::ptr::eq(&*one, &*other));
    }

    #[test]
    fn a_member_behind_the_settings_is_not_taken_for_known() {
        let mut reader = Reader::default();
        let time = r#""time":"2013-02-11T17:00:00.000Z""#;
        let settings = serde_json::to_string(&Settings::default()).unwrap();
        let behind = format!(r#"{{"v":1,"type":"mark","settings":{settings},{time}}}"#);
        let twice = format!(r#"{{"v":1,"type":"mark",{time},"settings":{settings},{time}}}"#);
        assert!(reader.read(behind.as_bytes()).is_ok());
        assert!(decode::<Inbox>(twice.as_bytes()).is_err());
        assert!(reader.read(twice.as_bytes()).is_err());
    }

    #[test]
    fn what_decode_refuses_is_refused_behind_a_sound_mark() {
        let sound = String::from_utf8(encode(&mark(7, 1))).unwrap();
        let (_, tail) = sound.split_once(r#","settings":"#).unwrap();
        let mut reader = Reader::default();
        reader.read(sound.as_bytes()).unwrap();
        for head in [
            r#"{"v":1,"type":"mark""#,
            r#"{"v":1,"type":"sold","time":"2013-02-11T17:00:00.000Z""#,
            r#"{"v":99,"type":"mark","time":"2013-02-11T17:00:00.000Z""#,
            r#"{"type":"mark","time":"2013-02-11T17:00:00.000Z""#,
            r#"{"v":1,"type":"mark","time":[7"#,
            r#"{"v":1,"type":"mark","time":"noon""#,
        ] {
            let record = format!(r#"{head},"settings":{tail}"#);
            let (expected, read) = (decode::<Inbox>(record.as_bytes()), reader.read(record.as_bytes()));
            assert_eq!(read.unwrap_err().to_string(), expected.unwrap_err().to_string(), "{head}");
        }
    }
}
