//! Writes an account's record of the changelog.
//!
//! Nearly all of it is texts that need no escape, and the same offers again and again: these are kept as they are
//! written. What is rare is left to serde.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;
use serde::Serialize;
use uuid::Uuid;
use uuid::fmt::Hyphenated;

use crate::core::desk::buyer::Buyer;
use crate::core::desk::buyer::history::{History, Marker, Verdict, VerdictKind};
use crate::core::desk::pending::Pending;
use crate::core::inbox::Version;
use crate::core::offer::Offer;
use crate::core::time::Time;

/// So many offers are kept as they are written; then it begins anew. With texts of some 500 bytes that is half a
/// megabyte.
const MOST: usize = 1_000;

/// Offers as they are written. One is known by its address: as long as it is kept here, nothing else has that.
#[derive(Debug, Default)]
pub(in crate::core::desk) struct Texts {
    written: HashMap<usize, (Arc<Offer>, Vec<u8>), RandomState>,
    /// The last record, whose room the next one takes.
    record: Vec<u8>,
}

impl Texts {
    fn of(&mut self, offer: &Arc<Offer>) -> &[u8] {
        let address = Arc::as_ptr(offer).addr();
        if self.written.len() >= MOST && !self.written.contains_key(&address) {
            self.written.clear();
        }
        let write = || {
            let mut record = Record(Vec::new());
            record.json(&**offer);
            (Arc::clone(offer), record.0)
        };
        &self.written.entry(address).or_insert_with(write).1
    }
}

/// The record of an account, byte for byte as [`encode_as`](crate::core::inbox::encode_as) writes it.
pub(in crate::core::desk) fn write<'t>(version: Version, buyer: &Buyer, texts: &'t mut Texts) -> &'t [u8] {
    let mut record = Record(std::mem::take(&mut texts.record));
    record.0.clear();
    record.raw(r#"{"v":"#);
    record.number(version.number().into());
    record.raw(r#","entity":"account","id":""#);
    record.number(buyer.id.get());
    record.raw("\"");
    if let Some(account) = &buyer.account {
        record.raw(r#","account":"#);
        record.json(&**account);
    }
    if let Some(position) = &buyer.position {
        record.raw(r#","position":"#);
        record.json(position);
    }
    if !buyer.pendings.is_empty() {
        record.raw(r#","pendings":"#);
        record.list(&buyer.pendings, |record, pending| record.pending(pending, texts));
    }
    record.raw(r#","history":"#);
    record.history(&buyer.history);
    record.raw("}");
    texts.record = record.0;
    &texts.record
}

/// A record that grows.
struct Record(Vec<u8>);

impl Record {
    /// What is JSON already.
    fn raw(&mut self, text: &str) {
        self.0.extend_from_slice(text.as_bytes());
    }

    fn number(&mut self, number: u64) {
        self.raw(itoa::Buffer::new().format(number));
    }

    fn id(&mut self, id: u64) {
        self.raw("\"");
        self.number(id);
        self.raw("\"");
    }

    fn uuid(&mut self, id: Uuid) {
        self.raw("\"");
        self.raw(id.hyphenated().encode_lower(&mut [0; Hyphenated::LENGTH]));
        self.raw("\"");
    }

    fn time(&mut self, time: Time) {
        self.raw("\"");
        self.0.extend_from_slice(&time.text());
        self.raw("\"");
    }

    fn text(&mut self, text: &str) {
        let is_plain = |byte: u8| byte >= b' ' && byte != b'"' && byte != b'\\';
        if text.bytes().all(is_plain) {
            self.raw("\"");
            self.raw(text);
            self.raw("\"");
        } else {
            self.json(text);
        }
    }

    /// Any value, as serde writes it.
    fn json<T: Serialize + ?Sized>(&mut self, value: &T) {
        // They are plain values with string keys, and memory takes all bytes: nothing in it can fail.
        let written = serde_json::to_writer(&mut self.0, value);
        debug_assert!(written.is_ok());
    }

    fn list<T>(&mut self, values: &[T], mut write: impl FnMut(&mut Record, &T)) {
        self.raw("[");
        for (number, value) in values.iter().enumerate() {
            if number > 0 {
                self.raw(",");
            }
            write(self, value);
        }
        self.raw("]");
    }

    fn pending(&mut self, pending: &Pending, texts: &mut Texts) {
        let Pending { purchase_id, code, offer, offer_tweet, version, issued_at, deadline, reminded_at, to } =
            pending;
        self.raw(r#"{"purchase_id":"#);
        self.uuid(*purchase_id);
        self.raw(r#","code":""#);
        self.raw(code.as_str());
        self.raw(r#"","offer":"#);
        self.0.extend_from_slice(texts.of(offer));
        self.raw(r#","offer_tweet":"#);
        self.id(offer_tweet.get());
        self.raw(r#","version":"#);
        self.id(version.get());
        self.raw(r#","issued_at":"#);
        self.time(*issued_at);
        self.raw(r#","deadline":"#);
        self.time(*deadline);
        self.raw(r#","reminded_at":"#);
        self.time(*reminded_at);
        if let Some(to) = to {
            self.raw(r#","to":"#);
            self.text(to);
        }
        self.raw("}");
    }

    fn history(&mut self, history: &History) {
        let History {
            markers,
            deletions,
            past,
            requested,
            wrong_codes,
            locks,
            answered,
            units,
            spent,
            cards,
            unlinked_at,
        } = history;
        let begins = self.0.len();
        self.field(r#","markers":"#, markers, |record| record.list(markers, Record::marker));
        self.field(r#","deletions":"#, deletions, |record| record.json(deletions));
        self.field(r#","past":"#, past, |record| record.json(past));
        self.field(r#","requested":"#, requested, |record| record.times(requested));
        self.field(r#","wrong_codes":"#, wrong_codes, |record| record.times(wrong_codes));
        self.field(r#","locks":"#, locks, |record| record.times(locks));
        self.field(r#","answered":"#, answered.as_slice(), |record| record.json(answered));
        self.field(r#","units":"#, units, |record| record.json(units));
        self.field(r#","spent":"#, spent, |record| record.json(spent));
        self.field(r#","cards":"#, cards, |record| record.json(cards));
        self.field(r#","unlinked_at":"#, unlinked_at.as_slice(), |record| record.json(unlinked_at));
        // The first field has a comma where the object begins.
        match self.0.get_mut(begins) {
            Some(comma) => *comma = b'{',
            None => self.raw("{"),
        }
        self.raw("}");
    }

    /// A field of an object, if there is anything in it.
    fn field<T>(&mut self, name: &str, values: &[T], write: impl FnOnce(&mut Record)) {
        if !values.is_empty() {
            self.raw(name);
            write(self);
        }
    }

    fn times(&mut self, times: &[Time]) {
        self.list(times, |record, time| record.time(*time));
    }

    fn marker(&mut self, marker: &Marker) {
        let Marker { tweet, version, time, verdicts } = marker;
        self.raw(r#"{"tweet":"#);
        self.id(tweet.get());
        self.raw(r#","version":"#);
        self.id(version.get());
        self.raw(r#","time":"#);
        self.time(*time);
        self.raw(r#","verdicts":"#);
        // One request is what most tweets are that are remembered.
        match verdicts.as_slice() {
            [Verdict { outcome: VerdictKind::Requested, code: Some(code) }] => {
                self.raw(r#"[{"outcome":"requested","code":""#);
                self.raw(code.as_str());
                self.raw(r#""}]"#);
            }
            verdicts => self.json(verdicts),
        }
        self.raw("}");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::core::desk::account_record::Accounts;
    use crate::core::desk::any;
    use crate::core::desk::changelog::Change;
    use crate::core::inbox::encode_as;

    proptest! {
        #[test]
        fn it_is_what_serde_writes_and_is_read_back(buyers in prop::collection::vec(any::buyer(), 1..4)) {
            let (mut texts, mut accounts) = (Texts::default(), Accounts::default());
            for buyer in buyers {
                for number in [1, 2] {
                    let version = Version::new(number).unwrap();
                    let usual = encode_as(version, &Change::Account(Box::new(buyer.clone())));
                    let written = write(version, &buyer, &mut texts);
                    prop_assert_eq!(String::from_utf8_lossy(written), String::from_utf8_lossy(&usual));
                }
                let written = write(Version::default(), &buyer, &mut texts);
                prop_assert_eq!(Change::decode(written).unwrap(), Change::Account(Box::new(buyer.clone())));
                // What needs an escape is left to the usual way.
                if let Some(read) = accounts.buyer(written) {
                    prop_assert_eq!(read, buyer);
                }
            }
        }
    }

    #[test]
    fn there_is_a_bound_on_the_offers_that_are_kept() {
        let mut texts = Texts::default();
        for number in 0..MOST + 7 {
            let offer = any::cup(number as u64);
            let usual = serde_json::to_vec(&offer).unwrap();
            assert_eq!(texts.of(&offer), usual);
            assert_eq!(texts.of(&offer), usual);
        }
        assert_eq!(texts.written.len(), 7);
    }
}
