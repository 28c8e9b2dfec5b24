//! Decides whether the hashtag that is spelled somewhere in raw JSON is one that matters.

use std::sync::LazyLock;

use unicode_normalization::{IsNormalized, char::canonical_combining_class, is_nfc_quick};

use super::spelling::char_at;
use crate::core::hashtag::{fold, is_tag_char};

/// The characters of a code behind its prefix: Crockford's base32, folded.
const CODE_LENGTH: usize = 8;
const CODE_DIGITS: usize = 2;

/// The folded units of nearly every tag; longer ones go the exact way.
const SHORT: usize = 64;

/// Entries of the folding table that are no folded unit. Neither is in any hashtag.
const ENDS_TAG: u16 = 0;
const NEEDS_EXACT: u16 = 0xFFFF;

/// What each character of the Basic Multilingual Plane folds to, where it does so whatever stands
/// around it and is one UTF-16 unit then. 128 KB.
static FOLDED: LazyLock<Vec<u16>> = LazyLock::new(|| {
    let entry = |unit| char::from_u32(unit).map_or(ENDS_TAG, folded_unit);
    (0..0x1_0000).map(entry).collect()
});

fn folded_unit(c: char) -> u16 {
    if !is_tag_char(c) {
        return ENDS_TAG;
    }
    // A string of characters that are all of this kind is in NFC already.
    let stands_alone =
        canonical_combining_class(c) == 0 && is_nfc_quick(std::iter::once(c)) == IsNormalized::Yes;
    let mut units = [0; 4];
    let mut typed = [0; 4];
    let folded = fold(c.encode_utf8(&mut typed));
    let mut rest = folded.chars();
    match (rest.next(), rest.next()) {
        (Some(folded), None) if stands_alone && folded.len_utf16() == 1 => folded.encode_utf16(&mut units)[0],
        _ => NEEDS_EXACT,
    }
}

/// The tags that matter: those of all offers, by hash, and codes, by their form.
///
/// The hashes stand in a table of a power of two of slots, at most half of which are taken, each
/// in the first free one from where its upper bits point. 0 is a free slot. That the tags
/// themselves are not kept is safe: two with one hash only make a record pass in vain.
pub(super) struct Tags {
    /// [`FOLDED`], built by now.
    folding: &'static [u16],
    slots: Vec<u64>,
    /// The folded prefix of codes, in UTF-16 units.
    prefix: Vec<u16>,
}

impl Tags {
    pub(super) fn new<'a>(folded_tags: impl IntoIterator<Item = &'a str>, folded_prefix: &str) -> Tags {
        let mut hashes: Vec<u64> = folded_tags.into_iter().map(|tag| hash(tag.encode_utf16())).collect();
        hashes.sort_unstable();
        hashes.dedup();
        let slots = vec![0; (2 * hashes.len()).next_power_of_two().max(2)];
        let prefix = folded_prefix.encode_utf16().collect();
        let mut tags = Tags { folding: &FOLDED, slots, prefix };
        for hash in hashes {
            let slot = tags.slot_of(hash);
            tags.slots[slot] = hash;
        }
        tags
    }

    /// Whether the hashtag whose spelled body begins at `body` matters.
    pub(super) fn matter(&self, json: &[u8], body: usize) -> bool {
        let mut units = [0; SHORT];
        let mut length = 0;
        let mut at = body;
        loop {
            let (c, next) = match json.get(at) {
                Some(&ascii @ 0..0x80) if ascii != b'\\' => (char::from(ascii), at + 1),
                _ => match char_at(json, at) {
                    Some(spelled) => spelled,
                    None => break,
                },
            };
            match self.folding.get(c as usize) {
                Some(&ENDS_TAG) => break,
                Some(&unit) if unit != NEEDS_EXACT && length < SHORT => units[length] = unit,
                None if !is_tag_char(c) => break,
                _ => return self.matter_exactly(json, body),
            }
            length += 1;
            at = next;
        }
        self.contain(&units[..length])
    }

    /// The same by the plain rules: the body as a string, folded as a whole.
    #[cold]
    fn matter_exactly(&self, json: &[u8], body: usize) -> bool {
        let mut at = body;
        let spelled = std::iter::from_fn(|| {
            let (c, next) = char_at(json, at)?;
            at = next;
            Some(c)
        });
        let body: String = spelled.take_while(|&c| is_tag_char(c)).collect();
        self.contain(&fold(&body).encode_utf16().collect::<Vec<u16>>())
    }

    fn contain(&self, folded: &[u16]) -> bool {
        let hash = hash(folded.iter().copied());
        self.slots[self.slot_of(hash)] == hash || self.is_code(folded)
    }

    /// The slot of a hash, or the free one where it would be put.
    fn slot_of(&self, hash: u64) -> usize {
        let last = self.slots.len() - 1;
        let mut slot = (hash >> 32) as usize & last;
        while self.slots[slot] != hash && self.slots[slot] != 0 {
            slot = (slot + 1) & last;
        }
        slot
    }

    fn is_code(&self, folded: &[u16]) -> bool {
        let Some(code) = folded.strip_prefix(self.prefix.as_slice()) else { return false };
        let is_digit = |unit: &u16| matches!(unit, 0x30..=0x39);
        let is_letter =
            |unit: &u16| u8::try_from(*unit).is_ok_and(|c| b"abcdefghjkmnpqrstvwxyz".contains(&c));
        code.len() == CODE_LENGTH
            && code.iter().all(|unit| is_digit(unit) || is_letter(unit))
            && code.iter().filter(|unit| is_digit(unit)).count() >= CODE_DIGITS
    }
}

/// A hash of folded UTF-16 units, never 0. Quick and not keyed: who makes two tags collide gains
/// a record that is parsed.
fn hash(folded: impl Iterator<Item = u16>) -> u64 {
    const ODD: u64 = 0x9E37_79B9_7F4A_7C15;
    let mix = |hash: u64, unit: u16| (hash.rotate_left(23) ^ u64::from(unit)).wrapping_mul(ODD);
    folded.fold(ODD, mix).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table against the rules, for every character alone and between others.
    #[test]
    fn the_table_folds_as_the_rules_do() {
        let mut alone = 0;
        for c in (0..0x1_0000).filter_map(char::from_u32) {
            let unit = FOLDED[c as usize];
            assert_eq!(unit != ENDS_TAG, is_tag_char(c), "{c:?}");
            if unit != ENDS_TAG && unit != NEEDS_EXACT {
                let between: Vec<u16> = fold(&format!("e{c}e")).encode_utf16().collect();
                assert_eq!(between, [0x65, unit, 0x65], "{c:?}");
                alone += 1;
            }
        }
        assert!(alone > 49_000, "{alone}");
        for exact in ['ß', 'ﬁ', 'İ', '\u{301}', '\u{1161}', '\u{212B}', '\u{1F0}'] {
            assert_eq!(FOLDED[exact as usize], NEEDS_EXACT, "{exact:?}");
        }
    }

    #[test]
    fn long_tags_too() {
        let long = "a".repeat(SHORT + 1);
        let tags = Tags::new([long.as_str(), &long[2..]], "confirm");
        assert!(tags.matter(long.to_uppercase().as_bytes(), 0));
        assert!(tags.matter(long.as_bytes(), 2));
        assert!(!tags.matter(long.as_bytes(), 1));
        assert!(!tags.matter((long + "a").as_bytes(), 0));
    }

    #[test]
    fn a_hundred_thousand_tags() {
        let names: Vec<String> = (0..100_000).map(|n| format!("buything{n}")).collect();
        let tags = Tags::new(names.iter().map(String::as_str), "confirm");
        assert!(tags.slots.len() * size_of::<u64>() <= 5_000_000);
        assert!(names.iter().all(|name| tags.matter(name.as_bytes(), 0)));
        assert!((100_000..200_000).all(|n| !tags.matter(format!("buything{n}").as_bytes(), 0)));
    }
}
