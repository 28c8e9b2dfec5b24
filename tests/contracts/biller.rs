//! `deploy/examples/biller`.

use std::thread;
use std::time::Duration;

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
    for book in ["once.db", "killed.db"] {
        client.fresh(book);
    }
    let said = client.run(&run("biller-once", "once.db", "--once"));
    assert_eq!(said, format!("billed {bills}, refused {COPIES} known; {sums}"));
    let said = client.run(&run("biller-again", "once.db", "--once"));
    assert_eq!(said, format!("billed 0, refused {} known; {sums}", bills + COPIES));

    let mut rng = Rng::new(11);
    for _ in 0..5 {
        let mut biller = client.start(&run("biller-killed", "killed.db", ""));
        thread::sleep(Duration::from_millis(rng.range(400, 1_500).unsigned_abs()));
        biller.kill().unwrap();
        biller.wait().unwrap();
    }
    let said = client.run(&run("biller-last", "killed.db", "--once"));
    assert!(said.ends_with(&sums), "{said}");
}
