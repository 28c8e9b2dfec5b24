//! Holds what the service writes against the model of the rules, while it runs and at the end, and tells shoppers what
//! they would read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Headers as _, Message as _};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use serde_json::Value;

use crate::common::model::{Oracle, Summary, Topic};
use crate::common::program::{SECRET, text};
use crate::common::tags::millis;
use crate::crowd::{Answer, Heard};
use crate::lag::Group;
use crate::world::{INBOX, World};

/// What was decided is compared once in so long.
const EVERY: Duration = Duration::from_secs(5);
/// What is committed can be read within so long: an open transaction of a process that is gone has been aborted.
const READABLE: Duration = Duration::from_secs(90);

/// Reads the inbox and the events.
pub struct Audit {
    oracle: Oracle,
    topics: Topics,
    reader: BaseConsumer,
    desk: Group,
    heard: Sender<Heard>,
    compared: Instant,
    /// What is being read up to.
    target: Option<Target>,
    changelog: String,
    bootstrap: String,
    /// The newest event, and the longest time without any.
    newest: Instant,
    pub silence: Duration,
    confirmed: u64,
}

/// What the audit has seen.
#[derive(Debug, Default, Clone, Copy)]
pub struct Seen {
    /// Purchases that wait for their code.
    pub pendings: usize,
    /// Purchases that were confirmed.
    pub confirmed: u64,
}

struct Topics {
    inbox: String,
    purchases: String,
    orders: String,
}

/// Offsets up to which the desk has decided, and the ends of all topics after that.
struct Target {
    since: Instant,
    decided: Vec<(i32, Option<i64>)>,
    ends: Vec<(String, i32, i64)>,
}

impl Audit {
    pub fn new(world: &World, heard: Sender<Heard>) -> Audit {
        let topics = Topics {
            inbox: world.topic("inbox"),
            purchases: world.topic("purchases"),
            orders: world.topic("orders"),
        };
        let all = [&topics.inbox, &topics.purchases, &topics.orders].map(|name| (name.as_str(), INBOX));
        Audit {
            reader: reader(&world.bootstrap, &all),
            oracle: Oracle::new(SECRET.as_bytes()),
            topics,
            desk: Group::new(world, "desk", "inbox", INBOX),
            heard,
            compared: Instant::now(),
            target: None,
            changelog: world.topic("changelog"),
            bootstrap: world.bootstrap.clone(),
            newest: Instant::now(),
            silence: Duration::ZERO,
            confirmed: 0,
        }
    }

    /// Reads for a moment, and compares if it is time to.
    ///
    /// # Errors
    /// What differs.
    pub fn turn(&mut self) -> Result<(), String> {
        self.read(Duration::from_millis(10))?;
        if self.target.is_none() && self.compared.elapsed() > EVERY {
            self.target = self.look();
        }
        self.compare()
    }

    /// The service has ended and has decided on everything: compares all that is left. Returns what it came to.
    ///
    /// # Errors
    /// What differs.
    pub fn finish(mut self) -> Result<Summary, String> {
        let deadline = Instant::now() + READABLE;
        // What was looked up while the service ran is not the end.
        let mut last = None;
        while last.is_none() {
            last = self.look();
            if last.is_none() && Instant::now() > deadline {
                return Err("the ends of the topics cannot be looked up".to_owned());
            }
        }
        self.target = last;
        while self.target.is_some() {
            self.read(Duration::from_millis(10))?;
            self.compare()?;
        }
        let summary = self.oracle.finish()?;
        self.check_state()?;
        Ok(summary)
    }

    /// How it is, by the model.
    pub fn seen(&self) -> Seen {
        let mut seen = Seen { confirmed: self.confirmed, ..Seen::default() };
        for alive in self.oracle.models().map(|(_, model)| model.alive()) {
            seen.pendings += alive.pendings;
        }
        seen
    }

    fn read(&mut self, wait: Duration) -> Result<(), String> {
        // A pause, and at most so many: then others have their turn.
        for _ in 0..2_000 {
            let Some(message) = self.reader.poll(wait) else { return Ok(()) };
            match message {
                Ok(message) => {
                    let heard = take(&mut self.oracle, &self.topics, &message)?;
                    let Some(heard) = heard else { continue };
                    self.silence = self.silence.max(self.newest.elapsed());
                    self.newest = Instant::now();
                    self.confirmed += u64::from(heard.name == "purchase.confirmed");
                    // Nobody listens at the end.
                    let _ = self.heard.send(heard);
                }
                Err(error) if passes(&error) => {}
                Err(error) => return Err(format!("the events cannot be read: {error}")),
            }
        }
        Ok(())
    }

    /// First what is decided, then what is written: so every event of what is decided is below the ends.
    fn look(&self) -> Option<Target> {
        let decided = self.desk.committed()?;
        let mut ends = Vec::new();
        for topic in [&self.topics.inbox, &self.topics.purchases, &self.topics.orders] {
            for number in 0..i32::try_from(INBOX).unwrap() {
                ends.push((topic.clone(), number, self.desk.end(topic, number)?));
            }
        }
        Some(Target { since: Instant::now(), decided, ends })
    }

    /// Compares, once everything up to the target is read.
    fn compare(&mut self) -> Result<(), String> {
        let Some(target) = &self.target else { return Ok(()) };
        let positions = self.reader.position().map_err(|error| error.to_string())?;
        let behind = target.ends.iter().find(|(topic, number, end)| {
            let position = positions.find_partition(topic, *number).map(|element| element.offset());
            *end > 0 && !matches!(position, Some(Offset::Offset(at)) if at >= *end)
        });
        if let Some((topic, number, end)) = behind {
            let at = positions.find_partition(topic, *number).map(|element| element.offset());
            let waited = target.since.elapsed();
            return (waited < READABLE).then_some(()).ok_or_else(|| {
                format!("{topic}/{number} can be read up to {at:?}, not up to {end}: a transaction hangs")
            });
        }
        for &(partition, offset) in &target.decided {
            let offset = u64::try_from(offset.unwrap_or(0)).unwrap();
            self.oracle.decided(u32::try_from(partition).unwrap(), offset)?;
        }
        (self.target, self.compared) = (None, Instant::now());
        Ok(())
    }

    /// The changelog says what the model says, and goes up to where the group has read.
    fn check_state(&self) -> Result<(), String> {
        let mut state = BTreeMap::new();
        let reader = reader(&self.bootstrap, &[(&self.changelog, INBOX)]);
        let numbers = 0..i32::try_from(INBOX).unwrap();
        let end = |number| self.desk.end(&self.changelog, number).ok_or("the changelog has no end");
        let ends: Vec<i64> = numbers.clone().map(end).collect::<Result<_, _>>()?;
        let deadline = Instant::now() + READABLE;
        loop {
            while let Some(message) = reader.poll(Duration::from_millis(100)) {
                let message = message.map_err(|error| format!("the changelog cannot be read: {error}"))?;
                let key = (message.partition(), message.key().unwrap_or_default().to_vec());
                match message.payload() {
                    Some(value) => drop(state.insert(key, value.to_vec())),
                    None => drop(state.remove(&key)),
                }
            }
            let positions = reader.position().map_err(|error| error.to_string())?;
            let at = |number| positions.find_partition(&self.changelog, number).map(|found| found.offset());
            let is_read = |(number, end): (i32, &i64)| {
                *end == 0 || matches!(at(number), Some(Offset::Offset(at)) if at >= *end)
            };
            if numbers.clone().zip(&ends).all(is_read) {
                break;
            }
            if Instant::now() > deadline {
                return Err("the changelog cannot be read to its end".to_owned());
            }
        }
        let (mut kept, mut read) = (BTreeSet::new(), BTreeMap::new());
        for ((partition, key), value) in &state {
            let entity: Value = serde_json::from_slice(value).map_err(|error| error.to_string())?;
            if key == b"partition" {
                read.insert(*partition, entity["offset"].as_i64());
            }
            let pendings = entity["pendings"].as_array().into_iter().flatten();
            kept.extend(pendings.map(|pending| text(pending, "purchase_id").to_owned()));
        }
        let models = self.oracle.models().flat_map(|(_, model)| model.pendings().into_keys());
        let wanted: BTreeSet<String> = models.collect();
        if kept != wanted {
            let differ: Vec<&String> = kept.symmetric_difference(&wanted).collect();
            return Err(format!("pending in the changelog, or by the rules, but not both: {differ:?}"));
        }
        for (partition, committed) in self.desk.committed().ok_or("no offsets of the desk")? {
            let kept = read.get(&partition).copied().flatten();
            if kept != committed {
                return Err(format!(
                    "partition {partition}: the changelog is at {kept:?}, the group at {committed:?}"
                ));
            }
        }
        Ok(())
    }
}

/// Feeds a record to the oracle. Returns what a shopper reads in it.
fn take(
    oracle: &mut Oracle,
    topics: &Topics,
    message: &BorrowedMessage<'_>,
) -> Result<Option<Heard>, String> {
    let partition = u32::try_from(message.partition()).unwrap();
    let offset = u64::try_from(message.offset()).unwrap();
    let value = message.payload().unwrap_or_default();
    if message.topic() == topics.inbox {
        let appended = message.timestamp().to_millis().unwrap_or_default();
        oracle.inbox(partition, offset, appended, value);
        return Ok(None);
    }
    let headers = message.headers();
    let header = |name: &str| {
        let found = headers.into_iter().flat_map(|headers| headers.iter()).find(|header| header.key == name);
        found.and_then(|header| std::str::from_utf8(header.value?).ok()).unwrap_or_default()
    };
    let topic = if message.topic() == topics.orders { Topic::Orders } else { Topic::Purchases };
    oracle.written(topic, partition, offset, value, header("hashbuy-cause"), header("hashbuy-now"));
    if topic == Topic::Orders {
        return Ok(None);
    }
    let event: Value = serde_json::from_slice(value).map_err(|error| format!("an event: {error}"))?;
    let kind = text(&event, "type");
    let why = event.get("reason").or(event.get("cause")).and_then(Value::as_str);
    let answer = (kind == "purchase.requested").then(|| Answer {
        code: text(&event, "code").to_owned(),
        deadline: millis(text(&event, "deadline")),
        offer_tweet: text(&event, "offer_tweet_id").parse().unwrap(),
    });
    let name = why.map_or_else(|| kind.to_owned(), |why| format!("{kind}/{why}"));
    Ok(Some(Heard { account: text(&event, "account_id").parse().unwrap(), name, answer }))
}

/// Reads what is committed, from the beginning.
fn reader(bootstrap: &str, topics: &[(&str, u32)]) -> BaseConsumer {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", bootstrap)
        .set("group.id", "audit")
        .set("enable.auto.commit", "false")
        .set("isolation.level", "read_committed")
        .set("fetch.wait.max.ms", "50")
        .create()
        .unwrap();
    let mut list = TopicPartitionList::new();
    for (topic, partitions) in topics {
        for number in 0..i32::try_from(*partitions).unwrap() {
            list.add_partition_offset(topic, number, Offset::Offset(0)).unwrap();
        }
    }
    consumer.assign(&list).unwrap();
    consumer
}

/// The broker is busy, and librdkafka goes on by itself.
fn passes(error: &KafkaError) -> bool {
    let code = error.rdkafka_error_code();
    matches!(
        code,
        Some(
            RDKafkaErrorCode::BrokerTransportFailure
                | RDKafkaErrorCode::AllBrokersDown
                | RDKafkaErrorCode::OperationTimedOut
        )
    )
}
