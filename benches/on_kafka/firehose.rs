//! Made-up records, and how they are put into topics.

use std::time::Duration;

use hashbuy::core::time::Time;
use hashbuy::firehose::Maker;
use hashbuy::log::{Kind, NewRecord, Partition, Producer};

use crate::broker::PARTITIONS;

/// Offers, each with a tag of its own.
pub const OFFERS: u64 = 1_000;
/// Linked accounts.
pub const ACCOUNTS: u64 = 10_000;

/// An author with an account.
pub fn account(number: u64) -> u64 {
    5_000_000 + number % ACCOUNTS
}

/// The tag of an offer.
pub fn tag(number: u64) -> String {
    format!("#BuyArticle{}x", number % OFFERS)
}

/// Publishes the tables.
pub fn tables(producer: &mut dyn Producer, offers: &str, accounts: &str, now: Time) {
    let (from, until) = (now.plus(-86_400_000), now.plus(86_400_000));
    for number in 0..OFFERS {
        let json = format!(
            r##"{{"offer_id":"offer-{number}","kind":"purchase","hashtag":"{}","product":"Article {number}",
                "merchant_id":"m-1","price":{{"amount":100,"currency":"USD"}},"per_account":1000000,
                "starts_at":"{from}","ends_at":"{until}"}}"##,
            tag(number)
        );
        // One partition, as `topics create` makes it.
        send(producer, offers, 0, Some(format!("offer-{number}")), json.into_bytes());
    }
    for number in 0..ACCOUNTS {
        let id = account(number);
        let json = format!(
            r#"{{"account_id":"{id}","card_token":"tok-{id}","delivery_ref":"door-{id}","status":"active",
               "linked_at":"{from}"}}"#
        );
        send(producer, accounts, number, Some(id.to_string()), json.into_bytes());
    }
    settle(producer);
}

/// Fills a topic with so many records of the mix. Returns their bytes.
pub fn fill(producer: &mut dyn Producer, topic: &str, records: u64, from: Time) -> u64 {
    let mut maker = Maker::new(1);
    let mut bytes = 0;
    for number in 0..records {
        let record = maker.noise(from.plus(i64::try_from(number / 100).unwrap_or(0))).to_vec();
        bytes += record.len() as u64;
        // Batches of one partition, as a connector that reads much would write them.
        send(producer, topic, number / 500, None, record);
    }
    settle(producer);
    bytes
}

/// Sends a record, and waits where the queue is full.
pub fn send(producer: &mut dyn Producer, topic: &str, number: u64, key: Option<String>, value: Vec<u8>) {
    let partition = Partition::new(topic, u32::try_from(number % u64::from(PARTITIONS)).unwrap_or(0));
    let record =
        NewRecord { partition, key: key.map(String::into_bytes), value: Some(value), headers: Vec::new() };
    loop {
        match producer.send(record.clone()) {
            Ok(()) => return,
            Err(error) if error.kind == Kind::Retry => std::thread::sleep(Duration::from_millis(5)),
            Err(error) => panic!("{error}"),
        }
    }
}

/// Waits until everything is acknowledged.
pub fn settle(producer: &mut dyn Producer) {
    while producer.outstanding(Duration::from_secs(1)).unwrap_or_else(|error| panic!("{error}")) > 0 {}
}
