//! What stands in topics, as those see it who read what is committed.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::{Headers as _, Message as _};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use serde_json::Value;

use crate::common::schema;

/// How long a question to the broker may take.
const ASK: Duration = Duration::from_secs(20);

/// So many records at most are held to their schema: it takes longer than to read them.
const MOST_CHECKED: usize = 5_000;

/// A record as it stands in its topic.
#[derive(Debug, Clone)]
pub struct Stored {
    pub topic: String,
    pub partition: i32,
    pub offset: i64,
    /// Its time in milliseconds, whoever has stamped it.
    #[allow(dead_code, reason = "the fault matrix looks at it")]
    pub timestamp: i64,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub headers: BTreeMap<String, String>,
}

impl Stored {
    /// The value as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(self.value.as_deref().unwrap_or_default()).unwrap()
    }

    /// A header; empty if it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// Reads some topics from their beginning, and follows them.
pub struct Follower {
    consumer: BaseConsumer,
    ends: Vec<(String, i32, i64)>,
    /// What was read so far: each partition in its order.
    pub records: Vec<Stored>,
}

impl Follower {
    /// Of what is committed in these topics.
    pub fn committed(bootstrap: &str, topics: &[String]) -> Follower {
        Follower::new(bootstrap, topics, "read_committed")
    }

    /// All that stands in these topics at the moment, committed or not.
    pub fn everything(bootstrap: &str, topics: &[String]) -> Vec<Stored> {
        Follower::new(bootstrap, topics, "read_uncommitted").whole()
    }

    /// All that is committed in these topics at the moment, when no transaction is open any more.
    pub fn all_committed(bootstrap: &str, topics: &[String]) -> Vec<Stored> {
        Follower::committed(bootstrap, topics).whole()
    }

    fn whole(mut self) -> Vec<Stored> {
        let deadline = Instant::now() + ASK;
        while !self.is_at_end() {
            assert!(Instant::now() < deadline, "{:?} cannot be read to their ends", self.ends);
            self.follow(Duration::from_millis(100));
        }
        self.records
    }

    fn new(bootstrap: &str, topics: &[String], isolation: &str) -> Follower {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", bootstrap)
            .set("group.id", "follower")
            .set("enable.auto.commit", "false")
            .set("isolation.level", isolation)
            .set("fetch.wait.max.ms", "50")
            .create()
            .unwrap();
        let (mut list, mut ends) = (TopicPartitionList::new(), Vec::new());
        for topic in topics {
            let metadata = asked(|| consumer.fetch_metadata(Some(topic), ASK));
            for partition in metadata.topics()[0].partitions() {
                list.add_partition_offset(topic, partition.id(), Offset::Offset(0)).unwrap();
                let (_, end) = asked(|| consumer.fetch_watermarks(topic, partition.id(), ASK));
                ends.push((topic.clone(), partition.id(), end));
            }
        }
        consumer.assign(&list).unwrap();
        Follower { consumer, ends, records: Vec::new() }
    }

    /// Reads what comes, up to a pause of `wait`.
    pub fn follow(&mut self, wait: Duration) {
        while let Some(message) = self.consumer.poll(wait) {
            let message = match message {
                Ok(message) => message,
                // The broker is away, and librdkafka goes on when it is back.
                Err(KafkaError::MessageConsumption(
                    RDKafkaErrorCode::BrokerTransportFailure | RDKafkaErrorCode::AllBrokersDown,
                )) => continue,
                Err(error) => panic!("{error}"),
            };
            let headers = message.headers().into_iter().flat_map(|headers| headers.iter());
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            let is_event = ["-purchases", "-orders"].iter().any(|end| message.topic().ends_with(end));
            if is_event && self.records.len() < MOST_CHECKED {
                let event = serde_json::from_slice(message.payload().unwrap_or_default()).unwrap();
                if let Some(fault) = schema::fault(&event) {
                    panic!("{}/{}@{}: {fault}", message.topic(), message.partition(), message.offset());
                }
            }
            self.records.push(Stored {
                topic: message.topic().to_owned(),
                partition: message.partition(),
                offset: message.offset(),
                timestamp: message.timestamp().to_millis().unwrap_or_default(),
                key: message.key().map(<[u8]>::to_vec),
                value: message.payload().map(<[u8]>::to_vec),
                headers: headers
                    .map(|header| (header.key.to_owned(), text(header.value.unwrap_or_default())))
                    .collect(),
            });
        }
    }

    fn is_at_end(&self) -> bool {
        let positions = self.consumer.position().unwrap();
        self.ends.iter().all(|(topic, number, end)| {
            let position = positions.find_partition(topic, *number).map(|element| element.offset());
            *end == 0 || matches!(position, Some(Offset::Offset(at)) if at >= *end)
        })
    }
}

/// An answer of a broker, which may have come back a moment ago.
fn asked<T>(mut ask: impl FnMut() -> KafkaResult<T>) -> T {
    let deadline = Instant::now() + ASK;
    loop {
        match ask() {
            Ok(answer) => return answer,
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
        thread::sleep(Duration::from_millis(200));
    }
}
