//! One step of an entity: what it may know, and what it says.

use super::changelog::Told;
use super::wheel::Due;
use crate::core::code::Secret;
use crate::core::event::Event;
use crate::core::ids::AccountId;
use crate::core::inbox::Inbox;
use crate::core::settings::Settings;
use crate::core::tally::{Counted, Tally};
use crate::core::time::{HOUR, Time};

/// The longest window an offer may have, in milliseconds.
pub const LONGEST_WINDOW: i64 = HOUR;
/// An offer tag in a tweet older than this is refused, in milliseconds.
pub const OFFER_TAG_AGE: i64 = HOUR;

/// What one record leads to, in order.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Effects {
    /// What is to be written, in order.
    pub outputs: Vec<Output>,
    /// What led to nothing, by reason.
    pub tally: Tally,
    /// Accounts whose codes were locked: one more wrong code than they may have in an hour.
    pub lockouts: Vec<AccountId>,
    /// Codes that were taken: so many milliseconds from the request to the tweet with the code, whatever the stock
    /// makes of it.
    pub confirm_times: Vec<i64>,
}

/// One thing to be written.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// An event for `purchases`.
    Event(Event),
    /// An event for `orders`.
    Order(Event),
    /// A message to another entity, through the inbox; its key says to whom.
    Send(Inbox),
}

impl Effects {
    pub(super) fn event(&mut self, event: Event) {
        self.outputs.push(Output::Event(event));
    }

    pub(super) fn order(&mut self, event: Event) {
        self.outputs.push(Output::Order(event));
    }

    pub(super) fn send(&mut self, message: Inbox) {
        self.outputs.push(Output::Send(message));
    }

    pub(super) fn count(&mut self, what: Counted) {
        self.tally.count(what);
    }
}

/// What an entity may know in one step, and where its effects go.
pub(super) struct Turn<'t> {
    /// The settings in force.
    pub settings: &'t Settings,
    /// The key of the codes.
    pub secret: &'t Secret,
    /// Every tweet up to here is in the inbox.
    pub desk_time: Time,
    /// When the record was appended to the inbox.
    pub log_time: Time,
    /// The worker's clock at the start of the transaction.
    pub now: Time,
    /// What is known of the offers in the tweet.
    pub told: &'t [(&'t str, Told)],
    /// What the step leads to.
    pub effects: &'t mut Effects,
    /// When the pendings lapse that the step makes.
    pub deadlines: &'t mut Vec<Due>,
}

impl Turn<'_> {
    /// How far back the desk remembers tweets, in milliseconds.
    pub fn horizon(&self) -> i64 {
        horizon(self.settings)
    }
}

/// The age up to which an offer tag is taken, the longest window, and the slack, in milliseconds.
pub(super) fn horizon(settings: &Settings) -> i64 {
    settings.slack_ms.saturating_add(OFFER_TAG_AGE + LONGEST_WINDOW)
}
