//! `hashbuy demo`: a made-up firehose with shoppers, in one process, with no set-up.

mod duration;
mod ledger;
mod screen;
mod summary;
mod world;

use std::pin::Pin;
use std::time::{Duration, Instant};

use clap::Args;
use clap::builder::RangedU64ValueParser;
use tokio::time::MissedTickBehavior;

use self::screen::{Screen, Status, grouped, watched};
use self::world::{TICKS_PER_SECOND, Tick, World};
use crate::command::Error;
use crate::{metrics, web};

/// How long the demo lasts where nobody could end it by Ctrl-C.
const UNWATCHED: Duration = Duration::from_secs(30);
/// One tick on the wall.
const TICK: Duration = Duration::from_millis(1_000 / TICKS_PER_SECOND);
/// Records that are played in one go; then others have their turn: the web server, Ctrl-C.
const PIECE: u64 = 500;
/// What the world may be behind the clock on the wall and still catches up with.
const CAUGHT_UP: Duration = Duration::from_secs(1);
/// Between two looks at the speed.
const MEASURED: Duration = Duration::from_millis(995);

/// Arguments of `demo`.
#[derive(Debug, Args)]
#[command(after_help = "\
Shoppers tweet an offer's hashtag, read the code in the answer, and tweet it in time, or too late,
or not at all; some retweet, quote, delete, copy and guess. A minute passes in each second, and a
code is good for two of them. At the end the sums are checked: every purchase has ended once or is
still pending, and nobody was billed twice.

What is played depends on --seed, --rate and --for alone. On a machine that is too slow for the
rate the demo takes longer.

Exit codes: 0 done, 1 failed while running or the sums are wrong, 2 wrong use.

Examples:
  hashbuy demo
  hashbuy demo --rate 20000 --for 1m
  hashbuy demo --port 9100 & curl http://127.0.0.1:9100/metrics")]
pub struct Demo {
    /// Tweets a second, 100 to 1000000; deletions come on top
    #[arg(long, value_name = "N", default_value = "5000", value_parser = RangedU64ValueParser::<u64>::new().range(100..=1_000_000))]
    pub rate: u64,
    /// How long, such as 30s, 2m or 500ms; by default until Ctrl-C on a terminal, 30s elsewhere
    #[arg(long = "for", value_name = "TIME", value_parser = duration::parse)]
    pub length: Option<Duration>,
    /// Serve /metrics and /healthz on this port of 127.0.0.1; 0 is any free one
    #[arg(long, value_name = "P")]
    pub port: Option<u16>,
    /// The same seed plays the same firehose
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
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
    let mut interrupted = Box::pin(async {
        // Without a handler there is no Ctrl-C to wait for; the signal then ends the process.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    });
    let mut screen = Screen::new();
    let length = args.length.or((!watched()).then_some(UNWATCHED));
    screen.line(&format!(
        "A made-up firehose: {} tweets a second, seed {}; a minute passes in each second.",
        grouped(args.rate),
        args.seed
    ));
    if let Some(port) = args.port {
        screen.line(&serve(port).await?);
    }

    let mut show = Show { args, world: World::new(args.seed), screen, started: Instant::now() };
    let ended = show.play(length, interrupted.as_mut()).await;
    let elapsed = show.started.elapsed();
    show.screen.close();
    ended?;
    for line in summary::lines(&show.world, args.rate, elapsed) {
        show.screen.line(&line);
    }
    show.screen.check()?;
    summary::check(&show.world)
}

/// Serves the metrics from now on. Returns where.
async fn serve(port: u16) -> Result<String, Error> {
    let listening = web::listen(port).await.and_then(|listener| Ok((listener.local_addr()?, listener)));
    let (address, listener) = listening.map_err(|error| {
        Error::Failed(format!(
            "--port {port}: cannot listen on 127.0.0.1:{port}: {error}; choose another port, or 0 for any free one"
        ))
    })?;
    let metrics = metrics::install().map_err(Error::failed)?;
    tokio::spawn(web::serve(listener, metrics));
    Ok(format!("Metrics at http://{address}/metrics"))
}

/// The demo while it runs.
struct Show<'a> {
    args: &'a Demo,
    world: World,
    screen: Screen,
    started: Instant,
}

impl Show<'_> {
    /// Plays tick after tick, until there are enough or it is interrupted.
    async fn play(
        &mut self,
        length: Option<Duration>,
        mut interrupted: Pin<&mut impl Future<Output = ()>>,
    ) -> Result<(), Error> {
        let ticks = length.map_or(u64::MAX, |length| {
            u64::try_from(length.as_millis().div_ceil(TICK.as_millis())).unwrap_or(u64::MAX)
        });
        let mut beat = tokio::time::interval(TICK);
        beat.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut speed = Speed::new();
        for number in 0..ticks {
            let due = tokio::select! {
                biased;
                () = &mut interrupted => return Ok(()),
                due = beat.tick() => due,
            };
            // A hiccup is caught up with; the night in which a laptop slept is not.
            if due.elapsed() > CAUGHT_UP {
                beat.reset();
            }
            let mut tick = Tick::new(number, self.args.rate);
            while self.piece(&mut tick)? {
                tokio::select! {
                    biased;
                    () = &mut interrupted => return Ok(()),
                    () = tokio::task::yield_now() => {}
                }
                self.status(&mut speed, false);
            }
            self.world.publish();
            self.status(&mut speed, self.screen.is_live());
            self.screen.check()?;
            // Without a pause between late ticks nobody else would ever have a turn.
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    fn piece(&mut self, tick: &mut Tick) -> Result<bool, Error> {
        let screen = &mut self.screen;
        self.world.play(tick, PIECE, |shoppers, event| screen.event(shoppers, event)).map_err(Error::failed)
    }

    /// Shows how it goes, once a second, or now.
    fn status(&mut self, speed: &mut Speed, now: bool) {
        if !speed.measure(&self.world) && !now {
            return;
        }
        let world = &self.world;
        let status = Status {
            time: world.time(),
            tweets: speed.tweets,
            bytes: speed.bytes,
            pendings: world.pendings(),
        };
        self.screen.status(status, &world.ledger);
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

    /// Measures, if it is time to. True if it was.
    fn measure(&mut self, world: &World) -> bool {
        let (at, tweets, bytes) = self.since;
        let elapsed = at.elapsed();
        if elapsed < MEASURED {
            return false;
        }
        let played = world.summary().tweets;
        self.tweets = (played - tweets) as f64 / elapsed.as_secs_f64();
        self.bytes = (world.bytes - bytes) as f64 / elapsed.as_secs_f64();
        self.since = (Instant::now(), played, world.bytes);
        true
    }
}
