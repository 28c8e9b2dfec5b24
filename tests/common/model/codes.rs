//! Codes and ids by their written formulas.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use uuid::Uuid;

/// Crockford's base32: no I, L, O or U.
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A code without sign and prefix. `tweet` is the first id of the offer tweet's chain.
pub fn code(secret: &[u8], account: u64, offer: &str, tweet: u64) -> String {
    (0_u32..)
        .map(|n| {
            let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
            mac.update(format!("{account}\n{offer}\n{tweet}\n{n}").as_bytes());
            let hash = mac.finalize().into_bytes();
            let bits = hash[..5].iter().fold(0_u64, |bits, &byte| bits << 8 | u64::from(byte));
            (0..8).rev().map(|i| char::from(DIGITS[(bits >> (5 * i)) as usize & 31])).collect::<String>()
        })
        .find(|code| code.bytes().filter(u8::is_ascii_digit).count() >= 2)
        .unwrap()
}

/// The id of the purchase that this account asked for with this tweet (the first of its chain).
pub fn purchase_id(account: u64, offer: &str, tweet: u64) -> String {
    name_based(&format!("purchase\n{account}\n{offer}\n{tweet}"))
}

/// The id of an event. `subject`: the purchase, else the account; `cause`: the tweet or the card
/// transaction; `what`: the
/// offer, else the folded tag without its sign.
pub fn event_id(kind: &str, subject: &str, cause: impl std::fmt::Display, what: &str) -> String {
    name_based(&format!("{kind}\n{subject}\n{cause}\n{what}"))
}

fn name_based(name: &str) -> String {
    let namespace = Uuid::new_v5(&Uuid::NAMESPACE_URL, b"urn:hashbuy");
    Uuid::new_v5(&namespace, name.as_bytes()).to_string()
}
