//! Points in time and spans, in whole milliseconds; tweet times from ids.
//!
//! The core never asks a clock: every [`Time`] in it was read from a tweet, from a record's
//! append time, or was handed in.

pub(super) mod text;

use std::fmt;
use std::str::FromStr;

use chrono::DateTime;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::from_text::from_text;

/// One second in milliseconds.
pub const SECOND: i64 = 1_000;
/// One minute in milliseconds.
pub const MINUTE: i64 = 60 * SECOND;
/// One hour in milliseconds.
pub const HOUR: i64 = 60 * MINUTE;
/// One day in milliseconds.
pub const DAY: i64 = 24 * HOUR;

/// Milliseconds between the Unix epoch and the epoch of tweet ids (4 November 2010).
const ID_EPOCH: i64 = 1_288_834_974_657;
/// Ids below this one were given out before ids carried a time (November 2010).
const FIRST_TIMED_ID: u64 = 30_000_000_000;

/// A point in time: milliseconds since the Unix epoch, UTC. In JSON it is an RFC 3339 text with
/// milliseconds (`2013-02-13T16:45:00.000Z`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(i64);

impl Time {
    /// Before everything: desk time before the first mark.
    pub const ZERO: Time = Time(0);
    /// The latest time that RFC 3339 can write, the end of the year 9999.
    pub const MAX: Time = Time(253_402_300_799_999);

    /// A time from milliseconds since the Unix epoch, held to the years 1970 to 9999.
    pub const fn from_millis(millis: i64) -> Time {
        if millis < 0 {
            Time(0)
        } else if millis > Time::MAX.0 {
            Time::MAX
        } else {
            Time(millis)
        }
    }

    /// Milliseconds since the Unix epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// The time that a tweet id carries, or nothing for the ids of before November 2010.
    ///
    /// The author of a tweet cannot forge it: ids are given out by the microblog.
    pub const fn of_tweet_id(id: u64) -> Option<Time> {
        if id < FIRST_TIMED_ID {
            return None;
        }
        Some(Time((id >> 22) as i64 + ID_EPOCH))
    }

    /// This time plus a span in milliseconds, held to the years 1970 to 9999.
    pub const fn plus(self, millis: i64) -> Time {
        Time::from_millis(self.0.saturating_add(millis))
    }

    /// This time minus a span in milliseconds, held to the years 1970 to 9999.
    pub const fn minus(self, millis: i64) -> Time {
        Time::from_millis(self.0.saturating_sub(millis))
    }

    /// Milliseconds from `earlier` to this time; negative if it is the later one.
    pub const fn since(self, earlier: Time) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The UTC day: days since 1 January 1970.
    pub const fn day(self) -> i64 {
        self.0.div_euclid(DAY)
    }

    /// As it is written in JSON. No time is before 1970 or after 9999.
    pub(super) fn text(self) -> [u8; text::LENGTH] {
        text::write(self.0.unsigned_abs())
    }

    /// `16:45`, for replies.
    pub fn hour_and_minute(self) -> String {
        let minutes = self.0.rem_euclid(DAY) / MINUTE;
        format!("{:02}:{:02}", minutes / 60, minutes % 60)
    }

    /// `2013-03-03 23:59`, for replies.
    pub fn date_and_minute(self) -> String {
        let written = self.to_string();
        written.get(..16).unwrap_or(&written).replacen('T', " ", 1)
    }

    /// Reads a time as it is written here, `2013-02-13T16:45:00.000Z`, in a small part of the time that RFC 3339
    /// takes. Nothing if it is written in any other way, or is none.
    pub(super) fn parse_own(text: &str) -> Option<Time> {
        let millis = text::read(text.as_bytes().try_into().ok()?)?;
        i64::try_from(millis).ok().map(Time)
    }

    /// Reads the `created_at` of the v1.1 format: `Thu Jan 26 16:00:00 +0000 2017`.
    pub fn parse_created_at(text: &str) -> Option<Time> {
        let time = DateTime::parse_from_str(text, "%a %b %d %H:%M:%S %z %Y").ok()?;
        Some(Time::from_millis(time.timestamp_millis()))
    }
}

/// A text that is no RFC 3339 time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{NOT_A_TIME}")]
pub struct NotATime;

const NOT_A_TIME: &str = "not an RFC 3339 time such as 2013-02-13T16:45:00.000Z";

impl FromStr for Time {
    type Err = NotATime;

    /// Reads RFC 3339 with any offset; digits below the millisecond are cut off. Times before
    /// 1970 or after 9999 are errors.
    fn from_str(text: &str) -> Result<Time, NotATime> {
        if let Some(time) = Time::parse_own(text) {
            return Ok(time);
        }
        let millis = DateTime::parse_from_rfc3339(text).map_err(|_| NotATime)?.timestamp_millis();
        if !(0..=Time::MAX.0).contains(&millis) {
            return Err(NotATime);
        }
        Ok(Time(millis))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(as_text(&self.text()))
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(as_text(&self.text()))
    }
}

/// Always ASCII, by construction.
fn as_text(text: &[u8; text::LENGTH]) -> &str {
    std::str::from_utf8(text).unwrap_or_default()
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Time, D::Error> {
        from_text(deserializer, |text| text.parse().map_err(|NotATime| NOT_A_TIME))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_carries_its_time_to_the_millisecond() {
        let time = Time::of_tweet_id(727_784_831_185_847_308).unwrap();
        assert_eq!(time.to_string(), "2016-05-04T09:00:00.000Z");
        assert_eq!(Time::of_tweet_id(29_999_999_999), None);
        assert_eq!(Time::of_tweet_id(30_000_000_000), Some(Time(ID_EPOCH + 7_152)));
    }

    #[test]
    fn texts_round_trip() {
        for text in ["1970-01-01T00:00:00.000Z", "2013-03-03T23:59:59.999Z"] {
            assert_eq!(text.parse::<Time>().unwrap().to_string(), text);
        }
        let offset: Time = "2013-03-03T12:00:00.5+02:00".parse().unwrap();
        assert_eq!(offset.to_string(), "2013-03-03T10:00:00.500Z");
        for bad in ["", "2013-03-03", "1969-12-31T23:59:59Z", "+10000-01-01T00:00:00Z"] {
            assert_eq!(bad.parse::<Time>(), Err(NotATime), "{bad}");
        }
    }

    #[test]
    fn for_replies() {
        let time: Time = "2013-03-03T23:09:59.999Z".parse().unwrap();
        assert_eq!(time.hour_and_minute(), "23:09");
        assert_eq!(time.date_and_minute(), "2013-03-03 23:09");
    }

    #[test]
    fn created_at_of_the_old_format() {
        let time = Time::parse_created_at("Thu Jan 26 16:00:00 +0000 2017").unwrap();
        assert_eq!(time.to_string(), "2017-01-26T16:00:00.000Z");
        assert_eq!(Time::parse_created_at("yesterday"), None);
    }
}
