//! One purchase, from the offer's hashtag to the order.

use crate::common::program::text;
use crate::world::{SOON, World, account, offer};

/// Who shops.
pub const ANNA: u64 = 101;
pub const BEN: u64 = 102;

/// Topics and tables with two who may shop, by those who may do anything.
pub fn open(world: &mut World) {
    world.set_up(&[offer("kettle", "#GetKettle")], &[account(ANNA), account(BEN)]);
}

/// A purchase that is billed.
pub fn buy(world: &mut World, who: u64) -> String {
    let firehose = world.firehose();
    firehose.tweet(who, "at last #GetKettle");
    let requested = world.await_event("purchase.requested", who, "kettle", SOON);
    let code = text(&requested, "code").to_owned();
    firehose.tweet(who, &code);
    world.await_event("order.placed", who, "kettle", SOON);
    code
}
