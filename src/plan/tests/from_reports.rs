//! A report puts its figures in the place of the defaults.

use super::*;
use crate::load::report::{Pass, Report, Round, Shape, Throughput};

/// An entry whose rounds took so many microseconds a tweet.
fn entry(axis: &str, (bytes, one_in, compression): (f64, u64, &str), us: &[f64]) -> Throughput {
    let round = |us: &f64| {
        let pass = |us: f64| Pass {
            tweets: 1_000_000,
            cpu_seconds: us,
            peak_memory_bytes: 70_000_000,
            ..Pass::default()
        };
        Round { baseline: pass(0.5 * us), scan: pass(*us), scan_first: false }
    };
    let shape = Shape {
        partitions: 16,
        compression: compression.to_owned(),
        offers: 1_000,
        one_in,
        instances: 1,
        tweets: 1_000_000,
        tweet_bytes: bytes,
    };
    Throughput { axis: axis.to_owned(), shape, rounds: us.iter().map(round).collect() }
}

fn main(us: f64) -> Throughput {
    // The middle one counts.
    entry("main", (2_000.0, 1_000, "none"), &[us, 9.0, 0.1])
}

fn basis(throughput: Vec<Throughput>) -> Basis {
    let mut basis = simple();
    let report = Report { throughput, ..Report::default() };
    assert!(report.put_into(&mut basis));
    basis
}

fn changed(basis: &Basis) -> Vec<&'static str> {
    let all = basis.all();
    all.iter().filter(|(_, figure)| figure.origin == Origin::Report).map(|(name, _)| *name).collect()
}

#[test]
fn all_axes() {
    let basis = basis(vec![
        main(3.0),
        entry("one_in", (2_000.0, 100, "none"), &[3.9]),
        entry("tweet_bytes", (4_000.0, 1_000, "none"), &[4.0]),
        entry("tweet_bytes", (12_000.0, 1_000, "none"), &[8.0]),
        entry("compression", (2_000.0, 1_000, "lz4"), &[4.5]),
        entry("compression", (2_000.0, 1_000, "zstd"), &[6.0]),
        entry("partitions", (2_000.0, 1_000, "none"), &[7.0]),
    ]);
    // 0.9 µs for 0.009 more matches; 3.0 - 0.1 = 1.9 + 2 x 0.5.
    for (what, figure, expected) in [
        ("a match", &basis.match_us, 100.0),
        ("fixed", &basis.tweet_fixed_us, 1.9),
        ("a KB", &basis.tweet_kb_us, 0.5),
        ("lz4", &basis.lz4_factor, 1.5),
        ("zstd", &basis.zstd_factor, 2.0),
        ("memory", &basis.scan_worker_bytes, 70e6),
    ] {
        assert_near(what, figure.value, expected);
    }
    let names =
        ["tweet_fixed_us", "tweet_kb_us", "lz4_factor", "zstd_factor", "match_us", "scan_worker_bytes"];
    assert_eq!(changed(&basis), names);
    // What the main shape took is what a plan for the main shape has: 3 µs.
    assert_values(&plan(&million(), &basis), &[("scan_busy_cores", 3.0)]);
}

#[test]
fn a_main_shape_alone_is_split_as_before() {
    // 3.1 - 100 / 1,000 = 3 for the 2 of 1.0 + 0.5 x 2.
    let basis = basis(vec![main(3.1)]);
    assert_near("fixed", basis.tweet_fixed_us.value, 1.5);
    assert_near("a KB", basis.tweet_kb_us.value, 0.75);
    assert_eq!(changed(&basis), ["tweet_fixed_us", "tweet_kb_us", "scan_worker_bytes"]);
    assert_values(&plan(&million(), &basis), &[("scan_busy_cores", 3.1)]);
}

#[test]
fn points_that_are_no_line_upwards_are_not_taken_for_one() {
    let basis = basis(vec![main(3.1), entry("tweet_bytes", (4_000.0, 1_000, "none"), &[2.0])]);
    assert_near("a KB", basis.tweet_kb_us.value, 0.75);
}

#[test]
fn a_compressed_main_shape_is_taken_without_its_compression() {
    let basis = basis(vec![
        entry("main", (2_000.0, 1_000, "lz4"), &[6.1]),
        entry("compression", (2_000.0, 1_000, "none"), &[3.05]),
    ]);
    assert_near("lz4", basis.lz4_factor.value, 2.0);
    // (6.1 - 0.1) / 2 = 3.
    assert_near("fixed", basis.tweet_fixed_us.value, 1.5);
    let size = Size { compression: Compression::Lz4, ..million() };
    assert_values(&plan(&size, &basis), &[("scan_busy_cores", 6.1)]);
}

#[test]
fn what_was_not_measured_changes_nothing() {
    let mut basis = simple();
    let nothing = entry("main", (2_000.0, 1_000, "none"), &[]);
    for throughput in [vec![], vec![nothing]] {
        let report = Report { throughput, ..Report::default() };
        assert!(!report.put_into(&mut basis));
    }
    assert_eq!(basis, simple());
}

#[test]
fn parts_and_desk_of_a_report_that_has_them() {
    let json = r#"{"began_at":"","seconds":1,"machine":{},"settings":{},"throughput":[],"latency":[],
        "parts":{"linked.ids":1000,"linked.bytes":17000,"due.account.bytes":120,"due.pending_with_its_history.bytes":90},
        "desk":[{"sightings":1000,"wall_seconds":1,"cpu_seconds":0.03,"commits":9},
                {"sightings":1000,"wall_seconds":1,"cpu_seconds":0.02,"commits":9},
                {"sightings":1000,"wall_seconds":1,"cpu_seconds":0.09,"commits":9}]}"#;
    let mut basis = simple();
    assert!(serde_json::from_str::<Report>(json).unwrap().put_into(&mut basis));
    assert_near("linked", basis.linked_id_bytes.value, 17.0);
    assert_near("pendings", basis.pending_bytes.value, 90.0);
    assert_near("accounts", basis.account_bytes.value, 120.0);
    assert_near("desk", basis.desk_record_us.value, 30.0);
    assert_eq!(changed(&basis), ["linked_id_bytes", "desk_record_us", "account_bytes", "pending_bytes"]);
}
