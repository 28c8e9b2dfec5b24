//! Drops what cannot matter, before any parsing: a search over the raw bytes of JSON records.
//!
//! About one tweet in 100,000 carries an offer's tag. Parsing the others would be nearly all of
//! the work, so the scan asks the prefilter first and parses what is left. What it drops is never
//! looked at again, hence the one promise that it makes (I6): **it never drops a record whose
//! text holds an offer's tag or a code, nor a deletion, however the JSON spells it.** It may pass
//! others; the exact rules decide about those.
//!
//! # The naive solutions, and why not
//!
//! To search for `#BuyTea` is unsound. JSON lets each character be written as an escape
//! (`\u0023\u0042uyTea`), the sign may be full-width, each letter may be a capital or anything
//! else that folds to it (`ſ`, the Kelvin sign, ligatures), accents may be composed or not.
//! One automaton over all spellings of all tags is sound, but takes 76 MB for 100,000 tags and
//! runs at 0.26 GB/s. To stop at each backslash is slow: feeds escape all that is not ASCII, so
//! there is one every 30 bytes.
//!
//! # How it works
//!
//! 1. **Anchors.** The sign itself has just a few spellings, and so has the end of `"delete"`.
//!    One vectorised search finds them all: `anchors`, `vector`.
//! 2. **The whole tag.** Behind a sign the body is decoded as JSON spells it (`spelling`) and
//!    folded on the way, a UTF-16 unit at a time, by a table. Its hash is looked up among those of
//!    all offers' tags, and its form is compared with that of a code: `tags`. To check whole tags
//!    rather than their beginnings is what makes nearly all that is passed a true candidate.
//! 3. **The exact way** for the few tags in which that could go wrong (characters that compose, or
//!    that fold to several): they are decoded into a string and folded by [`fold`].
//!
//! What stands *around* a tag (before it, behind it, a URL) is left to the exact rules. So is
//! where in the record the string stands: a tag in a bio passes.
//!
//! [`fold`]: crate::core::hashtag::fold

mod anchors;
mod spelling;
mod tags;
mod vector;

use anchors::{Anchor, Anchors};
use tags::Tags;

/// The raw-byte search for one set of offers. It is made anew when the offers change; 100,000
/// tags take 2 MB.
pub struct Prefilter {
    anchors: Anchors,
    tags: Tags,
}

impl Prefilter {
    /// A prefilter for the tags of the offers and for codes with a prefix. All are bodies without
    /// sign, as [`fold`](crate::core::hashtag::fold) gives them.
    pub fn new<'a>(folded_tags: impl IntoIterator<Item = &'a str>, folded_prefix: &str) -> Prefilter {
        Prefilter { anchors: Anchors::new(), tags: Tags::new(folded_tags, folded_prefix) }
    }

    /// How wide the vector instructions are that it searches with, in bits: 512, 256, or 0 where the processor has
    /// none of those.
    pub fn vector_bits(&self) -> u32 {
        self.anchors.vector_bits()
    }

    /// Whether a record may matter: an offer's tag, a hashtag of the form of a code, or a deletion
    /// is in it, in any spelling of valid JSON in UTF-8.
    ///
    /// ```
    /// use hashbuy::core::prefilter::Prefilter;
    ///
    /// let prefilter = Prefilter::new(["buytea"], "confirm");
    /// assert!(prefilter.passes(br#"{"text":"\u0023B\u0055YTEA, please"}"#));
    /// assert!(prefilter.passes(br##"{"text":"#Confirm7K2QM4XA"}"##));
    /// assert!(!prefilter.passes(br##"{"text":"#BuyTeapots #ConfirmHearings"}"##));
    /// ```
    pub fn passes(&self, record: &[u8]) -> bool {
        self.hits(record).next().is_some()
    }

    /// The places in a buffer of records on whose account [`passes`](Prefilter::passes) is true
    /// for the records around them: offsets in bytes, ascending. A record may have several.
    ///
    /// One search over a whole buffer costs less than one for each of its records. Whatever
    /// stands between the records must be no part of a tag: a line end, or nothing.
    pub fn hits<'h>(&'h self, buffer: &'h [u8]) -> impl Iterator<Item = usize> + 'h {
        self.anchors.find(buffer).filter(|&at| match anchors::read(buffer, at) {
            Some(Anchor::Sign { body }) => self.tags.matter(buffer, body),
            Some(Anchor::Deletion) => true,
            None => false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefilter() -> Prefilter {
        Prefilter::new(["buytea", "strasse", "caf\u{e9}", "i\u{307}n", "\u{10428}k", "한글"], "confirm")
    }

    #[test]
    fn every_spelling_of_a_tag() {
        for text in [
            "#BuyTea",
            "x#buytea",
            r"\u0023buytea",
            r"\uFf03bUYTEA.",
            "＃BuyTea",
            r"#\u0042\u0075yTe\u0061\n",
            r"\\#buytea",
            r"\\\u0023buytea",
            "#Stra\u{df}e",
            r"#STRA\u1E9eE",
            "#\u{17f}trasse",
            r"#cafe\u0301",
            "#CAFE\u{301}",
            r"#CAF\u00C9",
            r"#\u0130N",
            "#i\u{307}n",
            r"#\ud801\udc00\u212A",
            "#\u{10428}K",
            "#\u{1112}\u{1161}\u{11ab}\u{1100}\u{1173}\u{11af}",
        ] {
            assert!(prefilter().passes(format!(r#"{{"text":"{text}"}}"#).as_bytes()), "{text}");
        }
    }

    #[test]
    fn near_misses_are_dropped() {
        for text in [
            "#BuyTeas",
            "#BuyTe",
            "BuyTea",
            "# BuyTea",
            "#BuyTea1",
            "#BuyTea_",
            "#Buy",
            "#cafe",
            "#BuyTea\u{301}",
            r"\u0024buytea",
            r"0023buytea",
            r"\ud801#k",
            r"#\ud801k",
            r"#\udc28k",
            r"#\ud801\u0041k",
            r"\u0100f03buytea",
        ] {
            assert!(!prefilter().passes(format!(r#"{{"text":"{text}"}}"#).as_bytes()), "{text}");
        }
    }

    #[test]
    fn codes_by_their_form() {
        for code in ["#Confirm7K2QM4XA", r"#\u0063ONFIRM00000000", "#conf\u{131}rm", "#Con\u{fb01}rmabcdef12"]
        {
            let is_code = !code.contains('\u{131}');
            assert_eq!(prefilter().passes(code.as_bytes()), is_code, "{code}");
        }
        for no_code in [
            "#ConfirmHearings",
            "#ConfirmABCDEFG1",
            "#Confirm7K2QM4X",
            "#Confirm7K2QM4XAB",
            "#Confirm7K2QM4UA",
        ] {
            assert!(!prefilter().passes(no_code.as_bytes()), "{no_code}");
        }
    }

    #[test]
    fn deletions() {
        for record in [
            r#"{"delete":{"status":{}}}"#,
            r#"{"data":{"tweet_delete":{}}}"#,
            r#"{"verb" : "delete"}"#,
            r#"{"\u0064\u0065\u006c\u0065\u0074\u0065":1}"#,
            r#"{"de\u006Cet\u0065":1}"#,
            r#"{"dele\u0074e":1}"#,
            r#"{"del\u0065te":1}"#,
            r#"{"tweet\u005Fdelete":1}"#,
        ] {
            assert!(prefilter().passes(record.as_bytes()), "{record}");
        }
        for other in
            [r#"{"text":"undelete"}"#, r#"{"text":"delete it"}"#, r#"{"deleted":1,"obsolete":2,"n":"1065"}"#]
        {
            assert!(!prefilter().passes(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn hits_stand_in_the_order_of_the_buffer() {
        let buffer = br##"{"text":"\u0023buytea #BuyTea"}{"delete":1}{"text":"#no"}{"text":"#strasse"}"##;
        assert_eq!(prefilter().hits(buffer).collect::<Vec<_>>(), [12, 22, 37, 66]);
    }

    #[test]
    fn without_offers_only_codes_and_deletions() {
        let prefilter = Prefilter::new([], "confirm");
        assert!(prefilter.passes(b"#confirm12345678") && prefilter.passes(b"\"delete\""));
        assert!(!prefilter.passes(b"#buytea") && !prefilter.passes(b"#") && !prefilter.passes(b""));
    }
}
