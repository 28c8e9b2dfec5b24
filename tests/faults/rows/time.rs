//! Harm to time: partitions that come late, a firehose that is rewound, tweets from the future, and accounts that are
//! frozen in just that moment.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use serde_json::json;

use crate::audit::{audit, compare_with_model};
use crate::common::program::{census, text};
use crate::common::tables::with;
use crate::common::tags::{millis, rfc3339, tweet_id};
use crate::common::wire::Tweet;
use crate::firehose::{Firehose, now};
use crate::scene::{SETTLED, Scene};
use crate::topics::Stored;
use crate::world::{SOON, TWEETS, World, account, offer};

const PACE: Duration = Duration::from_millis(100);
const STEP: Duration = Duration::from_secs(60);

/// Row 25. The firehose grows from 8 to 12 partitions, and the next thing in a new one is a confirmation at the last
/// moment, when the old ones are beyond it.
pub fn firehose_grows(scene: &mut Scene) {
    let quick = with(offer("kettle", "#GetKettle"), json!({"window_seconds": 60}));
    // By the number of partitions: the second tweets into another one when there are more.
    let (anna, ben) = (12 * 50, 12 * 50 + 9);
    scene.world.set_up_with(8, &[quick], &[account(anna), account(ben)]);
    let tweets = scene.world.topic("tweets");
    let firehose = Firehose::new(&scene.world.log, &tweets, 8);
    // Above the refresh of the metadata, as it has to be.
    let service = scene.world.run_with("a", &[("HASHBUY_TIME_SLACK_SECONDS", "15".to_owned())]);
    firehose.tweet(anna, "#GetKettle");
    firehose.tweet(ben, "#GetKettle");
    let [anna_asked, ben_asked] =
        [anna, ben].map(|id| scene.world.await_event("purchase.requested", id, "kettle", SOON));
    let deadline = millis(text(&ben_asked, "deadline"));
    while now() < deadline - 500 {
        thread::sleep(Duration::from_millis(50));
    }
    scene.broker.grow(&tweets, 12);
    scene.broker.await_partitions(&tweets, 12);
    let grown = Firehose::new(&scene.world.log, &tweets, 12);
    assert!(grown.partition_of(ben) >= 8);
    grown.tweet_at(deadline, ben, text(&ben_asked, "code"));
    scene.say("grown, and a code in a new partition");
    scene.world.await_event("purchase.confirmed", ben, "kettle", STEP);
    let lapsed = scene.world.await_event("purchase.lapsed", anna, "kettle", SETTLED);
    assert_eq!(lapsed["at"], anna_asked["deadline"]);
    service.stop();
    compare_with_model(&mut scene.world);
    let expected = [("purchase.confirmed", 1), ("purchase.lapsed", 1), ("purchase.requested", 2)];
    assert_eq!(
        census(&scene.world.purchases()),
        expected.map(|(kind, count)| (kind.to_owned(), count)).into()
    );
}

/// Row 26. The firehose is read again from its beginning, with everything that is in it: purchases, strangers, wrong
/// codes, and tweets of yesterday. Nothing comes of it.
pub fn firehose_rewound(scene: &mut Scene) {
    const OLD: u64 = 7_001;
    const STRANGER: u64 = 7_002;
    let load = scene.open(PACE);
    scene.world.put("accounts", &[account(OLD)]);
    let service = scene.world.run("a");
    load.await_more(15, STEP, &scene.world);
    let firehose = scene.world.firehose();
    firehose.tweet(STRANGER, "me too #GetKettle");
    scene.world.await_count("purchase.refused not_linked", 1, SOON);
    let yesterday = now() - 24 * 3_600_000;
    for n in 0..8 {
        firehose.tweet_at(yesterday + n, OLD, &format!("#GetKettle #Confirm2345678{n}"));
        firehose.tweet_at(yesterday + n, STRANGER, "#GetKettle");
    }
    let asked = load.finish(SETTLED, &scene.world);
    // All windows that end have ended, and strangers would not take anything for an answer any more.
    thread::sleep(Duration::from_secs(75));
    service.stop();
    audit(&mut scene.world, &asked);
    let before = scene.world.committed(&["purchases", "orders"]).len();
    rewind(&scene.world);
    scene.say("rewound");
    let service = scene.world.run("a");
    let consumer = scan_group(&scene.world);
    scene.world.wait_for("all is read again", SETTLED, |world| {
        thread::sleep(Duration::from_millis(500));
        is_read(&consumer, world).then_some(())
    });
    // Who was there before is not locked out, and can buy.
    firehose.tweet(OLD, "#GetKettle");
    let requested = scene.world.await_event("purchase.requested", OLD, "kettle", SOON);
    firehose.tweet(OLD, text(&requested, "code"));
    scene.world.await_event("order.placed", OLD, "kettle", SOON);
    service.stop();
    let after = scene.world.committed(&["purchases", "orders"]).len();
    assert_eq!(
        after,
        before + 3,
        "more than one purchase has come of it\n{:?}",
        census(&scene.world.purchases())
    );
}

fn scan_group(world: &World) -> BaseConsumer {
    ClientConfig::new()
        .set("bootstrap.servers", &world.bootstrap)
        .set("group.id", format!("{}-scan", world.app))
        .create()
        .unwrap()
}

fn firehose_list(world: &World, offset: Offset) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    for number in 0..i32::try_from(TWEETS).unwrap() {
        list.add_partition_offset(&world.topic("tweets"), number, offset).unwrap();
    }
    list
}

/// The scan's group has read nothing yet.
fn rewind(world: &World) {
    scan_group(world).commit(&firehose_list(world, Offset::Offset(0)), CommitMode::Sync).unwrap();
}

/// Whether the scan's group has read what there is.
fn is_read(consumer: &BaseConsumer, world: &World) -> bool {
    let committed = consumer.committed_offsets(firehose_list(world, Offset::Invalid), SOON).unwrap();
    committed.elements().iter().all(|element| {
        let (_, end) = consumer.fetch_watermarks(element.topic(), element.partition(), SOON).unwrap();
        // There is always something new.
        matches!(element.offset(), Offset::Offset(offset) if offset >= end - 20)
    })
}

/// Row 27. An account is frozen in the moment of its confirmation; and frozen, and set free again, while no desk is at
/// work. What counts is the order in which it stands in the inbox.
pub fn frozen_in_the_moment(scene: &mut Scene) {
    let ids: Vec<u64> = (8_001..=8_012).collect();
    let long = with(offer("kettle", "#GetKettle"), json!({"window_seconds": 3_600}));
    scene.world.set_up(&[long], &ids.iter().map(|id| account(*id)).collect::<Vec<_>>());
    let stage = |name| ["--stage", name];
    let scan = scene.world.run_as("s", &stage("scan"));
    let desk = scene.world.run_as("d", &stage("desk"));
    let firehose = scene.world.firehose();
    for id in &ids {
        firehose.tweet(*id, "#GetKettle");
    }
    scene.world.await_count("purchase.requested", ids.len(), STEP);
    let codes: BTreeMap<u64, String> = scene
        .world
        .purchases()
        .iter()
        .map(|event| (text(event, "account_id").parse().unwrap(), text(event, "code").to_owned()))
        .collect();
    let freeze = |world: &World, id: u64| world.hashbuy(&["accounts", "freeze", &id.to_string()]);
    let set_free = |world: &World, id: u64| world.put("accounts", &[account(id)]);
    let (in_the_moment, meanwhile) = ids.split_at(8);
    thread::scope(|scope| {
        for (n, id) in in_the_moment.iter().enumerate() {
            let (firehose, code) = (&firehose, &codes[id]);
            // The command takes a while to start.
            scope.spawn(move || {
                thread::sleep(Duration::from_millis(120 * n as u64));
                firehose.tweet(*id, code);
            });
            freeze(&scene.world, *id);
        }
    });
    scene.world.wait_for("an end for each", SOON, |world| {
        let ends = census(&world.purchases());
        let of = |kind: &str| ends.get(kind).copied().unwrap_or(0);
        (of("purchase.confirmed") + of("purchase.cancelled") == in_the_moment.len()).then_some(())
    });
    let so_far = census(&scene.world.purchases());
    scene.say(&format!("{so_far:?}"));
    desk.stop();
    for (n, id) in meanwhile.iter().enumerate() {
        if n % 2 == 0 {
            freeze(&scene.world, *id);
            thread::sleep(Duration::from_secs(1));
            set_free(&scene.world, *id);
            thread::sleep(Duration::from_secs(1));
            firehose.tweet(*id, &codes[id]);
        } else {
            firehose.tweet(*id, &codes[id]);
            thread::sleep(Duration::from_secs(1));
            freeze(&scene.world, *id);
            set_free(&scene.world, *id);
        }
    }
    thread::sleep(Duration::from_secs(2));
    let desk = scene.world.run_as("d", &stage("desk"));
    scene.world.wait_for("an end for everybody", SOON, |world| {
        let ends = census(&world.purchases());
        let of = |kind: &str| ends.get(kind).copied().unwrap_or(0);
        (of("purchase.confirmed") + of("purchase.cancelled") == ids.len()).then_some(())
    });
    [scan, desk].into_iter().for_each(crate::process::Service::stop);
    compare_with_model(&mut scene.world);
    let inbox = scene.world.committed(&["inbox"]);
    let events = scene.world.purchases();
    for id in &ids {
        let end = events.iter().find(|event| {
            text(event, "account_id") == id.to_string()
                && ["purchase.confirmed", "purchase.cancelled"].contains(&text(event, "type"))
        });
        let expected = first_in_inbox(&inbox, *id, &codes[id]);
        assert_eq!(end.map(|end| text(end, "type")), Some(expected), "{id}\n{}", scene.world.said());
    }
    let of = |kind: &str| events.iter().filter(|event| text(event, "type") == kind).count();
    assert!(of("purchase.cancelled") >= 2 && of("purchase.confirmed") >= 2, "both ways were to be seen");
}

/// What has to come of it: whichever stands first in the inbox, the code or the record that says frozen.
fn first_in_inbox(inbox: &[Stored], id: u64, code: &str) -> &'static str {
    let key = format!("account/{id}");
    let mut own: Vec<&Stored> =
        inbox.iter().filter(|record| record.key.as_deref() == Some(key.as_bytes())).collect();
    own.sort_by_key(|record| record.offset);
    let code = code.trim_start_matches("#Confirm");
    let first = own.iter().map(|record| record.json()).find_map(|record| {
        let is_frozen = record["account"]["status"] == "frozen";
        let is_code = text(&record, "type") == "sighting" && record["codes"].to_string().contains(code);
        is_frozen.then_some("purchase.cancelled").or(is_code.then_some("purchase.confirmed"))
    });
    first.unwrap_or_else(|| panic!("neither is in the inbox: {id}"))
}

/// Row 28. A tweet and a record from the future: they are set aside, and nobody's time is over for them.
pub fn from_the_future(scene: &mut Scene) {
    const ANNA: u64 = 8_100;
    let quick = with(offer("kettle", "#GetKettle"), json!({"window_seconds": 60}));
    scene.world.set_up(&[quick], &[account(ANNA)]);
    let service = scene.world.run("a");
    let firehose = scene.world.firehose();
    firehose.tweet(ANNA, "#GetKettle");
    let requested = scene.world.await_event("purchase.requested", ANNA, "kettle", SOON);
    let deadline = millis(text(&requested, "deadline"));
    let in_2070 = millis("2070-01-01T00:00:00.000Z");
    let producer: BaseProducer =
        ClientConfig::new().set("bootstrap.servers", &scene.world.bootstrap).create().unwrap();
    for number in 0..i32::try_from(TWEETS).unwrap() {
        let ahead = Tweet::new(tweet_id(in_2070, 1), 900, "u900", "#GetKettle of the future").record();
        let stamped = Tweet::new(firehose.id(now()), 900, "u900", "what a day").record();
        for tweet in [&ahead, &stamped] {
            let topic = scene.world.topic("tweets");
            let record = BaseRecord::<(), [u8]>::to(&topic).partition(number).payload(tweet);
            producer.send(record.timestamp(millis("2099-01-01T00:00:00.000Z"))).unwrap();
        }
    }
    producer.flush(SOON).unwrap();
    scene.world.wait_for("dead letters", SOON, |world| {
        (world.stored("dead_letters").len() >= TWEETS as usize).then_some(())
    });
    scene.say("tweets of 2070, records of 2099");
    let began = Instant::now();
    while now() < deadline - 1_000 {
        assert_eq!(
            census(&scene.world.purchases()).get("purchase.lapsed"),
            None,
            "after {:?}",
            began.elapsed()
        );
        thread::sleep(Duration::from_millis(500));
    }
    firehose.tweet_at(deadline - 900, ANNA, text(&requested, "code"));
    let confirmed = scene.world.await_event("purchase.confirmed", ANNA, "kettle", SOON);
    assert_eq!(text(&confirmed, "confirmed_at"), rfc3339(deadline - 900));
    service.stop();
    compare_with_model(&mut scene.world);
    let letters = scene.world.stored("dead_letters");
    assert!(letters.iter().all(|letter| letter.header("reason") == "time_ahead"), "{letters:?}");
    assert_eq!(letters.len(), TWEETS as usize);
}
