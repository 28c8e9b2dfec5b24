//! Reading a table record field by field, and the words with which a bad one is rejected.
//!
//! The tables are filled by people and by other companies' programs, so a record is checked
//! strictly (a number in quotes is no number) and a rejection says what stands there and what
//! should. What it must never say is a card token, or anything that looks like a card number:
//! every value passes through [`shown`] on its way into a message.
//!
//! Unknown fields are ignored, whatever is in them; `null` is the same as no field; of a field
//! given twice the last one counts.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::core::card_number::contains_card_number;
use crate::core::ids::AccountId;
use crate::core::money::{Currency, Money};
use crate::core::time::Time;

/// The longest text in a record, in bytes of UTF-8.
pub const MAX_TEXT: usize = 1_024;
/// The longest record of a table, in bytes.
pub const MAX_RECORD: usize = 1 << 20;
/// The most characters of a bad value that a message shows.
const MAX_SHOWN: usize = 60;

/// Why a record of a table is not taken: `offer kindle: window_seconds is 59, must be 60 to 3600`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{record}{}: {field} is {found}, {mend}", ShownId(self))]
pub struct Rejection {
    record: &'static str,
    id: Option<String>,
    field: String,
    found: String,
    mend: String,
}

impl Rejection {
    /// A rejection of the record `id` of the table of `record`s ("offer", "account"). `found`
    /// says what `field` is, `mend` what it has to be; both are printed as they are.
    pub fn new(
        record: &'static str,
        id: Option<&str>,
        field: impl Into<String>,
        found: impl Into<String>,
        mend: impl Into<String>,
    ) -> Rejection {
        let id = id.map(str::to_owned);
        Rejection { record, id, field: field.into(), found: found.into(), mend: mend.into() }
    }

    /// The text of a record as it came, which has to be UTF-8.
    ///
    /// # Errors
    /// A rejection of the record `id`.
    pub fn text<'b>(record: &'static str, id: Option<&str>, bytes: &'b [u8]) -> Result<&'b str, Rejection> {
        std::str::from_utf8(bytes).map_err(|error| {
            let found = format!("not UTF-8 at byte {}", error.valid_up_to());
            Rejection::new(record, id, "the record", found, "must be JSON in UTF-8")
        })
    }

    /// The rejection in words that name nobody, for a log: of a table of people the field alone, of the others
    /// everything.
    pub fn of_nobody(&self) -> String {
        match self.record {
            "offer" => self.to_string(),
            record => format!("{record}: {} is not as it has to be; its dead letter says more", self.field),
        }
    }

    /// The id of the rejected record, where it could be read.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// The field that is to blame, with dots for fields of fields (`price.amount`).
    pub fn field(&self) -> &str {
        &self.field
    }
}

/// The id of a record in front of its rejection, as it may be printed.
struct ShownId<'a>(&'a Rejection);

impl fmt::Display for ShownId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(id) = &self.0.id else { return Ok(()) };
        let is_account = self.0.record == "account" && AccountId::parse(id).is_some();
        if is_account
            || id.bytes().all(|b| b.is_ascii_graphic()) && id.len() <= MAX_SHOWN && !contains_card_number(id)
        {
            write!(f, " {id}")
        } else {
            write!(f, " {}", shown_text(id))
        }
    }
}

/// What a JSON value is, in words fit for a message: bounded, on one line, and without anything
/// that looks like a card number. Of objects and lists only the type is told.
pub fn shown(json: &str) -> String {
    match json.as_bytes().first() {
        Some(b'"') => match serde_json::from_str::<String>(json) {
            Ok(text) => shown_text(&text),
            Err(_) => "a text with a broken escape".to_owned(),
        },
        Some(b'-' | b'0'..=b'9') if contains_card_number(json) => "a number like that of a card".to_owned(),
        Some(b'-' | b'0'..=b'9') => cut(json),
        _ => type_of(json).to_owned(),
    }
}

/// A text in quotes, fit for a message; see [`shown`].
pub fn shown_text(text: &str) -> String {
    let shown = format!("{:?}", cut(text));
    // An escape may end with a digit: what is printed can look like one although the text does not.
    if contains_card_number(text) || contains_card_number(&shown) {
        return "a text with something like a card number".to_owned();
    }
    shown
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn type_of(json: &str) -> &'static str {
    match json.as_bytes().first() {
        Some(b'"') => "a text",
        Some(b'{') => "an object",
        Some(b'[') => "a list",
        Some(b't') => "true",
        Some(b'f') => "false",
        Some(b'n') => "null",
        _ => "a number",
    }
}

/// The fields of one JSON object that is a record, or a part of one.
#[derive(Debug)]
pub struct Fields<'a> {
    record: &'static str,
    id: Option<String>,
    /// `price.` inside of the field `price`, empty at the top.
    path: String,
    /// A text that no message may contain.
    secret: Option<String>,
    values: BTreeMap<String, &'a str>,
}

impl<'a> Fields<'a> {
    /// Splits the JSON text of a record into its fields.
    pub fn read(record: &'static str, json: &'a str) -> Result<Fields<'a>, Rejection> {
        let raw: &RawValue = serde_json::from_str(json).map_err(|error| {
            let found = format!("broken JSON at column {}", error.column());
            Rejection::new(record, None, "the record", found, "must be a JSON object")
        })?;
        match serde_json::from_str(raw.get()) {
            Ok(Members(values)) => Ok(Fields { record, id: None, path: String::new(), secret: None, values }),
            Err(_) => {
                Err(Rejection::new(record, None, "the record", type_of(raw.get()), "must be a JSON object"))
            }
        }
    }

    /// From here on rejections name the record by its id, unless what is hidden stands in it.
    pub fn name(&mut self, id: &str) {
        let is_hidden = self.secret.as_deref().is_some_and(|secret| id.contains(secret));
        self.id = (!is_hidden).then(|| id.to_owned());
    }

    /// From here on no rejection shows what stands in this field, wherever else it may stand too.
    pub fn hide(&mut self, name: &str) {
        let text = self.json(name).and_then(|json| serde_json::from_str::<String>(json).ok());
        self.secret = text.filter(|text| !text.is_empty());
    }

    /// The same for a field of the object that stands in a field.
    pub fn hide_within(&mut self, object: &str, name: &str) {
        let inner = self.json(object).and_then(|json| Fields::read(self.record, json).ok());
        if let Some(mut inner) = inner {
            inner.hide(name);
            self.secret = inner.secret;
        }
    }

    /// True if the field is there, even as `null`.
    pub fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// The JSON text of a field; nothing if it is not there or `null`.
    pub fn json(&self, name: &str) -> Option<&'a str> {
        self.values.get(name).copied().filter(|&json| json != "null")
    }

    /// A rejection for a field's value, which is shown.
    pub fn reject(&self, name: &str, mend: impl Into<String>) -> Rejection {
        let found = self.json(name).map_or_else(|| "missing".to_owned(), |json| self.shown(json));
        self.reject_as(name, found, mend)
    }

    fn shown(&self, json: &str) -> String {
        let text = serde_json::from_str(json).unwrap_or_else(|_| json.to_owned());
        match &self.secret {
            Some(secret) if text.contains(secret.as_str()) => "a value with the card token in it".to_owned(),
            _ => shown(json),
        }
    }

    /// A rejection for a field with words of one's own for what was found.
    pub fn reject_as(&self, name: &str, found: impl Into<String>, mend: impl Into<String>) -> Rejection {
        Rejection::new(self.record, self.id.as_deref(), format!("{}{name}", self.path), found, mend)
    }

    /// A field that has to be there; `what` names it for the rejection ("a text").
    pub fn required<T>(
        &self,
        name: &str,
        what: &str,
        read: fn(&Self, &str) -> Result<Option<T>, Rejection>,
    ) -> Result<T, Rejection> {
        read(self, name)?.ok_or_else(|| self.reject(name, format!("must be {what}")))
    }

    /// A text of at most [`MAX_TEXT`] bytes.
    pub fn text(&self, name: &str) -> Result<Option<String>, Rejection> {
        self.text_or(name, |_| self.reject(name, "must be a text"))
    }

    /// A text that no message shows, whatever it is.
    pub fn secret_text(&self, name: &str) -> Result<Option<String>, Rejection> {
        let unfit = |json: &str| {
            let found = if json.starts_with('"') { "a text with a broken escape" } else { type_of(json) };
            self.reject_as(name, found, "must be a text")
        };
        self.text_or(name, unfit)
    }

    fn text_or(&self, name: &str, unfit: impl Fn(&str) -> Rejection) -> Result<Option<String>, Rejection> {
        let Some(json) = self.json(name) else { return Ok(None) };
        let text: String = serde_json::from_str(json).map_err(|_| unfit(json))?;
        if text.len() > MAX_TEXT {
            let found = format!("{} bytes long", text.len());
            return Err(self.reject_as(name, found, format!("must be at most {MAX_TEXT} bytes of UTF-8")));
        }
        Ok(Some(text))
    }

    /// A whole number in a range; `5.0`, `5e0` and `"5"` are none.
    pub fn integer(&self, name: &str, range: RangeInclusive<u64>) -> Result<Option<u64>, Rejection> {
        let Some(json) = self.json(name) else { return Ok(None) };
        let number = json.parse::<i128>().ok().and_then(|number| u64::try_from(number).ok());
        if let Some(number) = number.filter(|number| range.contains(number)) {
            return Ok(Some(number));
        }
        let digits = json.strip_prefix('-').unwrap_or(json);
        let whole = if digits.bytes().all(|b| b.is_ascii_digit()) { "" } else { "a whole number, " };
        let least = range.start();
        let most = match *range.end() {
            u64::MAX => "2^64 - 1".to_owned(),
            MAX_AMOUNT => "2^63 - 1".to_owned(),
            most => most.to_string(),
        };
        Err(self.reject(name, format!("must be {whole}{least} to {most}")))
    }

    /// `true` or `false`.
    pub fn boolean(&self, name: &str) -> Result<Option<bool>, Rejection> {
        match self.json(name) {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(_) => Err(self.reject(name, "must be true or false")),
        }
    }

    /// An RFC 3339 time.
    pub fn time(&self, name: &str) -> Result<Option<Time>, Rejection> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        text.parse().map(Some).map_err(|_| {
            self.reject(name, "must be an RFC 3339 time of 1970 to 9999 such as 2013-02-13T16:45:00.000Z")
        })
    }

    /// An object with `amount` and `currency`.
    pub fn money(&self, name: &str) -> Result<Option<Money>, Rejection> {
        let Some(fields) =
            self.object(name, r#"must be an object such as {"amount":14999,"currency":"USD"}"#)?
        else {
            return Ok(None);
        };
        let amount = fields.required("amount", "a whole number of minor units (cents)", |fields, name| {
            fields.integer(name, 0..=MAX_AMOUNT)
        })?;
        let code = fields.required("currency", "an ISO 4217 code", Fields::text)?;
        let currency = Currency::parse(&code).ok_or_else(|| {
            fields.reject("currency", "must be an ISO 4217 code of three capitals such as USD")
        })?;
        // In range by the check above.
        Ok(Some(Money::new(i64::try_from(amount).unwrap_or(i64::MAX), currency)))
    }

    /// The fields of an object inside of this one.
    pub fn object(&self, name: &str, mend: &str) -> Result<Option<Fields<'a>>, Rejection> {
        let Some(json) = self.json(name) else { return Ok(None) };
        let Ok(Members(values)) = serde_json::from_str(json) else { return Err(self.reject(name, mend)) };
        let path = format!("{}{name}.", self.path);
        let secret = self.secret.clone();
        Ok(Some(Fields { record: self.record, id: self.id.clone(), path, secret, values }))
    }

    /// Refuses a record that is longer than [`MAX_RECORD`].
    pub fn check_size(&self, json: &str) -> Result<(), Rejection> {
        if json.len() <= MAX_RECORD {
            return Ok(());
        }
        let found = format!("{} bytes long", json.len());
        Err(Rejection::new(
            self.record,
            self.id.as_deref(),
            "the record",
            found,
            format!("must be at most {MAX_RECORD} bytes"),
        ))
    }
}

/// The greatest amount of money, in minor units.
const MAX_AMOUNT: u64 = i64::MAX as u64;

/// Field name -> JSON text of its value. Values are not looked into, so that nothing in a field
/// that is never read (a lone surrogate, a number beyond every range) can spoil a record.
struct Members<'a>(BTreeMap<String, &'a str>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Members<'de>, D::Error> {
        struct ReadMembers;

        impl<'de> Visitor<'de> for ReadMembers {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut values = BTreeMap::new();
                while let Some((name, value)) = map.next_entry::<&'de RawValue, &'de RawValue>()? {
                    // A name with a broken escape is no name of ours.
                    if let Ok(name) = serde_json::from_str::<String>(name.get()) {
                        values.insert(name, value.get());
                    }
                }
                Ok(Members(values))
            }
        }

        deserializer.deserialize_map(ReadMembers)
    }
}
