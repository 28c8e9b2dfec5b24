//! What the desk writes: events for `purchases` and `orders`, in the JSON of the contract.

mod details;
mod kind;
mod why;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use self::details::Details;
pub use self::kind::EventKind;
pub use self::why::{Cause, Reason};

use super::ids::{AccountId, TweetId, event_id};
use super::offer::Offer;
use super::time::Time;

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
    use crate::core::money::{Currency, Money};
    use crate::core::transaction::CardToken;

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
