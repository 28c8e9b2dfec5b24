//! Records that cannot be used: each is set aside with its reason, and the next one is handled.

use hashbuy::log::{Log as _, NewRecord, Partition};
use hashbuy::worker::partitioner::partition_of;
use serde_json::{Value, json};

use crate::common::program::text;
use crate::common::tables::with;
use crate::common::wire::Tweet;
use crate::firehose::{Firehose, now};
use crate::topics::Stored;
use crate::world::{INBOX, SOON, TWEETS, World, account, offer};

/// The largest record that is looked at, in this case.
const MAX_RECORD: usize = 100_000;
/// As much of a dead letter is kept.
const KEPT: usize = 64 << 10;

const ANNA: u64 = 601;
const BEN: u64 = 602;
/// A number that passes the check of card numbers, in three spellings.
const CARD_NUMBERS: [&str; 3] = ["4111111111111111", "4111 1111 1111 1111", "4111-1111-1111-1111"];

/// Broken, deep, huge and wrongly typed tweets, all with an offer's tag.
pub fn poisoned_tweets(world: &mut World) {
    world.configure(&format!("[input]\nmax_record_bytes = {MAX_RECORD}\n"));
    world.set_up(&[offer("kettle", "#GetKettle")], &[account(ANNA)]);
    let mut service = world.run("a");
    let firehose = world.firehose();
    let poison = poison(&firehose);
    for (n, (_, bytes)) in poison.iter().enumerate() {
        firehose.raw(n as u32 % TWEETS, bytes);
    }
    // Behind all that in their partitions.
    firehose.raw(0, b"\r\n");
    firehose.tweet(ANNA, "#GetKettle");
    let requested = world.await_event("purchase.requested", ANNA, "kettle", SOON);
    firehose.tweet(ANNA, text(&requested, "code"));
    world.await_event("order.placed", ANNA, "kettle", SOON);
    let letters = world.wait_for("all dead letters", SOON, |world| {
        let letters = world.stored("dead_letters");
        (letters.len() >= poison.len()).then_some(letters)
    });
    assert_eq!(letters.len(), poison.len(), "{letters:?}");

    let tweets = world.everything();
    for (reason, bytes) in &poison {
        let kept = &bytes[..bytes.len().min(KEPT)];
        let letter = letters.iter().find(|letter| letter.value.as_deref() == Some(kept));
        let letter = letter.unwrap_or_else(|| panic!("no dead letter: {reason}"));
        assert_eq!(letter.header("reason"), *reason);
        assert_eq!(source(letter, &tweets).value.as_deref(), Some(&bytes[..]), "{reason}");
        let counted = format!("hashbuy_scan_dead_letters_total{{reason=\"{reason}\"}}");
        let count = poison.iter().filter(|(other, _)| other == reason).count();
        assert_eq!(service.metric(&counted), count as f64, "{counted}");
    }
    service.stop();
}

fn poison(firehose: &Firehose) -> Vec<(&'static str, Vec<u8>)> {
    let good = || Tweet::new(firehose.id(now()), ANNA, "u601", "#GetKettle").json();
    let bytes = |value: Value| value.to_string().into_bytes();
    let mut not_utf8 = bytes(good());
    let at = not_utf8.windows(9).position(|window| window == b"GetKettle").unwrap();
    not_utf8[at + 9..].iter_mut().take(1).for_each(|byte| *byte = 0xff);
    let mut cut = bytes(good());
    cut.truncate(cut.len() - 5);
    let deep = format!("{{\"text\":\"#GetKettle\",\"x\":{}{}}}", "[".repeat(20_000), "]".repeat(20_000));
    let huge = bytes(with(good(), json!({"filler": "x".repeat(MAX_RECORD)})));
    let ahead = Tweet::new(firehose.id(now() + 600_000), ANNA, "u601", "#GetKettle").record();
    vec![
        ("not_utf8", not_utf8),
        ("not_json", cut),
        ("not_json", b"#GetKettle".to_vec()),
        ("not_an_object", b"[\"#GetKettle\"]".to_vec()),
        ("too_deep", deep.into_bytes()),
        ("too_large", huge),
        ("bad_id", bytes(with(good(), json!({"id": "#GetKettle", "id_str": ["#GetKettle"]})))),
        ("no_author", bytes(with(good(), json!({"user": "#GetKettle"})))),
        ("no_text", bytes(with(good(), json!({"text": {"x": "#GetKettle"}})))),
        ("time_ahead", ahead),
    ]
}

/// Table records that somebody has published without the program's help.
pub fn poisoned_tables(world: &mut World) {
    world.set_up(&[offer("kettle", "#GetKettle")], &[account(ANNA), account(BEN)]);
    let mut service = world.run("a");
    let firehose = world.firehose();
    service.await_ready();
    let mut rejected = 0;
    let mut publish = |world: &World, table: &str, key: &str, value: &[u8]| {
        let number = if table == "offers" { 0 } else { partition_of(key.as_bytes(), INBOX) };
        let partition = Partition::new(world.topic(table), number);
        let (key, value) = (Some(key.as_bytes().to_vec()), Some(value.to_vec()));
        let mut producer = world.log.producer().unwrap();
        producer.send(NewRecord { partition, key, value, headers: Vec::new() }).unwrap();
        assert_eq!(producer.outstanding(SOON), Ok(0));
        rejected += 1;
    };
    for card_token in CARD_NUMBERS {
        let stolen = with(account(BEN), json!({"card_token": card_token})).to_string();
        publish(world, "accounts", &BEN.to_string(), stolen.as_bytes());
        // A card number where it does not belong, in a record that is wrong for another reason.
        let astray = with(account(BEN), json!({"card_token": "tok-602", "status": card_token})).to_string();
        publish(world, "accounts", &BEN.to_string(), astray.as_bytes());
        let broken = format!("{{\"account_id\":\"602\",\"card_token\":\"{card_token}");
        publish(world, "accounts", "602", broken.as_bytes());
    }
    publish(world, "accounts", "601", b"\xff\xfe");
    // Nothing but a byte inside a text is wrong.
    let inside = |json: String| json.replace("tok-", "tok-\u{1}").replace("Product ", "Product \u{1}");
    let no_text = |json: String| {
        inside(json).bytes().map(|byte| if byte == 1 { 0xFF } else { byte }).collect::<Vec<u8>>()
    };
    publish(world, "accounts", &BEN.to_string(), &no_text(account(BEN).to_string()));
    publish(world, "offers", "vase", &no_text(offer("vase", "#GetVase").to_string()));
    publish(world, "accounts", "603", account(ANNA).to_string().as_bytes());
    publish(world, "accounts", "601", with(account(ANNA), json!({"status": 5})).to_string().as_bytes());
    publish(world, "offers", "vase", b"[]");
    let nameless = with(offer("vase", "#GetVase"), json!({"price": "cheap"}));
    publish(world, "offers", "vase", nameless.to_string().as_bytes());

    let letters = world.wait_for("all dead letters", SOON, |world| {
        let letters = world.stored("dead_letters");
        (letters.len() >= rejected).then_some(letters)
    });
    assert_eq!(letters.len(), rejected, "{letters:?}");
    let all = world.everything();
    for letter in &letters {
        assert_eq!((letter.header("reason"), &letter.value), ("rejected", &None), "{letter:?}");
        assert!(!letter.header("detail").is_empty(), "{letter:?}");
        source(letter, &all);
    }
    // What was in force stays in force.
    for shopper in [ANNA, BEN] {
        firehose.tweet(shopper, "#GetKettle");
        let requested = world.await_event("purchase.requested", shopper, "kettle", SOON);
        firehose.tweet(shopper, text(&requested, "code"));
        let order = world.await_event("order.placed", shopper, "kettle", SOON);
        assert_eq!(text(&order, "card_token"), format!("tok-{shopper}"));
    }

    let metrics = service.get("/metrics").1;
    service.stop();
    let accounts = world.topic("accounts");
    for number in CARD_NUMBERS {
        assert!(!metrics.contains(number), "{number} in the metrics\n{metrics}");
        assert!(!world.said().contains(number), "{number} in a log\n{}", world.said());
        for record in world.everything().iter().filter(|record| record.topic != accounts) {
            let mut bytes = format!("{:?}", record.headers).into_bytes();
            bytes.extend(record.key.iter().chain(&record.value).flatten());
            let found = bytes.windows(number.len()).any(|window| window == number.as_bytes());
            assert!(!found, "{number} in {record:?}");
        }
    }
}

/// The record that a dead letter says it is from.
fn source<'r>(letter: &Stored, records: &'r [Stored]) -> &'r Stored {
    let topic = letter.header("source-topic");
    let place = (letter.header("source-partition").parse(), letter.header("source-offset").parse());
    let is_it =
        |record: &&Stored| record.topic == topic && (Ok(record.partition), Ok(record.offset)) == place;
    records.iter().find(is_it).unwrap_or_else(|| panic!("no such place: {letter:?}"))
}
