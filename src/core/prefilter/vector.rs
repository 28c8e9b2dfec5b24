//! The search for anchors by vector instructions. The only module with `unsafe` in it.
//!
//! It is [Teddy](https://docs.rs/aho-corasick/latest/aho_corasick/packed/index.html) with gaps. Each of the
//! eight [`PATTERNS`] has a bit. For each of three neighbouring bytes, and for each half of a byte, a table
//! of 16 entries says which patterns can have it there; a shuffle looks 64 of them up at once. What is left
//! when all six answers are joined by *and* are the patterns that may stand at that place. A gap is a byte
//! that may be anything: the plain sign is one byte and two gaps, so that one pass finds it with the rest.
//!
//! It finds **at least** all places of the patterns, and few others: halves of two patterns may fit
//! together. Whoever asks has to look again.
//!
//! ```text
//! byte   0x23 -> low half 3, high half 2      LOW[0][3] & HIGH[0][2]  = patterns that begin with it
//! next   0x42 -> low half 2, high half 4    & LOW[1][2] & HIGH[1][4]  ... and go on with this
//! next   0x75 -> low half 5, high half 7    & LOW[2][5] & HIGH[2][7]  ... and this: a bit that is left is a hit
//! ```
//!
//! Where there are shuffles over 128 entries (AVX-512 VBMI), one of them looks up all but the top bit of a byte, in place
//! of two over halves of it. What that finds is looked at again in the other way: `0xA3`, which is frequent in Japanese,
//! is not to be taken for `#`.
//!
//! Unsafe are the calls of functions for processors that have the instructions (which was asked before),
//! and the loads (of arrays of the right length).

#![allow(unsafe_code, reason = "vector instructions; see the module's documentation")]

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

use super::anchors::PATTERNS;

/// Places that are looked at in one step.
const BLOCK: usize = 64;
/// Bytes that are looked at in one step: the patterns reach beyond their first byte.
const WINDOW: usize = BLOCK + 2;
/// So far ahead memory is asked for. What a consumer hands over one by one lies one behind the other, and
/// has been written by another processor.
const AHEAD: usize = 3 * 1024;

/// Which vector instructions there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Vector {
    /// 64 bytes at once, and tables of 128 entries.
    #[cfg(target_arch = "x86_64")]
    Avx512Vbmi,
    /// 64 bytes at once.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// 32 bytes at once.
    #[cfg(target_arch = "x86_64")]
    Avx2,
}

impl Vector {
    /// All that this processor has, the best first.
    pub(super) fn all() -> Vec<Vector> {
        #[cfg_attr(not(target_arch = "x86_64"), allow(unused_mut))]
        let mut all = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512bw") && is_x86_feature_detected!("avx512vbmi") {
                all.push(Vector::Avx512Vbmi);
            }
            if is_x86_feature_detected!("avx512bw") {
                all.push(Vector::Avx512);
            }
            if is_x86_feature_detected!("avx2") {
                all.push(Vector::Avx2);
            }
        }
        all
    }

    /// How many bits its instructions take at once.
    pub(super) fn bits(self) -> u32 {
        match self {
            #[cfg(target_arch = "x86_64")]
            Vector::Avx512Vbmi | Vector::Avx512 => 512,
            #[cfg(target_arch = "x86_64")]
            Vector::Avx2 => 256,
        }
    }

    /// The places at which a pattern may stand, ascending.
    pub(super) fn find(self, buffer: &[u8]) -> Places<'_> {
        Places { vector: self, buffer, block: 0, left: 0, next: 0 }
    }

    /// The next block that has places, from one on, with a bit for each place.
    fn next(self, buffer: &[u8], from: usize) -> Option<(usize, u64)> {
        match self {
            // SAFETY: there is no such value unless the processor has the instructions.
            #[cfg(target_arch = "x86_64")]
            Vector::Avx512Vbmi => unsafe { next_vbmi(buffer, from) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Vector::Avx512 => unsafe { next_avx512(buffer, from) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Vector::Avx2 => unsafe { next_avx2(buffer, from) },
        }
    }
}

/// See [`Vector::find`].
pub(super) struct Places<'b> {
    vector: Vector,
    buffer: &'b [u8],
    /// The block that is being handed out, and its places that are left.
    block: usize,
    left: u64,
    /// The block behind it.
    next: usize,
}

impl Iterator for Places<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        if self.left == 0 {
            (self.block, self.left) = self.vector.next(self.buffer, self.next)?;
            self.next = self.block + BLOCK;
        }
        let place = self.left.trailing_zeros() as usize;
        self.left &= self.left - 1;
        Some(self.block + place)
    }
}

/// The tables: a row for each of three neighbouring bytes. Of the 16 entries there are four copies, since a
/// shuffle looks up in each quarter by itself.
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]
struct Tables {
    low: [[u8; BLOCK]; 3],
    high: [[u8; BLOCK]; 3],
}

#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]
static TABLES: Tables = tables();

const fn tables() -> Tables {
    let mut tables = Tables { low: [[0; BLOCK]; 3], high: [[0; BLOCK]; 3] };
    let mut number = 0;
    while number < PATTERNS.len() {
        let mut at = 0;
        while at < 3 {
            let mut half = 0;
            while half < BLOCK {
                let (low, high) = match PATTERNS[number][at] {
                    Some(byte) => (half % 16 == byte as usize % 16, half % 16 == byte as usize / 16),
                    None => (true, true),
                };
                tables.low[at][half] |= (low as u8) << number;
                tables.high[at][half] |= (high as u8) << number;
                half += 1;
            }
            at += 1;
        }
        number += 1;
    }
    tables
}

/// The tables by all but the top bit of a byte.
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]
static TABLES_OF_128: [[u8; 2 * BLOCK]; 3] = {
    let mut tables = [[0; 2 * BLOCK]; 3];
    let mut number = 0;
    while number < PATTERNS.len() {
        let mut at = 0;
        while at < 3 {
            let mut byte = 0;
            while byte < 2 * BLOCK {
                let fits = match PATTERNS[number][at] {
                    Some(wanted) => wanted as usize % (2 * BLOCK) == byte,
                    None => true,
                };
                tables[at][byte] |= (fits as u8) << number;
                byte += 1;
            }
            at += 1;
        }
        number += 1;
    }
    tables
};

/// The end of a buffer, with nothing behind it: at most one block and a byte.
fn padded(rest: &[u8]) -> [u8; 2 * BLOCK + 2] {
    let mut padded = [0; 2 * BLOCK + 2];
    padded[..rest.len()].copy_from_slice(rest);
    padded
}

/// One search for each kind of processor. `$places` gives a bit for each place of a window.
#[cfg(target_arch = "x86_64")]
macro_rules! search {
    ($name:ident, $feature:literal, $tables:ident, $places:ident) => {
        #[target_feature(enable = $feature)]
        fn $name(buffer: &[u8], mut from: usize) -> Option<(usize, u64)> {
            let tables = $tables();
            while let Some(window) = buffer[from.min(buffer.len())..].first_chunk::<WINDOW>() {
                let ahead = window.as_ptr().wrapping_add(AHEAD);
                // A hint, which may be about anything: nothing is read.
                _mm_prefetch::<_MM_HINT_T0>(ahead.cast());
                let places = $places(window, &tables);
                if places != 0 {
                    return Some((from, places));
                }
                from += BLOCK;
            }
            // What is less than a window: zeros behind it fit no pattern.
            let rest = &buffer[from.min(buffer.len())..];
            let padded = padded(rest);
            for block in (0..rest.len()).step_by(BLOCK) {
                if let Some(window) = padded[block..].first_chunk::<WINDOW>() {
                    let within = u64::MAX >> (BLOCK - (rest.len() - block).min(BLOCK));
                    let places = $places(window, &tables) & within;
                    if places != 0 {
                        return Some((from + block, places));
                    }
                }
            }
            None
        }
    };
}

#[cfg(target_arch = "x86_64")]
search!(next_vbmi, "avx512bw,avx512vbmi", tables_vbmi, places_vbmi);
#[cfg(target_arch = "x86_64")]
search!(next_avx512, "avx512bw", tables_avx512, places_avx512);
#[cfg(target_arch = "x86_64")]
search!(next_avx2, "avx2", tables_avx2, places_avx2);

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512bw")]
#[inline]
fn load_avx512(window: &[u8], at: usize) -> __m512i {
    let bytes: &[u8; 64] = window[at..].first_chunk().unwrap_or(&[0; 64]);
    // SAFETY: 64 bytes are there, and need not be aligned.
    unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512bw")]
#[inline]
fn tables_avx512() -> [(__m512i, __m512i); 3] {
    let row = |at: usize| (load_avx512(&TABLES.low[at], 0), load_avx512(&TABLES.high[at], 0));
    [row(0), row(1), row(2)]
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512bw")]
#[inline]
fn places_avx512(window: &[u8; WINDOW], tables: &[(__m512i, __m512i); 3]) -> u64 {
    let half = _mm512_set1_epi8(0x0F);
    let look_up = |at: usize| {
        let bytes = load_avx512(window, at);
        let low = _mm512_shuffle_epi8(tables[at].0, _mm512_and_si512(bytes, half));
        let high = _mm512_and_si512(_mm512_srli_epi16::<4>(bytes), half);
        _mm512_and_si512(low, _mm512_shuffle_epi8(tables[at].1, high))
    };
    let patterns = _mm512_and_si512(_mm512_and_si512(look_up(0), look_up(1)), look_up(2));
    _mm512_test_epi8_mask(patterns, patterns)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512bw,avx512vbmi")]
#[inline]
fn tables_vbmi() -> [(__m512i, __m512i); 3] {
    let row = |at: usize| (load_avx512(&TABLES_OF_128[at], 0), load_avx512(&TABLES_OF_128[at], BLOCK));
    [row(0), row(1), row(2)]
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512bw,avx512vbmi")]
#[inline]
fn places_vbmi(window: &[u8; WINDOW], tables: &[(__m512i, __m512i); 3]) -> u64 {
    let look_up = |at: usize| {
        let (first, second) = tables[at];
        _mm512_permutex2var_epi8(first, load_avx512(window, at), second)
    };
    // All three joined by *and*.
    let patterns = _mm512_ternarylogic_epi32::<0x80>(look_up(0), look_up(1), look_up(2));
    match _mm512_test_epi8_mask(patterns, patterns) {
        0 => 0,
        _ => places_avx512(window, &tables_avx512()),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
#[inline]
fn load_avx2(window: &[u8], at: usize) -> __m256i {
    let bytes: &[u8; 32] = window[at..].first_chunk().unwrap_or(&[0; 32]);
    // SAFETY: 32 bytes are there, and need not be aligned.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
#[inline]
fn tables_avx2() -> [(__m256i, __m256i); 3] {
    let row = |at: usize| (load_avx2(&TABLES.low[at], 0), load_avx2(&TABLES.high[at], 0));
    [row(0), row(1), row(2)]
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
#[inline]
fn places_avx2(window: &[u8; WINDOW], tables: &[(__m256i, __m256i); 3]) -> u64 {
    let (half, zero) = (_mm256_set1_epi8(0x0F), _mm256_setzero_si256());
    let look_up = |from: usize, at: usize| {
        let bytes = load_avx2(window, from + at);
        let low = _mm256_shuffle_epi8(tables[at].0, _mm256_and_si256(bytes, half));
        let high = _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), half);
        _mm256_and_si256(low, _mm256_shuffle_epi8(tables[at].1, high))
    };
    let places = |from: usize| {
        let patterns =
            _mm256_and_si256(_mm256_and_si256(look_up(from, 0), look_up(from, 1)), look_up(from, 2));
        !(_mm256_movemask_epi8(_mm256_cmpeq_epi8(patterns, zero)).cast_unsigned())
    };
    u64::from(places(0)) | u64::from(places(32)) << 32
}
