//! What ends a pending other than its code: the deadline, a deletion, a record of the account, a
//! withdrawal.

use std::sync::Arc;

use uuid::Uuid;

use super::Buyer;
use super::history::Outcome;
use crate::core::account::{Account, AccountStatus};
use crate::core::desk::pending::Pending;
use crate::core::desk::turn::Turn;
use crate::core::event::{Cause, Details, EventKind, Subject};
use crate::core::ids::TweetId;
use crate::core::inbox::Position;
use crate::core::reply::{Values, reply};
use crate::core::tally::Counted;
use crate::core::time::Time;

impl Buyer {
    /// A record of the account. Freezing and unlinking cancel what is pending in the same step.
    pub(in crate::core::desk) fn record(
        &mut self,
        position: Position,
        account: Option<Arc<Account>>,
        turn: &mut Turn<'_>,
    ) {
        if self.position.is_some_and(|newest| position <= newest) {
            turn.effects.count(Counted::StaleRecord);
            return;
        }
        let cause = match &account {
            None => Some(Cause::Unlinked),
            Some(account) if account.status == AccountStatus::Frozen => Some(Cause::Frozen),
            Some(_) => None,
        };
        if let Some(cause) = cause {
            self.cancel(cause, |_| true, usize::MAX, turn);
        }
        self.history.unlinked_at = account.is_none().then_some(turn.desk_time);
        self.position = Some(position);
        let before = std::mem::replace(&mut self.account, account);
        self.tell_cards(before.as_deref(), turn);
    }

    /// A deletion by this author: cancels by the id of the very version that made the pending or by
    /// the first of its chain, and is remembered for an offer tweet that comes after it.
    pub(in crate::core::desk) fn deletion(&mut self, tweet: TweetId, turn: &mut Turn<'_>) {
        self.cancel(
            Cause::Deleted,
            |pending| pending.version == tweet || pending.offer_tweet == tweet,
            usize::MAX,
            turn,
        );
        // An id that carries no time may be of any; it is remembered from now on.
        let time = Time::of_tweet_id(tweet.get()).unwrap_or(turn.desk_time);
        if self.account.is_none() || time < turn.desk_time.minus(turn.horizon()) {
            turn.effects.count(Counted::DeletionDropped);
            return;
        }
        turn.effects.count(Counted::Deletion);
        self.history.delete(tweet, time);
    }

    /// Cancels at most `most` of the pendings that match, in the order in which they would lapse.
    /// Returns how many.
    pub(in crate::core::desk) fn cancel(
        &mut self,
        cause: Cause,
        matches: impl Fn(&Pending) -> bool,
        most: usize,
        turn: &mut Turn<'_>,
    ) -> usize {
        let mut ends: Vec<(Time, Uuid)> =
            self.pendings.iter().filter(|pending| matches(pending)).map(Pending::rank).collect();
        ends.sort_unstable();
        ends.truncate(most);
        for &(_, purchase_id) in &ends {
            let Some(pending) = self.take(purchase_id) else { continue };
            let details = Details::Cancelled { offer_tweet_id: pending.offer_tweet, cause, reply: None };
            let subject = Subject::purchase(self.id, purchase_id, &pending.offer);
            let at = turn.desk_time;
            turn.effects.event(subject.event(EventKind::Cancelled, at, pending.offer_tweet, "", details));
            self.settle(&pending, Outcome::Cancelled, at);
        }
        ends.len()
    }

    /// The lapse of one pending.
    pub(in crate::core::desk) fn lapse(&mut self, purchase_id: Uuid, turn: &mut Turn<'_>) {
        let Some(pending) = self.take(purchase_id) else { return };
        let offer = &pending.offer;
        let values = Values {
            to: pending.to.as_deref(),
            product: offer.product.as_deref().unwrap_or(&offer.hashtag),
            price: &offer.amount().to_string(),
            offer_tag: &offer.hashtag,
            ..Values::default()
        };
        let details = Details::Lapsed {
            offer_tweet_id: pending.offer_tweet,
            deadline: pending.deadline,
            reply: reply(&turn.settings.texts.lapsed, pending.version, &values),
        };
        let subject = Subject::purchase(self.id, purchase_id, offer);
        let event = subject.event(EventKind::Lapsed, pending.deadline, pending.offer_tweet, "", details);
        turn.effects.event(event);
        self.settle(&pending, Outcome::Lapsed, turn.desk_time);
    }

    fn take(&mut self, purchase_id: Uuid) -> Option<Pending> {
        let index = self.pendings.iter().position(|pending| pending.purchase_id == purchase_id)?;
        Some(self.pendings.remove(index))
    }
}
