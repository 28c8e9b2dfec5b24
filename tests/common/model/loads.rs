//! What a coupon's tag leads to: it is passed on to the card, or refused.

use hashbuy::core::account::AccountStatus;
use hashbuy::core::inbox::{Load, SeenOffer, Sighting};
use hashbuy::core::offer::OfferKind;
use hashbuy::core::transaction::CardToken;
use serde_json::json;

use super::accounts::Account;
use super::cards::{COUPON_KEPT, message};
use super::limits::Own;
use super::sightings::tag_of_offer;
use super::{Circumstances, Output};

/// A coupon that was passed on to its card.
pub struct Passed {
    pub offer_id: String,
    tweet: u64,
    card: String,
    /// The end of the offer, by the version of the tweet.
    pub ends_at: i64,
    redeem_by: i64,
    /// The card had one already: it is no unit.
    given_back: bool,
    pub unit_forgotten: bool,
}

impl Passed {
    /// The account knows that it has loaded on this card.
    pub fn card_is_known(&self, desk_time: i64) -> bool {
        desk_time <= self.redeem_by + COUPON_KEPT
    }

    pub fn is_unit_of(&self, offer_id: &str) -> bool {
        self.offer_id == offer_id && !self.given_back && !self.unit_forgotten
    }
}

impl Account {
    pub(super) fn coupon_tag(
        &mut self,
        tweet: &Sighting,
        seen: &SeenOffer,
        with: &Circumstances,
        out: &mut Vec<Output>,
    ) {
        let OfferKind::Coupon { redeem_by, .. } = seen.offer.kind else { return };
        let units = Own::new(self, &with.settings.limits).units(&seen.offer);
        let full = (units + 1 > seen.offer.per_account).then_some("limit_reached");
        if let Some(reason) = self.against_tag(&seen.offer, tweet.time.millis(), with).or(full) {
            return self.refuse(tweet, reason, &tag_of_offer(seen), out);
        }
        let Some(record) = &self.record else { return };
        let load = Load {
            account: tweet.account,
            card_token: CardToken::new(&record.card_token),
            offer: seen.offer.clone(),
            tweet_id: tweet.tweet_id,
            time: tweet.time,
            hashtag: seen.hashtag.clone(),
            to: self.handle(tweet),
        };
        self.passed.push(Passed {
            offer_id: seen.offer.offer_id.clone(),
            tweet: tweet.tweet_id.get(),
            card: record.card_token.clone(),
            ends_at: seen.offer.ends_at.millis(),
            redeem_by: redeem_by.millis(),
            given_back: false,
            unit_forgotten: false,
        });
        out.push(Output::Message(message("load", &load)));
    }

    /// The card has one of this offer already: the unit is given back, and the tweet gets its refusal.
    pub fn not_loaded(&mut self, load: &Load, out: &mut Vec<Output>) {
        let tweet = load.tweet_id.get();
        let it = self.passed.iter_mut().find(|p| p.tweet == tweet && p.offer_id == load.offer.offer_id);
        if let Some(passed) = it {
            passed.given_back = true;
        }
        let sighting = Sighting {
            account: load.account,
            tweet_id: load.tweet_id,
            first_id: load.tweet_id,
            time: load.time,
            handle: load.to.clone(),
            protected: false,
            codes: vec![],
            offers: vec![],
        };
        let seen = SeenOffer { hashtag: load.hashtag.clone(), offer: load.offer.clone() };
        self.refuse(&sighting, "limit_reached", &tag_of_offer(&seen), out);
    }

    /// Linked and not frozen: its coupons can be redeemed.
    pub(super) fn is_active(&self) -> bool {
        self.record.as_ref().is_some_and(|record| record.status == AccountStatus::Active)
    }

    /// Tells each card with coupons of this account whether they can be redeemed from now on.
    ///
    /// open: a card that had such a coupon already, and loaded none, is told too; it changes nothing there.
    pub(super) fn tell_cards(&self, account: u64, desk_time: i64, out: &mut Vec<Output>) {
        let passed = self.passed.iter().filter(|p| p.card_is_known(desk_time));
        let mut cards: Vec<&str> = passed.map(|p| p.card.as_str()).collect();
        cards.sort_unstable();
        cards.dedup();
        for card in cards {
            out.push(Output::Message(json!({
                "type": "standing",
                "card_token": card,
                "account": account.to_string(),
                "active": self.is_active(),
            })));
        }
    }
}
