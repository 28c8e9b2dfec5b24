//! What is met, what is missed, and what was not measured.

use super::*;

/// A pass of one processor second, of which the figures are exact.
fn exact(tweets: u64) -> Pass {
    Pass { tweets, wall_seconds: 1.0, cpu_seconds: 1.0, ..Pass::default() }
}

/// An entry whose ratio is so many millionths.
fn entry(axis: &str, millionths: u64) -> Throughput {
    let round = Round { baseline: exact(1_000_000), scan: exact(millionths), scan_first: false };
    Throughput { axis: axis.to_owned(), shape: main_shape(), rounds: vec![round] }
}

fn throughput(entries: Vec<Throughput>) -> Report {
    Report { throughput: entries, ..Report::default() }
}

/// The goal that has the words.
fn goal(report: &Report, words: &str) -> Goal {
    let found: Vec<Goal> = report.goals().into_iter().filter(|goal| goal.what.contains(words)).collect();
    assert_eq!(found.len(), 1, "{words}: {:?}", report.goals());
    found.into_iter().next().unwrap()
}

fn unknown(report: &Report, words: &str) -> bool {
    goal(report, words).verdict == Verdict::NotMeasured
}

#[test]
fn what_was_not_measured_is_neither_met_nor_missed() {
    assert_eq!(Report::default().goals(), []);
    let empty = Round { baseline: Pass::default(), scan: Pass::default(), scan_first: false };
    let report = throughput(vec![Throughput { rounds: vec![empty], ..entry("main", 0) }]);
    let goals = report.goals();
    for part in
        ["1,000 offers, 1 match in", "scanned", "with 4 p", "with 64 p", "with zstd", "peak", "p99", "faults"]
    {
        assert!(goals.iter().any(|goal| goal.what.contains(part)), "{part}");
    }
    for goal in goals {
        assert_eq!((goal.verdict, goal.measured.as_str()), (Verdict::NotMeasured, "–"), "{}", goal.what);
    }
}

#[test]
fn the_ratio_of_the_main_shape() {
    for (millionths, met, stretch) in [
        (849_999, false, "0.849; 0.900 not reached"),
        (850_000, true, "0.850; 0.900 not reached"),
        (850_001, true, "0.850; 0.900 not reached"),
        (899_999, true, "0.899; 0.900 not reached"),
        (900_000, true, "0.900; 0.900 reached too"),
    ] {
        let goal = goal(&throughput(vec![entry("main", millionths)]), "1,000 offers, 1 match in 100,000");
        assert_eq!((goal.met(), goal.measured.as_str()), (met, stretch));
    }
    let mut other = entry("main", 900_000);
    other.shape.offers = 10;
    let report = throughput(vec![other]);
    let goal = goal(&report, "1,000 offers, 1 match in 100,000");
    assert_eq!(
        (goal.verdict, goal.measured.as_str()),
        (Verdict::NotMeasured, "0.900 with 10 offers, 1 match in 100,000")
    );
}

#[test]
fn tweets_in_a_second() {
    for (tweets, met) in [(143_198, false), (143_199, true), (143_200, true)] {
        assert_eq!(goal(&throughput(vec![entry("main", tweets)]), "tweets scanned").met(), met);
    }
}

#[test]
fn offers_make_no_difference() {
    let with = |offers, millionths| {
        let mut entry = entry("offers", millionths);
        entry.shape.offers = offers;
        entry
    };
    for (millionths, met) in
        [(799_999, false), (800_000, true), (880_000, true), (968_000, true), (968_001, false)]
    {
        let report = throughput(vec![entry("main", 880_000), with(10, millionths), with(100_000, 880_000)]);
        let goal = goal(&report, "with 10, 1,000, 100,000 offers");
        assert_eq!(goal.verdict, if met { Verdict::Met } else { Verdict::Missed }, "{millionths}: {goal:?}");
    }
    let some = throughput(vec![entry("main", 880_000), with(10, 880_000)]);
    assert!(
        unknown(&some, "10, 1,000, 100,000 offers")
            && goal(&some, "10, 1,000, 100,000 offers").measured.ends_with("with 10, 1,000 offers")
    );
    assert!(unknown(&throughput(vec![entry("main", 880_000)]), "10, 1,000, 100,000 offers"));
}

#[test]
fn frequent_tags() {
    for (millionths, met) in [(699_999, false), (700_000, true), (700_001, true)] {
        let (mut near, mut far) = (entry("one_in", millionths), entry("one_in", 1));
        (near.shape.one_in, far.shape.one_in) = (1_000, 10);
        let report = throughput(vec![entry("main", 880_000), far.clone(), near]);
        assert_eq!(goal(&report, "with 1 match in").met(), met);
        let report = throughput(vec![entry("main", 1), far]);
        assert!(unknown(&report, "with 1 match in 1,000"));
        assert_eq!(goal(&report, "with 1 match in 1,000").measured, "0.000 with 1 match in 10");
    }
}

#[test]
fn partitions_and_compression_make_it_no_worse() {
    for (axis, words) in [("partitions", "with 4 partitions"), ("compression", "with zstd")] {
        for (millionths, met) in [(719_999, false), (720_000, true), (880_001, true), (1_600_000, true)] {
            let mut other = entry(axis, millionths);
            (other.shape.partitions, other.shape.compression) = (4, "zstd".to_owned());
            let report = throughput(vec![entry("main", 800_000), other]);
            assert_eq!(goal(&report, words).met(), met, "{axis} {millionths}");
            assert!(unknown(&report, "with 64 partitions"));
            // That of the main one is not beside it.
            assert!(
                report
                    .goals()
                    .iter()
                    .all(|goal| !goal.what.contains("with 16") && !goal.what.contains("lz4"))
            );
        }
    }
}

#[test]
fn memory_is_bounded_and_flat() {
    for (bytes, met) in [(199_999_999, true), (200_000_000, true), (200_000_001, false)] {
        let (mut main, mut offers, mut crew) = (entry("main", 1), entry("offers", 1), entry("instances", 1));
        main.rounds[0].scan.peak_memory_bytes = 1;
        offers.rounds[0].scan.peak_memory_bytes = bytes;
        // Two processes may have twice as much.
        crew.shape.instances = 2;
        crew.rounds[0].scan.peak_memory_bytes = 2 * bytes;
        assert_eq!(goal(&throughput(vec![main, offers, crew]), "peak memory").met(), met);
    }
    for (last, met) in [(1_099_999, true), (1_100_000, true), (1_100_001, false)] {
        let mut main = entry("main", 1);
        let sample = |seconds: f64, memory_bytes| Sample { seconds, memory_bytes, ..Sample::default() };
        main.rounds[0].scan.samples = vec![
            sample(0.0, 5),
            sample(1.0, 1_000_000),
            sample(2.0, 7_000_000),
            sample(3.0, last),
            sample(4.0, last),
        ];
        let steady = Round { baseline: exact(1), ..main.rounds[0].clone() };
        main.rounds.push(Round { scan: exact(1), ..steady });
        assert_eq!(goal(&throughput(vec![main]), "last quarter").met(), met, "{last}");
    }
    let report = throughput(vec![entry("main", 1)]);
    assert!(unknown(&report, "peak memory") && unknown(&report, "last quarter"));
}

/// A run at a rate with two percentiles.
fn at_rate(rate: f64, p50: f64, p99: f64) -> Latency {
    let points = vec![(50.0, p50), (99.0, p99), (100.0, 10_000.0)];
    let percentiles = Percentiles { count: 990, points };
    let confirmed = percentiles.clone();
    Latency { requested: percentiles, confirmed, unanswered: 0, ..latency(rate, 1.0) }
}

#[test]
fn latencies() {
    for (p50, p99, met) in [
        (59.99, 249.99, [true, true]),
        (60.0, 250.0, [true, true]),
        (60.01, 250.0, [false, true]),
        (60.0, 250.01, [true, false]),
    ] {
        let latency = vec![at_rate(1_000.0, 1.0, 1.0), at_rate(50_000.0, p50, p99)];
        let report = Report { latency, ..Report::default() };
        for (percentile, met) in ["p50", "p99"].into_iter().zip(met) {
            let goal = goal(&report, &format!("requested, {percentile}, at 50,000 tweets/s"));
            assert_eq!(goal.met(), met, "{goal:?}");
        }
    }
}

#[test]
fn latencies_at_another_rate_say_so() {
    for (rate, reached, said) in [
        (1_000.0, 700.0, "1.0 ms; at 1,000 tweets/s"),
        (50_000.0, 49_499.0, "1.0 ms; only 49,499 tweets/s were sent"),
    ] {
        let slow = Latency { reached, ..at_rate(rate, 1.0, 1.0) };
        let report = Report { latency: vec![slow], ..Report::default() };
        let goal = goal(&report, "requested, p99");
        assert_eq!((goal.verdict, goal.measured.as_str()), (Verdict::NotMeasured, said));
    }
}

#[test]
fn tweets_without_an_event_count_as_slow() {
    for (unanswered, met) in [(9, true), (10, true), (11, false)] {
        let run = Latency { unanswered, ..at_rate(50_000.0, 1.0, 1.0) };
        let report = Report { latency: vec![run], ..Report::default() };
        assert_eq!(goal(&report, "requested, p99").met(), met, "{unanswered}");
        assert!(goal(&report, "requested, p50").met());
    }
    let none = Latency { requested: Percentiles::default(), unanswered: 5, ..at_rate(50_000.0, 1.0, 1.0) };
    let report = Report { latency: vec![none], ..Report::default() };
    assert_eq!(goal(&report, "requested, p50").verdict, Verdict::Missed);
}

#[test]
fn books() {
    for (doubles, faults) in [(0, 0), (1, 0), (0, 1)] {
        let books = Books { doubles, faults: vec!["x".to_owned(); faults], ..Books::default() };
        let report = Report { books: Some(books), ..Report::default() };
        assert_eq!(goal(&report, "double purchases").met(), doubles == 0);
        assert_eq!(goal(&report, "faults").met(), faults == 0);
    }
}

/// A report of the parts in which one figure is another.
fn with_part(name: &str, value: f64) -> Report {
    let mut parts = super::parts();
    assert!(parts.insert(name.to_owned(), value).is_some(), "{name}");
    Report { parts, ..Report::default() }
}

#[test]
fn parts_at_their_limits_and_beyond() {
    for (words, name, met, missed) in [
        ("memchr, hot", "prefilter.hot.to_memchr", 0.22, 0.219),
        ("memchr, cold", "prefilter.cold.to_memchr", 0.7, 0.699),
        ("10 to 100,000 offers, hot", "prefilter.hot.spread_of_offers", 0.15, 0.151),
        ("offers built", "prefilter.build.milliseconds", 200.0, 201.0),
        ("offers held", "prefilter.build.bytes", 5e6, 5.1e6),
        ("10,000,000 pendings", "pendings.bytes", 1e9, 1.001e9),
        ("come and go", "pendings.passed_per_second", 3e6, 2.99e6),
        ("due at once", "due.longest.milliseconds", 5.0, 5.01),
        ("linked ids", "linked.bytes", 160e6, 161e6),
        ("look-up", "linked.look_up.nanoseconds", 100.0, 101.0),
        ("replay", "replay.to_ids", 0.9, 0.899),
    ] {
        assert!(goal(&with_part(name, met), words).met(), "{words}: {met}");
        assert_eq!(goal(&with_part(name, missed), words).verdict, Verdict::Missed, "{words}: {missed}");
        assert!(unknown(&throughput(vec![entry("main", 900_000)]), words), "{words}");
    }
}

#[test]
fn a_trial_of_a_part_is_told_and_not_judged() {
    let report = with_part("pendings.held", 1e5);
    let goal = goal(&report, "10,000,000 pendings");
    assert_eq!((goal.verdict, goal.measured.as_str()), (Verdict::NotMeasured, "900 MB for 100,000"));
    assert!(unknown(&with_part("prefilter.vector_bits", 0.0), "memchr, hot"), "no vectors, no goal");
    let avx2 = with_part("prefilter.vector_bits", 256.0);
    assert_eq!(super::goals::goal(&avx2, "memchr, hot").goal, "at least 0.160 with 256 bits");
}

#[test]
fn the_desk_is_the_middle_one_of_its_rounds() {
    let desk = |rounds: [u64; 3], commits| {
        let desk = rounds.map(|sightings| desk_pass(sightings, commits)).to_vec();
        goal(&Report { desk, ..Report::default() }, "desk, sightings").verdict
    };
    assert_eq!(desk([10, 30_000, 90_000], 10), Verdict::Met);
    assert_eq!(desk([90_000, 29_999, 10], 10), Verdict::Missed);
    assert_eq!(desk([30_000, 30_000, 30_000], 9), Verdict::Missed, "too few transactions");
}
