//! The v2 stream: `{"data": ..., "includes": ..., "matching_rules": ...}`.

use super::{
    BadRecord, Deletion, OwnText, Record, Top, Tweet, author_id, first_string, handle, id_text, json, nested,
    tweet_id,
};
use crate::core::ids::{AccountId, TweetId};
use crate::core::time::Time;

/// A tweet or a deletion, if `data` is an object that has one.
pub(super) fn record(top: &Top<'_>) -> Result<Option<Record>, BadRecord> {
    let names = [
        "id",
        "author_id",
        "text",
        "note_tweet",
        "referenced_tweets",
        "edit_history_tweet_ids",
        "tweet_delete",
        "created_at",
    ];
    let [id, author, text, note, referenced, chain, deleted, created_at] = nested(top.get("data"), &names);
    if let Some(deleted) = deleted {
        let [tweet] = nested(Some(deleted), &["tweet"]);
        let tweet = tweet.ok_or_else(|| super::bad_id("data.tweet_delete.tweet.id", None))?;
        return deleted_tweet(tweet).map(Record::Deletion).map(Some);
    }
    if [id, author, text.or(note)].into_iter().flatten().count() < 2 {
        return Ok(None);
    }

    let id = tweet_id("data.id", id, None)?;
    let author =
        author_id("data.author_id", Some(author.ok_or(BadRecord::NoAuthor("data.author_id"))?), None)?;
    let [note_text] = nested(note, &["text"]);
    let text = first_string([note_text, text]).ok_or(BadRecord::NoText("data.text"))?;
    let first = chain
        .and_then(|chain| json::elements(chain).first().copied().and_then(id_text))
        .and_then(TweetId::new);
    let (handle, protected) = author_of(top, author);
    Ok(Some(Record::Tweet(Tweet {
        id,
        first_id: first.unwrap_or(id),
        time: time(id, created_at)?,
        author,
        handle,
        protected,
        retweet: referenced.is_some_and(is_retweet),
        text: OwnText::new(&text, false),
    })))
}

/// The deleted tweet of a compliance notice: `{"id": ..., "author_id": ...}`.
pub(super) fn deleted_tweet(tweet: &str) -> Result<Deletion, BadRecord> {
    let [id, author] = nested(Some(tweet), &["id", "author_id"]);
    let id = tweet_id("tweet.id", id, None)?;
    let author = author_id("tweet.author_id", author, None)?;
    Ok(Deletion { id, author })
}

/// Ids of this format carry their time; one that is older than that has a `created_at` at best.
fn time(id: TweetId, created_at: Option<&str>) -> Result<Time, BadRecord> {
    let written = || first_string([created_at])?.parse().ok();
    Time::of_tweet_id(id.get()).or_else(written).ok_or(BadRecord::NoTime("data.created_at"))
}

/// Handle and protection of the author, whom `includes.users` describes among others.
fn author_of(top: &Top<'_>, author: AccountId) -> (Option<String>, bool) {
    let [users] = nested(top.get("includes"), &["users"]);
    for user in users.map(json::elements).unwrap_or_default() {
        let [id, username, protected] = nested(Some(user), &["id", "username", "protected"]);
        if id.and_then(id_text) == Some(author.get()) {
            return (handle(username), protected.is_some_and(json::is_true));
        }
    }
    (None, false)
}

/// Whether one of the referenced tweets is there because this one repeats it.
fn is_retweet(referenced: &str) -> bool {
    json::elements(referenced).into_iter().any(|tweet| {
        let [kind] = nested(Some(tweet), &["type"]);
        first_string([kind]).is_some_and(|kind| kind == "retweeted")
    })
}
