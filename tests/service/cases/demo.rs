//! `hashbuy demo --brokers`: the demo on a real Kafka, at real speed.

use std::collections::BTreeMap;

use hashbuy::log::Log;

use crate::common::program::{arguments, run};
use crate::world::World;

/// Every purchase ends once or is pending, every coupon is redeemed or still loaded; the topics are left, under a name of their own.
pub fn demo(world: &mut World) {
    let args = ["demo", "--brokers", &world.bootstrap, "--for", "25s", "--rate", "300"];
    let demo = run(&arguments(args), &world.folder.path(""), b"");
    let stdout = String::from_utf8(demo.stdout).unwrap();
    assert_eq!(demo.code, Some(0), "{stdout}\n{}", demo.stderr);
    let coupons = sum(&stdout, "coupons     ");
    assert_eq!(
        coupons["loaded"],
        coupons["redeemed"] + coupons["expired"] + coupons["still_loaded"],
        "{stdout}"
    );
    assert!(coupons["redeemed"] > 0 && coupons["still_loaded"] > 0, "{stdout}");
    let sum = sum(&stdout, "purchases   ");
    let ended = sum["confirmed"] + sum["lapsed"] + sum["cancelled"];
    assert_eq!(sum["requested"], ended + sum["pending"], "{stdout}");
    assert!(sum["confirmed"] > 0 && sum["pending"] > 0, "{stdout}");
    assert!(stdout.contains("nobody was billed twice"), "{stdout}");
    assert!(stdout.contains("nobody was credited twice"), "{stdout}");

    let topics =
        stdout.lines().find_map(|line| line.strip_prefix("topics      ")).expect("the topics are named");
    let app = topics.split("-* are left on").next().unwrap();
    let mut lookup = world.log.lookup().unwrap();
    for name in ["tweets", "card-transactions", "inbox", "purchases", "desk-changelog"] {
        let partitions = lookup.partitions(&format!("{app}-{name}")).unwrap();
        assert_eq!(partitions, Some(if name == "tweets" { 2 } else { 4 }), "{topics}");
    }
}

/// The numbers of `requested 412 = confirmed 280 + lapsed 71 + cancelled 33 + pending 28`, and of the line of coupons.
fn sum(stdout: &str, begin: &str) -> BTreeMap<String, u64> {
    let line = stdout.lines().find_map(|line| line.strip_prefix(begin)).expect("a line of the summary");
    let line = line.replace("still loaded", "still_loaded");
    let words: Vec<&str> = line.split([' ', '=', '+', ';']).filter(|word| !word.is_empty()).collect();
    words.chunks(2).map(|pair| (pair[0].to_owned(), pair[1].replace(',', "").parse().unwrap())).collect()
}
