//! The slow way: the rules, on the strings of a record as they were before they were spelled.

use std::collections::HashSet;

use hashbuy::core::hashtag::{fold, hashtags};

use crate::spell::{Json, Text};

/// The prefix of codes.
pub const PREFIX: &str = "confirm";
/// What a code is made of behind its prefix: Crockford's base32.
pub const CODE_CHARS: &str = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Whether a record matters, by its strings as they were before they were spelled.
pub fn matters(json: &Json, offers: &HashSet<String>) -> bool {
    match json {
        Json::Number(_) => false,
        Json::Text(text) => hashtags(&lossy(text)).any(|tag| {
            let folded = fold(tag.body);
            offers.contains(&*folded) || is_code(&folded)
        }),
        Json::Object(fields) => fields.iter().any(|(key, value)| {
            let is_deleting_verb =
                || *key == "verb" && matches!(value, Json::Text(verb) if lossy(verb) == "delete");
            matches!(*key, "delete" | "tweet_delete") || is_deleting_verb() || matters(value, offers)
        }),
    }
}

fn is_code(folded: &str) -> bool {
    let Some(code) = folded.strip_prefix(PREFIX) else { return false };
    code.chars().count() == 8
        && code.chars().all(|c| CODE_CHARS.to_lowercase().contains(c))
        && code.chars().filter(char::is_ascii_digit).count() >= 2
}

fn lossy(text: &Text) -> String {
    text.iter().map(|&point| char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// All strings of a record; nothing if one of them has a surrogate that stands alone.
pub fn strings(json: &Json) -> Option<Vec<String>> {
    match json {
        Json::Number(_) => Some(vec![]),
        Json::Text(text) => {
            Some(vec![text.iter().map(|&point| char::from_u32(point)).collect::<Option<String>>()?])
        }
        Json::Object(fields) => {
            let mut all: Vec<String> = fields.iter().map(|(key, _)| key.to_string()).collect();
            for (_, value) in fields {
                all.extend(strings(value)?);
            }
            Some(all)
        }
    }
}

/// The same of what `serde_json` read.
pub fn parsed_strings(value: &serde_json::Value) -> Vec<String> {
    match value {
        serde_json::Value::String(text) => vec![text.clone()],
        serde_json::Value::Object(fields) => fields
            .iter()
            .flat_map(|(key, value)| [vec![key.clone()], parsed_strings(value)].concat())
            .collect(),
        _ => vec![],
    }
}
