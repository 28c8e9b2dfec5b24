//! The faults: what happens when one strikes, at once or when a worker comes by.

use std::rc::Rc;

use fastrand::Rng;
use hashbuy::log::memory::Tombstones;
use hashbuy::log::{Log, Partition};

use super::chaos::{Life, Point};
use super::process::{Process, Stage};
use super::swarm::Kind;
use super::world::{Ambush, DEPTH, Deed, Place, World};

impl World {
    /// One of the faults happens, or is prepared.
    pub fn strike(&self, kind: Kind) {
        let now = self.now();
        let dice = |with: &dyn Fn(&mut Rng) -> i64| self.dice(kind, with);
        let somewhere = |rng: &mut Rng, count: usize| rng.usize(0..count.max(1));
        match kind {
            Kind::Crash | Kind::Freeze => {
                let ambush = self.dice(kind, |rng| {
                    let point = *rng.choice(&Point::ALL).unwrap();
                    let (behind, millis) = (rng.bool(), long_or_short(rng));
                    match kind {
                        Kind::Crash => Ambush::Crash { point, behind },
                        _ => Ambush::Freeze { point, behind, millis },
                    }
                });
                return self.ambushes.borrow_mut().push(ambush);
            }
            Kind::LateEnd => return self.ambushes.borrow_mut().push(Ambush::LateEnd),
            Kind::LostAnswer | Kind::Refusal | Kind::Retry | Kind::Delay => {
                let armed = self.dice(kind, |rng| self.broker.arm(kind, rng));
                if let Some((step, fault)) = armed {
                    self.say("broker", format_args!("the next {step}: {fault:?}"));
                }
                return;
            }
            Kind::Outage => {
                let until = now + dice(&|rng| rng.i64(200..25_000));
                self.broker.away_until(until);
                self.say("broker", format_args!("answers nothing for {} ms", until - now));
            }
            Kind::Stop | Kind::Terminate | Kind::Clock | Kind::Twin => {
                let places = self.places.borrow().clone();
                let place = Rc::clone(&places[self.dice(kind, |rng| somewhere(rng, places.len()))]);
                let Some(process) = place.process.borrow().clone() else { return };
                self.strike_process(kind, &place, &process);
            }
            Kind::Join => {
                self.guests.set(self.guests.get() + 1);
                let until = now + dice(&|rng| rng.i64(3_000..60_000));
                let stage =
                    self.dice(kind, |rng| *rng.choice(&[Stage::All, Stage::Scan, Stage::Desk]).unwrap());
                self.place(format!("guest-{}", self.guests.get()), stage, until);
            }
            Kind::Duplicate => self.firehose.borrow_mut().twice += 1 + dice(&|rng| rng.i64(0..3)) as u32,
            Kind::Reorder => self.firehose.borrow_mut().late += 1 + dice(&|rng| rng.i64(0..5)) as u32,
            Kind::Cut | Kind::Silence => {
                let until = now + dice(&|rng| *rng.choice(&[5_000, 30_000, 80_000, 150_000]).unwrap());
                let partitions = self.firehose.borrow().stream.partitions();
                let which = (kind == Kind::Cut).then(|| self.dice(kind, |rng| rng.u32(0..partitions)));
                self.firehose.borrow_mut().stream.cut(which, until);
                self.say("firehose", format_args!("partition {which:?} is cut for {} ms", until - now));
            }
            Kind::Grow => {
                let partitions = self.firehose.borrow().stream.partitions() + 1;
                if partitions > 6 {
                    return;
                }
                self.log.grow_topic("tweets", partitions).unwrap();
                self.firehose.borrow_mut().stream.grow(partitions);
                self.say("firehose", format_args!("has {partitions} partitions"));
            }
            Kind::Rewind => {
                let partitions = self.firehose.borrow().stream.partitions();
                self.rewind(kind, "tweets", partitions, "app-scan");
            }
            Kind::CardsCut => {
                let until = now + dice(&|rng| *rng.choice(&[5_000, 30_000, 80_000, 150_000]).unwrap());
                let which = self.dice(kind, |rng| rng.u32(0..self.swarm.cards));
                self.bank.borrow_mut().stream.cut(Some(which), until);
                self.say("bank", format_args!("partition {which} is cut for {} ms", until - now));
            }
            Kind::Refeed => self.rewind(kind, "card-transactions", self.swarm.cards, "app-tables"),
            // Not in the middle of anything.
            Kind::Week => return,
            Kind::Forgotten => {
                self.log.forget_offsets("app-desk");
                self.say("broker", format_args!("has forgotten the desk's offsets"));
            }
            Kind::Compact => {
                let topic = self.dice(kind, |rng| {
                    *rng.choice(&["desk-changelog", "desk-changelog", "offers", "accounts"]).unwrap()
                });
                let drop = self.dice(kind, |rng| rng.u32(0..4) == 0);
                let tombstones = if drop { Tombstones::Drop } else { Tombstones::Keep };
                self.log.compact(topic, tombstones).unwrap();
                self.say("broker", format_args!("compacts {topic}, tombstones: {tombstones:?}"));
            }
            Kind::Revision => {
                self.revision.set(self.revision.get() + 1);
                let revision = self.revision.get();
                for place in self.places.borrow().iter() {
                    place.revision.set(revision);
                }
                // One by one, each when it is started again anyway, and one at once.
                let place = self.places.borrow()[0].clone();
                let process = place.process.borrow().clone();
                if let Some(process) = process {
                    self.leave(&place, &process);
                }
                self.say("operator", format_args!("settings {revision}"));
            }
            Kind::Tables => {
                let what = self.people.borrow_mut().meddle(&mut self.firehose.borrow_mut());
                self.say("tables", format_args!("{what}"));
            }
        }
        self.count(kind);
    }

    fn strike_process(&self, kind: Kind, place: &Rc<Place>, process: &Rc<Process>) {
        let now = self.now();
        let name = process.life.name.clone();
        match kind {
            Kind::Stop => {
                let millis = self.dice(kind, long_or_short);
                process.stopped_until.set(now + millis);
                self.say(&name, format_args!("stands still for {millis} ms"));
            }
            Kind::Terminate => {
                self.say(&name, format_args!("is told to end"));
                self.leave(place, process);
            }
            Kind::Clock => {
                let millis = self.dice(kind, |rng| {
                    *rng.choice(&[-3_600_000, -90_000, -20_000, -4_000, 4_000, 30_000, 90_000, 3_600_000])
                        .unwrap()
                });
                let until = now + self.dice(kind, |rng| rng.i64(2_000..60_000));
                place.ahead.set((millis, until));
                process.life.set_ahead(millis);
                self.say(&name, format_args!("its clock jumps by {millis} ms, for {} ms", until - now));
            }
            _ => {
                let until = now + self.dice(kind, |rng| rng.i64(2_000..20_000));
                self.twins.borrow_mut().insert(place.instance.clone());
                self.place(place.instance.clone(), place.stage, until);
                self.say(&name, format_args!("another process comes under its name, for {} ms", until - now));
            }
        }
    }

    /// All that read a topic are told to end, and their offsets are set back, as with Kafka's own tools.
    fn rewind(&self, kind: Kind, topic: &str, partitions: u32, group: &str) {
        let places = self.places.borrow().clone();
        for place in places {
            let process = place.process.borrow().clone();
            if let Some(process) = process.filter(|_| place.stage != Stage::Desk) {
                self.leave(&place, &process);
            }
        }
        let share = self.dice(kind, |rng| rng.f64());
        for number in 0..partitions {
            let partition = Partition::new(topic, number);
            let committed =
                self.broker.spare(|| self.log.lookup()?.committed(group, std::slice::from_ref(&partition)));
            if let Ok([Some(committed)]) = committed.as_deref() {
                self.log.set_offset(group, partition, (committed.offset as f64 * share) as u64);
            }
        }
        self.say("operator", format_args!("{group} is set back to {:.0} % of {topic}", share * 100.0));
    }

    pub fn ends_late(&self, life: &Life) -> bool {
        let mut ambushes = self.ambushes.borrow_mut();
        let found = ambushes.iter().position(|ambush| matches!(ambush, Ambush::LateEnd));
        let Some(found) = found.filter(|_| life.is_alive()) else { return false };
        ambushes.remove(found);
        drop(ambushes);
        self.count(Kind::LateEnd);
        self.say(&life.name, format_args!("the end of its transaction is under way for long"));
        true
    }

    /// A worker has come to a point. Calls take their time; and somebody may have waited for it.
    pub fn reached(&self, life: &Life, point: Point, behind: bool) {
        let due: Vec<Deed> = {
            let (mut deeds, now) = (self.deeds.borrow_mut(), self.now());
            deeds.extract_if(.., |(at, _)| *at <= now).map(|(_, deed)| deed).collect()
        };
        for deed in due {
            let what = self.broker.spare(deed);
            self.say("broker", format_args!("the end of a transaction arrives late: {what}"));
        }
        if self.quiet.get() {
            return;
        }
        if point != Point::Clock && !behind && self.draw(|rng| rng.u32(0..4) == 0) {
            self.pass(self.draw(|rng| rng.i64(0..4)));
        }
        let is_it = |ambush: &Ambush| match ambush {
            Ambush::Crash { point: at, behind: when } => *at == point && *when == behind,
            Ambush::Freeze { point: at, behind: when, .. } => *at == point && *when == behind,
            Ambush::LateEnd => false,
        };
        let found = self.ambushes.borrow().iter().position(is_it);
        let Some(found) = found.filter(|_| self.depth.get() < DEPTH) else { return };
        let side = if behind { "behind" } else { "before" };
        let ambush = self.ambushes.borrow_mut().remove(found);
        match ambush {
            Ambush::Crash { .. } => {
                self.count(Kind::Crash);
                self.say(&life.name, format_args!("killed, {side} {point:?}"));
                life.end();
            }
            Ambush::Freeze { millis, .. } => {
                self.count(Kind::Freeze);
                self.say(&life.name, format_args!("a worker stands still for {millis} ms, {side} {point:?}"));
                self.depth.set(self.depth.get() + 1);
                self.run_until(self.now() + millis);
                self.depth.set(self.depth.get() - 1);
                self.say(&life.name, format_args!("it goes on, {side} {point:?}"));
            }
            Ambush::LateEnd => {}
        }
    }
}

/// For how long something stands still: mostly for a moment, sometimes for longer than a session or a
/// transaction lasts.
fn long_or_short(rng: &mut Rng) -> i64 {
    match rng.u32(0..4) {
        0 | 1 => rng.i64(20..2_000),
        2 => rng.i64(2_000..12_000),
        _ => rng.i64(9_000..45_000),
    }
}
