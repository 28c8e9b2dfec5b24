//! The prefilter over raw bytes: hot, in pieces that stay in the cache as after a read from a socket, and cold, from
//! memory; beside memchr for `#`, the least that any prefilter does; and with few and many offers.

use std::hint::black_box;
use std::time::Instant;

use super::turns::{in_turns, middle};
use super::{Figures, resident};
use crate::core::hashtag::fold;
use crate::core::prefilter::Prefilter;
use crate::core::time::Time;
use crate::firehose::Maker;
use crate::load::Failed;
use crate::load::tables::tag;

/// Bytes of a hot piece, and of what is cold.
const HOT: usize = 256 << 10;
const COLD: f64 = 64.0 * (1 << 20) as f64;
/// Offers of the figures that are compared, and the others beside them.
const OFFERS: u64 = 1_000;
const FEW: u64 = 10;
const MANY: u64 = 100_000;
/// Any time will do.
const START: Time = Time::from_millis(1_760_000_000_000);

pub fn measure(scale: f64) -> Result<Figures, Failed> {
    // The first that is made: what others have left in memory would count for less.
    let tags = tags(MANY);
    let before = resident()?;
    let begun = Instant::now();
    let many = of(&tags);
    let built = begun.elapsed().as_secs_f64() * 1e3;
    let bytes = resident()? - before;
    let mut figures = Figures::from([
        ("build.milliseconds".to_owned(), built),
        ("build.bytes".to_owned(), bytes.max(0.0)),
        ("vector_bits".to_owned(), f64::from(many.vector_bits())),
    ]);
    let [few, main] = [FEW, OFFERS].map(|count| of(&self::tags(count)));
    for (name, bytes) in [("hot", HOT), ("cold", (COLD * scale) as usize)] {
        let buffer = firehose(bytes.max(HOT));
        let hits = |prefilter: &Prefilter| drop_count(prefilter.hits(black_box(&buffer)).count());
        let rounds = in_turns([
            &mut || hits(&main),
            &mut || drop_count(memchr::memchr_iter(b'#', black_box(&buffer)).count()),
            &mut || hits(&few),
            &mut || hits(&many),
        ]);
        let per_second = middle(&rounds, |[main, ..]| buffer.len() as f64 / main);
        let spread = middle(&rounds, |[main, _, few, many]| {
            main.max(*few).max(*many) / main.min(*few).min(*many) - 1.0
        });
        figures.extend([
            (format!("{name}.bytes_per_second"), per_second),
            (format!("{name}.to_memchr"), middle(&rounds, |[main, memchr, ..]| memchr / main)),
            (format!("{name}.spread_of_offers"), spread),
        ]);
    }
    Ok(figures)
}

fn drop_count(count: usize) {
    black_box(count);
}

fn tags(count: u64) -> Vec<String> {
    (0..count).map(|number| fold(tag(number).trim_start_matches('#')).into()).collect()
}

fn of(tags: &[String]) -> Prefilter {
    Prefilter::new(tags.iter().map(String::as_str), "confirm")
}

fn firehose(bytes: usize) -> Vec<u8> {
    let (mut maker, mut buffer) = (Maker::new(1), Vec::with_capacity(bytes + (1 << 16)));
    while buffer.len() < bytes {
        buffer.extend_from_slice(maker.noise(START));
    }
    buffer
}
