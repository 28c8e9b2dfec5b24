//! The types of events.

use serde::{Deserialize, Serialize};

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
