//! Coupons as their account sees them: it passes a coupon's tag on to its card, and tells the card when coupons
//! cannot be redeemed any more, or can be again.

use super::Buyer;
use super::history::{Verdict, VerdictKind};
use crate::core::account::{Account, AccountStatus};
use crate::core::desk::turn::Turn;
use crate::core::event::{Reason, Subject};
use crate::core::inbox::{Inbox, Load, SeenOffer, Sighting};
use crate::core::time::Time;
use crate::core::transaction::CardToken;

impl Buyer {
    /// Passes a coupon on to the account's card. A unit of it is taken at once, and given back if the card has one
    /// already.
    pub(super) fn load(
        &mut self,
        seen: &SeenOffer,
        redeem_by: Time,
        sighting: &Sighting,
        turn: &mut Turn<'_>,
    ) -> Verdict {
        let Some(account) = &self.account else {
            return Verdict { outcome: VerdictKind::Nothing, code: None };
        };
        let card_token = CardToken::new(&*account.card_token);
        self.history.take_unit(&seen.offer.offer_id, seen.offer.ends_at);
        self.history.loaded_on(&card_token, redeem_by);
        turn.effects.send(Inbox::Load(Box::new(Load {
            account: self.id,
            card_token,
            offer: seen.offer.clone(),
            tweet_id: sighting.tweet_id,
            time: sighting.time,
            hashtag: seen.hashtag.clone(),
            to: self.to(sighting).map(str::to_owned),
        })));
        Verdict { outcome: VerdictKind::Loaded, code: None }
    }

    /// The card has one of the offer already.
    pub(in crate::core::desk) fn not_loaded(&mut self, load: &Load, turn: &mut Turn<'_>) {
        self.history.give_unit_back(&load.offer.offer_id);
        let offer = Some((load.offer.offer_id.as_str(), load.offer.version));
        let subject = Subject { account: self.id, purchase_id: None, offer };
        let sighting = Sighting {
            account: self.id,
            tweet_id: load.tweet_id,
            first_id: load.tweet_id,
            time: load.time,
            handle: load.to.clone(),
            protected: false,
            codes: Vec::new(),
            offers: Vec::new(),
        };
        self.refuse(Reason::LimitReached, subject, &sighting, &load.hashtag, turn);
    }

    /// Tells the cards with coupons of this account if a record has changed whether it may use them.
    pub(super) fn tell_cards(&self, before: Option<&Account>, turn: &mut Turn<'_>) {
        let active = is_active(self.account.as_deref());
        if active == is_active(before) {
            return;
        }
        for card in &self.history.cards {
            let (card_token, account) = (card.card_token.clone(), self.id);
            turn.effects.send(Inbox::Standing { card_token, account, active });
        }
    }
}

fn is_active(account: Option<&Account>) -> bool {
    account.is_some_and(|account| account.status == AccountStatus::Active)
}
