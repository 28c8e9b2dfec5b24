//! Reads a value that is a text in JSON without copying the text first: a restore reads tens of millions.

use std::fmt;

use serde::Deserializer;
use serde::de::{Error, Visitor};

/// What is wrong with a text, in words.
type Why = &'static str;

/// Reads a text, and makes a value of it; the error says why it is none.
pub(super) fn from_text<'de, D, T>(deserializer: D, parse: fn(&str) -> Result<T, Why>) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
{
    deserializer.deserialize_str(Text(parse))
}

struct Text<T>(fn(&str) -> Result<T, Why>);

impl<T> Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        (self.0)(text).map_err(E::custom)
    }
}
