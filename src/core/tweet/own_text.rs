//! The author's own words, and the hashtags in them.

use std::borrow::Cow;

use crate::core::hashtag::{Hashtag, hashtags};

/// The own text of a tweet: entities unescaped, and cut before an old-style `RT @`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnText {
    text: String,
    /// The stream cut the text off, so that a tag at its very end may be a part of a longer one.
    cut_off: bool,
}

impl OwnText {
    /// Makes it of a text field as it stands in the record. `cut_off`: the record says that it
    /// holds a truncated text and has no full one.
    pub fn new(field: &str, cut_off: bool) -> OwnText {
        let mut text = unescape(field).into_owned();
        let mut cut_off = cut_off;
        if let Some(end) = old_style_retweet(&text) {
            text.truncate(end);
            cut_off = false;
        }
        OwnText { text, cut_off }
    }

    /// The words.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The hashtags, in the order of the text. In a text that was cut off, a tag directly before
    /// the `…` at its end is none: nobody knows how it goes on.
    pub fn hashtags(&self) -> impl Iterator<Item = Hashtag<'_>> {
        hashtags(&self.text).filter(|tag| !(self.cut_off && ends_in_ellipsis(&self.text[tag.end..])))
    }
}

/// The three entities in which the microblog escapes texts, undone once.
fn unescape(field: &str) -> Cow<'_, str> {
    if memchr::memchr(b'&', field.as_bytes()).is_none() {
        return Cow::Borrowed(field);
    }
    // `&amp;` comes last, or `&amp;lt;` would be unescaped twice.
    Cow::Owned(field.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
}

/// Where the first `RT @` begins that stands at the start or after white space.
fn old_style_retweet(text: &str) -> Option<usize> {
    memchr::memmem::find_iter(text.as_bytes(), "RT @")
        .find(|&at| text[..at].chars().next_back().is_none_or(char::is_whitespace))
}

/// Whether the rest of a text is `…` and then nothing but white space and at most one link.
fn ends_in_ellipsis(rest: &str) -> bool {
    let Some(behind) = rest.strip_prefix('…') else { return false };
    let mut words = behind.split_whitespace();
    match words.next() {
        None => true,
        Some(word) => {
            let scheme = word.split("://").next().unwrap_or_default();
            let is_link = word.contains("://")
                && (scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https"));
            is_link && words.next().is_none()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(field: &str, cut_off: bool) -> Vec<String> {
        OwnText::new(field, cut_off).hashtags().map(|tag| tag.body.to_owned()).collect()
    }

    #[test]
    fn entities_are_unescaped_once() {
        assert_eq!(OwnText::new("&amp;lt; &lt;b&gt; &quot; &amp;", false).as_str(), "&lt; <b> &quot; &");
    }

    #[test]
    fn words_before_an_old_style_retweet_are_own() {
        assert_eq!(OwnText::new("RT @anna #a", false).as_str(), "");
        assert_eq!(OwnText::new("so true\u{3000}RT @anna #a", false).as_str(), "so true\u{3000}");
        for own in ["rt @anna", "MT @anna", ".RT @anna", "RT@anna", "ART @anna", "RT  @anna"] {
            assert_eq!(OwnText::new(own, false).as_str(), own);
        }
        assert_eq!(OwnText::new("xRT @a RT @b", false).as_str(), "xRT @a ");
    }

    #[test]
    fn a_tag_at_the_end_of_a_cut_off_text_is_none() {
        for cut in ["go #Tea…", "go #Tea… https://t.co/x", "go #Tea…  \n", "go #Tea…HTTP://t.co/x "] {
            assert!(tags(cut, true).is_empty(), "{cut}");
            assert_eq!(tags(cut, false), ["Tea"], "{cut}");
        }
        for whole in ["#Tea …", "#Tea… more", "#Tea… https://t.co/x https://t.co/y", "#Tea… #Cup"] {
            assert!(tags(whole, true).contains(&"Tea".to_owned()), "{whole}");
        }
        assert_eq!(tags("#Tea… RT @anna", true), ["Tea"]);
    }
}
