//! What other programs rely on: the schemas as they were first published, the AsyncAPI document, and the example
//! clients of `deploy/examples`, which are run as their READMEs say, on a real Kafka.
//!
//! `cargo test --test contracts biller` runs the cases whose names contain `biller`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]
#![allow(dead_code, reason = "what is shared with the service's tests has more than is needed here")]

mod asyncapi;
mod biller;
#[path = "../common/broker.rs"]
mod broker;
mod client;
#[path = "../common/mod.rs"]
mod common;
mod compatibility;
#[path = "../service/firehose.rs"]
mod firehose;
mod market;
#[path = "../service/process.rs"]
mod process;
mod reply_bot;
mod shipper;
mod tools;
#[path = "../service/topics.rs"]
mod topics;
#[path = "../common/trials.rs"]
mod trials;
#[path = "../service/world.rs"]
mod world;
mod written;

use std::sync::{Arc, OnceLock};

use libtest_mimic::{Arguments, Trial};

use self::broker::Broker;
use self::common::built;
use self::market::Market;
use self::tools::Tools;
use self::trials::unless;

/// A case that reads what was bought and sold.
type Client = fn(&Market);

/// With what each of them is run.
const CLIENTS: [(&str, Client, Tools); 3] = [
    ("biller", biller::each_order_is_billed_once, tools::PYTHON),
    ("shipper", shipper::each_order_is_shipped_once, tools::JAVA),
    ("reply_bot", reply_bot::each_reply_is_posted_once, tools::PYTHON),
];

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = compatibility::trials();
    for (name, case) in asyncapi::CASES {
        let trial = Trial::test(*name, move || {
            case();
            Ok(())
        });
        trials.push(unless(tools::NODE.missing(), trial));
    }
    // Made by the first case that needs it; the broker is stopped when this goes.
    let market: Arc<OnceLock<Result<Market, String>>> = Arc::default();
    let required = std::env::var(broker::REQUIRE).is_ok_and(|value| value == "1");
    for (name, case, tools) in CLIENTS {
        let market = Arc::clone(&market);
        let trial = Trial::test(name, move || {
            case(market.get_or_init(|| Broker::up("contracts").map(Market::hold)).as_ref()?);
            Ok(())
        });
        trials.push(unless(Broker::missing().filter(|_| !required).or_else(|| tools.missing()), trial));
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    drop(market);
    conclusion.exit();
}
