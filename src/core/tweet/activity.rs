//! Gnip's Activity Streams: `{"objectType": "activity", "verb": "post", ...}`.

use super::{BadRecord, Deletion, OwnText, Record, Top, Tweet, bad_id, first_string, handle, json, nested};
use crate::core::ids::{AccountId, TweetId};
use crate::core::time::Time;

/// A tweet or a deletion, if the record is an activity with a verb that means one.
pub(super) fn record(top: &Top<'_>) -> Result<Option<Record>, BadRecord> {
    let is_activity = first_string([top.get("objectType")]).is_some_and(|kind| kind == "activity");
    let verb = first_string([top.get("verb")]);
    match verb.as_deref() {
        Some("post" | "share" | "delete") if !is_activity && top.get("actor").is_none() => Ok(None),
        Some("post") => tweet(top, false).map(Record::Tweet).map(Some),
        Some("share") => tweet(top, true).map(Record::Tweet).map(Some),
        Some("delete") => deletion(top).map(Record::Deletion).map(Some),
        _ if is_activity => Ok(Some(Record::Control(super::Control::Other))),
        _ => Ok(None),
    }
}

fn tweet(top: &Top<'_>, retweet: bool) -> Result<Tweet, BadRecord> {
    let id = top
        .get("id")
        .and_then(last_part)
        .and_then(TweetId::new)
        .ok_or_else(|| bad_id("id", top.get("id")))?;
    let actor = top.get("actor").ok_or(BadRecord::NoAuthor("actor"))?;
    let [actor_id, username] = nested(Some(actor), &["id", "preferredUsername"]);
    if actor_id.is_none() {
        return Err(BadRecord::NoAuthor("actor.id"));
    }
    let [long] = nested(top.get("long_object"), &["body"]);
    let text = first_string([long, top.get("body")]).ok_or(BadRecord::NoText("body"))?;
    let posted = || first_string([top.get("postedTime")])?.parse().ok();
    let time = Time::of_tweet_id(id.get()).or_else(posted).ok_or(BadRecord::NoTime("postedTime"))?;
    Ok(Tweet {
        id,
        first_id: id,
        time,
        author: author(actor_id)?,
        handle: handle(username),
        protected: false,
        retweet,
        text: OwnText::new(&text, false),
    })
}

/// The deleted tweet is the object; notices without one have the tweet's id themselves.
fn deletion(top: &Top<'_>) -> Result<Deletion, BadRecord> {
    let [object] = nested(top.get("object"), &["id"]);
    let value = object.or(top.get("id"));
    let id = value.and_then(last_part).and_then(TweetId::new).ok_or_else(|| bad_id("object.id", value))?;
    let [actor] = nested(top.get("actor"), &["id"]);
    Ok(Deletion { id, author: author(actor)? })
}

fn author(actor_id: Option<&str>) -> Result<AccountId, BadRecord> {
    actor_id.and_then(last_part).and_then(AccountId::new).ok_or_else(|| bad_id("actor.id", actor_id))
}

/// The number behind the last colon of an id such as `tag:search.twitter.com,2005:<id>`.
fn last_part(value: &str) -> Option<u64> {
    let text = json::string(value)?;
    let digits = text.rsplit(':').next()?;
    TweetId::parse(digits).map(TweetId::get)
}
