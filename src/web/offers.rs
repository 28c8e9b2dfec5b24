//! The public list: what is open for sale, until when, and how many are left.

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{Html, IntoResponse};
use maud::{Markup, html};
use serde_json::{Value, json};

use super::Shared;
use super::layout::{duration, page as frame, table};
use crate::core::numeral::grouped;
use crate::core::offer::{Offer, OfferKind, OfferStatus};
use crate::core::time::Time;
use crate::service::{Listed, Offers};

/// Why a process has no list.
const NONE: &str = "This process does not read the table of offers: ask one that runs the scan.";

/// Those that are open, by the end that comes first.
fn open(offers: &Offers) -> Option<Vec<&Listed>> {
    let is_open = |Listed { offer, .. }: &&Listed| {
        offer.status == OfferStatus::Open && offer.starts_at <= offers.now && offers.now <= offer.ends_at
    };
    let mut open: Vec<&Listed> = offers.offers.as_ref()?.iter().filter(is_open).collect();
    open.sort_by_key(|listed| (listed.sold_out, listed.offer.ends_at, listed.offer.offer_id.clone()));
    Some(open)
}

/// Units that are left, if that is known: of a stock, by the process that has it.
fn left(listed: &Listed) -> Option<u64> {
    match listed {
        Listed { sold_out: true, .. } => Some(0),
        Listed { offer, sold, .. } => Some(offer.stock?.saturating_sub((*sold)?)),
    }
}

/// `/offers.json`.
pub async fn json(State(site): Shared) -> impl IntoResponse {
    let offers = site.status.offers();
    let now = offers.now;
    let list = open(&offers).map(|open| open.into_iter().map(value).collect::<Vec<_>>());
    let json = json!({ "at": now, "offers": list, "note": list.is_none().then_some(NONE) });
    ([(CONTENT_TYPE, "application/json")], json.to_string())
}

fn value(listed: &Listed) -> Value {
    let offer = &*listed.offer;
    let mut value = json!({
        "offer_id": offer.offer_id,
        "version": offer.version,
        "hashtag": offer.hashtag,
        "product": offer.product,
        "merchant_id": offer.merchant_id,
        "starts_at": offer.starts_at,
        "ends_at": offer.ends_at,
        "stock": offer.stock,
        "left": left(listed),
        "sold_out": listed.sold_out,
        "per_account": offer.per_account,
    });
    match &offer.kind {
        OfferKind::Purchase { price } => {
            value["kind"] = json!("purchase");
            value["price"] = json!(price);
        }
        OfferKind::Coupon { credit, min_spend, redeem_by } => {
            value["kind"] = json!("coupon");
            value["credit"] = json!(credit);
            value["min_spend"] = json!(min_spend);
            value["redeem_by"] = json!(redeem_by);
        }
    }
    value
}

/// `/offers`.
pub async fn page(State(site): Shared) -> Html<String> {
    let offers = site.status.offers();
    frame(
        "Offers",
        &site.name,
        "/offers",
        &html! {
            h1 { "On offer" }
            p { "Tweet a hashtag of this list; the answer has a confirmation hashtag. Tweet that within the time it names, and "
                "the linked card is billed. A coupon needs only the first tweet." }
            section #list data-live { (list(&offers)) }
        },
    )
}

/// The list itself.
pub fn list(offers: &Offers) -> Markup {
    let Some(open) = open(offers) else { return html! { p { (NONE) } } };
    if open.is_empty() {
        return html! { p { "Nothing is on offer at the moment." } };
    }
    let rows: Vec<Vec<Markup>> = open.into_iter().map(|listed| row(listed, offers.now)).collect();
    let header = ["Hashtag", "Product", "Price", "Time left", "Units left"];
    table("Open offers", &header, &rows)
}

fn row(listed: &Listed, now: Time) -> Vec<Markup> {
    let offer = &*listed.offer;
    let ends = offer.ends_at.to_string();
    vec![
        html! { b.tag { (offer.hashtag) } },
        html! { (offer.product.as_deref().unwrap_or("–")) },
        price(offer),
        html! { time datetime=(ends) { (duration(offer.ends_at.since(now))) } },
        match (offer.stock, left(listed)) {
            (_, Some(0)) => html! { strong.bad { "Sold out" } },
            (Some(stock), Some(left)) => html! {
                (grouped(left)) " of " (grouped(stock)) " "
                meter min="0" max=(stock) value=(left) aria-hidden="true" {}
            },
            (Some(stock), None) => html! { "of " (grouped(stock)) ", another process knows how many" },
            (None, _) => html! { "no limit" },
        },
    ]
}

fn price(offer: &Offer) -> Markup {
    match &offer.kind {
        OfferKind::Purchase { price } => html! { (price) },
        OfferKind::Coupon { credit, min_spend, .. } => html! {
            "up to " (credit) " back" @if let Some(least) = min_spend { " from " (least) " on" }
        },
    }
}
