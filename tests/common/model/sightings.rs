//! What a tweet of an account leads to, row by row.

use hashbuy::core::account::AccountStatus;
use hashbuy::core::ids::TweetId;
use hashbuy::core::inbox::{Confirmation, SeenCode, SeenOffer, Sighting};
use hashbuy::core::offer::{Offer, OfferKind};
use hashbuy::core::time::Time;
use serde_json::json;

use super::accounts::{Account, Purchase, State};
use super::limits::Own;
use super::written::{self, About};
use super::{Circumstances, HOUR, MINUTE, Output};

/// Settled markers that an account may have.
const MARKERS: usize = 256;

/// A tag of the tweet, and what a refusal of it names.
pub(super) struct Tag<'t> {
    /// As typed, with its sign.
    hashtag: &'t str,
    /// Folded, without its sign.
    folded: String,
    /// The purchase whose code it is.
    purchase: Option<usize>,
    /// The offer whose tag it is.
    offer: Option<&'t Offer>,
}

impl Account {
    /// One tweet is one step.
    pub fn sighted(&mut self, tweet: &Sighting, with: &Circumstances, out: &mut Vec<Output>) {
        let (codes, offers) = each_once(tweet);
        // open: how old an edited tweet is. By its identity, the first version, whose marker is gone
        // by then: by the time of a later version the tweet could count a second time.
        let first = Time::of_tweet_id(tweet.first_id.get()).unwrap_or(tweet.time).min(tweet.time).millis();
        if first < with.desk_time - with.horizon() {
            return self.still_pending(tweet, &codes, with, out);
        }
        if self.markers.iter().any(|(first, _)| *first == tweet.first_id.get()) {
            return;
        }
        if self.record.is_none() {
            return self.stranger(tweet, &offers, with, out);
        }
        if self.markers.len() >= MARKERS {
            return self.still_pending(tweet, &codes, with, out);
        }
        self.markers.push((tweet.first_id.get(), first));
        let deleted = [tweet.first_id, tweet.tweet_id].iter().any(|id| self.deletions.contains(&id.get()));
        if let Some(reason) = self.barred(tweet) {
            let codes = codes.iter().map(|seen| self.tag_of_code(seen, with));
            let offers = offers.iter().filter(|_| !deleted).map(|seen| tag_of_offer(seen));
            let tags: Vec<Tag> = codes.chain(offers).collect();
            for tag in &tags {
                self.refuse(tweet, reason, tag, out);
            }
            return;
        }
        let mut decided = Vec::new();
        for seen in &codes {
            decided.extend(self.code(tweet, seen, with, out));
        }
        for seen in offers.iter().filter(|_| !deleted) {
            if decided.contains(&seen.offer.offer_id) {
                continue;
            }
            match seen.offer.kind {
                OfferKind::Purchase { .. } => self.offer_tag(tweet, seen, with, out),
                OfferKind::Coupon { .. } => self.coupon_tag(tweet, seen, with, out),
            }
        }
    }

    /// A tweet too old, or one too many: only the code of an own open pending counts.
    ///
    /// open: one that a limit or a lock refuses leads to nothing here, as the tweet leaves no marker
    /// and its copy would be refused again.
    fn still_pending(
        &mut self,
        tweet: &Sighting,
        codes: &[&SeenCode],
        with: &Circumstances,
        out: &mut Vec<Output>,
    ) {
        if self.record.is_none() || self.barred(tweet).is_some() {
            return;
        }
        for seen in codes {
            let Some(i) = self.own(seen) else { continue };
            let time = tweet.time.millis();
            let open = self.purchases[i].state == State::Pending && time <= self.purchases[i].deadline;
            if open && !self.locked(time) && self.against_confirmation(i, time, with).is_none() {
                self.confirm(tweet, i, with, out);
            }
        }
    }

    /// Nobody's account: a sample of the offer tags gets an answer, and nothing is remembered.
    fn stranger(&self, tweet: &Sighting, offers: &[&SeenOffer], with: &Circumstances, out: &mut Vec<Output>) {
        if tweet.time.millis() < with.desk_time - MINUTE {
            return;
        }
        for seen in offers {
            let reply = written::reply(tweet.handle.as_deref(), tweet.tweet_id.get());
            out.push(refused(tweet, "not_linked", &tag_of_offer(seen), None, Some(reply)));
        }
    }

    /// Why every tag of this tweet is refused.
    fn barred(&self, tweet: &Sighting) -> Option<&'static str> {
        if tweet.protected {
            return Some("protected");
        }
        let frozen = self.record.as_ref().is_some_and(|r| r.status == AccountStatus::Frozen);
        frozen.then_some("frozen")
    }

    /// A code. Returns its offer, where the offer's tag in the same tweet does nothing any more.
    fn code(
        &mut self,
        tweet: &Sighting,
        seen: &SeenCode,
        with: &Circumstances,
        out: &mut Vec<Output>,
    ) -> Option<String> {
        let time = tweet.time.millis();
        let tag = self.tag_of_code(seen, with);
        let Some(i) = tag.purchase else {
            if self.locked(time) {
                self.refuse(tweet, "locked", &tag, out);
            } else if self.purchases.iter().any(|p| !p.code_forgotten) {
                self.wrong(time, with);
                self.refuse(tweet, "wrong_code", &tag, out);
            }
            return None;
        };
        let offer_id = self.purchases[i].offer.offer_id.clone();
        if self.locked(time) {
            self.refuse(tweet, "locked", &tag, out);
            return Some(offer_id);
        }
        match self.purchases[i].state {
            State::Confirmed | State::Submitted => Some(offer_id),
            State::Pending if time <= self.purchases[i].deadline => {
                if let Some(reason) = self.against_confirmation(i, time, with) {
                    self.refuse(tweet, reason, &tag, out);
                    return None;
                }
                self.confirm(tweet, i, with, out);
                Some(offer_id)
            }
            State::Pending | State::Lapsed | State::Cancelled => {
                self.refuse(tweet, "lapsed", &tag, out);
                None
            }
        }
    }

    /// Counts a wrong code, and locks with the last that is allowed.
    fn wrong(&mut self, time: i64, with: &Circumstances) {
        self.wrong_codes.push(time);
        let within_the_hour = self.wrong_codes.iter().filter(|wrong| **wrong > time - HOUR).count() as u64;
        if within_the_hour >= Own::new(self, &with.settings.limits).wrong_codes() {
            self.wrong_codes.clear();
            self.locks.push(time);
        }
    }

    fn locked(&self, time: i64) -> bool {
        self.locks.iter().any(|from| (*from..*from + HOUR).contains(&time))
    }

    fn against_confirmation(&self, i: usize, time: i64, with: &Circumstances) -> Option<&'static str> {
        Own::new(self, &with.settings.limits).against_confirmation(&self.purchases[i].offer, time)
    }

    /// Takes an own code in time: sold here, or passed on to the stock.
    fn confirm(&mut self, tweet: &Sighting, i: usize, with: &Circumstances, out: &mut Vec<Output>) {
        let to = self.handle(tweet);
        let Some(record) = &self.record else { return };
        let (card_token, delivery_ref) = (record.card_token.clone(), record.delivery_ref.clone());
        let purchase = &mut self.purchases[i];
        purchase.confirmed_at = tweet.time.millis();
        let confirmation = Confirmation {
            account: tweet.account,
            purchase_id: purchase.id.parse().unwrap(),
            offer: purchase.offer.clone().into(),
            offer_tweet: TweetId::new(purchase.first_tweet).unwrap(),
            confirm_tweet: tweet.tweet_id,
            confirmed_at: tweet.time,
            to,
            card_token,
            delivery_ref,
        };
        if purchase.offer.stock.is_some() {
            purchase.state = State::Submitted;
            out.push(Output::Message(written::submitted(&confirmation)));
        } else {
            purchase.end(State::Confirmed, with.desk_time);
            out.push(Output::Event(written::confirmed(&confirmation)));
            out.push(Output::Order(written::order(&confirmation)));
            out.push(Output::Message(json!({"type": "sold", "offer_id": purchase.offer.offer_id})));
        }
    }

    /// A refusal of a linked account: with a reply unless one was answered within the minute.
    pub(super) fn refuse(&mut self, tweet: &Sighting, reason: &str, tag: &Tag, out: &mut Vec<Output>) {
        let time = tweet.time.millis();
        let answer = self.answered.is_none_or(|last| time - last >= MINUTE);
        let reply = answer.then(|| written::reply(self.handle(tweet).as_deref(), tweet.tweet_id.get()));
        if answer {
            self.answered = Some(time);
        }
        out.push(refused(tweet, reason, tag, tag.purchase.map(|i| &self.purchases[i]), reply));
    }

    /// The purchase whose code it is, while that is known.
    fn own(&self, seen: &SeenCode) -> Option<usize> {
        self.purchases.iter().rposition(|p| p.code == seen.code.as_str() && !p.code_forgotten)
    }

    fn tag_of_code<'t>(&self, seen: &'t SeenCode, with: &Circumstances) -> Tag<'t> {
        let folded = format!("{}{}", with.settings.code_prefix, seen.code).to_ascii_lowercase();
        Tag { hashtag: &seen.hashtag, folded, purchase: self.own(seen), offer: None }
    }

    pub(super) fn handle(&self, tweet: &Sighting) -> Option<String> {
        tweet.handle.clone().or_else(|| self.record.as_ref()?.screen_name.clone())
    }
}

fn each_once(tweet: &Sighting) -> (Vec<&SeenCode>, Vec<&SeenOffer>) {
    let mut codes: Vec<&SeenCode> = Vec::new();
    for seen in &tweet.codes {
        if codes.iter().all(|other| other.code != seen.code) {
            codes.push(seen);
        }
    }
    let mut offers: Vec<&SeenOffer> = Vec::new();
    for seen in &tweet.offers {
        if offers.iter().all(|other| other.offer.offer_id != seen.offer.offer_id) {
            offers.push(seen);
        }
    }
    (codes, offers)
}

pub(super) fn tag_of_offer(seen: &SeenOffer) -> Tag<'_> {
    Tag { hashtag: &seen.hashtag, folded: String::new(), purchase: None, offer: Some(&seen.offer) }
}

fn refused(
    tweet: &Sighting,
    reason: &str,
    tag: &Tag,
    purchase: Option<&Purchase>,
    reply: Option<serde_json::Value>,
) -> Output {
    let offer = tag.offer.or(purchase.map(|p| &p.offer));
    let about = About {
        account: tweet.account.get(),
        purchase: purchase.map(|p| p.id.as_str()),
        offer: offer.map(|offer| (offer.offer_id.as_str(), offer.version)),
        cause: tweet.tweet_id.to_string(),
    };
    let details = json!({
        "reason": reason,
        "tweet_id": tweet.tweet_id.to_string(),
        "hashtag": tag.hashtag,
        "reply": reply,
    });
    Output::Event(written::event("purchase.refused", about, &tag.folded, tweet.time.millis(), details))
}
