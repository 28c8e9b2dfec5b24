//! The stock entity: the one writer of the fate of purchases of an offer with a stock.
//!
//! A unit is taken at the confirmation; none is held at the request. Units are counted over all
//! versions of the offer: a restock adds to what may be sold, it does not start anew.

use serde::{Deserialize, Serialize};

use super::turn::Turn;
use crate::core::event::{Cause, Details, EventKind, Subject};
use crate::core::inbox::{Confirmation, Inbox};
use crate::core::offer::Offer;
use crate::core::reply::{Values, reply};

/// The stock of one offer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stock {
    /// Units sold, over all versions, those without a stock too.
    sold: u64,
    /// The newest version that has been seen with a stock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    newest: Option<Newest>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Newest {
    version: u64,
    stock: u64,
}

impl Stock {
    /// Units sold, over all versions.
    pub fn sold_units(&self) -> u64 {
        self.sold
    }

    /// A record of the offer.
    pub(super) fn record(&mut self, offer: &Offer, turn: &mut Turn<'_>) {
        // Records of one version replace each other; an older version, come late, changes nothing.
        self.see(offer, |newest| offer.version >= newest.version);
        self.tell_if_sold_out(&offer.offer_id, turn);
    }

    /// A unit that an account sold by itself, under a version without a stock: it counts, but it
    /// was not held back.
    pub(super) fn sold(&mut self, offer_id: &str, turn: &mut Turn<'_>) {
        self.sold += 1;
        self.tell_if_sold_out(offer_id, turn);
    }

    /// A confirmation that wants a unit.
    pub(super) fn submitted(&mut self, confirmation: &Confirmation, turn: &mut Turn<'_>) {
        // What the buyer was shown is news only if no record of this version has come.
        self.see(&confirmation.offer, |newest| confirmation.offer.version > newest.version);
        let confirmed = self.newest.is_none_or(|newest| self.sold < newest.stock);
        if confirmed {
            self.sold += 1;
            write_confirmed(confirmation, turn);
        } else {
            write_sold_out(confirmation, turn);
        }
        turn.effects.send(Inbox::Answer {
            account: confirmation.account,
            purchase_id: confirmation.purchase_id,
            confirmed,
        });
        if confirmed {
            self.tell_if_sold_out(&confirmation.offer.offer_id, turn);
        }
    }

    /// Takes note of a version, if it is the first or newer than what is held.
    fn see(&mut self, offer: &Offer, is_newer: impl Fn(Newest) -> bool) {
        let Some(stock) = offer.stock else { return };
        if self.newest.is_none_or(is_newer) {
            self.newest = Some(Newest { version: offer.version, stock });
        }
    }

    fn tell_if_sold_out(&self, offer_id: &str, turn: &mut Turn<'_>) {
        let Some(newest) = self.newest else { return };
        if self.sold >= newest.stock {
            turn.effects.send(Inbox::SoldOut {
                offer_id: offer_id.to_owned(),
                version: newest.version,
                sold: self.sold,
            });
        }
    }
}

/// Writes `purchase.confirmed`, and directly behind it `order.placed`.
pub(super) fn write_confirmed(confirmation: &Confirmation, turn: &mut Turn<'_>) {
    let offer = &*confirmation.offer;
    let subject = Subject::purchase(confirmation.account, confirmation.purchase_id, offer);
    let details = Details::Confirmed {
        offer_tweet_id: confirmation.offer_tweet,
        confirm_tweet_id: confirmation.confirm_tweet,
        confirmed_at: confirmation.confirmed_at,
        price: offer.amount(),
        product: offer.product.clone(),
        merchant_id: offer.merchant_id.clone(),
        reply: reply(
            &turn.settings.texts.confirmed,
            confirmation.confirm_tweet,
            &values(confirmation, &offer.amount().to_string()),
        ),
    };
    let (at, cause) = (confirmation.confirmed_at, confirmation.confirm_tweet);
    turn.effects.event(subject.event(EventKind::Confirmed, at, cause, "", details));

    let details = Details::OrderPlaced {
        product: offer.product.clone(),
        merchant_id: offer.merchant_id.clone(),
        price: offer.amount(),
        card_token: confirmation.card_token.clone(),
        delivery_ref: confirmation.delivery_ref.clone(),
        confirmed_at: confirmation.confirmed_at,
    };
    turn.effects.order(subject.event(EventKind::OrderPlaced, at, cause, "", details));
}

fn write_sold_out(confirmation: &Confirmation, turn: &mut Turn<'_>) {
    let offer = &*confirmation.offer;
    let subject = Subject::purchase(confirmation.account, confirmation.purchase_id, offer);
    let text = &turn.settings.texts.sold_out;
    let details = Details::Cancelled {
        offer_tweet_id: confirmation.offer_tweet,
        cause: Cause::SoldOut,
        reply: Some(reply(
            text,
            confirmation.confirm_tweet,
            &values(confirmation, &offer.amount().to_string()),
        )),
    };
    let event = subject.event(EventKind::Cancelled, turn.desk_time, confirmation.offer_tweet, "", details);
    turn.effects.event(event);
}

fn values<'v>(confirmation: &'v Confirmation, price: &'v str) -> Values<'v> {
    let offer = &confirmation.offer;
    Values {
        to: confirmation.to.as_deref(),
        product: offer.product.as_deref().unwrap_or(&offer.hashtag),
        price,
        offer_tag: &offer.hashtag,
        ..Values::default()
    }
}
