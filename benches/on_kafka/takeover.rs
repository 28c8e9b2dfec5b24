//! How long the partitions of a process stand still that ends, or is killed, until another has taken them over.
//!
//! Two desks share the inbox, and a steady load of requests goes into all of its partitions. One of them is
//! told to end, or is killed. Counted is from that moment until a reader of committed events sees the first
//! event of a partition that the other has taken over, and until it has seen one of each of them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use hashbuy::core::ids::AccountId;
use hashbuy::log::kafka::Settings;
use hashbuy::log::{Isolation, Log as _, Partition, Reader};
use hashbuy::worker::Topics;

use crate::broker::{Broker, CLEAN_UP, PARTITIONS};
use crate::crowd::{self, Shoppers};
use crate::report::{median, seconds};
use crate::service::{How, Service};

/// A request comes once in so long.
const PACE: Duration = Duration::from_millis(10);
/// What is allowed beside the timeouts that have to pass.
const GOAL: Duration = Duration::from_secs(3);
/// Partitions change hands within so long, or not at all.
const PATIENCE: Duration = Duration::from_secs(60);
const RESTORED: &str = "hashbuy_desk_restored_partitions_total";

pub fn measure(broker: &Broker, rounds: usize) {
    const APP: &str = "takeover";
    let topics = broker.topics(APP);
    let load = Load::start(broker, &topics);
    let how = |instance| How { app: APP, topics: &topics, instance, stage: "desk", core: None, more: "" };
    let mut stays = Service::start(broker, &how("a"));
    stays.await_ready();
    let mut events = Events::follow(broker, &topics);
    let Settings { session, transaction, .. } = Settings::new("");
    println!(
        "takeover, settings as shipped: session {}, transaction {}, the broker looks for overdue ones every {}",
        seconds(session),
        seconds(transaction),
        seconds(CLEAN_UP)
    );
    for (name, is_killed, goal) in
        [("SIGTERM", false, GOAL), ("kill -9", true, session.max(transaction + CLEAN_UP) + GOAL)]
    {
        let all: Vec<(Duration, Duration)> = (0..rounds)
            .map(|_| {
                let goes = Service::start(broker, &how("b"));
                round(&mut stays, goes, &mut events, is_killed)
            })
            .collect();
        let (first, each) = (median(all.iter().map(|one| one.0)), median(all.iter().map(|one| one.1)));
        let is_met = all.iter().filter(|(_, each)| *each <= goal).count();
        println!(
            "  {name}: medians {} to the first event, {} to one of each partition; goal {}: met in {is_met} of {rounds}",
            seconds(first),
            seconds(each),
            seconds(goal)
        );
    }
    stays.stop();
    let sent = load.stop();
    println!("  {sent} requests, {} committed", events.count);
}

fn round(
    stays: &mut Service,
    mut goes: Service,
    events: &mut Events,
    is_killed: bool,
) -> (Duration, Duration) {
    let own = goes.wait(|service| {
        let own = restored(&service.log());
        (own.len() == PARTITIONS as usize / 2).then_some(own)
    });
    // It is at work.
    let mut at_work = Instant::now();
    events.await_each(&own, &mut at_work);
    std::thread::sleep(Duration::from_secs(1));
    let before = stays.metric(RESTORED);
    let begun = Instant::now();
    if is_killed {
        goes.kill()
    } else {
        goes.terminate()
    }
    // What comes before is the other's last work.
    while stays.metric(RESTORED) < before + 1.0 {
        assert!(begun.elapsed() < PATIENCE, "not taken over\n{}", stays.log());
        events.read(Duration::from_millis(5));
    }
    let mut back = Instant::now();
    let first = events.await_each(&own, &mut back);
    let each = back;
    println!(
        "  {}: first event after {}, of each of {} partitions after {}",
        if is_killed { "kill -9" } else { "SIGTERM" },
        seconds(first - begun),
        own.len(),
        seconds(each - begun)
    );
    if !is_killed {
        goes.stop();
    }
    (first - begun, each - begun)
}

/// The partitions that a process says it has restored.
fn restored(log: &str) -> Vec<u32> {
    let lines = log.lines().filter_map(|line| line.split_once(": partition ")?.1.split_once(" restored, "));
    let mut own: Vec<u32> = lines.filter_map(|(number, _)| number.parse().ok()).collect();
    own.sort_unstable();
    own.dedup();
    own
}

/// Requests of new accounts, one after the other.
struct Load {
    ending: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
    thread: JoinHandle<()>,
}

impl Load {
    fn start(broker: &Broker, topics: &Topics) -> Load {
        let (ending, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let mut producer = broker.log.producer().expect("a producer");
        let (topics, is_ending, count) = (topics.clone(), Arc::clone(&ending), Arc::clone(&sent));
        let thread = std::thread::spawn(move || {
            let mut shoppers = Shoppers::new();
            let mut marked = None::<Instant>;
            while !is_ending.load(Ordering::Relaxed) {
                if marked.is_none_or(|marked| marked.elapsed() >= Duration::from_secs(1)) {
                    crowd::mark(&mut *producer, &topics, shoppers.now());
                    marked = Some(Instant::now());
                }
                shoppers.ask(&mut *producer, &topics);
                count.fetch_add(1, Ordering::Relaxed);
                std::thread::sleep(PACE);
            }
        });
        Load { ending, sent, thread }
    }

    fn stop(self) -> u64 {
        self.ending.store(true, Ordering::Relaxed);
        self.thread.join().expect("a load");
        self.sent.load(Ordering::Relaxed)
    }
}

/// What is committed, and when the last event of each inbox partition was seen.
struct Events {
    reader: Box<dyn Reader + Send>,
    last: BTreeMap<u32, Instant>,
    count: u64,
}

impl Events {
    fn follow(broker: &Broker, topics: &Topics) -> Events {
        let mut reader = broker.log.reader(Isolation::Committed).expect("a reader");
        let from = (0..PARTITIONS).map(|number| (Partition::new(topics.purchases.as_str(), number), 0));
        reader.assign(&from.collect::<Vec<_>>()).expect("partitions");
        Events { reader, last: BTreeMap::new(), count: 0 }
    }

    fn read(&mut self, wait: Duration) {
        let (last, count) = (&mut self.last, &mut self.count);
        self.reader
            .poll(wait, &mut |message| {
                let event: serde_json::Value =
                    serde_json::from_slice(message.value.unwrap_or_default()).expect("an event");
                let account = event["account_id"].as_str().and_then(AccountId::parse).expect("an account");
                last.insert(crowd::partition(account), Instant::now());
                *count += 1;
            })
            .expect("events");
    }

    /// Waits until events of each of these partitions have come after a moment, which becomes that of the
    /// last of them. Returns that of the first.
    fn await_each(&mut self, partitions: &[u32], after: &mut Instant) -> Instant {
        let begun = Instant::now();
        let mut seen = BTreeMap::new();
        while seen.len() < partitions.len() {
            assert!(begun.elapsed() < PATIENCE, "no events of partitions {partitions:?}");
            self.read(Duration::from_millis(5));
            for (number, at) in
                self.last.iter().filter(|(number, at)| partitions.contains(number) && **at > *after)
            {
                seen.entry(*number).or_insert(*at);
            }
        }
        *after = seen.values().max().copied().unwrap_or(begun);
        seen.values().min().copied().unwrap_or(begun)
    }
}
