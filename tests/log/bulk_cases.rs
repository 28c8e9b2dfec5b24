//! Cases for a real broker alone: writing very many records.

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use hashbuy::core::tweet::{self, Record};
use hashbuy::load::fill::{Filling, fill};
use hashbuy::load::mix::Matches;
use hashbuy::load::stencils::Stencils;
use hashbuy::load::writer::Writer;
use hashbuy::log::Kind;
use hashbuy::log::kafka::Codec;
use hashbuy::service::MachineClock;
use hashbuy::worker::Clock as _;

use crate::fixture::{Fixture as _, plain};
use crate::kafka::Kafka;

/// A case that needs more of the log than any log has.
pub type Case = fn(&Kafka);

pub const ALL: &[(&str, Case)] =
    &[("filled_topic", filled_topic), ("refused_in_bulk", refused_in_bulk), ("no_topic_to_fill", no_topic)];

const LINGER: Duration = Duration::from_millis(5);

/// All that is said to be written is there, in whatever way it is compressed, and none of it twice but for the
/// records that arrive twice.
fn filled_topic(kafka: &Kafka) {
    for codec in Codec::ALL {
        let topic = kafka.name(codec.as_str());
        kafka.create(&topic, plain(3));
        let matches = Matches { one_in: 100, offers: 5, accounts: 5 };
        let filling = Filling { topic: topic.clone(), records: 3_000, rate: None, codec, matches, seed: 1 };
        let now = MachineClock.now();
        let mut told = 0;
        let filled =
            fill(&kafka.log, &filling, Stencils::made_up(1), now, &mut |count| told = count).unwrap();
        assert_eq!((filled.records, told), (3_000, 3_000));
        let records = kafka.records(&topic);
        assert_eq!(records.len(), 3_000, "{codec}");
        let values: Vec<&[u8]> = records.iter().map(|record| record.value.as_deref().unwrap()).collect();
        assert_eq!(values.iter().map(|value| value.len() as u64).sum::<u64>(), filled.bytes);
        let partitions: BTreeSet<u32> = records.iter().map(|record| record.partition).collect();
        assert_eq!(partitions, [0, 1, 2].into());
        let (mut ids, mut tweets) = (HashSet::new(), 0);
        for value in values {
            if let Record::Tweet(tweet) = tweet::parse(value).unwrap() {
                assert!((0..=300_000).contains(&now.since(tweet.time)));
                tweets += 1;
                ids.insert(tweet.id);
            }
        }
        assert!(ids.len() + 15 > tweets, "{} of {tweets} tweets are others", ids.len());
        assert_eq!(filled.matches, tweets as u64 / 100);
    }
}

/// What cannot be written is an error that names the partition, and the writer is spent.
fn refused_in_bulk(kafka: &Kafka) {
    let topic = kafka.name("small");
    kafka.create(&topic, plain(1));
    let mut bulk = kafka.log.bulk_writer(&topic, Codec::None, LINGER).unwrap();
    let outcome = (|| {
        bulk.send(0, b"there")?;
        bulk.send(7, b"nowhere")?;
        while bulk.outstanding(Duration::from_secs(1))? > 0 {}
        Ok::<(), hashbuy::log::Error>(())
    })();
    let error = outcome.unwrap_err();
    assert!(error.what.contains(&format!("{topic}/7")) && error.what.contains("partitions"), "{error}");
    assert_eq!(bulk.send(0, b"too late").unwrap_err(), error);

    let mut bulk = kafka.log.bulk_writer(&topic, Codec::None, LINGER).unwrap();
    let error = bulk.send(0, &vec![b'a'; 2_000_000]).unwrap_err();
    assert_eq!(error.kind, Kind::Fatal, "{error}");
}

/// A topic is not made by being written to.
fn no_topic(kafka: &Kafka) {
    let topic = kafka.name("none");
    let error = Writer::new(&kafka.log, &topic, Codec::None, LINGER).err().unwrap();
    assert!(error.kind == Kind::Fatal && error.what.contains(&topic), "{error}");
}
