//! `hashbuy load` as a user starts it.

use std::fs;

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use serde_json::Value;

use crate::world::{SOON, World};

/// A topic is filled, and counted.
pub fn fill_and_baseline(world: &mut World) {
    world.hashbuy(&["topics", "create", "--tweets-partitions", "3", "--inbox-partitions", "4"]);
    let empty = world.command(&["load", "baseline"]);
    assert_eq!(empty.code, Some(1));
    assert!(empty.stderr.contains("is empty; fill it with `hashbuy load fill`"), "{}", empty.stderr);

    let filled = world.command(&["load", "fill", "--records", "20000", "--one-in", "1000", "--offers", "7"]);
    assert_eq!(filled.code, Some(0), "{}", filled.stderr);
    assert!(filled.stderr.contains(": 20000 records, 1"), "{}", filled.stderr);

    let said = world.command(&["load", "baseline", "--json"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    let pass: Value = serde_json::from_slice(&said.stdout).unwrap();
    // The pass begins with the first sample: what came before it is not counted as read, its bytes are.
    assert!(pass["tweets"].as_u64().unwrap() <= 20_000, "{pass}");
    assert!((2_000..3_500).contains(&(pass["bytes"].as_u64().unwrap() / 20_000)), "{pass}");
    assert!(
        pass["cpu_seconds"].as_f64().unwrap() >= 0.0
            && pass["peak_memory_bytes"].as_u64().unwrap() > 1_000_000
    );

    // The service finds what asks for offers, and refuses nobody.
    let _service = world.run("a");
    world.follow_anew();
    world.await_count("purchase.requested", 15, SOON);
}

/// Shoppers at a constant rate, all of whom are answered.
pub fn drive(world: &mut World) {
    world.hashbuy(&["topics", "create", "--tweets-partitions", "3", "--inbox-partitions", "4"]);
    let _service = world.run("a");
    let drive = ["load", "drive", "--rate", "500", "--for", "6s", "--warm-up", "1s", "--arrivals", "10"];
    let driven = world.command(&drive);
    assert_eq!(driven.code, Some(0), "{}", driven.stderr);
    let said = String::from_utf8(driven.stdout).unwrap();
    let requested = said.lines().find(|line| line.starts_with("offer tweet to purchase.requested")).unwrap();
    let figures: Vec<f64> = requested.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    assert_eq!(figures.len(), 6, "{said}");
    assert!(figures[0] >= 20.0, "some sixty shoppers ask in six seconds: {said}");
    assert!(figures[1..].is_sorted() && figures[5] < 30_000.0, "{said}");
    // One in ten loads a coupon.
    world.follow_anew();
    world.await_count("coupon.loaded", 2, SOON);
}

/// Everything in turn, as short as it goes.
pub fn all_of_it_and_a_report(world: &mut World) {
    let out = world.folder.path("report");
    let small = ["--records", "20000", "--rounds", "2", "--partitions", "2", "--axes", "one-in"];
    let short = ["--rates", "300", "--for", "3s", "--scale", "0.001", "--out", out.to_str().unwrap()];
    let run = world.command(&[&["load", "run"][..], &small, &short].concat());
    assert_eq!(run.code, Some(0), "{}", run.stderr);

    let report: Value = serde_json::from_slice(&fs::read(out.join("report.json")).unwrap()).unwrap();
    let shapes: Vec<String> = report["throughput"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            format!(
                "{} {} {} {}",
                entry["axis"],
                entry["shape"]["offers"],
                entry["shape"]["compression"],
                entry["shape"]["one_in"]
            )
        })
        .collect();
    let expected = [r#""main" 1000 "none" 100000"#, r#""one_in" 1000 "none" 1000"#];
    assert_eq!(shapes, expected);
    for round in
        report["throughput"].as_array().unwrap().iter().flat_map(|entry| entry["rounds"].as_array().unwrap())
    {
        for pass in ["baseline", "scan"] {
            assert!(round[pass]["tweets"].as_u64().unwrap() <= 20_000, "{round}");
        }
    }
    assert_eq!(report["books"]["doubles"], 0);
    assert_eq!(report["books"]["faults"].as_array().unwrap(), &[] as &[Value]);
    assert!(report["books"]["events"]["purchase.requested"].as_u64().unwrap() > 0);
    assert_eq!(report["latency"][0]["unanswered"], 0);
    assert!(report["restart"]["ready_after"].as_f64().unwrap() > 0.0);

    for pass in report["desk"].as_array().unwrap() {
        assert!(pass["sightings"].as_u64().unwrap() <= 1_000, "{pass}");
    }
    for part in ["prefilter.hot.to_memchr", "linked.bytes", "pendings.held", "due.pendings", "replay.to_ids"]
    {
        assert!(report["parts"][part].is_number(), "{part}: {}", report["parts"]);
    }

    // One page that needs nothing from elsewhere.
    let page = fs::read_to_string(out.join("report.html")).unwrap();
    assert!(page.starts_with("<!doctype html>") && page.contains("<svg"));
    for outside in ["src=\"http", "href=\"http", "<script", "@import", "url("] {
        assert!(!page.contains(outside), "{outside}");
    }
    // What it has made on the brokers is gone.
    let client: BaseConsumer =
        ClientConfig::new().set("bootstrap.servers", &world.bootstrap).create().unwrap();
    let metadata = client.fetch_metadata(None, SOON).unwrap();
    let left: Vec<&str> =
        metadata.topics().iter().map(|topic| topic.name()).filter(|name| name.starts_with("load-")).collect();
    assert_eq!(left, [""; 0]);
}
