//! Reading the inbox record by record. Marks are many, and nearly all of one content: only their time is
//! another, so what stands behind it is read again only when it has changed. Sightings are what a desk works on;
//! they are compared with how the scan writes them, and share their offers.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::code::{CODE_LEN, Code};
use super::ids::{AccountId, TweetId};
use super::inbox::{Corrupt, Inbox, SeenCode, SeenOffer, Sighting, Version, decode};
use super::known_offers::KnownOffers;
use super::layout::Layout;
use super::settings::Shared;
use super::time::Time;
use super::versioned::version_of;

/// How a sighting begins, behind its version.
const SIGHTING: &[u8] = br#","type":"sighting","#;
/// Where that stands: behind the version, which has one digit.
const SIGHTING_AT: usize = r#"{"v":1"#.len();
/// Where the time of a mark ends and its settings begin.
const SETTINGS: &[u8] = br#","settings":"#;
/// They begin within so many bytes.
const HEAD: usize = 96;
/// So many offers of sightings are known at most: with texts of some 500 bytes that is 10 MB.
const OFFERS: usize = 10_000;

/// Reads records of the inbox, with the same results as [`decode`].
#[derive(Debug)]
pub struct Reader {
    /// The settings of the last mark, with the bytes that said them.
    last: Option<(Box<[u8]>, Shared)>,
    /// Those of sightings.
    offers: KnownOffers,
}

impl Default for Reader {
    fn default() -> Reader {
        Reader { last: None, offers: KnownOffers::up_to(OFFERS) }
    }
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
        if let Some(sighting) = self.sighting(bytes) {
            return Ok(Inbox::Sighting(sighting));
        }
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

    /// A sighting that is written as the scan writes it; any other record, and what is none, goes the usual way.
    fn sighting(&mut self, bytes: &[u8]) -> Option<Sighting> {
        let (head, _) = bytes.split_at_checked(SIGHTING_AT + SIGHTING.len())?;
        if !head.ends_with(SIGHTING) {
            return None;
        }
        let mut record = Layout::new(str::from_utf8(bytes).ok()?);
        record.eat(r#"{"v":"#)?;
        Version::new(record.value()?)?;
        record.eat(r#","type":"sighting","account":""#)?;
        let account = record.id(AccountId::at_front)?;
        record.eat(r#","tweet_id":""#)?;
        let tweet_id = record.id(TweetId::at_front)?;
        record.eat(r#","first_id":""#)?;
        let first_id = record.id(TweetId::at_front)?;
        record.eat(r#","time":""#)?;
        let time = record.time()?;
        let handle = if record.has(r#","handle":""#) { Some(record.text()?.to_owned()) } else { None };
        let protected = record.has(r#","protected":true"#);
        let codes = if record.has(r#","codes":"#) { record.list(code)? } else { Vec::new() };
        let offers = match record.has(r#","offers":"#) {
            true => record.list(|record| self.offer(record))?,
            false => Vec::new(),
        };
        record.eat("}")?;
        let sighting = Sighting { account, tweet_id, first_id, time, handle, protected, codes, offers };
        record.is_at_end().then_some(sighting)
    }

    fn offer(&mut self, record: &mut Layout<'_>) -> Option<SeenOffer> {
        record.eat(r#"{"hashtag":""#)?;
        let hashtag = record.text()?.to_owned();
        record.eat(r#","offer":"#)?;
        let offer = self.offers.read(record)?;
        record.eat("}")?;
        Some(SeenOffer { hashtag, offer })
    }
}

fn code(record: &mut Layout<'_>) -> Option<SeenCode> {
    record.eat(r#"{"hashtag":""#)?;
    let hashtag = record.text()?.to_owned();
    record.eat(r#","code":""#)?;
    let code = Code::parse(record.text_of(CODE_LEN)?)?;
    record.eat("}")?;
    Some(SeenCode { hashtag, code })
}

/// Whether nothing but the settings stands in the tail of a mark: any other member could be one that its head has too.
fn is_settings_alone(tail: &[u8]) -> bool {
    let value = tail.strip_prefix(SETTINGS).and_then(|rest| rest.strip_suffix(b"}"));
    value.is_some_and(|value| serde_json::from_slice::<IgnoredAny>(value).is_ok())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use std::sync::Arc;

    use super::*;
    use crate::core::offer::Offer;
    use crate::core::settings::Settings;
    use crate::core::versioned::{encode, encode_as};

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

    fn sighting(handle: Option<&str>, protected: bool, codes: usize, offers: &[&str]) -> Inbox {
        let offers = offers.iter().map(|id| {
            let json = format!(
                r##"{{"offer_id":"{id}","kind":"purchase","hashtag":"#Get{id}","price":{{"amount":1,"currency":"USD"}},
                    "starts_at":"2013-02-13T00:00:00.000Z","ends_at":"2013-02-14T00:00:00.000Z"}}"##
            );
            let offer = Arc::new(Offer::from_json(&json, "Confirm").unwrap());
            SeenOffer { hashtag: offer.hashtag.clone(), offer }
        });
        let code = Code::parse("7K2QM4XA").unwrap();
        Inbox::Sighting(Sighting {
            account: AccountId::new(17).unwrap(),
            tweet_id: TweetId::new(301_829_517_291_847_680).unwrap(),
            first_id: TweetId::new(29).unwrap(),
            time: Time::from_millis(1_360_756_800_000),
            handle: handle.map(str::to_owned),
            protected,
            codes: vec![SeenCode { hashtag: code.hashtag("Confirm"), code }; codes],
            offers: offers.collect(),
        })
    }

    #[test]
    fn sightings_are_read_as_decode_reads_them_and_share_their_offers() {
        let mut reader = Reader::default();
        let newest = Version::new(2).unwrap();
        for record in [
            sighting(Some("anna"), false, 0, &["cup"]),
            sighting(None, true, 2, &["cup", "pot"]),
            sighting(Some("an\"na"), false, 1, &[]),
            sighting(Some("anna"), true, 0, &["pöt"]),
            sighting(None, false, 0, &[]),
        ] {
            assert_eq!(&reader.read(&encode(&record)).unwrap(), &record);
            assert_eq!(&reader.read(&encode_as(newest, &record)).unwrap(), &record);
        }
        let mut cup = || match reader.read(&encode(&sighting(None, false, 0, &["cup"]))).unwrap() {
            Inbox::Sighting(sighting) => Arc::clone(&sighting.offers[0].offer),
            other => panic!("{other:?}"),
        };
        assert!(Arc::ptr_eq(&cup(), &cup()));
        assert!(reader.sighting(&encode(&sighting(Some("anna"), true, 1, &["cup"]))).is_some());
    }

    #[test]
    fn a_sighting_with_a_byte_more_or_less_is_what_decode_makes_of_it() {
        let mut reader = Reader::default();
        let sound = encode(&sighting(Some("anna"), true, 1, &["cup", "pot"]));
        for at in 0..sound.len() {
            let (before, after) = (&sound[..at], &sound[at + 1..]);
            let instead = [&b""[..], b"\"", b" ", b"}", b"\\", b"7", b"\xff", b"]", b",", b"0"];
            for broken in instead.map(|bytes| [before, bytes, after].concat()) {
                let (expected, read) = (decode::<Inbox>(&broken).ok(), reader.read(&broken).ok());
                assert_eq!(read, expected, "{}", String::from_utf8_lossy(&broken));
            }
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
