//! Processes that share the partitions, and hand them over.

use std::thread;
use std::time::{Duration, Instant};

use hashbuy::log::{Isolation, Log as _, NewRecord, Partition};
use serde_json::{Value, json};

use crate::common::program::{census, text};
use crate::common::tables::with;
use crate::process::Service;
use crate::world::{INBOX, SOON, World, account, offer};

const SHOPPERS: std::ops::RangeInclusive<u64> = 301..=316;

/// Two processes share the work; one is told to end, the other does all of it.
pub fn two_processes(world: &mut World) {
    let long = json!({"window_seconds": 3_600});
    let offers =
        [("kettle", "#GetKettle"), ("lamp", "#GetLamp")].map(|(id, tag)| with(offer(id, tag), long.clone()));
    world.set_up(&offers, &SHOPPERS.map(account).collect::<Vec<_>>());
    let firehose = world.firehose();
    let mut first = world.run("a");
    first.await_ready();
    let mut second = world.run("b");
    second.await_ready();
    world.wait_for("the second has its share of the partitions", SOON, |_| {
        (restored(&second) >= INBOX as usize / 2).then_some(())
    });

    let count = SHOPPERS.count();
    for shopper in SHOPPERS {
        firehose.tweet(shopper, "#GetKettle");
    }
    world.await_count("purchase.requested", count, SOON);
    let requested = world.purchases();
    let (before, after) = requested.split_at(count / 2);
    for event in before {
        firehose.tweet(shopper(event), text(event, "code"));
    }
    world.await_count("purchase.confirmed", count / 2, SOON);
    for service in [&mut first, &mut second] {
        let events = ["purchase.requested", "purchase.confirmed"]
            .map(|kind| service.metric(&format!("hashbuy_desk_events_total{{type=\"{kind}\",reason=\"\"}}")));
        assert!(events.iter().sum::<f64>() > 0.0, "one of them has done nothing\n{}", world.said());
    }

    // In the middle of things.
    for event in after {
        firehose.tweet(shopper(event), text(event, "code"));
    }
    first.terminate();
    for shopper in SHOPPERS {
        firehose.tweet(shopper, "and #GetLamp");
    }
    let (code, log) = first.await_end(Duration::from_secs(10));
    assert_eq!(code, Some(0), "exit code after SIGTERM\n{log}");
    let gone = Instant::now();
    world.await_count("purchase.requested", 2 * count, SOON);
    world.await_count("purchase.confirmed", count, SOON);
    let taken_over = gone.elapsed();
    // Who leaves is not waited for: the session timeout alone would be 10 s.
    assert!(taken_over < Duration::from_secs(8), "taken over after {taken_over:?}\n{}", world.said());

    // Time goes on too: the one that is left keeps it.
    let desk_time = second.metric("hashbuy_desk_time_seconds");
    world.wait_for("desk time goes on", SOON, |_| {
        (second.metric("hashbuy_desk_time_seconds") > desk_time + 2.0).then_some(())
    });
    let lamps: Vec<Value> =
        world.purchases().into_iter().filter(|event| text(event, "offer_id") == "lamp").collect();
    for event in &lamps {
        firehose.tweet(shopper(event), text(event, "code"));
    }
    world.await_count("purchase.confirmed", 2 * count, SOON);
    second.stop();

    let expected = [("purchase.confirmed", 2 * count), ("purchase.requested", 2 * count)];
    assert_eq!(census(&world.purchases()), expected.map(|(kind, count)| (kind.to_owned(), count)).into());
    let placed = ("order.placed".to_owned(), 2 * count);
    assert_eq!(census(&world.orders()), [placed].into());
}

/// A process for each stage, with two workers in each: what one stage hands over the other decides, also when
/// its process has been away meanwhile, and neither speaks of the other's work.
pub fn stages_apart(world: &mut World) {
    world.set_up(&[offer("kettle", "#GetKettle")], &SHOPPERS.map(account).collect::<Vec<_>>());
    let firehose = world.firehose();
    let two = |stage, workers| ["--stage", stage, "--set", workers];
    let mut scan = world.run_as("s", &two("scan", "scan.workers=2"));
    let mut desk = world.run_as("d", &two("desk", "desk.workers=2"));
    scan.await_ready();
    desk.await_ready();
    for shopper in SHOPPERS {
        firehose.tweet(shopper, "#GetKettle");
    }
    let count = SHOPPERS.count();
    world.await_count("purchase.requested", count, SOON);
    assert!(desk.log().contains("desk 1: ") && scan.log().contains("scan 1: "), "{}", world.said());
    desk.stop();
    for event in world.purchases() {
        firehose.tweet(shopper(&event), text(&event, "code"));
    }
    let desk = world.run_as("d", &two("desk", "desk.workers=2"));
    world.await_count("purchase.confirmed", count, SOON);
    let [desk, scan] = [desk, scan].map(|service| {
        service.terminate();
        let (code, log) = service.await_end(Duration::from_secs(10));
        assert_eq!(code, Some(0), "exit code after SIGTERM\n{log}");
        log
    });
    assert_eq!(census(&world.orders()), [("order.placed".to_owned(), count)].into());
    assert!(scan.contains("tweets/s") && !scan.contains("pending "), "{scan}");
    assert!(desk.contains("pending ") && !desk.contains("tweets/s"), "{desk}");
}

/// A process that was there before has left nothing in the changelog but a transaction that it aborted: the
/// group has committed nothing, and the log's end is not its beginning.
pub fn first_start_after_an_abort(world: &mut World) {
    world.set_up(&[offer("kettle", "#GetKettle")], &SHOPPERS.map(account).collect::<Vec<_>>());
    let mut transactions = world.log.transactions(&format!("{}-before", world.app)).unwrap();
    transactions.begin().unwrap();
    for number in 0..INBOX {
        let partition = Partition::new(world.topic("changelog"), number);
        let (key, value) = (Some(b"account/301".to_vec()), Some(b"{}".to_vec()));
        transactions.send(&NewRecord { partition, key, value, headers: Vec::new() }).unwrap();
    }
    // Long enough for the records to be in the log before they are aborted.
    thread::sleep(Duration::from_millis(500));
    transactions.abort().unwrap();
    let mut lookup = world.log.lookup().unwrap();
    for number in 0..INBOX {
        let partition = Partition::new(world.topic("changelog"), number);
        let (_, end) = lookup.watermarks(&partition, Isolation::Uncommitted).unwrap();
        assert!(end > 0, "{partition} has nothing in it that could have been aborted");
    }

    let firehose = world.firehose();
    let service = world.run("a");
    for shopper in SHOPPERS {
        firehose.tweet(shopper, "#GetKettle");
    }
    world.await_count("purchase.requested", SHOPPERS.count(), SOON);
    service.stop();
}

fn shopper(event: &Value) -> u64 {
    text(event, "account_id").parse().unwrap()
}

/// How many partitions a process says that it has restored.
fn restored(service: &Service) -> usize {
    service.log().matches(" restored, ").count()
}
