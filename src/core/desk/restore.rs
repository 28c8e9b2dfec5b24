//! Reads an account's record of the changelog, quickly: a million purchases may be pending, and nothing is
//! decided before they are back.
//!
//! What takes the time is the offer in each pending, as long as all the rest and mostly the same as in the
//! pending before. So offers are taken for texts first, and only one that was not seen yet is read; all
//! pendings of an offer then share it in memory, too. The other half is not to copy each record into a tree
//! of values, as serde does to find out which kind of entity it is: the key says that already.
//!
//! Nothing hangs on this way: what is not exactly a record of an account goes the usual one, which knows what
//! is wrong with it.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::buyer::Buyer;
use super::buyer::history::History;
use super::pending::Pending;
use crate::core::account::Account;
use crate::core::ids::AccountId;
use crate::core::inbox::{Position, Version};
use crate::core::offer::Offer;

/// The offers that were read so far, by their JSON.
#[derive(Debug, Default)]
pub(super) struct Offers(HashMap<Box<str>, Arc<Offer>, RandomState>);

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
        let record: Record<'_> = serde_json::from_str(str::from_utf8(record).ok()?).ok()?;
        Version::new(record.v)?;
        let Record { id, account, position, pendings, history, .. } = record;
        let pendings = pendings.into_iter().map(|pending| pending.with_offer(|offer| self.offer(offer)));
        Some(Buyer { id, account, position, pendings: pendings.collect::<Option<_>>()?, history })
    }

    fn offer(&mut self, json: &RawValue) -> Option<Arc<Offer>> {
        let json = json.get();
        if let Some(offer) = self.0.get(json) {
            return Some(Arc::clone(offer));
        }
        let offer: Arc<Offer> = serde_json::from_str(json).ok()?;
        self.0.insert(json.into(), Arc::clone(&offer));
        Some(offer)
    }
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
        assert_eq!(offers.0.len(), 2);
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
