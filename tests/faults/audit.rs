//! What has to hold after every fault, whatever it was: read from the topics, when no process is at work.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use serde_json::{Value, json};

use crate::common::model::{Oracle, Summary, Topic};
use crate::common::program::{SECRET, text};
use crate::load::{Asked, Plan, STOCK};
use crate::topics::Stored;
use crate::world::{INBOX, World};

/// How long a question to the brokers may take.
const ASK: Duration = Duration::from_secs(30);

const ENDS: [&str; 3] = ["purchase.confirmed", "purchase.lapsed", "purchase.cancelled"];

/// What was bought, in numbers.
#[derive(Debug)]
pub struct Audit {
    /// Purchases that were requested.
    pub requested: usize,
    /// Those of them that are confirmed.
    pub confirmed: usize,
    /// Those of them that have not ended.
    pub pending: usize,
}

/// Checks all that is committed. `asked`: who has shopped, with which plan.
///
/// # Panics
/// If anything is not as it has to be.
pub fn audit(world: &mut World, asked: &Asked) -> Audit {
    compare_with_model(world);
    let events: Vec<Value> = world.committed(&["purchases"]).iter().map(Stored::json).collect();
    let orders: Vec<Value> = world.committed(&["orders"]).iter().map(Stored::json).collect();
    let said = || world.said();
    let mut ids = BTreeSet::new();
    for event in events.iter().chain(&orders) {
        assert!(ids.insert(text(event, "event_id").to_owned()), "twice: {event}\n{}", said());
    }

    // Each purchase is requested once and ends once, and is ordered if it is confirmed, in the same words.
    let of_kind = |kinds: &[&str]| -> BTreeMap<String, &Value> {
        let mut found = BTreeMap::new();
        for event in events.iter().filter(|event| kinds.contains(&text(event, "type"))) {
            let before = found.insert(text(event, "purchase_id").to_owned(), event);
            assert!(before.is_none(), "two of {kinds:?} for one purchase: {before:?} {event}\n{}", said());
        }
        found
    };
    let requested = of_kind(&["purchase.requested"]);
    let ended = of_kind(&ENDS);
    let confirmed = of_kind(&["purchase.confirmed"]);
    for (purchase, event) in &ended {
        assert!(requested.contains_key(purchase), "nobody requested it: {event}\n{}", said());
    }
    let mut ordered = BTreeMap::new();
    let (credits, orders): (Vec<_>, Vec<_>) =
        orders.iter().partition(|order| text(order, "type") == "order.credited");
    for order in orders {
        let before = ordered.insert(text(order, "purchase_id").to_owned(), order);
        assert!(before.is_none(), "ordered twice: {order}\n{}", said());
        let confirmed = confirmed.get(text(order, "purchase_id"));
        let confirmed = confirmed.unwrap_or_else(|| panic!("ordered, not confirmed: {order}\n{}", said()));
        for field in ["account_id", "offer_id", "price", "product", "at"] {
            assert_eq!(order[field], confirmed[field], "{field} of {order}");
        }
        assert_eq!(text(order, "card_token"), format!("tok-{}", text(order, "account_id")));
    }
    assert!(ordered.keys().eq(confirmed.keys()), "confirmed, not ordered\n{}", said());

    check_plans(world, asked, &events);
    check_credits(asked, &credits);
    let pending: BTreeSet<String> =
        requested.keys().filter(|purchase| !ended.contains_key(*purchase)).cloned().collect();
    check_state(world, &pending);
    let letters = world.committed(&["dead_letters"]);
    assert!(letters.is_empty(), "nothing bad was tweeted: {letters:?}");
    Audit { requested: requested.len(), confirmed: confirmed.len(), pending: pending.len() }
}

/// Has the desk decide on whatever is left in the inbox, then holds every event against what the rules make of the
/// records there, one by one.
///
/// # Panics
/// If they differ.
pub fn compare_with_model(world: &mut World) -> Summary {
    let mut desk = world.run_as("rest", &["--stage", "desk"]);
    desk.await_ready();
    let inbox = world.committed(&["inbox"]);
    let last =
        |number| inbox.iter().filter(|record| record.partition == number).map(|record| record.offset).max();
    let offsets = world.wait_for("the rest of the inbox", ASK * 2, |world| {
        let offsets = committed_offsets(world);
        let is_done = |&(number, offset): &(i32, Option<i64>)| last(number) < offset;
        offsets.iter().all(is_done).then_some(offsets)
    });
    desk.stop();
    let mut oracle = Oracle::new(SECRET.as_bytes());
    let place =
        |record: &Stored| (u32::try_from(record.partition).unwrap(), u64::try_from(record.offset).unwrap());
    for record in &inbox {
        let (partition, offset) = place(record);
        oracle.inbox(partition, offset, record.timestamp, record.value.as_deref().unwrap_or_default());
    }
    for (name, topic) in [("purchases", Topic::Purchases), ("orders", Topic::Orders)] {
        for record in world.committed(&[name]) {
            let (partition, offset) = place(&record);
            let (cause, now) = (record.header("hashbuy-cause"), record.header("hashbuy-now"));
            oracle.written(topic, partition, offset, record.value.as_deref().unwrap_or_default(), cause, now);
        }
    }
    for (partition, offset) in offsets {
        let decided =
            oracle.decided(u32::try_from(partition).unwrap(), u64::try_from(offset.unwrap()).unwrap());
        decided.unwrap_or_else(|differences| panic!("{differences}\n{}", world.said()));
    }
    oracle.finish().unwrap_or_else(|differences| panic!("{differences}\n{}", world.said()))
}

/// Everybody has what the plan leads to, and nothing else.
fn check_plans(world: &World, asked: &Asked, events: &[Value]) {
    let mut rare = 0;
    for (id, plan) in asked {
        let own = events.iter().filter(|event| text(event, "account_id") == id.to_string());
        let kinds: Vec<&str> = own.map(|event| text(event, "type")).collect();
        let count = |kind: &str| kinds.iter().filter(|found| **found == kind).count();
        let confirmed = count("purchase.confirmed");
        let is_well = match plan {
            Plan::BuyRare => {
                rare += confirmed;
                kinds == ["purchase.refused"]
                    || kinds == ["purchase.requested", "purchase.cancelled"]
                    || kinds == ["purchase.requested", "purchase.confirmed"]
            }
            Plan::Save => kinds == ["coupon.loaded", "coupon.redeemed"],
            plan if plan.has_to_buy() => count("purchase.requested") == 1 && confirmed == 1,
            plan => plan.must_not_buy() && count("purchase.requested") == 1 && confirmed == 0,
        };
        assert!(is_well, "{id} {plan:?}: {kinds:?}\n{}", world.said());
    }
    assert!(rare as u64 <= STOCK, "{rare} of {STOCK} sold");
    let wanted = asked.values().filter(|plan| **plan == Plan::BuyRare).count();
    assert!(rare == wanted || rare as u64 == STOCK, "{rare} sold of {STOCK}, and {wanted} wanted one");
}

/// Whoever has paid with a coupon is credited for it, once, by as much as it says and on the card that paid.
fn check_credits(asked: &Asked, credits: &[&Value]) {
    let mut credited = BTreeSet::new();
    for credit in credits {
        let id: u64 = text(credit, "account_id").parse().unwrap();
        assert!(
            asked.get(&id) == Some(&Plan::Save) && credited.insert(id),
            "twice, or for nothing: {credit}"
        );
        assert_eq!(text(credit, "transaction_id"), format!("paid-{id}"), "{credit}");
        assert_eq!(text(credit, "card_token"), format!("tok-{id}"), "{credit}");
        assert_eq!(credit["credited"], json!({"amount": 1_000, "currency": "USD"}), "{credit}");
    }
    let wanted = asked.iter().filter(|(_, plan)| **plan == Plan::Save).map(|(id, _)| *id);
    assert!(wanted.eq(credited), "redeemed, not credited: {credits:?}");
}

/// The changelog says what the events say, and goes up to where the group has read.
fn check_state(world: &World, pending: &BTreeSet<String>) {
    let mut state = BTreeMap::new();
    for record in world.committed(&["changelog"]) {
        let key = (record.partition, String::from_utf8(record.key.unwrap()).unwrap());
        match record.value {
            Some(value) => drop(state.insert(key, serde_json::from_slice::<Value>(&value).unwrap())),
            None => drop(state.remove(&key)),
        }
    }
    let mut kept = BTreeSet::new();
    for pending in state.values().filter_map(|entity| entity["pendings"].as_array()).flatten() {
        assert!(kept.insert(text(pending, "purchase_id").to_owned()), "twice in the state: {pending}");
    }
    let differ: Vec<&String> = kept.symmetric_difference(pending).collect();
    assert!(
        differ.is_empty(),
        "the state has {kept:?}, the events {pending:?}: {differ:?}\n{}",
        world.said()
    );
    for (partition, committed) in committed_offsets(world) {
        let read =
            state.get(&(partition, "partition".to_owned())).and_then(|entity| entity["offset"].as_i64());
        assert_eq!(read, committed, "offset of {partition}: the changelog's, and the group's");
    }
}

/// Where the desk has read each partition of the inbox.
fn committed_offsets(world: &World) -> Vec<(i32, Option<i64>)> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", &world.bootstrap)
        .set("group.id", format!("{}-desk", world.app))
        .create()
        .unwrap();
    let mut list = TopicPartitionList::new();
    for partition in 0..i32::try_from(INBOX).unwrap() {
        list.add_partition(&world.topic("inbox"), partition);
    }
    let committed = consumer.committed_offsets(list, ASK).unwrap();
    let offset = |offset| match offset {
        Offset::Offset(offset) => Some(offset),
        _ => None,
    };
    committed.elements().iter().map(|element| (element.partition(), offset(element.offset()))).collect()
}
