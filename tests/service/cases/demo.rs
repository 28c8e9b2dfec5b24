//! `hashbuy demo --brokers`: the demo on a real Kafka, at real speed.

use std::collections::BTreeMap;

use hashbuy::log::Log;

use crate::common::program::{arguments, run};
use crate::world::World;

/// Every purchase ends once or is pending; the topics are left, under a name of their own.
pub fn demo(world: &mut World) {
    let args = ["demo", "--brokers", &world.bootstrap, "--for", "25s", "--rate", "300"];
    let demo = run(&arguments(args), &world.folder.path(""), b"");
    let stdout = String::from_utf8(demo.stdout).unwrap();
    assert_eq!(demo.code, Some(0), "{stdout}\n{}", demo.stderr);
    let sum = sum(&stdout);
    let ended = sum["confirmed"] + sum["lapsed"] + sum["cancelled"];
    assert_eq!(sum["requested"], ended + sum["pending"], "{stdout}");
    assert!(sum["confirmed"] > 0 && sum["pending"] > 0, "{stdout}");
    assert!(stdout.contains("nobody was billed twice"), "{stdout}");

    let topics =
        stdout.lines().find_map(|line| line.strip_prefix("topics      ")).expect("the topics are named");
    let app = topics.split("-* are left on").next().unwrap();
    let mut lookup = world.log.lookup().unwrap();
    for name in ["tweets", "inbox", "purchases", "desk-changelog"] {
        let partitions = lookup.partitions(&format!("{app}-{name}")).unwrap();
        assert_eq!(partitions, Some(if name == "tweets" { 2 } else { 4 }), "{topics}");
    }
}

/// The numbers of `requested 412 = confirmed 280 + lapsed 71 + cancelled 33 + pending 28`.
fn sum(stdout: &str) -> BTreeMap<&str, u64> {
    let line =
        stdout.lines().find_map(|line| line.strip_prefix("purchases   ")).expect("a line of purchases");
    let words: Vec<&str> = line.split([' ', '=', '+']).filter(|word| !word.is_empty()).collect();
    words.chunks(2).map(|pair| (pair[0], pair[1].replace(',', "").parse().unwrap())).collect()
}
