//! What ends a pending purchase before its time.

use serde_json::{Value, json};

use crate::common::program::{census, text};
use crate::common::tables::with;
use crate::world::{SOON, World, account, offer};

const FREYA: u64 = 401;
const UMA: u64 = 402;
const DAN: u64 = 403;
const WILL: u64 = 404;
const SAM: u64 = 405;
const SUE: u64 = 406;

/// Frozen, unlinked, deleted, withdrawn and sold out, by the program's own commands where there are such.
pub fn cancellations(world: &mut World) {
    let single = with(offer("lamp", "#GetLamp"), json!({"stock": 1}));
    let accounts = [FREYA, UMA, DAN, WILL, SAM, SUE].map(account);
    world.set_up(&[offer("kettle", "#GetKettle"), offer("vase", "#GetVase"), single], &accounts);
    let service = world.run("a");
    let firehose = world.firehose();
    let wishes = [
        (FREYA, "kettle", "#GetKettle"),
        (UMA, "kettle", "#GetKettle"),
        (DAN, "kettle", "#GetKettle"),
        (WILL, "vase", "#GetVase"),
        (SAM, "lamp", "#GetLamp"),
        (SUE, "lamp", "#GetLamp"),
    ];
    let tweets = wishes.map(|(account, _, tag)| firehose.tweet(account, tag));
    let requested =
        wishes.map(|(account, offer, _)| world.await_event("purchase.requested", account, offer, SOON));
    let [freya, uma, dan, will, sam, sue] = &requested;

    world.hashbuy(&["accounts", "freeze", "401"]);
    world.hashbuy(&["accounts", "rm", "402"]);
    firehose.delete(tweets[2], DAN);
    world.hashbuy(&["offers", "rm", "vase", "--cancel-pending"]);
    for (event, offer, cause) in [
        (freya, "kettle", "frozen"),
        (uma, "kettle", "unlinked"),
        (dan, "kettle", "deleted"),
        (will, "vase", "withdrawn"),
    ] {
        let account = text(event, "account_id").parse().unwrap();
        let cancelled = world.await_event("purchase.cancelled", account, offer, SOON);
        assert_eq!(text(&cancelled, "cause"), cause, "{cancelled}");
        assert_eq!(cancelled["purchase_id"], event["purchase_id"]);
    }
    // The right code is of no use any more.
    for (event, reason) in [(freya, "frozen"), (dan, "lapsed"), (will, "lapsed")] {
        let (account, offer) = (text(event, "account_id").parse().unwrap(), text(event, "offer_id"));
        firehose.tweet(account, text(event, "code"));
        let refused = world.await_event("purchase.refused", account, offer, SOON);
        assert_eq!(text(&refused, "reason"), reason, "{refused}");
    }

    // One unit, two buyers: whoever comes second in the log gets none.
    for event in [sam, sue] {
        firehose.tweet(text(event, "account_id").parse().unwrap(), text(event, "code"));
    }
    let ends = world.wait_for("an end of both", SOON, |world| {
        let is_end = |event: &Value| {
            text(event, "offer_id") == "lamp"
                && matches!(text(event, "type"), "purchase.confirmed" | "purchase.cancelled")
        };
        let ends: Vec<Value> = world.purchases().into_iter().filter(is_end).collect();
        (ends.len() == 2).then_some(ends)
    });
    let cancelled = ends.iter().find(|event| text(event, "type") == "purchase.cancelled").unwrap();
    assert_eq!(text(cancelled, "cause"), "sold_out");
    assert!(cancelled["reply"]["text"].is_string(), "{cancelled}");
    // And whoever asks now is told.
    firehose.tweet(DAN, "#GetLamp");
    let refused = world.await_event("purchase.refused", DAN, "lamp", SOON);
    assert_eq!(text(&refused, "reason"), "sold_out", "{refused}");
    service.stop();

    let expected = [
        ("purchase.cancelled", 5),
        ("purchase.confirmed", 1),
        ("purchase.refused frozen", 1),
        ("purchase.refused lapsed", 2),
        ("purchase.refused sold_out", 1),
        ("purchase.requested", 6),
    ];
    assert_eq!(census(&world.purchases()), expected.map(|(kind, count)| (kind.to_owned(), count)).into());
    let orders = world.orders();
    let confirmed = ends.iter().find(|event| text(event, "type") == "purchase.confirmed").unwrap();
    assert_eq!(orders.len(), 1, "{orders:?}");
    assert_eq!(orders[0]["purchase_id"], confirmed["purchase_id"]);
}
