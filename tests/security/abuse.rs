//! What somebody gains who knows the secret, or has a thousand accounts.

use std::time::{Duration, Instant};

use crate::broker::Broker;
use crate::common::program::{SECRET, census, text};
use crate::common::tags::code;
use crate::shop::{ANNA, BEN, buy, open};
use crate::world::{SOON, World};

/// A case.
pub type Case = (&'static str, fn(&Broker));

pub const CASES: &[Case] = &[
    ("who_knows_the_secret_buys_for_nobody_else", who_knows_the_secret_buys_for_nobody_else),
    ("a_new_secret_lets_old_codes_work", a_new_secret_lets_old_codes_work),
    ("a_flood_of_strangers_is_answered_in_drops", a_flood_of_strangers_is_answered_in_drops),
];

/// Ben foretells Anna's code, which is what the secret is good for, and tweets it.
fn who_knows_the_secret_buys_for_nobody_else(broker: &Broker) {
    let mut world = World::new(&broker.bootstrap);
    open(&mut world);
    let service = world.run("a");
    let firehose = world.firehose();
    let asked = firehose.tweet(ANNA, "#GetKettle");
    let foretold = code(SECRET, ANNA, "kettle", asked);
    world.await_event("purchase.requested", ANNA, "kettle", SOON);
    // He has to have a purchase of his own: else nobody even answers.
    firehose.tweet(BEN, "#GetKettle");
    let own = world.await_event("purchase.requested", BEN, "kettle", SOON);
    firehose.tweet(BEN, &foretold);
    world.wait_for("a refusal", SOON, |world| {
        let refused =
            world.purchases().into_iter().find(|event| text(event, "type") == "purchase.refused")?;
        assert_eq!(
            (text(&refused, "reason"), text(&refused, "account_id")),
            ("wrong_code", "102"),
            "{refused}"
        );
        Some(())
    });
    firehose.tweet(BEN, text(&own, "code"));
    world.await_event("order.placed", BEN, "kettle", SOON);
    service.stop();
    let orders = world.orders();
    assert!(orders.iter().all(|order| text(order, "account_id") == "102"), "{orders:?}");
    // Card tokens are in `orders`, and nowhere that replies are made of.
    for record in [world.stored("purchases"), world.stored("dead_letters")].concat() {
        let value = String::from_utf8(record.value.clone().unwrap_or_default()).unwrap();
        assert!(!value.contains("tok-") && !value.contains("door-"), "{value}");
    }
}

/// The secret is thought to be known: the file gets another, and the process is started anew.
fn a_new_secret_lets_old_codes_work(broker: &Broker) {
    let mut world = World::new(&broker.bootstrap);
    open(&mut world);
    let service = world.run("a");
    let asked = world.firehose().tweet(ANNA, "#GetKettle");
    let requested = world.await_event("purchase.requested", ANNA, "kettle", SOON);
    service.stop();
    world.folder.write("secret", "another one, which nobody knows");
    let service = world.run("a");
    let issued = text(&requested, "code").to_owned();
    assert_eq!(issued, code(SECRET, ANNA, "kettle", asked));
    world.firehose().tweet(ANNA, &issued);
    world.await_event("order.placed", ANNA, "kettle", SOON);
    let asked = world.firehose().tweet(BEN, "#GetKettle");
    let requested = world.await_event("purchase.requested", BEN, "kettle", SOON);
    assert_ne!(text(&requested, "code"), code(SECRET, BEN, "kettle", asked));
    service.stop();
}

/// Accounts that nobody has linked tweet an offer's hashtag, a hundred times as many as are answered.
fn a_flood_of_strangers_is_answered_in_drops(broker: &Broker) {
    const STRANGERS: u64 = 2_000;
    let mut world = World::new(&broker.bootstrap);
    open(&mut world);
    let mut service = world.run("a");
    service.await_ready();
    let began = Instant::now();
    let firehose = world.firehose();
    for stranger in 0..STRANGERS {
        firehose.tweet(50_000 + stranger, "#GetKettle");
    }
    buy(&mut world, ANNA);
    world.wait_for("all of them were seen", SOON, |_| {
        (service.metric("hashbuy_nothing_total{reason=\"tag_of_stranger\"}") as u64 >= STRANGERS)
            .then_some(())
    });
    let seconds = began.elapsed().as_secs() as usize + 2;
    std::thread::sleep(Duration::from_secs(1));
    let answered = census(&world.purchases()).get("purchase.refused not_linked").copied().unwrap_or(0);
    assert!((1..=10 * seconds).contains(&answered), "{answered} answers in {seconds} s");
    service.stop();
}
