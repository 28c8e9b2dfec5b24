//! The prefilter over raw bytes, for few and many offers, hot (pieces that stay in the cache, as
//! after a read from a socket) and cold (from memory); beside memchr for `#`, the least that any
//! prefilter does, and memcpy; and a full parse of the same bytes, which it saves.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group};
use hashbuy::core::prefilter::Prefilter;

mod common;
use common::beside::over_bytes;
use common::{firehose, offer, records};

const HOT: usize = 256 << 10;
const COLD: usize = 64 << 20;

fn prefilter(offers: usize) -> Prefilter {
    let tags: Vec<String> = (0..offers).map(|number| offer(number).folded_tag()).collect();
    Prefilter::new(tags.iter().map(String::as_str), "confirm")
}

fn search(c: &mut Criterion) {
    for (name, bytes) in [("prefilter/hot", HOT), ("prefilter/cold", COLD)] {
        let (buffer, ends) = firehose(bytes);
        let mut group = c.benchmark_group(name);
        group.sample_size(20).throughput(Throughput::Bytes(buffer.len() as u64));
        for offers in [10, 1_000, 100_000] {
            let prefilter = prefilter(offers);
            group.bench_function(format!("whole buffer, {offers} offers"), |b| {
                b.iter(|| prefilter.hits(black_box(&buffer)).count());
            });
        }
        let prefilter = prefilter(1_000);
        group.bench_function("record by record, 1000 offers", |b| {
            b.iter(|| records(black_box(&buffer), &ends).filter(|record| prefilter.passes(record)).count());
        });
        group.bench_function("memchr for #", |b| {
            b.iter(|| memchr::memchr_iter(b'#', black_box(&buffer)).count());
        });
        if bytes == HOT {
            group.bench_function("serde_json::Value of each record", |b| {
                let parse = |record| serde_json::from_slice::<serde_json::Value>(record).is_ok();
                b.iter(|| records(black_box(&buffer), &ends).filter(|record| parse(record)).count());
            });
        }
        group.finish();
    }
}

fn build(c: &mut Criterion) {
    let tags: Vec<String> = (0..100_000).map(|number| offer(number).folded_tag()).collect();
    let mut group = c.benchmark_group("prefilter/build");
    group.sample_size(10).throughput(Throughput::Elements(tags.len() as u64));
    group.bench_function("100000 offers", |b| {
        b.iter(|| Prefilter::new(black_box(&tags).iter().map(String::as_str), "confirm"));
    });
    group.finish();
}

/// Against what else goes through the same bytes, and few offers against many.
fn side_by_side() {
    for (name, bytes) in [("hot", HOT), ("cold", COLD)] {
        let (buffer, _) = firehose(bytes);
        let mut copy = vec![0; buffer.len()];
        let many = prefilter(1_000);
        let mut search = || use_up(many.hits(black_box(&buffer)).count());
        let mut memchr = || use_up(memchr::memchr_iter(b'#', black_box(&buffer)).count());
        let mut memcpy = || black_box(&mut copy).copy_from_slice(black_box(&buffer));
        let what = format!("prefilter, {name}, 1000 offers");
        over_bytes(&what, buffer.len(), &mut search, "memchr for #", &mut memchr);
        over_bytes(&what, buffer.len(), &mut search, "memcpy", &mut memcpy);
        for offers in [10, 100_000] {
            let other = prefilter(offers);
            let mut others = || use_up(other.hits(black_box(&buffer)).count());
            let what = format!("prefilter, {name}, {offers} offers");
            over_bytes(&what, buffer.len(), &mut others, "1000 offers", &mut search);
        }
    }
}

fn use_up(count: usize) {
    black_box(count);
}

criterion_group!(benches, search, build);

fn main() {
    side_by_side();
    benches();
    Criterion::default().configure_from_args().final_summary();
}
