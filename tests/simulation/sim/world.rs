//! The world: what is due next, in simulated time, and what the seed does in between.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use fastrand::Rng;
use hashbuy::core::settings::Settings;
use hashbuy::core::time::Time;
use hashbuy::log::memory::{Cleanup, MemoryLog, MemorySettings, Timestamps, TopicSettings};
use hashbuy::log::{Isolation, Kind as ErrorKind, Log, Partition, Reader};
use hashbuy::worker::keeper::Silence;
use hashbuy::worker::{Stop, Turn};
use serde_json::Value;

use super::Report;
use super::bank::Bank;
use super::broker::Broker;
use super::chaos::{Life, Point};
use super::firehose::{ACCOUNTS, Firehose};
use super::people::People;
use super::process::{Process, Role, Setup, Slot, Stage};
use super::swarm::{Kind, Swarm};
use super::trace::Trace;
use super::wallets::SETTLEMENT;
use super::watch::{Sent, Watch};

/// When every run begins, in milliseconds.
pub const START: i64 = 1_360_756_800_000;
/// Workers that stand still within each other at most.
pub const DEPTH: u32 = 3;
/// What is pending at the end has so long to come to its end, in simulated milliseconds: a clock may have been
/// an hour ahead.
const QUIET: i64 = 100 * 60_000;

thread_local! {
    static WORLD: RefCell<Option<Rc<World>>> = const { RefCell::new(None) };
}

fn world() -> Option<Rc<World>> {
    WORLD.with(|world| world.borrow().clone())
}

/// The time, in milliseconds since 1970.
pub fn now() -> i64 {
    world().map_or(START, |world| world.now())
}

/// One more line of the trace.
pub fn say(who: &str, what: fmt::Arguments<'_>) {
    if let Some(world) = world() {
        world.say(who, what);
    }
}

/// A worker of a process has come to a point in its code, before a call or behind it.
pub fn reached(life: &Life, point: Point, behind: bool) {
    if let Some(world) = world() {
        world.reached(life, point, behind);
    }
}

/// Whether the transaction that is committed now ends late.
pub fn ends_late(life: &Life) -> bool {
    world().is_some_and(|world| world.ends_late(life))
}

/// Something that happens later, and says what came of it.
pub type Deed = Box<dyn FnOnce() -> String>;

/// Does something in a while.
pub fn later(deed: Deed) {
    if let Some(world) = world() {
        let due = world.now() + world.dice(Kind::LateEnd, |rng| rng.i64(50..15_000));
        world.deeds.borrow_mut().push((due, deed));
    }
}

/// Something that waits for a worker to come by.
#[derive(Debug, Clone, Copy)]
pub enum Ambush {
    Crash { point: Point, behind: bool },
    Freeze { point: Point, behind: bool, millis: i64 },
    LateEnd,
}

/// A place for a process, whichever runs there.
pub struct Place {
    pub instance: String,
    pub stage: Stage,
    pub process: RefCell<Option<Rc<Process>>>,
    /// Nothing runs there until then.
    down_until: Cell<i64>,
    /// It is given up then; processes that are there for a while only.
    until: i64,
    /// How wrong its clock is, in milliseconds, and until when.
    pub ahead: Cell<(i64, i64)>,
    /// The revision of the settings that the next process there begins with.
    pub revision: Cell<u64>,
}

pub struct World {
    now: Arc<AtomicI64>,
    pub log: MemoryLog,
    pub swarm: Swarm,
    pub broker: Broker,
    rng: RefCell<Rng>,
    dice: RefCell<BTreeMap<Kind, Rng>>,
    trace: RefCell<Trace>,
    pub places: RefCell<Vec<Rc<Place>>>,
    pub ambushes: RefCell<Vec<Ambush>>,
    pub deeds: RefCell<Vec<(i64, Deed)>>,
    pub firehose: RefCell<Firehose>,
    pub bank: RefCell<Bank>,
    pub people: RefCell<People>,
    events: RefCell<Box<dyn Reader + Send>>,
    watch: RefCell<Watch>,
    pub depth: Cell<u32>,
    /// No more faults.
    pub quiet: Cell<bool>,
    /// Nothing new either.
    closing: Cell<bool>,
    next_second: Cell<i64>,
    next_people: Cell<i64>,
    /// Time in which nothing ran, in milliseconds.
    skipped: Cell<i64>,
    turns: Cell<u64>,
    faults: RefCell<BTreeMap<Kind, u64>>,
    /// Names that two processes have had at a time: both may end because of it, however late they notice.
    pub twins: RefCell<BTreeSet<String>>,
    failure: RefCell<Option<String>>,
    pub guests: Cell<u32>,
    pub revision: Cell<u64>,
}

/// Runs a seed to its end.
pub fn run(seed: u64, swarm: Swarm) -> Report {
    let world = Rc::new(World::new(seed, swarm));
    WORLD.with(|place| place.replace(Some(Rc::clone(&world))));
    // A panic is a failure like any other: the trace says what led to it.
    let played = catch_unwind(AssertUnwindSafe(|| world.play()));
    WORLD.with(|place| place.replace(None));
    if played.is_err() {
        world.fail("it has panicked; where and why stands above".to_owned());
    }
    world.report(seed)
}

impl World {
    fn new(seed: u64, swarm: Swarm) -> World {
        let now = Arc::new(AtomicI64::new(START));
        let clock = Arc::clone(&now);
        let settings = MemorySettings { blocks: false, batch: swarm.batch, ..MemorySettings::default() };
        let log =
            MemoryLog::new(Arc::new(move || Time::from_millis(clock.load(Ordering::Relaxed))), settings);
        for (topic, partitions, cleanup) in [
            ("tweets", swarm.tweets, Cleanup::Keep),
            ("offers", 1, Cleanup::Compact),
            ("accounts", ACCOUNTS, Cleanup::Compact),
            ("card-transactions", swarm.cards, Cleanup::Keep),
            ("inbox", swarm.inbox, Cleanup::Keep),
            ("desk-changelog", swarm.inbox, Cleanup::Compact),
            ("purchases", 2, Cleanup::Keep),
            ("orders", 2, Cleanup::Keep),
            ("dead-letters", 1, Cleanup::Keep),
        ] {
            let timestamps = Timestamps::Append;
            log.create_topic(topic, TopicSettings { partitions, timestamps, cleanup }).unwrap();
        }
        let broker = Broker::haunt(&log, Arc::clone(&now));
        let mut firehose = Firehose::new(&log, seed, swarm.tweets);
        let mut people = People::new(seed);
        people.open(&mut firehose);
        let mut events = log.reader(Isolation::Committed).unwrap();
        events.assign(&[0, 1].map(|number| (Partition::new("purchases", number), 0))).unwrap();
        let dice = Kind::ALL.into_iter().zip(1..);
        let dice = dice.map(|(kind, n): (Kind, u64)| (kind, Rng::with_seed(seed.wrapping_mul(31) ^ n << 40)));
        World {
            watch: RefCell::new(Watch::new(&log, swarm.inbox)),
            now,
            broker,
            rng: RefCell::new(Rng::with_seed(seed)),
            dice: RefCell::new(dice.collect()),
            trace: RefCell::default(),
            places: RefCell::default(),
            ambushes: RefCell::default(),
            deeds: RefCell::default(),
            firehose: RefCell::new(firehose),
            bank: RefCell::new(Bank::new(&log, seed, swarm.cards)),
            people: RefCell::new(people),
            events: RefCell::new(events),
            depth: Cell::new(0),
            quiet: Cell::new(false),
            closing: Cell::new(false),
            next_second: Cell::new(START),
            next_people: Cell::new(START),
            skipped: Cell::new(0),
            turns: Cell::new(0),
            faults: RefCell::default(),
            twins: RefCell::default(),
            failure: RefCell::default(),
            guests: Cell::new(0),
            revision: Cell::new(1),
            log,
            swarm,
        }
    }

    pub fn now(&self) -> i64 {
        self.now.load(Ordering::Relaxed)
    }

    pub fn pass(&self, millis: i64) {
        self.now.fetch_add(millis, Ordering::Relaxed);
    }

    pub fn say(&self, who: &str, what: fmt::Arguments<'_>) {
        self.trace.borrow_mut().say(self.now() - START, who, what);
    }

    fn fail(&self, what: String) {
        self.say("FAILED", format_args!("{what}"));
        self.failure.borrow_mut().get_or_insert(what);
    }

    fn failed(&self) -> bool {
        self.failure.borrow().is_some()
    }

    pub fn draw<T>(&self, with: impl FnOnce(&mut Rng) -> T) -> T {
        with(&mut self.rng.borrow_mut())
    }

    pub fn dice<T>(&self, kind: Kind, with: impl FnOnce(&mut Rng) -> T) -> T {
        with(self.dice.borrow_mut().get_mut(&kind).unwrap())
    }

    pub fn count(&self, kind: Kind) {
        *self.faults.borrow_mut().entry(kind).or_default() += 1;
    }

    pub fn place(&self, instance: String, stage: Stage, until: i64) {
        self.places.borrow_mut().push(Rc::new(Place {
            instance,
            stage,
            process: RefCell::default(),
            down_until: Cell::new(0),
            until,
            ahead: Cell::new((0, 0)),
            revision: Cell::new(self.revision.get()),
        }));
    }

    /// From the first tweet to the last end of a purchase.
    fn play(&self) {
        for number in 0..self.swarm.processes {
            let stage = match number % 2 {
                0 if self.swarm.apart => Stage::Scan,
                _ if self.swarm.apart => Stage::Desk,
                _ => Stage::All,
            };
            self.place(format!("{number}"), stage, i64::MAX);
        }
        let (millis, has_week) = (self.swarm.seconds * 1_000, self.swarm.rates.contains_key(&Kind::Week));
        if has_week {
            self.run_until(START + millis * 2 / 3);
            self.week();
            self.run_until(self.now() + millis / 3);
        } else {
            self.run_until(START + millis);
        }
        self.calm();
        let until = self.now() + QUIET;
        while !self.failed() && self.now() < until {
            self.run_until(self.now() + 20_000);
            self.look();
            let (firehose, bank) = (self.firehose.borrow(), self.bank.borrow());
            let sent = Sent { tweets: &firehose.stream.delivered, transactions: &bank.stream.delivered };
            let is_settled = || self.watch.borrow_mut().is_settled(sent);
            let is_here = !firehose.stream.holds_back() && !bank.stream.holds_back();
            if is_here && self.broker.spare(is_settled) {
                break;
            }
        }
        // No more marks, so that the desk comes to the end of its inbox.
        self.closing.set(true);
        self.run_until(self.now() + 5_000);
        self.finish();
    }

    /// Nothing runs for a week. Coupons whose last moment was today expire soon.
    fn week(&self) {
        let until = START + SETTLEMENT + self.dice(Kind::Week, |rng| rng.i64(0..120_000));
        if self.failed() {
            return;
        }
        self.skipped.set(until - self.now());
        self.now.store(until, Ordering::Relaxed);
        self.count(Kind::Week);
        self.say("world", format_args!("everything has stood still for a week"));
    }

    /// Whatever was wrong is right again.
    fn calm(&self) {
        self.quiet.set(true);
        self.ambushes.borrow_mut().clear();
        self.broker.heal();
        self.firehose.borrow_mut().mend();
        self.bank.borrow_mut().stream.mend();
        self.people.borrow_mut().settle(&mut self.firehose.borrow_mut());
        for place in self.places.borrow().iter() {
            place.ahead.set((0, 0));
            if let Some(process) = &*place.process.borrow() {
                process.life.set_ahead(0);
                process.stopped_until.set(0);
            }
        }
        self.say("world", format_args!("no more faults, and nobody asks for anything any more"));
    }

    /// Lets everything happen that is due before `until`.
    pub fn run_until(&self, until: i64) {
        while !self.failed() {
            let slot = self.next_slot();
            let due = self.next_second.get().min(self.next_people.get());
            let due = slot.as_ref().map_or(due, |(at, ..)| due.min(*at));
            if due > until {
                break;
            }
            self.now.fetch_max(due, Ordering::Relaxed);
            if self.next_second.get() <= due {
                self.second();
            } else if self.next_people.get() <= due {
                self.people();
            } else if let Some((_, place, process, slot)) = slot {
                self.turn(&place, &process, &slot);
            }
        }
        self.now.fetch_max(until, Ordering::Relaxed);
    }

    #[allow(clippy::type_complexity, reason = "a turn needs all of it")]
    fn next_slot(&self) -> Option<(i64, Rc<Place>, Rc<Process>, Rc<Slot>)> {
        let mut least: Option<(i64, Rc<Place>, Rc<Process>, Rc<Slot>)> = None;
        for place in self.places.borrow().iter() {
            let process = place.process.borrow();
            let Some(process) = &*process else { continue };
            let is_open = |slot: &&Rc<Slot>| !(self.closing.get() && slot.role == Role::Keeper);
            for slot in process.slots.iter().filter(is_open) {
                let due = slot.next.get().max(process.stopped_until.get());
                if least.as_ref().is_none_or(|(at, ..)| due < *at) {
                    least = Some((due, Rc::clone(place), Rc::clone(process), Rc::clone(slot)));
                }
            }
        }
        least
    }

    /// The turn of a worker.
    fn turn(&self, place: &Place, process: &Rc<Process>, slot: &Slot) {
        self.turns.set(self.turns.get() + 1);
        // Until it is known how long it lasts: whoever is in the middle of it has no turn.
        slot.next.set(self.now() + 50);
        let turned = process.turn(slot);
        if !process.life.is_alive() {
            return self.gone(place, process);
        }
        let millis = match (turned, self.quiet.get()) {
            (Ok(Some(Turn::Worked)), _) => self.draw(|rng| rng.i64(1..20)),
            (Ok(_), true) => self.draw(|rng| rng.i64(400..1_300)),
            (Ok(_), false) if slot.role == Role::Keeper => self.draw(|rng| rng.i64(100..400)),
            (Ok(_), false) => self.draw(|rng| rng.i64(20..300)),
            (Err(stop), _) => return self.stopped(place, process, slot.role, &stop),
        };
        slot.next.set(self.now() + millis);
    }

    /// A worker cannot go on: its process ends, and is started again by whoever looks after it.
    fn stopped(&self, place: &Place, process: &Rc<Process>, role: Role, stop: &Stop) {
        self.say(&process.life.name, format_args!("{role:?} stops: {stop}"));
        let is_twin = self.twins.borrow().contains(&process.life.name);
        let is_expected = match stop {
            Stop::Log(error) => is_twin && error.kind == ErrorKind::Fatal && error.what.contains("instance"),
            Stop::Fenced { .. } => true,
            Stop::Clock { .. } => process.life.was_slow(),
            _ => false,
        };
        if !is_expected {
            return self.fail(format!("{role:?} of process {} has stopped: {stop}", process.life.name));
        }
        if self.draw(Rng::bool) {
            self.leave(place, process);
        }
        process.life.end();
        self.gone(place, process);
    }

    pub fn leave(&self, place: &Place, process: &Rc<Process>) {
        let left = process.leave();
        if let Err(stop) = left
            && process.life.is_alive()
        {
            self.say(&process.life.name, format_args!("could not finish: {stop}"));
        }
        process.life.end();
        self.gone(place, process);
    }

    /// A process is no more.
    fn gone(&self, place: &Place, process: &Rc<Process>) {
        process.bury();
        let is_here = place.process.borrow().as_ref().is_some_and(|here| Rc::ptr_eq(here, process));
        if is_here {
            place.process.replace(None);
            let down = if self.quiet.get() { 100 } else { self.draw(|rng| rng.i64(50..8_000)) };
            place.down_until.set(self.now() + down);
        }
    }

    /// Once a second: processes are started, and the seed does what it has in mind.
    fn second(&self) {
        self.next_second.set(self.now() + 1_000);
        let places: Vec<Rc<Place>> = self.places.borrow().clone();
        for place in places {
            let process = place.process.borrow().clone();
            let is_over = self.now() >= place.until || self.quiet.get() && place.until < i64::MAX;
            match process {
                Some(process) if is_over => self.leave(&place, &process),
                Some(process) if self.now() >= place.ahead.get().1 && process.life.ahead() != 0 => {
                    process.life.set_ahead(0);
                    self.say(&process.life.name, format_args!("its clock is right again"));
                }
                Some(_) => {}
                None if !is_over && self.now() >= place.down_until.get() => self.start(&place),
                None => {}
            }
            if is_over && place.process.borrow().is_none() {
                self.places.borrow_mut().retain(|other| !Rc::ptr_eq(other, &place));
            }
        }
        if !self.quiet.get() {
            let rates: Vec<(Kind, f64)> =
                self.swarm.rates.iter().map(|(kind, rate)| (*kind, *rate)).collect();
            for (kind, rate) in rates {
                if self.dice(kind, |rng| rng.f64()) < rate / 60.0 {
                    self.strike(kind);
                }
            }
        }
        if self.depth.get() == 0 {
            self.look();
        }
    }

    fn start(&self, place: &Place) {
        let revision = place.revision.get();
        // What a revision changes must not change what a revision says.
        let slack_ms = if revision % 2 == 1 { self.swarm.slack } else { self.swarm.slack + 2_000 };
        let mut settings = Settings { revision, slack_ms, ..Settings::default() };
        settings.limits.wrong_codes_per_hour = 2 + revision % 3;
        let silence = if self.swarm.advance { Silence::Advance } else { Silence::Wait };
        let (instance, stage, workers) = (place.instance.clone(), place.stage, self.swarm.workers);
        let ahead = place.ahead.get().0;
        let setup = Setup { log: &self.log, instance, stage, workers, settings, silence, ahead };
        place.process.replace(Some(Process::start(setup, self.now())));
        self.say(&place.instance, format_args!("starts, {stage:?}, settings {revision}"));
    }

    /// People act, and the firehose delivers.
    fn people(&self) {
        let now = self.now();
        let quiet = self.quiet.get();
        self.next_people.set(now + self.draw(|rng| if quiet { 1_000 } else { rng.i64(20..200) }));
        let mut heard: Vec<Value> = Vec::new();
        let mut causes: Vec<String> = Vec::new();
        let read = self.events.borrow_mut().poll(Duration::ZERO, &mut |message| {
            causes.push(format!("{}@{}", message.partition, message.offset));
            heard.push(serde_json::from_slice(message.value.unwrap_or_default()).unwrap());
        });
        read.unwrap();
        let (mut people, mut firehose) = (self.people.borrow_mut(), self.firehose.borrow_mut());
        let mut bank = self.bank.borrow_mut();
        for (event, place) in heard.into_iter().zip(causes) {
            self.say("event", format_args!("{place} {}", short(&event)));
            people.hear(now, &event, &mut bank);
        }
        // People find their way around a shop that has opened just now.
        let tweeting = !quiet && now > START + 5_000;
        people.turn(now, &mut firehose, &mut bank, tweeting);
        if !self.closing.get() {
            firehose.turn(now, if quiet { 5_000 } else { 1_000 });
            bank.turn(now, if quiet { 5_000 } else { 3_500 });
        }
    }

    /// What stands in the topics is compared with what has to stand there.
    fn look(&self) {
        // What was being read when it failed is not read to its end.
        if self.failed() {
            return;
        }
        let looked = self.broker.spare(|| {
            let (mut watch, firehose, bank) =
                (self.watch.borrow_mut(), self.firehose.borrow(), self.bank.borrow());
            let sent = Sent { tweets: &firehose.stream.delivered, transactions: &bank.stream.delivered };
            watch.look(&self.log, sent)
        });
        if let Err(what) = looked {
            self.fail(what);
        }
    }

    fn finish(&self) {
        if self.failed() {
            return;
        }
        let finished = self.broker.spare(|| {
            let (mut watch, firehose, bank) =
                (self.watch.borrow_mut(), self.firehose.borrow(), self.bank.borrow());
            let sent = Sent { tweets: &firehose.stream.delivered, transactions: &bank.stream.delivered };
            watch.finish(&self.log, sent, &self.people.borrow(), self.swarm.slack)
        });
        if let Err(what) = finished {
            self.fail(what);
        }
        let mut trace = self.trace.borrow_mut();
        for topic in ["inbox", "desk-changelog", "purchases", "orders", "dead-letters"] {
            for record in self.log.records(topic).unwrap() {
                trace.digest().add(&record.offset.to_le_bytes());
                trace.digest().add(record.key.as_deref().unwrap_or_default());
                trace.digest().add(record.value.as_deref().unwrap_or_default());
            }
        }
    }

    /// What stands in the topics about the numbers that a failure names.
    fn exhibits(&self) -> Vec<String> {
        let failure = self.failure.borrow().clone().unwrap_or_default();
        let words = failure.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
        let named: Vec<&str> = words.filter(|word| word.len() >= 15).collect();
        let mut exhibits = Vec::new();
        for topic in
            ["tweets", "card-transactions", "inbox", "desk-changelog", "purchases", "orders", "dead-letters"]
        {
            for record in self.log.records(topic).unwrap_or_default() {
                let value = String::from_utf8_lossy(record.value.as_deref().unwrap_or_default()).into_owned();
                if named.iter().any(|name| value.contains(name)) {
                    let place =
                        format!("{topic}/{}@{} {}", record.partition, record.offset, record.timestamp);
                    let headers = record.headers.iter().filter(|(name, _)| name.starts_with("hashbuy-"));
                    let headers: Vec<_> = headers.map(|(_, value)| String::from_utf8_lossy(value)).collect();
                    exhibits.push(format!("{place} {} {value}", headers.join(" ")));
                }
            }
        }
        exhibits
    }

    fn report(&self, seed: u64) -> Report {
        let mut faults = self.faults.borrow().clone();
        for (kind, times) in self.broker.struck() {
            *faults.entry(kind).or_default() += times;
        }
        let mut trace = self.trace.borrow_mut();
        let watch = self.watch.borrow();
        Report {
            seed,
            millis: self.now() - START - self.skipped.get(),
            turns: self.turns.get(),
            faults,
            events: watch.census(),
            promises: watch.promises,
            credits: watch.credits,
            digest: trace.digest().value(),
            failure: self.failure.borrow().clone(),
            trace: trace.take(),
            exhibits: if self.failed() { self.exhibits() } else { Vec::new() },
        }
    }
}

fn short(event: &Value) -> String {
    let of = |name: &str| event[name].as_str().unwrap_or("-").to_owned();
    let purchase = of("purchase_id");
    let purchase = purchase.get(..8).unwrap_or("-");
    let what = of("reason")
        + event["cause"].as_str().unwrap_or_default()
        + event["code"].as_str().unwrap_or_default();
    let names = ["tweet_id", "offer_tweet_id", "transaction_id"];
    let tweet = names.iter().find_map(|name| event[*name].as_str()).unwrap_or("-");
    format!(
        "{} {} {} {purchase} {tweet} {}",
        of("type"),
        of("account_id"),
        of("offer_id"),
        what.trim_matches('-')
    )
}
