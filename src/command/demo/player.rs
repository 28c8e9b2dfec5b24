//! The player: the made-up firehose, the table records and the card transactions of the shoppers, written into the
//! topics.
//!
//! It moves in ticks. What it makes is a function of the seed, of the times, and of what the shoppers were
//! told; these hear of events when the events are there, so no two runs are the same.

use std::sync::Arc;
use std::time::Duration;

use super::guests::{self, Said};
use super::scene::{INBOX, Scene, TICKS_PER_SECOND, TWEETS, WorldClock};
use crate::core::event::Event;
use crate::core::time::Time;
use crate::firehose::{Draft, Format, Happening, Maker, Shoppers};
use crate::log::{Error, NewRecord, Partition, Producer};
use crate::worker::partitioner::partition_of;
use crate::worker::{Clock as _, Topics};

/// Records that are written in one go; then others have their turn: events, the web server, Ctrl-C.
const PIECE: usize = 500;

/// Makes the firehose.
pub struct Player {
    maker: Maker,
    shoppers: Shoppers,
    producer: Box<dyn Producer + Send>,
    places: Places,
    clock: Arc<WorldClock>,
    /// Up to here everything has been played.
    time: Time,
    start: Time,
    /// What was played.
    pub played: Played,
}

/// How much was played.
#[derive(Debug, Clone, Copy, Default)]
pub struct Played {
    /// Tweets.
    pub tweets: u64,
    /// Deletions and control messages.
    pub others: u64,
    /// The bytes of all of them.
    pub bytes: u64,
}

/// Where records go.
struct Places {
    topics: Topics,
    tweets: [Partition; TWEETS as usize],
    next: usize,
}

/// One tick on its way.
#[derive(Debug)]
pub struct Tick {
    from: Time,
    until: Time,
    /// Tweets to play in it, and those played.
    share: u64,
    played: u64,
}

impl Tick {
    fn now(&self) -> Time {
        let length = self.until.since(self.from).max(0).unsigned_abs();
        let part = u128::from(self.played) * u128::from(length) / u128::from(self.share.max(1));
        self.from.plus(i64::try_from(part).unwrap_or(i64::MAX)).min(self.until)
    }
}

impl Player {
    /// A player who has published the tables.
    ///
    /// # Errors
    /// Those of the log.
    pub fn new(scene: &Scene, seed: u64) -> Result<Player, Error> {
        let start = scene.clock.now();
        let topics = scene.config.service.topics.clone();
        let tweets: Arc<str> = topics.tweets.as_str().into();
        let tweets = std::array::from_fn(|number| {
            Partition::new(Arc::clone(&tweets), u32::try_from(number).unwrap_or_default())
        });
        let mut player = Player {
            maker: Maker::new(seed),
            shoppers: Shoppers::with(scene.habits, seed, start),
            producer: scene.log.producer()?,
            places: Places { topics, tweets, next: 0 },
            clock: Arc::clone(&scene.clock),
            time: start,
            start,
            played: Played::default(),
        };
        let mut tables: Vec<NewRecord> =
            guests::records(start).map(|record| player.places.record(record)).collect();
        while let Some(happening) = player.shoppers.next(start, &mut player.maker) {
            tables.push(player.places.record(happening));
        }
        player.producer.send_all(tables)?;
        // The workers look at the ends of the tables when they begin.
        player.producer.outstanding(Duration::from_secs(10))?;
        Ok(player)
    }

    /// A tick in which nothing happens.
    pub fn pause(&mut self) {
        self.time = self.clock.end_of_tick(self.time);
        self.clock.reach(self.time);
    }

    /// The tick of a number, at so many tweets a second.
    pub fn tick(&self, number: u64, rate: u64) -> Tick {
        let until = self.clock.end_of_tick(self.time);
        Tick { from: self.time, until, share: share(number, rate), played: 0 }
    }

    /// Plays a piece of a tick. True if the tick has more.
    ///
    /// # Errors
    /// Those of the log.
    pub fn play(&mut self, tick: &mut Tick) -> Result<bool, Error> {
        let mut records = Vec::with_capacity(PIECE);
        let mut has_more = true;
        while records.len() < PIECE && has_more {
            let ends = tick.played >= tick.share;
            self.time = if ends { tick.until } else { tick.now() };
            let record = match self.shoppers.next(self.time, &mut self.maker) {
                Some(happening) => self.places.record(happening),
                None if ends => {
                    has_more = false;
                    break;
                }
                None => self.places.tweet(self.maker.noise(self.time).to_vec()),
            };
            tick.played += self.played.count(&record, &self.places.topics);
            records.push(record);
        }
        // No tweet is ahead of the clock.
        self.clock.reach(self.time);
        self.producer.send_all(records)?;
        Ok(has_more)
    }

    /// Plays one more tweet.
    ///
    /// # Errors
    /// Those of the log.
    pub fn tweet(&mut self, said: &Said) -> Result<(), Error> {
        let Said { account: author, handle, text } = said;
        let draft = Draft { time: self.time, author: *author, handle, text, format: Format::V1 };
        let (_, bytes) = self.maker.tweet(&draft);
        let record = self.places.tweet(bytes);
        self.played.count(&record, &self.places.topics);
        self.producer.send_all(vec![record])
    }

    /// Tells the shoppers what has happened.
    pub fn hear(&mut self, event: &Event) {
        self.shoppers.hear(event);
    }

    /// The people.
    pub fn shoppers(&self) -> &Shoppers {
        &self.shoppers
    }

    /// What was written and is not safe yet.
    ///
    /// # Errors
    /// Of a delivery that failed.
    pub fn outstanding(&mut self) -> Result<usize, Error> {
        self.producer.outstanding(Duration::ZERO)
    }

    /// How long the world has lasted in its own time, in milliseconds.
    pub fn age(&self) -> i64 {
        self.time.since(self.start)
    }
}

/// Tweets of a tick. Shares differ by one at most, and add up to the rate.
fn share(tick: u64, rate: u64) -> u64 {
    let until = |tick: u64| u128::from(tick) * u128::from(rate) / u128::from(TICKS_PER_SECOND);
    u64::try_from(until(tick + 1) - until(tick)).unwrap_or(u64::MAX)
}

impl Played {
    /// All records.
    pub fn records(&self) -> u64 {
        self.tweets + self.others
    }

    /// Counts a record of the firehose; 1 if it is a tweet.
    fn count(&mut self, record: &NewRecord, topics: &Topics) -> u64 {
        let value = record.value.as_deref().unwrap_or_default();
        if *record.partition.topic != *topics.tweets {
            return 0;
        }
        self.bytes += value.len() as u64;
        let is_tweet = Maker::is_tweet(value);
        if is_tweet {
            self.tweets += 1;
        } else {
            self.others += 1;
        }
        u64::from(is_tweet)
    }
}

impl Places {
    fn record(&mut self, happening: Happening) -> NewRecord {
        let (partition, key, value) = match happening {
            Happening::Record(bytes) => return self.tweet(bytes),
            Happening::Offer { id, json } => {
                (Partition::new(self.topics.offers.as_str(), 0), id, Some(json.into_bytes()))
            }
            Happening::Account { id, json } => {
                let key = id.to_string();
                let number = partition_of(key.as_bytes(), INBOX);
                let partition = Partition::new(self.topics.accounts.as_str(), number);
                (partition, key, json.map(String::into_bytes))
            }
            Happening::Transaction { card, json } => {
                let number = partition_of(card.as_str().as_bytes(), INBOX);
                let partition = Partition::new(self.topics.card_transactions.as_str(), number);
                (partition, card.as_str().to_owned(), Some(json.into_bytes()))
            }
        };
        NewRecord { partition, key: Some(key.into_bytes()), value, headers: Vec::new() }
    }

    /// Into one partition after the other.
    fn tweet(&mut self, bytes: Vec<u8>) -> NewRecord {
        self.next = (self.next + 1) % self.tweets.len();
        let partition = self.tweets[self.next].clone();
        NewRecord { partition, key: None, value: Some(bytes), headers: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::memory::Record;

    /// What is in the topics when nobody answers the shoppers: half a second, without the workers.
    fn played(seed: u64) -> (Vec<Record>, Played) {
        let scene = Scene::in_memory().unwrap();
        // The same moment each time.
        let start: Time = "2026-02-13T12:00:00Z".parse().unwrap();
        let clock = Arc::new(WorldClock::Driven(start.millis().into()));
        let scene = Scene { clock, ..scene };
        let mut player = Player::new(&scene, seed).unwrap();
        for number in 0..TICKS_PER_SECOND / 2 {
            let mut tick = player.tick(number, 2_000);
            while player.play(&mut tick).unwrap() {}
            assert!(tick.played >= tick.share);
        }
        let log = scene.memory.unwrap();
        let topics = [&player.places.topics.accounts, &player.places.topics.tweets];
        let mut records: Vec<Record> =
            topics.into_iter().flat_map(|topic| log.records(topic).unwrap()).collect();
        records.iter_mut().for_each(|record| record.timestamp = start);
        (records, player.played)
    }

    #[test]
    fn the_same_seed_makes_the_same_firehose() {
        let (once, played_once) = played(7);
        assert_eq!(once, played(7).0);
        assert_ne!(once, played(8).0);
        assert!((1_000..1_010).contains(&played_once.tweets), "{played_once:?}");
        assert!(played_once.others > 0);
        let bytes: usize = once.iter().filter(|record| record.key.is_none()).map(size).sum();
        assert_eq!(bytes as u64, played_once.bytes);
    }

    fn size(record: &Record) -> usize {
        record.value.as_ref().map_or(0, Vec::len)
    }

    #[test]
    fn shares_add_up_to_the_rate() {
        for rate in [100, 333, 5_000] {
            let second: u64 = (140..140 + TICKS_PER_SECOND).map(|number| share(number, rate)).sum();
            assert_eq!(second, rate);
        }
    }
}
