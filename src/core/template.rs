//! The texts of replies, with places that are filled in: `{to}Tweet {code} by {until} UTC`.
//!
//! A place is a lower-case name in braces; there are the six of [`Place`]. Text of its own may not
//! hold a brace. A template is checked where it is read, so filling it in cannot fail.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// What can be filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// `{to}`: `@anna ` with the space behind it, or nothing.
    To,
    /// `{code}`: the code with its sign.
    Code,
    /// `{until}`: the deadline, `16:45`; of a coupon its last moment, `2013-03-03 23:59`.
    Until,
    /// `{product}`: what the offer calls it.
    Product,
    /// `{price}`: `$149.99`; of a coupon its credit.
    Price,
    /// `{offer_tag}`: the offer's tag with its sign.
    OfferTag,
}

const PLACES: [(&str, Place); 6] = [
    ("to", Place::To),
    ("code", Place::Code),
    ("until", Place::Until),
    ("product", Place::Product),
    ("price", Place::Price),
    ("offer_tag", Place::OfferTag),
];

/// A part of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Text as it is.
    Text(&'a str),
    /// A place to fill in.
    Place(Place),
}

/// Why a text is no template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// A name that is none of the six.
    #[error(
        "{{{0}}} is no place to fill in; there are {{to}} {{code}} {{until}} {{product}} {{price}} {{offer_tag}}"
    )]
    UnknownPlace(String),
    /// An opening brace without a closing one, or the other way round.
    #[error("a brace without its partner")]
    LoneBrace,
}

/// A checked template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(String);

impl Template {
    /// Checks a text.
    ///
    /// # Errors
    /// An unknown place, or a brace without its partner.
    pub fn new(text: impl Into<String>) -> Result<Template, TemplateError> {
        let text = text.into();
        Parts(&text).find_map(Result::err).map_or(Ok(()), Err)?;
        Ok(Template(text))
    }

    /// The parts in their order.
    pub fn pieces(&self) -> impl Iterator<Item = Piece<'_>> {
        Parts(&self.0).filter_map(Result::ok)
    }

    /// The text as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// For our own defaults, which a test checks.
    pub(crate) fn known(text: &str) -> Template {
        Template(text.to_owned())
    }
}

/// What is left of a template's text.
struct Parts<'a>(&'a str);

impl<'a> Iterator for Parts<'a> {
    type Item = Result<Piece<'a>, TemplateError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.0;
        if rest.is_empty() {
            return None;
        }
        let text_end = memchr::memchr2(b'{', b'}', rest.as_bytes()).unwrap_or(rest.len());
        if text_end > 0 {
            self.0 = &rest[text_end..];
            return Some(Ok(Piece::Text(&rest[..text_end])));
        }
        let place = rest.strip_prefix('{').and_then(|inner| inner.split_once('}'));
        let Some((name, behind)) = place else {
            self.0 = "";
            return Some(Err(TemplateError::LoneBrace));
        };
        self.0 = behind;
        let known = PLACES.iter().find(|(known, _)| *known == name);
        Some(known.map_or_else(
            || Err(TemplateError::UnknownPlace(name.to_owned())),
            |(_, place)| Ok(Piece::Place(*place)),
        ))
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Template {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Template, D::Error> {
        Template::new(String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_text_and_places() {
        let template = Template::new("{to}Tweet {code}!").unwrap();
        let pieces: Vec<Piece<'_>> = template.pieces().collect();
        assert_eq!(
            pieces,
            [Piece::Place(Place::To), Piece::Text("Tweet "), Piece::Place(Place::Code), Piece::Text("!")]
        );
    }

    #[test]
    fn what_is_no_template() {
        let unknown = Template::new("Dear {name}").unwrap_err().to_string();
        assert!(unknown.starts_with("{name} is no place to fill in; there are {to} {code}"), "{unknown}");
        for lone in ["a { b", "a } b", "{to", "to}"] {
            assert_eq!(Template::new(lone), Err(TemplateError::LoneBrace), "{lone}");
        }
    }
}
