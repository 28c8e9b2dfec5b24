//! The limits against abuse: tested at the request, and those on units and amounts once more at the
//! confirmation.

use super::Buyer;
use crate::core::desk::pending::Pending;
use crate::core::event::Reason;
use crate::core::money::Money;
use crate::core::offer::Offer;
use crate::core::settings::Settings;
use crate::core::time::Time;

impl Buyer {
    /// The first limit that a request at `tweet_time` would break.
    pub(super) fn request_limit(
        &self,
        offer: &Offer,
        tweet_time: Time,
        settings: &Settings,
    ) -> Option<Reason> {
        let limits = &settings.limits;
        let caps = self.account.as_ref().map(|account| account.caps.clone()).unwrap_or_default();
        let open = || self.pendings.iter().filter(|pending| pending.is_open(tweet_time));
        let of_offer = open().filter(|pending| pending.offer.offer_id == offer.offer_id).count() as u64;
        if self.history.units_of(&offer.offer_id) + of_offer >= offer.per_account
            || open().count() as u64 >= caps.pendings.unwrap_or(limits.pendings)
            || self.history.requests_within_the_hour(tweet_time)
                >= caps.requests_per_hour.unwrap_or(limits.requests_per_hour)
        {
            return Some(Reason::LimitReached);
        }
        let price = offer.amount();
        let same_currency =
            open().map(|pending| pending.offer.amount()).filter(|other| other.currency == price.currency);
        let pending = same_currency.fold(0i64, |sum, other| sum.saturating_add(other.amount));
        self.above_cap(price, pending, tweet_time, settings).then_some(Reason::CapExceeded)
    }

    /// The first limit that a confirmation at `tweet_time` would break. Other pendings do not count
    /// here: the first to be confirmed wins.
    pub(super) fn confirmation_limit(
        &self,
        pending: &Pending,
        tweet_time: Time,
        settings: &Settings,
    ) -> Option<Reason> {
        let offer = &pending.offer;
        if self.history.units_of(&offer.offer_id) >= offer.per_account {
            return Some(Reason::LimitReached);
        }
        self.above_cap(offer.amount(), 0, tweet_time, settings).then_some(Reason::CapExceeded)
    }

    /// Whether a price, with what was bought on the tweet's UTC day and what is `pending`, is above
    /// the amount of a day. Exactly the cap is allowed. An own cap holds for its currency, and
    /// forbids all others.
    fn above_cap(&self, price: Money, pending: i64, tweet_time: Time, settings: &Settings) -> bool {
        let own = self.account.as_ref().and_then(|account| account.caps.per_day);
        if own.is_some_and(|cap| cap.currency != price.currency) {
            return true;
        }
        let cap = own.map_or(settings.limits.per_day, |cap| cap.amount);
        let spent = self.history.spent_on(tweet_time.day(), price);
        let sum = spent.checked_add(pending).and_then(|sum| sum.checked_add(price.amount));
        sum.is_none_or(|sum| sum > cap)
    }
}
