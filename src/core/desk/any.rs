//! Any entity of a desk, for tests of how it is written and kept.

use std::sync::Arc;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use uuid::Uuid;

use super::buyer::Buyer;
use super::buyer::history::{
    Deleted, History, LoadedOn, Marker, Outcome, Past, Spent, Units, Verdict, VerdictKind,
};
use super::pending::Pending;
use crate::core::account::{Account, AccountStatus, Caps};
use crate::core::code::Code;
use crate::core::event::Reason;
use crate::core::ids::{AccountId, TweetId};
use crate::core::inbox::Position;
use crate::core::money::{Currency, Money};
use crate::core::offer::Offer;
use crate::core::time::Time;
use crate::core::transaction::CardToken;

/// Any number of 64 bits, those at the ends and small ones more often.
pub fn number() -> impl Strategy<Value = u64> + Clone {
    prop_oneof![any::<u64>(), 0u64..200, Just(u64::MAX), Just(1 << 63)]
}

fn signed() -> impl Strategy<Value = i64> + Clone {
    number().prop_map(|number| number as i64)
}

fn tweet() -> impl Strategy<Value = TweetId> + Clone {
    let real = 301_829_517_291_847_680u64..301_829_517_291_847_690;
    prop_oneof![number(), real].prop_map(|id| TweetId::new(id.max(1)).unwrap())
}

pub fn account_id() -> impl Strategy<Value = AccountId> + Clone {
    number().prop_map(|id| AccountId::new(id.max(1)).unwrap())
}

fn time() -> impl Strategy<Value = Time> + Clone {
    let real = 1_360_756_800_000i64..1_360_760_400_000;
    prop_oneof![Just(Time::ZERO), Just(Time::MAX), real.prop_map(Time::from_millis)]
}

fn code() -> impl Strategy<Value = Code> + Clone {
    "[0-9]{2}[0-9A-HJKMNP-TV-Z]{6}".prop_map(|text| Code::parse(&text).unwrap())
}

fn uuid() -> impl Strategy<Value = Uuid> + Clone {
    any::<u128>().prop_map(Uuid::from_u128)
}

fn money() -> impl Strategy<Value = Money> + Clone {
    (signed(), "[A-Z]{3}").prop_map(|(amount, code)| Money::new(amount, Currency::parse(&code).unwrap()))
}

pub fn offer() -> impl Strategy<Value = Arc<Offer>> + Clone {
    ("[ab]", 1u64..3).prop_map(|(id, version)| named(&id, version))
}

pub fn pending() -> impl Strategy<Value = Pending> {
    let ids = (uuid(), code(), offer(), tweet(), tweet());
    (ids, (time(), time(), time()), option::of("|anna|\\PC{0,90}")).prop_map(|(ids, times, to)| {
        let (purchase_id, code, offer, offer_tweet, version) = ids;
        let (issued_at, deadline, reminded_at) = times;
        Pending { purchase_id, code, offer, offer_tweet, version, issued_at, deadline, reminded_at, to }
    })
}

pub fn account() -> impl Strategy<Value = Account> {
    let caps = (option::of(money()), vec(option::of(number()), 4)).prop_map(|(per_day, limits)| Caps {
        per_day,
        pendings: limits[0],
        requests_per_hour: limits[1],
        wrong_codes_per_hour: limits[2],
        hold_seconds: limits[3],
    });
    let caps = prop_oneof![Just(Caps::default()), caps];
    (account_id(), option::of("\\PC{0,20}"), "\\PC{0,20}", "\\PC{0,200}", any::<bool>(), time(), caps)
        .prop_map(|(account_id, screen_name, card_token, delivery_ref, frozen, linked_at, caps)| Account {
            account_id,
            screen_name,
            card_token,
            delivery_ref,
            status: if frozen { AccountStatus::Frozen } else { AccountStatus::Active },
            linked_at,
            caps,
        })
}

fn marker() -> impl Strategy<Value = Marker> {
    let outcome = prop_oneof![
        Just(VerdictKind::Requested),
        Just(VerdictKind::Reminded),
        Just(VerdictKind::Confirmed),
        Just(VerdictKind::Nothing),
        Just(VerdictKind::Loaded),
        (0..Reason::ALL.len()).prop_map(|reason| VerdictKind::Refused(Reason::ALL[reason])),
    ];
    let verdict = (outcome, option::of(code())).prop_map(|(outcome, code)| Verdict { outcome, code });
    (tweet(), tweet(), time(), vec(verdict, 0..4)).prop_map(|(tweet, version, time, verdicts)| Marker {
        tweet,
        version,
        time,
        verdicts,
    })
}

fn past() -> impl Strategy<Value = Past> {
    let submitted = (money(), signed()).prop_map(|(price, day)| Outcome::Submitted { price, day });
    let outcome =
        prop_oneof![submitted, Just(Outcome::Confirmed), Just(Outcome::Lapsed), Just(Outcome::Cancelled)];
    (code(), uuid(), "\\PC{0,9}", number(), outcome, time(), time()).prop_map(
        |(code, purchase_id, offer_id, offer_version, outcome, deadline, decided)| Past {
            code,
            purchase_id,
            offer_id,
            offer_version,
            outcome,
            deadline,
            decided,
        },
    )
}

pub fn history() -> impl Strategy<Value = History> {
    let deleted = (tweet(), time()).prop_map(|(tweet, time)| Deleted { tweet, time });
    let units = ("\\PC{0,9}", number(), time());
    let units = units.prop_map(|(offer_id, units, ends_at)| Units { offer_id, units, ends_at });
    let spent = (signed(), money()).prop_map(|(day, sum)| Spent { day, sum });
    let lists = (vec(marker(), 0..4), vec(deleted, 0..4), vec(past(), 0..4));
    let times = (vec(time(), 0..4), vec(time(), 0..4), vec(time(), 0..4));
    let options = (option::of(time()), option::of(time()));
    let cards = ("\\PC{0,9}", time())
        .prop_map(|(token, redeem_by)| LoadedOn { card_token: CardToken::new(token), redeem_by });
    (lists, times, options, vec(units, 0..4), vec(spent, 0..4), vec(cards, 0..3)).prop_map(
        |(lists, times, options, units, spent, cards)| {
            let (markers, deletions, past) = lists;
            let (requested, wrong_codes, locks) = times;
            let (answered, unlinked_at) = options;
            History {
                markers,
                deletions,
                past,
                requested,
                wrong_codes,
                locks,
                answered,
                units,
                spent,
                cards,
                unlinked_at,
            }
        },
    )
}

/// A version of an offer.
pub fn cup(version: u64) -> Arc<Offer> {
    named("cup", version)
}

fn named(id: &str, version: u64) -> Arc<Offer> {
    let json = format!(
        r##"{{"offer_id":"{id}","version":{version},"kind":"purchase","hashtag":"#Get{id}",
            "price":{{"amount":1,"currency":"USD"}},"starts_at":"2013-02-13T00:00:00.000Z",
            "ends_at":"2013-02-14T00:00:00.000Z"}}"##
    );
    Arc::new(Offer::from_json(&json, "Confirm").unwrap())
}

/// An account entity.
pub fn buyer() -> impl Strategy<Value = Buyer> {
    let history = prop_oneof![Just(History::default()), history()];
    let position = option::of((number(), number()));
    (account_id(), option::of(account()), position, vec(pending(), 0..4), history).prop_map(
        |(id, account, position, pendings, history)| {
            let position = position.map(|(epoch, offset)| Position { epoch, offset });
            Buyer { id, account: account.map(Arc::new), position, pendings, history }
        },
    )
}
