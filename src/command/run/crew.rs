//! The threads of `run`: each drives one worker, until it is told to end or the worker cannot go on.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::Stage;
use super::status::{Status, clock};
use crate::command::{Error, now, tell};
use crate::config::Config;
use crate::core::code::Secret;
use crate::core::time::Time;
use crate::log::Log;
use crate::worker::desk::{Back, DeskOptions, DeskWorker};
use crate::worker::feeder::{FeederOptions, FeederWorker};
use crate::worker::keeper::{Keeper, KeeperOptions};
use crate::worker::scan::{ScanOptions, ScanWorker};
use crate::worker::{Clock, Stop};

/// How long a worker waits for something to come, before it looks whether it is to end.
const WAIT: Duration = Duration::from_millis(100);
/// A worker that cannot begin, because of something that passes, tries for so long.
const BEGIN: Duration = Duration::from_secs(60);
/// What is open has so long to be finished.
const FINISH: Duration = Duration::from_secs(8);

/// What is to run.
pub struct Plan {
    pub config: Config,
    pub secret: Secret,
    pub stage: Stage,
}

/// The threads.
pub struct Crew {
    threads: Vec<JoinHandle<()>>,
    ending: Arc<AtomicBool>,
    failures: Receiver<String>,
}

/// The machine's clock.
struct Machine;

impl Clock for Machine {
    fn now(&self) -> Time {
        now()
    }
}

/// What every thread needs.
#[derive(Clone)]
struct Common {
    log: Arc<dyn Log>,
    clock: Arc<dyn Clock>,
    config: Arc<Config>,
    status: Status,
    ending: Arc<AtomicBool>,
    failures: Arc<Mutex<Sender<String>>>,
    /// The feeder has passed on what was in the tables at the start.
    fed: Arc<AtomicBool>,
    /// A scan worker of this process reads the first partition of the firehose.
    keeps_time: Arc<AtomicBool>,
}

impl Crew {
    /// Starts all threads of the plan.
    ///
    /// # Errors
    /// If the machine gives no more threads.
    pub fn start(plan: Plan, log: Arc<dyn Log>, status: Status) -> Result<Crew, Error> {
        let (sender, failures) = channel();
        let common = Common {
            log,
            clock: Arc::new(Machine),
            config: Arc::new(plan.config),
            status,
            ending: Arc::default(),
            failures: Arc::new(Mutex::new(sender)),
            fed: Arc::default(),
            keeps_time: Arc::default(),
        };
        let mut crew = Crew { threads: Vec::new(), ending: Arc::clone(&common.ending), failures };
        if plan.stage != Stage::Scan {
            for number in 0..common.config.service.desk_workers {
                let secret = plan.secret.clone();
                crew.thread(format!("desk {number}"), &common, move |common| desk(common, number, secret))?;
            }
        }
        if plan.stage != Stage::Desk {
            crew.thread("feeder".into(), &common, feeder)?;
            crew.thread("keeper".into(), &common, keeper)?;
            for number in 0..common.config.service.scan_workers {
                crew.thread(format!("scan {number}"), &common, move |common| scan(common, number))?;
            }
        }
        Ok(crew)
    }

    fn thread(
        &mut self,
        name: String,
        common: &Common,
        work: impl FnOnce(&Common) -> Result<(), Stop> + Send + 'static,
    ) -> Result<(), Error> {
        let common = common.clone();
        let body = {
            let name = name.clone();
            move || {
                if let Err(stop) = work(&common)
                    && let Ok(failures) = common.failures.lock()
                {
                    // The receiver is gone when the process is ending anyway.
                    let _ = failures.send(format!("{name}: {stop}"));
                }
            }
        };
        let thread = std::thread::Builder::new().name(name).spawn(body).map_err(Error::failed)?;
        self.threads.push(thread);
        Ok(())
    }

    /// Why a worker cannot go on, if one cannot.
    pub fn failure(&mut self) -> Option<String> {
        self.failures.try_recv().ok()
    }

    /// Tells all threads to end and waits for them.
    ///
    /// # Errors
    /// What could not be finished.
    pub async fn stop(mut self) -> Result<(), String> {
        self.ending.store(true, Ordering::Release);
        let until = Instant::now() + FINISH;
        while self.threads.iter().any(|thread| !thread.is_finished()) {
            if Instant::now() > until {
                return Err(format!("some workers did not end within {} s", FINISH.as_secs()));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        match self.failure() {
            Some(failure) => Err(failure),
            None => Ok(()),
        }
    }
}

impl Common {
    fn is_ending(&self) -> bool {
        self.ending.load(Ordering::Acquire)
    }

    /// Makes a worker; what passes is waited for. None if the process is to end.
    fn begin<W>(&self, mut make: impl FnMut() -> Result<W, Stop>) -> Result<Option<W>, Stop> {
        let until = Instant::now() + BEGIN;
        loop {
            match make() {
                Ok(worker) => return Ok(Some(worker)),
                Err(stop) if stop.passes() && Instant::now() < until => {}
                Err(stop) => return Err(stop),
            }
            if self.is_ending() {
                return Ok(None);
            }
            std::thread::sleep(WAIT);
        }
    }
}

fn desk(common: &Common, number: u32, secret: Secret) -> Result<(), Stop> {
    let service = &common.config.service;
    let options = DeskOptions {
        app: service.app.clone(),
        instance: format!("{}-{number}", service.instance),
        topics: service.topics.clone(),
        secret,
    };
    let make = || DeskWorker::new(Arc::clone(&common.log), Arc::clone(&common.clock), options.clone());
    let Some(mut worker) = common.begin(make)? else { return Ok(()) };
    while !common.is_ending() {
        worker.turn(WAIT)?;
        let done = worker.take_done();
        for back in &done.restored {
            let Back { partition, records, expired } = back;
            tell(format_args!(
                "{}  desk {number}: partition {partition} restored, {records} records",
                clock()
            ));
            if *expired {
                tell(format_args!(
                    "{}  desk {number}: warning: the group had no offset of partition {partition} any more; the \
                     changelog's was taken",
                    clock()
                ));
            }
        }
        let now = common.clock.now();
        common.status.desk(number, &done, worker.partitions(), now);
    }
    let done = worker.leave()?;
    common.status.desk(number, &done, std::iter::empty(), common.clock.now());
    Ok(())
}

fn scan(common: &Common, number: u32) -> Result<(), Stop> {
    // The desk has to know who is linked before it sees what they tweet.
    while !common.fed.load(Ordering::Acquire) {
        if common.is_ending() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let config = &common.config;
    let options = ScanOptions {
        app: config.service.app.clone(),
        topics: config.service.topics.clone(),
        code_prefix: config.settings.code_prefix.clone(),
        ignored: config.scan.ignore_authors.iter().copied().collect::<HashSet<_>>(),
        strangers_per_second: config.service.strangers_per_second,
        max_record_bytes: config.input.max_record_bytes,
    };
    let make = || ScanWorker::new(Arc::clone(&common.log), Arc::clone(&common.clock), options.clone());
    let Some(mut worker) = common.begin(make)? else { return Ok(()) };
    tell(format_args!("{}  scan {number}: reading {}", clock(), config.service.topics.tweets));
    let mut kept = false;
    while !common.is_ending() {
        worker.turn(WAIT)?;
        common.status.scan(&worker.take_seen());
        if worker.keeps_time() != kept {
            kept = !kept;
            common.keeps_time.store(kept, Ordering::Release);
        }
    }
    if kept {
        common.keeps_time.store(false, Ordering::Release);
    }
    common.status.scan(&worker.leave()?);
    Ok(())
}

fn feeder(common: &Common) -> Result<(), Stop> {
    let config = &common.config;
    let options = FeederOptions {
        app: config.service.app.clone(),
        topics: config.service.topics.clone(),
        code_prefix: config.settings.code_prefix.clone(),
        epoch: config.service.epoch,
    };
    let make = || FeederWorker::new(Arc::clone(&common.log), Arc::clone(&common.clock), options.clone());
    let Some(mut worker) = common.begin(make)? else { return Ok(()) };
    while !common.is_ending() {
        worker.turn(WAIT)?;
        for (place, rejection) in worker.take_fed().rejected {
            tell(format_args!("{}  feeder: {place}: {rejection}", clock()));
        }
        if !common.fed.load(Ordering::Acquire) && worker.has_passed_the_start()? {
            common.fed.store(true, Ordering::Release);
            tell(format_args!("{}  feeder: the tables are in the inbox", clock()));
        }
    }
    worker.leave().map(|_| ())
}

fn keeper(common: &Common) -> Result<(), Stop> {
    let config = &common.config;
    let options = KeeperOptions {
        app: config.service.app.clone(),
        topics: config.service.topics.clone(),
        settings: Arc::new(config.settings.clone()),
        silence: config.service.silence,
    };
    let make = || Keeper::new(Arc::clone(&common.log), Arc::clone(&common.clock), options.clone());
    let Some(mut keeper) = common.begin(make)? else { return Ok(()) };
    while !common.is_ending() {
        if common.keeps_time.load(Ordering::Acquire)
            && let Some(holds) = keeper.turn()?
        {
            common.status.time_holds(holds);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}
