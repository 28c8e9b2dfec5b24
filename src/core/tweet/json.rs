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

/// The members of a document and of one object in it, found in a single walk by [`both`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Both<'t, const N: usize, const M: usize> {
    /// The members of the document.
    pub outer: [Option<&'t str>; N],
    /// Those of the inner object; nothing if it is missing or null.
    pub inner: Option<[Option<&'t str>; M]>,
}

/// What [`members`] of `text` finds, and [`members`] of the one at `place` among `names`, which is left out of the
/// outer ones. Nothing if that takes a second look: if `text` is no object or not JSON, or if that member is neither an
/// object nor null.
pub fn both<'t, const N: usize, const M: usize>(
    text: &'t str,
    names: &[&str; N],
    place: usize,
    inner: &[&str; M],
) -> Option<Both<'t, N, M>> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let found = reader.deserialize_map(Nested { names, place, inner }).ok()?;
    reader.end().ok()?;
    Some(found)
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
    Some(Cow::Owned(match String::from_utf8(bytes) {
        Ok(whole) => whole,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    }))
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
    if opening(text) <= MAX_DEPTH {
        return false; // as most texts
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

/// How many opening brackets there are, those in strings among them.
fn opening(text: &[u8]) -> usize {
    // They differ in one bit, so that a vector of bytes needs one comparison, and a sum in bytes no wider lanes.
    const BOTH: u8 = b'{';
    const { assert!(b'[' | 0x20 == BOTH) };
    let in_chunk = |chunk: &[u8]| chunk.iter().map(|byte| u8::from(byte | 0x20 == BOTH)).sum::<u8>();
    text.chunks(usize::from(u8::MAX)).map(|chunk| usize::from(in_chunk(chunk))).sum()
}

/// Goes through an object: `take` reads the value of each member whose name is wanted, by the name's index.
fn walk<'de, A: MapAccess<'de>>(
    map: &mut A,
    names: &[&str],
    mut take: impl FnMut(usize, &mut A) -> Result<(), A::Error>,
) -> Result<(), A::Error> {
    while let Some(index) = map.next_key_seed(Name { names })? {
        match index {
            Some(index) => take(index, map)?,
            None => drop(map.next_value::<IgnoredAny>()?),
        }
    }
    Ok(())
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
        walk(&mut map, self.names, |index, map| {
            found[index] = Some(map.next_value::<&RawValue>()?.get());
            Ok(())
        })?;
        Ok(found)
    }
}

struct Nested<'n, const N: usize, const M: usize> {
    names: &'n [&'n str; N],
    place: usize,
    inner: &'n [&'n str; M],
}

impl<'de, const N: usize, const M: usize> Visitor<'de> for Nested<'_, N, M> {
    type Value = Both<'de, N, M>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = Both { outer: [None; N], inner: None };
        walk(&mut map, self.names, |index, map| {
            if index == self.place {
                found.inner = map.next_value_seed(Inner { names: self.inner })?;
            } else {
                found.outer[index] = Some(map.next_value::<&RawValue>()?.get());
            }
            Ok(())
        })?;
        Ok(found)
    }
}

/// Reads the members of an object, or null.
struct Inner<'n, const M: usize> {
    names: &'n [&'n str; M],
}

impl<'de, const M: usize> DeserializeSeed<'de> for Inner<'_, M> {
    type Value = Option<[Option<&'de str>; M]>;

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de, const M: usize> Visitor<'de> for Inner<'_, M> {
    type Value = Option<[Option<&'de str>; M]>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or null")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        Members { names: self.names }.visit_map(map).map(Some)
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
        // Nearly all differ in length or in the first byte; only then is it worth a call.
        let first = name.first();
        let is_wanted =
            |wanted: &[u8]| wanted.len() == name.len() && wanted.first() == first && wanted == name;
        Ok(self.names.iter().position(|wanted| is_wanted(wanted.as_bytes())))
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
    use proptest::prelude::*;

    use super::*;

    const OUTER: [&str; 3] = ["a", "user", "b"];
    const INNER: [&str; 2] = ["id", "a"];

    /// An object of some of these members, as it stands in a document.
    fn object(values: BoxedStrategy<String>) -> impl Strategy<Value = String> {
        let names = prop::sample::select(vec!["a", "user", r"us\u0065r", "b", "id", "x", r"\ud800", ""]);
        let member = (names, values).prop_map(|(name, value)| format!("\"{name}\": {value}"));
        prop::collection::vec(member, 0..6).prop_map(|members| format!("{{{} }}", members.join(" ,")))
    }

    fn document() -> impl Strategy<Value = String> {
        let plain = [r#"null"#, r#"5"#, r#"-0.1e7"#, r#""\ud800 \" }""#, r#"[{"id":[]}, null]"#, "true"];
        let plain = prop::sample::select(plain.map(str::to_owned).to_vec()).boxed();
        let inside = object(plain.clone());
        object(prop_oneof![plain, inside].boxed())
    }

    proptest! {
        #[test]
        fn one_walk_finds_what_two_walks_find(
            whole in document(),
            // One of its bytes is taken out or replaced, or none.
            (place, what) in (any::<prop::sample::Index>(), prop::option::of(prop::option::of(b' '..b'~'))),
        ) {
            let mut bytes = whole.clone().into_bytes();
            match what {
                None => {}
                Some(None) => drop(bytes.remove(place.index(whole.len()))),
                Some(Some(byte)) => bytes[place.index(whole.len())] = byte,
            }
            let text = String::from_utf8(bytes).unwrap();
            let two = members(&text, &OUTER).ok().flatten().map(|mut outer| {
                let user = outer[1].take().filter(|user| is_present(user));
                (outer, user.map(|user| members(user, &INNER).unwrap()))
            });
            match (two, both(&text, &OUTER, 1, &INNER)) {
                (None, one) => prop_assert_eq!(one, None, "{}", text),
                // It may be neither an object nor null, here or before it stands there again.
                (Some((_, Some(None))), one) => prop_assert_eq!(one, None, "{}", text),
                (Some((outer, inner)), Some(one)) => {
                    prop_assert_eq!(one, Both { outer, inner: inner.flatten() }, "{}", text);
                }
                (Some(_), None) => prop_assert!(text.matches("r\":").count() > 1, "{}", text),
            }
        }
    }

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
        assert_eq!(opening("[{(}]".repeat(500).as_bytes()), 1_000);
    }
}
