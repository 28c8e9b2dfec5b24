//! The maker: records of a made-up firehose, one at a time.

use fastrand::Rng;

use super::author::Author;
use super::other_formats::{
    Relation, put_activity, put_activity_deletion, put_v1_deletion, put_v2, put_v2_deletion,
};
use super::post::{Post, Text, put_v1, sources};
use super::wire::{LINE_END, put};
use super::words::{hashtag, link, name, percent, sentence};
use crate::core::ids::{AccountId, TweetId};
use crate::core::time::{HOUR, Time};

/// Of a hundred records that many are deletions.
pub const DELETIONS: u32 = 12;
/// Of a hundred records that many are retweets.
pub const RETWEETS: u32 = 20;
/// Of a hundred texts that many have a hashtag.
pub const TAGGED: u32 = 13;
/// One record in so many is a control message: tweets that the stream left out.
pub const CONTROLS: u32 = 1_000;
/// One record in so many arrives twice.
pub const REPEATED: u32 = 1_000;

/// Authors of the noise, each of whom has one thing to say. They and their texts are written once
/// and then only copied, so that making a record costs little more than its bytes.
const CROWD: usize = 1_024;
/// The longest text of a tweet, in characters.
const MAX_TEXT: usize = 140;
/// Between the epochs of Unix and of tweet ids, in milliseconds.
const ID_EPOCH: i64 = 1_288_834_974_657;

/// How deletions of v1.1 and v2, control messages and the deletions of Activity Streams begin.
const V1_DELETION: &[u8] = br#"{"delete":"#;
const CONTROL: &[u8] = br#"{"limit":"#;
const ACTIVITY_DELETION: &[u8] = br#"{"objectType":"activity","verb":"delete""#;

/// Makes records. The same seed and the same calls give the same bytes.
pub struct Maker {
    rng: Rng,
    last_id: u64,
    authors: Vec<Author>,
    /// Text n is by author n.
    texts: Vec<Text>,
    /// The texts once more, behind an `RT @`.
    retweets: Vec<Text>,
    sources: Vec<Vec<u8>>,
    /// The last record of noise.
    record: Vec<u8>,
    /// The tweet inside it.
    inner: Vec<u8>,
}

/// In which format a record is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Format {
    /// The stream of v1.1.
    #[default]
    V1,
    /// The stream of v2.
    V2,
    /// Gnip's Activity Streams.
    Activity,
}

/// A tweet to be made.
#[derive(Debug, Clone, Copy)]
pub struct Draft<'d> {
    /// Tweet time: the id will carry it.
    pub time: Time,
    /// Who writes it.
    pub author: AccountId,
    /// Their handle without `@`.
    pub handle: &'d str,
    /// As typed; of a retweet it is not used.
    pub text: &'d str,
    /// How it is written down.
    pub format: Format,
}

/// A tweet that is repeated or quoted.
#[derive(Debug, Clone, Copy)]
pub struct Original<'d> {
    /// Its id, which has its time.
    pub id: TweetId,
    /// Who wrote it.
    pub author: AccountId,
    /// Their handle without `@`.
    pub handle: &'d str,
    /// As typed.
    pub text: &'d str,
}

impl Maker {
    /// A maker with a crowd of its own.
    pub fn new(seed: u64) -> Maker {
        let mut rng = Rng::with_seed(seed);
        let authors: Vec<Author> = (0..CROWD).map(|_| Author::stranger(&mut rng)).collect();
        let (mut texts, mut retweets) = (Vec::with_capacity(CROWD), Vec::with_capacity(CROWD));
        for (n, author) in (0..).zip(&authors) {
            // Exactly the share, spread over the crowd: 37 and 100 have no common divisor.
            let tagged = n * 37 % 100 < TAGGED;
            let (text, short, whole) = noise_text(&mut rng, author, tagged);
            let link = short.as_deref().zip(whole.as_deref());
            texts.push(Text::new(&text, link));
            retweets.push(Text::new(&as_retweet(&author.handle, &text), link));
        }
        Maker {
            rng,
            last_id: 0,
            authors,
            texts,
            retweets,
            sources: sources(),
            record: Vec::new(),
            inner: Vec::new(),
        }
    }

    /// Any record of the mix, none of which has anything to do with an offer: a tweet, a retweet, a
    /// deletion or a control message in the format of v1.1, with its line end. Now and then it is the
    /// last one again.
    pub fn noise(&mut self, time: Time) -> &[u8] {
        if self.rng.u32(0..REPEATED) == 0 && !self.record.is_empty() {
            return &self.record;
        }
        self.record.clear();
        if self.rng.u32(0..CONTROLS) == 0 {
            put(&mut self.record, format_args!(r#"{{"limit":{{"track":{}}}}}"#, self.rng.u32(1..100_000)));
        } else {
            match self.rng.u32(0..100) {
                roll if roll < DELETIONS => self.noise_deletion(time),
                roll => self.noise_tweet(time, roll < DELETIONS + RETWEETS),
            }
        }
        self.record.extend_from_slice(LINE_END);
        &self.record
    }

    /// Whether a record that a maker has made is a tweet: no deletion, no control message.
    pub fn is_tweet(record: &[u8]) -> bool {
        let others: [&[u8]; 3] = [V1_DELETION, CONTROL, ACTIVITY_DELETION];
        !others.iter().any(|beginning| record.starts_with(beginning))
    }

    /// A tweet as drafted, with its line end.
    pub fn tweet(&mut self, draft: &Draft<'_>) -> (TweetId, Vec<u8>) {
        self.drafted(draft, draft.text, None)
    }

    /// A retweet: somebody else's words, cut where they grow too long.
    pub fn retweet(&mut self, draft: &Draft<'_>, of: &Original<'_>) -> (TweetId, Vec<u8>) {
        let text = as_retweet(of.handle, of.text);
        self.drafted(draft, &text, Some((Relation::Retweeted, of)))
    }

    /// A quote: words of one's own, with another tweet inside.
    pub fn quote(&mut self, draft: &Draft<'_>, of: &Original<'_>) -> (TweetId, Vec<u8>) {
        self.drafted(draft, draft.text, Some((Relation::Quoted, of)))
    }

    /// The notice that a tweet was deleted, with its line end.
    pub fn deletion(&self, of: TweetId, author: AccountId, format: Format) -> Vec<u8> {
        let mut record = Vec::with_capacity(192);
        match format {
            Format::V1 => put_v1_deletion(&mut record, of.get(), author.get()),
            Format::V2 => put_v2_deletion(&mut record, of, author),
            Format::Activity => put_activity_deletion(&mut record, of, author),
        }
        record.extend_from_slice(LINE_END);
        record
    }

    fn noise_deletion(&mut self, time: Time) {
        let age = self.rng.i64(0..24 * HOUR);
        let id = first_id_of(time.minus(age)) | self.rng.u64(0..1 << 22);
        let author = &self.authors[self.rng.usize(0..CROWD)];
        put_v1_deletion(&mut self.record, id, author.id);
    }

    fn noise_tweet(&mut self, time: Time, retweet: bool) {
        let id = self.next_id(time);
        let rng = &mut self.rng;
        let by = rng.usize(0..CROWD);
        let reply_to = (!retweet && percent(rng, 30)).then(|| {
            (id.saturating_sub(rng.u64(1..3_600_000) << 22).max(1), &self.authors[rng.usize(0..CROWD)])
        });
        let source = &self.sources[rng.usize(0..self.sources.len())];
        let post = |id, time, author, text, retweets, reply_to| Post {
            id,
            time,
            author,
            text,
            source,
            retweets,
            reply_to,
        };
        if !retweet {
            let post = post(id, time, &self.authors[by], &self.texts[by], 0, reply_to);
            put_v1(&mut self.record, &post, None);
            return;
        }
        let of = rng.usize(0..CROWD);
        let age = rng.i64(1..6 * HOUR);
        let (old_id, retweets) = (first_id_of(time.minus(age)) | rng.u64(0..1 << 22), rng.u32(1..900));
        let original = post(old_id, time.minus(age), &self.authors[of], &self.texts[of], retweets, None);
        self.inner.clear();
        put_v1(&mut self.inner, &original, None);
        let post = post(id, time, &self.authors[by], &self.retweets[of], 0, None);
        put_v1(&mut self.record, &post, Some(("retweeted_status", &self.inner)));
    }

    fn drafted(
        &mut self,
        draft: &Draft<'_>,
        text: &str,
        inner: Option<(Relation, &Original<'_>)>,
    ) -> (TweetId, Vec<u8>) {
        let id = self.next_id(draft.time);
        let author = Author::known(draft.author, draft.handle);
        let text = Text::new(text, None);
        let source = &self.sources[0];
        let post =
            Post { id, time: draft.time, author: &author, text: &text, source, reply_to: None, retweets: 0 };
        let inner = inner.map(|(relation, of)| {
            (relation, of.id, Author::known(of.author, of.handle), Text::new(of.text, None))
        });
        let inner = inner.as_ref().map(|(relation, id, author, text)| {
            let time = Time::of_tweet_id(id.get()).unwrap_or(draft.time);
            (*relation, Post { id: id.get(), time, author, text, source, reply_to: None, retweets: 1 })
        });
        let inner = inner.as_ref().map(|(relation, post)| (*relation, post));

        let mut record = Vec::with_capacity(3_072);
        match (draft.format, inner) {
            (Format::V1, None) => put_v1(&mut record, &post, None),
            (Format::V1, Some((relation, inner))) => {
                let name = match relation {
                    Relation::Retweeted => "retweeted_status",
                    Relation::Quoted => "quoted_status",
                };
                self.inner.clear();
                put_v1(&mut self.inner, inner, None);
                put_v1(&mut record, &post, Some((name, &self.inner)));
            }
            (Format::V2, inner) => put_v2(&mut record, &post, inner),
            (Format::Activity, inner) => put_activity(&mut record, &post, inner),
        }
        record.extend_from_slice(LINE_END);
        (TweetId::new(id).unwrap_or(FIRST), record)
    }

    /// Ids grow: a tweet that is made after a later one gets the next id of that one's time.
    fn next_id(&mut self, time: Time) -> u64 {
        self.last_id = first_id_of(time).max(self.last_id + 1);
        self.last_id
    }
}

/// An id is never 0; this one stands in where a type asks for a proof of it.
const FIRST: TweetId = match TweetId::new(1) {
    Some(id) => id,
    None => unreachable!(),
};

/// The first id that carries a time.
pub(crate) fn first_id_of(time: Time) -> u64 {
    u64::try_from(time.millis() - ID_EPOCH).unwrap_or(0) << 22
}

/// A text of noise, perhaps with a link: as it stands in the text, and whole.
fn noise_text(rng: &mut Rng, author: &Author, tagged: bool) -> (String, Option<String>, Option<String>) {
    let length = rng.usize(8..90);
    let mut text = sentence(rng, author.language, length);
    if tagged {
        text.push(' ');
        text.push_str(hashtag(rng));
    }
    if !percent(rng, 12) {
        return (text, None, None);
    }
    let short = format!("http://t.example/{}", name(rng, 4));
    text.push(' ');
    text.push_str(&short);
    (text, Some(short), Some(link(rng)))
}

fn as_retweet(handle: &str, text: &str) -> String {
    let whole = format!("RT @{handle}: {text}");
    if whole.chars().count() <= MAX_TEXT {
        return whole;
    }
    whole.chars().take(MAX_TEXT - 1).chain(['…']).collect()
}
