//! Offers that stand in record after record, read once.
//!
//! A million pendings share a few thousand offers. So one that was read already is known by its text, which takes a
//! comparison, and all who have it share it in memory afterwards.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;
use memchr::memchr;
use serde_json::value::RawValue;

use super::layout::Layout;
use super::offer::Offer;

/// The offers that were read so far.
#[derive(Debug)]
pub(super) struct KnownOffers {
    most: usize,
    known: Vec<Known>,
    /// The numbers of those whose JSON begins alike, up to its first comma: as a rule the versions of one offer.
    by_start: HashMap<Box<str>, Vec<usize>, RandomState>,
}

#[derive(Debug)]
struct Known {
    json: Box<str>,
    offer: Arc<Offer>,
}

impl KnownOffers {
    /// Of which so many are known at most; then it begins anew.
    pub fn up_to(most: usize) -> KnownOffers {
        KnownOffers { most, known: Vec::new(), by_start: HashMap::default() }
    }

    /// Reads an offer; nothing if it is none.
    pub fn read(&mut self, record: &mut Layout<'_>) -> Option<Arc<Offer>> {
        if let Some(known) = self.known_at(record.rest()) {
            // An object ends where its JSON ends, whatever stands behind it.
            record.pass(known.json.len())?;
            return Some(Arc::clone(&known.offer));
        }
        let json = record.value::<&RawValue>()?.get();
        let offer: Arc<Offer> = serde_json::from_str(json).ok()?;
        if let Some(start) = start(json) {
            if self.known.len() >= self.most {
                *self = KnownOffers::up_to(self.most);
            }
            self.by_start.entry(start.into()).or_default().push(self.known.len());
            self.known.push(Known { json: json.into(), offer: Arc::clone(&offer) });
        }
        Some(offer)
    }

    /// The known offer with which a text begins.
    fn known_at(&self, text: &str) -> Option<&Known> {
        let alike = self.by_start.get(start(text)?)?;
        alike.iter().map(|&number| &self.known[number]).find(|known| text.starts_with(&*known.json))
    }

    /// How many are known.
    #[cfg(test)]
    pub fn count(&self) -> usize {
        self.known.len()
    }
}

/// An object up to its first comma.
fn start(json: &str) -> Option<&str> {
    let comma = json.starts_with('{').then(|| memchr(b',', json.as_bytes()))??;
    json.get(..comma)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(number: usize) -> String {
        let json = format!(
            r##"{{"offer_id":"cup-{number}","kind":"purchase","hashtag":"#GetCup","price":{{"amount":1,"currency":"USD"}},
                "starts_at":"2013-02-13T00:00:00.000Z","ends_at":"2013-02-14T00:00:00.000Z"}}"##
        );
        serde_json::to_string(&Offer::from_json(&json, "Confirm").unwrap()).unwrap()
    }

    #[test]
    fn there_is_a_bound() {
        let mut offers = KnownOffers::up_to(20);
        for number in 0..27 {
            let json = offer(number);
            let mut text = Layout::new(&json);
            let read = offers.read(&mut text).unwrap();
            assert_eq!(serde_json::to_string(&read).unwrap(), json);
            assert!(text.is_at_end());
        }
        assert_eq!(offers.count(), 7);
    }

    #[test]
    fn what_stands_behind_it_is_left() {
        let mut offers = KnownOffers::up_to(1);
        let json = offer(1);
        let twice = format!("{json}{json}]");
        let mut text = Layout::new(&twice);
        let (one, other) = (offers.read(&mut text).unwrap(), offers.read(&mut text).unwrap());
        assert!(Arc::ptr_eq(&one, &other));
        assert_eq!(text.rest(), "]");
        assert_eq!(offers.read(&mut text), None);
        assert_eq!(offers.read(&mut Layout::new(r#"{"offer_id":"cup","version":1}"#)), None);
    }
}
