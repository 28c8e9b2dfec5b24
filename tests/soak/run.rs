//! A run from its tables to its verdict.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::signal::unix::{SignalKind, signal};

use crate::Cli;
use crate::audit::{Audit, Seen};
use crate::broker::Broker;
use crate::built;
use crate::crowd::{Crowd, Heard};
use crate::drive::{Board, Played, drive};
use crate::fleet::Fleet;
use crate::lag::{Group, Janitor};
use crate::memory::{Curve, Sample};
use crate::plan;
use crate::report::{self, Line, Outcome};
use crate::stream::Stream;
use crate::world::{INBOX, TWEETS, World};

/// One look at everything in so long.
const LOOK: Duration = Duration::from_millis(200);
/// One sample.
const SAMPLE: Duration = Duration::from_secs(1);
/// One line of progress, and one visit of the janitor.
const LINE: Duration = Duration::from_secs(10);
/// After the last kill everybody has what is due within so long: the longest window and the slack of its lapse are
/// 150 s of it.
const SETTLED: Duration = Duration::from_secs(360);
/// The desk decides on the rest within so long.
const REST: Duration = Duration::from_secs(120);
/// Brokers' files of the firehose are this large; those that nobody needs go.
const SEGMENT: &str = "67108864";
/// The broker's files may take so much of the disk, in bytes.
const DISK: u64 = 8 << 30;

/// What a run has at hand while it goes on.
struct Soak<'a> {
    cli: &'a Cli,
    broker: &'a Broker,
    world: &'a World,
    began: Instant,
    board: Arc<Board>,
    audit: JoinHandle<Result<Audit, String>>,
    watch: Arc<Watch>,
    driver: JoinHandle<Result<Played, String>>,
    fleet: Fleet,
    janitor: Janitor,
    curve: Curve,
    sampled: Instant,
    told: Instant,
    disk: u64,
    interrupted: Arc<AtomicBool>,
}

/// What the thread of the audit is told, and tells.
#[derive(Default)]
struct Watch {
    ending: AtomicBool,
    seen: Mutex<Seen>,
    difference: Mutex<Option<String>>,
}

/// Runs it.
///
/// # Errors
/// Why it has failed.
pub fn run(cli: &Cli, broker: &Broker) -> Result<(), String> {
    println!(
        "soak: {} min at {} tweets/s with {} shoppers/s, seed {}; Apache Kafka at {}",
        cli.lasts.as_secs_f64() / 60.0,
        cli.rate,
        cli.shoppers,
        cli.seed,
        broker.bootstrap
    );
    let world = World::new(&broker.bootstrap);
    let mut soak = Soak::begin(cli, broker, &world);
    let outcome = soak.play().and_then(|()| soak.settle());
    outcome.and_then(|()| soak.finish()).map_err(|why| {
        let said = built::scratch().join(format!("soak-{}.log", std::process::id()));
        match std::fs::write(&said, world.said()) {
            Ok(()) => format!("{why}\nwhat the processes have said: {}", said.display()),
            Err(_) => why,
        }
    })
}

impl<'a> Soak<'a> {
    /// Topics, tables, processes, the audit, the firehose.
    fn begin(cli: &'a Cli, broker: &'a Broker, world: &'a World) -> Soak<'a> {
        let interrupted = listen();
        let (tweets, inbox) = (TWEETS.to_string(), INBOX.to_string());
        world.hashbuy(&["topics", "create", "--tweets-partitions", &tweets, "--inbox-partitions", &inbox]);
        broker.set(&world.topic("tweets"), &[("segment.bytes", SEGMENT), ("compression.type", "producer")]);
        let shoppers = cli.shoppers * cli.lasts.as_secs();
        world.put("offers", &plan::offers(shoppers, cli.lasts.as_secs()));
        world.put("accounts", &plan::accounts(shoppers));
        let fleet = Fleet::start(world, cli.seed);
        println!("{shoppers} accounts are linked; two processes are at work");
        report::head();
        let (heard, hears) = channel();
        let (board, watch) = (Arc::new(Board::default()), Arc::new(Watch::default()));
        let audit = listen_to(world, heard, Arc::clone(&watch));
        let stream = Stream::new(&world.bootstrap, world.topic("tweets"), cli.rate, cli.seed);
        let crowd = Crowd::new(world, cli.seed, shoppers);
        let driver = drive(stream, crowd, hears, Arc::clone(&board), cli.shoppers);
        let now = Instant::now();
        Soak {
            cli,
            broker,
            board,
            audit,
            watch,
            driver,
            fleet,
            janitor: Janitor::new(Group::new(world, "scan", "tweets", TWEETS)),
            world,
            began: now,
            curve: Curve::default(),
            sampled: now,
            told: now,
            disk: 0,
            interrupted,
        }
    }

    /// Tweets and kills.
    fn play(&mut self) -> Result<(), String> {
        while self.began.elapsed() < self.cli.lasts {
            let first = self.began.elapsed() < self.cli.lasts / 2;
            self.turn(Some(usize::from(!first)))?;
        }
        Ok(())
    }

    /// Nobody new comes and nobody is killed any more; everybody gets what is due.
    fn settle(&mut self) -> Result<(), String> {
        report::note(self.began.elapsed(), "nobody new comes, and nobody is killed any more");
        self.board.closing.store(true, Ordering::Release);
        let deadline = Instant::now() + SETTLED;
        // Looked at after the driver has seen that it closes.
        thread::sleep(LOOK);
        while !self.fleet.is_whole() || self.board.waiting.load(Ordering::Relaxed) > 0 {
            self.turn(None)?;
            if Instant::now() > deadline {
                // Who waits in vain is told at the end.
                report::note(self.began.elapsed(), "not everybody has what is due");
                break;
            }
        }
        Ok(())
    }

    /// The processes end, the last records are decided, and everything is held against the model.
    fn finish(self) -> Result<(), String> {
        let lasted = self.began.elapsed();
        self.board.ending.store(true, Ordering::Release);
        let played = self.driver.join().map_err(|_| "the firehose has panicked")??;
        let strikes = self.fleet.strikes.clone();
        self.fleet.stop();
        let mut rest = self.world.run_as("rest", &["--stage", "desk"]);
        rest.await_ready();
        let (desk, deadline) = (Group::new(self.world, "desk", "inbox", INBOX), Instant::now() + REST);
        while !desk.is_done() {
            if Instant::now() > deadline {
                return Err(format!("the desk does not get on with the inbox:\n{}", rest.log()));
            }
            thread::sleep(LOOK);
        }
        rest.stop();
        self.watch.ending.store(true, Ordering::Release);
        let audit = self.audit.join().map_err(|_| "the audit has panicked")??;
        let outcome = Outcome {
            lasts: self.cli.lasts,
            lasted,
            rate: self.cli.rate,
            curve: &self.curve,
            played: &played,
            strikes: &strikes,
            silence: audit.silence,
            letters: self.world.committed(&["dead_letters"]).len(),
            disk: self.disk,
            summary: audit.finish(),
        };
        report::verdict(&outcome)
    }

    /// A look at everything.
    fn turn(&mut self, spared: Option<usize>) -> Result<(), String> {
        if self.interrupted.load(Ordering::Acquire) {
            return Err("interrupted".to_owned());
        }
        if self.driver.is_finished() {
            return Err("the firehose has ended: see above".to_owned());
        }
        if let Some(difference) = self.watch.difference() {
            return Err(difference);
        }
        let said = self.fleet.turn(self.world, spared);
        // A terminal tells the processes, too, and they end.
        if said.is_err() && self.interrupted.load(Ordering::Acquire) {
            return Err("interrupted".to_owned());
        }
        if let Some(said) = said? {
            report::note(self.began.elapsed(), &said);
        }
        if self.sampled.elapsed() >= SAMPLE {
            self.sampled = Instant::now();
            self.sample();
        }
        if self.told.elapsed() >= LINE {
            self.told = Instant::now();
            self.tell()?;
        }
        thread::sleep(LOOK);
        Ok(())
    }

    fn sample(&mut self) {
        let seen = self.watch.seen();
        let before = self.curve.0.last().map_or(0, |sample| sample.lag);
        self.curve.0.push(Sample {
            at: self.began.elapsed().as_secs_f64(),
            memory: self.fleet.memory(),
            lag: self.janitor.lag().unwrap_or(before),
            pendings: seen.pendings,
            shoppers: self.board.asked.load(Ordering::Relaxed),
        });
    }

    fn tell(&mut self) -> Result<(), String> {
        self.janitor.clean(self.broker);
        let disk = self.broker.bytes();
        self.disk = self.disk.max(disk);
        if disk > DISK {
            return Err(format!("the broker has {} MB on the disk", disk >> 20));
        }
        let Some(sample) = self.curve.0.last() else { return Ok(()) };
        report::line(&Line {
            at: self.began.elapsed(),
            sent: self.board.sent(),
            sample: *sample,
            asked: self.board.asked.load(Ordering::Relaxed),
            waiting: self.board.waiting.load(Ordering::Relaxed),
            confirmed: self.watch.seen().confirmed,
            strikes: self.fleet.strikes.values().sum(),
            disk,
        });
        Ok(())
    }
}

impl Watch {
    fn seen(&self) -> Seen {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn difference(&self) -> Option<String> {
        self.difference.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The audit in a thread of its own, until it is told that the service has ended, or something differs.
fn listen_to(world: &World, heard: Sender<Heard>, watch: Arc<Watch>) -> JoinHandle<Result<Audit, String>> {
    let mut audit = Audit::new(world, heard);
    thread::spawn(move || {
        let mut counted = Instant::now();
        while !watch.ending.load(Ordering::Acquire) {
            if let Err(difference) = audit.turn() {
                let mut told = watch.difference.lock().unwrap_or_else(PoisonError::into_inner);
                *told = Some(difference.clone());
                return Err(difference);
            }
            if counted.elapsed() >= SAMPLE {
                counted = Instant::now();
                *watch.seen.lock().unwrap_or_else(PoisonError::into_inner) = audit.seen();
            }
        }
        Ok(audit)
    })
}

/// A flag that Ctrl-C and SIGTERM raise: what was started has to be ended.
fn listen() -> Arc<AtomicBool> {
    let raised = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&raised);
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut told = signal(SignalKind::terminate()).unwrap();
            tokio::select! {
                pressed = tokio::signal::ctrl_c() => pressed.unwrap(),
                _ = told.recv() => {}
            }
        });
        flag.store(true, Ordering::Release);
    });
    raised
}
