//! The coupons in the ledger: each is loaded once, and then redeemed, expired or still loaded; what is credited for it
//! is told on both topics, once for each transaction, and is never more than it was loaded for.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::audit::Audit;
use crate::core::event::{Details, Event, EventKind};
use crate::core::ids::{AccountId, TweetId};
use crate::core::money::{Currency, Money};

/// Whose coupons, and of which offer: an account may have several of one offer, each on a card of its own.
pub type Holding = (AccountId, String);

/// What has become of the coupons.
#[derive(Debug, Default)]
pub struct Coupons {
    held: BTreeMap<Holding, Held>,
    /// Who has loaded which offer, and by which tweet.
    loads: HashSet<(Holding, TweetId)>,
    /// What was credited for an offer by a payment, or taken back by a refund.
    credits: HashMap<Credit, Told>,
    /// What was loaded at most, credited, and taken back.
    pub sums: [BTreeMap<Currency, i64>; 3],
}

/// The coupons that an account has of an offer.
#[derive(Debug, Default)]
struct Held {
    loaded: u64,
    redeemed: u64,
    reversed: u64,
    expired: u64,
    /// What they are good for, what was credited, and what was taken back, in minor units.
    at_most: i64,
    credited: i64,
    taken_back: i64,
}

impl Held {
    fn still_loaded(&self) -> Option<u64> {
        self.loaded.checked_sub(self.redeemed + self.expired)
    }

    fn redeem(&mut self, credit: Money, credited: Money) -> Result<(), &'static str> {
        self.redeemed += 1;
        self.credited += credited.amount;
        if self.still_loaded().is_none() {
            return Err("redeemed, with no coupon left");
        }
        let is_granted = credited.currency == credit.currency
            && credited.amount <= credit.amount
            && self.credited <= self.at_most;
        if is_granted { Ok(()) } else { Err("more is credited than was loaded") }
    }
}

/// One credit: whether it is taken back, the offer, the payment or refund.
type Credit = (bool, String, String);

/// What was told of a credit on either topic.
#[derive(Debug, Default)]
struct Told {
    event: Option<Money>,
    order: Option<Money>,
}

impl Coupons {
    /// Takes down an event, if it is about coupons. Returns whether a transaction has earned, or taken back, an
    /// offer's credit that it had already.
    pub fn note(&mut self, event: &Event, faults: &mut Vec<String>) -> bool {
        let offer = event.offer_id.clone().unwrap_or_default();
        let is_reversal = matches!(event.kind, EventKind::CouponReversed | EventKind::OrderCreditReversed);
        let is_double = match &event.details {
            Details::OrderCredit { transaction_id, credited, .. }
            | Details::CouponCredit { transaction_id, credited, .. } => {
                let credit = (is_reversal, offer.clone(), transaction_id.clone());
                let told = self.credits.entry(credit).or_default();
                let is_order = matches!(event.details, Details::OrderCredit { .. });
                let told = if is_order { &mut told.order } else { &mut told.event };
                told.replace(*credited).is_some()
            }
            _ => false,
        };
        let holding = (event.account_id, offer);
        if is_double {
            faults.push(format!("{}: {} twice by one transaction", named(&holding), event.kind.as_str()));
        }
        if let Err(fault) = self.hold(&holding, event) {
            faults.push(format!("{}: {fault}", named(&holding)));
        }
        is_double
    }

    fn hold(&mut self, holding: &Holding, event: &Event) -> Result<(), &'static str> {
        let [at_most, given, taken_back] = &mut self.sums;
        let is_new = match &event.details {
            Details::CouponLoaded { tweet_id, .. } => self.loads.insert((holding.clone(), *tweet_id)),
            Details::OrderCredit { .. } => return Ok(()),
            _ => true,
        };
        let held = self.held.entry(holding.clone()).or_default();
        match &event.details {
            Details::CouponLoaded { credit, .. } => {
                add(at_most, *credit);
                held.loaded += 1;
                held.at_most += credit.amount;
                if is_new { Ok(()) } else { Err("loaded twice by one tweet") }
            }
            Details::CouponCredit { credit, credited, .. } if event.kind == EventKind::CouponRedeemed => {
                add(given, *credited);
                held.redeem(*credit, *credited)
            }
            Details::CouponCredit { credited, .. } => {
                add(taken_back, *credited);
                held.reversed += 1;
                held.taken_back += credited.amount;
                let is_known = held.reversed <= held.redeemed && held.taken_back <= held.credited;
                if is_known { Ok(()) } else { Err("more is taken back than was credited") }
            }
            _ => {
                held.expired += 1;
                held.still_loaded().map(|_| ()).ok_or("expired, with no coupon left")
            }
        }
    }

    /// How many coupons are neither redeemed nor expired, by the events.
    pub fn still_loaded(&self) -> u64 {
        self.held.values().filter_map(Held::still_loaded).sum()
    }

    /// Everything that does not add up at the end, given the desk's own books.
    pub fn faults(&self, audit: &Audit) -> Vec<String> {
        let mut faults = Vec::new();
        for ((is_reversal, offer, transaction), told) in &self.credits {
            if told.event != told.order {
                let what = if *is_reversal { "taken back" } else { "credited" };
                let shown =
                    |told: Option<Money>| told.map_or_else(|| "nothing".to_owned(), |told| told.to_string());
                faults.push(format!(
                    "transaction {transaction}: {} {what} for {offer} by purchases, {} by orders",
                    shown(told.event),
                    shown(told.order)
                ));
            }
        }
        let unknown = audit.loaded.keys().filter(|holding| !self.held.contains_key(*holding));
        for holding in self.held.keys().chain(unknown) {
            let by_events = self.held.get(holding).and_then(Held::still_loaded).unwrap_or(0);
            let at_desk = audit.loaded.get(holding).copied().unwrap_or(0);
            if by_events != at_desk {
                faults.push(format!(
                    "{}: still loaded {by_events} by the events, {at_desk} at the desk",
                    named(holding)
                ));
            }
        }
        faults
    }
}

fn add(sum: &mut BTreeMap<Currency, i64>, money: Money) {
    *sum.entry(money.currency).or_default() += money.amount;
}

fn named((account, offer): &Holding) -> String {
    format!("coupon {offer} of account {account}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::event::{Reply, Subject};
    use crate::core::time::Time;
    use crate::core::transaction::CardToken;
    use EventKind::{
        CouponExpired as Expired, CouponLoaded as Loaded, CouponRedeemed as Redeemed,
        CouponReversed as Reversed, OrderCreditReversed as TakenBack, OrderCredited as Credited,
    };

    fn dollars(cents: i64) -> Money {
        Money::new(cents, Currency::parse("USD").unwrap())
    }

    /// An event of a coupon of $10.00; `number` is that of the tweet or transaction, `cents` what is credited.
    fn event(kind: EventKind, number: u64, cents: i64) -> Event {
        let tweet_id = TweetId::new(number).unwrap();
        let (credit, merchant_id, redeem_by) = (dollars(1_000), None, Time::ZERO);
        let transaction_id = format!("t-{number}");
        let credited = dollars(cents);
        let details = match kind {
            Loaded => {
                let reply = Reply { in_reply_to: tweet_id, to: None, text: String::new() };
                Details::CouponLoaded { credit, merchant_id, redeem_by, tweet_id, reply }
            }
            Expired => Details::CouponExpired { credit, merchant_id, redeem_by },
            Credited | TakenBack => {
                Details::OrderCredit { card_token: CardToken::new("tok"), transaction_id, credited }
            }
            _ => Details::CouponCredit { credit, merchant_id, redeem_by, transaction_id, credited },
        };
        let account = AccountId::new(1).unwrap();
        let subject = Subject { account, purchase_id: None, offer: Some(("shoes", 1)) };
        subject.event(kind, Time::ZERO, number, "", details)
    }

    /// What is wrong with these events, and how many credits came twice, when the desk has so many coupons loaded.
    fn faults(events: &[(EventKind, u64, i64)], loaded: u64) -> (Vec<String>, u64) {
        let (mut coupons, mut faults, mut doubles) = (Coupons::default(), Vec::new(), 0);
        for &(kind, number, cents) in events {
            doubles += u64::from(coupons.note(&event(kind, number, cents), &mut faults));
        }
        let mut audit = Audit::default();
        if loaded > 0 {
            audit.loaded.insert((AccountId::new(1).unwrap(), "shoes".to_owned()), loaded);
        }
        faults.extend(coupons.faults(&audit));
        (faults, doubles)
    }

    #[test]
    fn whole_lives_add_up() {
        let redeemed = [(Loaded, 1, 0), (Credited, 2, 1_000), (Redeemed, 2, 1_000)];
        let reversed = [(Reversed, 3, 1_000), (TakenBack, 3, 1_000)];
        let second = [(Loaded, 4, 0), (Expired, 4, 0), (Loaded, 5, 0)];
        let all = [&redeemed[..], &reversed, &second].concat();
        assert_eq!(faults(&all, 1), (Vec::new(), 0));
        let mut coupons = Coupons::default();
        all.iter().for_each(|&(kind, number, cents)| {
            coupons.note(&event(kind, number, cents), &mut Vec::new());
        });
        assert_eq!(coupons.still_loaded(), 1);
        let sums = coupons.sums.map(|sum| sum.values().sum::<i64>());
        assert_eq!(sums, [3_000, 1_000, 1_000]);
    }

    #[test]
    fn what_happens_twice_or_out_of_nothing_is_a_fault() {
        let life = [(Loaded, 1, 0), (Redeemed, 2, 900), (Credited, 2, 900)];
        for (more, fault, doubles) in [
            (vec![(Loaded, 1, 0)], "loaded twice by one tweet", 0),
            (vec![(Redeemed, 3, 1)], "redeemed, with no coupon left", 0),
            (vec![(Loaded, 3, 0), (Redeemed, 2, 900)], "coupon.redeemed twice by one transaction", 1),
            (vec![(Credited, 2, 900)], "order.credited twice by one transaction", 1),
            (vec![(Expired, 1, 0)], "expired, with no coupon left", 0),
            (vec![(Reversed, 3, 901), (TakenBack, 3, 901)], "more is taken back than was credited", 0),
            (vec![(Loaded, 3, 0), (Redeemed, 4, 1_001)], "more is credited than was loaded", 0),
            (
                vec![(Reversed, 3, 900)],
                "transaction t-3: $9.00 taken back for shoes by purchases, nothing by orders",
                0,
            ),
            (
                vec![(Loaded, 3, 0), (Redeemed, 4, 5), (Credited, 4, 6)],
                "transaction t-4: $0.05 credited for shoes by purchases, $0.06 by orders",
                0,
            ),
            (
                vec![(Loaded, 3, 0)],
                "coupon shoes of account 1: still loaded 1 by the events, 0 at the desk",
                0,
            ),
        ] {
            let found = faults(&[&life[..], &more].concat(), 0);
            assert!(found.0.iter().any(|found| found.ends_with(fault)), "{found:?}, not {fault}");
            assert_eq!(found.1, doubles, "{more:?}");
        }
        let (found, _) = faults(&life, 2);
        assert_eq!(found, ["coupon shoes of account 1: still loaded 0 by the events, 2 at the desk"]);
    }
}
