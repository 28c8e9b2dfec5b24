//! The account entity: the life of a purchase as one buyer sees it.
//!
//! One tweet is one step. `Buyer::sighting` sorts out copies, strangers and floods, then decides
//! on the codes (`codes`) and on the offer tags (`requests`), each in the order of the text, and
//! leaves a settled marker. What goes on with coupons is decided by their card (`coupons`). Records, deletions,
//! lapses and answers of a stock are steps of their own (`endings`).

mod codes;
mod coupons;
mod endings;
pub mod history;
mod limits;
mod requests;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use self::history::{History, MAX_MARKERS, MAX_VERDICTS, Marker, Outcome, Past, Verdict, VerdictKind};
use super::pending::Pending;
use super::turn::Turn;
use crate::core::account::{Account, AccountStatus};
use crate::core::code::Code;
use crate::core::event::{Details, EventKind, Reason, Subject};
use crate::core::hashtag::fold;
use crate::core::ids::{AccountId, is_handle};
use crate::core::inbox::{Position, Sighting};
use crate::core::reply::{Values, reply};
use crate::core::tally::Counted;
use crate::core::time::{MINUTE, Time};

/// A stranger's tag is answered when its tweet is at most that much older than desk time, in
/// milliseconds: an answer to an old tweet is spam.
const STRANGER_AGE: i64 = MINUTE;

/// One account entity: the linked account, what it has pending, and what the desk remembers of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Buyer {
    /// The author's id, which is the account's.
    pub id: AccountId,
    /// The record, while the account is linked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Arc<Account>>,
    /// Where the newest record stood in its source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
    /// What waits for its confirmation, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pendings: Vec<Pending>,
    /// Everything else.
    #[serde(default)]
    pub history: History,
}

/// Where a code belongs.
#[derive(Clone, Copy)]
enum Own {
    /// Index among the pendings.
    Pending(usize),
    /// Index among the past purchases.
    Past(usize),
    /// Somebody else's, nobody's, or forgotten.
    Not,
}

impl Buyer {
    /// An author of whom nothing is known.
    pub fn stranger(id: AccountId) -> Buyer {
        Buyer { id, account: None, position: None, pendings: Vec::new(), history: History::default() }
    }

    /// Whether there is nothing to be kept.
    pub fn is_empty(&self) -> bool {
        self.account.is_none() && self.pendings.is_empty() && self.history.is_empty()
    }

    /// A tweet with codes or offer tags in its own text.
    pub(super) fn sighting(&mut self, sighting: &Sighting, turn: &mut Turn<'_>) {
        // A version of a chain that began longer ago than markers are kept may be a copy of one that
        // was decided on: it counts once, so it is as old as its first version.
        let begun = Time::of_tweet_id(sighting.first_id.get()).unwrap_or(sighting.time);
        if sighting.time.min(begun) < turn.desk_time.minus(turn.horizon()) {
            return self.only_open_codes(sighting, Counted::Replayed, turn);
        }
        if let Some(marker) = self.history.marker(sighting.first_id) {
            let same = marker.version == sighting.tweet_id;
            turn.effects.count(if same { Counted::Duplicate } else { Counted::Edited });
            return;
        }
        if self.account.is_none() {
            return self.stranger_tags(sighting, turn);
        }
        if self.history.markers.len() >= MAX_MARKERS {
            return self.only_open_codes(sighting, Counted::TooMany, turn);
        }

        let mut verdicts = Vec::with_capacity(sighting.codes.len() + sighting.offers.len());
        let decided = self.codes(sighting, turn, &mut verdicts);
        self.offer_tags(sighting, &decided, turn, &mut verdicts);
        verdicts.truncate(MAX_VERDICTS);
        self.history.markers.push(Marker {
            tweet: sighting.first_id,
            version: sighting.tweet_id,
            time: sighting.time,
            verdicts,
        });
    }

    /// An author without an account: refused by name, with a reply, while the tweet is fresh. The
    /// desk keeps nothing of him.
    fn stranger_tags(&mut self, sighting: &Sighting, turn: &mut Turn<'_>) {
        for _ in &sighting.codes {
            turn.effects.count(Counted::CodeOfStranger);
        }
        for seen in &sighting.offers {
            if sighting.time < turn.desk_time.minus(STRANGER_AGE) {
                turn.effects.count(Counted::StaleStranger);
                continue;
            }
            let offer = Some((seen.offer.offer_id.as_str(), seen.offer.version));
            let subject = Subject { account: self.id, purchase_id: None, offer };
            self.write_refusal(Reason::NotLinked, subject, sighting, &seen.hashtag, true, turn);
        }
    }

    /// The first of the reasons that hold for codes and offer tags alike.
    fn refused_whatever(&self, sighting: &Sighting) -> Option<Reason> {
        if sighting.protected {
            return Some(Reason::Protected);
        }
        let frozen = self.account.as_ref().is_some_and(|account| account.status == AccountStatus::Frozen);
        frozen.then_some(Reason::Frozen)
    }

    /// Writes a refusal; it is answered when the last answered one is long enough ago.
    fn refuse(
        &mut self,
        reason: Reason,
        subject: Subject<'_>,
        sighting: &Sighting,
        hashtag: &str,
        turn: &mut Turn<'_>,
    ) -> Verdict {
        let answered = self.history.answer(sighting.time);
        self.write_refusal(reason, subject, sighting, hashtag, answered, turn);
        Verdict { outcome: VerdictKind::Refused(reason), code: None }
    }

    fn write_refusal(
        &self,
        reason: Reason,
        subject: Subject<'_>,
        sighting: &Sighting,
        hashtag: &str,
        answered: bool,
        turn: &mut Turn<'_>,
    ) {
        let values =
            Values { to: self.to(sighting), product: hashtag, offer_tag: hashtag, ..Values::default() };
        let template = turn.settings.texts.refused.get(reason.as_str()).filter(|_| answered);
        let reply = template.map(|template| reply(template, sighting.tweet_id, &values));
        let details =
            Details::Refused { reason, tweet_id: sighting.tweet_id, hashtag: hashtag.to_owned(), reply };
        let tag = fold(hashtag.trim_start_matches(['#', '＃']));
        turn.effects.event(subject.event(
            EventKind::Refused,
            sighting.time,
            sighting.tweet_id,
            &tag,
            details,
        ));
    }

    /// Whom a reply addresses: the handle in the tweet, else the account's, if it can be one.
    fn to<'b>(&'b self, sighting: &'b Sighting) -> Option<&'b str> {
        let account = self.account.as_ref();
        let screen_name = account.and_then(|account| account.screen_name.as_deref());
        sighting.handle.as_deref().or(screen_name.filter(|name| is_handle(name)))
    }

    fn find(&self, code: Code) -> Own {
        if let Some(index) = self.pendings.iter().position(|pending| pending.code == code) {
            return Own::Pending(index);
        }
        // The newest first: a code stays the same only within one purchase, but be it as it may.
        match self.history.past.iter().rposition(|past| past.code == code) {
            Some(index) => Own::Past(index),
            None => Own::Not,
        }
    }

    /// Whether a purchase of this id is pending or remembered.
    fn knows(&self, purchase_id: Uuid) -> bool {
        self.pendings.iter().any(|pending| pending.purchase_id == purchase_id)
            || self.history.past.iter().any(|past| past.purchase_id == purchase_id)
    }

    /// Moves a pending to the past.
    fn settle(&mut self, pending: &Pending, outcome: Outcome, decided: Time) {
        self.history.past.push(Past {
            code: pending.code,
            purchase_id: pending.purchase_id,
            offer_id: pending.offer.offer_id.clone(),
            offer_version: pending.offer.version,
            outcome,
            deadline: pending.deadline,
            decided,
        });
    }
}
