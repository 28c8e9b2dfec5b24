//! A hierarchical timer wheel over absolute milliseconds.
//!
//! Eight levels of 64 slots: level 0 holds single milliseconds of the 64 that the cursor stands in,
//! level 1 spans of 64 ms, level 2 of 4 s, and so on, to 2^48 ms in all (until the year 10889). An
//! item goes to the level of the highest group of six bits in which its time differs from the
//! cursor, and falls to lower levels as the cursor comes nearer, at most seven times. Inserting
//! costs a shift and a push; finding the next due slot costs one look at a bitmap for each level,
//! however long nothing was due.
//!
//! What is behind the cursor goes to a sorted map at the side: that happens only when a transaction
//! was aborted and its timers are put back.

use std::collections::BTreeMap;

use crate::core::time::Time;

const BITS: u32 = 6;
const SLOTS: usize = 1 << BITS;
const LEVELS: usize = 8;

/// Items by the time at which they are due.
#[derive(Debug)]
pub struct Wheel<T> {
    /// Everything before it was taken; no slot at or before it waits to be redistributed.
    cursor: u64,
    levels: Box<[Level<T>; LEVELS]>,
    /// Items that were put in behind the cursor.
    late: BTreeMap<u64, Vec<T>>,
    len: usize,
}

#[derive(Debug)]
struct Level<T> {
    /// One bit a slot that has items.
    occupied: u64,
    slots: [Vec<(u64, T)>; SLOTS],
}

impl<T> Default for Level<T> {
    fn default() -> Level<T> {
        Level { occupied: 0, slots: std::array::from_fn(|_| Vec::new()) }
    }
}

impl<T: Ord> Default for Wheel<T> {
    fn default() -> Wheel<T> {
        Wheel {
            cursor: 0,
            levels: Box::new(std::array::from_fn(|_| Level::default())),
            late: BTreeMap::new(),
            len: 0,
        }
    }
}

impl<T: Ord> Wheel<T> {
    /// How many items wait.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether no item waits.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Puts an item in, to be due at `at`.
    pub fn insert(&mut self, at: Time, item: T) {
        self.len += 1;
        let at = at.millis() as u64;
        if at < self.cursor {
            self.late.entry(at).or_default().push(item);
        } else {
            self.place(at, item);
        }
    }

    /// Takes the items of the earliest millisecond that has any and is not after `until`, sorted;
    /// nothing if no item is due by then.
    pub fn take_due(&mut self, until: Time) -> Option<(Time, Vec<T>)> {
        let until = until.millis() as u64;
        if let Some(first) = self.late.first_entry() {
            if *first.key() > until {
                return None;
            }
            let (at, items) = first.remove_entry();
            return Some(self.taken(at, items));
        }
        loop {
            let Some((level, start)) = self.next_occupied() else {
                self.cursor = self.cursor.max(until);
                return None;
            };
            if start > until {
                self.cursor = self.cursor.max(until);
                return None;
            }
            self.cursor = self.cursor.max(start);
            let slot = slot_of(start, level);
            self.levels[level].occupied &= !(1 << slot);
            let items = std::mem::take(&mut self.levels[level].slots[slot]);
            if level == 0 {
                let items = items.into_iter().map(|(_, item)| item).collect();
                return Some(self.taken(start, items));
            }
            for (at, item) in items {
                self.place(at, item);
            }
        }
    }

    fn taken(&mut self, at: u64, mut items: Vec<T>) -> (Time, Vec<T>) {
        self.len -= items.len();
        items.sort_unstable();
        (Time::from_millis(at as i64), items)
    }

    /// Level and first millisecond of the earliest slot that has items. Lower levels are nearer to
    /// the cursor than higher ones, and within a level no occupied slot is behind the cursor's.
    fn next_occupied(&self) -> Option<(usize, u64)> {
        self.levels.iter().enumerate().find(|(_, level)| level.occupied != 0).map(|(number, level)| {
            let slot = u64::from(level.occupied.trailing_zeros());
            let shift = BITS * number as u32;
            let above = self.cursor >> (shift + BITS) << (shift + BITS);
            (number, above | slot << shift)
        })
    }

    fn place(&mut self, at: u64, item: T) {
        debug_assert!(at >= self.cursor);
        let differing = (at ^ self.cursor) | (SLOTS as u64 - 1);
        let level = ((u64::BITS - 1 - differing.leading_zeros()) / BITS) as usize;
        let level = level.min(LEVELS - 1);
        let slot = slot_of(at, level);
        self.levels[level].occupied |= 1 << slot;
        self.levels[level].slots[slot].push((at, item));
    }
}

fn slot_of(at: u64, level: usize) -> usize {
    (at >> (BITS * level as u32)) as usize & (SLOTS - 1)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn at(millis: i64) -> Time {
        Time::from_millis(millis)
    }

    #[test]
    fn due_to_the_millisecond_and_in_order() {
        let mut wheel = Wheel::default();
        for (time, item) in [(1_000_000, 'c'), (999_999, 'b'), (1_000_000, 'a'), (2_000_000, 'd')] {
            wheel.insert(at(time), item);
        }
        assert_eq!(wheel.take_due(at(999_998)), None);
        assert_eq!(wheel.take_due(at(1_000_000)), Some((at(999_999), vec!['b'])));
        assert_eq!(wheel.take_due(at(1_000_000)), Some((at(1_000_000), vec!['a', 'c'])));
        assert_eq!(wheel.take_due(at(1_999_999)), None);
        assert_eq!(wheel.len(), 1);
        assert_eq!(wheel.take_due(Time::MAX), Some((at(2_000_000), vec!['d'])));
        assert!(wheel.is_empty());
    }

    #[test]
    fn what_is_put_back_comes_again() {
        let mut wheel = Wheel::default();
        wheel.insert(at(50), 1);
        assert_eq!(wheel.take_due(at(500)), Some((at(50), vec![1])));
        assert_eq!(wheel.take_due(at(500)), None);
        wheel.insert(at(50), 1);
        wheel.insert(at(60), 2);
        assert_eq!(wheel.take_due(at(49)), None);
        assert_eq!(wheel.take_due(at(70)), Some((at(50), vec![1])));
        assert_eq!(wheel.take_due(at(70)), Some((at(60), vec![2])));
    }

    #[derive(Debug, Clone)]
    enum Step {
        Insert(i64),
        Advance(i64),
    }

    proptest! {
        /// Against a sorted set: whatever is inserted (before the cursor too) and however time
        /// jumps, the same items come out in the same order.
        #[test]
        fn behaves_as_a_sorted_set(steps in prop::collection::vec(prop_oneof![
            (0i64..1 << 40).prop_map(Step::Insert),
            (0i64..200_000).prop_map(Step::Insert),
            (0i64..200_000).prop_map(Step::Advance),
            (0i64..1 << 40).prop_map(Step::Advance),
        ], 1..200)) {
            let mut wheel = Wheel::default();
            let mut set = BTreeSet::new();
            for (number, step) in steps.into_iter().enumerate() {
                match step {
                    Step::Insert(time) => {
                        wheel.insert(at(time), number);
                        set.insert((at(time), number));
                    }
                    Step::Advance(until) => {
                        while let Some((time, items)) = wheel.take_due(at(until)) {
                            for item in items {
                                prop_assert_eq!(set.pop_first(), Some((time, item)));
                            }
                        }
                        prop_assert!(set.first().is_none_or(|(time, _)| *time > at(until)));
                    }
                }
                prop_assert_eq!(wheel.len(), set.len());
            }
        }
    }
}
