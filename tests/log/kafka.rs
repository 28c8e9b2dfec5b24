//! The Kafka log under test: a real broker for the whole run, and topics and names of each case's own.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use hashbuy::log::kafka::{KafkaLog, Settings};
use hashbuy::log::{Log, Partition, Standing};
use libtest_mimic::{Failed, Trial};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::{BorrowedMessage, Headers as _, Message as _};
use rdkafka::producer::{DefaultProducerContext, Producer as _, ThreadedProducer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use crate::broker::{self, Broker};
use crate::bulk_cases;
use crate::cases;
use crate::fixture::{FILLER, Fixture, Stored, Topic};
use crate::kafka_cases;
use crate::trials::unless;

/// A broker that is started when the first case needs it, and stopped when this is dropped.
#[derive(Default)]
pub struct Shared {
    broker: OnceLock<Result<Arc<Broker>, String>>,
}

impl Shared {
    fn fixture(&self) -> Result<Kafka, Failed> {
        let broker = self.broker.get_or_init(|| Broker::up("log").map(Arc::new));
        Ok(Kafka::new(broker.as_ref().map_err(Failed::from)?))
    }
}

/// Adds the cases as trials. Without Java and Maven they are ignored, unless the environment says that
/// they must not be.
pub fn trials(trials: &mut Vec<Trial>) -> Arc<Shared> {
    let shared = Arc::new(Shared::default());
    let required = std::env::var(broker::REQUIRE).is_ok_and(|value| value == "1");
    let missing = Broker::missing().filter(|_| !required);
    let mut add = |name: &str, run: Box<dyn FnOnce(&Kafka) + Send>| {
        let shared = Arc::clone(&shared);
        let trial = Trial::test(format!("kafka::{name}"), move || {
            run(&shared.fixture()?);
            Ok(())
        });
        trials.push(unless(missing.clone(), trial));
    };
    for &(name, case) in cases::ALL.iter().chain(kafka_cases::ALL) {
        add(name, Box::new(move |kafka| case(kafka)));
    }
    for &(name, case) in bulk_cases::ALL {
        add(name, Box::new(case));
    }
    shared
}

/// How long a question to the broker may take.
const ASK: Duration = Duration::from_secs(30);
/// A segment this old ends with the next record, and can be compacted.
const SEGMENT: Duration = Duration::from_millis(500);

/// Short timeouts: the cases wait for sessions and transactions to end.
pub fn settings(bootstrap: &str) -> Settings {
    let seconds = Duration::from_secs;
    Settings { transaction: seconds(5), session: seconds(4), poll: seconds(6), ..Settings::new(bootstrap) }
}

/// The log of a broker, for one case.
pub struct Kafka {
    broker: Arc<Broker>,
    pub log: KafkaLog,
    prefix: String,
}

impl Kafka {
    pub fn new(broker: &Arc<Broker>) -> Kafka {
        static CASES: AtomicUsize = AtomicUsize::new(0);
        let prefix = format!("case-{}", CASES.fetch_add(1, Ordering::Relaxed));
        let log = KafkaLog::connect(settings(&broker.bootstrap)).unwrap();
        Kafka { broker: Arc::clone(broker), log, prefix }
    }

    fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.broker.bootstrap);
        config
    }

    /// How many partitions a topic has.
    fn count(&self, topic: &str) -> i32 {
        let consumer: BaseConsumer = self.client().create().unwrap();
        let metadata = consumer.fetch_metadata(Some(topic), ASK).unwrap();
        i32::try_from(metadata.topics()[0].partitions().len()).unwrap()
    }
}

impl Fixture for Kafka {
    fn log(&self) -> &dyn Log {
        &self.log
    }

    fn name(&self, of: &str) -> String {
        format!("{}-{of}", self.prefix)
    }

    fn create(&self, topic: &str, settings: Topic) {
        let millis = SEGMENT.as_millis().to_string();
        let timestamps = if settings.append_time { "LogAppendTime" } else { "CreateTime" };
        let mut all = vec![("message.timestamp.type", timestamps)];
        if settings.compacted {
            all.extend([
                ("cleanup.policy", "compact"),
                ("segment.ms", &millis),
                ("min.cleanable.dirty.ratio", "0.0001"),
            ]);
        }
        let max_bytes = settings.max_bytes.map(|bytes| bytes.to_string());
        all.extend(max_bytes.as_deref().map(|bytes| ("max.message.bytes", bytes)));
        self.broker.create(topic, settings.partitions, &all);
        self.broker.await_partitions(topic, settings.partitions);
    }

    fn grow(&self, topic: &str, partitions: u32) {
        self.broker.grow(topic, partitions);
        self.broker.await_partitions(topic, partitions);
    }

    fn trim(&self, partition: &Partition, offset: u64) {
        self.broker.trim(partition, offset);
    }

    fn compact(&self, topic: &str) {
        // What is in the segment that is being written is never compacted: end it.
        thread::sleep(SEGMENT * 2);
        let mut producer = self.log.producer().unwrap();
        for number in 0..self.count(topic) {
            let partition = Partition::new(topic, u32::try_from(number).unwrap());
            let (key, value) = (Some(FILLER.to_vec()), Some(b"filler".to_vec()));
            producer.send(hashbuy::log::NewRecord { partition, key, value, headers: Vec::new() }).unwrap();
        }
        assert_eq!(producer.outstanding(ASK), Ok(0));
    }

    fn records(&self, topic: &str) -> Vec<Stored> {
        let consumer: BaseConsumer = self.client().set("group.id", "records").create().unwrap();
        let mut stored = Vec::new();
        for number in 0..self.count(topic) {
            let (low, high) = consumer.fetch_watermarks(topic, number, ASK).unwrap();
            let mut list = TopicPartitionList::new();
            list.add_partition_offset(topic, number, Offset::Offset(low)).unwrap();
            consumer.assign(&list).unwrap();
            let deadline = Instant::now() + ASK;
            let position = || match consumer.position().unwrap().elements()[0].offset() {
                Offset::Offset(offset) => offset,
                _ => low,
            };
            while position() < high {
                assert!(Instant::now() < deadline, "{topic}/{number} is not read up to {high}");
                if let Some(message) = consumer.poll(Duration::from_millis(50)) {
                    stored.push(copy(&message.unwrap()));
                }
            }
        }
        stored
    }

    fn half_commit(&self, id: &str, group: &str, offsets: &[(Partition, u64)], _: &Standing) {
        let producer: ThreadedProducer<DefaultProducerContext> = self
            .client()
            .set("transactional.id", id)
            .set("transaction.timeout.ms", settings("").transaction.as_millis().to_string())
            .create()
            .unwrap();
        // Who belongs to no generation is believed.
        let stranger: BaseConsumer = self.client().set("group.id", group).create().unwrap();
        let mut list = TopicPartitionList::new();
        for (partition, offset) in offsets {
            let (number, offset) = (i32::try_from(partition.number), i64::try_from(*offset));
            list.add_partition_offset(&partition.topic, number.unwrap(), Offset::Offset(offset.unwrap()))
                .unwrap();
        }
        producer.init_transactions(ASK).unwrap();
        producer.begin_transaction().unwrap();
        producer.send_offsets_to_transaction(&list, &stranger.group_metadata().unwrap(), ASK).unwrap();
    }

    fn pass(&self, time: Duration) {
        thread::sleep(time);
    }

    fn wait(&self) -> Duration {
        Duration::from_millis(20)
    }
}

fn copy(message: &BorrowedMessage<'_>) -> Stored {
    let headers = message.headers().map(|headers| {
        headers
            .iter()
            .map(|header| (header.key.to_owned(), header.value.unwrap_or_default().to_vec()))
            .collect()
    });
    Stored {
        partition: u32::try_from(message.partition()).unwrap(),
        offset: u64::try_from(message.offset()).unwrap(),
        key: message.key().map(<[u8]>::to_vec),
        value: message.payload().map(<[u8]>::to_vec),
        headers: headers.unwrap_or_default(),
    }
}
