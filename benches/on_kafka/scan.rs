//! The scan worker beside a loop that only counts, on the same topic, in turns.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hashbuy::log::Log;
use hashbuy::service::MachineClock;
use hashbuy::worker::scan::{ScanOptions, ScanWorker};
use hashbuy::worker::{Clock, Topics};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};

use crate::broker::Broker;
use crate::{cpu, firehose};

/// What one pass over the topic took.
struct Pass {
    wall: Duration,
    cpu: Duration,
}

pub fn measure(broker: &Broker, tweets: u64, rounds: usize) {
    let topics = broker.topics("scan");
    let mut producer = broker.log.producer().expect("a producer");
    let now = MachineClock.now();
    firehose::tables(&mut *producer, &topics.offers, &topics.accounts, now);
    let began = Instant::now();
    let bytes = firehose::fill(&mut *producer, &topics.tweets, tweets, now.plus(-3_600_000));
    println!(
        "{tweets} records, {:.0} bytes each, made and written in {:.1} s\n",
        bytes as f64 / tweets as f64,
        began.elapsed().as_secs_f64()
    );
    drop(producer);
    println!("round              tweets/s  CPU-s per million  tweets per CPU-s   scan / count");
    let (mut counts, mut scans, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..rounds {
        // Whoever comes second finds what the first has warmed: they take turns at that, too.
        let count = || Pass::of(|| count(broker, &topics, tweets, round));
        let scan = || Pass::of(|| scan(broker, &topics, tweets, round));
        let (counted, scanned) = if round % 2 == 0 {
            let counted = count();
            (counted, scan())
        } else {
            let scanned = scan();
            (count(), scanned)
        };
        let ratio = scanned.per_cpu_second(tweets) / counted.per_cpu_second(tweets);
        counted.print(round, "count", tweets, None);
        scanned.print(round, "scan", tweets, Some(ratio));
        counts.push(counted.per_cpu_second(tweets));
        scans.push(scanned.per_cpu_second(tweets));
        ratios.push(ratio);
    }
    println!(
        "median   count {:.0}, scan {:.0} tweets per CPU-second; scan / count {:.2}\n",
        median(counts),
        median(scans),
        median(ratios)
    );
}

impl Pass {
    fn of(work: impl FnOnce()) -> Pass {
        let (wall, cpu) = (Instant::now(), cpu::spent());
        work();
        Pass { wall: wall.elapsed(), cpu: cpu::spent() - cpu }
    }

    fn per_cpu_second(&self, tweets: u64) -> f64 {
        tweets as f64 / self.cpu.as_secs_f64()
    }

    fn print(&self, round: usize, what: &str, tweets: u64, ratio: Option<f64>) {
        println!(
            "{round:<5}    {what:<6} {:>11.0} {:>18.2} {:>17.0} {}",
            tweets as f64 / self.wall.as_secs_f64(),
            self.cpu.as_secs_f64() * 1e6 / tweets as f64,
            self.per_cpu_second(tweets),
            ratio.map_or_else(String::new, |ratio| format!("{ratio:>14.2}"))
        );
    }
}

/// Polls and counts; with the settings of the scan's own consumer that bear on speed.
fn count(broker: &Broker, topics: &Topics, tweets: u64, round: usize) {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", &broker.bootstrap)
        .set("group.id", format!("count-{round}"))
        .set("auto.offset.reset", "earliest")
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("queued.max.messages.kbytes", "8192")
        .set("fetch.message.max.bytes", "262144")
        .set("fetch.queue.backoff.ms", "1")
        .set("fetch.wait.max.ms", "100");
    for (name, value) in &broker.properties {
        config.set(name, value);
    }
    let consumer: BaseConsumer = config.create().expect("a consumer");
    consumer.subscribe(&[&topics.tweets]).expect("a topic");
    let mut count = 0;
    while count < tweets {
        match consumer.poll(Duration::from_millis(100)) {
            Some(Ok(_)) => count += 1,
            Some(Err(error)) => panic!("{error}"),
            None => {}
        }
    }
}

fn scan(broker: &Broker, topics: &Topics, tweets: u64, round: usize) {
    let options = ScanOptions {
        app: format!("scan-{round}"),
        topics: topics.clone(),
        code_prefix: "Confirm".to_owned(),
        ignored: HashSet::new(),
        strangers_per_second: 10,
        max_record_bytes: 4 << 20,
    };
    let log: Arc<dyn Log> = broker.log.clone();
    let mut worker = ScanWorker::new(log, Arc::new(MachineClock), options).expect("a worker");
    let mut count = 0;
    while count < tweets {
        worker.turn(Duration::from_millis(100)).expect("a turn");
        count += worker.take_seen().records;
    }
    worker.leave().expect("a commit");
    assert_eq!(count, tweets);
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
