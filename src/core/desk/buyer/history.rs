//! What an account entity remembers beside its pendings, and for how long.
//!
//! Everything here has an end, after which it can matter no more: with `horizon` the age up to which
//! a tweet is still decided on, no tweet older than desk time - horizon will ask for it. Nothing is
//! read past its end, so it does not matter when exactly it is thrown away.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::core::code::Code;
use crate::core::desk::card::COUPON_KEPT;
use crate::core::event::Reason;
use crate::core::ids::TweetId;
use crate::core::money::Money;
use crate::core::time::{DAY, HOUR, SECOND, Time};
use crate::core::transaction::CardToken;

/// Settled markers an account has at most.
pub const MAX_MARKERS: usize = 256;
/// Deletions an account has remembered at most.
pub const MAX_DELETIONS: usize = 64;
/// A refusal is answered when the last answered one is at least that long ago, in milliseconds of
/// tweet time.
pub const REPLY_GAP: i64 = 60 * SECOND;

/// The memory of one account entity.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct History {
    /// Tweets that were decided on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub markers: Vec<Marker>,
    /// The newest deletions by this author, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub deletions: Vec<Deleted>,
    /// Purchases that are no longer pending.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub past: Vec<Past>,
    /// `issued_at` of each request.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub requested: Vec<Time>,
    /// Tweet times of wrong codes since the last lock.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub wrong_codes: Vec<Time>,
    /// Tweet times of the wrong codes that locked, each for an hour.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub locks: Vec<Time>,
    /// Tweet time of the last refusal that was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered: Option<Time>,
    /// Confirmed and submitted units of each offer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub units: Vec<Units>,
    /// Confirmed and submitted amounts of each UTC day and currency.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub spent: Vec<Spent>,
    /// Cards on which the account has loaded coupons.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cards: Vec<LoadedOn>,
    /// Desk time when the account was unlinked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unlinked_at: Option<Time>,
}

/// So many verdicts of a tweet are remembered. They are for whoever reads the changelog; without a bound a
/// long tweet full of invented codes, and a hundred of its kind, would make an account's state too large for a
/// record.
pub const MAX_VERDICTS: usize = 16;

/// A settled marker: the tweet was decided on, its copies do nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Marker {
    /// The tweet's identity: the first id of its chain.
    pub tweet: TweetId,
    /// The version that was decided on.
    pub version: TweetId,
    /// Its tweet time.
    pub time: Time,
    /// What became of its codes and tags, in the order in which they were decided: the first
    /// [`MAX_VERDICTS`].
    pub verdicts: Vec<Verdict>,
}

/// What became of one code or tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// What became of it.
    pub outcome: VerdictKind,
    /// The code, if it was one or led to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
}

/// What became of a code or tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VerdictKind {
    /// A purchase was requested.
    Requested,
    /// The code was sent once more.
    Reminded,
    /// A purchase was confirmed, or submitted to its stock.
    Confirmed,
    /// A coupon was passed on to its card.
    Loaded,
    /// Refused.
    Refused(Reason),
    /// Nothing: counted.
    Nothing,
}

/// A tweet that its author deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deleted {
    /// The id in the notice.
    pub tweet: TweetId,
    /// Its tweet time; of an id without one, desk time when it was deleted.
    pub time: Time,
}

/// A purchase that is no longer pending.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Past {
    /// Its code.
    pub code: Code,
    /// Its id.
    pub purchase_id: Uuid,
    /// The offer.
    pub offer_id: String,
    /// The version of the offer at the request.
    pub offer_version: u64,
    /// How it ended, if it has.
    pub outcome: Outcome,
    /// Its deadline.
    pub deadline: Time,
    /// Desk time of the decision.
    pub decided: Time,
}

/// How a purchase went on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Its stock decides; unit and amount are reserved.
    Submitted {
        /// The amount.
        price: Money,
        /// The UTC day of the confirming tweet, on which the amount counts.
        day: i64,
    },
    /// Bought.
    Confirmed,
    /// The deadline passed.
    Lapsed,
    /// Ended before.
    Cancelled,
}

/// Units of one offer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Units {
    /// The offer.
    pub offer_id: String,
    /// Confirmed and submitted, over all versions.
    pub units: u64,
    /// The end of the offer: as it was when they were bought, or as the partition was told since.
    pub ends_at: Time,
}

/// Amounts of one day and currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    /// The UTC day: days since 1 January 1970.
    pub day: i64,
    /// The sum; its currency is the counter's.
    pub sum: Money,
}

/// A card on which the account has loaded coupons: it hears of it when the account is frozen or unlinked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadedOn {
    /// The card.
    pub card_token: CardToken,
    /// The latest `redeem_by` of those coupons.
    pub redeem_by: Time,
}

impl History {
    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        *self == History::default()
    }

    /// Throws away what can matter no more. `ends_at` knows when offers end by their newest record;
    /// units are counted until a day after that, or after the end as it was when they were bought.
    pub fn prune(&mut self, desk_time: Time, horizon: i64, ends_at: impl Fn(&str) -> Option<Time>) {
        self.markers.retain(|marker| desk_time <= marker_end(marker, horizon));
        self.deletions.retain(|deleted| desk_time <= deleted.time.plus(horizon));
        self.past.retain(|past| past_end(past, horizon).is_none_or(|end| desk_time <= end));
        self.requested.retain(|issued| desk_time <= requested_end(*issued));
        self.wrong_codes.retain(|wrong| desk_time <= hourly_end(*wrong, horizon));
        self.locks.retain(|lock| desk_time <= hourly_end(*lock, horizon));
        for units in &mut self.units {
            units.ends_at = ends_at(&units.offer_id).unwrap_or(units.ends_at);
        }
        self.units.retain(|units| desk_time <= units_end(units));
        self.spent.retain(|spent| desk_time <= spent_end(spent));
        self.cards.retain(|card| desk_time <= card_end(card));
        self.answered = self
            .answered
            .filter(|answered| self.awaits_cards() || desk_time <= hourly_end(*answered, horizon));
        self.unlinked_at = self.unlinked_at.filter(|unlinked| desk_time <= unlinked.plus(DAY));
    }

    /// When it pays to prune next: the time at which all of the short-lived things are past their
    /// end, or all of the counters of days, or one of the counters of units. Nothing if there is
    /// nothing to be thrown away.
    pub fn next_prune(&self, horizon: i64) -> Option<Time> {
        let markers = self.markers.iter().map(|marker| marker_end(marker, horizon));
        let deletions = self.deletions.iter().map(|deleted| deleted.time.plus(horizon));
        let past = self.past.iter().filter_map(|past| past_end(past, horizon));
        let answered = self.answered.iter().filter(|_| !self.awaits_cards());
        let hourly = self.wrong_codes.iter().chain(&self.locks).chain(answered);
        let hourly = hourly.map(|time| hourly_end(*time, horizon));
        let requested = self.requested.iter().map(|issued| requested_end(*issued));
        let short = markers.chain(deletions).chain(past).chain(hourly).chain(requested).max();
        let days = self.spent.iter().map(spent_end).max();
        let units = self.units.iter().map(units_end).min();
        let cards = self.cards.iter().map(card_end).min();
        let unlinked = self.unlinked_at.map(|unlinked| unlinked.plus(DAY));
        [short, days, units, cards, unlinked].into_iter().flatten().min()
    }

    /// Whether a card may still say that it has not loaded a coupon: that is a refusal by the time of its tweet,
    /// however late it comes, and answered at most once a minute like all others.
    fn awaits_cards(&self) -> bool {
        !self.cards.is_empty()
    }

    /// The marker of a tweet.
    pub fn marker(&mut self, tweet: TweetId) -> Option<&mut Marker> {
        self.markers.iter_mut().find(|marker| marker.tweet == tweet)
    }

    /// Whether the author deleted a tweet, by the id of this version or the first of its chain.
    pub fn is_deleted(&self, version: TweetId, first: TweetId) -> bool {
        self.deletions.iter().any(|deleted| deleted.tweet == version || deleted.tweet == first)
    }

    /// Remembers a deletion; of more than [`MAX_DELETIONS`] the newest.
    pub fn delete(&mut self, tweet: TweetId, time: Time) {
        if self.deletions.iter().any(|deleted| deleted.tweet == tweet) {
            return;
        }
        if self.deletions.len() == MAX_DELETIONS {
            self.deletions.remove(0);
        }
        self.deletions.push(Deleted { tweet, time });
    }

    /// Confirmed and submitted units of an offer.
    pub fn units_of(&self, offer_id: &str) -> u64 {
        self.units.iter().find(|units| units.offer_id == offer_id).map_or(0, |units| units.units)
    }

    /// The confirmed and submitted amount of a day, in minor units.
    pub fn spent_on(&self, day: i64, amount: Money) -> i64 {
        let same = |spent: &&Spent| spent.day == day && spent.sum.currency == amount.currency;
        self.spent.iter().find(same).map_or(0, |spent| spent.sum.amount)
    }

    /// Takes a unit of an offer and its amount into the counters.
    pub fn reserve(&mut self, offer_id: &str, ends_at: Time, day: i64, price: Money) {
        self.take_unit(offer_id, ends_at);
        let same = |spent: &&mut Spent| spent.day == day && spent.sum.currency == price.currency;
        match self.spent.iter_mut().find(same) {
            Some(spent) => spent.sum.amount = spent.sum.amount.saturating_add(price.amount),
            None => self.spent.push(Spent { day, sum: price }),
        }
    }

    /// Gives back what [`History::reserve`] took.
    pub fn release(&mut self, offer_id: &str, day: i64, price: Money) {
        self.give_unit_back(offer_id);
        for spent in &mut self.spent {
            if spent.day == day && spent.sum.currency == price.currency {
                spent.sum.amount = spent.sum.amount.saturating_sub(price.amount).max(0);
            }
        }
    }

    /// Counts a unit of an offer.
    pub fn take_unit(&mut self, offer_id: &str, ends_at: Time) {
        match self.units.iter_mut().find(|units| units.offer_id == offer_id) {
            Some(units) => {
                units.units += 1;
                units.ends_at = units.ends_at.max(ends_at);
            }
            None => self.units.push(Units { offer_id: offer_id.to_owned(), units: 1, ends_at }),
        }
    }

    /// Counts a unit of an offer no more.
    pub fn give_unit_back(&mut self, offer_id: &str) {
        if let Some(units) = self.units.iter_mut().find(|units| units.offer_id == offer_id) {
            units.units = units.units.saturating_sub(1);
        }
        self.units.retain(|units| units.units > 0);
    }

    /// Remembers that a coupon was loaded on a card.
    pub fn loaded_on(&mut self, card_token: &CardToken, redeem_by: Time) {
        match self.cards.iter_mut().find(|card| card.card_token == *card_token) {
            Some(card) => card.redeem_by = card.redeem_by.max(redeem_by),
            None => self.cards.push(LoadedOn { card_token: card_token.clone(), redeem_by }),
        }
    }

    /// Whether codes are locked at a tweet's time: for an hour from a lock on.
    pub fn is_locked(&self, tweet_time: Time) -> bool {
        self.locks.iter().any(|&lock| lock <= tweet_time && tweet_time < lock.plus(HOUR))
    }

    /// Counts a wrong code. With the last one allowed within an hour codes are locked, and the
    /// count starts anew. True if it was that one.
    pub fn wrong_code(&mut self, tweet_time: Time, allowed: u64) -> bool {
        self.wrong_codes.push(tweet_time);
        let recent = self.wrong_codes.iter().filter(|&&wrong| wrong > tweet_time.minus(HOUR)).count();
        let locks = recent as u64 >= allowed;
        if locks {
            self.locks.push(tweet_time);
            self.wrong_codes.clear();
        }
        locks
    }

    /// Requests whose code was issued less than an hour before a tweet's time.
    pub fn requests_within_the_hour(&self, tweet_time: Time) -> u64 {
        self.requested.iter().filter(|&&issued| issued > tweet_time.minus(HOUR)).count() as u64
    }

    /// Whether a refusal at this tweet time is answered; if so, the next one within a minute is not.
    pub fn answer(&mut self, tweet_time: Time) -> bool {
        let answered = self.answered.is_none_or(|last| tweet_time.since(last) >= REPLY_GAP);
        if answered {
            self.answered = Some(tweet_time);
        }
        answered
    }
}

fn marker_end(marker: &Marker, horizon: i64) -> Time {
    marker.time.plus(horizon)
}

/// A submitted purchase has no end before its stock has answered.
fn past_end(past: &Past, horizon: i64) -> Option<Time> {
    match past.outcome {
        Outcome::Submitted { .. } => None,
        _ => Some(past.deadline.max(past.decided).plus(horizon)),
    }
}

/// A tweet that asks for an offer is at most an hour old, and counts the requests of an hour.
fn requested_end(issued: Time) -> Time {
    issued.plus(2 * HOUR)
}

/// A tweet with a code is at most a horizon old, and looks back an hour.
fn hourly_end(time: Time, horizon: i64) -> Time {
    time.plus(horizon.saturating_add(HOUR))
}

fn units_end(units: &Units) -> Time {
    units.ends_at.plus(DAY)
}

/// Card transactions may lag behind the tweets, and settlement comes late: as long as the card remembers the coupon.
fn card_end(card: &LoadedOn) -> Time {
    card.redeem_by.plus(COUPON_KEPT)
}

/// Two days from the beginning of the day on: longer than any tweet of the day is decided on.
fn spent_end(spent: &Spent) -> Time {
    Time::from_millis(spent.day.saturating_add(2).saturating_mul(DAY))
}
