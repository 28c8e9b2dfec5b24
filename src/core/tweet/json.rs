//! Reading single members out of a JSON text without building a tree of it.
//!
//! A tweet has some two hundred members, of which ten matter. [`members`] walks over an object once
//! and keeps the wanted ones as slices of the text; what is not wanted is checked for syntax and
//! skipped. Strings are unescaped only where they are read.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize as _;
use serde::de::{DeserializeSeed, Deserializer as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Nesting up to this depth is read; deeper JSON is refused.
pub const MAX_DEPTH: usize = 128;

/// The wanted members of the object that `text` is, in the order of `names`; of a member that
/// stands there several times, the last. Nothing if `text` is JSON, but no object.
///
/// # Errors
/// If `text` is not one JSON document.
pub fn members<'t, const N: usize>(
    text: &'t str,
    names: &[&str; N],
) -> Result<Option<[Option<&'t str>; N]>, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_str(text);
    if !text.trim_ascii_start().starts_with('{') {
        IgnoredAny::deserialize(&mut reader)?;
        reader.end()?;
        return Ok(None);
    }
    let found = reader.deserialize_map(Members { names })?;
    reader.end()?;
    Ok(Some(found))
}

/// The elements of the array that `text` is; none if it is something else.
pub fn elements(text: &str) -> Vec<&str> {
    let raw: Vec<&RawValue> = serde_json::from_str(text).unwrap_or_default();
    raw.into_iter().map(RawValue::get).collect()
}

/// The string that `text` is, unescaped, with U+FFFD for lone surrogates; nothing if it is no string.
pub fn string(text: &str) -> Option<Cow<'_, str>> {
    // Without a backslash there is nothing to unescape.
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
        return Some(Cow::Borrowed(inner));
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    // As bytes: serde_json refuses lone surrogates in a str, but hands them on in bytes.
    let bytes = reader.deserialize_bytes(Bytes).ok()?;
    Some(Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()))
}

/// True for the literal `true`.
pub fn is_true(text: &str) -> bool {
    text == "true"
}

/// True unless the text is the literal `null`.
pub fn is_present(text: &str) -> bool {
    text != "null"
}

/// Whether the JSON text nests arrays and objects deeper than [`MAX_DEPTH`].
pub fn too_deep(text: &[u8]) -> bool {
    // Most texts have fewer opening brackets than that in all.
    if memchr::memchr2_iter(b'{', b'[', text).nth(MAX_DEPTH).is_none() {
        return false;
    }
    let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
    for &byte in text {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return true;
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

struct Members<'n, const N: usize> {
    names: &'n [&'n str; N],
}

impl<'de, const N: usize> Visitor<'de> for Members<'_, N> {
    type Value = [Option<&'de str>; N];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = [None; N];
        while let Some(index) = map.next_key_seed(Name { names: self.names })? {
            match index {
                Some(index) => found[index] = Some(map.next_value::<&RawValue>()?.get()),
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(found)
    }
}

/// Reads a member's name into its index among the wanted ones. As bytes, since a name nobody asks
/// for may hold lone surrogates.
struct Name<'n> {
    names: &'n [&'n str],
}

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = Option<usize>;

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_bytes(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a member")
    }

    fn visit_bytes<E>(self, name: &[u8]) -> Result<Option<usize>, E> {
        Ok(self.names.iter().position(|wanted| wanted.as_bytes() == name))
    }
}

struct Bytes;

impl Visitor<'_> for Bytes {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
        Ok(bytes.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_repeated_members_counts_and_names_may_be_escaped() {
        let text = r#" {"a":1,"b":{"a":2},"\u0061":[3],"\ud800":"\udc00"} "#;
        let [a, b, c] = members(text, &["a", "b", "c"]).unwrap().unwrap();
        assert_eq!((a, b, c), (Some("[3]"), Some(r#"{"a":2}"#), None));
    }

    #[test]
    fn other_documents() {
        assert_eq!(members("[1]", &["a"]).unwrap(), None);
        for broken in ["", "{", r#"{"a":1} x"#, r#"{"a":1}{"#, r#"{"a" 1}"#, r#"{"a":tru}"#, "nul"] {
            assert!(members(broken, &["a"]).is_err(), "{broken}");
        }
    }

    #[test]
    fn strings() {
        assert_eq!(string(r#""plain""#).unwrap(), "plain");
        assert_eq!(string(r#""\ud83c\udf75 \/ \n""#).unwrap(), "🍵 / \n");
        assert!(string(r#""a\ud800b""#).unwrap().contains('\u{fffd}'));
        assert_eq!(string("5"), None);
        assert_eq!(string("null"), None);
    }

    #[test]
    fn depth() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(!too_deep(nested(128).as_bytes()));
        assert!(too_deep(nested(129).as_bytes()));
        assert!(!too_deep(format!(r#"{{"a":"{}"}}"#, r#"[\"["#.repeat(100)).as_bytes()));
        assert!(!too_deep("[],".repeat(500).as_bytes()));
    }
}
