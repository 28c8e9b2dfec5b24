//! The form in which hashtags are compared.

use std::borrow::Cow;

use unicase::UniCase;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// The form of a hashtag's body in which it is compared: NFC, then full Unicode case folding
/// (the statuses C and F of `CaseFolding.txt`, not the Turkic T), and nothing after.
///
/// Hence `ß` = `ss`, `ﬁ` = `fi`, final sigma = sigma, `ſ` = `s` and the Kelvin sign = `k`, while
/// accents count and full-width letters are other letters. What comes out need not be NFC, nor
/// have the length of what went in. A body of small ASCII letters is handed back as it is.
///
/// ```
/// use hashbuy::core::hashtag::fold;
///
/// assert_eq!(fold("Stra\u{DF}e"), fold("STRASSE"));
/// assert_eq!(fold("Cafe\u{301}"), fold("caf\u{E9}"));
/// assert_ne!(fold("cafe"), fold("caf\u{E9}"));
/// ```
pub fn fold(body: &str) -> Cow<'_, str> {
    if body.is_ascii() {
        return match body.bytes().any(|byte| byte.is_ascii_uppercase()) {
            true => Cow::Owned(body.to_ascii_lowercase()),
            false => Cow::Borrowed(body),
        };
    }
    let composed: Cow<'_, str> = match is_nfc_quick(body.chars()) {
        IsNormalized::Yes => Cow::Borrowed(body),
        IsNormalized::No | IsNormalized::Maybe => Cow::Owned(body.nfc().collect()),
    };
    Cow::Owned(UniCase::unicode(composed).to_folded_case())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_folding_after_composition() {
        for (typed, folded) in [
            ("buy_tea1", "buy_tea1"),
            ("BuyTea", "buytea"),
            ("STRA\u{1E9E}E", "strasse"),
            ("Stra\u{DF}e", "strasse"),
            ("\u{FB01}ne\u{FB00}\u{FB03}", "fineffffi"),
            ("\u{130}N", "i\u{307}n"),
            ("I\u{131}", "i\u{131}"),
            ("ΣΑΣ", "σασ"),
            ("σας", "σασ"),
            ("\u{17F}ale", "sale"),
            ("\u{212A}elvin", "kelvin"),
            ("A\u{30A}ngstro\u{308}m", "\u{E5}ngstr\u{F6}m"),
            ("\u{212B}", "\u{E5}"),
            ("\u{1112}\u{1161}\u{11AB}", "\u{D55C}"),
            ("\u{1F0}", "j\u{30C}"),
            ("j\u{30C}", "j\u{30C}"),
            ("\u{10400}", "\u{10428}"),
            ("\u{AB70}", "\u{13A0}"),
            ("\u{13A0}", "\u{13A0}"),
            ("ＡＢ", "ａｂ"),
        ] {
            assert_eq!(fold(typed), folded, "{typed}");
        }
    }

    #[test]
    fn small_ascii_is_not_copied() {
        assert!(matches!(fold("buy_tea1"), Cow::Borrowed("buy_tea1")));
    }
}
