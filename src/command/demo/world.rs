//! The world of the demo: the made-up firehose, its shoppers, and the engine that they meet.
//!
//! The world moves in ticks, and what is played is a function of the seed, the rate and the number
//! of the tick: how fast the machine is shows in the clock on the wall only.

use std::collections::HashSet;

use super::ledger::Ledger;
use crate::core::code::Secret;
use crate::core::event::Event;
use crate::core::settings::Settings;
use crate::core::tally::Counted;
use crate::core::time::{MINUTE, SECOND, Time};
use crate::core::tweet::BadRecord;
use crate::firehose::{Happening, Maker, Shoppers};
use crate::input::table_file::Change;
use crate::metrics::{self, Decided, Scanned};
use crate::replay::{Engine, Line, Seen, Source, Stopped, Summary, Table};

/// 13 February 2013, noon: long ago, so no tweet is ever ahead of a clock.
const START: Time = Time::from_millis(1_360_756_800_000);
/// Ticks in a second on the wall.
pub const TICKS_PER_SECOND: u64 = 20;
/// How far one tick moves time, in milliseconds: a minute passes in a second.
const TICK: i64 = MINUTE / TICKS_PER_SECOND as i64;

/// Firehose, shoppers, engine, and what is known of their doings.
pub struct World {
    engine: Engine,
    maker: Maker,
    shoppers: Shoppers,
    /// Checks the events.
    pub ledger: Ledger,
    /// Tweets, deletions and other records played.
    pub records: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Records that could not be read, and table records that were rejected: a fault of hashbuy.
    pub unreadable: Vec<String>,
    scanned: Scanned,
    decided: Decided,
    /// What is published of the engine's counters.
    published: Summary,
}

/// One tick on its way.
#[derive(Debug)]
pub struct Tick {
    from: Time,
    /// Tweets to play in it, and those played.
    share: u64,
    played: u64,
}

impl Tick {
    /// The tick of a number, at so many tweets a second.
    pub fn new(number: u64, rate: u64) -> Tick {
        // Shares differ by one at most, and add up to the rate.
        let until = |tick: u64| u128::from(tick) * u128::from(rate) / u128::from(TICKS_PER_SECOND);
        let share = u64::try_from(until(number + 1) - until(number)).unwrap_or(u64::MAX);
        let from = START.plus(TICK.saturating_mul(i64::try_from(number).unwrap_or(i64::MAX)));
        Tick { from, share, played: 0 }
    }

    fn now(&self) -> Time {
        let part = u128::from(self.played) * TICK as u128 / u128::from(self.share.max(1));
        self.from.plus(i64::try_from(part).unwrap_or(TICK).min(TICK - 1))
    }
}

impl World {
    /// A world before its first tick.
    pub fn new(seed: u64) -> World {
        World {
            engine: Engine::new(Settings::default(), Secret::published(), HashSet::new(), None),
            maker: Maker::new(seed),
            shoppers: Shoppers::new(seed, START),
            ledger: Ledger::default(),
            records: 0,
            bytes: 0,
            unreadable: Vec::new(),
            scanned: Scanned::default(),
            decided: Decided::default(),
            published: Summary::default(),
        }
    }

    /// Plays at most so many records of a tick, and hands over the events. True if the tick has more.
    ///
    /// # Errors
    /// [`Stopped`].
    pub fn play(
        &mut self,
        tick: &mut Tick,
        most: u64,
        mut tell: impl FnMut(&Shoppers, &Event),
    ) -> Result<bool, Stopped> {
        for _ in 0..most {
            let ends = tick.played >= tick.share;
            let now = if ends { tick.from.plus(TICK - 1) } else { tick.now() };
            match self.shoppers.next(now, &mut self.maker) {
                Some(Happening::Record(bytes)) => {
                    let seen = self.engine.record(&bytes, now)?;
                    tick.played += count(self, bytes.len(), seen);
                }
                Some(Happening::Offer { id, json }) => self.table(Table::Offers, id, Some(json))?,
                Some(Happening::Account { id, json }) => self.table(Table::Accounts, id.to_string(), json)?,
                None if ends => {
                    self.engine.advance(tick.from.plus(TICK))?;
                    self.pass_on(&mut tell);
                    return Ok(false);
                }
                None => {
                    let bytes = self.maker.noise(now);
                    let (length, seen) = (bytes.len(), self.engine.record(bytes, now)?);
                    tick.played += count(self, length, seen);
                }
            }
            self.pass_on(&mut tell);
        }
        Ok(true)
    }

    /// Publishes what was counted since the last time.
    pub fn publish(&mut self) {
        let (now, before) = (self.engine.summary(), &self.published);
        self.scanned.candidates = now.passed_on - before.passed_on;
        self.scanned.sightings = now.sightings - before.sightings;
        for (&kind, &n) in &now.controls {
            self.scanned.skipped.insert(kind, n - before.controls.get(kind).copied().unwrap_or(0));
        }
        let counted = Counted::ALL.iter();
        metrics::nothing(counted.map(|&what| (what, now.nothing.of(what) - before.nothing.of(what))));
        self.published = now.clone();
        std::mem::take(&mut self.scanned).publish();
        std::mem::take(&mut self.decided).publish();
        metrics::desk(self.pendings(), self.time());
    }

    /// The engine's counters.
    pub fn summary(&self) -> &Summary {
        self.engine.summary()
    }

    /// Desk time.
    pub fn time(&self) -> Time {
        self.engine.time()
    }

    /// How long the world has lasted in its own time, in seconds.
    pub fn age(&self) -> i64 {
        self.time().since(START).max(0) / SECOND
    }

    /// Purchases that are pending, as the desk knows them.
    pub fn pendings(&self) -> usize {
        self.engine.pendings().count()
    }

    fn table(&mut self, table: Table, key: String, value: Option<String>) -> Result<(), Stopped> {
        let change = Change { at: None, key: Some(key), value };
        self.engine.load(vec![Line { source: Source { table, line: 0 }, change }])?;
        self.unreadable.extend(self.engine.take_rejections().map(|(_, rejection)| rejection.to_string()));
        Ok(())
    }

    fn pass_on(&mut self, tell: &mut impl FnMut(&Shoppers, &Event)) {
        for event in self.engine.take_events() {
            self.ledger.note(&event);
            self.decided.count(&event);
            self.shoppers.hear(&event);
            tell(&self.shoppers, &event);
        }
    }
}

/// Counts a record that was played; 1 if it was a tweet.
fn count(world: &mut World, bytes: usize, seen: Result<Seen, BadRecord>) -> u64 {
    world.records += 1;
    world.bytes += bytes as u64;
    world.scanned.records += 1;
    world.scanned.bytes += bytes as u64;
    match seen {
        Ok(Seen::Tweet) => 1,
        Ok(_) => 0,
        Err(bad) => {
            *world.scanned.dead_letters.entry(bad.reason()).or_default() += 1;
            world.unreadable.push(bad.to_string());
            0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::event::EventKind;

    /// The events of the first ticks, played in pieces.
    fn played(seed: u64, ticks: u64, piece: u64) -> (Vec<Event>, u64, World) {
        let mut world = World::new(seed);
        let mut events = Vec::new();
        for number in 0..ticks {
            let mut tick = Tick::new(number, 333);
            while world.play(&mut tick, piece, |_, event| events.push(event.clone())).unwrap() {}
            assert!(tick.played >= tick.share);
        }
        let bytes = world.bytes;
        (events, bytes, world)
    }

    #[test]
    fn what_is_played_is_a_function_of_seed_and_tick() {
        let (once, bytes, _) = played(7, 60, 10_000);
        let (again, bytes_again, _) = played(7, 60, 3);
        assert_eq!((&once, bytes), (&again, bytes_again));
        assert_ne!(once, played(8, 60, 10_000).0);
    }

    #[test]
    fn five_seconds_show_every_end_of_a_purchase_and_add_up() {
        for seed in 0..5 {
            let (_, _, world) = played(seed, 5 * TICKS_PER_SECOND, 10_000);
            for kind in EventKind::ALL.into_iter().filter(|kind| *kind != EventKind::Reminded) {
                assert!(world.ledger.count(kind) > 0, "seed {seed}: {kind:?}");
            }
            assert_eq!(world.ledger.faults(world.pendings() as u64), [""; 0]);
            assert_eq!(world.unreadable, [""; 0]);
            assert_eq!(world.summary().missed, 0);
            assert_eq!(world.age(), 300);
        }
    }

    #[test]
    fn shares_add_up_to_the_rate() {
        for rate in [100, 333, 5_000] {
            let second: u64 = (40..60).map(|number| Tick::new(number, rate).share).sum();
            assert_eq!(second, rate);
        }
    }
}
