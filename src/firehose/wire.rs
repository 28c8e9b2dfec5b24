//! The spelling of the wire: JSON as the streams write it, pure ASCII.
//!
//! What is not ASCII is `\uXXXX`, with surrogate pairs beyond the first plane; `/` is `\/`; `<` and
//! `>` are `\u003c` and `\u003e`. Other JSON writers do none of this, so it is done here.

use std::fmt;
use std::io::Write as _;

/// The end of each record in a stream of records.
pub const LINE_END: &[u8] = b"\r\n";

/// Appends formatted text: numbers and fixed parts, which need no escapes.
pub(super) fn put(out: &mut Vec<u8>, text: fmt::Arguments<'_>) {
    // Writing to a vector cannot fail.
    let _ = out.write_fmt(text);
}

/// Appends a JSON string, quotes included.
pub(super) fn put_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    for character in text.chars() {
        match character {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            '/' => out.extend_from_slice(b"\\/"),
            '\n' => out.extend_from_slice(b"\\n"),
            ' '..='~' if !matches!(character, '<' | '>') => out.push(character as u8),
            _ => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    put(out, format_args!("\\u{unit:04x}"));
                }
            }
        }
    }
    out.push(b'"');
}

/// A JSON string, quotes included.
pub(super) fn string(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 2);
    put_string(&mut out, text);
    out
}

/// The JSON string for a text of a tweet: `&`, `<` and `>` are HTML entities in it.
pub(super) fn tweet_text(text: &str) -> Vec<u8> {
    if !text.contains(['&', '<', '>']) {
        return string(text);
    }
    string(&text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_ascii_and_read_back() {
        let text = "tea/чай \"茶\" \\ <b> \u{7f}\t🍵\n";
        let json = string(text);
        let expected = r#""tea\/\u0447\u0430\u0439 \"\u8336\" \\ \u003cb\u003e \u007f\u0009\ud83c\udf75\n""#;
        assert_eq!(String::from_utf8(json.clone()).unwrap(), expected);
        assert_eq!(serde_json::from_slice::<String>(&json).unwrap(), text);
    }

    #[test]
    fn texts_of_tweets_hold_html_entities() {
        assert_eq!(tweet_text("a & b <3"), br#""a &amp; b &lt;3""#);
    }
}
