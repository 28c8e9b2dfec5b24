//! What each type of event has besides what all have.

use serde::{Deserialize, Serialize};

#[cfg(doc)]
use super::EventKind;
use super::{Cause, Reason, Reply};
use crate::core::ids::TweetId;
use crate::core::money::Money;
use crate::core::time::Time;
use crate::core::transaction::CardToken;

/// What only one type of event has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Details {
    /// Of [`EventKind::Requested`].
    Requested {
        /// The first id of the offer tweet's chain.
        offer_tweet_id: TweetId,
        /// With sign and prefix.
        code: String,
        /// From here the window counts.
        issued_at: Time,
        /// The last millisecond at which the code buys.
        deadline: Time,
        /// As shown: whatever the offer costs later.
        price: Money,
        /// What is bought.
        #[serde(skip_serializing_if = "Option::is_none")]
        product: Option<String>,
        /// To the offer tweet.
        reply: Reply,
    },
    /// Of [`EventKind::Reminded`].
    Reminded {
        /// The first id of the offer tweet's chain.
        offer_tweet_id: TweetId,
        /// The tweet that asked again.
        tweet_id: TweetId,
        /// With sign and prefix.
        code: String,
        /// Unchanged.
        deadline: Time,
        /// To the tweet that asked again.
        reply: Reply,
    },
    /// Of [`EventKind::Confirmed`].
    Confirmed {
        /// The first id of the offer tweet's chain.
        offer_tweet_id: TweetId,
        /// The tweet with the code.
        confirm_tweet_id: TweetId,
        /// Its tweet time.
        confirmed_at: Time,
        /// As shown at the request.
        price: Money,
        /// What is bought.
        #[serde(skip_serializing_if = "Option::is_none")]
        product: Option<String>,
        /// Who sells.
        #[serde(skip_serializing_if = "Option::is_none")]
        merchant_id: Option<String>,
        /// To the confirming tweet.
        reply: Reply,
    },
    /// Of [`EventKind::Lapsed`].
    Lapsed {
        /// The first id of the offer tweet's chain.
        offer_tweet_id: TweetId,
        /// That passed.
        deadline: Time,
        /// To the offer tweet.
        reply: Reply,
    },
    /// Of [`EventKind::Cancelled`].
    Cancelled {
        /// The first id of the offer tweet's chain.
        offer_tweet_id: TweetId,
        /// What ended it.
        cause: Cause,
        /// To the confirming tweet, when the offer is sold out.
        #[serde(skip_serializing_if = "Option::is_none")]
        reply: Option<Reply>,
    },
    /// Of [`EventKind::Refused`].
    Refused {
        /// Why.
        reason: Reason,
        /// The tweet that is answered.
        tweet_id: TweetId,
        /// As typed, with its sign.
        hashtag: String,
        /// Absent when the account was answered less than a minute ago.
        #[serde(skip_serializing_if = "Option::is_none")]
        reply: Option<Reply>,
    },
    /// Of [`EventKind::OrderPlaced`].
    OrderPlaced {
        /// What is bought.
        #[serde(skip_serializing_if = "Option::is_none")]
        product: Option<String>,
        /// Who sells.
        #[serde(skip_serializing_if = "Option::is_none")]
        merchant_id: Option<String>,
        /// What the card is billed.
        price: Money,
        /// The card at the confirmation.
        card_token: String,
        /// Where it goes, as at the confirmation.
        delivery_ref: String,
        /// Tweet time of the confirmation.
        confirmed_at: Time,
    },
    /// Of [`EventKind::OrderCredited`] and [`EventKind::OrderCreditReversed`].
    OrderCredit {
        /// The card on which the coupon was loaded.
        card_token: CardToken,
        /// The payment, or the refund that has left too little.
        transaction_id: String,
        /// The amount, positive also when it is taken back.
        credited: Money,
    },
    /// Of [`EventKind::CouponRedeemed`] and [`EventKind::CouponReversed`].
    CouponCredit {
        /// What the coupon earns at most.
        credit: Money,
        /// Where it is redeemed.
        #[serde(skip_serializing_if = "Option::is_none")]
        merchant_id: Option<String>,
        /// The last moment at which a payment redeems it.
        redeem_by: Time,
        /// The payment, or the refund that has left too little.
        transaction_id: String,
        /// The amount, positive also when it is taken back.
        credited: Money,
    },
    /// Of [`EventKind::CouponLoaded`].
    CouponLoaded {
        /// What the coupon earns at most.
        credit: Money,
        /// Where it is redeemed.
        #[serde(skip_serializing_if = "Option::is_none")]
        merchant_id: Option<String>,
        /// The last moment at which a payment redeems it.
        redeem_by: Time,
        /// The tweet that has loaded it.
        tweet_id: TweetId,
        /// To that tweet.
        reply: Reply,
    },
    /// Of [`EventKind::CouponExpired`].
    CouponExpired {
        /// What the coupon would have earned at most.
        credit: Money,
        /// Where it could have been redeemed.
        #[serde(skip_serializing_if = "Option::is_none")]
        merchant_id: Option<String>,
        /// The last moment at which a payment would have redeemed it.
        redeem_by: Time,
    },
}
