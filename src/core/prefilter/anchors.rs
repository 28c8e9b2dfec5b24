//! The places in raw JSON at which a hashtag or a deletion can be found.
//!
//! Two searches run side by side: `memchr` for the plain `#`, and a packed one (Teddy) for the
//! *middles* of everything else. A middle is what little can be varied:
//!
//! | what | spelled | middle |
//! | --- | --- | --- |
//! | number sign | `\u0023` | `0023` |
//! | full-width sign | `\uff03`, hex digits in either case | `f03`, `F03` |
//! | full-width sign | raw UTF-8 | its three bytes |
//! | the end of `"delete"` or `"..._delete"` | `te"`, where a letter may be an escape | `te"`, `74e"`, `065"` |
//!
//! An escape begins with `\u00` in every other word of a feed that escapes, so a search that
//! stops there is slow; these middles are rare. That the rest is there too is looked up behind
//! the hit ([`read`]).

use aho_corasick::packed;
use memchr::memchr_iter;

use super::spelling::ends_with_delete;

/// What the packed search looks for. No end of one is the beginning of another, so no hit hides
/// the one behind it, and each has at least three bytes, which Teddy needs to be quick.
const MIDDLES: [&[u8]; 7] = [b"0023", b"f03", b"F03", FULL_WIDTH_SIGN, b"te\"", b"74e\"", b"065\""];

const FULL_WIDTH_SIGN: &[u8] = "＃".as_bytes();

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
    /// Nothing on a machine without vector instructions.
    packed: Option<packed::Searcher>,
}

impl Anchors {
    pub(super) fn new() -> Anchors {
        Anchors { packed: packed::Searcher::new(MIDDLES) }
    }

    /// Where anchors may be, ascending: at least at all places for which [`read`] has one.
    pub(super) fn find<'b>(&'b self, buffer: &'b [u8]) -> impl Iterator<Item = usize> + 'b {
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

/// What stands at a place that [`Anchors::find`] gave.
pub(super) fn read(buffer: &[u8], at: usize) -> Option<Anchor> {
    let (before, hit) = buffer.split_at(at);
    let sign = |length| Some(Anchor::Sign { body: at + length });
    let deletion = |quote| ends_with_delete(&buffer[..at + quote]).then_some(Anchor::Deletion);
    match hit {
        [b'#', ..] => sign(1),
        [0xEF, ..] => sign(FULL_WIDTH_SIGN.len()),
        [b'0', b'0', ..] if before.ends_with(br"\u") => sign(4),
        [b'f' | b'F', ..] if before.ends_with(br"\uf") || before.ends_with(br"\uF") => sign(3),
        [b't', ..] => deletion(2),
        [b'7', ..] | [b'0', b'6', ..] => deletion(3),
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
            assert!(a == b || !a.windows(b.len()).any(|part| part == *b), "{a:?} {b:?}");
        }
    }

    #[test]
    fn with_and_without_vector_instructions() {
        let (packed, plain) = (Anchors::new(), Anchors { packed: None });
        let pieces =
            ["#", r"\u0023", r"\uFF03", r"\ufF03", "＃", "te\"", r"\u0074e", r"\u0065", "\"", "a", "00"];
        let mut state = 1_u32;
        for _ in 0..200 {
            let mut text = String::new();
            for _ in 0..60 {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                text.push_str(pieces[(state >> 16) as usize % pieces.len()]);
            }
            let found: Vec<usize> = packed.find(text.as_bytes()).collect();
            assert!(found.is_sorted() && found.len() > 5);
            assert_eq!(found, plain.find(text.as_bytes()).collect::<Vec<_>>(), "{text}");
        }
    }
}
