//! What the desk writes: events for `purchases` and `orders`, in the JSON of the contract.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::ids::{AccountId, TweetId, event_id};
use super::money::Money;
use super::offer::Offer;
use super::time::Time;
use super::transaction::CardToken;

/// One event. Its JSON has `type`, then what all events have, then what this type has. It is read back by
/// what is in it: no type has all that an earlier one needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The type as consumers see it.
    #[serde(rename = "type")]
    pub kind: EventKind,
    /// The same on every replay.
    pub event_id: Uuid,
    /// The account it is about.
    pub account_id: AccountId,
    /// When it counts as having happened; each type has its own rule.
    pub at: Time,
    /// The purchase, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purchase_id: Option<Uuid>,
    /// The offer, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offer_id: Option<String>,
    /// The version of the offer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offer_version: Option<u64>,
    /// What only this type has.
    #[serde(flatten)]
    pub details: Details,
}

/// The types of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum EventKind {
    /// An offer tweet was accepted; the code is on its way to the buyer.
    #[serde(rename = "purchase.requested")]
    Requested,
    /// The same code once more.
    #[serde(rename = "purchase.reminded")]
    Reminded,
    /// The deal is closed.
    #[serde(rename = "purchase.confirmed")]
    Confirmed,
    /// The deadline passed without a confirmation.
    #[serde(rename = "purchase.lapsed")]
    Lapsed,
    /// The purchase was ended before its deadline.
    #[serde(rename = "purchase.cancelled")]
    Cancelled,
    /// The answer to a tweet that leads to no purchase.
    #[serde(rename = "purchase.refused")]
    Refused,
    /// A coupon is on the card.
    #[serde(rename = "coupon.loaded")]
    CouponLoaded,
    /// A payment has earned the coupon's credit.
    #[serde(rename = "coupon.redeemed")]
    CouponRedeemed,
    /// Refunds have left too little of that payment: the credit is taken back.
    #[serde(rename = "coupon.reversed")]
    CouponReversed,
    /// No payment has come in time.
    #[serde(rename = "coupon.expired")]
    CouponExpired,
    /// For biller and shipper: the confirmed purchase with card and delivery reference.
    #[serde(rename = "order.placed")]
    OrderPlaced,
    /// For the biller: the credit of a redeemed coupon, with the card.
    #[serde(rename = "order.credited")]
    OrderCredited,
    /// For the biller: the credit that is taken back, with the card.
    #[serde(rename = "order.credit_reversed")]
    OrderCreditReversed,
}

impl EventKind {
    /// All types.
    pub const ALL: [EventKind; 13] = [
        EventKind::Requested,
        EventKind::Reminded,
        EventKind::Confirmed,
        EventKind::Lapsed,
        EventKind::Cancelled,
        EventKind::Refused,
        EventKind::CouponLoaded,
        EventKind::CouponRedeemed,
        EventKind::CouponReversed,
        EventKind::CouponExpired,
        EventKind::OrderPlaced,
        EventKind::OrderCredited,
        EventKind::OrderCreditReversed,
    ];

    /// The type as consumers see it.
    pub const fn as_str(self) -> &'static str {
        match self {
            EventKind::Requested => "purchase.requested",
            EventKind::Reminded => "purchase.reminded",
            EventKind::Confirmed => "purchase.confirmed",
            EventKind::Lapsed => "purchase.lapsed",
            EventKind::Cancelled => "purchase.cancelled",
            EventKind::Refused => "purchase.refused",
            EventKind::CouponLoaded => "coupon.loaded",
            EventKind::CouponRedeemed => "coupon.redeemed",
            EventKind::CouponReversed => "coupon.reversed",
            EventKind::CouponExpired => "coupon.expired",
            EventKind::OrderPlaced => "order.placed",
            EventKind::OrderCredited => "order.credited",
            EventKind::OrderCreditReversed => "order.credit_reversed",
        }
    }
}

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

impl Event {
    /// The tweet that has directly caused it; none if something else has: time, a table, a deletion.
    pub fn tweet(&self) -> Option<TweetId> {
        match &self.details {
            Details::Requested { reply, .. } => Some(reply.in_reply_to),
            Details::Reminded { tweet_id, .. } | Details::Refused { tweet_id, .. } => Some(*tweet_id),
            Details::Confirmed { confirm_tweet_id, .. } => Some(*confirm_tweet_id),
            Details::CouponLoaded { tweet_id, .. } => Some(*tweet_id),
            Details::Lapsed { .. }
            | Details::Cancelled { .. }
            | Details::OrderPlaced { .. }
            | Details::OrderCredit { .. }
            | Details::CouponCredit { .. }
            | Details::CouponExpired { .. } => None,
        }
    }
}

/// What the reply bot is to tweet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The tweet that is answered: the version's own id.
    pub in_reply_to: TweetId,
    /// The handle without `@`, if any is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// At most 280 characters as the microblog counts them.
    pub text: String,
}

/// What ended a purchase before its deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The offer tweet was deleted.
    Deleted,
    /// The account was frozen.
    Frozen,
    /// The account was unlinked.
    Unlinked,
    /// The offer was withdrawn, pending purchases included.
    Withdrawn,
    /// No unit was left at the confirmation.
    SoldOut,
}

impl Cause {
    /// All causes.
    pub const ALL: [Cause; 5] =
        [Cause::Deleted, Cause::Frozen, Cause::Unlinked, Cause::Withdrawn, Cause::SoldOut];

    /// The cause as consumers see it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Cause::Deleted => "deleted",
            Cause::Frozen => "frozen",
            Cause::Unlinked => "unlinked",
            Cause::Withdrawn => "withdrawn",
            Cause::SoldOut => "sold_out",
        }
    }
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// Why a tweet is refused, in the order in which the reasons are tested.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Reason {
            $($(#[$doc])* $variant,)*
        }

        impl Reason {
            /// All reasons.
            pub const ALL: &'static [Reason] = &[$(Reason::$variant,)*];

            /// The reason as consumers see it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Reason::$variant => $name,)*
                }
            }
        }
    };
}

reasons! {
    /// The author has no account.
    NotLinked = "not_linked",
    /// The author's tweets are protected: nobody could see the answer.
    Protected = "protected",
    /// The account is frozen.
    Frozen = "frozen",
    /// Too many wrong codes within an hour.
    Locked = "locked",
    /// The code's purchase is over, or its deadline was before the tweet.
    Lapsed = "lapsed",
    /// A code of somebody else or of nobody.
    WrongCode = "wrong_code",
    /// The offer tweet is more than an hour old.
    TooOld = "too_old",
    /// The card was linked less than an hour before the tweet.
    OnHold = "on_hold",
    /// The offer is not open at the tweet's time, or withdrawn.
    NotOpen = "not_open",
    /// No unit is left.
    SoldOut = "sold_out",
    /// A limit on numbers.
    LimitReached = "limit_reached",
    /// The limit on the amount of a day.
    CapExceeded = "cap_exceeded",
}

/// What an event is about: the fields that all events share, and from which its id is made.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'s> {
    /// The account.
    pub account: AccountId,
    /// The purchase, where there is one.
    pub purchase_id: Option<Uuid>,
    /// Id and version of the offer, where there is one.
    pub offer: Option<(&'s str, u64)>,
}

impl<'s> Subject<'s> {
    /// A purchase of an offer.
    pub fn purchase(account: AccountId, purchase_id: Uuid, offer: &'s Offer) -> Subject<'s> {
        Subject { account, purchase_id: Some(purchase_id), offer: Some((&offer.offer_id, offer.version)) }
    }

    /// The event of this subject. `cause` is the tweet or card transaction that caused it; `tag` the folded
    /// hashtag without its sign, which stands in the id where there is no offer.
    pub fn event(
        self,
        kind: EventKind,
        at: Time,
        cause: impl ToString,
        tag: &str,
        details: Details,
    ) -> Event {
        let subject = match self.purchase_id {
            Some(purchase) => purchase.to_string(),
            None => self.account.to_string(),
        };
        let what = self.offer.map_or(tag, |(id, _)| id);
        Event {
            kind,
            event_id: event_id(kind.as_str(), &subject, &cause.to_string(), what),
            account_id: self.account,
            at,
            purchase_id: self.purchase_id,
            offer_id: self.offer.map(|(id, _)| id.to_owned()),
            offer_version: self.offer.map(|(_, version)| version),
            details,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::money::Currency;

    fn details(kind: EventKind, product: Option<String>) -> Details {
        let (one, other) = (TweetId::new(7).unwrap(), TweetId::new(8).unwrap());
        let (time, price) =
            (Time::from_millis(1_360_756_800_123), Money::new(2_450, Currency::parse("USD").unwrap()));
        let to = product.clone();
        let reply = Reply { in_reply_to: other, to, text: "Tweet #Confirm7K2QM4XA".to_owned() };
        let code = "#Confirm7K2QM4XA".to_owned();
        let merchant_id = product.clone();
        match kind {
            EventKind::Requested => Details::Requested {
                offer_tweet_id: one,
                code,
                issued_at: time,
                deadline: time.plus(1),
                price,
                product,
                reply,
            },
            EventKind::Reminded => {
                Details::Reminded { offer_tweet_id: one, tweet_id: other, code, deadline: time, reply }
            }
            EventKind::Confirmed => Details::Confirmed {
                offer_tweet_id: one,
                confirm_tweet_id: other,
                confirmed_at: time,
                price,
                product,
                merchant_id,
                reply,
            },
            EventKind::Lapsed => Details::Lapsed { offer_tweet_id: one, deadline: time, reply },
            EventKind::Cancelled => Details::Cancelled {
                offer_tweet_id: one,
                cause: Cause::SoldOut,
                reply: product.is_some().then_some(reply),
            },
            EventKind::Refused => Details::Refused {
                reason: Reason::WrongCode,
                tweet_id: other,
                hashtag: "#Tea".to_owned(),
                reply: product.is_some().then_some(reply),
            },
            EventKind::OrderPlaced => Details::OrderPlaced {
                product,
                merchant_id,
                price,
                card_token: "tok_1".to_owned(),
                delivery_ref: "addr_1".to_owned(),
                confirmed_at: time,
            },
            EventKind::OrderCredited | EventKind::OrderCreditReversed => Details::OrderCredit {
                card_token: CardToken::new("tok_1"),
                transaction_id: "t-88".to_owned(),
                credited: price,
            },
            EventKind::CouponRedeemed | EventKind::CouponReversed => Details::CouponCredit {
                credit: price,
                merchant_id,
                redeem_by: time,
                transaction_id: "t-88".to_owned(),
                credited: price,
            },
            EventKind::CouponLoaded => {
                Details::CouponLoaded { credit: price, merchant_id, redeem_by: time, tweet_id: other, reply }
            }
            EventKind::CouponExpired => {
                Details::CouponExpired { credit: price, merchant_id, redeem_by: time }
            }
        }
    }

    #[test]
    fn every_type_is_read_back_as_it_was_written() {
        let (account, tweet) = (AccountId::new(5).unwrap(), TweetId::new(7).unwrap());
        for kind in EventKind::ALL {
            for (purchase_id, offer, product) in
                [(None, None, None), (Some(Uuid::from_u128(9)), Some(("tea", 3)), Some("Tea".to_owned()))]
            {
                let subject = Subject { account, purchase_id, offer };
                let event = subject.event(kind, Time::ZERO, tweet, "tea", details(kind, product));
                let json = serde_json::to_string(&event).unwrap();
                assert_eq!(serde_json::from_str::<Event>(&json).unwrap(), event, "{json}");
            }
        }
    }
}
