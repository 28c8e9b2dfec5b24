//! The offer tags of a tweet: a new pending, a reminder, or a refusal.

use std::sync::Arc;

use super::Buyer;
use super::history::{Verdict, VerdictKind};
use crate::core::code::Code;
use crate::core::desk::pending::Pending;
use crate::core::desk::turn::{OFFER_TAG_AGE, Turn};
use crate::core::event::{Details, EventKind, Reason, Reply, Subject};
use crate::core::ids::purchase_id;
use crate::core::inbox::{SeenOffer, Sighting};
use crate::core::offer::{Offer, OfferKind, OfferStatus};
use crate::core::reply::{Values, reply};
use crate::core::settings::Settings;
use crate::core::tally::Counted;
use crate::core::template::Template;
use crate::core::time::{SECOND, Time};

/// A pending is reminded of when the last time, or the request, is at least that long ago, in
/// milliseconds of tweet time.
const REMINDER_GAP: i64 = 60 * SECOND;

impl Buyer {
    /// Decides on the offer tags of a tweet, but for those whose code in the same tweet has decided.
    pub(super) fn offer_tags(
        &mut self,
        sighting: &Sighting,
        decided: &[String],
        turn: &mut Turn<'_>,
        verdicts: &mut Vec<Verdict>,
    ) {
        for seen in &sighting.offers {
            let nothing = if decided.contains(&seen.offer.offer_id) {
                Some(Counted::BesideItsCode)
            } else if self.history.is_deleted(sighting.tweet_id, sighting.first_id) {
                Some(Counted::Deleted)
            } else {
                None
            };
            let verdict = match nothing {
                Some(why) => {
                    turn.effects.count(why);
                    Verdict { outcome: VerdictKind::Nothing, code: None }
                }
                None => self.offer_tag(seen, sighting, turn),
            };
            verdicts.push(verdict);
        }
    }

    fn offer_tag(&mut self, seen: &SeenOffer, sighting: &Sighting, turn: &mut Turn<'_>) -> Verdict {
        let offer = &seen.offer;
        let too_old = sighting.time < turn.now.minus(OFFER_TAG_AGE);
        let reason = self.refused_whatever(sighting).or(too_old.then_some(Reason::TooOld));
        if reason.is_none()
            && let Some(index) = self.newest_open(offer, sighting.time)
        {
            return self.remind(index, sighting, turn);
        }
        if let Some(reason) = reason.or_else(|| self.refusal(offer, sighting.time, turn)) {
            let subject = Subject {
                account: self.id,
                purchase_id: None,
                offer: Some((&offer.offer_id, offer.version)),
            };
            return self.refuse(reason, subject, sighting, &seen.hashtag, turn);
        }
        match offer.kind {
            OfferKind::Purchase { .. } => self.request(offer, sighting, turn),
            OfferKind::Coupon { redeem_by, .. } => self.load(seen, redeem_by, sighting, turn),
        }
    }

    /// The newest pending of an offer whose deadline is not before the tweet.
    fn newest_open(&self, offer: &Offer, tweet_time: Time) -> Option<usize> {
        let is_it =
            |pending: &Pending| pending.offer.offer_id == offer.offer_id && pending.is_open(tweet_time);
        self.pendings.iter().rposition(is_it)
    }

    /// The reasons that come after the reminder, in their order.
    fn refusal(&self, offer: &Offer, tweet_time: Time, turn: &Turn<'_>) -> Option<Reason> {
        let account = self.account.as_ref()?;
        let hold = account.caps.hold_seconds.unwrap_or(turn.settings.limits.hold_seconds);
        let hold_ms = i64::try_from(hold).unwrap_or(i64::MAX).saturating_mul(SECOND);
        if tweet_time < account.linked_at.plus(hold_ms) {
            return Some(Reason::OnHold);
        }
        if offer.status == OfferStatus::Withdrawn
            || tweet_time < offer.starts_at
            || tweet_time > offer.ends_at
        {
            return Some(Reason::NotOpen);
        }
        let told = turn.told.iter().find(|(offer_id, _)| *offer_id == offer.offer_id);
        if told.is_some_and(|(_, told)| told.sold_out.is_some_and(|sold_out| sold_out.closes(offer))) {
            return Some(Reason::SoldOut);
        }
        if matches!(offer.kind, OfferKind::Coupon { .. }) {
            let has_all = self.history.units_of(&offer.offer_id) >= offer.per_account;
            return has_all.then_some(Reason::LimitReached);
        }
        self.request_limit(offer, tweet_time, turn.settings)
    }

    fn remind(&mut self, index: usize, sighting: &Sighting, turn: &mut Turn<'_>) -> Verdict {
        let pending = &mut self.pendings[index];
        if sighting.time.since(pending.reminded_at) < REMINDER_GAP {
            turn.effects.count(Counted::RemindedRecently);
            return Verdict { outcome: VerdictKind::Nothing, code: None };
        }
        pending.reminded_at = sighting.time;
        let pending = &self.pendings[index];
        let code = pending.code.hashtag(&turn.settings.code_prefix);
        let details = Details::Reminded {
            offer_tweet_id: pending.offer_tweet,
            tweet_id: sighting.tweet_id,
            reply: self.code_reply(&turn.settings.texts.reminded, pending, sighting, turn.settings),
            code,
            deadline: pending.deadline,
        };
        let subject = Subject::purchase(self.id, pending.purchase_id, &pending.offer);
        turn.effects.event(subject.event(EventKind::Reminded, sighting.time, sighting.tweet_id, "", details));
        Verdict { outcome: VerdictKind::Reminded, code: Some(pending.code) }
    }

    fn request(&mut self, offer: &Arc<Offer>, sighting: &Sighting, turn: &mut Turn<'_>) -> Verdict {
        let purchase_id = purchase_id(self.id, &offer.offer_id, sighting.first_id);
        if self.knows(purchase_id) {
            // A later version of an old tweet, whose ids carry no time and whose marker is gone.
            turn.effects.count(Counted::Edited);
            return Verdict { outcome: VerdictKind::Nothing, code: None };
        }
        let issued_at = turn.log_time.max(turn.desk_time).max(sighting.time).max(turn.now);
        let window = offer.window_seconds.unwrap_or(turn.settings.window_seconds);
        let pending = Pending {
            purchase_id,
            code: Code::issue(turn.secret, self.id, &offer.offer_id, sighting.first_id),
            offer: Arc::clone(offer),
            offer_tweet: sighting.first_id,
            version: sighting.tweet_id,
            issued_at,
            deadline: issued_at.plus(i64::from(window) * SECOND),
            reminded_at: sighting.time,
            to: self.to(sighting).map(str::to_owned),
        };
        let details = Details::Requested {
            offer_tweet_id: pending.offer_tweet,
            code: pending.code.hashtag(&turn.settings.code_prefix),
            issued_at,
            deadline: pending.deadline,
            price: offer.amount(),
            product: offer.product.clone(),
            reply: self.code_reply(&turn.settings.texts.requested, &pending, sighting, turn.settings),
        };
        let subject = Subject::purchase(self.id, purchase_id, offer);
        turn.effects.event(subject.event(EventKind::Requested, issued_at, sighting.tweet_id, "", details));
        let verdict = Verdict { outcome: VerdictKind::Requested, code: Some(pending.code) };
        self.history.requested.push(issued_at);
        turn.deadlines.push(pending.due());
        self.pendings.push(pending);
        verdict
    }

    /// The reply that carries a code.
    fn code_reply(
        &self,
        template: &Template,
        pending: &Pending,
        sighting: &Sighting,
        settings: &Settings,
    ) -> Reply {
        let offer = &pending.offer;
        let values = Values {
            to: self.to(sighting),
            code: &pending.code.hashtag(&settings.code_prefix),
            until: &pending.deadline.hour_and_minute(),
            product: offer.product.as_deref().unwrap_or(&offer.hashtag),
            price: &offer.amount().to_string(),
            offer_tag: &offer.hashtag,
        };
        reply(template, sighting.tweet_id, &values)
    }
}
