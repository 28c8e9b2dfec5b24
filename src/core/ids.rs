//! Ids of tweets and accounts, and the ids of purchases and events that are made from them.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use super::from_text::from_text;

/// The namespace of all purchase and event ids: the UUIDv5 of the URL `urn:hashbuy`.
pub const NAMESPACE: Uuid = Uuid::from_u128(0xe1d304a3_c2ff_5362_87f4_6ef7ff449919);

macro_rules! decimal_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u64);

        impl $name {
            /// The id as a number, never 0.
            pub const fn get(self) -> u64 {
                self.0
            }

            /// An id from a number; nothing for 0, which nobody has.
            pub const fn new(id: u64) -> Option<$name> {
                if id == 0 { None } else { Some($name(id)) }
            }

            /// Reads decimal digits without sign or leading zeros, below 2^64.
            pub fn parse(text: &str) -> Option<$name> {
                $name::at_front(text.as_bytes()).filter(|(_, length)| *length == text.len()).map(|(id, _)| id)
            }

            /// The same with what a text begins with, up to its first byte that is no digit, and how long that is.
            pub(super) fn at_front(text: &[u8]) -> Option<($name, usize)> {
                digits_at_front(text).map(|(id, length)| ($name(id), length))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(itoa::Buffer::new().format(self.0))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<$name, D::Error> {
                from_text(deserializer, |text| $name::parse(text).ok_or("an id is decimal digits"))
            }
        }
    };
}

decimal_id! {
    /// The id of a tweet: a decimal number of 64 bits, in JSON a string.
    TweetId
}

decimal_id! {
    /// The id of an author, which is also the id of the account linked to it.
    AccountId
}

/// So many digits are below 2^64, whatever they are.
const SAFE_DIGITS: usize = 19;

/// Decimal digits at the front of a text, the first of them no 0, as a number below 2^64; and how many they are.
fn digits_at_front(text: &[u8]) -> Option<(u64, usize)> {
    let mut number: u64 = 0;
    let mut length = 0;
    while let Some(digit) = text.get(length).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit <= 9) {
        number = if length < SAFE_DIGITS {
            number * 10 + u64::from(digit)
        } else {
            number.checked_mul(10)?.checked_add(u64::from(digit))?
        };
        length += 1;
    }
    text.first().is_some_and(|first| *first != b'0' && length > 0).then_some((number, length))
}

/// The longest handle that is believed, in bytes; the microblog gives out 15 characters at most.
const MAX_HANDLE: usize = 64;

/// Whether a text can be a handle (without `@`), so that a reply can address it.
pub fn is_handle(text: &str) -> bool {
    let clean = !text.chars().any(|c| c.is_whitespace() || c.is_control());
    (1..=MAX_HANDLE).contains(&text.len()) && clean
}

/// The id of one purchase: the same whenever the same tweet of the same account asks for the
/// same offer again, so a crash that makes us decide twice cannot make two purchases.
pub fn purchase_id(account: AccountId, offer_id: &str, offer_tweet: TweetId) -> Uuid {
    let (account, offer_tweet) = (account.to_string(), offer_tweet.to_string());
    name_id(&["purchase", &account, offer_id, &offer_tweet])
}

/// The id of one event. `subject` is the purchase, else the account; `cause` the tweet or
/// transaction that caused it; `what` the offer, else the folded tag without its sign.
pub fn event_id(kind: &str, subject: &str, cause: &str, what: &str) -> Uuid {
    name_id(&[kind, subject, cause, what])
}

/// The UUIDv5 of lines.
fn name_id(lines: &[&str; 4]) -> Uuid {
    Uuid::new_v5(&NAMESPACE, lines.join("\n").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_namespace_is_that_of_the_url() {
        assert_eq!(Uuid::new_v5(&Uuid::NAMESPACE_URL, b"urn:hashbuy"), NAMESPACE);
    }

    #[test]
    fn only_plain_decimals_are_ids() {
        assert_eq!(TweetId::parse("18446744073709551615").map(TweetId::get), Some(u64::MAX));
        for bad in ["", "0", "007", "-1", "+1", "1.0", "1e3", " 1", "18446744073709551616", "١"] {
            assert_eq!(TweetId::parse(bad), None, "{bad}");
        }
        for (text, wanted) in [("7\"", Some((7, 1))), ("70", Some((70, 2))), ("\"7", None), ("0\"", None)] {
            assert_eq!(TweetId::at_front(text.as_bytes()).map(|(id, length)| (id.get(), length)), wanted);
        }
    }
}
