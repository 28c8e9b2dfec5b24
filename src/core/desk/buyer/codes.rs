//! The codes of a tweet.

use super::history::{Outcome, Past, Verdict, VerdictKind};
use super::{Buyer, Own};
use crate::core::desk::stock::write_confirmed;
use crate::core::desk::turn::Turn;
use crate::core::event::{Reason, Subject};
use crate::core::inbox::{Confirmation, Inbox, SeenCode, Sighting};
use crate::core::tally::Counted;

impl Buyer {
    /// Decides on the codes of a tweet. Returns the offers whose tags beside their code do nothing,
    /// because the code has decided already.
    pub(super) fn codes(
        &mut self,
        sighting: &Sighting,
        turn: &mut Turn<'_>,
        verdicts: &mut Vec<Verdict>,
    ) -> Vec<String> {
        let mut decided = Vec::new();
        for seen in &sighting.codes {
            let own = self.find(seen.code);
            let (verdict, has_decided) = self.code(seen, own, sighting, turn);
            if has_decided {
                decided.extend(self.offer_of(seen));
            }
            verdicts.push(Verdict { code: Some(seen.code), ..verdict });
        }
        decided
    }

    /// Decides on one code. True beside the verdict: a tag of its offer in the same tweet does nothing.
    fn code(
        &mut self,
        seen: &SeenCode,
        own: Own,
        sighting: &Sighting,
        turn: &mut Turn<'_>,
    ) -> (Verdict, bool) {
        if let Some(reason) = self.refused_whatever(sighting) {
            return (self.refuse_code(reason, own, seen, sighting, turn), false);
        }
        if self.history.is_locked(sighting.time) {
            return (self.refuse_code(Reason::Locked, own, seen, sighting, turn), true);
        }
        match own {
            Own::Pending(index) => {
                let pending = &self.pendings[index];
                let refused = if pending.is_open(sighting.time) {
                    self.confirmation_limit(pending, sighting.time, turn.settings)
                } else {
                    Some(Reason::Lapsed)
                };
                match refused {
                    Some(reason) => (self.refuse_code(reason, own, seen, sighting, turn), false),
                    None => {
                        self.confirm(index, sighting, turn);
                        (Verdict { outcome: VerdictKind::Confirmed, code: None }, true)
                    }
                }
            }
            Own::Past(index) => self.past_code(index, seen, sighting, turn),
            Own::Not => (self.foreign_code(seen, sighting, turn), false),
        }
    }

    fn past_code(
        &mut self,
        index: usize,
        seen: &SeenCode,
        sighting: &Sighting,
        turn: &mut Turn<'_>,
    ) -> (Verdict, bool) {
        let past = &self.history.past[index];
        match past.outcome {
            Outcome::Submitted { .. } | Outcome::Confirmed => {
                turn.effects.count(Counted::AlreadyDone);
                (Verdict { outcome: VerdictKind::Nothing, code: None }, true)
            }
            Outcome::Lapsed | Outcome::Cancelled => {
                if past.outcome == Outcome::Lapsed && sighting.time <= past.deadline {
                    turn.effects.count(Counted::LateInTime);
                }
                (self.refuse_code(Reason::Lapsed, Own::Past(index), seen, sighting, turn), false)
            }
        }
    }

    fn foreign_code(&mut self, seen: &SeenCode, sighting: &Sighting, turn: &mut Turn<'_>) -> Verdict {
        if self.pendings.is_empty() && self.history.past.is_empty() {
            turn.effects.count(Counted::NoPurchase);
            return Verdict { outcome: VerdictKind::Nothing, code: None };
        }
        let verdict = self.refuse_code(Reason::WrongCode, Own::Not, seen, sighting, turn);
        let own = self.account.as_ref().and_then(|account| account.caps.wrong_codes_per_hour);
        let allowed = own.unwrap_or(turn.settings.limits.wrong_codes_per_hour);
        if self.history.wrong_code(sighting.time, allowed) {
            turn.effects.lockouts.push(self.id);
        }
        verdict
    }

    /// Refuses a code. An own code names its purchase and its offer.
    fn refuse_code(
        &mut self,
        reason: Reason,
        own: Own,
        seen: &SeenCode,
        sighting: &Sighting,
        turn: &mut Turn<'_>,
    ) -> Verdict {
        let (purchase_id, offer) = match own {
            Own::Pending(index) => {
                let pending = &self.pendings[index];
                (Some(pending.purchase_id), Some((pending.offer.offer_id.clone(), pending.offer.version)))
            }
            Own::Past(index) => {
                let past = &self.history.past[index];
                (Some(past.purchase_id), Some((past.offer_id.clone(), past.offer_version)))
            }
            Own::Not => (None, None),
        };
        let offer = offer.as_ref().map(|(id, version)| (id.as_str(), *version));
        let subject = Subject { account: self.id, purchase_id, offer };
        self.refuse(reason, subject, sighting, &seen.hashtag, turn)
    }

    fn offer_of(&self, seen: &SeenCode) -> Option<String> {
        match self.find(seen.code) {
            Own::Pending(index) => Some(self.pendings[index].offer.offer_id.clone()),
            Own::Past(index) => Some(self.history.past[index].offer_id.clone()),
            Own::Not => None,
        }
    }

    /// Closes the deal, or submits it to the stock of its offer: each purchase has one writer of its
    /// end. Unit and amount are taken in the same step.
    fn confirm(&mut self, index: usize, sighting: &Sighting, turn: &mut Turn<'_>) {
        let Some(account) = &self.account else { return };
        let (card_token, delivery_ref) = (account.card_token.clone(), account.delivery_ref.clone());
        let to = self.to(sighting).map(str::to_owned);
        let pending = self.pendings.remove(index);
        let (price, day) = (pending.offer.amount(), sighting.time.day());
        self.history.reserve(&pending.offer.offer_id, pending.offer.ends_at, day, price);
        turn.effects.confirm_times.push(sighting.time.since(pending.issued_at));
        let confirmation = Confirmation {
            account: self.id,
            purchase_id: pending.purchase_id,
            offer: pending.offer.clone(),
            offer_tweet: pending.offer_tweet,
            confirm_tweet: sighting.tweet_id,
            confirmed_at: sighting.time,
            to,
            card_token,
            delivery_ref,
        };
        if pending.offer.stock.is_some() {
            self.settle(&pending, Outcome::Submitted { price, day }, turn.desk_time);
            turn.effects.send(Inbox::Submitted(Box::new(confirmation)));
        } else {
            self.settle(&pending, Outcome::Confirmed, turn.desk_time);
            write_confirmed(&confirmation, turn);
            turn.effects.send(Inbox::Sold { offer_id: pending.offer.offer_id.clone() });
        }
    }

    /// A tweet that is too old, or one too many: only the code of an own open pending counts (I3);
    /// everything else in it does nothing, and is counted.
    pub(super) fn only_open_codes(&mut self, sighting: &Sighting, why: Counted, turn: &mut Turn<'_>) {
        let mut confirmed = false;
        for seen in &sighting.codes {
            let Own::Pending(index) = self.find(seen.code) else { continue };
            let pending = &self.pendings[index];
            let counts = pending.is_open(sighting.time)
                && self.refused_whatever(sighting).is_none()
                && !self.history.is_locked(sighting.time)
                && self.confirmation_limit(pending, sighting.time, turn.settings).is_none();
            if counts {
                self.confirm(index, sighting, turn);
                confirmed = true;
            }
        }
        if !confirmed {
            turn.effects.count(why);
        }
    }

    /// What the stock made of a submitted purchase.
    pub(in crate::core::desk) fn answer(
        &mut self,
        purchase_id: uuid::Uuid,
        confirmed: bool,
        turn: &mut Turn<'_>,
    ) {
        let is_it = |past: &&mut Past| past.purchase_id == purchase_id;
        let Some(past) = self.history.past.iter_mut().find(is_it) else { return };
        let Outcome::Submitted { price, day } = past.outcome else { return };
        past.outcome = if confirmed { Outcome::Confirmed } else { Outcome::Cancelled };
        past.decided = turn.desk_time;
        if !confirmed {
            let offer_id = past.offer_id.clone();
            self.history.release(&offer_id, day, price);
        }
    }
}
