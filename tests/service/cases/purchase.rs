//! The life of a purchase, from the tables to the order.

use std::time::Duration;

use serde_json::{Value, json};

use crate::common::program::{SECRET, census, text};
use crate::common::tables::with;
use crate::common::tags::{code, millis, rfc3339, time_of};
use crate::firehose::now;
use crate::topics::Stored;
use crate::world::{SOON, World, account, offer};

const ANNA: u64 = 101;
const BEN: u64 = 102;
const CLEO: u64 = 103;

/// Anna buys, Ben forgets it, Cleo asks twice.
pub fn request_confirm_order(world: &mut World) {
    let quick = with(offer("kettle", "#GetKettle"), json!({"window_seconds": 60}));
    world.set_up(&[quick, offer("lamp", "#GetLamp")], &[account(ANNA), account(BEN), account(CLEO)]);
    let mut service = world.run("a");
    let firehose = world.firehose();

    let tweets = [ANNA, BEN].map(|author| firehose.tweet(author, "at last #getkettle please"));
    let [anna, ben] =
        [ANNA, BEN].map(|author| world.await_event("purchase.requested", author, "kettle", SOON));
    for (event, (account, tweet)) in [(&anna, (ANNA, tweets[0])), (&ben, (BEN, tweets[1]))] {
        assert_eq!(text(event, "code"), code(SECRET, account, "kettle", tweet), "{event}");
        assert_eq!(text(event, "offer_tweet_id"), tweet.to_string(), "{event}");
        assert_eq!(event["price"], json!({"amount": 1_999, "currency": "USD"}), "{event}");
        assert_eq!(at(event, "deadline") - at(event, "issued_at"), 60_000, "{event}");
        assert!((time_of(tweet)..=now()).contains(&at(event, "issued_at")), "{event}");
    }

    // A tweet of a while ago, so that a reminder is due.
    let asked = firehose.tweet_at(now() - 90_000, CLEO, "#GetLamp");
    let requested = world.await_event("purchase.requested", CLEO, "lamp", SOON);
    let asked_again = firehose.tweet(CLEO, "what was it? #GetLamp");
    let reminded = world.await_event("purchase.reminded", CLEO, "lamp", SOON);
    assert_eq!(text(&reminded, "tweet_id"), asked_again.to_string());
    assert_eq!(text(&reminded, "offer_tweet_id"), asked.to_string());
    for field in ["code", "deadline", "purchase_id"] {
        assert_eq!(reminded[field], requested[field], "{field}");
    }

    let confirming = firehose.tweet(ANNA, &format!("yes! {}", text(&anna, "code")));
    let confirmed = world.await_event("purchase.confirmed", ANNA, "kettle", SOON);
    let order = world.await_event("order.placed", ANNA, "kettle", SOON);
    assert_eq!(text(&confirmed, "confirm_tweet_id"), confirming.to_string());
    assert_eq!(text(&confirmed, "confirmed_at"), rfc3339(time_of(confirming)));
    assert_eq!(confirmed["purchase_id"], anna["purchase_id"]);
    assert_eq!(order["purchase_id"], anna["purchase_id"]);
    assert_eq!((text(&order, "card_token"), text(&order, "delivery_ref")), ("tok-101", "door-101"));
    assert_eq!(order["price"], confirmed["price"]);

    let lapsed = world.await_event("purchase.lapsed", BEN, "kettle", Duration::from_secs(90));
    assert!(now() > at(&ben, "deadline"), "it lapsed before its deadline: {lapsed}");
    assert_eq!((&lapsed["at"], &lapsed["purchase_id"]), (&ben["deadline"], &ben["purchase_id"]));
    firehose.tweet(BEN, text(&ben, "code"));
    let refused = world.await_event("purchase.refused", BEN, "kettle", SOON);
    assert_eq!(text(&refused, "reason"), "lapsed");

    let counted = |kind: &str| format!("hashbuy_desk_events_total{{type=\"{kind}\",reason=\"\"}}");
    assert_eq!(service.metric(&counted("purchase.confirmed")), 1.0, "{}", service.get("/metrics").1);
    assert_eq!(service.get("/readyz").0, 200);
    service.stop();

    let expected = [
        ("purchase.confirmed", 1),
        ("purchase.lapsed", 1),
        ("purchase.refused lapsed", 1),
        ("purchase.reminded", 1),
        ("purchase.requested", 3),
    ];
    let expected = expected.map(|(kind, count)| (kind.to_owned(), count));
    assert_eq!(census(&world.purchases()), expected.into());
    assert_eq!(census(&world.orders()), [("order.placed".to_owned(), 1)].into());
    assert_eq!(world.stored("dead_letters").len(), 0);
    check_envelopes(world);
}

/// Each event in CloudEvents' binding, under its account's key, and all of an account in one partition.
fn check_envelopes(world: &mut World) {
    let source = format!("hashbuy/{}", world.app);
    let all: Vec<Stored> = world.stored("purchases").into_iter().chain(world.stored("orders")).collect();
    for record in &all {
        let event = record.json();
        for (header, value) in [
            ("ce_specversion", "1.0"),
            ("ce_id", text(&event, "event_id")),
            ("ce_type", text(&event, "type")),
            ("ce_source", &source),
            ("ce_time", text(&event, "at")),
            ("content-type", "application/json"),
        ] {
            assert_eq!(record.header(header), value, "{header} of {event}");
        }
        let (partition, offset) = record.header("hashbuy-cause").split_once('/').unwrap();
        assert!(partition.parse::<u32>().is_ok() && offset.parse::<u64>().is_ok(), "{record:?}");
        assert!(millis(record.header("hashbuy-now")) <= now(), "{record:?}");
        assert_eq!(record.key.as_deref(), Some(text(&event, "account_id").as_bytes()));
        let home = all.iter().find(|other| other.key == record.key).map(|other| other.partition);
        assert_eq!(Some(record.partition), home, "{event}");
        let is_order = record.topic == world.topic("orders");
        for secret in ["tok-", "door-"] {
            assert_eq!(event.to_string().contains(secret), is_order, "{secret} in {event}");
        }
    }
}

/// A time of an event in milliseconds.
fn at(event: &Value, field: &str) -> i64 {
    millis(text(event, field))
}
