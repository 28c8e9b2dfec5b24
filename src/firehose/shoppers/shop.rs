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
