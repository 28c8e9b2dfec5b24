//! A map by account id, for millions of accounts.
//!
//! One great table would double in one long step, and have both sizes in memory until it is done: with 10 million ids
//! alone 151 MB, three halves of that while they become so many, and the longest step 0.2 seconds. Here each of 256
//! small tables doubles by itself: 156 MB at most, and about a millisecond.
//!
//! Ids are given out by the microblog, so nobody can choose them to be slow to find; the hash has a random seed all
//! the same. The order of the entries is nobody's business, and there is no way to ask for it.

use std::collections::HashMap;
use std::hash::BuildHasher;

use foldhash::fast::RandomState;

use super::ids::AccountId;

/// A power of two.
pub(super) const PARTS: usize = 256;
/// 2^64 by the golden ratio: its multiples are spread evenly.
const MIX: u64 = 0x9e37_79b9_7f4a_7c15;

/// Values by account id.
#[derive(Debug)]
pub struct ByAccount<V> {
    parts: Box<[HashMap<AccountId, V, RandomState>]>,
    hasher: RandomState,
    len: usize,
}

/// The hash of an id, each bit of which hangs on all of them: tables go by single bits, and of ids one behind the other
/// those of a quick hash are not independent.
pub(super) fn mixed(hasher: &RandomState, id: u64) -> u64 {
    let wide = u128::from(hasher.hash_one(id)) * u128::from(MIX);
    (wide >> 64) as u64 ^ wide as u64
}

/// The part in which an id with this hash belongs: by the highest bits, so that the lowest are left for what is in it.
pub(super) fn part_of(mixed: u64) -> usize {
    (mixed >> (u64::BITS - PARTS.ilog2())) as usize
}

impl<V> Default for ByAccount<V> {
    fn default() -> ByAccount<V> {
        let hasher = RandomState::default();
        let parts = (0..PARTS).map(|_| HashMap::with_hasher(hasher.clone())).collect();
        ByAccount { parts, hasher, len: 0 }
    }
}

impl<V> ByAccount<V> {
    /// How many accounts have a value.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether none has.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The value of an account.
    pub fn get(&self, id: AccountId) -> Option<&V> {
        self.parts[self.part(id)].get(&id)
    }

    /// The same, to be changed.
    pub fn get_mut(&mut self, id: AccountId) -> Option<&mut V> {
        let part = self.part(id);
        self.parts[part].get_mut(&id)
    }

    /// Puts a value in the place of the one before, which it returns.
    pub fn insert(&mut self, id: AccountId, value: V) -> Option<V> {
        let part = self.part(id);
        let before = self.parts[part].insert(id, value);
        self.len += usize::from(before.is_none());
        before
    }

    /// Takes the value of an account away.
    pub fn remove(&mut self, id: AccountId) -> Option<V> {
        let part = self.part(id);
        let before = self.parts[part].remove(&id);
        self.len -= usize::from(before.is_some());
        before
    }

    fn part(&self, id: AccountId) -> usize {
        part_of(mixed(&self.hasher, id.get()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn behaves_as_one_map(steps in prop::collection::vec((1u64..40, any::<Option<u8>>()), 0..300)) {
            let (mut ours, mut one) = (ByAccount::default(), HashMap::new());
            for (id, value) in steps {
                let id = AccountId::new(id).unwrap();
                match value {
                    Some(value) => prop_assert_eq!(ours.insert(id, value), one.insert(id, value)),
                    None => prop_assert_eq!(ours.remove(id), one.remove(&id)),
                }
                prop_assert_eq!(ours.get(id), one.get(&id));
                prop_assert_eq!((ours.len(), ours.is_empty()), (one.len(), one.is_empty()));
            }
        }
    }

    /// Thrown at random, 25,600 ids would be 100 in a part, give or take 10: more than 180 once in a hundred million
    /// times.
    #[test]
    fn no_part_is_much_fuller_than_the_others() {
        for distance in [1, 37, 1 << 22, 1 << 40] {
            let mut ours = ByAccount::default();
            for number in 1..=PARTS as u64 * 100 {
                ours.insert(AccountId::new(number.wrapping_mul(distance) | 1 << 63).unwrap(), ());
            }
            let fullest = ours.parts.iter().map(HashMap::len).max().unwrap();
            assert!(fullest <= 180, "{fullest} in one part, ids {distance} apart");
        }
    }
}
