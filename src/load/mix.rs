//! The mix of a load: a firehose of stencils in which one tweet in so many asks for an offer.

use fastrand::Rng;

use super::stencils::Stencils;
use super::tables::{account_id, handle, tag};
use crate::core::time::Time;
use crate::firehose::{Draft, Format, Maker};

/// Which tweets ask for an offer, and for which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Matches {
    /// One tweet in so many; 0: none.
    pub one_in: u64,
    /// Any of the offers 0 to `offers` - 1 of [`tables`](super::tables); none ask if there is none.
    pub offers: u64,
    /// By any of the accounts 0 to `accounts` - 1; by nobody if there is none.
    pub accounts: u64,
}

/// Stencils with matches in place of some of their tweets. The same seed and the same calls give the same bytes.
pub struct Mix {
    stencils: Stencils,
    matches: Matches,
    maker: Maker,
    rng: Rng,
    /// Tweets until the next match, that one included.
    until_match: u64,
    matched: u64,
    /// The last match.
    record: Vec<u8>,
}

impl Mix {
    /// A mix; `seed` is for the matches alone.
    pub fn new(stencils: Stencils, matches: Matches, seed: u64) -> Mix {
        let none = matches.offers == 0 || matches.accounts == 0;
        let matches = if none { Matches { one_in: 0, ..matches } } else { matches };
        Mix {
            stencils,
            matches,
            maker: Maker::new(seed),
            rng: Rng::with_seed(seed),
            until_match: matches.one_in,
            matched: 0,
            record: Vec::new(),
        }
    }

    /// The next record, as [`Stencils::next`].
    pub fn next(&mut self, time: Time) -> &[u8] {
        if self.matches.one_in > 0 && self.stencils.tweet_comes() {
            self.until_match -= 1;
            if self.until_match == 0 {
                self.until_match = self.matches.one_in;
                self.stencils.skip();
                self.make_match(time);
                return &self.record;
            }
        }
        self.stencils.next(time)
    }

    /// How many tweets have asked for an offer.
    pub fn matched(&self) -> u64 {
        self.matched
    }

    fn make_match(&mut self, time: Time) {
        let (offer, account) = (self.rng.u64(0..self.matches.offers), self.rng.u64(0..self.matches.accounts));
        let draft = Draft {
            time,
            author: account_id(account),
            handle: &handle(account),
            text: &format!("one {} for me please", tag(offer)),
            format: Format::V1,
        };
        self.record = self.maker.tweet(&draft).1;
        self.matched += 1;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::core::tweet::{self, Record};

    #[test]
    fn one_tweet_in_so_many_asks_for_an_offer() {
        let now: Time = "2026-03-01T12:00:00Z".parse().unwrap();
        let matches = Matches { one_in: 10, offers: 3, accounts: 2 };
        let mut mix = Mix::new(Stencils::made_up(1), matches, 1);
        let (mut ids, mut tweets, mut tags, mut authors) =
            (HashSet::new(), 0, HashSet::new(), HashSet::new());
        for number in 0..10_000 {
            let Ok(Record::Tweet(tweet)) = tweet::parse(mix.next(now.plus(number / 50))) else { continue };
            assert_eq!(tweet.time, now.plus(number / 50));
            tweets += u64::from(ids.insert(tweet.id));
            if let Some(tag) = tweet.text.hashtags().find(|tag| tag.body.starts_with("BuyArticle")) {
                tags.insert(tag.body.to_owned());
                authors.insert(tweet.author);
            }
        }
        assert!(mix.matched().abs_diff(tweets / 10) <= 2, "{} of {tweets}", mix.matched());
        assert_eq!(tags, ["BuyArticle0x", "BuyArticle1x", "BuyArticle2x"].map(String::from).into());
        assert_eq!(authors, [account_id(0), account_id(1)].into());
    }

    #[test]
    fn without_offers_nobody_asks() {
        let now: Time = "2026-03-01T12:00:00Z".parse().unwrap();
        for (one_in, offers, accounts) in [(0, 3, 3), (1, 0, 3), (1, 3, 0)] {
            let mut mix = Mix::new(Stencils::made_up(1), Matches { one_in, offers, accounts }, 1);
            for _ in 0..100 {
                mix.next(now);
            }
            assert_eq!(mix.matched(), 0);
        }
    }
}
