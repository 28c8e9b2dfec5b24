//! Processes and their workers, as `hashbuy run` puts them together.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use hashbuy::core::code::Secret;
use hashbuy::core::settings::{Settings, Shared};
use hashbuy::core::tally::Tally;
use hashbuy::log::Log;
use hashbuy::log::memory::MemoryLog;
use hashbuy::worker::desk::{DeskOptions, DeskWorker, PATIENCE};
use hashbuy::worker::feeder::{FeederOptions, FeederWorker};
use hashbuy::worker::keeper::{Keeper, KeeperOptions, Silence};
use hashbuy::worker::scan::{ScanOptions, ScanWorker};
use hashbuy::worker::{Clock, Stop, Topics, Turn};

use super::chaos::{Chaos, Life, ProcessClock};
use super::watch::SECRET;
use super::world;

/// Which stages a process runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Scan,
    Desk,
    All,
}

/// What a worker is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Scan,
    Feeder,
    Keeper,
    Desk(u32),
}

/// Whether a worker is at its place.
enum Post {
    /// Not made yet, or not again.
    Absent,
    /// In the middle of its turn.
    Busy,
    Scan(Box<ScanWorker>),
    Feeder(Box<FeederWorker>),
    Keeper(Box<Keeper>),
    Desk(Box<DeskWorker>),
}

/// The place of a worker.
pub struct Slot {
    pub role: Role,
    /// When its next turn is due.
    pub next: Cell<i64>,
    post: RefCell<Post>,
    keeps_time: Cell<bool>,
}

/// A process.
pub struct Process {
    pub life: Arc<Life>,
    /// It stands still until then.
    pub stopped_until: Cell<i64>,
    pub slots: Vec<Rc<Slot>>,
    log: Arc<dyn Log>,
    clock: Arc<dyn Clock>,
    instance: String,
    settings: Shared,
    silence: Silence,
    /// The feeder has passed on what was in the tables at the start.
    fed: Cell<bool>,
}

/// How a process is to be.
pub struct Setup<'s> {
    pub log: &'s MemoryLog,
    pub instance: String,
    pub stage: Stage,
    pub workers: u32,
    pub settings: Settings,
    pub silence: Silence,
    pub ahead: i64,
}

impl Process {
    pub fn start(setup: Setup<'_>, now: i64) -> Rc<Process> {
        let life = Life::new(setup.instance.clone(), setup.ahead);
        let mut roles = Vec::new();
        if setup.stage != Stage::Scan {
            roles.extend((0..setup.workers).map(Role::Desk));
        }
        if setup.stage != Stage::Desk {
            roles.extend([Role::Feeder, Role::Keeper]);
            roles.extend((0..setup.workers).map(|_| Role::Scan));
        }
        let slot = |role| {
            let (post, keeps_time) = (RefCell::new(Post::Absent), Cell::new(false));
            Rc::new(Slot { role, next: Cell::new(now), post, keeps_time })
        };
        Rc::new(Process {
            log: Arc::new(Chaos { log: setup.log.clone(), life: Arc::clone(&life) }),
            clock: Arc::new(ProcessClock(Arc::clone(&life))),
            life,
            stopped_until: Cell::new(0),
            slots: roles.into_iter().map(slot).collect(),
            instance: setup.instance,
            settings: setup.settings.into(),
            silence: setup.silence,
            fed: Cell::new(false),
        })
    }

    /// One turn of a worker. None: it was not at its place, or could not be made yet.
    pub fn turn(&self, slot: &Slot) -> Result<Option<Turn>, Stop> {
        let post = std::mem::replace(&mut *slot.post.borrow_mut(), Post::Busy);
        let turned = match post {
            Post::Busy => return Ok(None),
            Post::Absent => {
                let made = self.make(slot.role);
                let made = match made {
                    Err(stop) if stop.passes() => Ok(Post::Absent),
                    made => made,
                };
                made.map(|post| (post, None))
            }
            post => self.turn_of(slot, post).map(|(post, turn)| (post, Some(turn))),
        };
        let (post, turn) = turned.inspect_err(|_| drop(slot.post.replace(Post::Absent)))?;
        slot.post.replace(post);
        Ok(turn)
    }

    fn turn_of(&self, slot: &Slot, post: Post) -> Result<(Post, Turn), Stop> {
        match post {
            Post::Scan(mut worker) => {
                let turn = worker.turn(Duration::ZERO)?;
                slot.keeps_time.set(worker.keeps_time());
                Ok((Post::Scan(worker), turn))
            }
            Post::Feeder(mut worker) => {
                let turn = worker.turn(Duration::ZERO)?;
                if !self.fed.get() && worker.has_passed_the_start()? {
                    self.fed.set(true);
                }
                Ok((Post::Feeder(worker), turn))
            }
            Post::Keeper(mut keeper) => {
                if self.slots.iter().any(|slot| slot.keeps_time.get()) {
                    keeper.turn()?;
                }
                Ok((Post::Keeper(keeper), Turn::Idle))
            }
            Post::Desk(mut worker) => {
                let turn = worker.turn(Duration::ZERO)?;
                let done = worker.take_done();
                for (cause, times) in done.aborted {
                    world::say(&self.life.name, format_args!("{:?}: {times} aborted, {cause:?}", slot.role));
                }
                for back in done.restored {
                    let (partition, records) = (back.partition, back.records);
                    let what =
                        format_args!("{:?}: partition {partition} is back, {records} records", slot.role);
                    world::say(&self.life.name, what);
                }
                if done.nothing != Tally::default() {
                    world::say(&self.life.name, format_args!("{:?}: {:?}", slot.role, done.nothing));
                }
                Ok((Post::Desk(worker), turn))
            }
            Post::Absent | Post::Busy => Ok((post, Turn::Idle)),
        }
    }

    fn make(&self, role: Role) -> Result<Post, Stop> {
        let (log, clock) = (Arc::clone(&self.log), Arc::clone(&self.clock));
        let (app, topics) = ("app".to_owned(), Topics::default());
        let code_prefix = self.settings.code_prefix.clone();
        Ok(match role {
            // The desk has to know who is linked before it sees what they tweet.
            Role::Scan if !self.fed.get() => Post::Absent,
            Role::Scan => {
                let options = ScanOptions {
                    app,
                    topics,
                    code_prefix,
                    ignored: HashSet::new(),
                    strangers_per_second: 10,
                    max_record_bytes: 4 << 20,
                };
                Post::Scan(Box::new(ScanWorker::new(log, clock, options)?))
            }
            Role::Feeder => {
                let options = FeederOptions { app, topics, code_prefix, epoch: 0 };
                Post::Feeder(Box::new(FeederWorker::new(log, clock, options)?))
            }
            Role::Keeper => {
                let (settings, silence) = (self.settings.clone(), self.silence);
                Post::Keeper(Box::new(Keeper::new(
                    log,
                    clock,
                    KeeperOptions { app, topics, settings, silence },
                )?))
            }
            Role::Desk(number) => {
                let instance = format!("{}-{number}", self.instance);
                let (secret, patience) = (Secret::new(SECRET).unwrap(), PATIENCE);
                let options = DeskOptions { app, instance, topics, secret, patience };
                Post::Desk(Box::new(DeskWorker::new(log, clock, options)?))
            }
        })
    }

    /// SIGTERM: each worker finishes what is open, and leaves. A worker in the middle of its turn does so
    /// when it is through with it; here that is as if it were killed.
    pub fn leave(&self) -> Result<(), Stop> {
        for slot in &self.slots {
            match slot.post.replace(Post::Absent) {
                Post::Scan(worker) => drop(worker.leave()?),
                Post::Feeder(worker) => drop(worker.leave()?),
                Post::Desk(worker) => drop(worker.leave()?),
                Post::Keeper(_) | Post::Absent | Post::Busy => {}
            }
        }
        Ok(())
    }

    /// Drops what a process that was killed has left in memory.
    pub fn bury(&self) {
        for slot in &self.slots {
            let is_busy = matches!(&*slot.post.borrow(), Post::Busy);
            if !is_busy {
                slot.post.replace(Post::Absent);
            }
        }
    }
}
