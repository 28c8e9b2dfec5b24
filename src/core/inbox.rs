//! The records of the inbox: everything the desk decides on, in one order.
//!
//! Each record has a key, which says which entity handles it and so into which partition it goes
//! ([`Key`]), or goes to every partition. In the topic it is [versioned](super::versioned) JSON.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::account::Account;
use super::code::Code;
use super::ids::{AccountId, TweetId};
use super::offer::Offer;
use super::settings::Shared;
use super::time::Time;
use super::transaction::{CardToken, Transaction};
pub use super::versioned::{Corrupt, Version, decode, encode, encode_as};

/// Who handles a record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// `account/<author id>`: what the account has pending, and its limits.
    Account(AccountId),
    /// `offer/<offer id>`: the stock of an offer.
    Offer(String),
    /// `card/<token>`: the coupons on a card.
    Card(CardToken),
    /// Every partition handles it.
    Everywhere,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Key::Account(id) => write!(f, "account/{id}"),
            Key::Offer(id) => write!(f, "offer/{id}"),
            Key::Card(token) => write!(f, "card/{}", token.as_str()),
            Key::Everywhere => f.write_str("*"),
        }
    }
}

/// One record of the inbox.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Inbox {
    /// From the scan: a tweet with offer tags or codes in its own text.
    Sighting(Sighting),
    /// From the scan: a linked author deleted a tweet.
    Deletion {
        /// Whose tweet it was.
        account: AccountId,
        /// The id in the notice: a version of the tweet or the first of its chain.
        tweet_id: TweetId,
    },
    /// From the feeder: the record of an account, `None` when it was unlinked.
    Account {
        /// Whose record it is.
        account_id: AccountId,
        /// Where it stood in its source.
        position: Position,
        /// The record.
        account: Option<Arc<Account>>,
    },
    /// From the feeder: the record of an offer with a stock.
    Offer {
        /// The record.
        offer: Arc<Offer>,
    },
    /// From the feeder, to every partition: when an offer ends by its newest record. Accounts count
    /// their units of it until a day later, however often it is prolonged.
    Ends {
        /// Which offer.
        offer_id: String,
        /// Its end.
        ends_at: Time,
        /// Where the offer's record stood in its source; none if there is none, or by an older release.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        position: Option<Position>,
    },
    /// From the feeder, to every partition: an offer is withdrawn, and what is pending with it. One that comes
    /// again after a newer record of the offer does nothing: what is pending by then was asked for later.
    Withdrawn {
        /// Which offer.
        offer_id: String,
        /// As with [`Inbox::Ends`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        position: Option<Position>,
    },
    /// From an account to the stock of an offer: a confirmation that wants a unit.
    Submitted(Box<Confirmation>),
    /// From an account to the stock of an offer: a unit went without asking, because the purchase
    /// was requested under a version without a stock.
    Sold {
        /// Which offer.
        offer_id: String,
    },
    /// From the stock to the account: what became of a submitted purchase.
    Answer {
        /// Whose purchase it is.
        account: AccountId,
        /// Which one.
        purchase_id: Uuid,
        /// Whether there was a unit left.
        confirmed: bool,
    },
    /// From an account to its card: a coupon's tag, by which the coupon is loaded.
    Load(Box<Load>),
    /// From the card to the account: that coupon was not loaded, since the card has one of the offer already.
    NotLoaded(Box<Load>),
    /// From an account to a card on which it has loaded coupons: whether they can be redeemed from now on.
    Standing {
        /// The card.
        card_token: CardToken,
        /// Whose coupons.
        account: AccountId,
        /// True if the account is linked and not frozen.
        active: bool,
    },
    /// From the feeder: a record of `card-transactions`.
    Transaction(Box<Transaction>),
    /// From the feeder, to every partition: how far the card transactions have come by their own time.
    Progress {
        /// Every card transaction before it is in the inbox.
        time: Time,
    },
    /// From the stock, to every partition: nothing is left.
    SoldOut {
        /// Which offer.
        offer_id: String,
        /// The newest version that the stock has seen.
        version: u64,
        /// Units sold, over all versions.
        sold: u64,
    },
    /// From the time keeper, to every partition: every tweet up to `time` is in the inbox.
    Mark {
        /// The tweet time up to which the inbox is complete.
        time: Time,
        /// The settings that decide.
        settings: Shared,
    },
}

/// One tweet whose own text carries offer tags or codes, with all of them in the order of the text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sighting {
    /// The author.
    pub account: AccountId,
    /// The id of the version that was seen.
    pub tweet_id: TweetId,
    /// The first id of its edit chain: the tweet's identity.
    pub first_id: TweetId,
    /// Tweet time of this version.
    pub time: Time,
    /// The author's handle without `@`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handle: Option<String>,
    /// Whether the author's tweets are protected.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub protected: bool,
    /// Codes in the order of the text, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<SeenCode>,
    /// Offers in the order of the text, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub offers: Vec<SeenOffer>,
}

/// A code in a tweet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeenCode {
    /// The hashtag as typed, with its sign.
    pub hashtag: String,
    /// The code in it.
    pub code: Code,
}

/// An offer's tag in a tweet, with the offer as it stood when the tweet was scanned: the price is
/// as shown, and the desk needs no table of offers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeenOffer {
    /// The hashtag as typed, with its sign.
    pub hashtag: String,
    /// The offer.
    pub offer: Arc<Offer>,
}

/// The place of a record in its source; later ones are greater.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    /// Raised by hand when the source was made anew.
    pub epoch: u64,
    /// The offset within it.
    pub offset: u64,
}

/// A confirmation on its way to the stock, with everything that the events about it say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Confirmation {
    /// Whose purchase it is.
    pub account: AccountId,
    /// Which one.
    pub purchase_id: Uuid,
    /// The offer as it stood at the request.
    pub offer: Arc<Offer>,
    /// The first id of the offer tweet's chain.
    pub offer_tweet: TweetId,
    /// The version of the tweet that confirmed.
    pub confirm_tweet: TweetId,
    /// Its tweet time.
    pub confirmed_at: Time,
    /// Whom the reply addresses, without `@`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The card at the confirmation.
    pub card_token: String,
    /// The delivery reference at the confirmation.
    pub delivery_ref: String,
}

/// A tweet with a coupon's tag, on its way to the card.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Load {
    /// The author.
    pub account: AccountId,
    /// The account's card at that time, on which the coupon stays.
    pub card_token: CardToken,
    /// The coupon as it stood when the tweet was scanned.
    pub offer: Arc<Offer>,
    /// The id of the version that was seen.
    pub tweet_id: TweetId,
    /// Its tweet time: payments from here on redeem the coupon.
    pub time: Time,
    /// The hashtag as typed, with its sign.
    pub hashtag: String,
    /// Whom the reply addresses, without `@`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

impl Inbox {
    /// Who handles the record.
    pub fn key(&self) -> Key {
        match self {
            Inbox::Sighting(sighting) => Key::Account(sighting.account),
            Inbox::Deletion { account, .. } | Inbox::Answer { account, .. } => Key::Account(*account),
            Inbox::Account { account_id, .. } => Key::Account(*account_id),
            Inbox::Offer { offer } => Key::Offer(offer.offer_id.clone()),
            Inbox::Submitted(confirmation) => Key::Offer(confirmation.offer.offer_id.clone()),
            Inbox::Sold { offer_id } => Key::Offer(offer_id.clone()),
            Inbox::Load(load) => Key::Card(load.card_token.clone()),
            Inbox::NotLoaded(load) => Key::Account(load.account),
            Inbox::Standing { card_token, .. } => Key::Card(card_token.clone()),
            Inbox::Transaction(transaction) => Key::Card(transaction.card_token.clone()),
            Inbox::Ends { .. }
            | Inbox::Withdrawn { .. }
            | Inbox::SoldOut { .. }
            | Inbox::Progress { .. }
            | Inbox::Mark { .. } => Key::Everywhere,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sold() -> Inbox {
        Inbox::Sold { offer_id: "pot".into() }
    }

    #[test]
    fn keys_name_the_entity() {
        assert_eq!(sold().key().to_string(), "offer/pot");
        let account = AccountId::new(7).unwrap();
        let deletion = Inbox::Deletion { account, tweet_id: TweetId::new(8).unwrap() };
        assert_eq!(deletion.key().to_string(), "account/7");
        let ends = Inbox::Ends { offer_id: "pot".into(), ends_at: Time::ZERO, position: None };
        assert_eq!(ends.key(), Key::Everywhere);
    }
}
