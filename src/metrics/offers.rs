//! What is counted by offer. Who keeps the table decides how many offers there are, so only a bounded number has
//! series of their own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use metrics::{counter, gauge};

use super::defined::*;
use crate::core::event::{Details, Event, EventKind};
use crate::core::money::Currency;

/// What a desk decided in one batch.
#[derive(Debug, Clone, Default)]
pub struct Decided {
    /// By type, and reason or cause (empty: neither).
    events: BTreeMap<(&'static str, &'static str), u64>,
    /// Confirmations and loaded coupons, by offer.
    sold: BTreeMap<String, u64>,
    /// Prices of confirmations, by offer and currency.
    revenue: BTreeMap<(String, Currency), u64>,
}

impl Decided {
    /// Counts an event.
    pub fn count(&mut self, event: &Event) {
        let reason = match &event.details {
            Details::Refused { reason, .. } => reason.as_str(),
            Details::Cancelled { cause, .. } => cause.as_str(),
            _ => "",
        };
        *self.events.entry((event.kind.as_str(), reason)).or_default() += 1;
        if let (EventKind::Confirmed | EventKind::CouponLoaded, Some(offer)) = (event.kind, &event.offer_id) {
            *self.sold.entry(offer.clone()).or_default() += 1;
        }
        if let (Details::Confirmed { price, .. }, Some(offer)) = (&event.details, &event.offer_id) {
            *self.revenue.entry((offer.clone(), price.currency)).or_default() += price.amount.unsigned_abs();
        }
    }

    /// Adds the batch to the metrics.
    pub fn publish(&self) {
        for (&(kind, reason), &n) in &self.events {
            DESK_EVENTS.add(&[kind, reason], n);
        }
        if !self.sold.is_empty() {
            let mut named = NAMED.lock().unwrap_or_else(PoisonError::into_inner);
            for (offer, &n) in &self.sold {
                let offer = name_of(&mut named, offer).to_owned();
                counter!(OFFER_SOLD.name, "offer" => offer).increment(n);
            }
            for ((offer, currency), &amount) in &self.revenue {
                let (offer, currency) = (name_of(&mut named, offer).to_owned(), currency.code().to_owned());
                counter!(OFFER_REVENUE.name, "offer" => offer, "currency" => currency).increment(amount);
            }
        }
    }
}

/// So many offers have series of their own in a process; those of a counter are never forgotten.
const MOST_NAMED: usize = 1_000;

/// The offers that have one.
static NAMED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// The name of an offer in labels; empty, as no offer's id is, for one that comes when all series are taken.
fn name_of<'o>(named: &mut BTreeSet<String>, offer: &'o str) -> &'o str {
    if !named.contains(offer) {
        if named.len() >= MOST_NAMED {
            return "";
        }
        named.insert(offer.to_owned());
    }
    offer
}

/// Units to sell, and units sold, of offers with a stock, in the order of their ids; where one of the two is not
/// known to this process it is left out.
pub fn units<'o>(all: impl IntoIterator<Item = (&'o str, Option<u64>, Option<u64>)>) {
    for (offer, stock, sold) in all.into_iter().take(MOST_NAMED) {
        for (metric, value) in [(&OFFER_STOCK, stock), (&OFFER_UNITS, sold)] {
            if let Some(value) = value {
                gauge!(metric.name, "offer" => offer.to_owned()).set(value as f64);
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    /// What the price was, for purchases alone.
    #[test]
    fn confirmations_bring_revenue() {
        let confirmed = |offer: &str, currency: &str, amount: u64| -> Event {
            let json = format!(
                r##"{{"type":"purchase.confirmed","event_id":"d731ae84-4623-532e-bc50-3621ec32fcfd","account_id":"7",
                "at":"2013-02-13T12:00:00.000Z","purchase_id":"f2e0dafc-0f78-5be0-8f1e-4a9b23a743df","offer_id":"{offer}",
                "offer_version":1,"offer_tweet_id":"8","confirm_tweet_id":"9","confirmed_at":"2013-02-13T12:00:00.000Z",
                "price":{{"amount":{amount},"currency":"{currency}"}},
                "reply":{{"in_reply_to":"9","text":"Thank you"}}}}"##
            );
            serde_json::from_str(&json).unwrap()
        };
        let mut decided = Decided::default();
        for event in [confirmed("tea", "EUR", 250), confirmed("tea", "EUR", 200), confirmed("tea", "JPY", 7)]
        {
            decided.count(&event);
        }
        let currency = |code| Currency::parse(code).unwrap();
        let of_tea = |code, amount| (("tea".to_owned(), currency(code)), amount);
        assert_eq!(decided.revenue.into_iter().collect::<Vec<_>>(), [of_tea("EUR", 450), of_tea("JPY", 7)]);
        assert_eq!(decided.sold["tea"], 3);
    }

    #[test]
    fn only_so_many_offers_have_a_series() {
        let mut named = BTreeSet::new();
        for n in 0..MOST_NAMED {
            let offer = n.to_string();
            assert_eq!(name_of(&mut named, &offer), offer);
        }
        assert_eq!(name_of(&mut named, "one more"), "");
        assert_eq!(name_of(&mut named, "7"), "7", "it has one already");
        assert_eq!(named.len(), MOST_NAMED);
    }
}
