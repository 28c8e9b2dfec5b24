//! What an offer's tag leads to: a request, a reminder or a refusal.

use hashbuy::core::inbox::{SeenOffer, Sighting};
use hashbuy::core::offer::{Offer, OfferStatus};

use super::accounts::{Account, Purchase, State};
use super::codes::{code, purchase_id};
use super::limits::Own;
use super::sightings::tag_of_offer;
use super::{Circumstances, HOUR, MINUTE, Output, written};

impl Account {
    pub(super) fn offer_tag(
        &mut self,
        tweet: &Sighting,
        seen: &SeenOffer,
        with: &Circumstances,
        out: &mut Vec<Output>,
    ) {
        let time = tweet.time.millis();
        let offer = &*seen.offer;
        if time >= with.now - HOUR
            && let Some(i) = self.newest_open(&offer.offer_id, time)
        {
            // open: a tweet from before the last reminder is never "60,000 ms later".
            if time - self.purchases[i].reminded_at >= MINUTE {
                self.purchases[i].reminded_at = time;
                let (account, to) = (tweet.account.get(), self.handle(tweet));
                let p = &self.purchases[i];
                let event = written::reminded(account, p, tweet.tweet_id.get(), time, to.as_deref());
                out.push(Output::Event(event));
            }
            return;
        }
        match self.against_request(offer, time, with) {
            Some(reason) => self.refuse(tweet, reason, &tag_of_offer(seen), out),
            None => self.request(tweet, offer, with, out),
        }
    }

    /// The pending that a reminder is about; of two, the one requested last.
    fn newest_open(&self, offer_id: &str, time: i64) -> Option<usize> {
        self.purchases
            .iter()
            .rposition(|p| p.state == State::Pending && p.offer.offer_id == offer_id && p.deadline >= time)
    }

    /// Why a tag cannot be taken, of a purchase or of a coupon.
    pub(super) fn against_tag(&self, offer: &Offer, time: i64, with: &Circumstances) -> Option<&'static str> {
        let own = Own::new(self, &with.settings.limits);
        if time < with.now - HOUR {
            return Some("too_old");
        }
        if time < own.hold_ends() {
            return Some("on_hold");
        }
        let open = (offer.starts_at.millis()..=offer.ends_at.millis()).contains(&time);
        if !open || offer.status == OfferStatus::Withdrawn {
            return Some("not_open");
        }
        None
    }

    fn against_request(&self, offer: &Offer, time: i64, with: &Circumstances) -> Option<&'static str> {
        if let Some(reason) = self.against_tag(offer, time, with) {
            return Some(reason);
        }
        if let Some(told) = with.told.get(&offer.offer_id)
            && (offer.version <= told.version || offer.stock.is_some_and(|stock| stock <= told.sold))
        {
            return Some("sold_out");
        }
        Own::new(self, &with.settings.limits).against_request(offer, time)
    }

    fn request(&mut self, tweet: &Sighting, offer: &Offer, with: &Circumstances, out: &mut Vec<Output>) {
        let (account, first) = (tweet.account.get(), tweet.first_id.get());
        let issued_at =
            [with.appended_at, with.desk_time, tweet.time.millis(), with.now].into_iter().max().unwrap();
        let window = offer.window_seconds.unwrap_or(with.settings.window_seconds);
        let code = code(with.secret, account, &offer.offer_id, first);
        let purchase = Purchase {
            id: purchase_id(account, &offer.offer_id, first),
            hashtag: format!("#{}{code}", with.settings.code_prefix),
            code,
            offer: offer.clone(),
            first_tweet: first,
            own_tweet: tweet.tweet_id.get(),
            issued_at,
            deadline: issued_at + i64::from(window) * 1_000,
            to: self.handle(tweet),
            reminded_at: tweet.time.millis(),
            confirmed_at: 0,
            state: State::Pending,
            decided_at: 0,
            code_forgotten: false,
            unit_forgotten: false,
        };
        out.push(Output::Event(written::requested(account, &purchase)));
        self.purchases.push(purchase);
    }
}
