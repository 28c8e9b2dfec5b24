//! The same random inbox through the desk and through the model, output by output.

mod compare;

use std::collections::{BTreeMap, VecDeque};

use hashbuy::core::code::Secret;
use hashbuy::core::desk::{self, Desk, Effects, Progress};
use hashbuy::core::inbox::{Inbox, Key, decode, encode};
use hashbuy::core::time::Time;
use serde_json::Value;

use self::compare::{differ, show};
use crate::common::model::{HOUR, MINUTE, Model, Record, Topic};
use crate::inputs::{self, SECRET, START, bytes};
use crate::shoppers::{Shoppers, To};

const PARTITIONS: usize = 2;

struct Entry {
    appended_at: i64,
    value: Vec<u8>,
    /// What came of it by the desk, and with which `now`.
    found: Vec<String>,
    now: i64,
}

struct Partition {
    log: Vec<Entry>,
    /// The first record that is not decided.
    next: usize,
    desk: Desk,
    model: Model,
    has_settings: bool,
}

/// An event as it was written.
#[derive(Clone)]
pub struct Found {
    pub topic: Topic,
    pub partition: u32,
    pub event: Value,
    pub cause: String,
    pub now: i64,
}

/// Two inbox partitions with their desks and models, and messages between them.
pub struct Run {
    shoppers: Shoppers,
    partitions: Vec<Partition>,
    /// Messages on their way.
    messages: VecDeque<Inbox>,
    /// All events, in the order in which they were written.
    pub events: Vec<Found>,
    /// What has happened, by name.
    pub seen: BTreeMap<String, u64>,
}

impl Run {
    fn new(seed: u64) -> Run {
        let partitions = (0..PARTITIONS).map(|_| Partition {
            log: vec![],
            next: 0,
            desk: Desk::new(Secret::new(SECRET).unwrap()),
            model: Model::new(SECRET),
            has_settings: false,
        });
        Run {
            shoppers: Shoppers::new(seed),
            partitions: partitions.collect(),
            messages: VecDeque::new(),
            events: vec![],
            seen: BTreeMap::new(),
        }
    }

    /// All inbox records: partition, offset, time of the append, value.
    pub fn inbox(&self) -> Vec<(u32, u64, i64, Vec<u8>)> {
        let of = |(p, partition): (usize, &Partition)| {
            let numbered = partition.log.iter().enumerate();
            let entries = numbered.map(|(n, e)| (p as u32, n as u64, e.appended_at, e.value.clone()));
            entries.collect::<Vec<_>>()
        };
        self.partitions.iter().enumerate().flat_map(of).collect()
    }

    fn append(&mut self, to: &To, value: Vec<u8>) {
        let home = |n: u64| vec![n as usize % PARTITIONS];
        let partitions = match to {
            To::Account(id) => home(*id),
            To::Offer(id) => home(u64::from(*id.as_bytes().last().unwrap())),
            To::Card(token) => home(u64::from(*token.as_str().as_bytes().last().unwrap())),
            To::Everywhere => (0..PARTITIONS).collect(),
        };
        for p in partitions {
            let log = &mut self.partitions[p].log;
            let appended_at = self.shoppers.clock;
            log.push(Entry { appended_at, value: value.clone(), found: vec![], now: 0 });
        }
    }

    fn deliver(&mut self, n: usize) {
        for _ in 0..n.min(self.messages.len()) {
            let message = self.messages.pop_front().unwrap();
            let to = match message.key() {
                Key::Account(id) => To::Account(id.get()),
                Key::Offer(id) => To::Offer(id),
                Key::Card(token) => To::Card(token),
                Key::Everywhere => To::Everywhere,
            };
            self.append(&to, encode(&message));
        }
    }

    /// Before a leap of the clock nothing is on its way between an account and a card: how long payments and
    /// answered refusals are remembered would matter, see `known`.
    fn settle_coupons(&mut self) -> Result<(), String> {
        loop {
            (0..PARTITIONS).try_for_each(|p| self.transaction(p, usize::MAX))?;
            let all = std::mem::take(&mut self.messages);
            let is_stock = |m: &Inbox| {
                matches!(
                    m,
                    Inbox::Submitted(_) | Inbox::Sold { .. } | Inbox::Answer { .. } | Inbox::SoldOut { .. }
                )
            };
            let (stocks, cards): (VecDeque<Inbox>, VecDeque<Inbox>) = all.into_iter().partition(is_stock);
            if cards.is_empty() {
                self.messages = stocks;
                return Ok(());
            }
            self.messages = cards;
            self.deliver(usize::MAX);
            self.messages = stocks;
        }
    }

    /// Decides some records of a partition in one transaction; aborts now and then.
    fn transaction(&mut self, p: usize, most: usize) -> Result<(), String> {
        // A clock that is set wrong now and then, by up to an hour.
        let wrong = if self.shoppers.rng.chance(3) { self.shoppers.rng.range(-HOUR, HOUR) } else { 0 };
        let now = self.shoppers.clock + wrong;
        let abort = self.shoppers.rng.chance(10);
        for _ in 0..most {
            let partition = &mut self.partitions[p];
            let Some(entry) = partition.log.get(partition.next) else { break };
            let record: Inbox = decode(&entry.value).unwrap();
            if !partition.has_settings {
                let first =
                    partition.log[partition.next..].iter().find_map(|e| match decode(&e.value).unwrap() {
                        Inbox::Mark { settings, .. } => Some(settings),
                        _ => None,
                    });
                let Some(settings) = first else { break };
                partition.desk.begin_with(settings);
                partition.has_settings = true;
            }
            if abort {
                partition.desk.commit();
                let mut effects = Effects::default();
                let at = Time::from_millis(entry.appended_at);
                let _ = partition.desk.step(&record, at, Time::from_millis(now), &mut effects).unwrap();
                partition.desk.abort();
            }
            self.decide(p, &record, now)?;
        }
        let partition = &mut self.partitions[p];
        partition.desk.commit();
        let (alive, held) = (partition.model.alive(), partition.desk.pendings().count());
        // Before its first mark the model has decided nothing.
        if partition.model.desk_time() > 0 && held != alive.pendings {
            return Err(format!("the desk holds {held} pendings, the model {alive:?}"));
        }
        Ok(())
    }

    /// One record through both.
    fn decide(&mut self, p: usize, record: &Inbox, now: i64) -> Result<(), String> {
        let partition = &mut self.partitions[p];
        let offset = partition.next;
        let appended_at = partition.log[offset].appended_at;
        let mut found = Vec::new();
        loop {
            let mut effects = Effects::default();
            let (at, clock) = (Time::from_millis(appended_at), Time::from_millis(now));
            let progress = partition.desk.step(record, at, clock, &mut effects).unwrap();
            found.extend(effects.outputs);
            for (what, n) in effects.tally.iter() {
                *self.seen.entry(what.as_str().to_owned()).or_default() += n;
            }
            if progress == Progress::Done {
                break;
            }
            partition.desk.commit();
        }
        let value = partition.log[offset].value.clone();
        let input =
            Record { partition: p as u32, offset: offset as u64, appended_at, value: &value, now: Some(now) };
        let expected = partition.model.step(&input);
        partition.next += 1;
        let found = self.take(p, offset, found, now);
        self.count_coupons(&value, &found);
        let log = &mut self.partitions[p].log;
        (log[offset].found, log[offset].now) = (found, now);
        for (of, outputs) in expected {
            if let Some(difference) = differ(outputs, &log[of as usize].found) {
                return Err(self.report(p, of as usize, &difference));
            }
        }
        Ok(())
    }

    /// Performs what the desk wants; returns it in the model's words.
    fn take(&mut self, p: usize, offset: usize, outputs: Vec<desk::Output>, now: i64) -> Vec<String> {
        let mut shown = Vec::new();
        for output in outputs {
            let topic = match &output {
                desk::Output::Event(_) => Topic::Purchases,
                _ => Topic::Orders,
            };
            match output {
                desk::Output::Event(event) | desk::Output::Order(event) => {
                    let value = serde_json::to_value(&event).unwrap();
                    self.shoppers.event(&value);
                    let (partition, cause) = (event.account_id.get() as u32 % 3, format!("{p}/{offset}"));
                    self.events.push(Found { topic, partition, event: value.clone(), cause, now });
                    let kind = value["type"].as_str().unwrap();
                    let why = value.get("reason").or(value.get("cause")).and_then(Value::as_str);
                    let own = if value.get("purchase_id").is_some() { " of a purchase" } else { "" };
                    let name = why.map_or(kind.to_owned(), |why| format!("{why}{own}"));
                    *self.seen.entry(name).or_default() += 1;
                    shown.push(show(topic, value));
                }
                desk::Output::Send(message) => {
                    let value = serde_json::to_value(&message).unwrap();
                    let name = format!("message {}", value["type"].as_str().unwrap());
                    *self.seen.entry(name).or_default() += 1;
                    self.shoppers.cards.sent(&value);
                    shown.push(format!("Message {value}"));
                    self.messages.push_back(message);
                }
            }
        }
        shown
    }

    /// What became of coupons, and by what kind of record.
    fn count_coupons(&mut self, record: &[u8], found: &[String]) {
        let record: Value = serde_json::from_slice(record).unwrap();
        let by = record.get("kind").unwrap_or(&record["type"]).as_str().unwrap();
        for what in ["coupon.redeemed", "coupon.reversed"] {
            let n = found.iter().filter(|one| one.contains(what)).count() as u64;
            if n > 0 {
                *self.seen.entry(format!("{what} by {by}")).or_default() += n;
            }
            if n > 1 {
                *self.seen.entry(format!("several {what}")).or_default() += 1;
            }
        }
    }
}

/// One random run of so many steps.
pub fn run(seed: u64, steps: usize) -> Result<Run, String> {
    let mut run = Run::new(seed);
    // A part of the runs begins with records that wait for the first mark.
    let begin = run.shoppers.begin();
    for (to, record) in begin {
        run.append(&to, bytes(&record));
    }
    for _ in 0..steps {
        let before = run.shoppers.clock;
        let records = run.shoppers.next();
        if run.shoppers.clock > before + 10 * MINUTE {
            run.settle_coupons().map_err(|e| format!("seed {seed}\n{e}"))?;
        }
        for (to, record) in records {
            run.append(&to, bytes(&record));
        }
        let n = run.shoppers.rng.range(0, 6) as usize;
        run.deliver(n);
        for p in 0..PARTITIONS {
            let most = run.shoppers.rng.range(0, 12) as usize;
            run.transaction(p, most).map_err(|e| format!("seed {seed}\n{e}"))?;
        }
    }
    loop {
        for p in 0..PARTITIONS {
            run.transaction(p, usize::MAX).map_err(|e| format!("seed {seed}\n{e}"))?;
        }
        if run.messages.is_empty() {
            break;
        }
        run.deliver(usize::MAX);
    }
    Ok(run)
}

/// A run of these records, those of accounts and cards all in one partition.
pub fn run_of(records: &[Value]) -> Result<Run, String> {
    let mut run = Run::new(0);
    for record in records {
        run.append(&To::Account(0), bytes(record));
    }
    run.transaction(0, usize::MAX)?;
    Ok(run)
}

/// A run in which one mark ends so many purchases in each partition.
pub fn run_of_lapses(each: u64) -> Result<Run, String> {
    let mut run = Run::new(0);
    run.append(&To::Everywhere, bytes(&inputs::mark(START, &inputs::settings(1))));
    let tea = inputs::offer("tea", 1, 100);
    for id in 100..100 + each * PARTITIONS as u64 {
        let record = inputs::account(id, "active", START - 24 * HOUR);
        run.append(&To::Account(id), bytes(&inputs::account_record(id, 1, record)));
        let tweet = inputs::tweet_id(START, id);
        let record = inputs::sighting(id, tweet, tweet, START, &[], &[&tea]);
        run.append(&To::Account(id), bytes(&record));
    }
    run.append(&To::Everywhere, bytes(&inputs::mark(START + HOUR, &inputs::settings(1))));
    (0..PARTITIONS).try_for_each(|p| run.transaction(p, usize::MAX))?;
    Ok(run)
}
