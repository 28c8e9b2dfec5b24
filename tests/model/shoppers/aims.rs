//! Coming back to a tweet at the very millisecond at which something about it changes, and bursts
//! that use up what an account may have.

use serde_json::Value;

use super::{Aim, Shoppers, To, Tweet, id_of};
use crate::common::model::{HOUR, MINUTE, SECOND};
use crate::inputs::{self, tweet_id};

impl Shoppers {
    pub(super) fn aim(&mut self, event: &Value, issued_at: Option<i64>, deadline: Option<i64>) {
        let text = |field: &Value| field.as_str().map(str::to_owned);
        let tweet = text(&event["reply"]["in_reply_to"]).or(text(&event["tweet_id"]));
        let Some(time) = tweet.and_then(|id| hashbuy::core::time::Time::of_tweet_id(id.parse().unwrap()))
        else {
            return;
        };
        let account = text(&event["account_id"]).unwrap().parse().unwrap();
        let code = text(&event["code"]).map(|code| code.trim_start_matches("#Confirm").to_owned());
        let (offer, time) = (text(&event["offer_id"]), time.millis());
        let issued_at = issued_at.unwrap_or(time);
        self.aims.push(Aim { account, offer, time, issued_at, deadline, code });
        let excess = self.aims.len().saturating_sub(8);
        self.aims.drain(..excess);
    }

    /// Comes back to a tweet at the very millisecond at which something about it changes, or beside it.
    pub(super) fn come_back(&mut self) -> Vec<(To, Value)> {
        if self.aims.is_empty() {
            return vec![];
        }
        let aim = self.rng.pick(&self.aims).clone();
        let beside = self.rng.range(-1, 2);
        let horizon = 2 * HOUR + self.settings["slack_ms"].as_i64().unwrap();
        let known = self.offers.iter().find(|offer| Some(id_of(offer)) == aim.offer).cloned();
        let offer = known.unwrap_or_else(|| self.offers[0].clone());
        let (base, kind) = match self.rng.range(0, 20) {
            0..7 => (aim.time + MINUTE, 0),
            7..12 => (aim.deadline.unwrap_or(aim.time), 1),
            12..15 => (aim.time + HOUR, 2),
            15..17 => (aim.issued_at + HOUR, 0),
            17 => (aim.time + horizon, 3),
            18 => (aim.deadline.unwrap_or(aim.time) + horizon, 4),
            _ => (aim.time - HOUR, 2),
        };
        let time = base + beside;
        self.clock = self.clock.max(time);
        let mark = (To::Everywhere, inputs::mark(time, &self.settings));
        match (kind, &aim.code) {
            (1, Some(code)) => self.tweet(aim.account, time, &[code], &[]),
            (2, Some(code)) if self.rng.chance(50) => self.tweet(aim.account, time, &[code], &[]),
            (2, _) => self.tweet(aim.account, time, &["77770000"], &[]),
            (3, _) => {
                let tweets: Vec<Tweet> =
                    self.tweets.iter().filter(|tweet| tweet.time == aim.time).cloned().collect();
                let copies = tweets.into_iter().map(|tweet| (To::Account(tweet.account), tweet.record));
                std::iter::once(mark).chain(copies).collect()
            }
            (4, Some(code)) => {
                let mut all = vec![mark];
                all.extend(self.tweet(aim.account, self.clock, &[code], &[]));
                all
            }
            _ => self.tweet(aim.account, time, &[], &[&offer]),
        }
    }

    /// As many tweets as it takes to use up an account's markers.
    pub(super) fn burst(&mut self) -> Vec<(To, Value)> {
        if self.rng.chance(85) {
            return vec![];
        }
        let account = self.somebody();
        (0..250)
            .flat_map(|_| {
                let time = self.clock - self.rng.range(0, 3 * SECOND);
                self.tweet(account, time, &["7777AAAA"], &[])
            })
            .collect()
    }

    /// More deletions than are remembered, and then some of the tweets.
    pub(super) fn burst_of_deletions(&mut self) -> Vec<(To, Value)> {
        let account = self.somebody();
        let n = self.rng.range(62, 68) as u64;
        let ids: Vec<u64> = (0..n).map(|i| tweet_id(self.clock - SECOND, 0x10_0000 + self.ids + i)).collect();
        let mut all: Vec<(To, Value)> =
            ids.iter().map(|id| (To::Account(account), inputs::deletion(account, *id))).collect();
        self.ids += n;
        let offer = self.offers[3].clone();
        for id in ids.into_iter().take(4) {
            let record = inputs::sighting(account, id, id, self.clock - SECOND, &[], &[&offer]);
            all.push((To::Account(account), record));
        }
        all
    }
}
