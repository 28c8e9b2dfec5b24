//! The state of the desk moves to another number of partitions, and everything that it knows goes with it.

use std::time::Duration;

use hashbuy::core::desk::Change;
use hashbuy::core::inbox::encode;
use hashbuy::log::{Log as _, NewRecord, Partition};
use serde_json::{Value, json};

use super::{account_of, fails, nothing_twice, succeeds_soon};
use crate::common::program::{census, text};
use crate::common::tables::with;
use crate::firehose::Firehose;
use crate::world::{SOON, TWEETS, World, account, offer};

/// They ask for a kettle; every third confirms before the move, the others after it.
const SHOPPERS: std::ops::RangeInclusive<u64> = 1_201..=1_224;
/// They buy both lamps before the move.
const LAMPS: [u64; 2] = [1_231, 1_232];
/// Asks for a lamp when none is left.
const LATE: u64 = 1_233;
/// Guesses five codes.
const GUESSER: u64 = 1_234;
/// Asks while the desk is down.
const EARLY: u64 = 1_235;

/// From 8 partitions to 12: refused until it is safe, undone by nothing that happens on the way, and nothing is
/// lost or doubled.
pub fn move_to_more_partitions(world: &mut World) {
    let long = json!({"window_seconds": 3_600});
    let lamp = with(with(offer("lamp", "#GetLamp"), long.clone()), json!({"stock": 2}));
    let all = SHOPPERS.chain(LAMPS).chain([LATE, GUESSER, EARLY]);
    world.hashbuy(&[
        "topics",
        "create",
        "--tweets-partitions",
        &TWEETS.to_string(),
        "--inbox-partitions",
        "8",
    ]);
    world.put("offers", &[with(offer("kettle", "#GetKettle"), long), lamp]);
    world.put("accounts", &all.map(account).collect::<Vec<_>>());
    world.follow_anew();
    let firehose = world.firehose();
    let tweets = before(world, &firehose);

    let state = world.folder.path("state.jsonl");
    let state = state.to_str().unwrap();
    export(world, &firehose, state);
    let (inbox, changelog) = (format!("{}-inbox-12", world.app), format!("{}-changelog-12", world.app));
    let there = [format!("topics.inbox={inbox}"), format!("topics.changelog={changelog}")];
    let there = ["--set", there[0].as_str(), "--set", there[1].as_str()];
    let with_there = |args: &[&'static str]| [args, &there[..]].concat();
    world.hashbuy(&with_there(&["topics", "create", "--inbox-partitions", "12"]));
    let import = [&["desk", "import", state][..], &there].concat();

    // Into the topics that it is from, and by another app.
    fails(world, &["desk", "import", state], 1, &["is not empty"]);
    fails(world, &[&import[..], &["--set", "app=other"]].concat(), 1, &["of app"]);
    // Somebody forgets to import.
    for stage in ["scan", "all"] {
        let (code, said) =
            world.run_as("d", &with_there(&["--stage", stage])).await_end(Duration::from_secs(30));
        assert_eq!(code, Some(1), "{said}");
        assert!(
            said.contains("its state is elsewhere") && said.contains("hashbuy desk import FILE"),
            "{said}"
        );
    }
    crash_of_an_import(world, &changelog);
    let (code, said) =
        world.run_as("d", &with_there(&["--stage", "desk"])).await_end(Duration::from_secs(60));
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("hashbuy desk import"), "{said}");
    let said = succeeds_soon(world, &import).stderr;
    assert!(said.contains("in the 12 of"), "{said}");
    assert!(!said.contains("nobody knows"), "{said}");
    fails(world, &import, 1, &["is not empty", "done already"]);

    after(world, &firehose, &tweets, &with_there(&[]));
}

/// What happens in 8 partitions. Returns the tweets.
fn before(world: &mut World, firehose: &Firehose) -> Vec<(u64, u64, String)> {
    let mut service = world.run("a");
    service.await_ready();
    let mut tweets = Vec::new();
    let mut tweet =
        |author: u64, text: &str| tweets.push((firehose.tweet(author, text), author, text.to_owned()));
    SHOPPERS.for_each(|shopper| tweet(shopper, "#GetKettle"));
    LAMPS.iter().for_each(|shopper| tweet(*shopper, "#GetLamp"));
    tweet(GUESSER, "#GetKettle");
    let requests = SHOPPERS.count() + LAMPS.len() + 1;
    world.await_count("purchase.requested", requests, SOON);
    for event in world.purchases() {
        let shopper = account_of(&event);
        if LAMPS.contains(&shopper) || SHOPPERS.contains(&shopper) && shopper.is_multiple_of(3) {
            tweet(shopper, text(&event, "code"));
        }
    }
    for code in
        ["#Confirm11111111", "#Confirm22222222", "#Confirm33333333", "#Confirm44444444", "#Confirm55555555"]
    {
        tweet(GUESSER, code);
    }
    world.await_count("purchase.confirmed", SHOPPERS.count() / 3 + LAMPS.len(), SOON);
    world.await_count("purchase.refused wrong_code", 1, SOON);
    fails(world, &["desk", "export", "too-early.jsonl"], 1, &["live members", "stop every process"]);
    service.stop();
    tweets
}

/// Exports, when all that forbids it has been seen to do so.
fn export(world: &mut World, firehose: &Firehose, state: &str) {
    // The scan alone works on: there is something that the desk has not decided on.
    let mut scan = world.run_as("s", &["--stage", "scan"]);
    scan.await_ready();
    firehose.tweet(EARLY, "#GetKettle");
    world.wait_for("the sighting is in the inbox", SOON, |_| {
        (scan.metric("hashbuy_scan_sightings_total{kind=\"sighting\"}") >= 1.0).then_some(())
    });
    scan.stop();
    fails(world, &["desk", "export", state], 1, &["1 records of", "not decided on yet", "--stage desk"]);
    let desk = world.run_as("d", &["--stage", "desk"]);
    world.await_event("purchase.requested", EARLY, "kettle", SOON);
    fails(world, &["desk", "export", state], 1, &["live members"]);
    desk.stop();
    succeeds_soon(world, &["desk", "export", state]);
    fails(world, &["desk", "export", state], 2, &["is there already"]);

    // One state makes one file.
    let (first, second) = (world.folder.read("state.jsonl"), world.folder.path("again.jsonl"));
    world.hashbuy(&["desk", "export", second.to_str().unwrap()]);
    assert_eq!(first, world.folder.read("again.jsonl"));
    assert_eq!(first.lines().filter(|line| line.starts_with("{\"key\":\"offer/lamp\"")).count(), 1);
    assert_eq!(first.lines().filter(|line| line.starts_with("{\"key\":\"told/lamp\"")).count(), 8);

    // Somebody starts the service again: the file is old.
    let service = world.run("a");
    service.log();
    let again = firehose.tweet(EARLY, "#GetLamp");
    world.await_count("purchase.refused sold_out", 1, SOON);
    assert!(again > 0);
    service.stop();
    let name = format!("topics.inbox={}-inbox-9", world.app);
    let other = format!("topics.changelog={}-changelog-9", world.app);
    let there = ["--set", name.as_str(), "--set", other.as_str()];
    world.hashbuy(&[&["topics", "create", "--inbox-partitions", "9"][..], &there].concat());
    fails(world, &[&["desk", "import", state][..], &there].concat(), 1, &["has worked on", "export again"]);
    std::fs::remove_file(state).unwrap();
    let mut desk = world.run_as("d", &["--stage", "desk"]);
    desk.await_ready();
    std::thread::sleep(Duration::from_secs(1));
    desk.stop();
    succeeds_soon(world, &["desk", "export", state]);
}

/// What an import leaves that was killed in the middle.
fn crash_of_an_import(world: &World, changelog: &str) {
    let record = |number, key: &str, value: Option<Vec<u8>>| NewRecord {
        partition: Partition::new(changelog, number),
        key: Some(key.as_bytes().to_vec()),
        value,
        headers: Vec::new(),
    };
    let mut producer = world.log.producer().unwrap();
    for number in 0..12 {
        producer.send(record(number, Change::IMPORT, Some(encode(&Change::Import)))).unwrap();
    }
    assert_eq!(producer.outstanding(SOON), Ok(0));
    let mut transactions = world.log.transactions(&format!("{}-desk-import", world.app)).unwrap();
    transactions.begin().unwrap();
    for number in 0..5 {
        transactions.send(&record(number, Change::IMPORT, None)).unwrap();
        transactions.send(&record(number, "account/1201", Some(b"{}".to_vec()))).unwrap();
    }
    // Long enough for the records to be in the log, and then it is gone.
    std::thread::sleep(Duration::from_millis(500));
}

/// What goes on in 12 partitions.
fn after(world: &mut World, firehose: &Firehose, tweets: &[(u64, u64, String)], there: &[&str]) {
    let mut service = world.run_as("a", there);
    service.await_ready();
    let known = world.purchases().len();
    for (id, author, text) in tweets {
        firehose.again(*id, *author, text);
    }
    world.wait_for("the old tweets are known", SOON, |_| {
        let copies = service.metric("hashbuy_nothing_total{reason=\"duplicate\"}");
        (copies >= tweets.len() as f64).then_some(())
    });
    assert_eq!(world.purchases().len(), known, "an old tweet has led to something");

    let pending: Vec<Value> =
        world.purchases().into_iter().filter(|event| text(event, "type") == "purchase.requested").collect();
    for event in &pending {
        let shopper = account_of(event);
        if SHOPPERS.contains(&shopper) && !shopper.is_multiple_of(3) || shopper == GUESSER || shopper == EARLY
        {
            firehose.tweet(shopper, text(event, "code"));
        }
    }
    firehose.tweet(LATE, "#GetLamp");
    let confirmed = SHOPPERS.count() + LAMPS.len() + 1;
    world.await_count("purchase.confirmed", confirmed, SOON);
    world.await_count("purchase.refused locked", 1, SOON);
    world.await_count("purchase.refused sold_out", 2, SOON);
    world.hashbuy(&[&["check", "--quick"], there].concat());
    service.stop();
    nothing_twice(world);
    let expected = [
        ("purchase.confirmed", confirmed),
        ("purchase.refused locked", 1),
        ("purchase.refused sold_out", 2),
        ("purchase.refused wrong_code", 5),
        ("purchase.requested", SHOPPERS.count() + LAMPS.len() + 2),
    ];
    assert_eq!(census(&world.purchases()), expected.map(|(kind, count)| (kind.to_owned(), count)).into());
    assert_eq!(world.orders().len(), confirmed);
}
