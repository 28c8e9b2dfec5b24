//! What a card says of its coupons.

use super::kept::{Payment, Refund};
use super::{Coupon, Terms};
use crate::core::desk::turn::Turn;
use crate::core::event::{Details, EventKind, Subject};
use crate::core::money::Money;
use crate::core::reply::{Values, reply};
use crate::core::time::Time;
use crate::core::transaction::CardToken;

/// Writes `coupon.loaded`, with its reply.
pub(super) fn loaded(coupon: &Coupon, to: Option<&str>, turn: &mut Turn<'_>) {
    let Terms { credit, redeem_by, .. } = coupon.terms();
    let offer = &*coupon.offer;
    let values = Values {
        to,
        until: &redeem_by.date_and_minute(),
        product: offer.product.as_deref().unwrap_or(&offer.hashtag),
        price: &credit.to_string(),
        offer_tag: &offer.hashtag,
        ..Values::default()
    };
    let details = Details::CouponLoaded {
        credit,
        merchant_id: offer.merchant_id.clone(),
        redeem_by,
        tweet_id: coupon.tweet_id,
        reply: reply(&turn.settings.texts.loaded, coupon.tweet_id, &values),
    };
    let (at, cause) = (coupon.loaded_at, coupon.tweet_id);
    turn.effects.event(subject(coupon).event(EventKind::CouponLoaded, at, cause, "", details));
}

/// Writes `coupon.redeemed`, and directly behind it `order.credited`.
pub(super) fn redeemed(
    coupon: &Coupon,
    payment: &Payment,
    credited: Money,
    card: &CardToken,
    turn: &mut Turn<'_>,
) {
    let kinds = (EventKind::CouponRedeemed, EventKind::OrderCredited);
    credit(coupon, kinds, &payment.transaction_id, payment.at, credited, card, turn);
}

/// Writes `coupon.reversed`, and directly behind it `order.credit_reversed`.
pub(super) fn reversed(
    coupon: &Coupon,
    refund: &Refund,
    credited: Money,
    card: &CardToken,
    turn: &mut Turn<'_>,
) {
    let kinds = (EventKind::CouponReversed, EventKind::OrderCreditReversed);
    credit(coupon, kinds, &refund.transaction_id, refund.at, credited, card, turn);
}

/// Writes `coupon.expired`.
pub(super) fn expired(coupon: &Coupon, turn: &mut Turn<'_>) {
    let Terms { credit, redeem_by, .. } = coupon.terms();
    let details = Details::CouponExpired { credit, merchant_id: coupon.offer.merchant_id.clone(), redeem_by };
    let event = subject(coupon).event(EventKind::CouponExpired, redeem_by, coupon.tweet_id, "", details);
    turn.effects.event(event);
}

fn credit(
    coupon: &Coupon,
    (event, order): (EventKind, EventKind),
    transaction_id: &str,
    at: Time,
    credited: Money,
    card: &CardToken,
    turn: &mut Turn<'_>,
) {
    let Terms { credit, redeem_by, .. } = coupon.terms();
    let details = Details::CouponCredit {
        credit,
        merchant_id: coupon.offer.merchant_id.clone(),
        redeem_by,
        transaction_id: transaction_id.to_owned(),
        credited,
    };
    let subject = subject(coupon);
    turn.effects.event(subject.event(event, at, transaction_id, "", details));
    let details = Details::OrderCredit {
        card_token: card.clone(),
        transaction_id: transaction_id.to_owned(),
        credited,
    };
    turn.effects.order(subject.event(order, at, transaction_id, "", details));
}

fn subject(coupon: &Coupon) -> Subject<'_> {
    let offer = Some((coupon.offer.offer_id.as_str(), coupon.offer.version));
    Subject { account: coupon.account, purchase_id: None, offer }
}
