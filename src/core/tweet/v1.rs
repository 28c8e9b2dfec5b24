//! The v1.1 stream: a bare tweet, or `{"delete": ...}`.

use super::{
    BadRecord, Deletion, OwnText, Top, Tweet, author_id, first_string, handle, id_text, json, nested,
    tweet_id,
};
use crate::core::ids::TweetId;
use crate::core::time::Time;

/// A tweet, if at least two of the three things that every tweet has are there: id, text, author.
/// Then the third has to be there too.
pub(super) fn tweet(top: &Top<'_>) -> Result<Option<Tweet>, BadRecord> {
    let any = |names: &[&str]| names.iter().any(|name| top.get(name).is_some());
    let marks = [any(&["id", "id_str"]), any(&["text", "full_text", "extended_tweet"]), top.user.is_some()];
    if marks.into_iter().filter(|mark| *mark).count() < 2 {
        return Ok(None);
    }

    let id = tweet_id("id_str", top.get("id_str"), top.get("id"))?;
    let [user_id_str, user_id, screen_name, protected] = top.user.ok_or(BadRecord::NoAuthor("user"))?;
    if user_id_str.or(user_id).is_none() {
        return Err(BadRecord::NoAuthor("user.id_str"));
    }
    let author = author_id("user.id_str", user_id_str, user_id)?;

    let [extended] = nested(top.get("extended_tweet"), &["full_text"]);
    let full = first_string([extended, top.get("full_text")]);
    let cut_off = full.is_none() && top.get("truncated").is_some_and(json::is_true);
    let text = full.or_else(|| first_string([top.get("text")])).ok_or(BadRecord::NoText("text"))?;

    Ok(Some(Tweet {
        id,
        first_id: first_of_chain(top).unwrap_or(id),
        time: time(top, id)?,
        author,
        handle: handle(screen_name),
        protected: protected.is_some_and(json::is_true),
        retweet: top.get("retweeted_status").is_some(),
        text: OwnText::new(&text, cut_off),
    }))
}

/// A deletion, if there is a `delete` with a tweet in it. The v2 compliance stream wraps its
/// deletions in `delete`, too.
pub(super) fn deletion(top: &Top<'_>) -> Result<Option<Deletion>, BadRecord> {
    let Some(delete) = top.get("delete") else { return Ok(None) };
    let [status, tweet] = nested(Some(delete), &["status", "tweet"]);
    if let Some(status) = status {
        let [id_str, id, user_id_str, user_id] =
            nested(Some(status), &["id_str", "id", "user_id_str", "user_id"]);
        let id = tweet_id("delete.status.id_str", id_str, id)?;
        let author = author_id("delete.status.user_id_str", user_id_str, user_id)?;
        return Ok(Some(Deletion { id, author }));
    }
    if let Some(tweet) = tweet {
        return super::v2::deleted_tweet(tweet).map(Some);
    }
    Ok(None)
}

/// Tweet time: in the id, or for old ids in `timestamp_ms`, else in `created_at`.
fn time(top: &Top<'_>, id: TweetId) -> Result<Time, BadRecord> {
    if let Some(time) = Time::of_tweet_id(id.get()) {
        return Ok(time);
    }
    let timestamp = top.get("timestamp_ms").and_then(id_text).and_then(|millis| i64::try_from(millis).ok());
    let created_at = || Time::parse_created_at(&first_string([top.get("created_at")])?);
    timestamp
        .map(Time::from_millis)
        .or_else(created_at)
        .ok_or(BadRecord::NoTime("timestamp_ms or created_at"))
}

/// The first id of an edit chain, as the enterprise stream has it.
fn first_of_chain(top: &Top<'_>) -> Option<TweetId> {
    let [initial, all] = nested(top.get("edit_history"), &["initial_tweet_id", "edit_tweet_ids"]);
    let first = initial.and_then(id_text).or_else(|| json::elements(all?).first().copied().and_then(id_text));
    first.and_then(TweetId::new)
}
