//! The model against the desk: what they decide alike, and that everything was met.

use std::collections::BTreeMap;

use crate::run::run;

/// What a good run has to meet, by the names in which it is counted.
const MET: [&str; 64] = [
    "already_done",
    "beside_its_code",
    "cap_exceeded",
    "cap_exceeded of a purchase",
    "code_of_stranger",
    "deleted",
    "deleted of a purchase",
    "deletion",
    "duplicate",
    "edited",
    "frozen",
    "frozen of a purchase",
    "lapsed of a purchase",
    "late_in_time",
    "limit_reached",
    "limit_reached of a purchase",
    "locked",
    "locked of a purchase",
    "no_purchase",
    "not_linked",
    "not_open",
    "on_hold",
    "order.placed",
    "protected",
    "protected of a purchase",
    "purchase.confirmed",
    "purchase.lapsed",
    "purchase.reminded",
    "purchase.requested",
    "reminded_recently",
    "replayed",
    "sold_out",
    "sold_out of a purchase",
    "stale_record",
    "stale_stranger",
    "too_many",
    "too_old",
    "unlinked of a purchase",
    "withdrawn of a purchase",
    "wrong_code",
    "message answer",
    "message sold",
    "message sold_out",
    "message submitted",
    "deletion_dropped",
    "coupon.loaded",
    "coupon.redeemed",
    "coupon.redeemed by load",
    "coupon.redeemed by payment",
    "coupon.reversed",
    "coupon.reversed by load",
    "coupon.reversed by payment",
    "coupon.reversed by refund",
    "coupon.expired",
    "order.credited",
    "order.credit_reversed",
    "payment_without_coupon",
    "refund_without_effect",
    "several coupon.redeemed",
    "several coupon.reversed",
    "transaction_again",
    "message load",
    "message not_loaded",
    "message standing",
];

/// `MODEL_SEED=100 MODEL_SEEDS=1000 cargo test --test model alike` runs other seeds and more of them.
#[test]
fn the_model_and_the_desk_decide_alike() {
    let (from, seeds) = seeds();
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    for seed in from..from + seeds {
        let run = run(seed, 600).unwrap_or_else(|e| panic!("{e}"));
        for (name, n) in run.seen {
            *seen.entry(name).or_default() += n;
        }
    }
    println!("{seen:#?}");
    if seeds >= SEEDS {
        let missed: Vec<&str> = MET.into_iter().filter(|name| !seen.contains_key(*name)).collect();
        assert!(missed.is_empty(), "never met: {missed:?}");
    }
}

const SEEDS: u64 = 60;

fn seeds() -> (u64, u64) {
    let number = |name: &str| std::env::var(name).ok().and_then(|n| n.parse::<u64>().ok());
    (number("MODEL_SEED").unwrap_or(0), number("MODEL_SEEDS").unwrap_or(SEEDS))
}
