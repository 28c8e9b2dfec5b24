//! Tweets once more: copies, later versions, deletions.

use serde_json::{Value, json};

use super::{Shoppers, To, Tweet};
use crate::common::model::MINUTE;
use crate::inputs::{self, tweet_id};

impl Shoppers {
    pub(super) fn copy(&mut self) -> Vec<(To, Value)> {
        if self.tweets.is_empty() {
            return vec![];
        }
        let tweet = self.rng.pick(&self.tweets).clone();
        vec![(To::Account(tweet.account), tweet.record)]
    }

    /// Another version of a tweet, within half an hour of the first.
    pub(super) fn edit(&mut self) -> Vec<(To, Value)> {
        if self.tweets.is_empty() {
            return vec![];
        }
        let old = self.rng.pick(&self.tweets).clone();
        let time = old.time + self.rng.range(1, 30 * MINUTE);
        if time > self.clock {
            return vec![];
        }
        self.ids += 1;
        let id = tweet_id(time, self.ids & 0xf_ffff);
        let mut record = old.record.clone();
        record["tweet_id"] = json!(id.to_string());
        record["time"] = json!(inputs::time(time));
        if self.rng.chance(50) {
            let offers = self.some_offers();
            let hashtag = offers[0]["hashtag"].clone();
            record["offers"] = json!([{"hashtag": hashtag, "offer": offers[0]}]);
        }
        self.say(Tweet { id, time, record, ..old })
    }

    pub(super) fn delete(&mut self) -> Vec<(To, Value)> {
        if self.tweets.is_empty() {
            return vec![];
        }
        let tweet = self.rng.pick(&self.tweets).clone();
        // Now and then the deletion overtakes its tweet.
        if self.rng.chance(30) {
            let time = self.clock;
            let offers = self.some_offers();
            let mut said = self.tweet(tweet.account, time, &[], &offers.iter().collect::<Vec<_>>());
            let id = self.tweets.last().map_or(tweet.id, |tweet| tweet.id);
            said.insert(0, (To::Account(tweet.account), inputs::deletion(tweet.account, id)));
            return said;
        }
        let id = if self.rng.chance(50) { tweet.id } else { tweet.chain };
        vec![(To::Account(tweet.account), inputs::deletion(tweet.account, id))]
    }
}
