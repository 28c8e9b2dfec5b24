//! The ledger: checks from the events alone that every purchase ends once, and is billed once, and every coupon
//! credited once.
//!
//! It knows nothing of the desk, and believes nothing but the events. Those of one account come in their
//! order; those of `purchases` and those of `orders` come in any, as two topics do. It remembers every
//! purchase and coupon, some hundred bytes each. At the end it is compared with the desk's own books.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;

use uuid::Uuid;

use super::audit::Audit;
use super::coupons::Coupons;
use crate::core::event::{Details, Event, EventKind};

/// What has become of the purchases and coupons.
#[derive(Debug, Default)]
pub struct Ledger {
    purchases: HashMap<Uuid, Purchase>,
    /// The coupons among them.
    pub coupons: Coupons,
    /// Events by type.
    events: BTreeMap<EventKind, u64>,
    /// Refusals by reason.
    pub refusals: BTreeMap<&'static str, u64>,
    /// Confirmations and orders of purchases that had theirs already, and credits of a transaction that had earned
    /// that offer's already: there is nothing worse.
    pub doubles: u64,
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
        let is_of_a_coupon = matches!(
            event.details,
            Details::CouponLoaded { .. }
                | Details::CouponCredit { .. }
                | Details::CouponExpired { .. }
                | Details::OrderCredit { .. }
        );
        if is_of_a_coupon {
            self.doubles += u64::from(self.coupons.note(event, &mut self.faults));
            return;
        }
        let Some(id) = event.purchase_id else {
            return self.faults.push(format!("a {} without purchase_id", event.kind.as_str()));
        };
        let purchase = self.purchases.entry(id).or_default();
        self.doubles += u64::from(match event.kind {
            EventKind::OrderPlaced => purchase.ordered,
            EventKind::Confirmed => purchase.end == Some(EventKind::Confirmed),
            _ => false,
        });
        let fault = match event.kind {
            EventKind::OrderPlaced if purchase.ordered => Some("billed twice".to_owned()),
            EventKind::OrderPlaced => {
                purchase.ordered = true;
                None
            }
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
            _ => None,
        };
        self.faults.extend(fault.map(|fault| format!("purchase {id}: {fault}")));
    }

    /// Takes down that an event could not be read.
    pub fn unreadable(&mut self, what: impl Display) {
        self.faults.push(format!("an event cannot be read: {what}"));
    }

    /// How many events of a type there were.
    pub fn count(&self, kind: EventKind) -> u64 {
        self.events.get(&kind).copied().unwrap_or(0)
    }

    /// How many purchases the desk holds without an end.
    pub fn pendings(&self, audit: &Audit) -> u64 {
        let waiting = audit.submitted.iter().filter(|id| self.is_open(id)).count();
        (audit.pending.len() + waiting) as u64
    }

    /// Everything that does not add up, given the desk's own books.
    pub fn faults(&self, audit: &Audit) -> Vec<String> {
        let mut faults = self.faults.clone();
        faults.extend(self.coupons.faults(audit));
        for (id, purchase) in &self.purchases {
            if self.is_open(id) && !audit.pending.contains(id) && !audit.submitted.contains(id) {
                faults.push(format!("purchase {id}: has no end, and the desk knows nothing of it"));
            }
            if purchase.ordered && purchase.end != Some(EventKind::Confirmed) {
                faults.push(format!("purchase {id}: billed without a confirmation"));
            }
            if purchase.end == Some(EventKind::Confirmed) && !purchase.ordered {
                faults.push(format!("purchase {id}: confirmed without an order"));
            }
        }
        let closed = audit.pending.iter().filter(|id| !self.is_open(id));
        faults.extend(closed.map(|id| format!("purchase {id}: pending at the desk, but not by the events")));
        let [requested, confirmed, lapsed, cancelled] =
            [EventKind::Requested, EventKind::Confirmed, EventKind::Lapsed, EventKind::Cancelled]
                .map(|kind| self.count(kind));
        let pendings = self.pendings(audit);
        if requested != confirmed + lapsed + cancelled + pendings {
            faults.push(format!(
                "requested {requested} is not confirmed {confirmed} + lapsed {lapsed} + cancelled {cancelled} + pending {pendings}"
            ));
        }
        faults
    }

    fn is_open(&self, id: &Uuid) -> bool {
        self.purchases.get(id).is_some_and(|purchase| purchase.requested && purchase.end.is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::event::{Cause, Reason, Subject};
    use crate::core::ids::{AccountId, TweetId};
    use crate::core::money::{Currency, Money};
    use crate::core::time::Time;
    use crate::core::transaction::CardToken;

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

    fn faults(events: &[(EventKind, u128)], pendings: &[u128]) -> Vec<String> {
        let mut ledger = Ledger::default();
        events.iter().for_each(|&(kind, purchase)| ledger.note(&event(kind, Some(purchase))));
        let mut faults = ledger.faults(&audit(pendings, &[]));
        faults.sort();
        faults
    }

    fn audit(pending: &[u128], submitted: &[u128]) -> Audit {
        let ids = |ids: &[u128]| ids.iter().map(|id| Uuid::from_u128(*id)).collect();
        Audit { pending: ids(pending), submitted: ids(submitted), ..Audit::default() }
    }

    use EventKind::*;

    #[test]
    fn whole_lives_add_up() {
        let events = [
            (Requested, 1),
            (Requested, 2),
            (Reminded, 1),
            // The other topic may be read first.
            (OrderPlaced, 1),
            (Confirmed, 1),
            (Lapsed, 2),
            (Requested, 3),
            (Cancelled, 3),
            (Requested, 4),
        ];
        assert_eq!(faults(&events, &[4]), [""; 0]);
        let name = |id| Uuid::from_u128(id);
        assert_eq!(
            faults(&events, &[]),
            [
                format!("purchase {}: has no end, and the desk knows nothing of it", name(4)),
                "requested 4 is not confirmed 1 + lapsed 1 + cancelled 1 + pending 0".to_owned()
            ]
        );
        assert_eq!(
            faults(&events, &[2, 4]),
            [
                format!("purchase {}: pending at the desk, but not by the events", name(2)),
                "requested 4 is not confirmed 1 + lapsed 1 + cancelled 1 + pending 2".to_owned()
            ]
        );
    }

    #[test]
    fn what_was_handed_to_the_stock_is_pending_until_the_events_say_more() {
        let mut ledger = Ledger::default();
        [1, 2].into_iter().for_each(|id| ledger.note(&event(Requested, Some(id))));
        [Confirmed, OrderPlaced].into_iter().for_each(|kind| ledger.note(&event(kind, Some(1))));
        let audit = audit(&[], &[1, 2]);
        assert_eq!(ledger.pendings(&audit), 1);
        assert_eq!(ledger.faults(&audit), [""; 0]);
    }

    #[test]
    fn what_happens_twice_or_out_of_nothing_is_a_fault() {
        let paid = [(Requested, 1), (Confirmed, 1), (OrderPlaced, 1)];
        for (events, fault, doubles) in [
            (vec![(OrderPlaced, 1)], "billed twice", 1),
            (vec![(Confirmed, 1)], "purchase.confirmed after purchase.confirmed", 1),
            (vec![(Confirmed, 1), (OrderPlaced, 1)], "billed twice", 2),
            (vec![(Lapsed, 1)], "purchase.lapsed after purchase.confirmed", 0),
            (vec![(Requested, 1)], "requested twice", 0),
            (vec![(Confirmed, 2)], "purchase.confirmed without a request", 0),
            (vec![(Requested, 2), (OrderPlaced, 2)], "billed without a confirmation", 0),
            (vec![(Requested, 2), (Confirmed, 2)], "confirmed without an order", 0),
        ] {
            let mut ledger = Ledger::default();
            paid.iter().chain(&events).for_each(|&(kind, id)| ledger.note(&event(kind, Some(id))));
            let found = ledger.faults(&Audit::default());
            assert!(found.iter().any(|found| found.ends_with(fault)), "{found:?}, not {fault}");
            assert_eq!(ledger.doubles, doubles, "{events:?}");
        }
    }

    #[test]
    fn an_event_without_purchase_is_a_fault() {
        let mut ledger = Ledger::default();
        ledger.note(&event(Lapsed, None));
        ledger.unreadable("purchases/0@7: no JSON");
        let faults = ledger.faults(&Audit::default());
        assert_eq!(faults[0], "a purchase.lapsed without purchase_id");
        assert_eq!(faults[1], "an event cannot be read: purchases/0@7: no JSON");
    }

    #[test]
    fn a_credit_that_comes_twice_is_the_worst_and_one_without_its_order_a_fault() {
        let credit = |kind, details| {
            let offer = Some(("shoes", 1));
            let subject = Subject { account: AccountId::new(1).unwrap(), purchase_id: None, offer };
            subject.event(kind, Time::ZERO, "t-1", "", details)
        };
        let credited = Money::new(500, Currency::parse("USD").unwrap());
        let (card_token, transaction_id) = (CardToken::new("tok"), "t-1".to_owned());
        let order = credit(OrderCredited, Details::OrderCredit { card_token, transaction_id, credited });
        let mut ledger = Ledger::default();
        ledger.note(&order);
        assert_eq!(ledger.doubles, 0);
        let without = "transaction t-1: nothing credited for shoes by purchases, $5.00 by orders";
        assert_eq!(ledger.faults(&Audit::default()), [without]);
        ledger.note(&order);
        assert_eq!((ledger.doubles, ledger.count(OrderCredited)), (1, 2));
        let twice = "coupon shoes of account 1: order.credited twice by one transaction";
        assert_eq!(ledger.faults(&Audit::default()), [twice, without]);
    }

    #[test]
    fn refusals_are_counted_by_reason() {
        let mut ledger = Ledger::default();
        ledger.note(&event(Refused, None));
        ledger.note(&event(Refused, Some(1)));
        assert_eq!(ledger.refusals, BTreeMap::from([("locked", 2)]));
        assert_eq!(ledger.count(Refused), 2);
        assert_eq!(ledger.faults(&Audit::default()), [""; 0]);
    }
}
