//! The text of a time as hashbuy writes it, `2013-02-13T16:45:00.000Z`.
//!
//! A restore reads tens of millions of them, and a purchase is written with a dozen. So they are read and written
//! without the way through a general format; whatever is written otherwise is left to RFC 3339 as a whole.
//! The calendar is Howard Hinnant's, <https://howardhinnant.github.io/date_algorithms.html>: a year begins in March,
//! so that the odd day of February is its last.

use super::{DAY, HOUR, MINUTE, SECOND};

/// Bytes of a text.
pub(in crate::core) const LENGTH: usize = 24;
/// What stands where; a 0 is any digit.
const SHAPE: &[u8; LENGTH] = b"0000-00-00T00:00:00.000Z";
/// Days from the first day of the calendar, 1 March of the year 0, to 1 January 1970.
const FIRST_DAY: u64 = 719_468;
/// Days of 400 years.
const ERA: u64 = 146_097;

/// The text of a time of the years 1970 to 9999, in milliseconds.
pub(super) fn write(millis: u64) -> [u8; LENGTH] {
    let (days, rest) = (millis / DAY as u64, millis % DAY as u64);
    let (year, month, day) = date(days);
    let mut text = *SHAPE;
    let mut put = |from: usize, digits: usize, mut number: u64| {
        for place in text[from..from + digits].iter_mut().rev() {
            *place = b'0' + (number % 10) as u8;
            number /= 10;
        }
    };
    put(0, 4, year);
    put(5, 2, month);
    put(8, 2, day);
    put(11, 2, rest / HOUR as u64);
    put(14, 2, rest / MINUTE as u64 % 60);
    put(17, 2, rest / SECOND as u64 % 60);
    put(20, 3, rest % SECOND as u64);
    text
}

/// The time in milliseconds; nothing if the text is written in another way, or is no time since 1970. A leap
/// second is none here.
pub(super) fn read(text: &[u8; LENGTH]) -> Option<u64> {
    // All bytes are looked at, whatever is found: without a branch that is a handful of vector instructions.
    let unfit = |(byte, wanted): (&u8, &u8)| {
        let most = if *wanted == b'0' { 9 } else { 0 };
        u8::from(byte.wrapping_sub(*wanted) > most)
    };
    if text.iter().zip(SHAPE).map(unfit).fold(0, |all, one| all | one) != 0 {
        return None;
    }
    let number = |from: usize, digits: usize| {
        text[from..from + digits].iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0'))
    };
    let (year, month, day) = (number(0, 4), number(5, 2), number(8, 2));
    let (hour, minute, second) = (number(11, 2), number(14, 2), number(17, 2));
    let is_date = year >= 1970 && (1..=12).contains(&month) && (1..=days_of(year, month)).contains(&day);
    if !is_date || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = ((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
    Some(seconds * SECOND as u64 + number(20, 3))
}

/// Days from 1 January 1970 to a date.
fn days(year: u64, month: u64, day: u64) -> u64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, of_era) = (year / 400, year % 400);
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    era * ERA + of_era * 365 + of_era / 4 - of_era / 100 + day_of_year - FIRST_DAY
}

/// Year, month and day, so many days after 1 January 1970.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + FIRST_DAY;
    let (era, of_era) = (days / ERA, days % ERA);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (year, month) = if month < 10 { (year, month + 3) } else { (year + 1, month - 9) };
    (era * 400 + year, month, day)
}

fn days_of(year: u64, month: u64) -> u64 {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Time;
    use super::*;
    use chrono::{DateTime, SecondsFormat};

    fn usual(millis: u64) -> String {
        let time = DateTime::from_timestamp_millis(millis as i64).unwrap();
        time.to_rfc3339_opts(SecondsFormat::Millis, true)
    }

    #[test]
    fn every_day_is_written_and_read_as_by_the_usual_way() {
        for days in 0..=Time::MAX.millis() as u64 / DAY as u64 {
            let millis = days * DAY as u64 + days * 7_919 % DAY as u64;
            let text = write(millis);
            assert_eq!(std::str::from_utf8(&text).unwrap(), usual(millis));
            assert_eq!(read(&text), Some(millis));
        }
        for millis in [0, 999, 59_999, 86_399_999, Time::MAX.millis() as u64] {
            assert_eq!(write(millis).as_slice(), usual(millis).as_bytes());
        }
    }

    #[test]
    fn what_is_read_is_what_rfc_3339_says() {
        let usual = |text: &str| DateTime::parse_from_rfc3339(text).ok().map(|time| time.timestamp_millis());
        let dates = ["2013-02-29", "2012-02-29", "2000-02-29", "2100-02-29", "2013-04-31", "2013-12-31"];
        let odd = ["1900-01-01", "1969-12-31", "2013-13-01", "2013-00-10", "2013-01-00", "2013-01-32"];
        let times = ["00:00:00.000", "23:59:59.999", "24:00:00.000", "23:60:00.000", "23:59:60.000"];
        for date in dates.into_iter().chain(odd) {
            for time in times {
                let text = format!("{date}T{time}Z");
                let read = read(text.as_bytes().try_into().unwrap());
                let is_ours = !time.ends_with("60.000") && !date.starts_with("19");
                let wanted = usual(&text).filter(|_| is_ours);
                assert_eq!(read.map(|millis| millis as i64), wanted, "{text}");
            }
        }
    }

    #[test]
    fn another_byte_anywhere_is_another_shape() {
        for place in 0..LENGTH {
            for byte in 0..=u8::MAX {
                let mut text = write(1_360_773_900_000);
                text[place] = byte;
                let fits = if SHAPE[place] == b'0' { byte.is_ascii_digit() } else { byte == SHAPE[place] };
                assert!(fits || read(&text).is_none(), "{place}: {byte}");
            }
        }
    }
}
