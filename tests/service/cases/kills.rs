//! A process that is killed again and again while people shop.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use hashbuy::worker::partitioner::partition_of;
use serde_json::{Value, json};

use crate::common::program::text;
use crate::common::rng::Rng;
use crate::common::tables::with;
use crate::firehose::Firehose;
use crate::topics::Stored;
use crate::world::{INBOX, World, account, offer};

const SHOPPERS: std::ops::RangeInclusive<u64> = 201..=240;
const KILLS: usize = 5;

/// `kill -9` five times at any moment: everybody gets what they confirmed, once.
pub fn kill_and_restart(world: &mut World) {
    let long = json!({"window_seconds": 3_600});
    let offers =
        [("kettle", "#GetKettle"), ("lamp", "#GetLamp")].map(|(id, tag)| with(offer(id, tag), long.clone()));
    let accounts: Vec<Value> = SHOPPERS.map(account).collect();
    world.set_up(&offers, &accounts);
    let partitions: BTreeSet<u32> =
        SHOPPERS.map(|id| partition_of(format!("account/{id}").as_bytes(), INBOX)).collect();
    assert_eq!(partitions.len() as u32, INBOX, "each partition of the inbox has its shoppers");

    let firehose = world.firehose();
    let mut rng = Rng::new(7);
    let mut crowd = Crowd::default();
    let mut wishes: Vec<(u64, &str)> =
        SHOPPERS.flat_map(|id| [(id, "#GetKettle"), (id, "#GetLamp")]).collect();
    rng.shuffle(&mut wishes);
    let every = wishes.len() / (KILLS + 1);
    for round in 0..=KILLS {
        let service = world.run("a");
        // Some while it starts, some while it works, some while nobody is there.
        let mut wishes =
            wishes.iter().skip(round * every).take(if round == KILLS { usize::MAX } else { every });
        let until = Instant::now() + Duration::from_millis(rng.range(1_500, 6_000) as u64);
        // Every other process is not killed before it has done something.
        let (before, cap) = (world.purchases().len(), Instant::now() + Duration::from_secs(60));
        let is_idle =
            |world: &mut World| round % 2 == 0 && world.purchases().len() == before && Instant::now() < cap;
        while round < KILLS && (Instant::now() < until || is_idle(world)) {
            if let Some(&(shopper, tag)) = wishes.next() {
                crowd.tweet(&firehose, shopper, tag);
            }
            crowd.confirm(&firehose, &world.purchases());
            std::thread::sleep(Duration::from_millis(100));
        }
        wishes.for_each(|&(shopper, tag)| crowd.tweet(&firehose, shopper, tag));
        if round < KILLS {
            service.kill();
            assert!(
                round % 2 > 0 || world.purchases().len() > before,
                "nothing in round {round}\n{}",
                world.said()
            );
            continue;
        }
        let count = SHOPPERS.count() * 2;
        world.wait_for("everybody's confirmation", Duration::from_secs(60), |world| {
            let events = world.purchases();
            crowd.confirm(&firehose, &events);
            let confirmed = events.iter().filter(|event| text(event, "type") == "purchase.confirmed");
            (confirmed.count() >= count).then_some(())
        });
        check(world);
        again(world, service, &firehose, &crowd);
    }
}

/// What the shoppers have tweeted.
#[derive(Default)]
struct Crowd {
    tweets: Vec<(u64, u64, String)>,
    answered: BTreeSet<String>,
}

impl Crowd {
    fn tweet(&mut self, firehose: &Firehose, shopper: u64, text: &str) {
        self.tweets.push((firehose.tweet(shopper, text), shopper, text.to_owned()));
    }

    /// Whoever has been sent a code tweets it.
    fn confirm(&mut self, firehose: &Firehose, events: &[Value]) {
        for event in events.iter().filter(|event| text(event, "type") == "purchase.requested") {
            if self.answered.insert(text(event, "code").to_owned()) {
                let shopper = text(event, "account_id").parse().unwrap();
                self.tweet(firehose, shopper, text(event, "code"));
            }
        }
    }
}

/// Each wish was requested, confirmed and ordered once; nothing else has happened.
fn check(world: &mut World) {
    let mut all: Vec<Stored> = world.stored("purchases");
    all.extend(world.stored("orders"));
    let mut seen: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    let mut ids = BTreeSet::new();
    for event in all.iter().map(Stored::json) {
        assert!(ids.insert(text(&event, "event_id").to_owned()), "twice: {event}\n{}", world.said());
        let wish = (text(&event, "account_id").to_owned(), text(&event, "offer_id").to_owned());
        seen.entry(wish).or_default().push(text(&event, "type").to_owned());
    }
    assert_eq!(seen.len(), SHOPPERS.count() * 2);
    for (wish, mut kinds) in seen {
        kinds.sort();
        let expected = ["order.placed", "purchase.confirmed", "purchase.requested"];
        assert_eq!(kinds, expected, "{wish:?}\n{}", world.said());
    }
    assert_eq!(world.stored("dead_letters").len(), 0);
}

/// All tweets come once more: the state that was restored knows each of them.
fn again(world: &mut World, mut service: crate::process::Service, firehose: &Firehose, crowd: &Crowd) {
    let duplicates = "hashbuy_nothing_total{reason=\"duplicate\"}";
    let before = service.metric(duplicates);
    for (id, shopper, text) in &crowd.tweets {
        firehose.again(*id, *shopper, text);
    }
    world.wait_for("every copy is counted", Duration::from_secs(30), |_| {
        (service.metric(duplicates) - before >= crowd.tweets.len() as f64).then_some(())
    });
    service.stop();
    check(world);
}
