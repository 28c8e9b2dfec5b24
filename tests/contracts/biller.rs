//! `deploy/examples/biller`.

use std::thread;
use std::time::{Duration, Instant};

use crate::client::Client;
use crate::common::rng::Rng;
use crate::market::{BILLED, COPIES, CREDITS, Market, PURCHASES};

/// Every order is billed, none twice, and none of an aborted transaction: read at once, by one that is killed again and
/// again, and from the beginning with a book in which all stands.
pub fn each_order_is_billed_once(market: &Market) {
    let client = Client::of("biller");
    let run = |group: &str, book: &str, more: &str| {
        let topic = format!("--topic {} --group {group} --book {book} {more}", market.orders);
        client.command(&market.bootstrap, &[], &[&topic])
    };
    let bills = PURCHASES + CREDITS;
    let sums = format!("{bills} bills of {BILLED} USD");
    client.fresh("once.db");
    let said = client.run(&run("biller-once", "once.db", "--once"));
    assert_eq!(said, format!("billed {bills}, refused {COPIES} known; {sums}"));
    let said = client.run(&run("biller-again", "once.db", "--once"));
    assert_eq!(said, format!("billed 0, refused {} known; {sums}", bills + COPIES));

    // It is killed when it has begun to write, and may have anything half done.
    let (mut rng, book) = (Rng::new(11), client.fresh("killed.db"));
    let written = || std::fs::metadata(&book).and_then(|book| book.modified()).ok();
    for _ in 0..5 {
        let (before, cap) = (written(), Instant::now() + Duration::from_secs(20));
        let mut biller = client.start(&run("biller-killed", "killed.db", ""));
        while written() == before && Instant::now() < cap {
            thread::sleep(Duration::from_millis(2));
        }
        thread::sleep(Duration::from_millis(rng.range(0, 60).unsigned_abs()));
        biller.kill().unwrap();
        biller.wait().unwrap();
    }
    let said = client.run(&run("biller-killed", "killed.db", "--once"));
    assert!(said.ends_with(&sums), "{said}");
    let said = client.run(&run("biller-last", "killed.db", "--once"));
    assert_eq!(said, format!("billed 0, refused {} known; {sums}", bills + COPIES));
}
