//! The demo while it runs: ticks, keys, and the picture.

use std::pin::Pin;
use std::time::{Duration, Instant};

use tokio::time::MissedTickBehavior;

use super::keys::Keys;
use super::player::Tick;
use super::scene::TICKS_PER_SECOND;
use super::screen::{self, Screen};
use super::world::World;
use crate::command::Error;

/// One tick on the wall.
const TICK: Duration = Duration::from_millis(1_000 / TICKS_PER_SECOND);
/// What the world may be behind the clock on the wall and still catches up with.
const CAUGHT_UP: Duration = Duration::from_secs(1);
/// Between two looks at the speed.
const MEASURED: Duration = Duration::from_millis(995);
/// Between two pictures on a screen.
const PICTURE: Duration = Duration::from_millis(100);
/// The workers are at work within so long after their start.
const BEGIN: Duration = Duration::from_secs(60);
/// A wait for the scan, which is behind.
const WAIT: Duration = Duration::from_millis(2);

/// The demo while it runs.
pub struct Show {
    rate: u64,
    world: World,
    screen: Screen,
    keys: Option<Keys>,
    started: Instant,
    /// When the screen was painted last.
    pictured: Instant,
    /// Somebody has pressed the key that ends it.
    ending: bool,
}

impl Show {
    /// A world and a screen that are to be shown to each other; `rate`: tweets a second.
    pub fn new(world: World, screen: Screen, rate: u64) -> Show {
        let now = Instant::now();
        Show { rate, world, screen, keys: Keys::new(), started: now, pictured: now, ending: false }
    }

    /// Leaves the terminal as it was. Returns how long it was played, too.
    pub fn close(mut self) -> (World, Screen, Duration) {
        self.screen.close();
        (self.world, self.screen, self.started.elapsed())
    }

    /// Plays tick after tick, until it has been long enough or it is interrupted.
    ///
    /// # Errors
    /// If a worker cannot go on, and those of the log and of stdout.
    pub async fn play(
        &mut self,
        length: Option<Duration>,
        mut interrupted: Pin<&mut impl Future<Output = ()>>,
    ) -> Result<(), Error> {
        let mut beat = tokio::time::interval(TICK);
        beat.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let begin = Instant::now();
        while !self.world.is_ready() {
            tokio::select! {
                biased;
                () = &mut interrupted => return Ok(()),
                _ = beat.tick() => self.world.pause(),
            }
            self.look()?;
            if begin.elapsed() > BEGIN {
                return Err(Error::Failed(format!("the workers did not begin within {} s", BEGIN.as_secs())));
            }
        }
        self.started = Instant::now();
        self.pictured = self.started;
        let mut speed = Speed::new();
        for number in 0.. {
            if self.ending || length.is_some_and(|length| self.started.elapsed() >= length) {
                break;
            }
            let due = tokio::select! {
                biased;
                () = &mut interrupted => return Ok(()),
                due = beat.tick() => due,
            };
            // A hiccup is caught up with; the night in which a laptop slept is not.
            if due.elapsed() > CAUGHT_UP {
                beat.reset();
            }
            let mut tick = self.world.tick(number, self.rate);
            while let Some(wait) = self.piece(&mut tick)? {
                tokio::select! {
                    biased;
                    () = &mut interrupted => return Ok(()),
                    () = rest(wait) => {}
                }
                self.look()?;
                self.picture(&mut speed);
            }
            self.look()?;
            self.picture(&mut speed);
            // Without a pause between late ticks nobody else would ever have a turn.
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// Plays a piece of the tick, or leaves the scan the time to come after. Returns how long to wait before
    /// the next one; none if the tick is over.
    fn piece(&mut self, tick: &mut Tick) -> Result<Option<Duration>, Error> {
        if self.world.is_ahead() {
            return Ok(Some(WAIT));
        }
        Ok(self.world.play(tick)?.then_some(Duration::ZERO))
    }

    /// Shows what has come of it, and what the keys say.
    fn look(&mut self) -> Result<(), Error> {
        let news = self.world.turn()?;
        if self.world.is_ready() {
            self.world.oblige()?;
        }
        for notice in &news.notices {
            self.screen.notice(self.world.now(), notice);
        }
        for event in &news.events {
            self.screen.event(self.world.shoppers(), event);
        }
        for key in self.keys.as_ref().map(Keys::pressed).unwrap_or_default() {
            match key {
                b'k' | b'K' => self.world.kill(),
                b'q' | b'Q' => self.ending = true,
                _ => {}
            }
        }
        self.screen.check()
    }

    /// Shows how it goes, if it is time to.
    fn picture(&mut self, speed: &mut Speed) {
        speed.measure(&self.world);
        let pause = if self.screen.is_live() { PICTURE } else { MEASURED };
        if self.pictured.elapsed() < pause {
            return;
        }
        self.pictured = Instant::now();
        let (world, glance) = (&self.world, self.world.glance());
        world.publish();
        let status = screen::Status {
            now: world.now(),
            lag: glance.desk_time.map(|time| world.now().since(time).max(0)),
            why: world.why(&glance),
            tweets: speed.tweets,
            bytes: speed.bytes,
            pendings: glance.pendings,
            kills: world.kills,
        };
        self.screen.status(&status, &world.biller.ledger);
    }
}

/// Waits; not at all is still a turn for others.
async fn rest(wait: Duration) {
    if wait.is_zero() {
        tokio::task::yield_now().await;
    } else {
        tokio::time::sleep(wait).await;
    }
}

/// How fast it goes, measured about once a second.
struct Speed {
    /// When it was measured last, and what had been played by then: tweets, bytes.
    since: (Instant, u64, u64),
    /// Tweets in a second.
    tweets: f64,
    /// Bytes in a second.
    bytes: f64,
}

impl Speed {
    fn new() -> Speed {
        Speed { since: (Instant::now(), 0, 0), tweets: 0.0, bytes: 0.0 }
    }

    /// Measures, if it is time to.
    fn measure(&mut self, world: &World) {
        let (at, tweets, bytes) = self.since;
        let elapsed = at.elapsed();
        if elapsed < MEASURED {
            return;
        }
        let played = world.played();
        self.tweets = (played.tweets - tweets) as f64 / elapsed.as_secs_f64();
        self.bytes = (played.bytes - bytes) as f64 / elapsed.as_secs_f64();
        self.since = (Instant::now(), played.tweets, played.bytes);
    }
}
