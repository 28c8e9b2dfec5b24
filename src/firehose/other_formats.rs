//! The same tweets as the v2 stream and Activity Streams write them.

use super::author::Author;
use super::post::Post;
use super::wire::{put, put_string};
use crate::core::ids::{AccountId, TweetId};

/// What a tweet has to do with another one.
#[derive(Clone, Copy)]
pub(super) enum Relation {
    Retweeted,
    Quoted,
}

/// Appends a tweet in the format of the v2 stream, and the one inside it.
pub(super) fn put_v2(out: &mut Vec<u8>, post: &Post<'_>, inner: Option<(Relation, &Post<'_>)>) {
    out.extend_from_slice(br#"{"data":"#);
    put_v2_tweet(out, post, inner);
    out.extend_from_slice(br#","includes":{"users":["#);
    put_v2_user(out, post.author);
    if let Some((_, inner)) = inner {
        out.push(b',');
        put_v2_user(out, inner.author);
    }
    out.push(b']');
    if let Some((_, inner)) = inner {
        out.extend_from_slice(br#","tweets":["#);
        put_v2_tweet(out, inner, None);
        out.push(b']');
    }
    out.extend_from_slice(br#"},"matching_rules":[{"id":"1","tag":"all of it"}]}"#);
}

fn put_v2_tweet(out: &mut Vec<u8>, post: &Post<'_>, inner: Option<(Relation, &Post<'_>)>) {
    put(
        out,
        format_args!(
            r#"{{"author_id":"{}","created_at":"{}","edit_history_tweet_ids":["{}"],"id":"{}","lang":"{}","public_metrics":{{"retweet_count":{},"reply_count":0,"like_count":0,"quote_count":0}},"reply_settings":"everyone""#,
            post.author.id, post.time, post.id, post.id, post.author.language.code, post.retweets
        ),
    );
    if let Some((relation, inner)) = inner {
        let relation = match relation {
            Relation::Retweeted => "retweeted",
            Relation::Quoted => "quoted",
        };
        put(out, format_args!(r#","referenced_tweets":[{{"type":"{relation}","id":"{}"}}]"#, inner.id));
    }
    out.extend_from_slice(br#","text":"#);
    out.extend_from_slice(&post.text.json);
    out.push(b'}');
}

fn put_v2_user(out: &mut Vec<u8>, author: &Author) {
    put(out, format_args!(r#"{{"id":"{}","name":"#, author.id));
    put_string(out, &author.handle);
    put(out, format_args!(r#","protected":false,"username":"{}","verified":false}}"#, author.handle));
}

/// Appends a tweet in the format of Activity Streams, and the one inside it.
pub(super) fn put_activity(out: &mut Vec<u8>, post: &Post<'_>, inner: Option<(Relation, &Post<'_>)>) {
    let retweet = matches!(inner, Some((Relation::Retweeted, _)));
    let verb = if retweet { "share" } else { "post" };
    put(
        out,
        format_args!(
            r#"{{"id":"tag:search.twitter.com,2005:{}","objectType":"activity","verb":"{verb}","postedTime":"{}","actor":{{"objectType":"person","id":"id:twitter.com:{}","preferredUsername":"{}","displayName":"{}"}},"body":"#,
            post.id, post.time, post.author.id, post.author.handle, post.author.handle
        ),
    );
    out.extend_from_slice(&post.text.json);
    match inner {
        Some((Relation::Retweeted, inner)) => {
            out.extend_from_slice(br#","object":"#);
            put_activity(out, inner, None);
        }
        Some((Relation::Quoted, inner)) => {
            out.extend_from_slice(br#","twitter_quoted_status":"#);
            put_activity(out, inner, None);
        }
        None => put(
            out,
            format_args!(
                r#","object":{{"objectType":"note","id":"object:search.twitter.com,2005:{}"}}"#,
                post.id
            ),
        ),
    }
    out.extend_from_slice(br#","twitter_entities":"#);
    out.extend_from_slice(&post.text.entities);
    put(out, format_args!(r#","retweetCount":{}}}"#, post.retweets));
}

/// Appends the notice of v1.1 that a tweet was deleted.
pub(super) fn put_v1_deletion(out: &mut Vec<u8>, id: u64, author: u64) {
    put(
        out,
        format_args!(
            r#"{{"delete":{{"status":{{"id":{id},"user_id":{author},"id_str":"{id}","user_id_str":"{author}"}}}}}}"#
        ),
    );
}

/// Appends the notice of the v2 stream.
pub(super) fn put_v2_deletion(out: &mut Vec<u8>, id: TweetId, author: AccountId) {
    put(out, format_args!(r#"{{"delete":{{"tweet":{{"id":"{id}","author_id":"{author}"}}}}}}"#));
}

/// Appends the notice of Activity Streams.
pub(super) fn put_activity_deletion(out: &mut Vec<u8>, id: TweetId, author: AccountId) {
    put(
        out,
        format_args!(
            r#"{{"objectType":"activity","verb":"delete","actor":{{"objectType":"person","id":"id:twitter.com:{author}"}},"object":{{"objectType":"note","id":"object:search.twitter.com,2005:{id}"}}}}"#
        ),
    );
}
