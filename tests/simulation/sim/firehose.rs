//! The firehose and the tables, as their connectors write them.

use fastrand::Rng;
use hashbuy::log::{Log, NewRecord, Partition, Producer};
use hashbuy::worker::partitioner::partition_of;
use serde_json::{Value, json};

use super::stream::{Parcel, Stream, Told};

/// When the ids of tweets begin to count.
const ID_EPOCH: i64 = 1_288_834_974_657;
/// Partitions of the table of accounts.
pub const ACCOUNTS: u32 = 2;

/// Writes into the firehose and the tables.
pub struct Firehose {
    pub stream: Stream,
    /// For the tables.
    writer: Box<dyn Producer + Send>,
    rng: Rng,
    posts: u64,
    /// So many of the next tweets are delivered late, or twice.
    pub late: u32,
    pub twice: u32,
    noise_at: i64,
}

impl Firehose {
    pub fn new(log: &dyn Log, seed: u64, partitions: u32) -> Firehose {
        Firehose {
            stream: Stream::new(log, "tweets", partitions),
            writer: log.producer().unwrap(),
            rng: Rng::with_seed(seed ^ 0xF15E),
            posts: 0,
            late: 0,
            twice: 0,
            noise_at: 0,
        }
    }

    /// Nothing is cut, late or doubled any more.
    pub fn mend(&mut self) {
        self.stream.mend();
        (self.late, self.twice) = (0, 0);
    }

    /// Somebody tweets at `time`. Returns the tweet's id.
    pub fn post(&mut self, now: i64, time: i64, author: u64, text: &str, matters: bool) -> u64 {
        let id = self.id_at(time);
        let tweet = tweet(id, author, text);
        let told = matters.then(|| Told { id: id.to_string(), entity: format!("account/{author}"), time });
        let partition = self.rng.u32(0..self.stream.partitions());
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
            let partition = self.rng.u32(0..self.stream.partitions());
            self.enqueue(again, partition, bytes.clone(), Some(time), None);
        }
        // The scan parses a tweet every now and then, whatever is in it. Right behind one of those the prefilter has
        // to know by itself.
        let noise = self.noise(time);
        self.enqueue(deliver, partition, noise, Some(time), None);
        self.enqueue(deliver, partition, bytes, Some(time), told);
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
        let partition = self.rng.u32(0..self.stream.partitions());
        let bytes = retweet.to_string().into_bytes();
        self.enqueue(now, partition, bytes, Some(now), None);
    }

    /// Somebody deletes a tweet.
    pub fn delete(&mut self, now: i64, author: u64, id: u64) {
        let status =
            json!({"id": id, "id_str": id.to_string(), "user_id": author, "user_id_str": author.to_string()});
        let bytes = json!({"delete": {"status": status}}).to_string().into_bytes();
        let partition = self.rng.u32(0..self.stream.partitions());
        let deliver = now + self.rng.i64(0..300);
        self.enqueue(deliver, partition, bytes, None, None);
    }

    fn id_at(&mut self, time: i64) -> u64 {
        self.posts += 1;
        u64::try_from(time - ID_EPOCH).unwrap() << 22 | self.posts & 0x3f_ffff
    }

    fn enqueue(
        &mut self,
        deliver: i64,
        partition: u32,
        bytes: Vec<u8>,
        time: Option<i64>,
        told: Option<Told>,
    ) {
        self.stream.send(deliver, Parcel { partition, key: None, bytes, time, told });
    }

    /// Delivers what is due, and noise once in so long.
    pub fn turn(&mut self, now: i64, noise_every: i64) {
        if now >= self.noise_at + noise_every {
            self.noise_at = now;
            for partition in 0..self.stream.partitions() {
                let bytes = self.noise(now);
                self.enqueue(now, partition, bytes, Some(now), None);
            }
        }
        self.stream.turn(now);
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
