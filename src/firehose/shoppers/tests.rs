use std::collections::BTreeMap;

use super::*;
use crate::core::code::Secret;
use crate::core::settings::Settings;
use crate::input::table_file::Change;
use crate::replay::{Engine, Line, Source, Table};

fn start() -> Time {
    "2013-02-13T12:00:00Z".parse().unwrap()
}

/// Half an hour of shoppers at an engine: what happened, and what came of it.
fn half_an_hour(seed: u64) -> (Vec<Happening>, Vec<Event>, Engine) {
    let engine = Engine::new(Settings::default(), Secret::published(), Default::default(), None);
    let mut engine = engine.with_transactions();
    let (mut shoppers, mut maker) = (Shoppers::new(seed, start()), Maker::new(seed));
    let (mut happenings, mut events) = (Vec::new(), Vec::new());
    for second in 0..1_800 {
        let now = start().plus(second * SECOND);
        while let Some(happening) = shoppers.next(now, &mut maker) {
            let (table, id, json) = match happening.clone() {
                Happening::Record(bytes) => {
                    engine.record(&bytes, now).unwrap().unwrap();
                    happenings.push(happening);
                    tell(&mut engine, &mut shoppers, &mut events);
                    continue;
                }
                Happening::Offer { id, json } => (Table::Offers, id, Some(json)),
                Happening::Account { id, json } => (Table::Accounts, id.to_string(), json),
                Happening::Transaction { card, json } => {
                    (Table::Transactions, card.as_str().to_owned(), Some(json))
                }
            };
            let change = Change { at: None, key: Some(id), value: json };
            engine.load(vec![Line { source: Source { table, line: 1 }, change }]).unwrap();
            assert_eq!(engine.take_rejections().next(), None);
            happenings.push(happening);
            tell(&mut engine, &mut shoppers, &mut events);
        }
        engine.advance(now).unwrap();
        tell(&mut engine, &mut shoppers, &mut events);
    }
    (happenings, events, engine)
}

/// The shoppers hear of everything at once.
fn tell(engine: &mut Engine, shoppers: &mut Shoppers, events: &mut Vec<Event>) {
    for event in engine.take_events() {
        shoppers.hear(&event);
        events.push(event);
    }
}

#[test]
fn the_same_seed_gives_the_same_shoppers() {
    let (once, again) = (half_an_hour(8), half_an_hour(8));
    assert_eq!(once.0, again.0);
    assert_eq!(once.1, again.1);
    assert_ne!(once.0, half_an_hour(9).0);
}

#[test]
fn everything_that_can_come_of_a_plan_does() {
    let (_, events, engine) = half_an_hour(2);
    let mut seen = BTreeMap::new();
    for event in &events {
        let reason = match &event.details {
            Details::Refused { reason, .. } => reason.as_str().to_owned(),
            Details::Cancelled { cause, .. } => format!("{cause:?}"),
            _ => event.kind.as_str().to_owned(),
        };
        *seen.entry(reason).or_insert(0) += 1;
    }
    for wanted in [
        "purchase.requested",
        "purchase.reminded",
        "purchase.confirmed",
        "purchase.lapsed",
        "order.placed",
        "coupon.loaded",
        "coupon.redeemed",
        "coupon.reversed",
        "coupon.expired",
        "order.credited",
        "order.credit_reversed",
        "limit_reached",
        "Deleted",
        "Frozen",
        "Unlinked",
        "SoldOut",
        "not_linked",
        "frozen",
        "locked",
        "lapsed",
        "wrong_code",
        "on_hold",
        "sold_out",
        "cap_exceeded",
    ] {
        assert!(seen.contains_key(wanted), "{wanted} is not in {seen:?}");
    }
    let nothing: Vec<_> = engine.summary().nothing.iter().map(|(what, _)| what.as_str()).collect();
    for wanted in [
        "retweet",
        "no_tag",
        "code_of_stranger",
        "duplicate",
        "already_done",
        "deletion",
        "transaction_again",
        "payment_without_coupon",
        "refund_without_effect",
    ] {
        assert!(nothing.contains(&wanted), "{wanted} is not in {nothing:?}");
    }
}

#[test]
fn the_coupon_that_expires_can_be_left_out() {
    for overdue in [true, false] {
        let habits = Habits { coupons: 100, overdue, ..Habits::default() };
        let (mut shoppers, mut maker) = (Shoppers::with(habits, 6, start()), Maker::new(6));
        let (mut offers, mut asked) = (0, 0);
        while let Some(happening) = shoppers.next(start().plus(30 * MINUTE), &mut maker) {
            match happening {
                Happening::Offer { id, .. } => offers += usize::from(id == COUPONS[OVERDUE].id),
                Happening::Record(bytes) => {
                    let text = String::from_utf8(bytes).unwrap();
                    asked += usize::from(text.to_lowercase().contains("loadskates"));
                }
                _ => {}
            }
        }
        // A version in each half of a window.
        assert_eq!(offers, if overdue { 31 } else { 0 });
        assert_eq!(asked > 10, overdue, "{asked}");
    }
}
