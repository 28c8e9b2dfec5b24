//! The firehose: a producer that keeps its rate by the clock, with noise of the library's maker.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use hashbuy::core::time::Time;
use hashbuy::firehose::Maker;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseRecord, DeliveryResult, Producer as _, ProducerContext, ThreadedProducer};
use rdkafka::{ClientConfig, ClientContext, Message as _};

use crate::firehose::now;
use crate::world::TWEETS;

/// So much may be made up for after a hiccup; what is longer is missing in the rate that is reported.
const CAUGHT_UP: Duration = Duration::from_secs(1);
/// Tweets between two looks at the clock and at everything else.
const PIECE: u64 = 100;
/// The brokers have so long to take what is left.
const FLUSH: Duration = Duration::from_secs(60);

/// The producer of the firehose.
pub struct Stream {
    producer: ThreadedProducer<Deliveries>,
    topic: String,
    maker: Maker,
    rate: u64,
    /// Up to here the rate was kept, or given up.
    paid: Instant,
    /// What was sent.
    pub sent: Sent,
}

/// What was sent, or noted by the brokers.
#[derive(Debug, Default, Clone, Copy)]
pub struct Sent {
    /// Tweets of noise.
    pub tweets: u64,
    /// Deletions and control messages of noise.
    pub others: u64,
    /// Records of shoppers, whatever they are.
    pub shoppers: u64,
    /// The bytes of all.
    pub bytes: u64,
}

impl Stream {
    /// A firehose of so many tweets a second.
    pub fn new(bootstrap: &str, topic: String, rate: u64, seed: u64) -> Stream {
        let producer = ClientConfig::new()
            .set("bootstrap.servers", bootstrap)
            // What is sent again after a failure stays in its order.
            .set("enable.idempotence", "true")
            // As connectors do it. A fifth is left of the noise, and the disk has to hold some of it.
            .set("compression.type", "lz4")
            .set("linger.ms", "20")
            .set("batch.size", "500000")
            .set("queue.buffering.max.kbytes", "131072")
            .set("queue.buffering.max.messages", "100000")
            .create_with_context(Deliveries::default())
            .unwrap();
        let (maker, sent) = (Maker::new(seed), Sent::default());
        Stream { producer, topic, maker, rate, paid: Instant::now(), sent }
    }

    /// Begins to count from now on.
    pub fn begin(&mut self) {
        self.paid = Instant::now();
    }

    /// Sends a piece of what is due. False if nothing is.
    pub fn noise(&mut self) -> bool {
        let now_is = Instant::now();
        let behind = now_is - self.paid;
        if behind > CAUGHT_UP {
            self.paid = now_is - CAUGHT_UP;
        }
        let due = (behind.min(CAUGHT_UP).as_secs_f64() * self.rate as f64) as u64;
        let (piece, before) = (due.min(PIECE), self.sent.tweets);
        let time = Time::from_millis(now());
        while self.sent.tweets < before + piece {
            let place = (self.sent.tweets + self.sent.others) % u64::from(TWEETS);
            let record = self.maker.noise(time);
            self.sent.bytes += record.len() as u64;
            let is_tweet = Maker::is_tweet(record);
            send(&self.producer, &self.topic, place, record);
            if is_tweet {
                self.sent.tweets += 1;
            } else {
                self.sent.others += 1;
            }
        }
        self.paid += Duration::from_secs_f64(piece as f64 / self.rate as f64);
        piece > 0
    }

    /// Sends a record of an author: all of one come in their order.
    pub fn send(&mut self, author: u64, record: &[u8]) {
        self.sent.shoppers += 1;
        self.sent.bytes += record.len() as u64;
        send(&self.producer, &self.topic, author % u64::from(TWEETS), record);
    }

    /// Why a record was not taken, if any was not.
    pub fn failure(&self) -> Option<String> {
        self.producer.context().failed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until the brokers have all of it. Returns how many records they have.
    ///
    /// # Errors
    /// If they do not take it.
    pub fn finish(&self) -> Result<u64, String> {
        self.producer.flush(FLUSH).map_err(|error| format!("the firehose: {error}"))?;
        self.failure().map_or(Ok(()), Err)?;
        Ok(self.producer.context().taken.load(Ordering::Relaxed))
    }
}

/// Hands a record over, when there is room for it.
fn send(producer: &ThreadedProducer<Deliveries>, topic: &str, place: u64, record: &[u8]) {
    let place = i32::try_from(place).unwrap();
    loop {
        let handed = BaseRecord::<(), [u8]>::to(topic).partition(place).payload(record);
        match producer.send(handed) {
            Ok(()) => return,
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err((error, _)) => panic!("the firehose: {error}"),
        }
    }
}

/// What the brokers have said of the records.
#[derive(Default)]
struct Deliveries {
    taken: AtomicU64,
    failed: Mutex<Option<String>>,
}

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        match result {
            Ok(_) => drop(self.taken.fetch_add(1, Ordering::Relaxed)),
            Err((error, message)) => {
                let what = format!("a record of {} was not taken: {error}", message.topic());
                *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(what);
            }
        }
    }
}
