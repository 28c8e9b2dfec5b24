//! `hashbuy demo`: a made-up firehose with shoppers in front of the real workers, in one process, with no
//! set-up.

mod guests;
mod janitor;
mod keys;
mod player;
mod scene;
mod screen;
mod show;
mod story;
mod summary;
mod world;

use std::net::Ipv4Addr;
use std::time::Duration;

use clap::Args;
use clap::builder::RangedU64ValueParser;
use tokio::signal::unix::{SignalKind, signal};

use self::scene::Scene;
use self::screen::{Screen, watched};
use self::show::Show;
use self::world::World;
use crate::command::Error;
use crate::core::numeral::grouped;
use crate::metrics;
use crate::service::Status;
use crate::web::stand::{Stand, stand};
use crate::web::{self, Site};

/// How long the demo lasts where nobody could end it by Ctrl-C.
const UNWATCHED: Duration = Duration::from_secs(30);

/// The usual port of the page.
const PORT: u16 = 9464;

/// Arguments of `demo`.
#[derive(Debug, Args)]
#[command(after_help = "\
Shoppers tweet an offer's hashtag, read the code in the answer, and tweet it in time, or too late, \
or not at all; some retweet, quote, delete, copy and guess. Others load a coupon onto their card and \
pay with it, enough or too little, return what they bought, or never pay: a coupon expires a week \
after its last day, so one of them had its last day a week ago. Everything goes through a log with \
topics, groups and transactions, and the workers are those of `run`. The log is in memory, a minute \
passes in each second, and a code is good for two of them. With --brokers the log is a real Kafka:
time passes as it does, codes are good for a minute, and the topics are new ones, which are left \
there. Properties of librdkafka come from the environment: HASHBUY_KAFKA_PROPERTIES_...

On a terminal the key k kills a desk worker with its transaction open, and another takes its place; \
q ends the demo, as Ctrl-C does. The page, whose address is printed first, shows how it goes, and \
lets you tweet as one of three guests. At the end the sums are checked, by what stands in the \
topics: every purchase has ended once or is still pending at the desk, every coupon is redeemed, expired or \
still loaded at the desk, and nobody was billed or credited twice, nor for more than was loaded.

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
    #[arg(long = "for", value_name = "TIME", value_parser = crate::command::duration::parse)]
    pub length: Option<Duration>,
    /// Serve the page and /metrics on this port of 127.0.0.1, 0 is any free one; by default 9464, if it is free
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
    let (stand, keeper) = stand();
    let served = serve(args.port, &status, stand).await?;
    let scene = match &args.brokers {
        None => Scene::in_memory()?,
        Some(brokers) => Scene::on_kafka(brokers).await?,
    };
    let mut screen = Screen::new(scene.second);
    let length = args.length.or((!watched()).then_some(UNWATCHED));
    for line in opening(args, &scene).into_iter().chain([served]) {
        screen.line(&line);
    }
    let mut interrupted = Box::pin(interruption()?);
    let mut world = World::start(scene, args.seed, status)?;
    world.invite(keeper);
    let mut show = Show::new(world, screen, args.rate);
    let played = show.play(length, interrupted.as_mut()).await;
    let (world, mut screen, elapsed) = show.close();
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

/// Serves the page from now on: on the port that was asked for, else on the usual one, or on any if somebody has
/// that. Returns where.
async fn serve(port: Option<u16>, status: &Status, stand: Stand) -> Result<String, Error> {
    let listen = |port: u16| web::listen(Ipv4Addr::LOCALHOST.into(), port);
    let listening = match port {
        Some(port) => listen(port).await.map_err(|error| {
            Error::Failed(format!(
                "--port {port}: cannot listen on 127.0.0.1:{port}: {error}; choose another port, or 0 for any free one"
            ))
        })?,
        None => match listen(PORT).await {
            Ok(listener) => listener,
            Err(_) => match listen(0).await {
                Ok(listener) => listener,
                Err(error) => return Ok(format!("There is no page: {error}")),
            },
        },
    };
    let address = listening.local_addr().map_err(Error::failed)?;
    let mut site = Site::new("demo", status.clone(), metrics::install().map_err(Error::failed)?);
    site.stand = Some(stand);
    tokio::spawn(web::serve(listening, site));
    Ok(format!("Watch it at http://{address}/ and tweet yourself."))
}
