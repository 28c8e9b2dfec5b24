//! A broker that goes away and comes back, while the service is at work.
//!
//! No transaction is open in that moment. A cluster of a single broker does not always keep its own promises: while
//! it is stopped, and for a second after it was killed and started again, nobody leads its partitions, and the ends
//! of transactions that its coordinator would then have to write it does not write at all: "Couldn't find leader
//! endpoint for partitions [...] these partitions are likely deleted already and hence can be skipped". Such a
//! transaction hangs in some of its partitions from then on. Where brokers go away others have to lead, and there
//! `tests/faults` does it in the middle of transactions.

use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use crate::broker::Broker;
use crate::common::program::{census, text};
use crate::topics::Stored;
use crate::world::{SOON, World, account, offer};

const SHOPPERS: std::ops::RangeInclusive<u64> = 801..=812;
/// So long after the service stands still no transaction of its is open: the broker has aborted it.
const QUIET: Duration = Duration::from_secs(10);
/// How long there is no broker: longer than a transaction may be open, and than a member of a group may be
/// silent.
const AWAY: Duration = Duration::from_secs(15);
/// What waits longer and longer between its tries may take that long to begin again.
const BACK: Duration = Duration::from_secs(60);

/// The only broker is gone for a while. The service neither ends nor has to be started again: what was
/// tweeted before, and what is tweeted after, is confirmed once.
pub fn broker_goes_away(broker: &Broker) {
    let mut world = World::new(&broker.bootstrap);
    world.set_up(&[offer("kettle", "#GetKettle"), offer("lamp", "#GetLamp")], &{
        SHOPPERS.map(account).collect::<Vec<_>>()
    });
    let mut service = world.run("a");
    let firehose = world.firehose();
    let count = SHOPPERS.count();
    for shopper in SHOPPERS {
        firehose.tweet(shopper, "#GetKettle");
    }
    world.await_count("purchase.requested", count, SOON);
    let requested = world.purchases();
    let (before, after) = requested.split_at(count / 2);

    // What was tweeted has arrived, and the service finds it and no broker when it goes on.
    firehose.hush();
    service.signal(Signal::STOP);
    thread::sleep(QUIET);
    for event in before {
        firehose.tweet(shopper(event), text(event, "code"));
    }
    broker.stop();
    service.signal(Signal::CONT);
    thread::sleep(AWAY);
    broker.start_again();
    world.follow_anew();

    let firehose = world.firehose();
    for event in after {
        firehose.tweet(shopper(event), text(event, "code"));
    }
    for shopper in SHOPPERS {
        firehose.tweet(shopper, "and #GetLamp");
    }
    world.await_count("purchase.confirmed", count, BACK);
    world.await_count("purchase.requested", 2 * count, SOON);
    let desk_time = service.metric("hashbuy_desk_time_seconds");
    world.wait_for("desk time goes on", SOON, |_| {
        (service.metric("hashbuy_desk_time_seconds") > desk_time + 2.0).then_some(())
    });
    service.stop();

    let (purchases, orders) = (events(&world, "purchases"), events(&world, "orders"));
    let expected = [("purchase.confirmed", count), ("purchase.requested", 2 * count)];
    assert_eq!(census(&purchases), expected.map(|(kind, count)| (kind.to_owned(), count)).into());
    let confirmed = purchases.iter().filter(|event| text(event, "type") == "purchase.confirmed");
    let confirmed: BTreeSet<&str> = confirmed.map(|event| text(event, "purchase_id")).collect();
    let ordered: BTreeSet<&str> = orders.iter().map(|event| text(event, "purchase_id")).collect();
    assert_eq!((confirmed.len(), orders.len()), (count, count), "each once");
    assert_eq!(confirmed, ordered);
}

fn events(world: &World, topic: &str) -> Vec<Value> {
    world.committed(&[topic]).iter().map(Stored::json).collect()
}

fn shopper(event: &Value) -> u64 {
    text(event, "account_id").parse().unwrap()
}
