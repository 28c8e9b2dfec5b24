//! From bytes to a sighting: the prefilter, and for what it passes on the parse and the exact rules.
//! One record in 100,000 or in 1,000 carries an offer's tag. Beside it a full parse of the same bytes,
//! and the parse of single tweets of each format.

use std::collections::HashSet;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hashbuy::core::ids::AccountId;
use hashbuy::core::prefilter::Prefilter;
use hashbuy::core::scan::{OfferIndex, Scan};
use hashbuy::core::tally::Tally;
use hashbuy::core::tweet::{Record, parse};
use hashbuy::firehose::{Draft, Format, Maker};

mod common;
use common::{START, firehose, offer, records};

const OFFERS: usize = 1_000;

struct Stage {
    prefilter: Prefilter,
    scan: Scan,
}

fn stage() -> Stage {
    let offers: Vec<_> = (0..OFFERS).map(|number| (offer(number).folded_tag(), offer(number))).collect();
    let prefilter = Prefilter::new(offers.iter().map(|(tag, _)| tag.as_str()), "confirm");
    let index = OfferIndex::new(offers).unwrap_or_else(|error| panic!("{error}"));
    Stage { prefilter, scan: Scan::new(index, "Confirm", HashSet::new()) }
}

/// How many of the records lead to a sighting.
fn sightings<'r>(stage: &Stage, records: impl Iterator<Item = &'r [u8]>) -> usize {
    let mut tally = Tally::default();
    let candidates = records.filter(|record| stage.prefilter.passes(record));
    let sighted = candidates.filter(|record| match parse(record) {
        Ok(Record::Tweet(tweet)) => stage.scan.sighting(&tweet, |_| true, &mut tally).is_some(),
        _ => false,
    });
    sighted.count()
}

fn draft(text: &str, format: Format) -> Vec<u8> {
    let author = AccountId::new(1_234_567).unwrap_or_else(|| unreachable!());
    let draft = Draft { time: START, author, handle: "anna", text, format };
    Maker::new(1).tweet(&draft).1
}

fn core(c: &mut Criterion) {
    let stage = stage();
    let (noise, noise_ends) = firehose(64 << 20);
    let tagged = draft("Finally! #BuyArticle500x", Format::V1);
    let mut group = c.benchmark_group("scan");
    group.sample_size(10);
    for one_in in [100_000, 1_000] {
        let (mut buffer, mut ends, mut expected) = (Vec::new(), Vec::new(), 0);
        for (number, record) in records(&noise, &noise_ends).enumerate() {
            let is_tagged = number % one_in == one_in / 2;
            expected += usize::from(is_tagged);
            buffer.extend_from_slice(if is_tagged { &tagged } else { record });
            ends.push(buffer.len());
        }
        assert_eq!(sightings(&stage, records(&buffer, &ends)), expected);
        group.throughput(Throughput::Bytes(buffer.len() as u64));
        group.bench_function(format!("bytes to sightings, 1 in {one_in}"), |b| {
            b.iter(|| sightings(&stage, records(black_box(&buffer), &ends)));
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

criterion_group!(benches, core, formats);
criterion_main!(benches);
