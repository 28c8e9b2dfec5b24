//! The page of a service: what it shows of offers and accounts, and what it does not.

use serde_json::{Value, json};

use crate::common::program::text;
use crate::process::Service;
use crate::world::{SOON, World, account, offer};

const ANNA: u64 = 7_340_126_589_417_203_911;
const BEN: u64 = 7_340_126_589_417_203_912;

/// A purchase from a stock, as the page tells it, through a restart.
pub fn the_page(world: &mut World) {
    let mut kettle = offer("kettle", "#GetKettle");
    kettle["product"] = json!("<script>alert('kettle')</script>");
    kettle["stock"] = json!(3);
    world.set_up(&[kettle], &[account(ANNA), account(BEN)]);
    let firehose = world.firehose();
    let mut service = world.run("a");
    service.await_ready();
    await_left(world, &mut service, 3);
    firehose.tweet(ANNA, "#GetKettle");
    let requested = world.await_event("purchase.requested", ANNA, "kettle", SOON);
    firehose.tweet(ANNA, text(&requested, "code"));
    world.await_event("order.placed", ANNA, "kettle", SOON);
    await_left(world, &mut service, 2);

    let list = service.get("/offers").1;
    assert!(list.contains("&lt;script&gt;alert('kettle')") && !list.contains("<script>"), "{list}");
    let page = service.get("/").1;
    assert!(page.contains("confirmed") && page.contains("web.show_ids"), "{page}");
    for secret in [&ANNA.to_string(), "tok-", "door-", text(&requested, "code")] {
        assert!(!page.contains(secret) && !list.contains(secret), "{secret} in {page}");
    }
    // What the demo has is nowhere else.
    assert_eq!(service.get("/demo/kill").0, 404);
    assert!(!page.contains("<form"), "{page}");
    service.stop();

    let mut again = world.run_with("a", &[("HASHBUY_WEB_SHOW_IDS", "true".to_owned())]);
    again.await_ready();
    await_left(world, &mut again, 2);
    firehose.tweet(BEN, "#GetKettle");
    world.await_event("purchase.requested", BEN, "kettle", SOON);
    world.wait_for("the page shows whose it is", SOON, |_| {
        again.get("/").1.contains(&BEN.to_string()).then_some(())
    });
    again.stop();

    let mut desk = world.run_as("a", &["--stage", "desk"]);
    desk.await_ready();
    assert!(desk.get("/offers").1.contains("does not read the table of offers"));
    assert_eq!(offers(&mut desk)["offers"], Value::Null);
    desk.stop();
}

fn offers(service: &mut Service) -> Value {
    serde_json::from_str(&service.get("/offers.json").1).unwrap()
}

fn await_left(world: &mut World, service: &mut Service, units: u64) {
    world.wait_for("the units that are left", SOON, |_| {
        let offers = offers(service);
        (offers["offers"][0]["left"] == units && offers["offers"][0]["sold_out"] == false).then_some(())
    });
}
