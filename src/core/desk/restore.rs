//! Reads an account's record of the changelog, quickly: a million purchases may be pending, and nothing is
//! decided before they are back.
//!
//! What takes the time is the offer in each pending, as long as all the rest and mostly one that was read before.
//! So before a record is parsed, each offer in it whose text is known is replaced by a number, which takes a
//! comparison; only one that was not seen yet is read; all pendings of an offer then share it in memory, too. The
//! other half is not to copy each record into a tree of values, as serde does to find out which kind of entity it
//! is: the key says that already.
//!
//! Nothing hangs on this way: what is not exactly a record of an account goes the usual one, which knows what
//! is wrong with it.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;

use foldhash::fast::RandomState;
use memchr::{memchr, memmem};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::buyer::Buyer;
use super::buyer::history::History;
use super::pending::Pending;
use crate::core::account::Account;
use crate::core::ids::AccountId;
use crate::core::inbox::{Position, Version};
use crate::core::offer::Offer;

/// What stands before an offer. It can be in no text of a record: there each quotation mark has a backslash before it.
const OFFER: &str = "\"offer\":";

/// The offers that were read so far.
#[derive(Debug, Default)]
pub(super) struct Offers {
    known: Vec<Known>,
    /// The numbers of those whose JSON begins alike, up to its first comma: as a rule the versions of one offer.
    by_start: HashMap<Box<str>, Vec<usize>, RandomState>,
    /// The present record with numbers for offers, kept for its memory.
    shortened: String,
}

#[derive(Debug)]
struct Known {
    json: Box<str>,
    offer: Arc<Offer>,
}

/// [`Change::Account`](super::Change::Account) as it is written: the fields of [`Buyer`] beside version and kind.
#[derive(Deserialize)]
struct Record<'r> {
    v: u32,
    #[serde(rename = "entity")]
    _entity: Entity,
    id: AccountId,
    #[serde(default)]
    account: Option<Arc<Account>>,
    #[serde(default)]
    position: Option<Position>,
    #[serde(default, borrow)]
    pendings: Vec<Pending<&'r RawValue>>,
    #[serde(default)]
    history: History,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Entity {
    Account,
}

impl Offers {
    /// Reads the record of an account; nothing if it is none that this release writes.
    pub fn buyer(&mut self, record: &[u8]) -> Option<Buyer> {
        // UTF-8 is checked once rather than text by text.
        let record = str::from_utf8(record).ok()?;
        let mut shortened = std::mem::take(&mut self.shortened);
        let numbers = self.shorten(record, &mut shortened);
        let buyer = self.read(&shortened, numbers);
        self.shortened = shortened;
        buyer
    }

    /// Writes a record with numbers in the place of known offers. Returns how many there are.
    fn shorten(&self, record: &str, shortened: &mut String) -> usize {
        shortened.clear();
        let (mut numbers, mut copied) = (0, 0);
        for found in memmem::find_iter(record.as_bytes(), OFFER) {
            let begin = found + OFFER.len();
            let Some((number, known)) = self.known_at(&record[begin..]) else { continue };
            shortened.push_str(&record[copied..begin]);
            // A text takes all that is written to it.
            let _ = write!(shortened, "{number}");
            copied = begin + known.json.len();
            numbers += 1;
        }
        shortened.push_str(&record[copied..]);
        numbers
    }

    /// The known offer with which a text begins. An object ends where its JSON ends, whatever stands behind it.
    fn known_at(&self, text: &str) -> Option<(usize, &Known)> {
        let alike = self.by_start.get(start(text)?)?;
        let known = alike.iter().map(|&number| (number, &self.known[number]));
        known.into_iter().find(|(_, known)| text.starts_with(&*known.json))
    }

    fn read(&mut self, shortened: &str, numbers: usize) -> Option<Buyer> {
        let record: Record<'_> = serde_json::from_str(shortened).ok()?;
        Version::new(record.v)?;
        let Record { id, account, position, pendings, history, .. } = record;
        let mut read = 0;
        let mut offer = |json: &RawValue| match json.get().parse::<usize>() {
            Ok(number) => {
                read += 1;
                self.known.get(number).map(|known| Arc::clone(&known.offer))
            }
            Err(_) => self.learn(json.get()),
        };
        let pendings = pendings.into_iter().map(|pending| pending.with_offer(&mut offer));
        let pendings = pendings.collect::<Option<_>>()?;
        // One that was not written by us may have had a number for an offer before.
        (read == numbers).then_some(Buyer { id, account, position, pendings, history })
    }

    fn learn(&mut self, json: &str) -> Option<Arc<Offer>> {
        if let Some((_, known)) = self.known_at(json).filter(|(_, known)| *known.json == *json) {
            // Twice in the record that has brought it.
            return Some(Arc::clone(&known.offer));
        }
        let offer: Arc<Offer> = serde_json::from_str(json).ok()?;
        if let Some(start) = start(json) {
            self.by_start.entry(start.into()).or_default().push(self.known.len());
            self.known.push(Known { json: json.into(), offer: Arc::clone(&offer) });
        }
        Some(offer)
    }
}

/// An object up to its first comma.
fn start(json: &str) -> Option<&str> {
    let comma = json.starts_with('{').then(|| memchr(b',', json.as_bytes()))??;
    json.get(..comma)
}

#[cfg(test)]
mod tests {
    use super::super::Change;
    use super::*;
    use crate::core::inbox::{encode, encode_as};
    use crate::core::time::Time;

    fn buyer(id: u64, offers: &[&str]) -> Buyer {
        let mut buyer = Buyer::stranger(AccountId::new(id).unwrap());
        buyer.pendings = offers.iter().map(|offer| pending(offer)).collect();
        buyer.history.answered = Some(Time::from_millis(7));
        buyer
    }

    fn pending(offer: &str) -> Pending {
        let json = format!(
            r##"{{"offer_id":"{offer}","kind":"purchase","hashtag":"#Get{offer}","product":"a \"{offer}\"",
                "price":{{"amount":1,"currency":"USD"}},"starts_at":"2013-02-13T00:00:00.000Z",
                "ends_at":"2013-02-14T00:00:00.000Z"}}"##
        );
        let tweet = "301829517291847680";
        let written = serde_json::json!({
            "purchase_id": uuid::Uuid::nil(), "code": "7K2QM4XA", "offer_tweet": tweet, "version": tweet,
            "offer": Offer::from_json(&json, "Confirm").unwrap(), "issued_at": Time::ZERO, "deadline": Time::ZERO,
            "reminded_at": Time::ZERO, "to": "anna \u{1}",
        });
        serde_json::from_value(written).unwrap()
    }

    #[test]
    fn the_same_as_the_usual_way_and_each_offer_once() {
        let mut offers = Offers::default();
        let written = [buyer(1, &["cup", "pot", "cup"]), buyer(2, &["cup"]), buyer(3, &[])];
        let read: Vec<Buyer> = written
            .iter()
            .map(|buyer| {
                let record = encode(&Change::Account(Box::new(buyer.clone())));
                assert_eq!(Change::decode(&record).unwrap(), Change::Account(Box::new(buyer.clone())));
                offers.buyer(&record).unwrap()
            })
            .collect();
        assert_eq!(read, written);
        assert!(Arc::ptr_eq(&read[0].pendings[0].offer, &read[0].pendings[2].offer));
        assert!(Arc::ptr_eq(&read[0].pendings[0].offer, &read[1].pendings[0].offer));
        assert_eq!(offers.known.len(), 2);
    }

    #[test]
    fn versions_of_an_offer_and_those_that_begin_alike_are_kept_apart() {
        let mut offers = Offers::default();
        let mut written = buyer(1, &["cup", "cup", "cup", "cup"]);
        let cup = (*written.pendings[0].offer).clone();
        let product = Some("a {\"offer\":0} ".to_owned());
        written.pendings[1].offer = Arc::new(Offer { version: 12, product, ..cup.clone() });
        written.pendings[2].offer = Arc::new(Offer { offer_id: "cup, red".to_owned(), ..cup });
        written.pendings[1].to = Some("\"offer\":1".to_owned());
        let record = encode(&Change::Account(Box::new(written.clone())));
        for _ in 0..3 {
            assert_eq!(offers.buyer(&record).unwrap(), written);
            assert_eq!(offers.known.len(), 3);
        }
        let known = offers.shorten(str::from_utf8(&record).unwrap(), &mut String::new());
        assert_eq!(known, 4, "none is read again");
    }

    #[test]
    fn a_number_is_no_offer() {
        let mut offers = Offers::default();
        let record =
            String::from_utf8(encode(&Change::Account(Box::new(buyer(1, &["cup", "pot"]))))).unwrap();
        assert!(offers.buyer(record.as_bytes()).is_some());
        let (begin, rest) = record.split_once(OFFER).unwrap();
        let (_, rest) = rest.split_once("},\"offer_tweet\"").unwrap();
        let forged = format!("{begin}{OFFER}1,\"offer_tweet\"{rest}");
        assert!(serde_json::from_str::<serde_json::Value>(&forged).is_ok(), "{forged}");
        assert!(offers.buyer(forged.as_bytes()).is_none());
        assert!(Change::decode(forged.as_bytes()).is_err());
    }

    #[test]
    fn what_is_no_account_of_a_known_version_is_left_to_the_usual_way() {
        let mut offers = Offers::default();
        let account = Change::Account(Box::new(buyer(1, &["cup"])));
        for number in [1, 2] {
            let record = encode_as(Version::new(number).unwrap(), &account);
            assert!(offers.buyer(&record).is_some());
        }
        let text = String::from_utf8(encode(&account)).unwrap();
        let wrong = [
            text.replacen("\"v\":1", "\"v\":3", 1),
            text.replacen("\"v\":1,", "", 1),
            text.replacen("\"entity\":\"account\"", "\"entity\":\"offer\"", 1),
            text.replacen("\"kind\":\"purchase\"", "\"kind\":\"gift\"", 1).replace("cup", "can"),
            text[..text.len() - 1].to_owned(),
        ];
        for record in wrong {
            assert_ne!(record, text);
            assert!(offers.buyer(record.as_bytes()).is_none(), "{record}");
            assert!(Change::decode(record.as_bytes()).is_err(), "{record}");
        }
        assert!(offers.buyer(b"\xff").is_none() && offers.buyer(&encode(&Change::Import)).is_none());
    }
}
