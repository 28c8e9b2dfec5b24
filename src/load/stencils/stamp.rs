//! Ids and times as text, written into places of a given width.

use super::places::{Patch, Place};
use crate::core::time::{SECOND, Time};
use crate::firehose::{created_at, first_id_of};

/// Of the bits of an id below its time, this one is set in every id of noise. A [`Maker`](crate::firehose::Maker)
/// counts up from 0 in each millisecond and does not come so far, so its ids are never those of noise.
pub const NOISE_BIT: u64 = 1 << 21;

/// Ids have 19 digits from the first of these times (26 May 2018) to the last (April 2086).
const FIRST: Time = time_of(10_u64.pow(18)).plus(1);
const LAST: Time = time_of(9_999_999_999_999_999_999).minus(1);

const fn time_of(id: u64) -> Time {
    match Time::of_tweet_id(id) {
        Some(time) => time,
        None => Time::ZERO,
    }
}

/// The time of a record in all its spellings, and its id.
#[derive(Clone)]
pub(super) struct Stamp {
    time: Time,
    /// The second that the texts are of.
    second: i64,
    created_at: [u8; 30],
    rfc3339: [u8; 24],
    millis: [u8; 13],
    last_id: u64,
    id: [u8; 19],
}

impl Stamp {
    pub(super) fn new() -> Stamp {
        Stamp {
            time: Time::ZERO,
            second: -1,
            created_at: [0; 30],
            rfc3339: [0; 24],
            millis: [0; 13],
            last_id: 0,
            id: [0; 19],
        }
    }

    /// Patches are of this time from now on; of the nearest one whose ids have 19 digits, if it is another.
    pub(super) fn set_time(&mut self, time: Time) {
        let time = time.clamp(FIRST, LAST);
        if time == self.time {
            return;
        }
        self.time = time;
        let second = time.millis() / SECOND;
        if second != self.second {
            self.second = second;
            put_text(&mut self.created_at, &created_at(time));
            put_text(&mut self.rfc3339, &time.to_string());
        }
        let of_second = u64::try_from(time.millis() % SECOND).unwrap_or(0);
        put_digits(&mut self.rfc3339[20..23], of_second);
        put_digits(&mut self.millis, u64::try_from(time.millis()).unwrap_or(0));
    }

    /// Goes on to the next id of the time that is set, or of the last record's time if that is later.
    pub(super) fn next_id(&mut self) {
        self.last_id = first_id_of(self.time).max(self.last_id + 1) | NOISE_BIT;
        put_digits(&mut self.id, self.last_id);
    }

    /// The last id.
    pub(super) fn last_id(&self) -> u64 {
        self.last_id
    }

    /// The time that is set less so many milliseconds, if ids had 19 digits by then.
    pub(super) fn earlier(&self, age: i64) -> Time {
        self.time.minus(age).max(FIRST)
    }

    /// Writes a patch to its place.
    pub(super) fn put(&self, bytes: &mut [u8], place: &Place) {
        let room = &mut bytes[place.at..place.at + place.patch.width()];
        match place.patch {
            Patch::Own => room.copy_from_slice(&self.id),
            Patch::Older { age, low } => {
                put_digits(room, first_id_of(self.earlier(age)) | low | NOISE_BIT);
            }
            Patch::CreatedAt => room.copy_from_slice(&self.created_at),
            Patch::Rfc3339 => room.copy_from_slice(&self.rfc3339),
            Patch::Millis => room.copy_from_slice(&self.millis),
        }
    }
}

/// Times outside of the years 1970 to 9999 have another width, but those are held off.
fn put_text(room: &mut [u8], text: &str) {
    if text.len() == room.len() {
        room.copy_from_slice(text.as_bytes());
    }
}

fn put_digits(room: &mut [u8], mut number: u64) {
    for digit in room.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}
