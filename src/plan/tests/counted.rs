//! The bytes of records, counted in what the program writes: the figures stay near them.

use std::sync::Arc;

use super::*;
use crate::core::account::Account;
use crate::core::code::{Code, Secret};
use crate::core::desk::{Desk, Effects, Output, Progress};
use crate::core::event::Event;
use crate::core::ids::{AccountId, TweetId};
use crate::core::inbox::{Inbox, Position, SeenCode, SeenOffer, Sighting, encode};
use crate::core::offer::Offer;
use crate::core::settings::Settings;
use crate::core::time::Time;

const START: Time = Time::from_millis(1_360_756_800_000);
/// What Kafka adds to a record in a batch, about.
const FRAME: usize = 20;
/// Names and values of the headers of an event.
const HEADERS: usize = 224;
/// A key: `account/1234567890`.
const KEY: usize = 18;

/// A tweet with the offer's tag, or with a code.
fn sighting(tweet: u64, code: Option<&str>) -> Inbox {
    let offer = r##"{"offer_id":"teapot","kind":"purchase","hashtag":"#BuyTeapot","product":"Blue teapot",
        "merchant_id":"m-17","price":{"amount":2450,"currency":"USD"},"starts_at":"2013-02-13T00:00:00Z",
        "ends_at":"2013-03-03T23:59:59.999Z"}"##;
    let offer = Arc::new(Offer::from_json(offer, "Confirm").unwrap());
    let tweet_id = TweetId::new(tweet).unwrap();
    Inbox::Sighting(Sighting {
        account: AccountId::new(1_234_567_890).unwrap(),
        tweet_id,
        first_id: tweet_id,
        time: START,
        handle: Some("anna_buys".to_owned()),
        protected: false,
        codes: code.into_iter().map(seen_code).collect(),
        offers: if code.is_some() {
            vec![]
        } else {
            vec![SeenOffer { hashtag: offer.hashtag.clone(), offer }]
        },
    })
}

fn seen_code(hashtag: &str) -> SeenCode {
    let code = Code::parse(hashtag.strip_prefix("#Confirm").unwrap()).unwrap();
    SeenCode { hashtag: hashtag.to_owned(), code }
}

fn account() -> Inbox {
    let json = r#"{"account_id":"1234567890","screen_name":"anna_buys","card_token":"tok_9f2c71aa",
        "delivery_ref":"addr_31","status":"active","linked_at":"2013-01-05T10:00:00Z"}"#;
    let account = Arc::new(Account::from_json(json).unwrap());
    Inbox::Account {
        account_id: account.account_id,
        position: Position { epoch: 0, offset: 7 },
        account: Some(account),
    }
}

fn mark() -> Inbox {
    Inbox::Mark { time: START, settings: Settings::default().into() }
}

/// Within a fifth: records differ, and so do names.
fn assert_counted(what: &str, figure: &Figure, bytes: usize) {
    let ratio = figure.value / bytes as f64;
    assert!((0.8..=1.25).contains(&ratio), "{what}: {} in the basis, {bytes} counted", figure.value);
}

#[test]
fn records_of_the_inbox() {
    let basis = Basis::default();
    assert_counted(
        "sighting",
        &basis.sighting_bytes,
        encode(&sighting(301_661_999_723_446_273, None)).len() + KEY + FRAME,
    );
    assert_counted("mark", &basis.mark_bytes, encode(&mark()).len() + FRAME);
}

#[test]
fn events_orders_and_the_record_of_a_partition() {
    let basis = Basis::default();
    let mut desk = Desk::new(Secret::published());
    let mut step = |record: &Inbox| {
        let mut effects = Effects::default();
        assert_eq!(desk.step(record, START, START, &mut effects).unwrap(), Progress::Done);
        let changes = desk.changes(8);
        desk.commit();
        (effects.outputs, changes)
    };
    let (_, changes) = step(&mark());
    let partition = changes.iter().find(|(key, _)| key == "partition").unwrap();
    let bytes = partition.1.as_ref().unwrap().len();
    assert_counted("partition", &basis.changelog_partition_bytes, bytes + KEY + FRAME);

    step(&account());
    let (requested, _) = step(&sighting(301_661_999_723_446_273, None));
    let [Output::Event(requested)] = &requested[..] else { panic!("{requested:?}") };
    let bytes = |event: &Event| serde_json::to_vec(event).unwrap().len() + HEADERS + KEY + FRAME;
    assert_counted("requested", &basis.event_bytes, bytes(requested));

    let code = serde_json::to_value(requested).unwrap()["code"].as_str().unwrap().to_owned();
    let (confirmed, _) = step(&sighting(301_663_006_356_406_274, Some(&code)));
    let [Output::Event(confirmed), Output::Order(order), Output::Send(message)] = &confirmed[..] else {
        panic!("{confirmed:?}")
    };
    assert_counted("confirmed", &basis.event_bytes, bytes(confirmed));
    assert_counted("order", &basis.order_bytes, bytes(order));
    assert_counted("message", &basis.message_bytes, encode(message).len() + KEY + FRAME);
    let (_, changes) = step(message);
    let offer = changes.iter().find(|(key, _)| key.starts_with("offer/")).unwrap();
    let bytes = offer.1.as_ref().unwrap().len();
    assert_counted("offer", &basis.changelog_offer_bytes, bytes + KEY + FRAME);
}
