//! The ledger: checks from the events alone that every purchase ends once, and is billed once.
//!
//! It is to the demo what a biller is to the service: it knows nothing of the desk, and believes
//! nothing but the events. It remembers every purchase, some hundred bytes each.

use std::collections::{BTreeMap, HashMap};

use uuid::Uuid;

use crate::core::event::{Details, Event, EventKind};

/// What has become of the purchases.
#[derive(Debug, Default)]
pub struct Ledger {
    purchases: HashMap<Uuid, Purchase>,
    /// Events by type.
    events: BTreeMap<EventKind, u64>,
    /// Refusals by reason.
    pub refusals: BTreeMap<&'static str, u64>,
    faults: Vec<String>,
}

#[derive(Debug, Default)]
struct Purchase {
    requested: bool,
    end: Option<EventKind>,
    ordered: bool,
}

impl Ledger {
    /// Takes one event down.
    pub fn note(&mut self, event: &Event) {
        *self.events.entry(event.kind).or_default() += 1;
        if let Details::Refused { reason, .. } = &event.details {
            *self.refusals.entry(reason.as_str()).or_default() += 1;
            return;
        }
        let Some(id) = event.purchase_id else {
            return self.faults.push(format!("a {} without purchase_id", event.kind.as_str()));
        };
        let purchase = self.purchases.entry(id).or_default();
        let fault = match event.kind {
            EventKind::Requested if purchase.requested => Some("requested twice".to_owned()),
            EventKind::Requested => {
                purchase.requested = true;
                None
            }
            _ if !purchase.requested => Some(format!("{} without a request", event.kind.as_str())),
            EventKind::Confirmed | EventKind::Lapsed | EventKind::Cancelled => purchase
                .end
                .replace(event.kind)
                .map(|end| format!("{} after {}", event.kind.as_str(), end.as_str())),
            EventKind::OrderPlaced if purchase.ordered => Some("billed twice".to_owned()),
            EventKind::OrderPlaced => {
                purchase.ordered = true;
                (purchase.end != Some(EventKind::Confirmed))
                    .then(|| "billed without a confirmation".to_owned())
            }
            EventKind::Reminded | EventKind::Refused => None,
        };
        self.faults.extend(fault.map(|fault| format!("purchase {id}: {fault}")));
    }

    /// How many events of a type there were.
    pub fn count(&self, kind: EventKind) -> u64 {
        self.events.get(&kind).copied().unwrap_or(0)
    }

    /// Everything that does not add up, given what the desk says is pending.
    pub fn faults(&self, pendings: u64) -> Vec<String> {
        let mut faults = self.faults.clone();
        let [requested, confirmed, lapsed, cancelled, orders] = [
            EventKind::Requested,
            EventKind::Confirmed,
            EventKind::Lapsed,
            EventKind::Cancelled,
            EventKind::OrderPlaced,
        ]
        .map(|kind| self.count(kind));
        if requested != confirmed + lapsed + cancelled + pendings {
            faults.push(format!(
                "requested {requested} is not confirmed {confirmed} + lapsed {lapsed} + cancelled {cancelled} + pending {pendings}"
            ));
        }
        if orders != confirmed {
            faults.push(format!("{orders} orders for {confirmed} confirmed purchases"));
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::event::{Cause, Reason, Subject};
    use crate::core::ids::{AccountId, TweetId};
    use crate::core::time::Time;

    fn event(kind: EventKind, purchase: Option<u128>) -> Event {
        let tweet = TweetId::new(7).unwrap();
        let details = match kind {
            EventKind::Refused => Details::Refused {
                reason: Reason::Locked,
                tweet_id: tweet,
                hashtag: "#a".to_owned(),
                reply: None,
            },
            // The ledger goes by the type.
            _ => Details::Cancelled { offer_tweet_id: tweet, cause: Cause::Deleted, reply: None },
        };
        let account = AccountId::new(1).unwrap();
        let subject = Subject { account, purchase_id: purchase.map(Uuid::from_u128), offer: None };
        subject.event(kind, Time::ZERO, tweet, "a", details)
    }

    fn faults(events: &[(EventKind, u128)], pendings: u64) -> Vec<String> {
        let mut ledger = Ledger::default();
        events.iter().for_each(|&(kind, purchase)| ledger.note(&event(kind, Some(purchase))));
        ledger.faults(pendings)
    }

    #[test]
    fn whole_lives_add_up() {
        use EventKind::*;
        let events = [
            (Requested, 1),
            (Requested, 2),
            (Reminded, 1),
            (Confirmed, 1),
            (OrderPlaced, 1),
            (Lapsed, 2),
            (Requested, 3),
            (Cancelled, 3),
            (Requested, 4),
        ];
        assert_eq!(faults(&events, 1), [""; 0]);
        assert_eq!(
            faults(&events, 0),
            ["requested 4 is not confirmed 1 + lapsed 1 + cancelled 1 + pending 0"]
        );
    }

    #[test]
    fn what_happens_twice_or_out_of_nothing_is_a_fault() {
        use EventKind::*;
        let paid = [(Requested, 1), (Confirmed, 1), (OrderPlaced, 1)];
        for (events, fault) in [
            (vec![(OrderPlaced, 1)], "billed twice"),
            (vec![(Confirmed, 1)], "purchase.confirmed after purchase.confirmed"),
            (vec![(Lapsed, 1)], "purchase.lapsed after purchase.confirmed"),
            (vec![(Requested, 1)], "requested twice"),
            (vec![(Cancelled, 2)], "purchase.cancelled without a request"),
            (vec![(Requested, 2), (OrderPlaced, 2)], "billed without a confirmation"),
        ] {
            let all: Vec<_> = paid.into_iter().chain(events).collect();
            let faults = faults(&all, 0);
            assert!(faults[0].ends_with(fault), "{faults:?}");
        }
    }

    #[test]
    fn refusals_are_counted_by_reason_and_end_nothing() {
        let mut ledger = Ledger::default();
        ledger.note(&event(EventKind::Refused, Some(1)));
        assert_eq!(ledger.refusals, BTreeMap::from([("locked", 1)]));
        assert_eq!(ledger.faults(0), [""; 0]);
    }
}
