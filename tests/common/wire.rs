//! Made-up tweets as they look on the wire, in each of the formats.

use serde_json::{Value, json};

use super::tags::{rfc3339, time_of, utc};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    V1,
    /// v1.1 with a cut `text` and the whole one in `extended_tweet`.
    V1Extended,
    V2,
    Activity,
}

pub const FORMATS: [Format; 4] = [Format::V1, Format::V1Extended, Format::V2, Format::Activity];

/// How a JSON text is spelled; a reader must not see a difference.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Spelling {
    /// As the public streams do it: pure ASCII, `\/`, `\u003c`.
    Escaped,
    /// Raw UTF-8.
    Raw,
    /// Every sign and the letters after it as escapes, in upper-case hex.
    Needless,
}

/// What somebody else's words are doing in a tweet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Others {
    None,
    /// The tweet repeats these words and has none of its own.
    Retweet(String),
    /// The tweet quotes these words.
    Quote(String),
}

#[derive(Clone, Debug)]
pub struct Tweet {
    pub id: u64,
    pub author: u64,
    pub handle: String,
    pub text: String,
    pub format: Format,
    pub spelling: Spelling,
    pub protected: bool,
    pub others: Others,
    /// All versions of an edited tweet up to this one, oldest first; empty if it was never edited.
    pub versions: Vec<u64>,
}

impl Tweet {
    pub fn new(id: u64, author: u64, handle: &str, text: &str) -> Tweet {
        Tweet {
            id,
            author,
            handle: handle.to_owned(),
            text: text.to_owned(),
            format: Format::V1,
            spelling: Spelling::Escaped,
            protected: false,
            others: Others::None,
            versions: Vec::new(),
        }
    }

    pub fn format(mut self, format: Format) -> Tweet {
        self.format = format;
        self
    }

    /// The tweet as a JSON value.
    pub fn json(&self) -> Value {
        match self.format {
            Format::V1 | Format::V1Extended => self.v1(),
            Format::V2 => self.v2(),
            Format::Activity => self.activity(),
        }
    }

    /// The tweet as one record of a stream.
    pub fn record(&self) -> Vec<u8> {
        spell(&self.json(), self.spelling).into_bytes()
    }

    fn v1(&self) -> Value {
        let time = time_of(self.id);
        let mut tweet = json!({
            "created_at": utc(time).format("%a %b %d %H:%M:%S +0000 %Y").to_string(),
            "id": self.id, "id_str": self.id.to_string(), "text": escape_entities(&self.text),
            "source": "<a href=\"http://example.com/app\" rel=\"nofollow\">an app</a>", "truncated": false,
            "user": {"id": self.author, "id_str": self.author.to_string(), "screen_name": self.handle,
                     "description": "collects #GetKettle and other tags", "protected": self.protected},
            "retweeted": false, "timestamp_ms": time.to_string(),
        });
        match &self.others {
            Others::None => {}
            Others::Retweet(words) => {
                tweet["text"] = json!(escape_entities(&format!("RT @someone: {words}")));
                tweet["retweeted_status"] = self.foreign(words);
            }
            Others::Quote(words) => tweet["quoted_status"] = self.foreign(words),
        }
        if !self.versions.is_empty() {
            let versions: Vec<String> = self.versions.iter().map(u64::to_string).collect();
            tweet["edit_history"] = json!({"initial_tweet_id": versions[0], "edit_tweet_ids": versions});
        }
        if self.format == Format::V1Extended {
            tweet["extended_tweet"] = json!({"full_text": tweet["text"], "display_text_range": [0, 200]});
            tweet["text"] = json!("the rest is elsewhere\u{2026}");
            tweet["truncated"] = json!(true);
        }
        tweet
    }

    fn v2(&self) -> Value {
        let mut data = json!({
            "id": self.id.to_string(), "author_id": self.author.to_string(),
            "text": escape_entities(&self.text), "created_at": rfc3339(time_of(self.id)),
        });
        match &self.others {
            Others::None => {}
            Others::Retweet(words) => {
                data["text"] = json!(escape_entities(&format!("RT @someone: {words}")));
                data["referenced_tweets"] = json!([{"type": "retweeted", "id": "700000000000000001"}]);
            }
            Others::Quote(_) => {
                data["referenced_tweets"] = json!([{"type": "quoted", "id": "700000000000000001"}]);
            }
        }
        if !self.versions.is_empty() {
            let versions: Vec<String> = self.versions.iter().map(u64::to_string).collect();
            data["edit_history_tweet_ids"] = json!(versions);
        }
        json!({
            "data": data,
            "includes": {"users": [{"id": self.author.to_string(), "username": self.handle,
                                    "name": "N. N.", "protected": self.protected}]},
            "matching_rules": [{"id": "1", "tag": "all"}],
        })
    }

    fn activity(&self) -> Value {
        let mut activity = json!({
            "id": format!("tag:search.twitter.com,2005:{}", self.id), "objectType": "activity", "verb": "post",
            "postedTime": rfc3339(time_of(self.id)), "body": escape_entities(&self.text),
            "actor": {"objectType": "person", "id": format!("id:twitter.com:{}", self.author),
                      "preferredUsername": self.handle, "summary": "collects #GetKettle"},
            "object": {"objectType": "note", "id": format!("object:search.twitter.com,2005:{}", self.id)},
        });
        match &self.others {
            Others::None => {}
            Others::Retweet(words) => {
                activity["verb"] = json!("share");
                activity["body"] = json!(escape_entities(&format!("RT @someone: {words}")));
            }
            Others::Quote(words) => {
                activity["twitter_quoted_status"] = json!({"body": escape_entities(words)})
            }
        }
        activity
    }

    /// A tweet of somebody else inside this one.
    fn foreign(&self, words: &str) -> Value {
        json!({"id": 700_000_000_000_000_001_u64, "id_str": "700000000000000001", "text": escape_entities(words),
               "user": {"id": 61_000_001, "id_str": "61000001", "screen_name": "someone"}})
    }
}

/// The notice that a tweet was deleted by its author, in the shape of a format.
pub fn deletion(id: u64, author: u64, format: Format) -> Vec<u8> {
    let (tweet, user) = (id.to_string(), author.to_string());
    let notice = match format {
        Format::V1 => {
            json!({"delete": {"status": {"id": id, "id_str": tweet, "user_id": author, "user_id_str": user}}})
        }
        Format::V1Extended => json!({"delete": {"tweet": {"id": tweet, "author_id": user}}}),
        Format::V2 => json!({"data": {"tweet_delete": {"tweet": {"id": tweet, "author_id": user}}}}),
        Format::Activity => json!({
            "id": format!("tag:search.twitter.com,2005:{tweet}"), "objectType": "activity", "verb": "delete",
            "actor": {"objectType": "person", "id": format!("id:twitter.com:{user}")},
            "object": {"objectType": "note", "id": format!("object:search.twitter.com,2005:{tweet}")},
        }),
    };
    notice.to_string().into_bytes()
}

/// Messages of a stream that are no tweets.
pub fn control_messages() -> Vec<Vec<u8>> {
    [
        json!({"limit": {"track": 17, "timestamp_ms": "1462438800000"}}),
        json!({"warning": {"code": "FALLING_BEHIND", "percent_full": 70}}),
        json!({"scrub_geo": {"user_id": 5, "user_id_str": "5", "up_to_status_id": 6}}),
        json!({"status_withheld": {"id": 5, "user_id": 6, "withheld_in_countries": ["DE"]}}),
        json!({"user_withheld": {"id": 6, "withheld_in_countries": ["DE"]}}),
        json!({"disconnect": {"code": 7, "stream_name": "s", "reason": "#GetKettle"}}),
        json!({"friends": [1, 2]}),
    ]
    .map(|message| message.to_string().into_bytes())
    .into()
}

/// The three characters that the microblog escapes in a text.
fn escape_entities(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Writes a JSON value in one of the spellings.
pub fn spell(value: &Value, spelling: Spelling) -> String {
    let plain = value.to_string();
    let mut out = String::with_capacity(plain.len());
    // Non-ASCII and these signs occur inside strings only, so the whole text can be gone through.
    let mut after_sign = 0;
    for c in plain.chars() {
        let escape = match spelling {
            Spelling::Raw => false,
            Spelling::Escaped => !c.is_ascii() || c == '<',
            Spelling::Needless => {
                // Nothing behind another sign: it may be a backslash, which belongs to its letter.
                after_sign = match c {
                    '#' => 4,
                    _ if after_sign > 0 && c.is_ascii_alphanumeric() => after_sign - 1,
                    _ => 0,
                };
                !c.is_ascii() || after_sign > 0
            }
        };
        match c {
            _ if escape => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    match spelling {
                        Spelling::Needless => out.push_str(&format!("\\u{unit:04X}")),
                        _ => out.push_str(&format!("\\u{unit:04x}")),
                    }
                }
            }
            '/' if spelling == Spelling::Escaped => out.push_str("\\/"),
            _ => out.push(c),
        }
    }
    out
}
