//! Reads an account's record of the changelog.
//!
//! Which field comes next, how long a time is, and mostly the whole offer, which a million pendings share: all of
//! that is compared with what it should be ([`Layout`]). What is rare in an account or a history is left to serde.

use std::sync::Arc;

use uuid::fmt::Hyphenated;

use crate::core::account::{Account, AccountStatus, Caps};
use crate::core::code::{CODE_LEN, Code};
use crate::core::desk::buyer::Buyer;
use crate::core::desk::buyer::history::{History, Marker, Verdict, VerdictKind};
use crate::core::desk::pending::Pending;
use crate::core::ids::{AccountId, TweetId};
use crate::core::inbox::Version;
use crate::core::known_offers::KnownOffers;
use crate::core::layout::Layout;

/// Reads records one after the other; all of them share their offers.
#[derive(Debug)]
pub(in crate::core::desk) struct Accounts {
    offers: KnownOffers,
}

impl Default for Accounts {
    fn default() -> Accounts {
        // They live as long as a restore, and what it makes shares them.
        Accounts { offers: KnownOffers::up_to(usize::MAX) }
    }
}

impl Accounts {
    /// Reads the record of an account; nothing if it is none that this release writes.
    pub fn buyer(&mut self, record: &[u8]) -> Option<Buyer> {
        // UTF-8 is checked once rather than text by text.
        let mut record = Layout::new(str::from_utf8(record).ok()?);
        record.eat(r#"{"v":"#)?;
        Version::new(record.value()?)?;
        record.eat(r#","entity":"account","id":""#)?;
        let mut buyer = Buyer::stranger(record.id(AccountId::at_front)?);
        if record.has(r#","account":"#) {
            buyer.account = Some(Arc::new(account(&mut record)?));
        }
        if record.has(r#","position":"#) {
            buyer.position = Some(record.value()?);
        }
        if record.has(r#","pendings":"#) {
            buyer.pendings = record.list(|record| self.pending(record))?;
        }
        record.eat(r#","history":{"#)?;
        buyer.history = history(&mut record)?;
        record.eat("}")?;
        record.is_at_end().then_some(buyer)
    }

    fn pending(&mut self, record: &mut Layout<'_>) -> Option<Pending> {
        record.eat(r#"{"purchase_id":""#)?;
        let purchase_id = record.text_of(Hyphenated::LENGTH)?.parse().ok()?;
        record.eat(r#","code":""#)?;
        let code = Code::parse(record.text_of(CODE_LEN)?)?;
        record.eat(r#","offer":"#)?;
        let offer = self.offers.read(record)?;
        record.eat(r#","offer_tweet":""#)?;
        let offer_tweet = record.id(TweetId::at_front)?;
        record.eat(r#","version":""#)?;
        let version = record.id(TweetId::at_front)?;
        record.eat(r#","issued_at":""#)?;
        let issued_at = record.time()?;
        record.eat(r#","deadline":""#)?;
        let deadline = record.time()?;
        record.eat(r#","reminded_at":""#)?;
        let reminded_at = record.time()?;
        let to = if record.has(r#","to":""#) { Some(record.text()?.to_owned()) } else { None };
        record.eat("}")?;
        Some(Pending { purchase_id, code, offer, offer_tweet, version, issued_at, deadline, reminded_at, to })
    }
}

/// An account without limits of its own that may buy, as nearly all are; or any other.
fn account(record: &mut Layout<'_>) -> Option<Account> {
    fn usual(record: &mut Layout<'_>) -> Option<Account> {
        record.eat(r#"{"account_id":""#)?;
        let account_id = record.id(AccountId::at_front)?;
        let screen_name =
            if record.has(r#","screen_name":""#) { Some(record.text()?.to_owned()) } else { None };
        record.eat(r#","card_token":""#)?;
        let card_token = record.text()?.to_owned();
        record.eat(r#","delivery_ref":""#)?;
        let delivery_ref = record.text()?.to_owned();
        record.eat(r#","status":"active","linked_at":""#)?;
        let linked_at = record.time()?;
        record.eat("}")?;
        let (status, caps) = (AccountStatus::Active, Caps::default());
        Some(Account { account_id, screen_name, card_token, delivery_ref, status, linked_at, caps })
    }
    let mut ahead = record.clone();
    match usual(&mut ahead) {
        Some(account) => {
            *record = ahead;
            Some(account)
        }
        None => record.value(),
    }
}

/// A history, from behind its brace to behind the other one. Most say what was decided and what was requested, and
/// no more.
fn history(record: &mut Layout<'_>) -> Option<History> {
    let (mut markers, mut requested) = (None, None);
    if record.has(r#""markers":"#) {
        markers = Some(record.list(marker)?);
    }
    let mut ahead = record.clone();
    if (markers.is_none() || ahead.has(",")) && ahead.has(r#""requested":"#) {
        requested = Some(ahead.times()?);
        *record = ahead;
    }
    if record.has("}") {
        let (markers, requested) = (markers.unwrap_or_default(), requested.unwrap_or_default());
        return Some(History { markers, requested, ..History::default() });
    }
    if markers.is_some() || requested.is_some() {
        record.eat(",")?;
    }
    let mut others: History = record.value_from("{")?;
    // Nothing is there twice.
    let places =
        [(markers.is_some(), others.markers.is_empty()), (requested.is_some(), others.requested.is_empty())];
    if places.iter().any(|(was_read, is_new)| *was_read && !is_new) {
        return None;
    }
    others.markers = markers.unwrap_or(others.markers);
    others.requested = requested.unwrap_or(others.requested);
    Some(others)
}

fn marker(record: &mut Layout<'_>) -> Option<Marker> {
    record.eat(r#"{"tweet":""#)?;
    let tweet = record.id(TweetId::at_front)?;
    record.eat(r#","version":""#)?;
    let version = record.id(TweetId::at_front)?;
    record.eat(r#","time":""#)?;
    let time = record.time()?;
    record.eat(r#","verdicts":"#)?;
    let verdicts = verdicts(record)?;
    record.eat("}")?;
    Some(Marker { tweet, version, time, verdicts })
}

/// One request is what most tweets are that are remembered.
fn verdicts(record: &mut Layout<'_>) -> Option<Vec<Verdict>> {
    let mut ahead = record.clone();
    if ahead.has(r#"[{"outcome":"requested","code":""#) {
        let code = Some(Code::parse(ahead.text_of(CODE_LEN)?)?);
        if ahead.has("}]") {
            *record = ahead;
            return Some(vec![Verdict { outcome: VerdictKind::Requested, code }]);
        }
    }
    record.value()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::desk::Change;
    use crate::core::inbox::{encode, encode_as};
    use crate::core::offer::Offer;
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
            "reminded_at": Time::ZERO, "to": "anna",
        });
        serde_json::from_value(written).unwrap()
    }

    #[test]
    fn the_same_as_the_usual_way_and_each_offer_once() {
        let mut accounts = Accounts::default();
        let written = [buyer(1, &["cup", "pot", "cup"]), buyer(2, &["cup"]), buyer(3, &[])];
        let read: Vec<Buyer> = written
            .iter()
            .map(|buyer| {
                let record = encode(&Change::Account(Box::new(buyer.clone())));
                assert_eq!(Change::decode(&record).unwrap(), Change::Account(Box::new(buyer.clone())));
                accounts.buyer(&record).unwrap()
            })
            .collect();
        assert_eq!(read, written);
        assert!(Arc::ptr_eq(&read[0].pendings[0].offer, &read[0].pendings[2].offer));
        assert!(Arc::ptr_eq(&read[0].pendings[0].offer, &read[1].pendings[0].offer));
        assert_eq!(accounts.offers.count(), 2);
    }

    #[test]
    fn versions_of_an_offer_and_those_that_begin_alike_are_kept_apart() {
        let mut accounts = Accounts::default();
        let mut written = buyer(1, &["cup", "cup", "cup", "cup"]);
        let cup = (*written.pendings[0].offer).clone();
        let product = Some("a {\"offer\":0} ".to_owned());
        written.pendings[1].offer = Arc::new(Offer { version: 12, product, ..cup.clone() });
        written.pendings[2].offer = Arc::new(Offer { offer_id: "cup, red".to_owned(), ..cup });
        let record = encode(&Change::Account(Box::new(written.clone())));
        for _ in 0..3 {
            assert_eq!(accounts.buyer(&record).unwrap(), written);
            assert_eq!(accounts.offers.count(), 3);
        }
    }

    #[test]
    fn accounts_of_all_kinds() {
        for more in [
            "",
            r#""screen_name":"anna","#,
            r#""screen_name":"an\"na","#,
            r#""caps":{"pendings":3},"#,
            r#""status":"frozen","screen_name":"anna","#,
        ] {
            let status = if more.contains("frozen") { "" } else { r#""status":"active","# };
            let json = format!(
                r#"{{"account_id":"7",{more}{status}"card_token":"t","delivery_ref":"d","linked_at":"2013-01-01T00:00:00Z"}}"#
            );
            let mut written = buyer(7, &["cup"]);
            written.account = Some(Arc::new(Account::from_json(&json).unwrap()));
            let record = encode(&Change::Account(Box::new(written.clone())));
            assert_eq!(Accounts::default().buyer(&record), Some(written), "{json}");
        }
    }

    #[test]
    fn histories_of_all_kinds() {
        let (tweet, time, code) = ("301829517291847680", Time::ZERO, "7K2QM4XA");
        let verdicts = [
            serde_json::json!([]),
            serde_json::json!([{ "outcome": "requested", "code": code }]),
            serde_json::json!([{ "outcome": "requested" }, { "outcome": "requested", "code": code }]),
            serde_json::json!([{ "outcome": "requested", "code": code }, { "outcome": "loaded" }]),
            serde_json::json!([{ "outcome": { "refused": "wrong_code" } }, { "outcome": "nothing" }]),
        ];
        let verdicts = verdicts.iter();
        let markers: Vec<_> = verdicts
            .map(|verdicts| {
                serde_json::json!({ "tweet": tweet, "version": tweet, "time": time, "verdicts": verdicts })
            })
            .collect();
        let deletions = serde_json::json!([{ "tweet": tweet, "time": time }]);
        for history in [
            serde_json::json!({ "markers": markers }),
            serde_json::json!({ "markers": markers, "deletions": deletions, "requested": [time, time] }),
            serde_json::json!({ "markers": markers, "requested": [time, time], "wrong_codes": [time] }),
            serde_json::json!({ "markers": markers, "requested": [time] }),
            serde_json::json!({ "requested": [time, time], "locks": [time] }),
            serde_json::json!({ "requested": [time] }),
            serde_json::json!({ "deletions": deletions, "wrong_codes": [time] }),
            serde_json::json!({ "markers": [markers[1]], "unlinked_at": time }),
        ] {
            let mut written = buyer(1, &["cup"]);
            written.history = serde_json::from_value(history).unwrap();
            let record = encode(&Change::Account(Box::new(written.clone())));
            assert_eq!(Accounts::default().buyer(&record), Some(written));
        }
    }

    #[test]
    fn what_is_no_account_of_a_known_version_is_left_to_the_usual_way() {
        let mut accounts = Accounts::default();
        let account = Change::Account(Box::new(buyer(1, &["cup"])));
        for number in [1, 2] {
            let record = encode_as(Version::new(number).unwrap(), &account);
            assert!(accounts.buyer(&record).is_some());
        }
        let text = String::from_utf8(encode(&account)).unwrap();
        let wrong = [
            text.replacen("\"v\":1", "\"v\":3", 1),
            text.replacen("\"v\":1,", "", 1),
            text.replacen("\"entity\":\"account\"", "\"entity\":\"offer\"", 1),
            text.replacen("\"kind\":\"purchase\"", "\"kind\":\"gift\"", 1).replace("cup", "can"),
            text[..text.len() - 1].to_owned(),
            format!("{text}}}"),
        ];
        for record in wrong {
            assert_ne!(record, text);
            assert!(accounts.buyer(record.as_bytes()).is_none(), "{record}");
            assert!(Change::decode(record.as_bytes()).is_err(), "{record}");
        }
        assert!(accounts.buyer(b"\xff").is_none() && accounts.buyer(&encode(&Change::Import)).is_none());
    }
}
