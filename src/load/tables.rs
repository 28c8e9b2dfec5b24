//! The offers and the accounts of a load: each offer has a tag of its own, and may be bought without end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::core::ids::AccountId;
use crate::core::time::{DAY, Time};
use crate::log::{Error, Kind, Log, NewRecord, Partition, Producer};
use crate::worker::Topics;
use crate::worker::partitioner::partition_of;

/// Records that are handed over in one go.
const PIECE: usize = 1_000;
/// What was handed over is safe within so long.
const SAFE: Duration = Duration::from_secs(60);
/// The ids of accounts begin here; nobody in the noise has one of them.
const FIRST_ACCOUNT: AccountId = match AccountId::new(3_000_000_000) {
    Some(id) => id,
    None => unreachable!(),
};

/// The tag of offer `number`: `#BuyArticle7x`.
pub fn tag(number: u64) -> String {
    format!("#BuyArticle{number}x")
}

/// The id of account `number`.
pub fn account_id(number: u64) -> AccountId {
    AccountId::new(FIRST_ACCOUNT.get().saturating_add(number)).unwrap_or(FIRST_ACCOUNT)
}

/// The handle of account `number`, without `@`.
pub fn handle(number: u64) -> String {
    format!("buyer_{number}")
}

/// The table records of offers 0 to `offers` - 1, key and JSON: open from a day before `now` for a month.
pub fn offers(offers: u64, now: Time) -> impl Iterator<Item = (String, String)> {
    let (from, until) = (now.minus(DAY), now.plus(30 * DAY));
    (0..offers).map(move |number| {
        let json = format!(
            r##"{{"offer_id":"offer-{number}","kind":"purchase","hashtag":"{}","product":"Article {number}","merchant_id":"m-1","price":{{"amount":100,"currency":"USD"}},"per_account":1000000,"starts_at":"{from}","ends_at":"{until}"}}"##,
            tag(number)
        );
        (format!("offer-{number}"), json)
    })
}

/// The table records of accounts 0 to `accounts` - 1, key and JSON: linked a day before `now`.
pub fn accounts(accounts: u64, now: Time) -> impl Iterator<Item = (String, String)> {
    let linked = now.minus(DAY);
    (0..accounts).map(move |number| {
        let id = account_id(number);
        let json = format!(
            r#"{{"account_id":"{id}","screen_name":"{}","card_token":"tok-{id}","delivery_ref":"door-{id}","status":"active","linked_at":"{linked}"}}"#,
            handle(number)
        );
        (id.to_string(), json)
    })
}

/// Publishes offers and accounts in their topics, and waits until they are safe.
///
/// # Errors
/// [`Kind::Fatal`] if a topic is missing, and those of the log.
pub fn publish(log: &dyn Log, topics: &Topics, offers: u64, accounts: u64, now: Time) -> Result<(), Error> {
    let mut producer = log.producer()?;
    put(log, &mut *producer, &topics.offers, self::offers(offers, now))?;
    put(log, &mut *producer, &topics.accounts, self::accounts(accounts, now))
}

fn put(
    log: &dyn Log,
    producer: &mut dyn Producer,
    topic: &str,
    records: impl Iterator<Item = (String, String)>,
) -> Result<(), Error> {
    let partitions = log.lookup()?.partitions(topic)?.ok_or_else(|| {
        Error::new(Kind::Fatal, format!("there is no topic {topic}: make it with `hashbuy topics create`"))
    })?;
    let topic: Arc<str> = topic.into();
    let mut records = records.peekable();
    while records.peek().is_some() {
        let piece = records.by_ref().take(PIECE).map(|(key, json)| NewRecord {
            partition: Partition::new(Arc::clone(&topic), partition_of(key.as_bytes(), partitions)),
            key: Some(key.into_bytes()),
            value: Some(json.into_bytes()),
            headers: Vec::new(),
        });
        producer.send_all(piece.collect())?;
    }
    await_safe(producer, &topic)
}

/// Waits until everything that was sent is safe.
///
/// # Errors
/// Of a delivery that failed, and [`Kind::Retry`] if it takes longer than a minute.
pub fn await_safe(producer: &mut dyn Producer, topic: &str) -> Result<(), Error> {
    let until = Instant::now() + SAFE;
    while producer.outstanding(Duration::from_millis(10))? > 0 {
        if Instant::now() > until {
            let what = format!(
                "{topic}: records are not acknowledged after {} s; see to the brokers",
                SAFE.as_secs()
            );
            return Err(Error::new(Kind::Retry, what));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::account::Account;
    use crate::core::offer::Offer;

    fn now() -> Time {
        "2026-03-01T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn every_record_is_taken() {
        for (number, (key, json)) in (0..).zip(offers(12, now())) {
            let offer = Offer::from_json(&json, "Confirm").unwrap();
            assert_eq!(offer.offer_id, key);
            assert_eq!((offer.hashtag, offer.per_account), (tag(number), 1_000_000));
            assert!(offer.starts_at < now() && offer.ends_at > now());
        }
        for (number, (key, json)) in (0..).zip(accounts(12, now())) {
            let account = Account::from_json(&json).unwrap();
            assert_eq!((account.account_id, key), (account_id(number), account_id(number).to_string()));
            assert_eq!(account.screen_name, Some(handle(number)));
        }
    }
}
