//! Codes and ids, worked out from the written rules alone.
//!
//! Nothing of the program is used here on purpose: were both wrong in the same way, no test
//! that learns its codes from the program would notice.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use uuid::Uuid;

/// Crockford's base32: no I, L, O or U, which are taken for 1, 1, 0 and V.
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The confirmation hashtag, sign and default prefix included, of one account, offer and offer
/// tweet (the first id of its edit chain): the first 40 bits of an HMAC, five bits a character,
/// with the least `n` that gives at least two digits.
pub fn code(secret: &str, account: u64, offer: &str, tweet: u64) -> Result<String, String> {
    for n in 0.. {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map_err(|e| e.to_string())?;
        mac.update(format!("{account}\n{offer}\n{tweet}\n{n}").as_bytes());
        let hash = mac.finalize().into_bytes();
        let bits = hash.iter().take(5).fold(0_u64, |bits, &byte| bits << 8 | u64::from(byte));
        let text: String =
            (0..8).rev().map(|i| char::from(DIGITS[(bits >> (5 * i)) as usize & 31])).collect();
        if text.bytes().filter(u8::is_ascii_digit).count() >= 2 {
            return Ok(format!("#Confirm{text}"));
        }
    }
    Err("no n gives two digits".to_owned())
}

/// The id of the purchase that this account asked for with this tweet (the first of its chain).
pub fn purchase_id(account: u64, offer: &str, tweet: u64) -> String {
    name_based(&format!("purchase\n{account}\n{offer}\n{tweet}"))
}

/// The id of an event. `subject`: the purchase, else the account; `cause`: the tweet; `what`:
/// the offer, else the folded tag without its sign.
pub fn event_id(kind: &str, subject: &str, cause: u64, what: &str) -> String {
    name_based(&format!("{kind}\n{subject}\n{cause}\n{what}"))
}

fn name_based(name: &str) -> String {
    let namespace = Uuid::new_v5(&Uuid::NAMESPACE_URL, b"urn:hashbuy");
    Uuid::new_v5(&namespace, name.as_bytes()).to_string()
}
