//! Firehoses in which less comes than usual, or nothing: time goes on where it may, and stands where it must.
//!
//! What a silence does to time that is set to go on is in `tests/workers`, where an hour takes no time.

use std::thread;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use serde_json::{Value, json};

use crate::common::program::{census, text};
use crate::common::tables::with;
use crate::common::tags::{millis, rfc3339, time_of, tweet_id};
use crate::common::wire::Tweet;
use crate::firehose::now;
use crate::process::Service;
use crate::world::{SOON, TWEETS, World, account, offer};

/// Authors whose tweets go to partitions 0, 1 and 2 of the firehose.
const ANNA: u64 = 600;
const BEN: u64 = 601;
const CLEO: u64 = 602;

/// The window of the offer here, in milliseconds: the least that there is.
const WINDOW: i64 = 60_000;
/// A partition with nothing new for so long may be idle, in milliseconds.
const IDLE_AFTER: i64 = 60_000;
/// The slack of the configuration here, in milliseconds.
const SLACK: i64 = 1_000;

/// One partition is busy, one has had a single tweet, one never anything. The single tweet holds time for a
/// minute, and no longer: it was written in a transaction, so that the last thing in its partition is no
/// tweet but the end of that.
pub fn idle_partitions(world: &mut World) {
    set_up(world);
    let mut service = world.run("a");
    service.await_ready();
    let firehose = world.firehose_with_noise_in(&[0]);
    let mut single = Transaction::begin(world, 1);
    single.commit();
    firehose.tweet(ANNA, "#GetKettle");
    let requested = world.await_event("purchase.requested", ANNA, "kettle", SOON);

    // Time stands at the single tweet, although the busy partition is far ahead.
    let idle_at = single.millis + IDLE_AFTER;
    let stands = world.wait_for("time stands at the single tweet", SOON, |_| {
        Some(desk_time(&mut service)).filter(|time| *time == single.millis)
    });
    while now() < idle_at - 2_000 {
        assert_eq!(desk_time(&mut service), stands, "time does not wait\n{}", world.said());
        thread::sleep(Duration::from_millis(250));
    }
    let lapsed = world.await_event("purchase.lapsed", ANNA, "kettle", SOON * 2);
    check_lapse(&lapsed, &requested);
    assert!(now() > idle_at.max(at(&requested, "deadline") + SLACK), "it lapsed too early");
    world.wait_for("time that has passed the deadline", SOON, |_| {
        (desk_time(&mut service) >= at(&requested, "deadline") + SLACK).then_some(())
    });

    // Nobody's turn to be late: what comes into the idle partitions now is handled as ever.
    for shopper in [BEN, CLEO] {
        firehose.tweet(shopper, "#GetKettle");
        let requested = world.await_event("purchase.requested", shopper, "kettle", SOON);
        firehose.tweet(shopper, text(&requested, "code"));
        world.await_event("order.placed", shopper, "kettle", SOON);
    }
    service.stop();
    check_census(world, 3, 2, 1);
}

/// Nothing comes at all for longer than a window: nobody's purchase lapses meanwhile, and the log says why.
/// When the firehose goes on, what was tweeted in time counts, and what was not lapses.
pub fn silent_firehose(world: &mut World) {
    set_up(world);
    let service = world.run("a");
    let firehose = world.firehose();
    firehose.tweet(ANNA, "#GetKettle");
    firehose.tweet(BEN, "#GetKettle");
    let [anna, ben] =
        [ANNA, BEN].map(|shopper| world.await_event("purchase.requested", shopper, "kettle", SOON));
    firehose.hush();
    let silent_since = now();

    let deadline = at(&anna, "deadline").max(at(&ben, "deadline"));
    let says = "and time stands: the firehose is silent";
    world.wait_for(says, SOON * 4, |_| (service.log().contains(says)).then_some(()));
    // Long enough for a mark and a lapse, had there been one.
    while now() < deadline + SLACK + 10_000 {
        thread::sleep(Duration::from_millis(200));
    }
    assert_eq!(census(&world.purchases()).get("purchase.lapsed"), None, "{}", world.said());

    // What comes now is what was tweeted meanwhile, in its order.
    let confirmed_at = at(&ben, "deadline") - 500;
    let mut confirmed = false;
    for millis in (silent_since..now()).step_by(5_000) {
        if millis > confirmed_at && !confirmed {
            firehose.tweet_at(confirmed_at, BEN, text(&ben, "code"));
            confirmed = true;
        }
        (0..TWEETS).for_each(|partition| firehose.noise(partition, millis));
    }
    assert!(confirmed);
    firehose.go_on();
    let confirmed = world.await_event("purchase.confirmed", BEN, "kettle", SOON);
    assert_eq!(text(&confirmed, "confirmed_at"), rfc3339(confirmed_at));
    let lapsed = world.await_event("purchase.lapsed", ANNA, "kettle", SOON);
    check_lapse(&lapsed, &anna);
    service.stop();
    check_census(world, 2, 1, 1);
}

/// There is something in a partition, and nobody can read it yet: it may be a confirmation, so time stands,
/// and the log says why.
pub fn unread_partition(world: &mut World) {
    set_up(world);
    let mut open = Transaction::begin(world, 2);
    let service = world.run("a");
    let firehose = world.firehose_with_noise_in(&[0, 1]);
    firehose.tweet(ANNA, "#GetKettle");
    let requested = world.await_event("purchase.requested", ANNA, "kettle", SOON);
    // Also behind the open transaction, where nobody can read it either.
    firehose.tweet(CLEO, "#GetKettle");

    let says = "and time stands: partition 2 of the firehose has no reader";
    world.wait_for(says, SOON, |_| (service.log().contains(says)).then_some(()));
    let enough = Instant::now() + Duration::from_secs(5);
    while now() < at(&requested, "deadline") + SLACK + 5_000 || Instant::now() < enough {
        thread::sleep(Duration::from_millis(200));
    }
    assert_eq!(census(&world.purchases()).get("purchase.lapsed"), None, "{}", world.said());

    open.commit();
    // Tweeted long ago, read now: she has the whole window.
    let cleo = world.await_event("purchase.requested", CLEO, "kettle", SOON);
    assert!(at(&cleo, "issued_at") > at(&requested, "deadline"), "{cleo}");
    firehose.noise(2, now());
    let lapsed = world.await_event("purchase.lapsed", ANNA, "kettle", SOON);
    check_lapse(&lapsed, &requested);
    firehose.tweet(CLEO, text(&cleo, "code"));
    world.await_event("order.placed", CLEO, "kettle", SOON);
    service.stop();
    check_census(world, 2, 1, 1);
}

fn set_up(world: &mut World) {
    let quick = with(offer("kettle", "#GetKettle"), json!({"window_seconds": WINDOW / 1_000}));
    world.set_up(&[quick], &[ANNA, BEN, CLEO].map(account));
}

fn check_lapse(lapsed: &Value, requested: &Value) {
    assert_eq!((&lapsed["at"], &lapsed["purchase_id"]), (&requested["deadline"], &requested["purchase_id"]));
}

fn check_census(world: &World, requested: usize, confirmed: usize, lapsed: usize) {
    let events: Vec<Value> = world.committed(&["purchases"]).iter().map(|record| record.json()).collect();
    let expected =
        [("purchase.confirmed", confirmed), ("purchase.lapsed", lapsed), ("purchase.requested", requested)];
    assert_eq!(census(&events), expected.map(|(kind, count)| (kind.to_owned(), count)).into());
}

/// A time of an event in milliseconds.
fn at(event: &Value, field: &str) -> i64 {
    millis(text(event, field))
}

/// Desk time in milliseconds, as the metrics have it.
fn desk_time(service: &mut Service) -> i64 {
    (service.metric("hashbuy_desk_time_seconds") * 1_000.0).round() as i64
}

/// A tweet that concerns nobody, alone in its partition of the firehose and in a transaction.
struct Transaction {
    producer: BaseProducer,
    /// The tweet's time.
    millis: i64,
}

impl Transaction {
    /// Writes the tweet; nobody who reads what is committed can read on from there.
    fn begin(world: &World, partition: i32) -> Transaction {
        let producer: BaseProducer = ClientConfig::new()
            .set("bootstrap.servers", &world.bootstrap)
            .set("transactional.id", format!("{}-firehose", world.app))
            .set("transaction.timeout.ms", "300000")
            .create()
            .unwrap();
        producer.init_transactions(SOON).unwrap();
        producer.begin_transaction().unwrap();
        let id = tweet_id(now(), 4_000_000);
        let tweet = Tweet::new(id, 998, "lone", "anybody here?").record();
        let topic = world.topic("tweets");
        producer.send(BaseRecord::<(), [u8]>::to(&topic).partition(partition).payload(&tweet)).unwrap();
        producer.flush(SOON).unwrap();
        Transaction { producer, millis: time_of(id) }
    }

    fn commit(&mut self) {
        self.producer.commit_transaction(SOON).unwrap();
    }
}
