use std::sync::Arc;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::core::account::{Account, AccountStatus, Caps};
use crate::core::desk::buyer::Buyer;
use crate::core::desk::buyer::history::{
    Deleted, History, LoadedOn, Marker, Outcome, Past, Spent, Units, Verdict, VerdictKind,
};
use crate::core::desk::pending::Pending;
use crate::core::desk::pool::Pool;
use crate::core::event::Reason;
use crate::core::ids::AccountId;
use crate::core::inbox::Position;
use crate::core::money::{Currency, Money};
use crate::core::offer::Offer;
use crate::core::transaction::CardToken;

/// Any number of 64 bits, those at the ends and small ones more often.
fn number() -> impl Strategy<Value = u64> + Clone {
    prop_oneof![any::<u64>(), 0u64..200, Just(u64::MAX), Just(1 << 63)]
}

fn signed() -> impl Strategy<Value = i64> + Clone {
    number().prop_map(|number| number as i64)
}

fn tweet() -> impl Strategy<Value = TweetId> + Clone {
    let real = 301_829_517_291_847_680u64..301_829_517_291_847_690;
    prop_oneof![number(), real].prop_map(|id| TweetId::new(id.max(1)).unwrap())
}

fn account_id() -> impl Strategy<Value = AccountId> + Clone {
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

fn offer() -> impl Strategy<Value = Arc<Offer>> + Clone {
    ("[ab]", 1u64..3).prop_map(|(id, version)| {
        let json = format!(
            r##"{{"offer_id":"{id}","version":{version},"kind":"purchase","hashtag":"#Get{id}",
                "price":{{"amount":1,"currency":"USD"}},"starts_at":"2013-02-13T00:00:00.000Z",
                "ends_at":"2013-02-14T00:00:00.000Z"}}"##
        );
        Arc::new(Offer::from_json(&json, "Confirm").unwrap())
    })
}

fn pending() -> impl Strategy<Value = Pending> {
    let ids = (uuid(), code(), offer(), tweet(), tweet());
    (ids, (time(), time(), time()), option::of("|anna|\\PC{0,90}")).prop_map(|(ids, times, to)| {
        let (purchase_id, code, offer, offer_tweet, version) = ids;
        let (issued_at, deadline, reminded_at) = times;
        Pending { purchase_id, code, offer, offer_tweet, version, issued_at, deadline, reminded_at, to }
    })
}

fn account() -> impl Strategy<Value = Account> {
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

fn history() -> impl Strategy<Value = History> {
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

proptest! {
    #[test]
    fn an_account_is_unpacked_as_it_was(
        id in account_id(),
        account in option::of(account()),
        position in option::of((number(), number())),
        history in prop_oneof![Just(History::default()), history()],
    ) {
        let position = position.map(|(epoch, offset)| Position { epoch, offset });
        let account = account.map(Arc::new);
        let buyer = Buyer { id, account, position, pendings: Vec::new(), history };
        let packed = pack_account(&buyer);
        prop_assert_eq!(unpack_account(id, &packed), Some(buyer));
        // Whatever is cut off is missed.
        let cut = Packed(packed.0[..packed.0.len() - 1].into());
        prop_assert_eq!(unpack_account(id, &cut), None);
    }

    #[test]
    fn pendings_are_unpacked_as_they_were(pendings in vec(pending(), 1..6)) {
        let mut pool = Pool::default();
        let packed = pack_pendings(&pendings, |offer| pool.hold(offer));
        prop_assert_eq!(offers_of(&packed).count(), pendings.len());
        let unpacked = unpack_pendings(&packed, |number| pool.get(number));
        prop_assert_eq!(unpacked.as_ref(), Some(&pendings));
        let cut = Packed(packed.0[..packed.0.len() - 1].into());
        prop_assert_eq!(unpack_pendings(&cut, |number| pool.get(number)), None);
    }
}

/// What is to be expected of the memory: see `hashbuy load parts`.
#[test]
fn a_usual_pending_takes_half_a_hundred_bytes() {
    let tweet = TweetId::parse("301829517291847680").unwrap();
    let issued_at = time_of(tweet).plus(3_000);
    let json = r##"{"offer_id":"cup","kind":"purchase","hashtag":"#GetCup","price":{"amount":1,"currency":"USD"},
        "starts_at":"2013-02-13T00:00:00.000Z","ends_at":"2013-02-14T00:00:00.000Z"}"##;
    let pending = Pending {
        purchase_id: Uuid::nil(),
        code: Code::parse("7K2QM4XA").unwrap(),
        offer: Arc::new(Offer::from_json(json, "Confirm").unwrap()),
        offer_tweet: tweet,
        version: tweet,
        issued_at,
        deadline: issued_at.plus(900_000),
        reminded_at: time_of(tweet),
        to: Some("buyer1234567".to_owned()),
    };
    let bytes = |count| pack_pendings(&vec![pending.clone(); count], |_| 999).0.len();
    assert_eq!(bytes(1), 52);
    assert_eq!(bytes(5), 52 + 4 * 39);
}
