//! A crowd of linked accounts that ask for offers, put into the inbox as the first stage would, until so
//! many purchases are pending. The desk itself decides on them, by the limits that are shipped.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hashbuy::core::account::Account;
use hashbuy::core::ids::{AccountId, TweetId};
use hashbuy::core::inbox::{Inbox, Position, SeenCode, SeenOffer, Sighting, encode};
use hashbuy::core::offer::Offer;
use hashbuy::core::settings::Settings;
use hashbuy::core::time::{DAY, Time};
use hashbuy::log::{Kind, Log as _, NewRecord, Partition, Producer};
use hashbuy::service::MachineClock;
use hashbuy::worker::Clock as _;
use hashbuy::worker::Topics;
use hashbuy::worker::partitioner::partition_of;

use crate::broker::{Broker, PARTITIONS};
use crate::report::mib;
use crate::service::{How, Service};
use crate::writing::settle;

/// Pendings that an account has at most, as the limits are shipped.
pub const MOST: u64 = 5;
/// Offers, five for each account in turn.
pub const OFFERS: u64 = 1_000;
/// The beginning of tweet ids.
const EPOCH: i64 = 1_288_834_974_657;

/// A desk may need so long to make them.
const LONG: Duration = Duration::from_secs(1_800);

/// So many pendings, and so many of them in one account.
#[derive(Debug, Clone, Copy)]
pub struct Crowd {
    pub pendings: u64,
    pub each: u64,
}

/// Has the desk make that many pendings. Returns how long it took.
pub fn gather(broker: &Broker, app: &str, topics: &Topics, crowd: Crowd) -> Duration {
    let begun = Instant::now();
    let mut producer = broker.log.producer().expect("a producer");
    let now = MachineClock.now();
    mark(&mut *producer, topics, now);
    let accounts = crowd.pendings.div_ceil(crowd.each);
    let offers: Vec<Arc<Offer>> = (0..OFFERS).map(|number| offer(number, now, 3_600)).collect();
    for number in 0..accounts {
        let account = account(number, now);
        let account_id = account.account_id;
        let position = Position { epoch: 0, offset: number };
        send(
            &mut *producer,
            topics,
            &Inbox::Account { account_id, position, account: Some(Arc::new(account)) },
        );
    }
    let mut tweets = 0;
    for round in 0..crowd.each {
        for number in 0..accounts.min(crowd.pendings - tweets) {
            let offer = &offers[usize::try_from((number * MOST + round) % OFFERS).unwrap_or(0)];
            send(&mut *producer, topics, &wish(number, tweets, offer, now));
            tweets += 1;
        }
    }
    settle(&mut *producer);
    let how = How { app, topics, instance: "a", stage: "desk", core: None, more: "" };
    let mut service = Service::start(broker, &how);
    service.await_ready();
    let mut last = (Instant::now(), 0);
    service.wait_for(LONG, |service| {
        let pending = service.metric("hashbuy_desk_pendings") as u64;
        if pending > last.1 {
            last = (Instant::now(), pending);
        }
        assert!(
            last.0.elapsed() < Duration::from_secs(60),
            "no more than {pending} pendings\n{}",
            service.log()
        );
        (pending == crowd.pendings).then_some(())
    });
    println!("  the desk that made them has {:.0} MiB of memory", mib(service.memory().1));
    service.stop();
    begun.elapsed()
}

/// Says to all partitions that a time has come.
pub fn mark(producer: &mut dyn Producer, topics: &Topics, time: Time) {
    let mark = encode(&Inbox::Mark { time, settings: Settings::default().into() });
    for number in 0..PARTITIONS {
        let partition = Partition::new(topics.inbox.as_str(), number);
        put(producer, NewRecord { partition, key: None, value: Some(mark.clone()), headers: Vec::new() });
    }
}

/// The partition of the inbox that an account belongs to.
pub fn partition(account: AccountId) -> u32 {
    partition_of(format!("account/{account}").as_bytes(), PARTITIONS)
}

/// New accounts that ask for one offer each, at the present time.
pub struct Shoppers {
    offers: Vec<Arc<Offer>>,
    count: u64,
}

impl Shoppers {
    pub fn new() -> Shoppers {
        let now = MachineClock.now();
        Shoppers { offers: (0..OFFERS).map(|number| offer(number, now, 3_600)).collect(), count: 0 }
    }

    pub fn now(&self) -> Time {
        MachineClock.now()
    }

    /// One more.
    pub fn ask(&mut self, producer: &mut dyn Producer, topics: &Topics) {
        let (number, now) = (self.count, MachineClock.now());
        self.count += 1;
        let account = account(number, now);
        let (account_id, position) = (account.account_id, Position { epoch: 0, offset: number });
        send(producer, topics, &Inbox::Account { account_id, position, account: Some(Arc::new(account)) });
        let offer = &self.offers[usize::try_from(number % OFFERS).unwrap_or(0)];
        send(producer, topics, &wish(number, number, offer, now));
    }
}

/// A tweet with an offer's tag.
pub fn wish(number: u64, tweet: u64, offer: &Arc<Offer>, time: Time) -> Inbox {
    let seen = SeenOffer { hashtag: offer.hashtag.clone(), offer: Arc::clone(offer) };
    sighting(number, tweet_id(time, tweet), time, vec![], vec![seen])
}

/// A tweet with codes or tags.
pub fn sighting(
    number: u64,
    tweet_id: TweetId,
    time: Time,
    codes: Vec<SeenCode>,
    offers: Vec<SeenOffer>,
) -> Inbox {
    Inbox::Sighting(Sighting {
        account: id_of(number),
        tweet_id,
        first_id: tweet_id,
        time,
        handle: Some(format!("shopper{number}")),
        protected: false,
        codes,
        offers,
    })
}

/// The id of a tweet of a time.
pub fn tweet_id(time: Time, tweet: u64) -> TweetId {
    // Tweets of one millisecond are told apart by 22 bits.
    let id = (time.millis() - EPOCH) as u64 + (tweet >> 22);
    TweetId::new(id << 22 | tweet & ((1 << 22) - 1)).expect("an id")
}

/// The id of an account.
pub fn id_of(number: u64) -> AccountId {
    AccountId::new(5_000_000 + number).expect("an id")
}

/// The record of an account that was linked a day ago.
pub fn account(number: u64, now: Time) -> Account {
    let (id, linked) = (id_of(number), now.minus(DAY));
    let json = format!(
        r#"{{"account_id":"{id}","screen_name":"shopper{number}","card_token":"tok_{number:016x}",
            "delivery_ref":"door-{number}","status":"active","linked_at":"{linked}"}}"#
    );
    Account::from_json(&json).unwrap_or_else(|rejection| panic!("{rejection}"))
}

/// An offer with a window in seconds.
pub fn offer(number: u64, now: Time, window: u32) -> Arc<Offer> {
    let (from, until) = (now.minus(DAY), now.plus(DAY));
    let json = format!(
        r##"{{"offer_id":"offer-{number}","kind":"purchase","hashtag":"#BuyArticle{number}x","product":"Article {number}",
            "merchant_id":"m-1","price":{{"amount":100,"currency":"USD"}},"window_seconds":{window},
            "starts_at":"{from}","ends_at":"{until}"}}"##
    );
    Arc::new(Offer::from_json(&json, "Confirm").unwrap_or_else(|rejection| panic!("{rejection}")))
}

/// Puts a record into the inbox, where its key belongs.
pub fn send(producer: &mut dyn Producer, topics: &Topics, record: &Inbox) {
    let key = record.key().to_string().into_bytes();
    let partition = Partition::new(topics.inbox.as_str(), partition_of(&key, PARTITIONS));
    put(producer, NewRecord { partition, key: Some(key), value: Some(encode(record)), headers: Vec::new() });
}

fn put(producer: &mut dyn Producer, record: NewRecord) {
    loop {
        match producer.send(record.clone()) {
            Ok(()) => return,
            Err(error) if error.kind == Kind::Retry => std::thread::sleep(Duration::from_millis(5)),
            Err(error) => panic!("{error}"),
        }
    }
}
