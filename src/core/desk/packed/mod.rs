//! Entities at rest, in as few bytes as they need.
//!
//! There may be ten million pendings, and nearly all of them do nothing at a time. As the structs that the rules go
//! by, one takes 96 bytes and those of its texts, with room to grow and the upper halves of numbers unused. At rest
//! it takes some 50, beside others of its account some 40: a time is
//! written as its distance from another one near by, a text with its length before it, and all of one account
//! stands in one piece of memory.
//!
//! It is not for the log: what is written there is JSON ([`super::changelog`]). It lives no longer than the process.

mod account;
mod arena;
mod history;
mod pendings;

use std::fmt;

pub(super) use self::account::{pack_account, unpack_account};
pub(super) use self::arena::{Arena, Handle};
pub(super) use self::pendings::{offers_of, pack_pendings, unpack_pendings};
use crate::core::code::Code;
use crate::core::ids::TweetId;
use crate::core::time::Time;

/// Bytes of a code.
const CODE: usize = 5;

/// Values at rest, in memory of their own.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Packed(Box<[u8]>);

/// There are card tokens in it, which no log may hold.
impl fmt::Debug for Packed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl Packed {
    fn read(&self) -> Reader<'_> {
        Reader(&self.0)
    }
}

/// What was unpacked. There always is something: what was packed can be unpacked.
///
/// # Panics
/// If there is nothing: the memory is no longer as it was written, and nothing may be decided by it, nor may an
/// account be forgotten. The worker that has panicked ends its process, and the state comes back from the changelog.
pub(super) fn as_it_was<T>(unpacked: Option<T>) -> T {
    match unpacked {
        Some(unpacked) => unpacked,
        None => unreachable!("what was packed cannot be unpacked"),
    }
}

/// Writes values one behind the other.
#[derive(Debug, Default)]
pub(super) struct Writer(Vec<u8>);

impl Writer {
    fn new() -> Writer {
        Writer(Vec::with_capacity(256))
    }

    /// The bytes, without room to grow.
    fn packed(&self) -> Packed {
        Packed(self.0.as_slice().into())
    }

    fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// Seven bits a byte, the lowest first: one byte below 128, ten at most.
    fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.byte(number as u8 | 0x80);
            number >>= 7;
        }
        self.byte(number as u8);
    }

    /// The same for what is near 0 on either side.
    fn signed(&mut self, number: i64) {
        self.number((number << 1 ^ number >> 63) as u64);
    }

    fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.bytes(text.as_bytes());
    }

    fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Writer, T)) {
        self.byte(u8::from(value.is_some()));
        if let Some(value) = value {
            write(self, value);
        }
    }

    fn list<T>(&mut self, values: &[T], mut write: impl FnMut(&mut Writer, &T)) {
        self.number(values.len() as u64);
        for value in values {
            write(self, value);
        }
    }

    /// As its distance from another time.
    fn time(&mut self, time: Time, from: Time) {
        self.signed(time.since(from));
    }

    fn tweet(&mut self, tweet: TweetId) {
        self.bytes(&tweet.get().to_le_bytes());
    }

    /// An id that is mostly the same as another one.
    fn id_beside(&mut self, id: u64, other: u64) {
        self.signed(id.wrapping_sub(other) as i64);
    }

    fn code(&mut self, code: Code) {
        self.bytes(&code.bits().to_le_bytes()[..CODE]);
    }
}

/// Reads what a [`Writer`] has written, in the same order; nothing if it was something else.
struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*byte)
    }

    fn bytes(&mut self, length: usize) -> Option<&'b [u8]> {
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.bytes(N)?.try_into().ok()
    }

    fn number(&mut self) -> Option<u64> {
        let (mut number, mut shift) = (0, 0);
        loop {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte < 0x80 {
                return Some(number);
            }
            shift += 7;
        }
    }

    fn signed(&mut self) -> Option<i64> {
        let number = self.number()?;
        Some((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    fn text(&mut self) -> Option<&'b str> {
        let length = usize::try_from(self.number()?).ok()?;
        str::from_utf8(self.bytes(length)?).ok()
    }

    fn option<T>(&mut self, read: impl FnOnce(&mut Reader<'b>) -> Option<T>) -> Option<Option<T>> {
        if self.byte()? == 0 { Some(None) } else { read(self).map(Some) }
    }

    fn list<T>(&mut self, mut read: impl FnMut(&mut Reader<'b>) -> Option<T>) -> Option<Vec<T>> {
        let count = usize::try_from(self.number()?).ok()?;
        // Each takes a byte at least.
        let mut values = Vec::with_capacity(count.min(self.0.len()));
        for _ in 0..count {
            values.push(read(self)?);
        }
        Some(values)
    }

    fn time(&mut self, from: Time) -> Option<Time> {
        Some(from.plus(self.signed()?))
    }

    fn tweet(&mut self) -> Option<TweetId> {
        TweetId::new(u64::from_le_bytes(self.array()?))
    }

    fn id_beside(&mut self, other: u64) -> Option<u64> {
        Some(other.wrapping_add(self.signed()? as u64))
    }

    fn code(&mut self) -> Option<Code> {
        let mut bits = [0; 8];
        bits[..CODE].copy_from_slice(self.bytes(CODE)?);
        Some(Code::of_bits(u64::from_le_bytes(bits)))
    }
}

/// The time in a tweet's id: other times of the tweet are near it.
fn time_of(tweet: TweetId) -> Time {
    Time::of_tweet_id(tweet.get()).unwrap_or(Time::ZERO)
}

#[cfg(test)]
mod tests;
