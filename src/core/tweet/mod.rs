//! One record of the firehose: bytes -> [`Record`].
//!
//! The format is found by looking at the record, record by record: the v1.1 stream (`v1`), the
//! v2 stream (`v2`) and Gnip's Activity Streams (`activity`), deletions in each of them, and
//! control messages. What cannot be read is a [`BadRecord`], for the dead letters; what is no
//! tweet is a [`Control`], to be counted.

mod activity;
pub mod json;
mod own_text;
mod v1;
mod v2;
mod wire;

pub use own_text::OwnText;

use crate::core::ids::{AccountId, TweetId, is_handle};
use crate::core::time::Time;

/// What one record of the firehose says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// A post.
    Tweet(Tweet),
    /// The notice that a tweet was deleted.
    Deletion(Deletion),
    /// Something that concerns nobody here.
    Control(Control),
}

/// One post of the firehose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tweet {
    /// The id of this very version.
    pub id: TweetId,
    /// The first id of its edit chain: the tweet's identity. Equal to `id` if it was never edited.
    pub first_id: TweetId,
    /// Tweet time: when this version was posted.
    pub time: Time,
    /// Who wrote it.
    pub author: AccountId,
    /// The author's handle without `@`, if the record has one.
    pub handle: Option<String>,
    /// Whether the author's tweets are protected from the public.
    pub protected: bool,
    /// A retweet repeats somebody else's words; it never buys.
    pub retweet: bool,
    /// The author's own words.
    pub text: OwnText,
}

/// A notice that `author` deleted a tweet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deletion {
    /// The id in the notice: a version of the tweet or the first of its chain.
    pub id: TweetId,
    /// Whose tweet it was.
    pub author: AccountId,
}

/// Messages of a stream that are no tweets, by kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Control {
    /// Undelivered tweets.
    Limit,
    /// The client falls behind.
    Warning,
    /// The stream is about to end.
    Disconnect,
    /// Geographical data is to be removed.
    ScrubGeo,
    /// A tweet is withheld in some countries.
    StatusWithheld,
    /// A user is withheld in some countries.
    UserWithheld,
    /// Any other JSON object.
    Other,
}

/// Why a record cannot be read: a dead letter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRecord {
    /// JSON is UTF-8.
    #[error("not UTF-8: the first bad byte is at offset {0}")]
    NotUtf8(usize),
    /// Not one JSON document.
    #[error("not JSON: {0}")]
    NotJson(String),
    /// JSON, but an array, a number, a string.
    #[error("JSON, but no object")]
    NotAnObject,
    /// More than [`json::MAX_DEPTH`] levels.
    #[error("JSON nested deeper than {} levels", json::MAX_DEPTH)]
    TooDeep,
    /// An id that is missing, or no decimal number from 1 to 2^64 - 1.
    #[error("{field} is no id (decimal digits from 1 to 2^64 - 1): {value}")]
    BadId {
        /// Where it stands.
        field: &'static str,
        /// What stands there, cut to 40 characters.
        value: String,
    },
    /// No author.
    #[error("a tweet without author: {0} is missing")]
    NoAuthor(&'static str),
    /// No text.
    #[error("a tweet without text: {0} is missing or no string")]
    NoText(&'static str),
    /// A tweet time that lies ahead of the clock: it must move nothing.
    #[error("the tweet time {time} is more than 60 s ahead of the clock")]
    TimeAhead {
        /// The time in the record.
        time: Time,
    },
    /// An id of before November 2010 and no readable time beside it.
    #[error("an id without time, and no readable {0} beside it")]
    NoTime(&'static str),
}

impl BadRecord {
    /// All codes of [`BadRecord::reason`].
    pub const REASONS: [&'static str; 9] = [
        "not_utf8",
        "not_json",
        "not_an_object",
        "too_deep",
        "bad_id",
        "no_author",
        "no_text",
        "no_time",
        "time_ahead",
    ];

    /// The reason's code in dead letters and counters.
    pub fn reason(&self) -> &'static str {
        match self {
            BadRecord::NotUtf8(_) => "not_utf8",
            BadRecord::NotJson(_) => "not_json",
            BadRecord::NotAnObject => "not_an_object",
            BadRecord::TooDeep => "too_deep",
            BadRecord::BadId { .. } => "bad_id",
            BadRecord::NoAuthor(_) => "no_author",
            BadRecord::NoText(_) => "no_text",
            BadRecord::NoTime(_) => "no_time",
            BadRecord::TimeAhead { .. } => "time_ahead",
        }
    }
}

impl Control {
    /// The kind's name in counters.
    pub fn as_str(self) -> &'static str {
        match self {
            Control::Limit => "limit",
            Control::Warning => "warning",
            Control::Disconnect => "disconnect",
            Control::ScrubGeo => "scrub_geo",
            Control::StatusWithheld => "status_withheld",
            Control::UserWithheld => "user_withheld",
            Control::Other => "other",
        }
    }

    /// All kinds; the last is what has none of the other names.
    pub const ALL: [Control; 7] = [
        Control::Limit,
        Control::Warning,
        Control::Disconnect,
        Control::ScrubGeo,
        Control::StatusWithheld,
        Control::UserWithheld,
        Control::Other,
    ];
}

/// Reads one record.
///
/// # Errors
/// A [`BadRecord`], if it is not one JSON object, or a tweet or deletion that lacks what every
/// tweet has.
pub fn parse(bytes: &[u8]) -> Result<Record, BadRecord> {
    match wire::deletion(bytes) {
        Some(deletion) => Ok(Record::Deletion(deletion)),
        None => parse_any(bytes),
    }
}

/// The same without a short way for anything.
fn parse_any(bytes: &[u8]) -> Result<Record, BadRecord> {
    let text = std::str::from_utf8(bytes).map_err(|e| BadRecord::NotUtf8(e.valid_up_to()))?;
    if json::too_deep(bytes) {
        return Err(BadRecord::TooDeep);
    }
    let top = match json::both(text, &NAMES, USER, &USER_NAMES) {
        Some(json::Both { outer, inner }) => Top { members: outer, user: inner.map(present) },
        None => Top::in_two_walks(text)?,
    };

    if let Some(deletion) = v1::deletion(&top)? {
        return Ok(Record::Deletion(deletion));
    }
    if let Some(record) = v2::record(&top)? {
        return Ok(record);
    }
    if let Some(record) = activity::record(&top)? {
        return Ok(record);
    }
    if let Some(tweet) = v1::tweet(&top)? {
        return Ok(Record::Tweet(tweet));
    }
    let mut named = Control::ALL.into_iter().filter(|kind| *kind != Control::Other);
    let kind = named.find(|kind| top.get(kind.as_str()).is_some());
    Ok(Record::Control(kind.unwrap_or(Control::Other)))
}

/// The members of a record's top level that any format reads.
const NAMES: [&str; 27] = [
    "user",
    "id",
    "id_str",
    "text",
    "full_text",
    "extended_tweet",
    "truncated",
    "retweeted_status",
    "timestamp_ms",
    "created_at",
    "edit_history",
    "delete",
    "data",
    "includes",
    "objectType",
    "verb",
    "actor",
    "body",
    "long_object",
    "postedTime",
    "object",
    "limit",
    "warning",
    "disconnect",
    "scrub_geo",
    "status_withheld",
    "user_withheld",
];

/// Where `user` stands among [`NAMES`]: it is half of a v1.1 tweet, and read together with the top level.
const USER: usize = 0;

/// What is read of a v1.1 tweet's `user`.
const USER_NAMES: [&str; 4] = ["id_str", "id", "screen_name", "protected"];

/// The top level of a record: raw values by name.
struct Top<'t> {
    members: [Option<&'t str>; NAMES.len()],
    /// What `user` has of [`USER_NAMES`], if it is there and not null.
    user: Option<[Option<&'t str>; USER_NAMES.len()]>,
}

impl<'t> Top<'t> {
    /// Reads any record: the top level, and then `user`.
    fn in_two_walks(text: &'t str) -> Result<Top<'t>, BadRecord> {
        let members = json::members(text, &NAMES).map_err(|e| BadRecord::NotJson(e.to_string()))?;
        let mut members = members.ok_or(BadRecord::NotAnObject)?;
        let user = members[USER].take().filter(|value| json::is_present(value));
        Ok(Top { members, user: user.map(|user| nested(Some(user), &USER_NAMES)) })
    }

    /// The raw value of a member that is there and not null.
    fn get(&self, name: &str) -> Option<&'t str> {
        let index = NAMES.iter().position(|known| *known == name);
        debug_assert!(
            index.is_some_and(|index| index != USER),
            "{name} is not among the members that are read"
        );
        self.members[index?].filter(|value| json::is_present(value))
    }
}

/// The wanted members of a nested object that are there and not null; none of them if it is missing or
/// no object.
fn nested<'t, const N: usize>(value: Option<&'t str>, names: &[&str; N]) -> [Option<&'t str>; N] {
    let found = value.and_then(|value| json::members(value, names).ok().flatten());
    present(found.unwrap_or([None; N]))
}

/// Those of some raw values that are not null.
fn present<const N: usize>(values: [Option<&str>; N]) -> [Option<&str>; N] {
    values.map(|value| value.filter(|value| json::is_present(value)))
}

/// An id that is a string of digits or an integer.
fn id_text(value: &str) -> Option<u64> {
    match json::string(value) {
        Some(text) => TweetId::parse(&text).map(TweetId::get),
        None => TweetId::parse(value).map(TweetId::get),
    }
}

/// `id_str` if it is a decimal number of 64 bits, else `id`.
fn id_of(field: &'static str, id_str: Option<&str>, id: Option<&str>) -> Result<u64, BadRecord> {
    let zero = id_str.is_some_and(|value| value == "\"0\"");
    let found = if zero { None } else { id_str.and_then(id_text).or_else(|| id.and_then(id_text)) };
    found.ok_or_else(|| bad_id(field, id_str.or(id)))
}

/// The error for an id that cannot be read.
fn bad_id(field: &'static str, value: Option<&str>) -> BadRecord {
    let value = value.map_or("missing".into(), |value| value.chars().take(40).collect());
    BadRecord::BadId { field, value }
}

/// `id_of` for tweets.
fn tweet_id(field: &'static str, id_str: Option<&str>, id: Option<&str>) -> Result<TweetId, BadRecord> {
    let id = id_of(field, id_str, id)?;
    TweetId::new(id).ok_or_else(|| bad_id(field, None))
}

/// `id_of` for authors.
fn author_id(field: &'static str, id_str: Option<&str>, id: Option<&str>) -> Result<AccountId, BadRecord> {
    let id = id_of(field, id_str, id)?;
    AccountId::new(id).ok_or_else(|| bad_id(field, None))
}

/// The first of some raw values that is a string.
fn first_string<'t, const N: usize>(values: [Option<&'t str>; N]) -> Option<std::borrow::Cow<'t, str>> {
    values.into_iter().flatten().find_map(json::string)
}

/// A handle, if it is a string that can be one.
fn handle(value: Option<&str>) -> Option<String> {
    let handle = json::string(value?)?;
    is_handle(&handle).then(|| handle.into_owned())
}

#[cfg(test)]
mod tests;
