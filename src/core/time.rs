//! Points in time and spans, in whole milliseconds; tweet times from ids.
//!
//! The core never asks a clock: every [`Time`] in it was read from a tweet, from a record's
//! append time, or was handed in.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, NaiveDate, NaiveTime, SecondsFormat};
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

    /// Reads a time as it is written here, `2013-02-13T16:45:00.000Z`, in a tenth of the time that RFC 3339
    /// takes: a restore reads several for each purchase. Nothing if it is written in any other way, or is none.
    fn parse_own(text: &str) -> Option<Time> {
        const SHAPE: &[u8; 24] = b"0000-00-00T00:00:00.000Z";
        let text: &[u8; 24] = text.as_bytes().try_into().ok()?;
        let fits =
            |(byte, wanted): (&u8, &u8)| if *wanted == b'0' { byte.is_ascii_digit() } else { byte == wanted };
        if !text.iter().zip(SHAPE).all(fits) {
            return None;
        }
        let number = |from: usize, until: usize| {
            text[from..until].iter().fold(0, |number, digit| number * 10 + u32::from(digit - b'0'))
        };
        let (hour, minute, second) = (number(11, 13), number(14, 16), number(17, 19));
        // A leap second is left to RFC 3339.
        let time = NaiveTime::from_hms_milli_opt(hour, minute, second, number(20, 23))?;
        let year = i32::try_from(number(0, 4)).ok().filter(|year| *year >= 1970)?;
        let date = NaiveDate::from_ymd_opt(year, number(5, 7), number(8, 10))?;
        Some(Time(date.and_time(time).and_utc().timestamp_millis()))
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
        match DateTime::from_timestamp_millis(self.0) {
            Some(time) => f.write_str(&time.to_rfc3339_opts(SecondsFormat::Millis, true)),
            None => write!(f, "{} ms", self.0),
        }
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
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
    fn the_short_way_reads_as_rfc_3339_does() {
        let usual = |text: &str| {
            let millis = DateTime::parse_from_rfc3339(text).ok()?.timestamp_millis();
            (0..=Time::MAX.0).contains(&millis).then_some(Time(millis))
        };
        let mut texts: Vec<String> =
            (0..5_000).map(|n| Time(n * 50_680_460_160 + n * 7).to_string()).collect();
        assert!(texts.iter().all(|text| Time::parse_own(text) == usual(text) && usual(text).is_some()));
        let odd = [
            "2013-02-29",
            "2012-02-29",
            "2000-02-29",
            "1900-01-01",
            "1969-12-31",
            "2013-13-01",
            "2013-00-10",
        ];
        texts.extend(odd.map(|day| format!("{day}T00:00:00.000Z")));
        let odd =
            ["24:00:00.000", "23:60:00.000", "23:59:60.000", "23:59:59.999", "0a:00:00.000", "00:00:00,000"];
        texts.extend(odd.map(|time| format!("2016-12-31T{time}Z")));
        texts.extend(
            ["2013-02-13t16:45:00.000z", "2013-02-13 16:45:00.000Z", "2013-02-13T16:45:00.000é"]
                .map(String::from),
        );
        for text in &texts {
            assert!(Time::parse_own(text).is_none_or(|time| usual(text) == Some(time)), "{text}");
            assert_eq!(text.parse().ok(), usual(text), "{text}");
        }
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
