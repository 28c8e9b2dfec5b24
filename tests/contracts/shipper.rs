//! `deploy/examples/shipper`.

use std::collections::BTreeSet;
use std::fs;

use crate::client::Client;
use crate::market::{COPIES, Market, PURCHASES};

/// Every purchase is shipped, none twice, and none of an aborted transaction.
pub fn each_order_is_shipped_once(market: &Market) {
    let client = Client::of("shipper");
    let parcels = client.fresh("parcels.tsv");
    let run = |group: &str| {
        let replaced = [(" orders ", &*format!(" {} ", market.orders)), (" shipper ", &format!(" {group} "))];
        client.command(&market.bootstrap, &replaced, &["--once"])
    };
    assert_eq!(client.run(&run("ship-once")), format!("shipped {PURCHASES}, refused {COPIES} known"));
    let known = PURCHASES + COPIES;
    assert_eq!(client.run(&run("ship-again")), format!("shipped 0, refused {known} known"));
    let parcels = fs::read_to_string(parcels).unwrap();
    let purchases: BTreeSet<&str> = parcels.lines().map(|line| line.split('\t').next().unwrap()).collect();
    assert_eq!((parcels.lines().count(), purchases.len()), (PURCHASES, PURCHASES));
    let lines = parcels.lines().all(|line| {
        let fields: Vec<&str> = line.split('\t').collect();
        fields[1].starts_with("door-6") && ["Product kettle", "Product lamp"].contains(&fields[2])
    });
    assert!(lines, "{parcels}");
}
