//! What is on offer in the made-up world.

use serde_json::json;

use crate::core::time::{DAY, Time};

/// The article of which there are only so many.
pub(super) const SCARCE: usize = 7;
/// So many units of it are added to the stock at a time.
pub(super) const DELIVERY: u64 = 12;

/// An article and the terms of its offer.
pub(super) struct Article {
    pub id: &'static str,
    pub tag: &'static str,
    product: &'static str,
    price: (u64, &'static str),
    pub per_account: u32,
}

/// All articles.
pub(super) const ARTICLES: [Article; 8] = [
    Article {
        id: "teapot",
        tag: "#BuyTeapot",
        product: "Round Teapot",
        price: (2_450, "USD"),
        per_account: 1,
    },
    Article { id: "kite", tag: "#BuyKite", product: "Kite, 2 m", price: (1_800, "GBP"), per_account: 1 },
    Article { id: "lamp", tag: "#BuyLamp", product: "Reading Lamp", price: (3_990, "EUR"), per_account: 1 },
    Article { id: "socks", tag: "#BuySocks", product: "Striped Socks", price: (900, "USD"), per_account: 3 },
    Article { id: "radio", tag: "#BuyRadio", product: "Pocket Radio", price: (4_800, "JPY"), per_account: 1 },
    Article {
        id: "umbrella", tag: "#BuyParaplü", product: "Paraplü", price: (3_200, "CHF"), per_account: 1
    },
    Article { id: "tea", tag: "#BuyTea", product: "Tea, 500 g", price: (45_000, "INR"), per_account: 2 },
    Article { id: "globe", tag: "#BuyGlobe", product: "Glass Globe", price: (5_900, "USD"), per_account: 1 },
];

/// The record of an article's offer, open for a year from `start`.
pub(super) fn record(
    article: &Article,
    start: Time,
    window_seconds: i64,
    version: u64,
    stock: Option<u64>,
) -> String {
    let (amount, currency) = article.price;
    json!({
        "offer_id": article.id,
        "version": version,
        "kind": "purchase",
        "hashtag": article.tag,
        "product": article.product,
        "merchant_id": "m-1",
        "price": { "amount": amount, "currency": currency },
        "starts_at": start,
        "ends_at": start.plus(365 * DAY),
        "stock": stock,
        "per_account": article.per_account,
        "window_seconds": window_seconds,
    })
    .to_string()
}

/// The coupon whose last day is a week ago.
pub(super) const OVERDUE: usize = 3;

/// A coupon and its terms.
pub(super) struct Coupon {
    pub id: &'static str,
    pub tag: &'static str,
    product: &'static str,
    pub merchant: &'static str,
    /// What it earns at most, in minor units, and the currency of all amounts.
    pub credit: (i64, &'static str),
    /// The least amount that redeems it; none: any.
    least: Option<i64>,
}

impl Coupon {
    /// A payment of so much redeems it, and earns all of its credit.
    pub fn enough(&self) -> i64 {
        self.least.unwrap_or(0).max(self.credit.0)
    }
}

/// All coupons.
pub(super) const COUPONS: [Coupon; 4] = [
    Coupon {
        id: "shoes",
        tag: "#LoadShoes",
        product: "The shoe coupon",
        merchant: "m-2",
        credit: (1_000, "USD"),
        least: Some(5_000),
    },
    Coupon {
        id: "books",
        tag: "#LoadBooks",
        product: "The book coupon",
        merchant: "m-3",
        credit: (500, "GBP"),
        least: None,
    },
    Coupon {
        id: "garden",
        tag: "#LoadGarden",
        product: "The garden coupon",
        merchant: "m-4",
        credit: (2_500, "USD"),
        least: Some(2_500),
    },
    Coupon {
        id: "skates",
        tag: "#LoadSkates",
        product: "The skate coupon",
        merchant: "m-5",
        credit: (1_500, "USD"),
        least: Some(6_000),
    },
];

/// The record of a coupon, open for a year from `start`.
pub(super) fn coupon_record(coupon: &Coupon, start: Time, version: u64, redeem_by: Time) -> String {
    let money = |amount: i64| json!({ "amount": amount, "currency": coupon.credit.1 });
    let mut record = json!({
        "offer_id": coupon.id,
        "version": version,
        "kind": "coupon",
        "hashtag": coupon.tag,
        "product": coupon.product,
        "merchant_id": coupon.merchant,
        "credit": money(coupon.credit.0),
        "starts_at": start,
        "ends_at": start.plus(365 * DAY),
        "redeem_by": redeem_by,
    });
    if let Some(least) = coupon.least {
        record["min_spend"] = money(least);
    }
    record.to_string()
}
