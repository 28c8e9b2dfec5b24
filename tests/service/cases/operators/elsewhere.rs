//! The cluster with the state is gone, and the service begins anew on what a mirror has: firehose and tables, no inbox,
//! no changelog, no offsets.

use std::collections::BTreeSet;

use super::account_of;
use crate::common::program::text;
use crate::world::{SOON, World, account, offer};

/// Has bought before.
const ANNA: u64 = 1_501;
/// Has a code from before, and tweets it after.
const BEN: u64 = 1_502;
/// Comes after.
const CLEO: u64 = 1_503;

/// What the last hour of the firehose says comes again under the same ids, codes that are out are good, and it goes on.
pub fn begin_elsewhere(world: &mut World) {
    world.set_up(&[offer("kettle", "#GetKettle")], &[account(ANNA), account(BEN), account(CLEO)]);
    let firehose = world.firehose();
    let mut service = world.run("a");
    service.await_ready();
    firehose.tweet(ANNA, "#GetKettle");
    firehose.tweet(BEN, "#GetKettle");
    let anna = world.await_event("purchase.requested", ANNA, "kettle", SOON);
    let ben = world.await_event("purchase.requested", BEN, "kettle", SOON);
    firehose.tweet(ANNA, text(&anna, "code"));
    world.await_event("order.placed", ANNA, "kettle", SOON);
    service.kill();
    let (events, orders) = (world.purchases().len(), world.orders().len());

    // Another app stands for a cluster whose groups know nothing.
    let there = [
        format!("app={}-there", world.app),
        format!("topics.inbox={}-inbox-there", world.app),
        format!("topics.changelog={}-changelog-there", world.app),
    ];
    let there: Vec<&str> = there.iter().flat_map(|set| ["--set", set.as_str()]).collect();
    world.hashbuy(&[&["topics", "create"][..], &there].concat());
    let mut service = world.run_as("a", &there);
    service.await_ready();
    world
        .wait_for("Anna's purchase comes again", SOON, |world| (world.orders().len() > orders).then_some(()));
    firehose.tweet(BEN, text(&ben, "code"));
    firehose.tweet(CLEO, "#GetKettle");
    world.await_event("order.placed", BEN, "kettle", SOON);
    world.await_event("purchase.requested", CLEO, "kettle", SOON);
    service.stop();

    // A biller that refuses a purchase_id it knows has billed each once.
    let ids: BTreeSet<String> =
        world.orders().iter().map(|order| text(order, "purchase_id").to_owned()).collect();
    assert_eq!((world.orders().len(), ids.len()), (orders + 2, 2));
    assert!(ids.contains(text(&anna, "purchase_id")) && ids.contains(text(&ben, "purchase_id")));
    let again = &world.purchases()[events..];
    let of = |account, field| {
        let event = again
            .iter()
            .find(|event| account_of(event) == account && text(event, "type") == "purchase.requested");
        text(event.unwrap(), field).to_owned()
    };
    for (account, before) in [(ANNA, &anna), (BEN, &ben)] {
        for field in ["event_id", "purchase_id", "code"] {
            assert_eq!(of(account, field), text(before, field));
        }
    }
}
