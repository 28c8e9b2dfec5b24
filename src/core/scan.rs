//! The first stage: tweet + offers -> sighting. Stateless.
//!
//! What the prefilter passes on is parsed and decided here by the exact rules: the hashtags of the
//! author's own words are folded and laid out one behind the other, and one pass of an Aho-Corasick
//! automaton finds those of offers. Patterns and hashtags both begin with a sign and end with a
//! line end, which no hashtag contains, so only whole tags match.

use std::collections::HashSet;
use std::sync::Arc;

use aho_corasick::{AhoCorasick, BuildError};

use super::code::Code;
use super::hashtag::{Hashtag, fold};
use super::ids::AccountId;
use super::inbox::{SeenCode, SeenOffer, Sighting};
use super::offer::Offer;
use super::tally::{Counted, Tally};
use super::time::DAY;
use super::tweet::Tweet;

/// Codes and offers beyond that many in one tweet are counted and left out, so that a sighting
/// stays below the size of a Kafka message. A tweet of the greatest length has room for a few
/// dozen; nobody buys that much at once.
pub const MAX_TAGS: usize = 256;

/// How long after the end of its offer a tag is still refused by name, in milliseconds.
const NAMED_AFTER_END: i64 = DAY;

/// The tags of all offers, to be found in the hashtags of a tweet.
pub struct OfferIndex {
    tags: AhoCorasick,
    /// By the number of the pattern.
    offers: Vec<Arc<Offer>>,
}

impl OfferIndex {
    /// An index of offers under their folded tags, which have to be distinct.
    ///
    /// # Errors
    /// If there are more tags than an automaton can hold (some hundred million bytes).
    pub fn new(offers: impl IntoIterator<Item = (String, Arc<Offer>)>) -> Result<OfferIndex, BuildError> {
        let (patterns, offers): (Vec<String>, Vec<Arc<Offer>>) =
            offers.into_iter().map(|(tag, offer)| (format!("#{tag}\n"), offer)).unzip();
        Ok(OfferIndex { tags: AhoCorasick::new(&patterns)?, offers })
    }

    /// The offers among folded hashtags, in their order: index of the hashtag, offer.
    fn find<'i>(&'i self, folded: &[String]) -> Vec<(usize, &'i Arc<Offer>)> {
        let mut text = String::with_capacity(folded.iter().map(|tag| tag.len() + 2).sum());
        let mut starts = Vec::with_capacity(folded.len());
        for tag in folded {
            starts.push(text.len());
            text.push('#');
            text.push_str(tag);
            text.push('\n');
        }
        let hits = self.tags.find_iter(&text);
        hits.filter_map(|hit| {
            let tag = starts.binary_search(&hit.start()).ok()?;
            Some((tag, self.offers.get(hit.pattern().as_usize())?))
        })
        .collect()
    }
}

/// What the scan goes by.
pub struct Scan {
    /// The offers of the moment.
    pub offers: OfferIndex,
    folded_prefix: String,
    ignored: HashSet<AccountId>,
}

impl Scan {
    /// A scan for these offers, for codes with this prefix, deaf to some authors.
    pub fn new(offers: OfferIndex, code_prefix: &str, ignored: HashSet<AccountId>) -> Scan {
        Scan { offers, folded_prefix: fold(code_prefix).into_owned(), ignored }
    }

    /// The sighting that a tweet leads to, or the reason why it leads to none, counted.
    ///
    /// A code of an author without an account is dropped here; his offer tags are passed on, for
    /// the caller to take a sample of.
    pub fn sighting(
        &self,
        tweet: &Tweet,
        is_linked: impl FnOnce(AccountId) -> bool,
        tally: &mut Tally,
    ) -> Option<Sighting> {
        if tweet.retweet {
            tally.count(Counted::Retweet);
            return None;
        }
        let hashtags: Vec<Hashtag<'_>> = tweet.text.hashtags().collect();
        let folded: Vec<String> = hashtags.iter().map(|tag| fold(tag.body).into_owned()).collect();
        let mut codes = self.codes(&hashtags, &folded);
        let mut offers = self.offers(&hashtags, &folded);
        if codes.is_empty() && offers.is_empty() {
            tally.count(Counted::NoTag);
            return None;
        }
        if self.ignored.contains(&tweet.author) {
            tally.count(Counted::IgnoredAuthor);
            return None;
        }

        offers.retain(|seen| {
            let ended = tweet.time > seen.offer.ends_at.plus(NAMED_AFTER_END);
            if ended {
                tally.count(Counted::Ended);
            }
            !ended
        });
        if !is_linked(tweet.author) {
            codes.drain(..).for_each(|_| tally.count(Counted::CodeOfStranger));
            offers.iter().for_each(|_| tally.count(Counted::TagOfStranger));
        }
        while codes.len() + offers.len() > MAX_TAGS {
            tally.count(Counted::TooManyTags);
            if offers.pop().is_none() {
                codes.pop();
            }
        }
        if codes.is_empty() && offers.is_empty() {
            return None;
        }
        Some(Sighting {
            account: tweet.author,
            tweet_id: tweet.id,
            first_id: tweet.first_id,
            time: tweet.time,
            handle: tweet.handle.clone(),
            protected: tweet.protected,
            codes,
            offers,
        })
    }

    fn codes(&self, hashtags: &[Hashtag<'_>], folded: &[String]) -> Vec<SeenCode> {
        let mut known = HashSet::new();
        let read = hashtags.iter().zip(folded).filter_map(|(tag, folded)| {
            let code = Code::of_hashtag(folded, &self.folded_prefix)?;
            known.insert(code).then(|| SeenCode { hashtag: tag.typed.to_owned(), code })
        });
        read.collect()
    }

    fn offers(&self, hashtags: &[Hashtag<'_>], folded: &[String]) -> Vec<SeenOffer> {
        let mut known = HashSet::new();
        let found = self.offers.find(folded).into_iter().filter_map(|(tag, offer)| {
            let seen = || SeenOffer { hashtag: hashtags[tag].typed.to_owned(), offer: Arc::clone(offer) };
            known.insert(Arc::as_ptr(offer)).then(seen)
        });
        found.collect()
    }
}
