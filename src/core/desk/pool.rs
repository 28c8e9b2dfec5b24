//! The offers of very many pendings, each once.
//!
//! Each sighting brings an offer of its own, as it stood then, and nearly always it is one that others are waiting
//! for. So a pending at rest has its number only. An offer is known by all of its content: another version, or the
//! same one with another text, is another offer. What no pending refers to any more is forgotten, and its
//! number is given to the next one.
//!
//! To look at all of an offer's content takes as long as to pack the rest of a pending. Mostly the very offer that is
//! held comes back, out of a pending that was at rest or with the next account of a restore: then its address says
//! which one it is: as long as it is held, nothing else has that address.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::core::offer::Offer;

/// Offers by number.
#[derive(Debug, Default)]
pub(super) struct Pool {
    held: Vec<Option<Held>>,
    free: Vec<u32>,
    numbers: HashMap<Arc<Offer>, u32, RandomState>,
    /// By the addresses of those that are held.
    addresses: HashMap<usize, u32, RandomState>,
}
#[derive(Debug)]
struct Held {
    offer: Arc<Offer>,
    /// By so many pendings.
    by: u64,
}

impl Pool {
    /// The offer of a number that is held.
    pub fn get(&self, number: u32) -> Option<Arc<Offer>> {
        let held = self.held.get(number as usize)?.as_ref()?;
        Some(Arc::clone(&held.offer))
    }

    /// The number of an offer that is held.
    pub fn number(&self, offer: &Arc<Offer>) -> Option<u32> {
        self.addresses.get(&address(offer)).or_else(|| self.numbers.get(&**offer)).copied()
    }

    /// One pending more has this offer. Returns its number.
    pub fn hold(&mut self, offer: &Arc<Offer>) -> u32 {
        if let Some(number) = self.number(offer)
            && let Some(Some(held)) = self.held.get_mut(number as usize)
        {
            held.by += 1;
            return number;
        }
        let held = Some(Held { offer: Arc::clone(offer), by: 1 });
        let number = match self.free.pop() {
            Some(number) => {
                self.held[number as usize] = held;
                number
            }
            None => {
                self.held.push(held);
                self.held.len() as u32 - 1
            }
        };
        self.numbers.insert(Arc::clone(offer), number);
        self.addresses.insert(address(offer), number);
        number
    }

    /// One pending less has the offer of this number.
    pub fn release(&mut self, number: u32) {
        let Some(slot) = self.held.get_mut(number as usize) else { return };
        let Some(held) = slot else { return };
        held.by -= 1;
        if held.by == 0 {
            self.numbers.remove(&*held.offer);
            self.addresses.remove(&address(&held.offer));
            *slot = None;
            self.free.push(number);
        }
    }

    /// The numbers of all versions of an offer.
    pub fn versions(&self, offer_id: &str) -> Vec<u32> {
        let of_it = self.numbers.iter().filter(|(offer, _)| offer.offer_id == offer_id);
        of_it.map(|(_, number)| *number).collect()
    }
}

fn address(offer: &Arc<Offer>) -> usize {
    Arc::as_ptr(offer).addr()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(id: &str, version: u64) -> Arc<Offer> {
        let json = format!(
            r##"{{"offer_id":"{id}","version":{version},"kind":"purchase","hashtag":"#Get{id}",
                "price":{{"amount":1,"currency":"USD"}},"starts_at":"2013-02-13T00:00:00.000Z",
                "ends_at":"2013-02-14T00:00:00.000Z"}}"##
        );
        Arc::new(Offer::from_json(&json, "Confirm").unwrap())
    }

    #[test]
    fn known_by_content_and_forgotten_with_the_last_pending() {
        let mut pool = Pool::default();
        let cup = pool.hold(&offer("cup", 1));
        assert_eq!(pool.number(&offer("cup", 2)), None);
        assert_eq!(pool.hold(&offer("cup", 1)), cup);
        let newer = pool.hold(&offer("cup", 2));
        let pot = pool.hold(&offer("pot", 1));
        assert!(cup != newer && newer != pot);
        assert!(Arc::ptr_eq(&pool.get(cup).unwrap(), &pool.get(cup).unwrap()));
        assert_eq!(pool.versions("cup").len(), 2);
        assert_eq!(pool.number(&offer("cup", 2)), Some(newer));

        pool.release(cup);
        assert_eq!(pool.get(cup).unwrap().version, 1, "one is left");
        pool.release(cup);
        assert_eq!(pool.get(cup), None);
        assert_eq!(pool.versions("cup"), [newer]);
        assert_eq!(pool.hold(&offer("mug", 1)), cup, "its number is free");
        assert_eq!((pool.held.len(), pool.numbers.len(), pool.addresses.len()), (3, 3, 3));
    }
}
