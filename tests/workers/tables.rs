//! Tables that are read again: what is old by then changes nothing.

use hashbuy::log::Partition;
use hashbuy::worker::partitioner::partition_of;
use serde_json::{Value, json};

use crate::fleet::{Fleet, TWEETS};

const ANNA: u64 = 101;

fn pass(fleet: &mut Fleet, seconds: i64) {
    for _ in 0..seconds {
        fleet.pass(1_000);
        (0..TWEETS).for_each(|partition| tweet(fleet, partition, 999, "what a day"));
        (0..4).for_each(|_| fleet.turn());
    }
}

fn tweet(fleet: &mut Fleet, partition: u32, author: u64, text: &str) {
    let id = ((fleet.now().millis() - 1_288_834_974_657) as u64) << 22 | u64::from(partition);
    let user = json!({"id": author, "id_str": author.to_string(), "screen_name": "someone"});
    let tweet = json!({"id": id, "id_str": id.to_string(), "text": text, "user": user});
    fleet.write("tweets", partition, None, Some(tweet.to_string().into_bytes()));
}

fn offer(fleet: &mut Fleet, version: u64, status: &str, ends_at: &str) {
    let offer = json!({
        "offer_id": "kettle", "version": version, "kind": "purchase", "hashtag": "#GetKettle", "status": status,
        "cancel_pending": status == "withdrawn", "per_account": 3,
        "price": {"amount": 1_999, "currency": "USD"},
        "starts_at": "2013-01-01T00:00:00.000Z", "ends_at": ends_at,
    });
    fleet.write("offers", 0, Some(b"kettle".to_vec()), Some(offer.to_string().into_bytes()));
}

fn of_type(fleet: &Fleet, kind: &str) -> Vec<Value> {
    fleet.purchases().into_iter().filter(|event| event["type"] == kind).collect()
}

/// A feeder that is killed reads again from its last commit: a withdrawal in there has been followed by a new
/// opening, and by people who have asked since.
#[test]
fn a_withdrawal_that_comes_again_cancels_nothing_newer() {
    let mut fleet = Fleet::new(31, 1, 1);
    let account = json!({
        "account_id": ANNA.to_string(), "card_token": "tok-anna", "delivery_ref": "door-anna",
        "status": "active", "linked_at": "2013-01-01T00:00:00.000Z",
    });
    let key = ANNA.to_string().into_bytes();
    fleet.write("accounts", partition_of(&key, 2), Some(key), Some(account.to_string().into_bytes()));
    offer(&mut fleet, 1, "open", "2013-12-31T00:00:00.000Z");
    pass(&mut fleet, 20);
    tweet(&mut fleet, 0, ANNA, "#GetKettle");
    pass(&mut fleet, 3);
    offer(&mut fleet, 2, "withdrawn", "2013-02-14T00:00:00.000Z");
    pass(&mut fleet, 3);
    assert_eq!(of_type(&fleet, "purchase.cancelled").len(), 1);
    offer(&mut fleet, 3, "open", "2013-12-31T00:00:00.000Z");
    pass(&mut fleet, 3);
    tweet(&mut fleet, 1, ANNA, "#GetKettle");
    pass(&mut fleet, 3);
    let requested = of_type(&fleet, "purchase.requested");
    assert_eq!(requested.len(), 2);

    fleet.log.set_offset("app-tables", Partition::new("offers", 0), 1);
    fleet.restart_feeder();
    pass(&mut fleet, 5);
    assert_eq!(of_type(&fleet, "purchase.cancelled").len(), 1, "it was asked for after the new opening");
    tweet(&mut fleet, 2, ANNA, requested[1]["code"].as_str().unwrap());
    pass(&mut fleet, 3);
    assert_eq!(of_type(&fleet, "purchase.confirmed").len(), 1);
}
