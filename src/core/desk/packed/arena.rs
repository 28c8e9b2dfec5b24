//! Memory for very many small values that come and go: a handle of eight bytes for each, and no header.
//!
//! A general allocator hands out addresses of eight bytes to which the length has to be added, puts a header before
//! each piece, and rounds up to 16 bytes: ten million pendings took 1,228 MB like that, and take 973 MB like this
//! (`hashbuy load parts --only pendings`). Here a page holds values whose length rounds up to the same multiple of four,
//! one beside the other. Values that come one after the other lie side by side, and as pendings go in the order in
//! which they came, whole pages become free again, for values of any length.

/// Lengths are rounded up to a multiple of so many bytes.
const UNIT: usize = 4;
/// Units of a page: 16 KiB.
const PAGE: usize = 4096;
/// What is longer than so many units has memory of its own.
const LONGEST: usize = 256;
/// Pages without a value whose memory is kept: those that fall empty and are filled again in turn.
const KEPT: usize = 64;
/// Pages that a handle can tell apart.
const MOST: usize = (1 << u32::BITS) / PAGE;
/// No page, and no place within one.
const NONE: u32 = u32::MAX;
const NO_PLACE: u16 = u16::MAX;

/// Where a value is. Of use only with the arena that it comes from, and until the value is given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::core::desk) struct Handle {
    /// In units from the beginning of the first page, 16 GiB at most; of a long value its number among these.
    at: u32,
    /// In bytes.
    len: u32,
}

impl Handle {
    fn units(self) -> usize {
        units(self.len as usize)
    }

    fn is_long(self) -> bool {
        self.units() > LONGEST
    }

    fn page(self) -> usize {
        self.at as usize / PAGE
    }

    /// Within its page.
    fn place(self) -> usize {
        self.at as usize % PAGE
    }
}

fn units(len: usize) -> usize {
    // There is room for the link of a place that is free.
    len.div_ceil(UNIT).max(1)
}

/// The memory.
#[derive(Debug)]
pub(in crate::core::desk) struct Arena {
    pages: Vec<Page>,
    /// The first page of those that have room, by the units of their values.
    with_room: [u32; LONGEST + 1],
    /// Pages without a value.
    empty: Vec<u32>,
    /// How many of these have memory: the last ones.
    kept: usize,
    long: Vec<Box<[u8]>>,
    /// Numbers of long values that were given back.
    long_free: Vec<u32>,
}

/// Values of one length in units.
#[derive(Debug)]
struct Page {
    memory: Box<[u8]>,
    /// Its neighbours among those of this length that have room.
    before: u32,
    after: u32,
    /// Of a value.
    units: u16,
    values: u16,
    /// The first place that was given back; it says itself which one is next.
    free: u16,
    /// From this place on nothing has been in use yet.
    fresh: u16,
}

impl Page {
    fn new() -> Page {
        Page {
            memory: Box::default(),
            before: NONE,
            after: NONE,
            units: 1,
            values: 0,
            free: NO_PLACE,
            fresh: 0,
        }
    }

    fn has_room(&self) -> bool {
        self.free != NO_PLACE || usize::from(self.fresh) + usize::from(self.units) <= PAGE
    }

    /// Puts a value into a page that has room. Returns its place.
    fn put(&mut self, value: &[u8]) -> u16 {
        let place = if self.free == NO_PLACE {
            let place = self.fresh;
            self.fresh += self.units;
            place
        } else {
            let place = self.free;
            let at = usize::from(place) * UNIT;
            self.free = u16::from_le_bytes([self.memory[at], self.memory[at + 1]]);
            place
        };
        let at = usize::from(place) * UNIT;
        self.memory[at..at + value.len()].copy_from_slice(value);
        self.values += 1;
        place
    }

    fn give_back(&mut self, place: u16) {
        let at = usize::from(place) * UNIT;
        self.memory[at..at + 2].copy_from_slice(&self.free.to_le_bytes());
        self.free = place;
        self.values -= 1;
    }
}

impl Default for Arena {
    fn default() -> Arena {
        Arena {
            pages: Vec::new(),
            with_room: [NONE; LONGEST + 1],
            empty: Vec::new(),
            kept: 0,
            long: Vec::new(),
            long_free: Vec::new(),
        }
    }
}

impl Arena {
    /// A value.
    pub fn get(&self, handle: Handle) -> &[u8] {
        if handle.is_long() {
            return &self.long[handle.at as usize];
        }
        let at = handle.place() * UNIT;
        &self.pages[handle.page()].memory[at..at + handle.len as usize]
    }

    /// Keeps a copy of a value until it is given back.
    ///
    /// # Panics
    /// If there are 16 GiB of values already.
    pub fn put(&mut self, value: &[u8]) -> Handle {
        let units = units(value.len());
        let len = value.len() as u32;
        if units > LONGEST {
            return Handle { at: self.put_long(value.into()), len };
        }
        let number = match self.with_room[units] {
            NONE => self.begin_page(units),
            number => number,
        };
        let page = &mut self.pages[number as usize];
        let place = page.put(value);
        if !page.has_room() {
            self.unlink(number);
        }
        Handle { at: number * PAGE as u32 + u32::from(place), len }
    }

    /// Gives a value back: its memory is for others now.
    pub fn give_back(&mut self, handle: Handle) {
        if handle.is_long() {
            self.long[handle.at as usize] = Box::default();
            self.long_free.push(handle.at);
            return;
        }
        let number = handle.page() as u32;
        let page = &mut self.pages[handle.page()];
        let was_full = !page.has_room();
        page.give_back(handle.place() as u16);
        if page.values == 0 {
            if !was_full {
                self.unlink(number);
            }
            self.end_page(number);
        } else if was_full {
            self.link(number);
        }
    }

    fn put_long(&mut self, value: Box<[u8]>) -> u32 {
        if let Some(number) = self.long_free.pop() {
            self.long[number as usize] = value;
            return number;
        }
        self.long.push(value);
        self.long.len() as u32 - 1
    }

    /// A page for values of another length, with room.
    fn begin_page(&mut self, units: usize) -> u32 {
        let number = self.empty.pop().unwrap_or_else(|| {
            // Beyond that two values would have one handle.
            assert!(self.pages.len() < MOST, "more than 16 GiB of values: share them among more desks");
            self.pages.push(Page::new());
            self.pages.len() as u32 - 1
        });
        let page = &mut self.pages[number as usize];
        if page.memory.is_empty() {
            page.memory = vec![0; PAGE * UNIT].into_boxed_slice();
        } else {
            self.kept -= 1;
        }
        (page.units, page.free, page.fresh) = (units as u16, NO_PLACE, 0);
        self.link(number);
        number
    }

    /// A page that has no value any more.
    fn end_page(&mut self, number: u32) {
        self.empty.push(number);
        self.kept += 1;
        if self.kept > KEPT {
            // Those with memory are the last ones.
            let oldest = self.empty[self.empty.len() - self.kept];
            self.pages[oldest as usize].memory = Box::default();
            self.kept -= 1;
        }
    }

    /// Puts a page first among those of its length that have room.
    fn link(&mut self, number: u32) {
        let page = &mut self.pages[number as usize];
        let first = std::mem::replace(&mut self.with_room[usize::from(page.units)], number);
        (page.before, page.after) = (NONE, first);
        if let Some(first) = self.pages.get_mut(first as usize) {
            first.before = number;
        }
    }

    /// Takes a page away from there.
    fn unlink(&mut self, number: u32) {
        let page = &self.pages[number as usize];
        let (before, after, units) = (page.before, page.after, usize::from(page.units));
        match self.pages.get_mut(before as usize) {
            Some(page) => page.after = after,
            None => self.with_room[units] = after,
        }
        if let Some(page) = self.pages.get_mut(after as usize) {
            page.before = before;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A step: a value of a length is put in, or the one of a number is given back.
    fn steps() -> impl Strategy<Value = Vec<Result<usize, prop::sample::Index>>> {
        let length = prop_oneof![0usize..80, Just(56), 1000usize..1100];
        let step = prop_oneof![length.prop_map(Ok), any::<prop::sample::Index>().prop_map(Err)];
        prop::collection::vec(step, 0..400)
    }

    proptest! {
        #[test]
        fn each_value_is_what_was_put_in(steps in steps(), seed: u8) {
            let mut arena = Arena::default();
            let mut held: Vec<(Handle, Vec<u8>)> = Vec::new();
            for (number, step) in (0u8..=255).cycle().zip(steps) {
                match step {
                    Ok(length) => {
                        let value: Vec<u8> = (0..length).map(|at| (at as u8) ^ number ^ seed).collect();
                        held.push((arena.put(&value), value));
                    }
                    Err(_) if held.is_empty() => {}
                    Err(index) => {
                        let (handle, _) = held.swap_remove(index.index(held.len()));
                        arena.give_back(handle);
                    }
                }
                for (handle, value) in &held {
                    prop_assert_eq!(arena.get(*handle), &value[..]);
                }
            }
            for (handle, _) in held {
                arena.give_back(handle);
            }
            prop_assert_eq!(arena.empty.len(), arena.pages.len(), "no page is lost");
            prop_assert_eq!(arena.long_free.len(), arena.long.len());
        }
    }

    /// Values that go in the order in which they came leave whole pages, for values of another length.
    #[test]
    fn memory_is_for_others_again() {
        let mut arena = Arena::default();
        for length in [50, 60, 70, 80] {
            let handles: Vec<Handle> = (0..100_000).map(|_| arena.put(&vec![1; length])).collect();
            handles.into_iter().for_each(|handle| arena.give_back(handle));
            let with_memory = arena.pages.iter().filter(|page| !page.memory.is_empty()).count();
            assert_eq!((with_memory, arena.kept), (KEPT, KEPT), "the rest is given back");
            assert!(
                arena.pages.len() <= 100_000 * length.next_multiple_of(UNIT) / (PAGE * UNIT - length) + 1
            );
        }
    }
}
