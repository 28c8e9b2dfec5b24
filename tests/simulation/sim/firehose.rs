//! The firehose and the tables, as their connectors write them: late, twice, out of order, or for a while
//! not at all.

use std::collections::BTreeMap;

use fastrand::Rng;
use hashbuy::log::{Log, NewRecord, Partition, Producer};
use hashbuy::worker::partitioner::partition_of;
use serde_json::{Value, json};

/// When the ids of tweets begin to count.
const ID_EPOCH: i64 = 1_288_834_974_657;
/// Partitions of the table of accounts.
pub const ACCOUNTS: u32 = 2;

/// A tweet that was delivered into the firehose, or something else that was.
#[derive(Debug, Clone)]
pub struct Delivered {
    /// When, in simulated milliseconds.
    pub at: i64,
    /// Its tweet time; none of a deletion.
    pub time: Option<i64>,
    /// The greatest tweet time before it in its partition.
    pub before: i64,
    /// What it says, if it has to be seen.
    pub told: Option<Told>,
}

/// A tweet that has to lead to a sighting.
#[derive(Debug, Clone)]
pub struct Told {
    pub id: u64,
    pub author: u64,
    pub time: i64,
}

struct Parcel {
    partition: u32,
    bytes: Vec<u8>,
    time: Option<i64>,
    told: Option<Told>,
}

/// Writes into the firehose and the tables.
pub struct Firehose {
    writer: Box<dyn Producer + Send>,
    rng: Rng,
    queue: BTreeMap<(i64, u64), Parcel>,
    posts: u64,
    /// By partition, what was delivered, in the order of the offsets.
    pub delivered: Vec<Vec<Delivered>>,
    latest: Vec<i64>,
    cut_until: Vec<i64>,
    /// So many of the next tweets are delivered late, or twice.
    pub late: u32,
    pub twice: u32,
    noise_at: i64,
}

impl Firehose {
    pub fn new(log: &dyn Log, seed: u64, partitions: u32) -> Firehose {
        let mut firehose = Firehose {
            writer: log.producer().unwrap(),
            rng: Rng::with_seed(seed ^ 0xF15E),
            queue: BTreeMap::new(),
            posts: 0,
            delivered: Vec::new(),
            latest: Vec::new(),
            cut_until: Vec::new(),
            late: 0,
            twice: 0,
            noise_at: 0,
        };
        firehose.grow(partitions);
        firehose
    }

    /// It has so many partitions from now on.
    pub fn grow(&mut self, partitions: u32) {
        let partitions = partitions as usize;
        self.delivered.resize_with(partitions, Vec::new);
        self.latest.resize(partitions, 0);
        self.cut_until.resize(partitions, 0);
    }

    pub fn partitions(&self) -> u32 {
        u32::try_from(self.delivered.len()).unwrap()
    }

    /// A partition brings nothing until then; all of them if none is named.
    pub fn cut(&mut self, partition: Option<u32>, until: i64) {
        let cut = self.cut_until.iter_mut().enumerate();
        cut.filter(|(number, _)| partition.is_none_or(|cut| cut as usize == *number))
            .for_each(|(_, cut)| *cut = until.max(*cut));
    }

    /// Nothing is cut any more.
    pub fn mend(&mut self) {
        self.cut_until.fill(0);
        (self.late, self.twice) = (0, 0);
    }

    /// Whether something that matters was tweeted and is not delivered yet: what was held back by a cut comes at its
    /// end, also if that was mended earlier.
    pub fn holds_back(&self) -> bool {
        self.queue.values().any(|parcel| parcel.told.is_some())
    }

    /// Somebody tweets at `time`. Returns the tweet's id.
    pub fn post(&mut self, now: i64, time: i64, author: u64, text: &str, matters: bool) -> u64 {
        let id = self.id_at(time);
        let tweet = tweet(id, author, text);
        let told = matters.then_some(Told { id, author, time });
        let partition = self.rng.u32(0..self.partitions());
        let mut deliver = now + self.rng.i64(0..300);
        if self.late > 0 && matters {
            self.late -= 1;
            deliver += self.rng.i64(0..5_000);
        }
        let bytes = tweet.to_string().into_bytes();
        if self.twice > 0 && matters {
            self.twice -= 1;
            let again = deliver + *self.rng.choice(&[0, 50, 1_000, 5_000, 70_000, 200_000]).unwrap();
            // A copy may come into another partition.
            let partition = self.rng.u32(0..self.partitions());
            self.enqueue(again, Parcel { partition, bytes: bytes.clone(), time: Some(time), told: None });
        }
        // The scan parses a tweet every now and then, whatever is in it. Right behind one of those the prefilter has
        // to know by itself.
        let noise = self.noise(time);
        self.enqueue(deliver, Parcel { partition, bytes: noise, time: Some(time), told: None });
        self.enqueue(deliver, Parcel { partition, bytes, time: Some(time), told });
        id
    }

    fn noise(&mut self, time: i64) -> Vec<u8> {
        tweet(self.id_at(time), 999_999, "what a day").to_string().into_bytes()
    }

    /// Somebody passes on what another has tweeted: that says nothing.
    pub fn retweet(&mut self, now: i64, author: u64, of: (u64, u64, &str)) {
        let (id, original, text) = of;
        let mut retweet = tweet(self.id_at(now), author, &format!("RT @u{original}: {text}"));
        retweet["retweeted_status"] = tweet(id, original, text);
        let partition = self.rng.u32(0..self.partitions());
        let bytes = retweet.to_string().into_bytes();
        self.enqueue(now, Parcel { partition, bytes, time: Some(now), told: None });
    }

    /// Somebody deletes a tweet.
    pub fn delete(&mut self, now: i64, author: u64, id: u64) {
        let status =
            json!({"id": id, "id_str": id.to_string(), "user_id": author, "user_id_str": author.to_string()});
        let bytes = json!({"delete": {"status": status}}).to_string().into_bytes();
        let partition = self.rng.u32(0..self.partitions());
        let deliver = now + self.rng.i64(0..300);
        self.enqueue(deliver, Parcel { partition, bytes, time: None, told: None });
    }

    fn id_at(&mut self, time: i64) -> u64 {
        self.posts += 1;
        u64::try_from(time - ID_EPOCH).unwrap() << 22 | self.posts & 0x3f_ffff
    }

    fn enqueue(&mut self, deliver: i64, parcel: Parcel) {
        self.posts += 1;
        self.queue.insert((deliver, self.posts), parcel);
    }

    /// Delivers what is due, and noise once in so long.
    pub fn turn(&mut self, now: i64, noise_every: i64) {
        if now >= self.noise_at + noise_every {
            self.noise_at = now;
            for partition in 0..self.partitions() {
                let bytes = self.noise(now);
                self.enqueue(now, Parcel { partition, bytes, time: Some(now), told: None });
            }
        }
        while let Some(entry) = self.queue.first_entry() {
            let (due, _) = *entry.key();
            if due > now {
                break;
            }
            let parcel = entry.remove();
            let until = self.cut_until[parcel.partition as usize];
            if until > now {
                self.enqueue(until, parcel);
            } else {
                self.deliver(now, parcel);
            }
        }
    }

    fn deliver(&mut self, now: i64, parcel: Parcel) {
        let number = parcel.partition as usize;
        let before = self.latest[number];
        self.latest[number] = before.max(parcel.time.unwrap_or(0));
        self.delivered[number].push(Delivered { at: now, time: parcel.time, before, told: parcel.told });
        self.write("tweets", parcel.partition, None, Some(parcel.bytes));
    }

    /// A record of the table of offers.
    pub fn offer(&mut self, offer: &Value) {
        let key = offer["offer_id"].as_str().unwrap().as_bytes().to_vec();
        self.write("offers", 0, Some(key), Some(offer.to_string().into_bytes()));
    }

    /// A record of the table of accounts; none unlinks.
    pub fn account(&mut self, id: u64, account: Option<&Value>) {
        let key = id.to_string().into_bytes();
        let partition = partition_of(&key, ACCOUNTS);
        self.write("accounts", partition, Some(key), account.map(|account| account.to_string().into_bytes()));
    }

    fn write(&mut self, topic: &str, partition: u32, key: Option<Vec<u8>>, value: Option<Vec<u8>>) {
        let partition = Partition::new(topic, partition);
        self.writer.send(NewRecord { partition, key, value, headers: vec![] }).unwrap();
    }
}

fn tweet(id: u64, author: u64, text: &str) -> Value {
    let user = json!({"id": author, "id_str": author.to_string(), "screen_name": format!("u{author}")});
    json!({"id": id, "id_str": id.to_string(), "text": text, "user": user})
}
