//! A firehose: somebody always tweets something, unless it is told to be silent, and shoppers tweet what a
//! case says.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hashbuy::log::{Log, NewRecord, Partition, Producer};

use crate::common::tags::tweet_id;
use crate::common::wire::{Format, Tweet, deletion};

/// Noise comes into every partition once in so long.
const NOISE_EVERY: Duration = Duration::from_millis(250);
/// Brokers that are being restarted have so long to take a tweet.
const PATIENCE: Duration = Duration::from_secs(60);
/// Whoever tweets the noise has no account.
const NOISY: u64 = 999;

/// The present time in milliseconds since 1970.
pub fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

/// A firehose with a pump of noise, which ends when this is dropped.
pub struct Firehose {
    wire: Arc<Wire>,
    ending: Arc<AtomicBool>,
    pump: Option<JoinHandle<()>>,
}

struct Wire {
    topic: Arc<str>,
    partitions: u32,
    /// Whether there is noise at present. Held while noise is sent.
    noisy: Mutex<bool>,
    producer: Mutex<Box<dyn Producer + Send>>,
    count: AtomicU64,
}

impl Firehose {
    /// With noise in all of its partitions.
    pub fn new(log: &dyn Log, topic: &str, partitions: u32) -> Firehose {
        Firehose::with_noise_in((0..partitions).collect(), log, topic, partitions)
    }

    /// With noise in some of its partitions.
    pub fn with_noise_in(places: Vec<u32>, log: &dyn Log, topic: &str, partitions: u32) -> Firehose {
        let producer = Mutex::new(log.producer().unwrap());
        let (noisy, count) = (Mutex::new(true), AtomicU64::new(0));
        let wire = Arc::new(Wire { topic: topic.into(), partitions, noisy, producer, count });
        let ending = Arc::new(AtomicBool::new(false));
        let pump = {
            let (wire, ending) = (Arc::clone(&wire), Arc::clone(&ending));
            thread::spawn(move || {
                while !ending.load(Ordering::Relaxed) {
                    let noisy = wire.noisy.lock().unwrap();
                    if *noisy {
                        places.iter().for_each(|&number| wire.noise(number, now()));
                    }
                    drop(noisy);
                    thread::sleep(NOISE_EVERY);
                }
            })
        };
        Firehose { wire, ending, pump: Some(pump) }
    }

    /// No noise from now on.
    pub fn hush(&self) {
        *self.wire.noisy.lock().unwrap() = false;
    }

    /// Noise again.
    pub fn go_on(&self) {
        *self.wire.noisy.lock().unwrap() = true;
    }

    /// A tweet that concerns nobody, in a partition.
    pub fn noise(&self, partition: u32, millis: i64) {
        self.wire.noise(partition, millis);
    }

    /// A tweet of this moment. Returns its id.
    pub fn tweet(&self, author: u64, text: &str) -> u64 {
        self.tweet_at(now(), author, text)
    }

    /// A tweet with a time in its id.
    pub fn tweet_at(&self, millis: i64, author: u64, text: &str) -> u64 {
        let id = self.wire.id(millis);
        self.again(id, author, text);
        id
    }

    /// The tweet with this id, maybe once more.
    pub fn again(&self, id: u64, author: u64, text: &str) {
        self.post(&Tweet::new(id, author, &format!("u{author}"), text));
    }

    /// Any tweet, in its author's partition.
    pub fn post(&self, tweet: &Tweet) {
        self.wire.send(self.partition_of(tweet.author), tweet.record());
    }

    /// The notice that a tweet was deleted.
    pub fn delete(&self, id: u64, author: u64) {
        self.wire.send(self.partition_of(author), deletion(id, author, Format::V1));
    }

    /// A record as it is.
    pub fn raw(&self, partition: u32, bytes: &[u8]) {
        self.wire.send(partition, bytes.to_vec());
    }

    /// An unused tweet id of a moment.
    pub fn id(&self, millis: i64) -> u64 {
        self.wire.id(millis)
    }

    /// Where an author's tweets go.
    pub fn partition_of(&self, author: u64) -> u32 {
        u32::try_from(author % u64::from(self.wire.partitions)).unwrap()
    }
}

impl Wire {
    fn id(&self, millis: i64) -> u64 {
        tweet_id(millis, self.count.fetch_add(1, Ordering::Relaxed) % (1 << 22))
    }

    fn noise(&self, number: u32, millis: i64) {
        self.send(number, Tweet::new(self.id(millis), NOISY, "noise", "what a day #sunny").record());
    }

    /// Waits until the broker has it: tweets of one author come in their order, also to the eye.
    fn send(&self, number: u32, value: Vec<u8>) {
        let partition = Partition { topic: Arc::clone(&self.topic), number };
        let record = NewRecord { partition, key: None, value: Some(value), headers: Vec::new() };
        let mut producer = self.producer.lock().unwrap();
        producer.send(record).unwrap();
        assert_eq!(producer.outstanding(PATIENCE), Ok(0));
    }
}

impl Drop for Firehose {
    fn drop(&mut self) {
        self.ending.store(true, Ordering::Relaxed);
        if let Some(pump) = self.pump.take() {
            // If it has panicked, the case has failed for the same reason.
            let _ = pump.join();
        }
    }
}
