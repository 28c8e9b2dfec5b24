//! A fleet of workers on one memory log, on one thread, with time of its own.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use fastrand::Rng;
use hashbuy::core::code::Secret;
use hashbuy::core::event::Event;
use hashbuy::core::settings::Settings;
use hashbuy::core::tally::Tally;
use hashbuy::core::time::Time;
use hashbuy::firehose::{Happening, Maker, Shoppers};
use hashbuy::log::memory::{Cleanup, MemoryLog, MemorySettings, Record, Timestamps, TopicSettings};
use hashbuy::log::{Log, NewRecord, Partition, Producer};
use hashbuy::worker::desk::{DeskOptions, DeskWorker, PATIENCE};
use hashbuy::worker::feeder::{FeederOptions, FeederWorker};
use hashbuy::worker::keeper::{Holds, Keeper, KeeperOptions, Silence};
use hashbuy::worker::partitioner::partition_of;
use hashbuy::worker::scan::{ScanOptions, ScanWorker};
use hashbuy::worker::{Clock, Topics};
use serde_json::Value;

use crate::schema;

pub const START: i64 = 1_360_756_800_000;
pub const TWEETS: u32 = 3;
pub const INBOX: u32 = 4;

/// A clock that is moved by hand.
#[derive(Clone, Default)]
pub struct Hand(Arc<AtomicI64>);

impl Clock for Hand {
    fn now(&self) -> Time {
        Time::from_millis(self.0.load(Ordering::SeqCst))
    }
}

impl Hand {
    pub fn set(&self, millis: i64) {
        self.0.store(millis, Ordering::SeqCst);
    }
}

/// Everything.
pub struct Fleet {
    pub hand: Hand,
    pub log: MemoryLog,
    pub rng: Rng,
    topics: Topics,
    writer: Box<dyn Producer + Send>,
    pub scans: Vec<ScanWorker>,
    feeder: FeederWorker,
    keeper: Keeper,
    pub desks: BTreeMap<u32, DeskWorker>,
    pub holds: Option<Holds>,
    /// Committed events, as the workers tell.
    pub told: Vec<Event>,
    pub aborts: u64,
    pub restored: usize,
    pub sought: u64,
    /// What led to nothing.
    pub nothing: Tally,
    /// From requests to the tweets whose codes were taken, in milliseconds.
    pub confirm_times: Vec<i64>,
    /// Accounts whose codes were locked.
    pub lockouts: usize,
}

/// How a desk worker of the fleet is.
pub fn desk_options(number: u32) -> DeskOptions {
    DeskOptions {
        app: "app".into(),
        instance: number.to_string(),
        topics: Topics::default(),
        secret: Secret::published(),
        patience: PATIENCE,
    }
}

fn feeder(log: Arc<dyn Log>, clock: Arc<dyn Clock>) -> FeederWorker {
    let options = FeederOptions {
        app: "app".into(),
        topics: Topics::default(),
        code_prefix: "Confirm".into(),
        epoch: 0,
    };
    FeederWorker::new(log, clock, options).unwrap()
}

impl Fleet {
    pub fn new(seed: u64, scans: u32, desks: u32) -> Fleet {
        Fleet::with_silence(Silence::Wait, seed, scans, desks)
    }

    /// A fleet for which time does this when the firehose is silent.
    pub fn with_silence(silence: Silence, seed: u64, scans: u32, desks: u32) -> Fleet {
        let hand = Hand::default();
        hand.0.store(START, Ordering::SeqCst);
        let clock = hand.clone();
        let settings = MemorySettings { blocks: false, batch: 50, ..MemorySettings::default() };
        let log = MemoryLog::new(Arc::new(move || clock.now()), settings);
        let topics = Topics::default();
        let made =
            |partitions, cleanup| TopicSettings { partitions, timestamps: Timestamps::Append, cleanup };
        for (topic, partitions, cleanup) in [
            (&topics.tweets, TWEETS, Cleanup::Keep),
            (&topics.offers, 1, Cleanup::Compact),
            (&topics.accounts, 2, Cleanup::Compact),
            (&topics.card_transactions, 2, Cleanup::Keep),
            (&topics.inbox, INBOX, Cleanup::Keep),
            (&topics.changelog, INBOX, Cleanup::Compact),
            (&topics.purchases, 2, Cleanup::Keep),
            (&topics.orders, 2, Cleanup::Keep),
            (&topics.dead_letters, 1, Cleanup::Keep),
        ] {
            log.create_topic(topic, made(partitions, cleanup)).unwrap();
        }
        let shared: Arc<dyn Log> = Arc::new(log.clone());
        let clock: Arc<dyn Clock> = Arc::new(hand.clone());
        let scan = || {
            let options = ScanOptions {
                app: "app".into(),
                topics: topics.clone(),
                code_prefix: "Confirm".into(),
                ignored: HashSet::new(),
                strangers_per_second: 10,
                max_record_bytes: 4 << 20,
            };
            ScanWorker::new(Arc::clone(&shared), Arc::clone(&clock), options).unwrap()
        };
        let keeper = KeeperOptions {
            app: "app".into(),
            topics: topics.clone(),
            settings: Settings::default().into(),
            silence,
        };
        let mut fleet = Fleet {
            rng: Rng::with_seed(seed),
            writer: log.producer().unwrap(),
            scans: (0..scans).map(|_| scan()).collect(),
            feeder: feeder(Arc::clone(&shared), Arc::clone(&clock)),
            keeper: Keeper::new(shared, clock, keeper).unwrap(),
            desks: BTreeMap::new(),
            hand,
            log,
            topics,
            holds: None,
            told: Vec::new(),
            aborts: 0,
            restored: 0,
            sought: 0,
            nothing: Tally::default(),
            confirm_times: Vec::new(),
            lockouts: 0,
        };
        (0..desks).for_each(|number| fleet.start_desk(number));
        fleet
    }

    pub fn now(&self) -> Time {
        self.hand.now()
    }

    /// How far the keeper's marks have come.
    pub fn keeper_time(&self) -> Time {
        self.keeper.time()
    }

    pub fn pass(&self, millis: i64) {
        self.hand.0.fetch_add(millis, Ordering::SeqCst);
    }

    pub fn start_desk(&mut self, number: u32) {
        let worker = self.desk_on(Arc::new(self.log.clone()), Arc::new(self.hand.clone()), number);
        self.desks.insert(number, worker);
    }

    /// A desk worker on a log and with a clock that may be others than the fleet's.
    pub fn desk_on(&self, log: Arc<dyn Log>, clock: Arc<dyn Clock>, number: u32) -> DeskWorker {
        DeskWorker::new(log, clock, desk_options(number)).unwrap()
    }

    /// As kill -9 does: nothing is finished, nobody is told.
    pub fn kill_desk(&mut self, number: u32) {
        drop(self.desks.remove(&number));
    }

    /// As SIGTERM does: what is open is finished, the others take over.
    pub fn leave_desk(&mut self, number: u32) {
        if let Some(desk) = self.desks.remove(&number) {
            let (done, _) = desk.leave().unwrap_or_else(|stop| panic!("desk {number}: {stop}"));
            self.told.extend(done.events);
        }
    }

    pub fn write(&mut self, topic: &str, partition: u32, key: Option<Vec<u8>>, value: Option<Vec<u8>>) {
        let partition = Partition::new(topic, partition);
        self.writer.send(NewRecord { partition, key, value, headers: vec![] }).unwrap();
    }

    /// Another feeder takes the place of the present one.
    pub fn restart_feeder(&mut self) {
        let new = feeder(Arc::new(self.log.clone()), Arc::new(self.hand.clone()));
        std::mem::replace(&mut self.feeder, new).leave().unwrap();
    }

    /// Whether what was in the tables when the feeder began is in the inbox.
    pub fn is_fed(&mut self) -> bool {
        self.feeder.has_passed_the_start().unwrap()
    }

    /// What happens in the made-up world.
    pub fn happen(&mut self, happening: Happening) {
        let topics = self.topics.clone();
        match happening {
            Happening::Record(bytes) => {
                let partition = self.rng.u32(0..TWEETS);
                self.write(&topics.tweets, partition, None, Some(bytes));
            }
            Happening::Offer { id, json } => {
                self.write(&topics.offers, 0, Some(id.into_bytes()), Some(json.into_bytes()));
            }
            Happening::Account { id, json } => {
                let key = id.to_string().into_bytes();
                let partition = partition_of(&key, 2);
                self.write(&topics.accounts, partition, Some(key), json.map(String::into_bytes));
            }
            Happening::Transaction { card, json } => {
                let key = card.as_str().as_bytes().to_vec();
                let partition = partition_of(&key, 2);
                self.write(&topics.card_transactions, partition, Some(key), Some(json.into_bytes()));
            }
        }
    }

    /// One turn of every worker, in an order that chance makes.
    pub fn turn(&mut self) {
        let mut order: Vec<u32> = (0..100).filter(|n| self.desks.contains_key(n)).collect();
        self.rng.shuffle(&mut order);
        for number in order {
            if let Some(desk) = self.desks.get_mut(&number) {
                desk.turn(Duration::ZERO).unwrap_or_else(|stop| panic!("desk {number}: {stop}"));
                let done = desk.take_done();
                self.told.extend(done.events);
                self.aborts += done.aborts;
                self.restored += done.restored.len();
                self.sought += done.sought;
                self.nothing.add(&done.nothing);
                self.confirm_times.extend(done.confirm_times);
                self.lockouts += done.lockouts.len();
            }
        }
        for scan in &mut self.scans {
            scan.turn(Duration::ZERO).unwrap_or_else(|stop| panic!("scan: {stop}"));
        }
        self.feeder.turn(Duration::ZERO).unwrap_or_else(|stop| panic!("feeder: {stop}"));
        self.holds = self.keeper.turn().unwrap_or_else(|stop| panic!("keeper: {stop}")).or(self.holds.take());
    }

    /// Plays shoppers for so many seconds, 200 ms at a time, with `at_times` in between.
    pub fn play(
        &mut self,
        shoppers: &mut Shoppers,
        maker: &mut Maker,
        seconds: i64,
        mut at_times: impl FnMut(&mut Fleet),
    ) {
        for _ in 0..seconds * 5 {
            self.pass(200);
            while let Some(happening) = shoppers.next(self.now(), maker) {
                self.happen(happening);
            }
            // Somebody always tweets about nothing, in every partition: time goes on.
            for partition in 0..TWEETS {
                let noise = maker.noise(self.now()).to_vec();
                self.write("tweets", partition, None, Some(noise));
            }
            at_times(self);
            (0..3).for_each(|_| self.turn());
        }
    }

    pub fn events(&self, topic: &str) -> Vec<Value> {
        let records: Vec<Record> = self.log.records(topic).unwrap();
        let event = |record: &Record| {
            let event = serde_json::from_slice(record.value.as_ref().unwrap()).unwrap();
            assert_eq!(schema::fault(&event), None, "not as published");
            event
        };
        records.iter().map(event).collect()
    }

    pub fn purchases(&self) -> Vec<Value> {
        self.events(&self.topics.purchases)
    }

    pub fn orders(&self) -> Vec<Value> {
        self.events(&self.topics.orders)
    }
}
