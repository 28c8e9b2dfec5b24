//! From bytes to a sighting: the prefilter, and for what it passes on the parse and the exact rules.
//! One record in 100,000 or in 1,000 carries an offer's tag. Beside it a full parse of the same bytes,
//! and the parse of single tweets of each format.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group};
use hashbuy::core::ids::AccountId;
use hashbuy::core::tweet::parse;
use hashbuy::firehose::{Format, Maker};

mod common;
use common::beside::over_bytes;
use common::stage::{draft, stage, with_matches};
use common::{firehose, records};

const OFFERS: usize = 1_000;

fn core(c: &mut Criterion) {
    let stage = stage(OFFERS);
    let (noise, noise_ends) = firehose(64 << 20);
    let mut group = c.benchmark_group("scan");
    group.sample_size(10);
    for one_in in [100_000, 1_000] {
        let (buffer, ends, expected) = with_matches(&noise, &noise_ends, one_in);
        assert_eq!(stage.sightings(records(&buffer, &ends)), expected);
        group.throughput(Throughput::Bytes(buffer.len() as u64));
        group.bench_function(format!("bytes to sightings, 1 in {one_in}"), |b| {
            b.iter(|| stage.sightings(records(black_box(&buffer), &ends)));
        });
    }
    group.throughput(Throughput::Bytes(noise.len() as u64));
    group.bench_function("serde_json::Value of each record", |b| {
        let parse = |record| serde_json::from_slice::<serde_json::Value>(record).is_ok();
        b.iter(|| records(black_box(&noise), &noise_ends).filter(|record| parse(record)).count());
    });
    group.finish();
}

fn formats(c: &mut Criterion) {
    let mut group = c.benchmark_group("parse");
    let deletion = {
        let id = hashbuy::core::ids::TweetId::new(301_661_999_723_446_273).unwrap_or_else(|| unreachable!());
        let author = AccountId::new(1_234_567).unwrap_or_else(|| unreachable!());
        Maker::new(1).deletion(id, author, Format::V1)
    };
    let text = "Finally! #BuyArticle500x";
    for (name, record) in [
        ("v1.1", draft(text, Format::V1)),
        ("v2", draft(text, Format::V2)),
        ("activity", draft(text, Format::Activity)),
        ("deletion", deletion),
    ] {
        group.throughput(Throughput::Bytes(record.len() as u64));
        group.bench_function(format!("{name}, what matters"), |b| {
            b.iter(|| parse(black_box(&record)).is_ok())
        });
        group.bench_function(format!("{name}, serde_json::Value"), |b| {
            b.iter(|| serde_json::from_slice::<serde_json::Value>(black_box(&record)).is_ok());
        });
    }
    group.finish();
}

/// Against the prefilter alone, which is the first thing that it does.
fn side_by_side() {
    let stage = stage(OFFERS);
    let (noise, noise_ends) = firehose(32 << 20);
    for one_in in [100_000, 1_000] {
        let (buffer, ends, _) = with_matches(&noise, &noise_ends, one_in);
        over_bytes(
            &format!("scan core, record by record, 1 match in {one_in}"),
            buffer.len(),
            &mut || assert!(black_box(stage.sightings(records(black_box(&buffer), &ends))) < ends.len()),
            "its prefilter",
            &mut || {
                let passed = records(black_box(&buffer), &ends)
                    .filter(|record| stage.prefilter.passes(record))
                    .count();
                assert!(black_box(passed) < ends.len());
            },
        );
    }
}

criterion_group!(benches, core, formats);

fn main() {
    side_by_side();
    benches();
    Criterion::default().configure_from_args().final_summary();
}
