//! The places in raw JSON at which a hashtag or a deletion can be found.
//!
//! One search finds the plain `#`, and the *middles* of everything else. A middle is what little can be
//! varied:
//!
//! | what | spelled | middle |
//! | --- | --- | --- |
//! | number sign | `\u0023` | `023` |
//! | full-width sign | `\uff03`, hex digits in either case | `f03`, `F03` |
//! | full-width sign | raw UTF-8 | its three bytes |
//! | the end of `"delete"` or `"..._delete"` | `te"`, where a letter may be an escape | `te"`, `4e"`, `65"` |
//!
//! An escape begins with `\u00` in every other word of a feed that escapes, so a search that
//! stops there is slow; these middles are rare. That the rest is there too is looked up behind
//! the hit ([`read`]).
//!
//! The search is `vector`, where the processor has what that needs. Elsewhere two searches run side by
//! side: `memchr` for the sign, and a packed one for the middles.

use aho_corasick::packed;
use memchr::memchr_iter;

use super::spelling::ends_with_delete;
use super::vector::Vector;

/// The middles. No end of one is the beginning of another, so no hit hides the one behind it, and each has
/// three bytes, which a packed search needs to be quick.
const MIDDLES: [[u8; 3]; 7] = [*b"023", *b"f03", *b"F03", FULL_WIDTH_SIGN, *b"te\"", *b"4e\"", *b"65\""];

/// `＃` in UTF-8.
const FULL_WIDTH_SIGN: [u8; 3] = [0xEF, 0xBC, 0x83];

/// All that is looked for: the sign, behind which anything may stand, and the middles.
pub(super) const PATTERNS: [[Option<u8>; 3]; 8] = {
    let mut patterns = [[Some(b'#'), None, None]; 8];
    let mut number = 0;
    while number < MIDDLES.len() {
        let [a, b, c] = MIDDLES[number];
        patterns[number + 1] = [Some(a), Some(b), Some(c)];
        number += 1;
    }
    patterns
};

/// What stands at an anchor.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    /// A sign; the spelled body of its hashtag begins at `body`.
    Sign {
        /// An offset in bytes.
        body: usize,
    },
    /// The word `delete` at the end of a string.
    Deletion,
}

/// The searches for the places where anchors may be.
pub(super) struct Anchors {
    vector: Option<Vector>,
    /// Nothing on a machine without vector instructions of any kind.
    packed: Option<packed::Searcher>,
}

impl Anchors {
    pub(super) fn new() -> Anchors {
        Anchors { vector: Vector::all().first().copied(), packed: packed::Searcher::new(MIDDLES) }
    }

    /// How wide the vectors are, in bits; 0 without any.
    pub(super) fn vector_bits(&self) -> u32 {
        self.vector.map_or(0, Vector::bits)
    }

    /// Where anchors may be, ascending: at least at all places for which [`read`] has one.
    #[inline]
    pub(super) fn find<'b>(&'b self, buffer: &'b [u8]) -> impl Iterator<Item = usize> + 'b {
        let elsewhere = if self.vector.is_some() { &[] } else { buffer };
        self.vector.into_iter().flat_map(|vector| vector.find(buffer)).chain(self.find_in_two(elsewhere))
    }

    fn find_in_two<'b>(&'b self, buffer: &'b [u8]) -> impl Iterator<Item = usize> + 'b {
        let mut signs = memchr_iter(b'#', buffer).peekable();
        let mut middles = self.middles(buffer).peekable();
        std::iter::from_fn(move || match (signs.peek(), middles.peek()) {
            (Some(sign), Some(middle)) if sign < middle => signs.next(),
            (_, Some(_)) => middles.next(),
            (_, None) => signs.next(),
        })
    }

    fn middles<'b>(&'b self, buffer: &'b [u8]) -> impl Iterator<Item = usize> + 'b {
        let packed = self.packed.iter().flat_map(|packed| packed.find_iter(buffer)).map(|hit| hit.start());
        let plain = if self.packed.is_some() { 0..0 } else { 0..buffer.len() };
        let is_middle = |&at: &usize| MIDDLES.iter().any(|middle| buffer[at..].starts_with(middle));
        packed.chain(plain.filter(is_middle))
    }
}

/// What stands at a place that [`Anchors::find`] gave, if anything does.
pub(super) fn read(buffer: &[u8], at: usize) -> Option<Anchor> {
    let (before, hit) = buffer.split_at(at);
    let sign = |length| Some(Anchor::Sign { body: at + length });
    match hit {
        [b'#', ..] => sign(1),
        [0xEF, 0xBC, 0x83, ..] => sign(3),
        [b'0', b'2', b'3', ..] if before.ends_with(br"\u0") => sign(3),
        [b'f' | b'F', b'0', b'3', ..] if before.ends_with(br"\uf") || before.ends_with(br"\uF") => sign(3),
        [b't' | b'4', b'e', b'"', ..] | [b'6', b'5', b'"', ..] => {
            ends_with_delete(&buffer[..at + 2]).then_some(Anchor::Deletion)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_middle_hides_another() {
        for (a, b) in MIDDLES.iter().flat_map(|a| MIDDLES.iter().map(move |b| (a, b))) {
            assert!((1..a.len()).all(|from| !b.starts_with(&a[from..])), "{a:?} {b:?}");
        }
    }

    /// All searches that this machine can do, and the one that any can.
    fn searches() -> Vec<Anchors> {
        let packed = Anchors { vector: None, ..Anchors::new() };
        let vectors =
            Vector::all().into_iter().map(|vector| Anchors { vector: Some(vector), ..Anchors::new() });
        vectors.chain([packed, Anchors { vector: None, packed: None }]).collect()
    }

    /// The anchors that a search leads to.
    fn anchors(search: &Anchors, text: &[u8]) -> Vec<(usize, Anchor)> {
        let places: Vec<usize> = search.find(text).collect();
        assert!(places.is_sorted_by(|a, b| a < b), "{places:?}");
        places.into_iter().filter_map(|at| Some((at, read(text, at)?))).collect()
    }

    struct Random(u64);

    impl Random {
        fn below(&mut self, end: usize) -> usize {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) as usize % end
        }
    }

    #[test]
    fn all_searches_find_the_same_anchors() {
        let pieces: &[&[u8]] = &[
            b"#",
            br"\u0023",
            br"\uFF03",
            br"\ufF03",
            "＃".as_bytes(),
            b"\"delete\"",
            br#""dele\u0074e""#,
            br#"_delet\u0065""#,
            b"te\"",
            b"023",
            b"F0",
            b"3",
            b"\xEF\xBC",
            b"a",
            b"          ",
            &[b'x'; 61],
        ];
        let (searches, mut random, mut found) = (searches(), Random(1), 0);
        for _ in 0..2_000 {
            let mut text = Vec::new();
            for _ in 0..random.below(60) {
                text.extend_from_slice(pieces[random.below(pieces.len())]);
            }
            let expected = anchors(&searches[searches.len() - 1], &text);
            found += expected.len();
            for search in &searches {
                assert_eq!(anchors(search, &text), expected, "{:?} {}", search.vector, text.escape_ascii());
            }
        }
        assert!(found > 20_000, "{found}");
    }

    #[test]
    fn at_every_place_of_every_length() {
        let searches = searches();
        for pattern in
            [&b"#"[..], br"\u0023", br"\uff03", "＃".as_bytes(), br#""delete""#, br#""delet\u0065""#]
        {
            for length in pattern.len()..200 {
                for at in 0..=length - pattern.len() {
                    let mut text = vec![b'.'; length];
                    text[at..at + pattern.len()].copy_from_slice(pattern);
                    for search in &searches {
                        assert_eq!(
                            anchors(search, &text).len(),
                            1,
                            "{:?} {}",
                            search.vector,
                            text.escape_ascii()
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn random_bytes() {
        let (searches, mut random) = (searches(), Random(2));
        for _ in 0..500 {
            let text: Vec<u8> = (0..random.below(400)).map(|_| random.below(256) as u8).collect();
            let expected = anchors(&searches[searches.len() - 1], &text);
            for search in &searches {
                assert_eq!(anchors(search, &text), expected, "{:?} {}", search.vector, text.escape_ascii());
            }
        }
    }
}
