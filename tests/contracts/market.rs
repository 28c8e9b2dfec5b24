//! A day at the market, on a real Kafka: people buy and load coupons while the service is killed; then somebody's
//! transaction is aborted, and some events come twice, as after a restored backup.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer as _, ThreadedProducer};
use serde_json::{Value, json};

use crate::asyncapi;
use crate::broker::Broker;
use crate::common::program::text;
use crate::common::tables::with;
use crate::firehose::Firehose;
use crate::topics::Stored;
use crate::world::{SOON, World, account, coupon, offer, payment};
use crate::written;

const SHOPPERS: std::ops::RangeInclusive<u64> = 601..=630;
/// These load a coupon beside it, and pay enough.
const PAYERS: std::ops::RangeInclusive<u64> = 601..=605;
/// What the service is killed in.
const KILLS: u64 = 3;
/// Orders that come twice.
pub const COPIES: usize = 3;

/// Purchases that were made.
pub const PURCHASES: usize = 60;
/// Credits that were earned.
pub const CREDITS: usize = 5;
/// What is billed for all that, in cents.
pub const BILLED: i64 = 60 * 1_999 - 5 * 1_000;

/// What has happened, and stands in the topics.
pub struct Market {
    /// Stopped when it goes.
    _broker: Broker,
    pub bootstrap: String,
    pub purchases: String,
    pub orders: String,
    /// The replies that are to be posted: the tweet that each answers, and its text.
    pub replies: Vec<(String, String)>,
    /// Events with a reply that is to be posted, those that come twice counted twice.
    pub answered: usize,
}

impl Market {
    /// Holds it.
    pub fn hold(broker: Broker) -> Market {
        let mut world = World::new(&broker.bootstrap);
        shop(&mut world);
        written::is_as_published(&world);
        let events = world.stored("purchases");
        let orders = world.stored("orders");
        events.iter().chain(&orders).for_each(asyncapi::is_as_told);
        let with_reply: Vec<Value> =
            events.iter().map(Stored::json).filter(|event| event["reply"].is_object()).collect();
        let replies = with_reply.iter().map(|event| {
            let reply = |field| text(&event["reply"], field).to_owned();
            (reply("in_reply_to"), reply("text"))
        });
        let replies: Vec<(String, String)> = replies.collect();
        let confirmed: Vec<&Stored> =
            events.iter().filter(|event| event.header("ce_type") == "purchase.confirmed").collect();
        disturb(&world.bootstrap, &orders, &confirmed);
        let answered = replies.len() + COPIES;
        let (purchases, orders) = (world.topic("purchases"), world.topic("orders"));
        let bootstrap = world.bootstrap.clone();
        Market { _broker: broker, bootstrap, purchases, orders, replies, answered }
    }
}

/// Everybody buys both things, some earn a credit, a stranger asks, and somebody guesses.
fn shop(world: &mut World) {
    let long = json!({"window_seconds": 3_600});
    let offers =
        [("kettle", "#GetKettle"), ("lamp", "#GetLamp")].map(|(id, tag)| with(offer(id, tag), long.clone()));
    let accounts: Vec<Value> = SHOPPERS.map(account).collect();
    world.set_up(&[&offers[..], &[coupon("shoes", "#LoadShoes")]].concat(), &accounts);
    let firehose = world.firehose();
    let mut answered = BTreeSet::new();
    let mut shoppers = SHOPPERS.clone();
    for round in 0..KILLS {
        let service = world.run("a");
        for shopper in shoppers.by_ref().take(10) {
            firehose.tweet(shopper, "#GetKettle and #GetLamp");
        }
        // It is killed when it has done something, and has more to do.
        let (before, cap) = (world.purchases().len(), Instant::now() + Duration::from_secs(60));
        while world.purchases().len() == before {
            assert!(Instant::now() < cap, "nothing in round {round}\n{}", world.said());
        }
        confirm(&firehose, &world.purchases(), &mut answered);
        std::thread::sleep(Duration::from_millis(40 * round));
        service.kill();
    }
    let service = world.run("a");
    for payer in PAYERS {
        firehose.tweet(payer, "#LoadShoes");
    }
    world.await_count("coupon.loaded", CREDITS, SOON * 2);
    world.put(
        "transactions",
        &PAYERS.map(|payer| payment(&format!("p-{payer}"), payer, 6_200)).collect::<Vec<_>>(),
    );
    firehose.tweet(606, "#Confirm00000000");
    firehose.tweet(4_711, "#GetLamp");
    world.wait_for("all orders", Duration::from_secs(90), |world| {
        confirm(&firehose, &world.purchases(), &mut answered);
        (world.orders().len() >= PURCHASES + CREDITS).then_some(())
    });
    world.await_event("purchase.refused", 606, "", SOON);
    world.await_event("purchase.refused", 4_711, "lamp", SOON);
    service.stop();
    let orders = world.orders();
    let count = |kind| orders.iter().filter(|order| text(order, "type") == kind).count();
    assert_eq!((count("order.placed"), count("order.credited")), (PURCHASES, CREDITS));
}

/// Whoever has been sent a code tweets it.
fn confirm(firehose: &Firehose, events: &[Value], answered: &mut BTreeSet<String>) {
    for event in events.iter().filter(|event| text(event, "type") == "purchase.requested") {
        if answered.insert(text(event, "code").to_owned()) {
            firehose.tweet(text(event, "account_id").parse().unwrap(), text(event, "code"));
        }
    }
}

/// Somebody writes further orders and events, and aborts; and some that there were once more, and commits. So do a
/// type that nobody knows yet, and a reply that is too long.
fn disturb(bootstrap: &str, orders: &[Stored], confirmed: &[&Stored]) {
    let producer: ThreadedProducer<DefaultProducerContext> = ClientConfig::new()
        .set("bootstrap.servers", bootstrap)
        .set("transactional.id", "somebody")
        .create()
        .unwrap();
    producer.init_transactions(SOON).unwrap();
    let write = |record: &Stored, value: &Value, kind: &str| {
        let mut headers = OwnedHeaders::new();
        for (key, value) in &record.headers {
            let other = beside(&[("ce_type", kind), ("ce_id", "another")], key).filter(|_| !kind.is_empty());
            headers = headers.insert(Header { key, value: Some(other.unwrap_or(value)) });
        }
        let (key, value) = (record.key.clone().unwrap(), value.to_string());
        let to = BaseRecord::to(&record.topic).key(&key).payload(&value).headers(headers);
        producer.send(to).map_err(|(error, _)| error).unwrap();
    };
    let placed: Vec<&Stored> =
        orders.iter().filter(|order| order.header("ce_type") == "order.placed").collect();

    producer.begin_transaction().unwrap();
    for (order, event) in placed.iter().zip(confirmed) {
        let never = json!({"purchase_id": "00000000-0000-5000-8000-000000000000"});
        write(order, &with(order.json(), never), "order.placed");
        let aborted = json!({"reply": {"in_reply_to": "1", "text": "aborted"}});
        write(event, &with(event.json(), aborted), "purchase.confirmed");
    }
    producer.flush(SOON).unwrap();
    producer.abort_transaction(SOON).unwrap();

    producer.begin_transaction().unwrap();
    for (order, event) in placed.iter().zip(confirmed).take(COPIES) {
        write(order, &order.json(), "");
        write(event, &event.json(), "");
    }
    write(placed[0], &with(placed[0].json(), json!({"type": "order.wrapped"})), "order.wrapped");
    let long = json!({"event_id": "another", "reply": {"in_reply_to": "2", "text": "茶".repeat(141)}});
    write(confirmed[0], &with(confirmed[0].json(), long), "purchase.praised");
    producer.commit_transaction(SOON).unwrap();
}

/// What stands beside a name.
fn beside<'a>(pairs: &[(&str, &'a str)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(other, _)| *other == name).map(|(_, value)| *value)
}
