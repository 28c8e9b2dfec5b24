//! Tweets and deletions as the firehose has them, in each of the three formats.

use chrono::DateTime;
use serde_json::{Map, Value, json};

use super::{Format, Tweet};

/// Stands where the text goes, until it is put there letter by letter.
const HERE: &str = "<the text>";

/// A tweet with everything worked out that the scenario leaves open.
pub struct Wired<'a> {
    /// Its ids: the first of its chain, ..., its own.
    pub chain: &'a [u64],
    /// The id of its author.
    pub author: u64,
    /// Milliseconds since the Unix epoch.
    pub time: i64,
    /// What the scenario says.
    pub tweet: &'a Tweet,
    /// Its text with all codes in it: a JSON string literal without its quotes.
    pub text: &'a str,
}

impl Wired<'_> {
    /// The record, one line of JSON.
    pub fn record(&self, format: Format) -> Result<String, String> {
        let record = match format {
            Format::V1 => self.v1()?,
            Format::V2 => self.v2()?,
            Format::Activity => self.activity()?,
        };
        Ok(record.to_string().replace(HERE, self.text))
    }

    fn own(&self) -> u64 {
        self.chain.last().copied().unwrap_or_default()
    }

    fn ids(&self) -> Vec<String> {
        self.chain.iter().map(u64::to_string).collect()
    }

    fn has(&self, flag: &str) -> bool {
        self.tweet.flags.contains(&flag)
    }

    fn field(&self, name: &str) -> Option<Value> {
        let (_, literal) = self.tweet.fields.iter().find(|(field, _)| *field == name)?;
        serde_json::from_str(&format!("\"{literal}\"")).ok()
    }

    /// A word that this format has no place for would say nothing: that is a slip.
    fn only(&self, known: &[&str]) -> Result<(), String> {
        let fields = self.tweet.fields.iter().map(|(field, _)| field);
        match self.tweet.flags.iter().chain(fields).find(|word| !known.contains(word)) {
            Some(word) => Err(format!("{word}: this format has no such thing")),
            None => Ok(()),
        }
    }

    fn v1(&self) -> Result<Value, String> {
        self.only(&[
            "protected",
            "truncated",
            "retweet",
            "retweeted_flag",
            "reply",
            "quoting",
            "full_text",
            "extended_tweet",
            "bio",
            "entities",
        ])?;
        let created = DateTime::from_timestamp_millis(self.time).unwrap_or_default();
        let mut tweet = json!({
            "created_at": created.format("%a %b %d %H:%M:%S +0000 %Y").to_string(),
            "id": self.own(), "id_str": self.own().to_string(), "text": HERE, "truncated": self.has("truncated"),
            "user": {"id": self.author, "id_str": self.author.to_string(), "screen_name": self.tweet.author,
                     "protected": self.has("protected"), "description": self.field("bio")},
            "retweeted": self.has("retweeted_flag"), "timestamp_ms": self.time.to_string(),
        });
        let stranger = json!({"id": 9, "id_str": "9", "screen_name": "nobody"});
        if let Some(fields) = tweet.as_object_mut() {
            if self.has("retweet") {
                fields.insert(
                    "retweeted_status".into(),
                    json!({"id": 1, "id_str": "1", "text": HERE, "user": stranger}),
                );
            }
            if self.has("reply") {
                fields.insert("in_reply_to_status_id_str".into(), json!("1"));
            }
            if let Some(text) = self.field("quoting") {
                fields.insert("is_quote_status".into(), json!(true));
                fields.insert(
                    "quoted_status".into(),
                    json!({"id": 1, "id_str": "1", "text": text, "user": stranger}),
                );
            }
            if let Some(text) = self.field("full_text") {
                fields.insert("full_text".into(), text);
            }
            if let Some(text) = self.field("extended_tweet") {
                fields.insert("extended_tweet".into(), json!({"full_text": text}));
            }
            if let Some(tag) = self.field("entities") {
                fields.insert("entities".into(), json!({"hashtags": [{"text": tag, "indices": [0, 1]}]}));
            }
            if let [first, _, ..] = self.ids().as_slice() {
                let history = json!({"initial_tweet_id": first, "edit_tweet_ids": self.ids()});
                fields.insert("edit_history".into(), history);
            }
        }
        Ok(tweet)
    }

    fn v2(&self) -> Result<Value, String> {
        self.only(&["protected", "retweet", "reply", "quoting", "note_tweet", "bio", "entities"])?;
        let mut data = Map::new();
        data.insert("id".into(), json!(self.own().to_string()));
        data.insert("author_id".into(), json!(self.author.to_string()));
        data.insert("text".into(), json!(HERE));
        data.insert("created_at".into(), json!(super::words::rfc3339(self.time)));
        if self.chain.len() > 1 {
            data.insert("edit_history_tweet_ids".into(), json!(self.ids()));
        }
        if let Some(text) = self.field("note_tweet") {
            data.insert("note_tweet".into(), json!({"text": text}));
        }
        if let Some(tag) = self.field("entities") {
            data.insert("entities".into(), json!({"hashtags": [{"start": 0, "end": 1, "tag": tag}]}));
        }
        let mut includes = json!({"users": [{"id": self.author.to_string(), "username": self.tweet.author, "name": "N. N.",
            "protected": self.has("protected"), "description": self.field("bio")}]});
        let kinds = [("retweet", "retweeted"), ("reply", "replied_to")];
        let mut referenced: Vec<Value> = kinds
            .iter()
            .filter(|(flag, _)| self.has(flag))
            .map(|(_, kind)| json!({"type": kind, "id": "1"}))
            .collect();
        if let Some(text) = self.field("quoting") {
            referenced.push(json!({"type": "quoted", "id": "1"}));
            includes["tweets"] = json!([{"id": "1", "author_id": "9", "text": text}]);
        }
        if !referenced.is_empty() {
            data.insert("referenced_tweets".into(), json!(referenced));
        }
        Ok(json!({"data": data, "includes": includes, "matching_rules": [{"id": "1", "tag": "all"}]}))
    }

    fn activity(&self) -> Result<Value, String> {
        self.only(&["retweet", "quoting", "long_object", "bio"])?;
        if self.chain.len() > 1 {
            return Err("this format has no edits".to_owned());
        }
        let own = self.own();
        let mut activity = json!({
            "id": format!("tag:search.twitter.com,2005:{own}"), "objectType": "activity",
            "verb": if self.has("retweet") { "share" } else { "post" },
            "postedTime": super::words::rfc3339(self.time), "body": HERE,
            "actor": {"objectType": "person", "id": format!("id:twitter.com:{}", self.author),
                      "preferredUsername": self.tweet.author, "summary": self.field("bio")},
            "object": {"objectType": "note", "id": format!("object:search.twitter.com,2005:{own}"), "summary": HERE},
        });
        if let Some(text) = self.field("long_object") {
            activity["long_object"] = json!({"body": text});
        }
        if let Some(text) = self.field("quoting") {
            activity["twitter_quoted_status"] = json!({"body": text, "actor": {"id": "id:twitter.com:9"}});
        }
        Ok(activity)
    }
}

/// The notice that a tweet was deleted, one line of JSON.
pub fn deletion(tweet: u64, author: u64, format: Format) -> String {
    let (id, user) = (tweet.to_string(), author.to_string());
    let notice = match format {
        Format::V1 => {
            json!({"delete": {"status": {"id": tweet, "id_str": id, "user_id": author, "user_id_str": user}}})
        }
        Format::V2 => json!({"delete": {"tweet": {"id": id, "author_id": user}}}),
        Format::Activity => json!({
            "id": format!("tag:search.twitter.com,2005:{id}"), "objectType": "activity", "verb": "delete",
            "actor": {"objectType": "person", "id": format!("id:twitter.com:{user}")},
            "object": {"objectType": "note", "id": format!("object:search.twitter.com,2005:{id}")},
        }),
    };
    notice.to_string()
}

/// A tweet of nobody's, about nothing.
pub fn passing(id: u64) -> String {
    json!({"id": id, "id_str": id.to_string(), "text": "rain again", "user": {"id": 9, "id_str": "9", "screen_name": "nobody"}})
        .to_string()
}
