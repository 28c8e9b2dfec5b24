//! What a hashtag is, and when two of them are the same.
//!
//! The rules are those of the public twitter-text library, so that a buyer's tag counts exactly
//! where the microblog shows it as a link. As one expression:
//!
//! ```text
//! (before)([#＃])(?!U+FE0F|U+20E3)(C* L C*)      and next is none of  #  ＃  ://
//!
//! L       letters and marks
//! C       L, digits, `_` and sixteen special characters        see `chars`
//! before  the start of the text, U+FE0E, U+FE0F, or a character that is neither in C nor `&`
//! ```
//!
//! Four things follow that are easily got wrong:
//!
//! - The body is the *longest* run of C. When what stands behind it forbids the tag (`#a#b`),
//!   there is no shorter tag either.
//! - A match that was forbidden has still used up its characters. Variation selectors are marks,
//!   so they belong to a tag as well as standing before one: `#love\u{FE0F}#b` holds no tag at all,
//!   because the selector in the middle went to the first, forbidden one; in `x\u{FE0F}#b` it is free.
//! - A keycap `#\u{FE0F}\u{20E3}` is a picture, not a sign.
//! - A tag inside a URL is none: see `url`.
//!
//! Two tags are the same when their bodies are equal after [`fold`]; which of the two signs was
//! typed makes no difference.

mod chars;
mod fold;
mod url;

pub use chars::is_tag_char;
pub use fold::fold;

use chars::is_letter;
use url::Urls;

/// The characters that begin a hashtag: number sign and its full-width form.
pub const SIGNS: [char; 2] = ['#', '＃'];

/// Directly behind a sign these make it a keycap, not a hashtag.
const KEYCAP: [char; 2] = ['\u{FE0F}', '\u{20E3}'];
/// Marks that may stand directly before a sign all the same: they end an emoji.
const VARIATION_SELECTORS: [char; 2] = ['\u{FE0E}', '\u{FE0F}'];

/// One hashtag as it stands in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hashtag<'t> {
    /// Where it begins in the text, in bytes: at its sign.
    pub start: usize,
    /// Where it ends in the text, in bytes: directly behind its last character.
    pub end: usize,
    /// As typed, with its sign.
    pub typed: &'t str,
    /// As typed, without its sign.
    pub body: &'t str,
}

/// The hashtags of `text`, in its order. Takes time linear in the length of the text.
///
/// The text is taken as it is: HTML entities, old-style retweets and cut-off texts are the
/// business of whoever knows the tweet.
///
/// ```
/// use hashbuy::core::hashtag::hashtags;
///
/// let bodies = |text| hashtags(text).map(|tag| tag.body).collect::<Vec<_>>();
/// assert_eq!(bodies("(#BuyTea) x#no #16 #café-au-lait"), ["BuyTea", "café"]);
/// assert_eq!(bodies("see example.com/#no, then #yes"), ["yes"]);
/// ```
pub fn hashtags(text: &str) -> impl Iterator<Item = Hashtag<'_>> {
    Hashtags { text, from: 0, used: 0, urls: Urls::new(text) }
}

/// The body of `tag`, if that is exactly one whole hashtag, with its sign and nothing else.
///
/// ```
/// use hashbuy::core::hashtag::whole;
///
/// assert_eq!(whole("＃BuyTea"), Some("BuyTea"));
/// assert_eq!(whole("BuyTea"), None);
/// assert_eq!(whole("#Buy-Tea"), None);
/// ```
pub fn whole(tag: &str) -> Option<&str> {
    hashtags(tag).next().filter(|found| found.typed.len() == tag.len()).map(|found| found.body)
}

struct Hashtags<'t> {
    text: &'t str,
    /// The next sign is looked for from here.
    from: usize,
    /// The end of the last match, forbidden ones too: what is before it is used up.
    used: usize,
    urls: Urls<'t>,
}

impl<'t> Iterator for Hashtags<'t> {
    type Item = Hashtag<'t>;

    fn next(&mut self) -> Option<Hashtag<'t>> {
        loop {
            let start = self.from + self.text[self.from..].find(SIGNS)?;
            let sign = if self.text[start..].starts_with('#') { 1 } else { '＃'.len_utf8() };
            self.from = start + sign;
            let Some(body) = body_of(&self.text[self.from..]) else { continue };
            if !self.may_begin(start) {
                continue;
            }
            let end = self.from + body.len();
            self.from = end;
            self.used = end;
            let next = &self.text[end..];
            if next.starts_with(SIGNS) || next.starts_with("://") || self.urls.cover(start) {
                continue;
            }
            return Some(Hashtag { start, end, typed: &self.text[start..end], body });
        }
    }
}

impl Hashtags<'_> {
    /// Whether what stands before the sign at `start` lets a hashtag begin there.
    fn may_begin(&self, start: usize) -> bool {
        match self.text[..start].chars().next_back() {
            None => true,
            Some(c) if VARIATION_SELECTORS.contains(&c) => start > self.used,
            Some(c) => c != '&' && !is_tag_char(c),
        }
    }
}

/// The body of a hashtag whose sign stands directly before `text`.
fn body_of(text: &str) -> Option<&str> {
    let body = &text[..text.find(|c| !is_tag_char(c)).unwrap_or(text.len())];
    (!body.starts_with(KEYCAP) && body.contains(is_letter)).then_some(body)
}
