//! A hierarchical timer wheel over absolute time, in which no step is long.
//!
//! An item is due at a [`Due`]: a millisecond, and a rank of 16 bits among those of that millisecond, 64 bits in
//! all. Eleven levels of 64 slots each stand for six of these bits. An item goes to the level of the highest group
//! of six bits in which its time differs from the cursor. When a slot's turn has come, the cursor moves to the
//! earliest item in it, and the others fall to lower levels, whichever they differ in. Inserting costs a shift
//! and a push; finding the next slot costs one look at a bitmap for each level, however long nothing was due.
//!
//! What is at the cursor or behind it is in a small heap, from which it is taken in order. A slot of a few items
//! goes there as a whole: most items fall once or twice in their life. What is put in behind the cursor goes there
//! too; that happens when a transaction was aborted and its timers are put back.
//!
//! Without the rank a million items of one millisecond would have to be put in order at once. With it they are
//! spread as if they were due one after the other. A slot may be large all the same, a quarter of an hour of a busy
//! day: so whoever takes items says how many may be moved on the way, and goes on later.
//!
//! Slots hold their items in blocks: they grow without moving what they have, and waste little.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::core::time::{HOUR, Time};

const BITS: u32 = 6;
const SLOTS: usize = 1 << BITS;
const LEVELS: usize = u64::BITS.div_ceil(BITS) as usize;
/// Items in a block of a slot.
const BLOCK: usize = 128;
/// A slot of so many items is not spread any further: to put them in order costs less.
const FEW: usize = 64;
/// On higher levels it is all the same: what is put into the slot later may be very many. The slots of this one
/// stand for 256 milliseconds.
const NEAR: usize = 4;
/// Bits of the rank.
const RANK: u32 = u16::BITS;

/// When an item is due: a millisecond, and a rank among those of that millisecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Due(u64);

impl Due {
    /// In a millisecond, with a rank.
    pub const fn new(at: Time, rank: u16) -> Due {
        // The latest time has 48 bits, and none is below 0.
        Due((at.millis() as u64) << RANK | rank as u64)
    }

    /// The last of a millisecond.
    pub const fn last_of(at: Time) -> Due {
        Due::new(at, u16::MAX)
    }

    /// The millisecond.
    pub const fn at(self) -> Time {
        Time::from_millis((self.0 >> RANK) as i64)
    }
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next<T> {
    /// The earliest item of all, and of those of one [`Due`] the least.
    Item(Due, T),
    /// That is not known yet: more items have to be moved than was allowed.
    More,
    /// No item is due by then.
    Nothing,
}

/// Items by the time at which they are due.
#[derive(Debug)]
pub struct Wheel<T> {
    /// Items after it are in the levels, all others in `near`.
    cursor: u64,
    near: BinaryHeap<Reverse<(u64, T)>>,
    levels: Box<[Level<T>; LEVELS]>,
    /// What is left of a slot that is being spread: none of it is before the cursor.
    spread: Vec<Vec<(u64, T)>>,
    len: usize,
}

#[derive(Debug)]
struct Level<T> {
    /// One bit a slot that has items.
    occupied: u64,
    slots: [Slot<T>; SLOTS],
}

#[derive(Debug)]
struct Slot<T> {
    /// The earliest of its items.
    first: u64,
    /// All but the last are full.
    blocks: Vec<Vec<(u64, T)>>,
}

impl<T> Default for Slot<T> {
    fn default() -> Slot<T> {
        Slot { first: u64::MAX, blocks: Vec::new() }
    }
}

impl<T> Slot<T> {
    fn push(&mut self, at: u64, item: T) {
        self.first = self.first.min(at);
        match self.blocks.last_mut() {
            Some(block) if block.len() < BLOCK => block.push((at, item)),
            Some(_) => {
                let mut block = Vec::with_capacity(BLOCK);
                block.push((at, item));
                self.blocks.push(block);
            }
            None => self.blocks.push(vec![(at, item)]),
        }
    }

    fn has_few(&self) -> bool {
        self.blocks.len() <= 1 && self.blocks.iter().all(|block| block.len() <= FEW)
    }
}

impl<T> Default for Level<T> {
    fn default() -> Level<T> {
        Level { occupied: 0, slots: std::array::from_fn(|_| Slot::default()) }
    }
}

impl<T: Ord> Default for Wheel<T> {
    fn default() -> Wheel<T> {
        Wheel {
            cursor: 0,
            near: BinaryHeap::new(),
            levels: Box::new(std::array::from_fn(|_| Level::default())),
            spread: Vec::new(),
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

    /// Begins two hours before a time, as far as nothing is in it: else all that is put in before anything was taken
    /// would be in one slot, as if it were equally far from the beginning of time. What is due still earlier can be
    /// put in all the same.
    pub fn begin_near(&mut self, due: Due) {
        if self.is_empty() {
            self.cursor = self.cursor.max(due.0.saturating_sub(Due::new(Time::from_millis(2 * HOUR), 0).0));
        }
    }

    /// Puts an item in.
    pub fn insert(&mut self, due: Due, item: T) {
        self.len += 1;
        self.place(due.0, item);
    }

    /// Takes the earliest item that is due by `until`. `moves` is how many items may be moved on the way, and is
    /// counted down by those that were.
    pub fn take_due(&mut self, until: Due, moves: &mut usize) -> Next<T> {
        loop {
            if !self.go_on_spreading(moves) {
                return Next::More;
            }
            match self.near.peek().map(|Reverse((at, _))| *at) {
                Some(at) if at > until.0 => return Next::Nothing,
                Some(_) => {
                    let Some(Reverse((at, item))) = self.near.pop() else { return Next::Nothing };
                    self.len -= 1;
                    return Next::Item(Due(at), item);
                }
                None if !self.advance(until) => return Next::Nothing,
                None => {}
            }
        }
    }

    /// Empties the earliest slot that has items. False if none of them is due.
    fn advance(&mut self, until: Due) -> bool {
        let Some(number) = self.levels.iter().position(|level| level.occupied != 0) else { return false };
        let level = &mut self.levels[number];
        // Lower levels are nearer to the cursor than higher ones, and no slot behind it has items.
        let index = level.occupied.trailing_zeros() as usize;
        let slot = &mut level.slots[index];
        if slot.first > until.0 {
            return false;
        }
        level.occupied &= !(1 << index);
        let slot = std::mem::take(slot);
        if number == 0 || (number <= NEAR && slot.has_few()) {
            // To the end of the slot, so that whatever is put into it from now on is near, too.
            self.cursor = slot.first | ((1 << (BITS * number as u32)) - 1);
            self.near.extend(slot.blocks.into_iter().flatten().map(Reverse));
        } else {
            self.cursor = slot.first;
            self.spread = slot.blocks;
        }
        true
    }

    /// Spreads what is left of a slot. False if there is still something left.
    fn go_on_spreading(&mut self, moves: &mut usize) -> bool {
        while let Some(block) = self.spread.last_mut() {
            let Some((at, item)) = block.pop() else {
                self.spread.pop();
                continue;
            };
            if *moves == 0 {
                block.push((at, item));
                return false;
            }
            *moves -= 1;
            self.place(at, item);
        }
        true
    }

    fn place(&mut self, at: u64, item: T) {
        if at <= self.cursor {
            self.near.push(Reverse((at, item)));
            return;
        }
        let level = ((at ^ self.cursor).ilog2() / BITS) as usize;
        let slot = (at >> (BITS * level as u32)) as usize & (SLOTS - 1);
        self.levels[level].occupied |= 1 << slot;
        self.levels[level].slots[slot].push(at, item);
    }
}

#[cfg(test)]
mod tests;
