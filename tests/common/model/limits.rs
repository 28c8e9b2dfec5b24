//! The limits, each worked out from the list of all purchases.

use hashbuy::core::offer::Offer;
use hashbuy::core::settings::Limits;

use super::accounts::{Account, Purchase, State};
use super::{DAY, HOUR};

/// The limits of one account: its own, else those of the settings.
pub struct Own<'a> {
    account: &'a Account,
    limits: &'a Limits,
}

impl<'a> Own<'a> {
    pub fn new(account: &'a Account, limits: &'a Limits) -> Own<'a> {
        Own { account, limits }
    }

    /// The least tweet time at which an offer tag counts.
    pub fn hold_ends(&self) -> i64 {
        let own = self.account.record.as_ref();
        let seconds = own.and_then(|r| r.caps.hold_seconds).unwrap_or(self.limits.hold_seconds);
        let linked_at = own.map_or(0, |r| r.linked_at.millis());
        linked_at.saturating_add(i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1_000))
    }

    pub fn wrong_codes(&self) -> u64 {
        let own = self.account.record.as_ref().and_then(|r| r.caps.wrong_codes_per_hour);
        own.unwrap_or(self.limits.wrong_codes_per_hour)
    }

    /// Why an offer tag in a tweet of this time cannot be taken.
    pub fn against_request(&self, offer: &Offer, time: i64) -> Option<&'static str> {
        let own = self.account.record.as_ref().map(|r| r.caps.clone()).unwrap_or_default();
        let open = |p: &&Purchase| p.state == State::Pending && p.deadline >= time;
        // open: a submitted purchase waits for no confirmation, so it is no pending ("limits stay
        // reserved" is about its unit and its amount).
        let all = &self.account.purchases;
        let pendings_of_offer =
            all.iter().filter(open).filter(|p| p.offer.offer_id == offer.offer_id).count();
        if self.units(offer) + pendings_of_offer as u64 + 1 > offer.per_account {
            return Some("limit_reached");
        }
        if all.iter().filter(open).count() as u64 + 1 > own.pendings.unwrap_or(self.limits.pendings) {
            return Some("limit_reached");
        }
        let requests = all.iter().filter(|p| p.issued_at > time - HOUR).count() as u64;
        if requests + 1 > own.requests_per_hour.unwrap_or(self.limits.requests_per_hour) {
            return Some("limit_reached");
        }
        let currency = offer.amount().currency;
        let pending: i64 = all
            .iter()
            .filter(open)
            .map(|p| p.offer.amount())
            .filter(|m| m.currency == currency)
            .map(|m| m.amount)
            .sum();
        self.against_amount(offer, time, pending)
    }

    /// Why an own code in a tweet of this time cannot confirm.
    pub fn against_confirmation(&self, offer: &Offer, time: i64) -> Option<&'static str> {
        if self.units(offer) + 1 > offer.per_account {
            return Some("limit_reached");
        }
        self.against_amount(offer, time, 0)
    }

    fn against_amount(&self, offer: &Offer, time: i64, pending: i64) -> Option<&'static str> {
        let price = offer.amount();
        let own = self.account.record.as_ref().and_then(|r| r.caps.per_day);
        if own.is_some_and(|cap| cap.currency != price.currency) {
            return Some("cap_exceeded");
        }
        let cap = own.map_or(self.limits.per_day, |cap| cap.amount);
        let that_day = |p: &&Purchase| p.confirmed_at.div_euclid(DAY) == time.div_euclid(DAY);
        let bought = self.account.purchases.iter().filter(|p| bought(p)).filter(that_day);
        let spent: i64 =
            bought.map(|p| p.offer.amount()).filter(|m| m.currency == price.currency).map(|m| m.amount).sum();
        (i128::from(spent) + i128::from(pending) + i128::from(price.amount) > i128::from(cap))
            .then_some("cap_exceeded")
    }

    /// Confirmed and submitted units of all versions, and coupons that were passed on.
    pub fn units(&self, offer: &Offer) -> u64 {
        let units = self.account.purchases.iter().filter(|p| bought(p) && !p.unit_forgotten);
        let bought = units.filter(|p| p.offer.offer_id == offer.offer_id).count();
        let passed = self.account.passed.iter().filter(|p| p.is_unit_of(&offer.offer_id)).count();
        (bought + passed) as u64
    }
}

fn bought(p: &Purchase) -> bool {
    matches!(p.state, State::Confirmed | State::Submitted)
}
