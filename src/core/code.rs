//! The confirmation code: eight characters that are worth something to one buyer, for one offer,
//! once, until the deadline.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::Sha256;

use super::from_text::from_text;
use super::ids::{AccountId, TweetId};

/// Crockford's base32: no I, L, O or U, which are easily misread.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// The place of a byte in the alphabet, or [`UNKNOWN`]. A restore asks that many million times.
const PLACES: [u8; 256] = {
    let (mut places, mut place) = ([UNKNOWN; 256], 0);
    while place < ALPHABET.len() {
        places[ALPHABET[place] as usize] = place as u8;
        place += 1;
    }
    places
};
/// The place of what is not in the alphabet.
const UNKNOWN: u8 = u8::MAX;
/// Characters of a code.
pub const CODE_LEN: usize = 8;
/// A code has at least that many digits, so that no word of a language is one.
pub const MIN_DIGITS: usize = 2;

/// The key of the codes. Whoever has it can foretell any code. Its memory is cleared when it goes.
#[derive(Clone)]
pub struct Secret(Hmac<Sha256>);

/// A secret without a single byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the secret is empty: anybody could compute the codes")]
pub struct EmptySecret;

impl Secret {
    /// A secret of at least one byte.
    ///
    /// # Errors
    /// [`EmptySecret`].
    pub fn new(bytes: impl AsRef<[u8]>) -> Result<Secret, EmptySecret> {
        let bytes = bytes.as_ref();
        if bytes.is_empty() { Err(EmptySecret) } else { Ok(Secret::of(bytes)) }
    }

    /// With what an HMAC does with its key done already.
    #[expect(clippy::expect_used, reason = "the error is about key lengths, and an HMAC takes them all")]
    fn of(bytes: &[u8]) -> Secret {
        Secret(Hmac::new_from_slice(bytes).expect("an HMAC takes keys of any length"))
    }

    /// The documented secret of `replay` without `--secret-file`. It protects nobody.
    pub fn published() -> Secret {
        Secret::of(b"hashbuy: this secret is published and protects nobody")
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// A confirmation code without sign and prefix: eight characters of Crockford's base32, at least
/// two of them digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code([u8; CODE_LEN]);

impl Code {
    /// The code of one purchase: the first 40 bits of the HMAC-SHA256 of account, offer, offer
    /// tweet and n, with the least n that gives two digits.
    ///
    /// It is the same when a crash makes us issue it twice, and nobody without the secret can
    /// guess it.
    pub fn issue(secret: &Secret, account: AccountId, offer_id: &str, offer_tweet: TweetId) -> Code {
        let mut n = 0u32;
        loop {
            let message = format!("{account}\n{offer_id}\n{offer_tweet}\n{n}");
            let code = Code::of_bits(first_40_bits(secret, message.as_bytes()));
            if code.has_enough_digits() {
                return code;
            }
            n += 1;
        }
    }

    /// Reads the body of a folded hashtag: the folded prefix and then exactly a code.
    /// `confirm7k2qm4xa` is one, `confirmhearings` is nobody's.
    pub fn of_hashtag(folded_body: &str, folded_prefix: &str) -> Option<Code> {
        Code::parse(&folded_body.strip_prefix(folded_prefix)?.to_ascii_uppercase())
    }

    /// Reads a code as it is written, in capitals.
    pub fn parse(text: &str) -> Option<Code> {
        let code = Code(text.as_bytes().try_into().ok()?);
        let all_known = code.0.iter().all(|c| PLACES[usize::from(*c)] != UNKNOWN);
        (all_known && code.has_enough_digits()).then_some(code)
    }

    /// The eight characters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The whole hashtag: `#Confirm7K2QM4XA`.
    pub fn hashtag(&self, prefix: &str) -> String {
        format!("#{prefix}{}", self.as_str())
    }

    /// The 40 bits that the characters stand for, the first of them highest.
    pub(super) fn bits(self) -> u64 {
        self.0.iter().fold(0, |bits, c| bits << 5 | u64::from(PLACES[usize::from(*c)]))
    }

    /// The code whose characters stand for 40 bits, be there enough digits in it or not.
    pub(super) fn of_bits(bits: u64) -> Code {
        let mut characters = [0; CODE_LEN];
        for (i, character) in characters.iter_mut().enumerate() {
            let five = bits >> (5 * (CODE_LEN - 1 - i)) & 31;
            *character = ALPHABET[five as usize];
        }
        Code(characters)
    }

    fn has_enough_digits(&self) -> bool {
        self.0.iter().filter(|c| c.is_ascii_digit()).count() >= MIN_DIGITS
    }
}

fn first_40_bits(secret: &Secret, message: &[u8]) -> u64 {
    let mut mac = secret.0.clone();
    mac.update(message);
    let bytes = mac.finalize().into_bytes();
    bytes[..5].iter().fold(0, |bits, byte| bits << 8 | u64::from(*byte))
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Code({self})")
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Code, D::Error> {
        from_text(deserializer, |text| Code::parse(text).ok_or("not a confirmation code"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_significant_bits_come_first() {
        assert_eq!(Code::of_bits(0).as_str(), "00000000");
        assert_eq!(Code::of_bits(1).as_str(), "00000001");
        assert_eq!(Code::of_bits(31 << 35 | 30).as_str(), "Z000000Y");
    }

    #[test]
    fn only_the_prefix_and_eight_characters_with_two_digits_are_a_code() {
        let read = |body| Code::of_hashtag(body, "confirm").map(|code| code.to_string());
        assert_eq!(read("confirm7k2qm4xa").as_deref(), Some("7K2QM4XA"));
        for word in [
            "confirmhearings",
            "confirm7kzqmvxa",
            "confirm7k2qm4x",
            "confirm7k2qm4xaa",
            "confirm7i2qm4xa",
            "7k2qm4xa",
            "confirm７k2qm4xa",
        ] {
            assert_eq!(read(word), None, "{word}");
        }
    }

    #[test]
    fn a_secret_is_never_shown() {
        assert_eq!(Secret::new(Vec::new()).unwrap_err(), EmptySecret);
        assert!(!format!("{:?}", Secret::published()).contains("published"));
    }

    #[test]
    fn every_issued_code_reads_back() {
        let secret = Secret::published();
        let (account, tweet) = (AccountId::new(7).unwrap(), TweetId::new(9).unwrap());
        for n in 0..2_000 {
            let code = Code::issue(&secret, account, &format!("offer-{n}"), tweet);
            assert_eq!(Code::parse(code.as_str()), Some(code));
            assert_eq!(Code::of_bits(code.bits()), code);
        }
    }
}
