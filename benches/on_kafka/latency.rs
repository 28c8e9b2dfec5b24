//! From a tweet in the firehose to the committed `purchase.requested`, at a constant rate.
//!
//! The rate is kept by the clock: if the service stalls, tweets go on, and each is counted from the moment
//! at which it was due.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hashbuy::config::Config;
use hashbuy::core::code::Secret;
use hashbuy::core::ids::AccountId;
use hashbuy::core::time::Time;
use hashbuy::firehose::{Draft, Format, Maker};
use hashbuy::log::{Isolation, Log, Partition, Reader};
use hashbuy::service::{Crew, MachineClock, Notice, Plan, Stage, Status};
use hashbuy::worker::Clock;

use crate::broker::{Broker, PARTITIONS};
use crate::firehose::{self, ACCOUNTS};

/// Tweets in a second.
const RATE: u64 = 1_000;
/// One tweet in so many has an offer's tag.
const OFFER_TWEETS: u64 = 20;
/// What comes before is not counted: connections are made, code is faulted in.
const WARM_UP: Duration = Duration::from_secs(5);

pub fn measure(broker: &Broker, seconds: u64) {
    let topics = broker.topics("latency");
    let mut config = Config::default();
    config.service.app = "latency".to_owned();
    config.service.topics = topics.clone();
    // Each account asks once a second or so: limits are not what is measured.
    config.settings.limits.requests_per_hour = u32::MAX.into();
    config.settings.limits.pendings = u32::MAX.into();
    config.settings.limits.per_day = i64::MAX;
    let mut producer = broker.log.producer().expect("a producer");
    firehose::tables(&mut *producer, &topics.offers, &topics.accounts, MachineClock.now());
    let log: Arc<dyn Log> = broker.log.clone();
    let (secret, clock) = (Secret::published(), Arc::new(MachineClock));
    let plan =
        Plan { config, secret, stage: Stage::All, log, clock, patience: hashbuy::worker::desk::PATIENCE };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut crew = Crew::start(plan, Status::default()).expect("threads");
    runtime.block_on(until_it_reads(&mut crew));

    let mut events = broker.log.reader(Isolation::Committed).expect("a reader");
    let from = (0..PARTITIONS).map(|number| (Partition::new(topics.purchases.as_str(), number), 0));
    events.assign(&from.collect::<Vec<_>>()).expect("partitions");
    let drive = std::thread::spawn(move || drive(&mut *producer, &topics.tweets, seconds));
    let mut seen = HashMap::new();
    while !drive.is_finished() {
        read(&mut *events, &mut seen);
    }
    let due = drive.join().expect("tweets");
    let patience = Instant::now() + Duration::from_secs(30);
    while seen.len() < due.len() && Instant::now() < patience {
        read(&mut *events, &mut seen);
    }
    report(&due, &seen);
    runtime.block_on(crew.stop()).expect("an end");
}

async fn until_it_reads(crew: &mut Crew) {
    loop {
        match crew.notice().await.expect("threads at work") {
            Notice::Reading { .. } => return,
            stopped @ Notice::Stopped { .. } => panic!("{stopped}"),
            _ => {}
        }
    }
}

/// Tweets at the rate. Returns when each offer tweet was due.
fn drive(producer: &mut dyn hashbuy::log::Producer, topic: &str, seconds: u64) -> HashMap<u64, Instant> {
    let (mut maker, began, mut due) = (Maker::new(2), Instant::now(), HashMap::new());
    let warm = began + WARM_UP;
    for number in 0..RATE * (WARM_UP.as_secs() + seconds) {
        let at = began + Duration::from_micros(number * 1_000_000 / RATE);
        std::thread::sleep(at.saturating_duration_since(Instant::now()));
        let time: Time = MachineClock.now();
        if number % OFFER_TWEETS != 0 {
            let record = maker.noise(time).to_vec();
            firehose::send(producer, topic, number, None, record);
            continue;
        }
        let author = firehose::account(number / OFFER_TWEETS % ACCOUNTS);
        let text = format!("I want {}", firehose::tag(number / OFFER_TWEETS));
        let author = AccountId::new(author).expect("an id");
        let draft = Draft { time, author, handle: "anna", text: &text, format: Format::V1 };
        let (id, record) = maker.tweet(&draft);
        firehose::send(producer, topic, number, None, record);
        if at >= warm {
            due.insert(id.get(), at);
        }
    }
    firehose::settle(producer);
    due
}

/// Reads what is committed, and notes when each request was seen.
fn read(events: &mut dyn Reader, seen: &mut HashMap<u64, Instant>) {
    events
        .poll(Duration::from_millis(20), &mut |message| {
            let event: serde_json::Value =
                serde_json::from_slice(message.value.unwrap_or_default()).expect("an event");
            if event["type"] == "purchase.requested" {
                let tweet = event["offer_tweet_id"].as_str().and_then(|id| id.parse().ok()).expect("an id");
                seen.entry(tweet).or_insert_with(Instant::now);
            }
        })
        .expect("events");
}

fn report(due: &HashMap<u64, Instant>, seen: &HashMap<u64, Instant>) {
    let mut millis: Vec<f64> = due
        .iter()
        .filter_map(|(tweet, due)| Some(seen.get(tweet)?.duration_since(*due).as_secs_f64() * 1e3))
        .collect();
    millis.sort_by(f64::total_cmp);
    let at = |part: f64| millis.get(((millis.len() as f64 * part) as usize).min(millis.len() - 1)).copied();
    println!(
        "{RATE} tweets/s, 1 in {OFFER_TWEETS} with an offer's tag: {} of {} requests seen, from the tweet's due time",
        millis.len(),
        due.len()
    );
    for (name, part) in [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("max", 1.0)] {
        println!("  {name} {:>8.1} ms", at(part).unwrap_or(f64::NAN));
    }
}
