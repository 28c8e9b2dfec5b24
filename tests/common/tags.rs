//! Times, tweet ids, confirmation codes and event ids, computed a second time from their rules.

use chrono::{DateTime, SecondsFormat, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use uuid::Uuid;

const ID_EPOCH: i64 = 1_288_834_974_657;

/// Milliseconds since the Unix epoch of an RFC 3339 time.
pub fn millis(text: &str) -> i64 {
    DateTime::parse_from_rfc3339(text).unwrap_or_else(|e| panic!("{text}: {e}")).timestamp_millis()
}

/// RFC 3339 with milliseconds, as all times of the project are written.
pub fn rfc3339(millis: i64) -> String {
    utc(millis).to_rfc3339_opts(SecondsFormat::Millis, true)
}

pub fn utc(millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(millis).unwrap()
}

/// The id of the `n`-th tweet of a millisecond; `n` below 2^22.
pub fn tweet_id(millis: i64, n: u64) -> u64 {
    ((millis - ID_EPOCH) as u64) << 22 | n
}

/// The time that a tweet id carries.
pub fn time_of(id: u64) -> i64 {
    (id >> 22) as i64 + ID_EPOCH
}

/// The confirmation code of a purchase, with its sign.
pub fn code(secret: &str, account: u64, offer: &str, offer_tweet: u64) -> String {
    (0..)
        .map(|n| digits(secret, &format!("{account}\n{offer}\n{offer_tweet}\n{n}")))
        .find(|text| text.bytes().filter(u8::is_ascii_digit).count() >= 2)
        .map(|text| format!("#Confirm{text}"))
        .unwrap()
}

/// The first 40 bits of the message's HMAC as 8 characters of Crockford's base32.
fn digits(secret: &str, message: &str) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(message.as_bytes());
    let hash = mac.finalize().into_bytes();
    let bits = hash[..5].iter().fold(0u64, |bits, &byte| bits << 8 | u64::from(byte));
    (0..8).map(|i| char::from(ALPHABET[(bits >> (35 - 5 * i) & 31) as usize])).collect()
}

/// A name-based id under the project's namespace.
pub fn id_of(name: &str) -> String {
    let namespace = Uuid::parse_str("e1d304a3-c2ff-5362-87f4-6ef7ff449919").unwrap();
    Uuid::new_v5(&namespace, name.as_bytes()).to_string()
}
