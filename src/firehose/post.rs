//! What one tweet is made of, and how v1.1 writes it.

use super::author::{Author, created_at};
use super::wire::{put, put_string, string, tweet_text};
use crate::core::hashtag::hashtags;
use crate::core::time::Time;

/// A text with its entities, both as JSON.
pub(super) struct Text {
    /// The string.
    pub json: Vec<u8>,
    /// `{"hashtags":[...],"urls":[...],"user_mentions":[]}`.
    pub entities: Vec<u8>,
}

impl Text {
    /// A text as its author typed it, perhaps with a link in it: as it stands there, and whole.
    pub fn new(text: &str, link: Option<(&str, &str)>) -> Text {
        let mut entities = br#"{"hashtags":["#.to_vec();
        for (i, tag) in hashtags(text).enumerate() {
            entities.extend_from_slice(if i == 0 { br#"{"text":"# } else { br#",{"text":"# });
            put_string(&mut entities, tag.body);
            put_indices(&mut entities, text, tag.start, tag.end);
        }
        entities.extend_from_slice(br#"],"urls":["#);
        if let Some((short, whole)) = link
            && let Some(start) = text.find(short)
        {
            entities.extend_from_slice(br#"{"url":"#);
            put_string(&mut entities, short);
            entities.extend_from_slice(br#","expanded_url":"#);
            put_string(&mut entities, whole);
            entities.extend_from_slice(br#","display_url":"#);
            put_string(&mut entities, whole.trim_start_matches("http://").get(..24).unwrap_or(whole));
            put_indices(&mut entities, text, start, start + short.len());
        }
        entities.extend_from_slice(br#"],"user_mentions":[]}"#);
        Text { json: tweet_text(text), entities }
    }
}

/// Indices count characters, not bytes.
fn put_indices(out: &mut Vec<u8>, text: &str, start: usize, end: usize) {
    let first = text[..start].chars().count();
    let last = first + text[start..end].chars().count();
    put(out, format_args!(r#","indices":[{first},{last}]}}"#));
}

/// A tweet, ready to be written.
pub(super) struct Post<'p> {
    pub id: u64,
    pub time: Time,
    pub author: &'p Author,
    pub text: &'p Text,
    /// The program that it was written with: HTML, as JSON.
    pub source: &'p [u8],
    /// The tweet that it answers, and whose that is.
    pub reply_to: Option<(u64, &'p Author)>,
    /// How often it was retweeted.
    pub retweets: u32,
}

/// The programs that tweets are written with.
pub(super) fn sources() -> Vec<Vec<u8>> {
    let program = |path: &str, name: &str| {
        string(&format!(r#"<a href="http://apps.example.com/{path}/download" rel="nofollow">{name}</a>"#))
    };
    vec![program("pocket", "Birdsong for Pocket"), program("desk", "Birdsong for Desks"), string("web")]
}

/// Appends a tweet in the format of the v1.1 stream, with `inner` (name, value) in its place.
pub(super) fn put_v1(out: &mut Vec<u8>, post: &Post<'_>, inner: Option<(&str, &[u8])>) {
    let id = post.id;
    put(out, format_args!(r#"{{"created_at":"{}","id":{id},"id_str":"{id}","text":"#, created_at(post.time)));
    out.extend_from_slice(&post.text.json);
    out.extend_from_slice(br#","source":"#);
    out.extend_from_slice(post.source);
    out.extend_from_slice(br#","truncated":false"#);
    match post.reply_to {
        Some((tweet, author)) => put(
            out,
            format_args!(
                r#","in_reply_to_status_id":{tweet},"in_reply_to_status_id_str":"{tweet}","in_reply_to_user_id":{0},"in_reply_to_user_id_str":"{0}","in_reply_to_screen_name":"{1}""#,
                author.id, author.handle
            ),
        ),
        None => out.extend_from_slice(
            br#","in_reply_to_status_id":null,"in_reply_to_status_id_str":null,"in_reply_to_user_id":null,"in_reply_to_user_id_str":null,"in_reply_to_screen_name":null"#,
        ),
    }
    out.extend_from_slice(br#","user":"#);
    out.extend_from_slice(&post.author.user);
    out.extend_from_slice(br#","geo":null,"coordinates":null,"place":null"#);
    if let Some((name, value)) = inner {
        put(out, format_args!(r#","{name}":"#));
        out.extend_from_slice(value);
    }
    put(out, format_args!(r#","contributors":null,"retweet_count":{},"entities":"#, post.retweets));
    out.extend_from_slice(&post.text.entities);
    let language = post.author.language.code;
    put(
        out,
        format_args!(r#","favorited":false,"retweeted":false,"filter_level":"medium","lang":"{language}"}}"#),
    );
}
