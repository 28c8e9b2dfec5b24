//! Coupons: loaded by a tweet, redeemed by what is paid with the card.

use serde_json::{Value, json};

use crate::common::program::{census, text};
use crate::common::tables::with;
use crate::common::tags::rfc3339;
use crate::firehose::now;
use crate::world::{DAY, SOON, World, account, coupon, offer, payment};

const ANNA: u64 = 501;
const BEN: u64 = 502;
const CLEO: u64 = 503;

/// Anna's payment earns a credit, a refund takes it back; Ben is frozen in between; Cleo's coupon expires.
pub fn loaded_redeemed_reversed(world: &mut World) {
    let coupons = [coupon("shoes", "#LoadShoes"), over(), coupon("books", "#LoadBooks")];
    world.set_up(&coupons, &[account(ANNA), account(BEN), account(CLEO)]);
    let mut service = world.run("a");
    let firehose = world.firehose();
    let tweet = firehose.tweet(ANNA, "new ones! #loadshoes");
    let loaded = world.await_event("coupon.loaded", ANNA, "shoes", SOON);
    assert_eq!(text(&loaded, "tweet_id"), tweet.to_string(), "{loaded}");
    assert_eq!(text(&loaded["reply"], "in_reply_to"), tweet.to_string(), "{loaded}");
    let says = text(&loaded["reply"], "text");
    assert!(says.starts_with("@u501 Product shoes is on your card") && says.contains("$10.00"), "{loaded}");
    assert!(loaded.get("purchase_id").is_none() && loaded.get("card_token").is_none(), "{loaded}");

    // Below the least amount, and then enough; the same payment is delivered twice.
    let small = payment("p-1", ANNA, 4_999);
    let enough = payment("p-2", ANNA, 6_200);
    world.put("transactions", &[small, enough.clone(), enough.clone()]);
    let redeemed = world.await_event("coupon.redeemed", ANNA, "shoes", SOON);
    assert_eq!((text(&redeemed, "transaction_id"), &redeemed["at"]), ("p-2", &enough["at"]), "{redeemed}");
    let credited = world.await_event("order.credited", ANNA, "shoes", SOON);
    assert_eq!(text(&credited, "card_token"), "tok-501", "{credited}");
    assert_eq!(credited["credited"], json!({"amount": 1_000, "currency": "USD"}), "{credited}");

    // What is left is exactly the least amount; one cent more, and the credit goes back.
    world.put("transactions", &[refund("r-1", ANNA, "p-2", 1_200), refund("r-2", ANNA, "p-2", 1)]);
    let reversed = world.await_event("coupon.reversed", ANNA, "shoes", SOON);
    assert_eq!(text(&reversed, "transaction_id"), "r-2", "{reversed}");
    let taken_back = world.await_event("order.credit_reversed", ANNA, "shoes", SOON);
    assert_eq!(taken_back["credited"], credited["credited"], "{taken_back}");
    firehose.tweet(ANNA, "again #LoadShoes");
    let refused = world.await_event("purchase.refused", ANNA, "shoes", SOON);
    assert_eq!(text(&refused, "reason"), "limit_reached", "{refused}");

    frozen_in_between(world, &firehose);

    // Its last day is more than a week ago by the time of the transactions, which Anna's have moved to now.
    firehose.tweet(CLEO, "#LoadOver");
    let expired = world.await_event("coupon.expired", CLEO, "over", SOON);
    assert_eq!(expired["at"], expired["redeem_by"], "{expired}");

    let fed = "hashbuy_feeder_records_total{table=\"card_transactions\"}";
    assert!(service.metric(fed) >= 6.0, "{}", service.get("/metrics").1);
    service.stop();
    let expected = [
        ("coupon.expired", 1),
        ("coupon.loaded", 3),
        ("coupon.redeemed", 2),
        ("coupon.reversed", 1),
        ("purchase.refused limit_reached", 1),
    ];
    let expected = expected.map(|(kind, count)| (kind.to_owned(), count));
    assert_eq!(census(&world.purchases()), expected.into());
    let expected = [("order.credit_reversed", 1), ("order.credited", 2)];
    let expected = expected.map(|(kind, count)| (kind.to_owned(), count));
    assert_eq!(census(&world.orders()), expected.into());
    assert_eq!(world.stored("dead_letters").len(), 0);
}

/// What Ben pays while his account is frozen earns nothing, whatever comes later.
fn frozen_in_between(world: &mut World, firehose: &crate::firehose::Firehose) {
    firehose.tweet(BEN, "#LoadBooks");
    world.await_event("coupon.loaded", BEN, "books", SOON);
    world.hashbuy(&["accounts", "freeze", "502"]);
    // The feeder reads tables and transactions side by side: wait until the one is in the inbox.
    await_in_inbox(world, "the frozen record", 1, is_standing);
    let paid = |id| with(payment(id, BEN, 9_000), json!({"merchant_id": "shop-books"}));
    world.put("transactions", &[paid("p-3")]);
    await_in_inbox(world, "the payment", 1, |record| is_transaction(record, "p-3"));
    world.put("accounts", &[account(BEN)]);
    await_in_inbox(world, "the active record", 2, is_standing);
    world.put("transactions", &[paid("p-4")]);
    let redeemed = world.await_event("coupon.redeemed", BEN, "books", SOON);
    assert_eq!(text(&redeemed, "transaction_id"), "p-4", "{redeemed}");
}

/// Waits until so many records that match are in the inbox.
fn await_in_inbox(world: &mut World, what: &str, count: usize, matches: impl Fn(&Value) -> bool) {
    world.wait_for(&format!("{what} in the inbox"), SOON, |world| {
        let inbox = world.topic("inbox");
        let records = world.everything().into_iter().filter(|record| record.topic == inbox);
        let found = records.filter(|record| record.value.is_some() && matches(&record.json())).count();
        (found >= count).then_some(())
    });
}

/// An account's word to its card.
fn is_standing(record: &Value) -> bool {
    text(record, "type") == "standing"
}

fn is_transaction(record: &Value, id: &str) -> bool {
    text(record, "type") == "transaction" && text(record, "transaction_id") == id
}

/// Nothing of a file is published if a line is bad; and no message shows a token.
pub fn bad_transactions(world: &mut World) {
    world.set_up(&[offer("lamp", "#GetLamp")], &[account(ANNA)]);
    let bad = with(payment("p-2", ANNA, 1), json!({"kind": "gift"}));
    let lines = format!("{}\n{bad}\n", payment("p-1", ANNA, 1));
    let file = world.folder.write("transactions.jsonl", lines);
    let run = world.command(&["transactions", "put", file.to_str().unwrap()]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    let says = "transactions.jsonl:2: transaction p-2: kind is \"gift\", must be \"payment\" or \"refund\"";
    assert!(run.stderr.contains(says) && run.stderr.contains("nothing was published"), "{}", run.stderr);
    assert!(!run.stderr.contains("tok-501"), "{}", run.stderr);
    assert!(world.everything().iter().all(|record| record.topic != world.topic("card_transactions")));

    // What others have published is a dead letter without its bytes, and the next one is handled.
    let service = world.run("a");
    let partition = hashbuy::log::Partition::new(world.topic("card_transactions").as_str(), 0);
    let mut producer = hashbuy::log::Log::producer(&world.log).unwrap();
    for value in [bad.to_string(), "tok-501".to_owned(), payment("p-3", ANNA, 1).to_string()] {
        let record = hashbuy::log::NewRecord {
            partition: partition.clone(),
            key: None,
            value: Some(value.into_bytes()),
            headers: vec![],
        };
        producer.send(record).unwrap();
    }
    let letters = world.wait_for("two dead letters", SOON, |world| {
        let letters = world.stored("dead_letters");
        (letters.len() >= 2).then_some(letters)
    });
    for letter in &letters {
        assert_eq!((letter.header("reason"), letter.value.is_none()), ("rejected", true), "{letter:?}");
        assert!(!format!("{letter:?}").contains("tok-501"), "{letter:?}");
    }
    await_in_inbox(world, "the third", 1, |record| is_transaction(record, "p-3"));
    service.stop();
    assert_eq!(world.stored("dead_letters").len(), 2);
}

/// `accounts freeze` is in force within two seconds of its record being written.
pub fn freezing_takes_effect(world: &mut World) {
    world.set_up(&[offer("lamp", "#GetLamp")], &[account(ANNA)]);
    let service = world.run("a");
    let firehose = world.firehose();
    firehose.tweet(ANNA, "#GetLamp");
    world.await_event("purchase.requested", ANNA, "lamp", SOON);
    world.hashbuy(&["accounts", "freeze", "501"]);
    let cancelled = world.await_event("purchase.cancelled", ANNA, "lamp", SOON);
    assert_eq!(text(&cancelled, "cause"), "frozen", "{cancelled}");
    service.stop();
    let everything = world.everything();
    let of = |topic: &str, matches: &dyn Fn(&Value) -> bool| {
        let topic = world.topic(topic);
        let records = everything.iter().filter(|record| record.topic == topic && record.value.is_some());
        records.filter(|record| matches(&record.json())).map(|record| record.timestamp).max().unwrap()
    };
    let written = of("accounts", &|record| text(record, "status") == "frozen");
    let out = of("purchases", &|event| text(event, "type") == "purchase.cancelled");
    println!("cancelled {} ms after the record was written", out - written);
    assert!(out - written <= 2_000, "{} ms", out - written);
}

/// It can be loaded still, but no payment of now redeems it.
fn over() -> Value {
    with(coupon("over", "#LoadOver"), json!({"redeem_by": rfc3339(now() - 8 * DAY)}))
}

fn refund(id: &str, account: u64, of: &str, amount: i64) -> Value {
    with(payment(id, account, amount), json!({"kind": "refund", "of": of}))
}
