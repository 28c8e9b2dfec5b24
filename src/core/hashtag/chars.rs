//! The two classes of characters that hashtags are made of, by table.
//!
//! Each character of each tag that comes in is looked up here, so the Basic Multilingual Plane is
//! a table of 64 KB, built at first use; the few characters beyond it are asked for one by one.
//! twitter-text's own list of letters stands at about Unicode 7; ours is as new as the
//! `unicode-properties` crate, which lets in a few more.

use std::sync::LazyLock;

use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

/// What may stand in a hashtag besides letters, marks and digits.
const SPECIAL: [char; 17] = [
    '_', '\u{00B7}', // middle dot
    '\u{200C}', // zero-width non-joiner
    '\u{200D}', // zero-width joiner
    '\u{A67E}', // Cyrillic kavyka
    '\u{05BE}', // Hebrew maqaf
    '\u{05F3}', // Hebrew geresh
    '\u{05F4}', // Hebrew gershayim
    '\u{FF5E}', // full-width tilde
    '\u{301C}', // wave dash
    '\u{309B}', // voiced sound mark
    '\u{309C}', // semi-voiced sound mark
    '\u{30A0}', // Katakana-Hiragana double hyphen
    '\u{30FB}', // Katakana middle dot
    '\u{3003}', // ditto mark
    '\u{0F0B}', // Tibetan tsheg
    '\u{0F0C}', // Tibetan tsheg bstar
];

#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Class {
    /// Ends a hashtag.
    Other,
    /// In C, but not in L: digits and special characters.
    Filler,
    /// In L, and so in C.
    Letter,
}

static BASIC_PLANE: LazyLock<Vec<Class>> = LazyLock::new(|| {
    let class = |unit| char::from_u32(unit).map_or(Class::Other, look_up);
    (0..0x1_0000).map(class).collect()
});

/// Whether `c` may stand in the body of a hashtag (the class C of the rules).
pub fn is_tag_char(c: char) -> bool {
    class(c) != Class::Other
}

/// Whether `c` is a letter or a mark (the class L): each hashtag needs one.
pub(super) fn is_letter(c: char) -> bool {
    class(c) == Class::Letter
}

fn class(c: char) -> Class {
    BASIC_PLANE.get(c as usize).copied().unwrap_or_else(|| look_up(c))
}

fn look_up(c: char) -> Class {
    match c.general_category_group() {
        GeneralCategoryGroup::Letter | GeneralCategoryGroup::Mark => Class::Letter,
        _ if c.general_category() == GeneralCategory::DecimalNumber => Class::Filler,
        _ if SPECIAL.contains(&c) => Class::Filler,
        _ => Class::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes() {
        for c in ['a', 'Z', 'é', 'ß', '漢', '한', 'ー', '\u{0301}', '\u{FE0F}', '\u{20E3}', '𐐀', '𠀡']
        {
            assert!(is_letter(c) && is_tag_char(c), "{c:?}");
        }
        for c in ['0', '٣', '１', '\u{104A0}'].into_iter().chain(SPECIAL) {
            assert!(!is_letter(c) && is_tag_char(c), "{c:?}");
        }
        for c in ['²', 'Ⅷ', '½', '#', '&', '-', ' ', '…', '\u{200B}', '\u{00AD}', '\u{FFFD}', '😀', 'ⓐ']
        {
            assert!(!is_letter(c) && !is_tag_char(c), "{c:?}");
        }
    }
}
