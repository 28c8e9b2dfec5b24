//! The table of offers: one offer for each tag.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::core::offer::Offer;
use crate::core::record::{Rejection, shown_text};
use crate::core::tables::{check_key, key_of_null};

/// What a line of the table did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OfferChange {
    /// The offer id whose slot changed; none if the line was of no use at all.
    pub id: Option<String>,
    /// The record that was put there, valid by itself; none if the offer was withdrawn.
    pub put: Option<Arc<Offer>>,
    /// What is rejected from now on: the line's own record, or an offer that lost its tag to it.
    pub rejection: Option<Rejection>,
}

/// The offers, and whose the tags are.
///
/// Two offers whose tags are equal after folding cannot both have the tag: the one with the
/// smaller `offer_id` keeps it, the other one is rejected, whichever came first. A rejected offer
/// is a withdrawn one: if an earlier record of it had another tag that nobody claims, that tag
/// still answers, with "not open". Once the tag is free, the rejected record is in force.
///
/// So which tag is whose is a function of what stands under each offer id, not of the order in
/// which the offers came, and a restart cannot change it:
///
/// | `a` says | `b` says | `#cup` is | `#mug` is |
/// | --- | --- | --- | --- |
/// | `#cup` | `#Cup` | `a`'s | nobody's |
/// | `#cup` | `#mug`, then `#cup` | `a`'s | `b`'s, withdrawn |
/// | `#cup`, then `#jug` | `#mug`, then `#cup` | `b`'s | nobody's |
#[derive(Debug, Default)]
pub struct OfferTable {
    slots: BTreeMap<String, Slot>,
    claims: BTreeMap<String, Claims>,
}

/// What stands under one offer id. There is none for an id that never had a valid record.
#[derive(Debug)]
struct Slot {
    latest: Tagged,
    /// The latest earlier record with another tag.
    former: Option<Tagged>,
    /// Taken back by a `null`, or by a record that was rejected.
    withdrawn: bool,
}

#[derive(Clone, Debug)]
struct Tagged {
    tag: String,
    offer: Arc<Offer>,
}

/// The offers that want one tag.
#[derive(Debug, Default)]
struct Claims {
    by_latest: BTreeSet<String>,
    by_former: BTreeSet<String>,
}

impl OfferTable {
    /// An empty table.
    pub fn new() -> OfferTable {
        OfferTable::default()
    }

    /// Takes one line of the table: a record as JSON, or `None` for the `null` that withdraws `key`.
    ///
    /// A record that is rejected withdraws the offer under whose key it stands, or, without a key,
    /// whose id it has.
    pub fn apply(&mut self, key: Option<&str>, record: Option<&str>, code_prefix: &str) -> OfferChange {
        let read = match record {
            Some(json) => Offer::from_json(json, code_prefix).and_then(|offer| {
                check_key("offer", key, &offer.offer_id, None)?;
                Ok(Some(offer))
            }),
            None => key_of_null("offer", key).map(|_| None),
        };
        match read {
            Ok(Some(offer)) => {
                let offer = Arc::new(offer);
                let id = Some(offer.offer_id.clone());
                let rejection = self.put(Arc::clone(&offer));
                OfferChange { id, put: Some(offer), rejection }
            }
            Ok(None) => self.taken_back(key, None),
            Err(rejection) => self.taken_back(key.or(rejection.id()), Some(&rejection)),
        }
    }

    fn taken_back(&mut self, id: Option<&str>, rejection: Option<&Rejection>) -> OfferChange {
        if let Some(id) = id {
            self.withdraw(id);
        }
        OfferChange { id: id.map(str::to_owned), put: None, rejection: rejection.cloned() }
    }

    /// Puts a valid record under its id. Returns the rejection that follows from it: of this offer,
    /// or of the one that had its tag until now.
    pub fn put(&mut self, offer: impl Into<Arc<Offer>>) -> Option<Rejection> {
        let offer = offer.into();
        let id = offer.offer_id.clone();
        let tag = offer.folded_tag();
        let holder = self.claims.get(&tag).and_then(|claims| claims.by_latest.first()).cloned();
        let latest = Tagged { tag: tag.clone(), offer };
        self.store(id.clone(), latest);
        match holder {
            Some(holder) if holder < id => Some(self.loses(&id, &holder)),
            Some(holder) if holder > id => Some(self.loses(&holder, &id)),
            _ => None,
        }
    }

    /// Withdraws an offer: its record was deleted (`null`), or the new one is not valid. The tag of
    /// the last valid record stays its own. Without such a record there is nothing to withdraw.
    pub fn withdraw(&mut self, id: &str) {
        if let Some(slot) = self.slots.get_mut(id) {
            slot.withdrawn = true;
        }
    }

    /// The tags that are matched, in their order, folded and without sign, each with its offer as
    /// it is now.
    pub fn index(&self) -> impl Iterator<Item = (&str, Arc<Offer>)> {
        self.claims.iter().filter_map(|(tag, claims)| Some((tag.as_str(), self.holder(claims)?)))
    }

    /// The offer that a folded tag belongs to, as it is now.
    pub fn by_tag(&self, folded_tag: &str) -> Option<Arc<Offer>> {
        self.holder(self.claims.get(folded_tag)?)
    }

    fn store(&mut self, id: String, latest: Tagged) {
        let before = self.slots.remove(&id);
        let former = before.and_then(|slot| {
            self.release(&id, &slot);
            if slot.latest.tag == latest.tag { slot.former } else { Some(slot.latest) }
        });
        // A former record that has the tag of the latest one again is none any more.
        let former = former.filter(|former| former.tag != latest.tag);
        self.claims.entry(latest.tag.clone()).or_default().by_latest.insert(id.clone());
        if let Some(former) = &former {
            self.claims.entry(former.tag.clone()).or_default().by_former.insert(id.clone());
        }
        self.slots.insert(id, Slot { latest, former, withdrawn: false });
    }

    fn release(&mut self, id: &str, slot: &Slot) {
        for tag in [Some(&slot.latest), slot.former.as_ref()].into_iter().flatten().map(|tagged| &tagged.tag)
        {
            if let Some(claims) = self.claims.get_mut(tag) {
                claims.by_latest.remove(id);
                claims.by_former.remove(id);
                if claims.by_latest.is_empty() && claims.by_former.is_empty() {
                    self.claims.remove(tag);
                }
            }
        }
    }

    fn holder(&self, claims: &Claims) -> Option<Arc<Offer>> {
        if let Some(id) = claims.by_latest.first() {
            let slot = self.slots.get(id)?;
            return Some(if slot.withdrawn { withdrawn(&slot.latest) } else { slot.latest.offer.clone() });
        }
        // An earlier record counts only while the latest one of that offer is rejected.
        let slots = claims.by_former.iter().filter_map(|id| Some((id, self.slots.get(id)?)));
        let (_, slot) = slots.into_iter().find(|(id, slot)| self.is_rejected(id, slot))?;
        slot.former.as_ref().map(withdrawn)
    }

    fn is_rejected(&self, id: &str, slot: &Slot) -> bool {
        let holder = self.claims.get(&slot.latest.tag).and_then(|claims| claims.by_latest.first());
        holder.is_some_and(|holder| holder != id)
    }

    fn loses(&self, loser: &str, holder: &str) -> Rejection {
        let hashtag = self.slots.get(loser).map_or("", |slot| &slot.latest.offer.hashtag);
        let found = format!("{}, the tag of offer {}", shown_text(hashtag), shown_text(holder));
        let mend = "must be another: of two offers the one with the smaller offer_id keeps a tag";
        Rejection::new("offer", Some(loser), "hashtag", found, mend)
    }
}

fn withdrawn(tagged: &Tagged) -> Arc<Offer> {
    Arc::new(tagged.offer.withdrawn())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::offer::OfferStatus;

    fn offer(id: &str, tag: &str) -> Offer {
        let json = format!(
            r##"{{"offer_id":"{id}","kind":"purchase","hashtag":"#{tag}","price":{{"amount":1,"currency":"USD"}},
            "starts_at":"2016-04-24T09:00:00Z","ends_at":"2016-05-14T09:00:00Z"}}"##
        );
        Offer::from_json(&json, "Confirm").unwrap()
    }

    /// `cup=a mug=b!`: the tags with their offers, withdrawn ones with a `!`.
    fn index(table: &OfferTable) -> String {
        let shown = table.index().map(|(tag, offer)| {
            let mark = if offer.status == OfferStatus::Withdrawn { "!" } else { "" };
            format!("{tag}={}{mark}", offer.offer_id)
        });
        shown.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_smaller_id_keeps_the_tag_whatever_the_order() {
        let mut table = OfferTable::new();
        assert_eq!(table.put(offer("b", "Cup")), None);
        let rejected = table.put(offer("a", "cup")).unwrap();
        assert_eq!(rejected.id(), Some("b"));
        assert_eq!(
            rejected.to_string(),
            "offer b: hashtag is \"#Cup\", the tag of offer \"a\", \
             must be another: of two offers the one with the smaller offer_id keeps a tag"
        );
        assert_eq!(table.put(offer("c", "CUP")).unwrap().id(), Some("c"));
        assert_eq!(table.put(offer("a", "CUP")), None, "its own tag");
        assert_eq!(index(&table), "cup=a");
        assert_eq!(table.by_tag("cup").unwrap().offer_id, "a");
    }

    #[test]
    fn a_tag_that_is_given_up_goes_to_the_next() {
        let mut table = OfferTable::new();
        table.put(offer("a", "cup"));
        table.put(offer("b", "mug"));
        assert!(table.put(offer("b", "cup")).is_some());
        assert_eq!(index(&table), "cup=a mug=b!");
        table.put(offer("a", "jug"));
        assert_eq!(index(&table), "cup=b jug=a");
    }

    #[test]
    fn a_withdrawn_offer_keeps_its_tag_until_a_good_record_opens_it() {
        let mut table = OfferTable::new();
        table.withdraw("a");
        assert_eq!(index(&table), "", "no record, no tag");
        table.put(offer("a", "cup"));
        table.withdraw("a");
        assert!(table.put(offer("b", "cup")).is_some());
        assert_eq!(index(&table), "cup=a!");
        table.put(offer("a", "cup"));
        assert_eq!(index(&table), "cup=a");
        let mut cancelling = offer("a", "cup");
        cancelling.cancel_pending = true;
        table.put(cancelling);
        table.withdraw("a");
        assert!(!table.by_tag("cup").unwrap().cancel_pending, "nobody asked for it");
    }

    #[test]
    fn the_former_tag_of_a_rejected_offer_yields_to_a_record_that_wants_it() {
        let mut table = OfferTable::new();
        table.put(offer("b", "mug"));
        table.put(offer("b", "cup"));
        assert_eq!(index(&table), "cup=b", "a new tag frees the old one");
        table.put(offer("a", "cup"));
        assert_eq!(index(&table), "cup=a mug=b!");
        assert_eq!(table.put(offer("z", "mug")), None);
        assert_eq!(index(&table), "cup=a mug=z");
    }

    #[test]
    fn the_order_of_the_offers_does_not_matter() {
        let histories =
            [("a", vec!["cup", "jug", "mug"]), ("b", vec!["mug", "cup"]), ("c", vec!["jug", "cup", "mug"])];
        let one_by_one = |order: [usize; 3]| {
            let mut table = OfferTable::new();
            for (id, tags) in order.map(|i| &histories[i]) {
                for tag in tags {
                    table.put(offer(id, tag));
                }
            }
            index(&table)
        };
        let mut by_turns = OfferTable::new();
        for turn in 0..3 {
            for (id, tags) in &histories {
                if let Some(tag) = tags.get(turn) {
                    by_turns.put(offer(id, tag));
                }
            }
        }
        let expected = index(&by_turns);
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            assert_eq!(one_by_one(order), expected, "{order:?}");
        }
        assert_eq!(expected, "cup=b mug=a");
    }
}
