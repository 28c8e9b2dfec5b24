//! Small cases that were worked out by hand.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod counted;
mod from_reports;

use super::*;

/// Figures that are easily reckoned with.
fn simple() -> Basis {
    let mut basis = Basis::default();
    for (figure, value) in [
        (&mut basis.tweet_fixed_us, 1.0),
        (&mut basis.tweet_kb_us, 0.5),
        (&mut basis.lz4_factor, 1.5),
        (&mut basis.zstd_factor, 2.0),
        (&mut basis.match_us, 100.0),
        (&mut basis.lz4_ratio, 0.25),
        (&mut basis.zstd_ratio, 0.2),
        (&mut basis.scan_worker_bytes, 50e6),
        (&mut basis.linked_id_bytes, 16.0),
        (&mut basis.offer_bytes, 1_000.0),
        (&mut basis.confirmed_share, 0.5),
        (&mut basis.desk_record_us, 100.0),
        (&mut basis.desk_worker_bytes, 20e6),
        (&mut basis.account_bytes, 200.0),
        (&mut basis.pending_bytes, 100.0),
        (&mut basis.sighting_bytes, 500.0),
        (&mut basis.mark_bytes, 1_000.0),
        (&mut basis.message_bytes, 100.0),
        (&mut basis.changelog_offer_bytes, 200.0),
        (&mut basis.changelog_account_bytes, 2_000.0),
        (&mut basis.changelog_partition_bytes, 1_000.0),
        (&mut basis.event_bytes, 800.0),
        (&mut basis.order_bytes, 600.0),
        (&mut basis.broker_core_mb, 200.0),
        (&mut basis.broker_speed_share, 0.5),
        (&mut basis.broker_disk_share, 0.8),
    ] {
        figure.value = value;
    }
    basis
}

fn million() -> Size {
    Size { rate: 1e6, tweet_bytes: 2_000.0, one_in: 1_000, ..Size::default() }
}

fn assert_near(what: &str, value: f64, expected: f64) {
    assert!((value - expected).abs() <= 1e-6 * expected.abs().max(1e-6), "{what}: {value} for {expected}");
}

fn assert_values(plan: &Plan, expected: &[(&str, f64)]) {
    for (id, expected) in expected {
        assert_near(id, plan.value(id).unwrap(), *expected);
    }
}

#[test]
fn a_million_tweets_a_second() {
    let plan = plan(&million(), &simple());
    let expected = [
        // 1.0 + 0.5 x 2 + 100 / 1,000 = 2.1 µs.
        ("scan_busy_cores", 2.1),
        // 2.1 / 0.6 = 3.5.
        ("scan_workers", 4.0),
        ("firehose_partitions", 8.0),
        // 4 x (50 + 16 + 1 MB).
        ("scan_memory_bytes", 268e6),
        ("scan_bytes_in", 2e9),
        // 1,000 requests and 500 confirmations.
        ("sightings", 1_500.0),
        // (1,500 + 500 messages + 8 marks) x 100 µs = 0.2.
        ("desk_workers", 1.0),
        ("inbox_partitions", 8.0),
        // 20 MB + 1,000,000 x 200 + 930,000 x 100.
        ("desk_memory_bytes", 313e6),
        // 1,500 x 500 + 8 x 1,000; and 500 x 100.
        ("scan_bytes_out", 758e3),
        ("inbox_bytes", 808e3),
        // 2,000 x 2,000 + 500 x 200 + 80 x 1,000.
        ("changelog_bytes", 4.18e6),
        // 2,000 x 800 + 500 x 600.
        ("purchases_bytes", 1.9e6),
        // 5 workers of 8 cores, but two at least.
        ("processes", 2.0),
        ("process_scan_workers", 2.0),
        ("process_desk_workers", 1.0),
        // 2 x 67 MB + 20 MB + 293 MB, all of which it holds when the other one is away.
        ("process_memory_bytes", 447e6),
        // 3 x 2,006.888 MB = 6,020.664 MB; of 625 MB each.
        ("brokers_by_network", 10.0),
        // Of 500 MB each.
        ("brokers_by_writes", 13.0),
        // 2 GB x 86,400 x 3 = 518.4 TB; of 6.4 TB each.
        ("brokers_by_disk", 81.0),
        ("brokers", 81.0),
        // 2 x 6,020.664 / 200.
        ("broker_busy_cores", 60.206_64),
    ];
    assert_values(&plan, &expected);
    assert_eq!(plan.needs.len(), expected.len(), "each line has its sum here");
}

#[test]
fn what_is_full_first() {
    let plan = plan(&million(), &simple());
    let expected = [
        // 81 x 8 TB / 518.4 TB.
        ("broker_disk", 1.25e6),
        // 4 / 2.1 µs.
        ("scan_workers", 4e6 / 2.1),
        ("firehose_partitions", 8e6 / 2.1),
        // (10,000 - 8) x 500 tweets a record.
        ("desk_workers", 4.996e6),
        // 81 x 1,000 MB / 6,020.664 MB, times a million.
        ("broker_writes", 81.0 * 1e9 / 6_020.664e6 * 1e6),
        ("broker_network", 81.0 * 1.25e9 / 6_020.664e6 * 1e6),
        ("inbox_partitions", 39.996e6),
    ];
    let ids: Vec<&str> = plan.limits.iter().map(|limit| limit.id).collect();
    assert_eq!(ids, expected.map(|(id, _)| id));
    for (limit, (id, rate)) in plan.limits.iter().zip(expected) {
        assert_near(id, limit.rate, rate);
        assert_near(id, limit.times, rate / 1e6);
    }
}

#[test]
fn the_least_is_enough_for_a_few_tweets() {
    let size = Size { rate: 1.0, accounts: 0, offers: 0, retention_hours: 0.0, ..Size::default() };
    let plan = plan(&size, &simple());
    let least = [
        ("scan_workers", 1.0),
        ("firehose_partitions", 4.0),
        ("scan_memory_bytes", 50e6),
        ("desk_workers", 1.0),
        ("inbox_partitions", 8.0),
        ("desk_memory_bytes", 20e6),
        ("processes", 2.0),
        ("brokers_by_disk", 0.0),
        ("brokers", 3.0),
    ];
    assert_values(&plan, &least);
    assert!(plan.limits.iter().all(|limit| limit.id != "broker_disk" && limit.rate.is_finite()));
}

#[test]
fn compressed_tweets_cost_the_scan_more_and_the_brokers_less() {
    let of = |compression| plan(&Size { compression, ..million() }, &simple());
    // (1.0 + 0.5 x 2) x 1.5 + 0.1, and a quarter of the bytes.
    assert_values(&of(Compression::Lz4), &[("scan_busy_cores", 3.1), ("scan_bytes_in", 5e8)]);
    assert_values(&of(Compression::Lz4), &[("scan_workers", 6.0), ("brokers_by_disk", 21.0)]);
    assert_values(&of(Compression::Zstd), &[("scan_busy_cores", 4.1), ("scan_bytes_in", 4e8)]);
}

#[test]
fn more_tweets_never_need_less() {
    let (basis, mut before) = (Basis::default(), Vec::new());
    for step in 0..120 {
        let size = Size { rate: 100.0 * 1.15_f64.powi(step), ..Size::default() };
        let plan = plan(&size, &basis);
        let values: Vec<f64> = plan.needs.iter().map(|need| need.value).collect();
        for ((need, before), value) in plan.needs.iter().zip(&before).zip(&values) {
            // Of more processes each has less.
            assert!(value >= before || need.id.starts_with("process_"), "{}: {before}, {value}", need.id);
        }
        for limit in &plan.limits {
            assert!(
                limit.times >= 1.0,
                "{} is full before the rate that was planned: {}",
                limit.id,
                limit.times
            );
        }
        assert!(plan.limits.is_sorted_by(|a, b| a.rate <= b.rate));
        before = values;
    }
}

#[test]
fn a_core_used_to_less_is_more_cores() {
    let of = |core_share| plan(&Size { core_share, ..million() }, &simple());
    for (core_share, workers) in [(1.0, 3.0), (0.7, 3.0), (0.6, 4.0), (0.3, 7.0), (0.1, 21.0)] {
        assert_values(&of(core_share), &[("scan_workers", workers)]);
    }
}

#[test]
fn a_desk_beyond_one_core_has_more_partitions() {
    // 20,000 records/s x 100 µs = 2 cores; / 0.6 = 3.3.
    let plan = plan(&Size { one_in: 100, ..million() }, &simple());
    assert_values(&plan, &[("desk_workers", 4.0), ("inbox_partitions", 16.0)]);
}

#[test]
fn pendings_end_at_what_the_accounts_may_have() {
    let plan = plan(&Size { accounts: 1_000, ..million() }, &simple());
    // 20 MB + 1,000 x 200 + 5,000 x 100.
    assert_values(&plan, &[("desk_memory_bytes", 20.7e6)]);
}

#[test]
fn every_figure_has_a_value_and_a_source() {
    let basis = Basis::default();
    for (name, figure) in basis.all() {
        assert!(
            figure.value > 0.0 && figure.value.is_finite() && !figure.source.is_empty(),
            "{name}: {figure:?}"
        );
        assert!(!(name.ends_with("_share") || name.ends_with("_ratio")) || figure.value <= 1.0, "{name}");
    }
    let json = serde_json::to_string(&basis).unwrap();
    assert_eq!(serde_json::from_str::<Basis>(&json).unwrap(), basis);
}

#[test]
fn lines_in_json_have_their_names() {
    let json = serde_json::to_value(plan(&million(), &simple())).unwrap();
    assert_eq!(json["needs"]["scan_workers"]["value"], 4.0);
    assert_eq!(json["needs"]["scan_bytes_in"]["unit"], "bytes/s");
    assert_eq!(json["limits"][0]["id"], "broker_disk");
}

#[test]
fn values_in_words() {
    for (unit, value, words) in [
        (Unit::Count, 12.0, "12"),
        (Unit::Cores, 0.2441, "0.244"),
        (Unit::Bytes, 600.0, "600 bytes"),
        (Unit::Bytes, 0.0, "0.0 bytes"),
        (Unit::Bytes, 60e6, "60 MB"),
        (Unit::Count, 1_000.0, "1,000"),
        (Unit::PerSecond, 100.0, "100/s"),
        (Unit::Bytes, 15.6e6, "15.6 MB"),
        (Unit::BytesPerSecond, 415_277_100.0, "415 MB/s"),
        (Unit::PerSecond, 1.43199, "1.43/s"),
        (Unit::PerSecond, 143_199.0, "143,199/s"),
    ] {
        assert_eq!(unit.words(value), words);
    }
}
