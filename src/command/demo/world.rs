//! The world of the demo: a made-up firehose in front of the real workers, and a biller behind them.
//!
//! ```text
//! Player --> tweets, offers, accounts, --> [Crew: feeder, scan, keeper, desks] --> purchases, orders --> Biller
//!    ^       card-transactions                                                                            |
//!    +------------------------------ the shoppers hear of events -----------------------------------------+
//! ```
//!
//! Everything goes through the log. What comes from inside the service are two numbers for the screen, how
//! much has been scanned, so that the player does not run away, and how it goes ([`Glance`]).

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::guests::Guests;
use super::janitor::Janitor;
use super::player::{Played, Player, Tick};
use super::scene::{INBOX, Scene};
use crate::books::audit::Audit;
use crate::books::biller::{Biller, until_done};
use crate::command::Error;
use crate::core::code::Secret;
use crate::core::event::Event;
use crate::core::time::Time;
use crate::firehose::Shoppers;
use crate::log::{Isolation, Lookup, Partition};
use crate::service::{Crew, Glance, Notice, Plan, Stage, Status};
use crate::worker::Clock as _;

/// The player does not run further ahead of the scan, in records: some 60 MB.
const MOST_AHEAD: u64 = 20_000;
/// The scan has so long to read what was played when the player has ended.
const DRAIN: Duration = Duration::from_secs(5);
/// What is left in the topics is read within so long at the end.
const READ: Duration = Duration::from_secs(20);

/// The world.
pub struct World {
    scene: Scene,
    player: Player,
    /// What the events say.
    pub biller: Biller,
    crew: Crew,
    status: Status,
    janitor: Option<Janitor>,
    /// Whom the visitors of the page play, if there is a page.
    guests: Option<Guests>,
    lookup: Box<dyn Lookup + Send>,
    is_reading: bool,
    /// Desk workers that are to die, and have not yet.
    dying: BTreeSet<u32>,
    /// The desk worker that is killed next.
    next: u32,
    /// Desk workers that were killed.
    pub kills: u64,
    /// What the workers have complained about: faults of hashbuy.
    complaints: Vec<String>,
}

/// What a world leaves behind when it has ended.
pub struct Ended {
    /// What the events say.
    pub biller: Biller,
    /// What the desk's books say.
    pub audit: Audit,
    /// What was played.
    pub played: Played,
    /// Records of it that the scan had no time for.
    pub unscanned: u64,
    /// The last desk time, if there was one.
    pub desk_time: Option<Time>,
    /// How long the world has lasted in its own time, in milliseconds.
    pub age: i64,
    /// Desk workers that were killed.
    pub kills: u64,
    /// What else is wrong.
    pub complaints: Vec<String>,
    /// What is left on the brokers: where, and what the topics' names begin with.
    pub left: Option<(String, String)>,
}

/// What has come up in a turn.
#[derive(Debug, Default)]
pub struct News {
    /// Events.
    pub events: Vec<Event>,
    /// What the workers say.
    pub notices: Vec<Notice>,
}

impl World {
    /// A world whose workers have been started.
    ///
    /// # Errors
    /// If the log or the machine refuses.
    pub fn start(scene: Scene, seed: u64, status: Status) -> Result<World, Error> {
        let player = Player::new(&scene, seed).map_err(Error::failed)?;
        let biller = Biller::new(&*scene.log, &scene.config.service.topics, INBOX).map_err(Error::failed)?;
        let janitor = Janitor::of(&scene).map_err(Error::failed)?;
        let lookup = scene.log.lookup().map_err(Error::failed)?;
        let plan = Plan {
            config: scene.config.clone(),
            secret: Secret::published(),
            stage: Stage::All,
            log: scene.log.clone(),
            clock: scene.clock.clone(),
            patience: scene.patience,
        };
        let crew = Crew::start(plan, status.clone()).map_err(Error::failed)?;
        Ok(World {
            scene,
            player,
            biller,
            crew,
            status,
            janitor,
            guests: None,
            lookup,
            is_reading: false,
            dying: BTreeSet::new(),
            next: 0,
            kills: 0,
            complaints: Vec::new(),
        })
    }

    /// Whether the workers are at work. Until then time passes, and nothing else.
    pub fn is_ready(&self) -> bool {
        self.is_reading && self.is_whole()
    }

    /// A tick in which nothing happens.
    pub fn pause(&mut self) {
        self.player.pause();
    }

    /// The tick of a number, at so many tweets a second.
    pub fn tick(&self, number: u64, rate: u64) -> Tick {
        self.player.tick(number, rate)
    }

    /// Whether the scan is so far behind that it has to be waited for.
    pub fn is_ahead(&self) -> bool {
        self.ahead() > MOST_AHEAD
    }

    fn ahead(&self) -> u64 {
        self.player.played.records().saturating_sub(self.status.glance().scanned)
    }

    /// Plays a piece of a tick. True if the tick has more.
    ///
    /// # Errors
    /// Those of the log.
    pub fn play(&mut self, tick: &mut Tick) -> Result<bool, Error> {
        self.player.play(tick).map_err(Error::failed)
    }

    /// Looks at what has come of it: events, and what the workers say.
    ///
    /// # Errors
    /// If a worker cannot go on, and those of the log.
    pub fn turn(&mut self) -> Result<News, Error> {
        let mut news = News::default();
        while let Some(notice) = self.crew.said() {
            match &notice {
                Notice::Stopped { .. } => return Err(Error::failed(notice)),
                Notice::Reading { .. } => self.is_reading = true,
                Notice::Killed { desk, .. } => {
                    self.dying.remove(desk);
                    self.kills += 1;
                }
                Notice::Rejected { .. } => self.complaints.push(notice.to_string()),
                Notice::Restoring { .. }
                | Notice::StillRestoring { .. }
                | Notice::Restored { .. }
                | Notice::AllRestored { .. }
                | Notice::TablesFed => {}
            }
            news.notices.push(notice);
        }
        self.player.outstanding().map_err(Error::failed)?;
        news.events = self.follow(Duration::ZERO)?;
        if let Some(janitor) = &mut self.janitor {
            let restoring = !self.dying.is_empty() || !is_whole(&self.status.glance());
            janitor.clean(&self.biller, restoring).map_err(Error::failed)?;
        }
        Ok(news)
    }

    fn follow(&mut self, wait: Duration) -> Result<Vec<Event>, Error> {
        let events = self.biller.follow(wait).map_err(Error::failed)?;
        events.iter().for_each(|event| self.player.hear(event));
        if let Some(guests) = &mut self.guests {
            events.iter().for_each(|event| guests.hear(event));
        }
        Ok(events)
    }

    /// Kills a desk worker, one after the other; none while all of them are dying.
    pub fn kill(&mut self) {
        let desks = self.scene.config.service.desk_workers;
        let alive = (self.next..self.next + desks).map(|number| number % desks);
        if let Some(number) = alive.into_iter().find(|number| !self.dying.contains(number)) {
            self.dying.insert(number);
            self.crew.kill_desk(number as usize);
            self.next = (number + 1) % desks;
        }
    }

    /// What time it is in the world.
    pub fn now(&self) -> Time {
        self.scene.clock.now()
    }

    /// How it goes.
    pub fn glance(&self) -> Glance {
        self.status.glance()
    }

    /// Whether each partition of the inbox has a desk worker.
    fn is_whole(&self) -> bool {
        is_whole(&self.glance())
    }

    /// Why desk time stands, if anything is known to be in its way.
    pub fn why(&self, glance: &Glance) -> Option<String> {
        if !is_whole(glance) {
            return Some(format!(
                "a desk worker restores {} of {INBOX} partitions",
                INBOX - glance.partitions.min(INBOX)
            ));
        }
        glance.holds.as_ref().map(ToString::to_string)
    }

    /// What was played so far.
    pub fn played(&self) -> Played {
        self.player.played
    }

    /// The people.
    pub fn shoppers(&self) -> &Shoppers {
        self.player.shoppers()
    }

    /// Ends it: what was played is scanned, the workers finish and go home, and then the topics are read to
    /// their ends: the events, and the desk's changelog.
    ///
    /// # Errors
    /// If a worker could not finish, and those of the log.
    pub async fn finish(mut self) -> Result<Ended, Error> {
        let until = Instant::now() + DRAIN;
        while self.ahead() > 0 && Instant::now() < until {
            self.turn()?;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let (unscanned, desk_time) = (self.ahead(), self.glance().desk_time);
        let complaints = &mut self.complaints;
        for notice in self.crew.stop().await.map_err(Error::Failed)? {
            match notice {
                Notice::Rejected { .. } => complaints.push(notice.to_string()),
                Notice::Killed { .. } => self.kills += 1,
                _ => {}
            }
        }
        let (biller, lookup, topics) =
            (&mut self.biller, &mut self.lookup, &self.scene.config.service.topics);
        until_done("the events", READ, || {
            biller.follow(Duration::from_millis(20))?;
            biller.is_at_end(&mut **lookup)
        })
        .map_err(Error::failed)?;
        let audit = Audit::of(&*self.scene.log, &topics.changelog, INBOX, READ).map_err(Error::failed)?;
        let dead_letters = Partition::new(topics.dead_letters.as_str(), 0);
        let (_, dead) = lookup.watermarks(&dead_letters, Isolation::Uncommitted).map_err(Error::failed)?;
        if dead > 0 {
            complaints.push(format!("{dead} records of the demo became dead letters"));
        }
        let service = &self.scene.config.service;
        let is_left = self.scene.memory.is_none();
        Ok(Ended {
            biller: self.biller,
            audit,
            played: self.player.played,
            unscanned,
            desk_time,
            age: self.player.age(),
            kills: self.kills,
            complaints: self.complaints,
            left: is_left.then(|| (service.brokers.clone(), service.app.clone())),
        })
    }
}

fn is_whole(glance: &Glance) -> bool {
    glance.partitions == INBOX
}

mod visitors;

#[cfg(test)]
mod tests;
