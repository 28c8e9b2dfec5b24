//! Who is linked: nothing but ids, as the scan asks for every author of an offer's tag.
//!
//! Nearly every question goes to the memory, as nobody asks for the same author twice in a while, and that is all that
//! it costs. So an id lies in the first of the lines that its hash leads to that has room, a line being what the
//! processor fetches at once, eight ids: one question, one fetch. A general table, whose tags lie apart from what it
//! holds, takes two for an id that is there, and 156 MB for 10 million ids where this one takes 139
//! (`hashbuy load parts --only linked`).
//!
//! One great table would double in one long step, and have both sizes in memory until it is done. Here each of 256
//! small ones doubles by itself. Ids are given out by the microblog, so nobody can choose them to be slow to find;
//! the hash has a random seed all the same.

use foldhash::fast::RandomState;

use crate::core::by_account::{PARTS, mixed, part_of};
use crate::core::ids::AccountId;

/// Ids in a line, which has 64 bytes.
const LINE: usize = 8;
/// Nobody has this id.
const FREE: u64 = 0;

/// The ids of the linked accounts. 10 million of them take 139 MB, also while they become so many; to put one in
/// takes about a millisecond where a part doubles (`hashbuy load parts --only linked`).
#[derive(Debug)]
pub struct LinkedIds {
    parts: Box<[Part]>,
    hasher: RandomState,
    len: usize,
}

/// Lines, as many as a power of two. Those of a line that is full go on in the next one; behind the last comes the first.
#[derive(Debug)]
struct Part {
    lines: Box<[Line]>,
    len: usize,
}

/// Ids, and what is free behind them.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Line([u64; LINE]);

impl Default for LinkedIds {
    fn default() -> LinkedIds {
        LinkedIds {
            parts: (0..PARTS).map(|_| Part::with_lines(1)).collect(),
            hasher: RandomState::default(),
            len: 0,
        }
    }
}

impl LinkedIds {
    /// How many are linked.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether an author is linked.
    pub fn contains(&self, id: AccountId) -> bool {
        let hash = mixed(&self.hasher, id.get());
        self.parts[part_of(hash)].line_with(hash, id.get()).is_some()
    }

    /// An account was linked. False if it was already.
    pub fn insert(&mut self, id: AccountId) -> bool {
        let hasher = &self.hasher;
        let is_new = self.parts[part_of(mixed(hasher, id.get()))].insert(id.get(), |id| mixed(hasher, id));
        self.len += usize::from(is_new);
        is_new
    }

    /// An account was unlinked. False if it was not linked.
    pub fn remove(&mut self, id: AccountId) -> bool {
        let hasher = &self.hasher;
        let was_there = self.parts[part_of(mixed(hasher, id.get()))].remove(id.get(), |id| mixed(hasher, id));
        self.len -= usize::from(was_there);
        was_there
    }
}

impl Part {
    fn with_lines(lines: usize) -> Part {
        Part { lines: vec![Line([FREE; LINE]); lines].into_boxed_slice(), len: 0 }
    }

    /// The number of a line, counted on behind the last.
    fn line(&self, number: usize) -> usize {
        number & (self.lines.len() - 1)
    }

    /// The line of an id that is there.
    fn line_with(&self, hash: u64, id: u64) -> Option<usize> {
        let mut number = self.line(hash as usize);
        loop {
            let line = &self.lines[number];
            // All eight at once, whichever it is.
            if line.0.iter().fold(false, |found, other| found | (*other == id)) {
                return Some(number);
            }
            if !line.is_full() {
                return None;
            }
            number = self.line(number + 1);
        }
    }

    fn insert(&mut self, id: u64, hash: impl Fn(u64) -> u64) -> bool {
        if self.line_with(hash(id), id).is_some() {
            return false;
        }
        // An eighth is always free, so that ways are short and every search comes to an end.
        if (self.len + 1) * 8 > self.lines.len() * LINE * 7 {
            let twice = Part::with_lines(self.lines.len() * 2);
            let before = std::mem::replace(self, twice);
            for line in before.lines {
                line.0[..line.len()].iter().for_each(|id| self.put(hash(*id), *id));
            }
        }
        self.put(hash(id), id);
        true
    }

    /// Puts an id in that is not there.
    fn put(&mut self, hash: u64, id: u64) {
        let mut number = self.line(hash as usize);
        while self.lines[number].is_full() {
            number = self.line(number + 1);
        }
        let line = &mut self.lines[number];
        line.0[line.len()] = id;
        self.len += 1;
    }

    fn remove(&mut self, id: u64, hash: impl Fn(u64) -> u64) -> bool {
        let Some(mut gap) = self.line_with(hash(id), id) else { return false };
        let Some(mut place) = self.lines[gap].0.iter().position(|other| *other == id) else { return false };
        self.len -= 1;
        // Whoever has gone on from a full line is sought only as long as it is full: one of those comes back.
        while self.lines[gap].take(place) {
            let Some((number, other)) = self.strayed_from(gap, &hash) else { break };
            let back = self.lines[number].0[other];
            let line = &mut self.lines[gap];
            line.0[line.len()] = back;
            (gap, place) = (number, other);
        }
        true
    }

    /// An id behind a line that would rather be in it or before it.
    fn strayed_from(&self, gap: usize, hash: impl Fn(u64) -> u64) -> Option<(usize, usize)> {
        let mut number = gap;
        loop {
            number = self.line(number + 1);
            let line = &self.lines[number];
            let way = self.line(number.wrapping_sub(gap));
            let has_strayed = |id: &u64| self.line(number.wrapping_sub(self.line(hash(*id) as usize))) >= way;
            if let Some(place) = line.0[..line.len()].iter().position(has_strayed) {
                return Some((number, place));
            }
            if !line.is_full() {
                return None;
            }
        }
    }
}

impl Line {
    fn is_full(&self) -> bool {
        self.0[LINE - 1] != FREE
    }

    fn len(&self) -> usize {
        self.0.iter().position(|id| *id == FREE).unwrap_or(LINE)
    }

    /// Takes an id out; the last one comes to its place. True if the line was full.
    fn take(&mut self, place: usize) -> bool {
        let (was_full, last) = (self.is_full(), self.len() - 1);
        self.0[place] = self.0[last];
        self.0[last] = FREE;
        was_full
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_is_linked_once_until_it_is_unlinked() {
        let mut linked = LinkedIds::default();
        let id = |number| AccountId::new(number).unwrap();
        assert!(linked.is_empty() && !linked.contains(id(7)));
        assert!(linked.insert(id(7)) && !linked.insert(id(7)) && linked.insert(id(u64::MAX)));
        assert!(linked.contains(id(7)) && !linked.contains(id(8)));
        assert!(linked.remove(id(7)) && !linked.remove(id(7)));
        assert_eq!(linked.len(), 1);
    }

    proptest! {
        /// Many ids want the same few lines, so that they stray, also from the last line to the first.
        #[test]
        fn a_part_is_a_set(
            steps in prop::collection::vec((1u64..300, prop::bool::weighted(0.6)), 0..1_500),
            homes in 1u64..40,
            first in any::<u64>(),
        ) {
            let hash = |id: u64| (id % homes).wrapping_add(first);
            let (mut part, mut set) = (Part::with_lines(1), HashSet::new());
            for (id, comes) in steps {
                if comes {
                    prop_assert_eq!(part.insert(id, hash), set.insert(id));
                } else {
                    prop_assert_eq!(part.remove(id, hash), set.remove(&id));
                }
                prop_assert_eq!(part.len, set.len());
                prop_assert_eq!(part.lines.iter().map(Line::len).sum::<usize>(), set.len());
            }
            for id in 1..300 {
                prop_assert_eq!(part.line_with(hash(id), id).is_some(), set.contains(&id), "{}", id);
            }
        }
    }

    /// Thrown at random, 25,600 ids would be 100 in a part, give or take 10: more than 180 once in a hundred million
    /// times. Within a part few have to look further than into one line.
    #[test]
    fn ids_are_spread_evenly_however_far_apart() {
        for distance in [1, 37, 1 << 22, 1 << 40] {
            let mut linked = LinkedIds::default();
            for number in 1..=PARTS as u64 * 100 {
                linked.insert(AccountId::new(number.wrapping_mul(distance) | 1 << 63).unwrap());
            }
            let fullest = linked.parts.iter().map(|part| part.len).max().unwrap();
            assert!(fullest <= 180, "{fullest} in one part, ids {distance} apart");
            let all =
                linked.parts.iter().flat_map(|part| part.lines.iter().enumerate().map(move |at| (part, at)));
            let strayed: usize = all
                .map(|(part, (number, line))| {
                    let home = |id: &&u64| part.line(mixed(&linked.hasher, **id) as usize);
                    line.0[..line.len()].iter().filter(|id| home(id) != number).count()
                })
                .sum();
            assert!(
                strayed * 10 < linked.len(),
                "{strayed} of {} are elsewhere, ids {distance} apart",
                linked.len()
            );
        }
    }
}
