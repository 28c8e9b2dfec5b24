//! `hashbuy demo`: a made-up firehose with shoppers in front of the real workers, in one process, with no
//! set-up.

mod audit;
mod biller;
mod duration;
mod janitor;
mod keys;
mod ledger;
mod player;
mod scene;
mod screen;
mod summary;
mod world;

use std::pin::Pin;
use std::time::{Duration, Instant};

use clap::Args;
use clap::builder::RangedU64ValueParser;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::MissedTickBehavior;

use self::keys::Keys;
use self::player::Tick;
use self::scene::{Scene, TICKS_PER_SECOND};
use self::screen::{Screen, grouped, watched};
use self::world::World;
use crate::command::Error;
use crate::service::Status;
use crate::{metrics, web};

/// How long the demo lasts where nobody could end it by Ctrl-C.
const UNWATCHED: Duration = Duration::from_secs(30);
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

/// Arguments of `demo`.
#[derive(Debug, Args)]
#[command(after_help = "\
Shoppers tweet an offer's hashtag, read the code in the answer, and tweet it in time, or too late,
or not at all; some retweet, quote, delete, copy and guess. Everything goes through a log with
topics, groups and transactions, and the workers are those of `run`. The log is in memory, a minute
passes in each second, and a code is good for two of them. With --brokers the log is a real Kafka:
time passes as it does, codes are good for a minute, and the topics are new ones, which are left
there. Properties of librdkafka come from the environment: HASHBUY_KAFKA_PROPERTIES_...

On a terminal the key k kills a desk worker with its transaction open, and another takes its place;
q ends the demo, as Ctrl-C does. At the end the sums are checked, by what stands in the topics:
every purchase has ended once or is still pending at the desk, and nobody was billed twice.

Exit codes: 0 done, 1 failed while running or the sums are wrong, 2 wrong use.

Examples:
  hashbuy demo
  hashbuy demo --rate 20000 --for 1m
  hashbuy demo --brokers 127.0.0.1:9092 --for 3m
  hashbuy demo --port 9100 & curl http://127.0.0.1:9100/metrics")]
pub struct Demo {
    /// Tweets a second, 100 to 1000000; deletions come on top
    #[arg(long, value_name = "N", default_value = "5000", value_parser = RangedU64ValueParser::<u64>::new().range(100..=1_000_000))]
    pub rate: u64,
    /// How long, such as 30s, 2m or 500ms; by default until Ctrl-C on a terminal, 30s elsewhere
    #[arg(long = "for", value_name = "TIME", value_parser = duration::parse)]
    pub length: Option<Duration>,
    /// Serve /metrics, /healthz and /readyz on this port of 127.0.0.1; 0 is any free one
    #[arg(long, value_name = "P")]
    pub port: Option<u16>,
    /// The same seed makes the same authors, shoppers and noise
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Run on a real Kafka: some of its brokers, with commas between
    #[arg(long, value_name = "HOST:PORT")]
    pub brokers: Option<String>,
}

/// Runs `hashbuy demo`.
///
/// # Errors
/// How it ended, if not well.
pub fn run(args: &Demo) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(Error::failed)?.block_on(demo(args))
}

async fn demo(args: &Demo) -> Result<(), Error> {
    let status = Status::default();
    let served = match args.port {
        Some(port) => Some(serve(port, &status).await?),
        None => None,
    };
    let scene = match &args.brokers {
        None => Scene::in_memory()?,
        Some(brokers) => Scene::on_kafka(brokers).await?,
    };
    let mut screen = Screen::new(scene.second);
    let length = args.length.or((!watched()).then_some(UNWATCHED));
    for line in opening(args, &scene).into_iter().chain(served) {
        screen.line(&line);
    }
    let mut interrupted = Box::pin(interruption()?);
    let world = World::start(scene, args.seed, status)?;
    let now = Instant::now();
    let keys = Keys::new();
    let mut show = Show { args, world, screen, keys, started: now, pictured: now, ending: false };
    let played = show.play(length, interrupted.as_mut()).await;
    let elapsed = show.started.elapsed();
    let Show { world, mut screen, keys, .. } = show;
    // From here on the terminal is what it was.
    drop(keys);
    screen.close();
    played?;
    let ended = world.finish().await?;
    for line in summary::lines(&ended, args.rate, elapsed) {
        screen.line(&line);
    }
    screen.check()?;
    summary::check(&ended)
}

/// What is going to be seen.
fn opening(args: &Demo, scene: &Scene) -> Vec<String> {
    let rate = grouped(args.rate);
    let service = &scene.config.service;
    match &args.brokers {
        None => vec![format!(
            "A made-up firehose: {rate} tweets a second, seed {}; a minute passes in each second.",
            args.seed
        )],
        Some(brokers) => vec![
            format!("A made-up firehose: {rate} tweets a second, seed {}.", args.seed),
            format!("The log is Kafka at {brokers}, the topics are {}-*", service.app),
        ],
    }
}

/// Ends with SIGINT, which is Ctrl-C, or SIGTERM.
fn interruption() -> Result<impl Future<Output = ()>, Error> {
    let interrupt = signal(SignalKind::interrupt()).map_err(Error::failed)?;
    let terminate = signal(SignalKind::terminate()).map_err(Error::failed)?;
    Ok(async move {
        let (mut interrupt, mut terminate) = (interrupt, terminate);
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Serves the metrics from now on. Returns where.
async fn serve(port: u16, status: &Status) -> Result<String, Error> {
    let listening = web::listen(port).await.and_then(|listener| Ok((listener.local_addr()?, listener)));
    let (address, listener) = listening.map_err(|error| {
        Error::Failed(format!(
            "--port {port}: cannot listen on 127.0.0.1:{port}: {error}; choose another port, or 0 for any free one"
        ))
    })?;
    let metrics = metrics::install().map_err(Error::failed)?;
    tokio::spawn(web::serve_with(listener, metrics, status.ready()));
    Ok(format!("Metrics at http://{address}/metrics"))
}

/// The demo while it runs.
struct Show<'a> {
    args: &'a Demo,
    world: World,
    screen: Screen,
    keys: Option<Keys>,
    started: Instant,
    /// When the screen was painted last.
    pictured: Instant,
    /// Somebody has pressed the key that ends it.
    ending: bool,
}

impl Show<'_> {
    /// Plays tick after tick, until it has been long enough or it is interrupted.
    async fn play(
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
            let mut tick = self.world.tick(number, self.args.rate);
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
