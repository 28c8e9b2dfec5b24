//! Lapses without number, all due by one mark.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use hashbuy::log::{Log as _, NewRecord, Partition, Producer};
use serde_json::{Value, json};

use crate::common::program::text;
use crate::common::tables::with;
use crate::common::tags::tweet_id;
use crate::common::wire::Tweet;
use crate::firehose::now;
use crate::scene::Scene;
use crate::topics::{Follower, Stored};
use crate::world::{SOON, TWEETS, World, account, offer};

/// Row 24: so many accounts want each of so many things.
const CROWD: u64 = 30_000;
const WISHES: usize = 10;
/// What is decided in minutes by a program that is not optimised.
const LONG: Duration = Duration::from_secs(900);

/// Row 24. One mark makes 300,000 purchases lapse. Transactions stay small, and a kill in the middle of it changes
/// nothing.
pub fn lapses_without_number(scene: &mut Scene) {
    let offers: Vec<Value> = (0..WISHES)
        .map(|n| with(offer(&format!("cup{n}"), &format!("#GetCup{n}")), json!({"window_seconds": 60})))
        .collect();
    let accounts: Vec<Value> = (1..=CROWD).map(account).collect();
    scene.world.set_up(&offers, &accounts);
    let limits =
        ["HASHBUY_LIMITS_PENDINGS", "HASHBUY_LIMITS_REQUESTS_PER_HOUR"].map(|name| (name, "50".to_owned()));
    let mut service = scene.world.run_with("a", &limits);
    service.await_ready();
    let tags: Vec<String> = (0..WISHES).map(|n| format!("#GetCup{n}")).collect();
    let words = tags.join(" ");
    bulk(&scene.world, (1..=CROWD).map(|id| (id, words.as_str())));
    let all = (CROWD * WISHES as u64) as f64;
    let count = |kind: &str| format!("hashbuy_desk_events_total{{type=\"{kind}\",reason=\"\"}}");
    scene.say("everybody has asked");
    scene.world.wait_for("all requests", LONG, |_| {
        thread::sleep(Duration::from_secs(1));
        (service.metric(&count("purchase.requested")) >= all).then_some(())
    });
    // The windows end while nothing is tweeted; then the first tweets say what time it is.
    thread::sleep(Duration::from_secs(65));
    assert_eq!(service.metric(&count("purchase.lapsed")), 0.0);
    let _firehose = scene.world.firehose();
    scene.say("time goes on");
    let mut events = Follower::committed(&scene.world.bootstrap, &[scene.world.topic("purchases")]);
    let lapsed = scene.world.wait_for("a third of the lapses", LONG, |_| {
        events.follow(Duration::from_millis(1));
        let lapsed = |record: &&Stored| record.header("ce_type") == "purchase.lapsed";
        let (status, said) = service.get("/readyz");
        assert_eq!(status, 200, "{said}");
        Some(events.records.iter().filter(lapsed).count()).filter(|lapsed| *lapsed as f64 > all / 3.0)
    });
    service.kill();
    assert!((lapsed as f64) < all, "all was over when it was killed");
    scene.say(&format!("killed after {lapsed}"));
    let mut service = scene.world.run_with("a", &limits);
    scene.world.wait_for("all lapses", LONG, |_| {
        // Not by the metric: right after a restore it may not say yet what is pending.
        events.follow(Duration::from_millis(500));
        let lapsed = events.records.iter().filter(|record| record.header("ce_type") == "purchase.lapsed");
        (lapsed.count() as f64 >= all).then_some(())
    });
    let (rest, commits) =
        (service.metric(&count("purchase.lapsed")), service.metric("hashbuy_desk_commit_seconds_count"));
    assert!(commits * 1_000.0 >= rest, "{rest} lapses in {commits} transactions");
    service.stop();
    check(&scene.world);
}

/// Each purchase was requested once, and has lapsed once, at its deadline.
fn check(world: &World) {
    let mut deadlines: BTreeMap<String, String> = BTreeMap::new();
    let (mut requested, mut lapsed) = (0, BTreeSet::new());
    let events = Follower::all_committed(&world.bootstrap, &[world.topic("purchases")]);
    for event in events.iter().map(Stored::json) {
        let purchase = text(&event, "purchase_id").to_owned();
        match text(&event, "type") {
            "purchase.requested" => {
                requested += 1;
                deadlines.insert(purchase, text(&event, "deadline").to_owned());
            }
            "purchase.lapsed" => {
                assert_eq!(deadlines[&purchase], text(&event, "at"), "{event}");
                assert!(lapsed.insert(purchase), "lapsed twice: {event}");
            }
            _ => panic!("{event}"),
        }
    }
    assert_eq!(
        (requested as f64, deadlines.len(), lapsed.len()),
        ((CROWD * WISHES as u64) as f64, requested, requested)
    );
}

/// Tweets of this moment, without waiting for each.
fn bulk<'t>(world: &World, tweets: impl Iterator<Item = (u64, &'t str)>) {
    let mut producer: Box<dyn Producer + Send> = world.log.producer().unwrap();
    let topic: Arc<str> = world.topic("tweets").into();
    for (n, (author, words)) in tweets.enumerate() {
        let id = tweet_id(now(), n as u64 % (1 << 22));
        let value = Tweet::new(id, author, &format!("u{author}"), words).record();
        let number = u32::try_from(author % u64::from(TWEETS)).unwrap();
        let partition = Partition { topic: Arc::clone(&topic), number };
        producer.send(NewRecord { partition, key: None, value: Some(value), headers: Vec::new() }).unwrap();
        if n % 500 == 0 {
            assert_eq!(producer.outstanding(SOON), Ok(0));
        }
    }
    assert_eq!(producer.outstanding(SOON), Ok(0));
}
