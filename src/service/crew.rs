//! The threads: started together, told to end together.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{Notice, Stage, Status, threads};
use crate::config::Config;
use crate::core::code::Secret;
use crate::log::Log;
use crate::worker::{Clock, Stop};

/// What is open has so long to be finished.
const FINISH: Duration = Duration::from_secs(8);

/// What is to run.
pub struct Plan {
    /// The settings.
    pub config: Config,
    /// The key of the codes.
    pub secret: Secret,
    /// Which stages.
    pub stage: Stage,
    /// Where the records are.
    pub log: Arc<dyn Log>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// A desk worker's patience with a restore, in milliseconds of that clock.
    pub patience: i64,
}

/// The threads.
pub struct Crew {
    threads: Vec<JoinHandle<()>>,
    ending: Arc<AtomicBool>,
    kills: Vec<Arc<AtomicBool>>,
    notices: UnboundedReceiver<Notice>,
}

/// What every thread needs.
#[derive(Clone)]
pub(super) struct Common {
    pub log: Arc<dyn Log>,
    pub clock: Arc<dyn Clock>,
    pub config: Arc<Config>,
    pub secret: Secret,
    pub patience: i64,
    pub status: Status,
    ending: Arc<AtomicBool>,
    notices: UnboundedSender<Notice>,
    /// The feeder has passed on what was in the tables at the start.
    pub fed: Arc<AtomicBool>,
    /// How many scan workers of this process take themselves for the one that reads the first partition of the
    /// firehose. For a moment, while it changes hands, that may be two.
    pub keeps_time: Arc<AtomicUsize>,
}

impl Crew {
    /// Starts all threads of the plan.
    ///
    /// # Errors
    /// If the machine gives no more threads.
    pub fn start(plan: Plan, status: Status) -> std::io::Result<Crew> {
        let (sender, notices) = unbounded_channel();
        let common = Common {
            log: plan.log,
            clock: plan.clock,
            config: Arc::new(plan.config),
            secret: plan.secret,
            patience: plan.patience,
            status,
            ending: Arc::default(),
            notices: sender,
            fed: Arc::default(),
            keeps_time: Arc::default(),
        };
        let ending = Arc::clone(&common.ending);
        let mut crew = Crew { threads: Vec::new(), ending, kills: Vec::new(), notices };
        let service = &common.config.service;
        let of = |stages: [Stage; 2], workers| if stages.contains(&plan.stage) { workers } else { 0 };
        common.status.expect(
            of([Stage::Desk, Stage::All], service.desk_workers),
            of([Stage::Scan, Stage::All], service.scan_workers),
        );
        let by = plan.stage.by();
        crew.thread("topics".into(), &common, move |common| threads::topics(common, by))?;
        // It has nothing to finish, and may be waiting for an answer when the others have.
        crew.threads.clear();
        if plan.stage != Stage::Scan {
            for number in 0..service.desk_workers {
                let kill = Arc::new(AtomicBool::new(false));
                crew.kills.push(Arc::clone(&kill));
                let body = move |common: &Common| threads::desk(common, number, &kill);
                crew.thread(format!("desk {number}"), &common, body)?;
            }
        }
        if plan.stage != Stage::Desk {
            crew.thread("feeder".into(), &common, threads::feeder)?;
            crew.thread("keeper".into(), &common, threads::keeper)?;
            for number in 0..service.scan_workers {
                let body = move |common: &Common| threads::scan(common, number);
                crew.thread(format!("scan {number}"), &common, body)?;
            }
        }
        Ok(crew)
    }

    fn thread(
        &mut self,
        name: String,
        common: &Common,
        work: impl FnOnce(&Common) -> Result<(), Stop> + Send + 'static,
    ) -> std::io::Result<()> {
        let common = common.clone();
        let body = {
            let worker = name.clone();
            move || {
                // A worker that has panicked is as spent as one that says so: the process has to end.
                let worked = std::panic::catch_unwind(AssertUnwindSafe(|| work(&common)));
                if let Err(stop) = worked.unwrap_or(Err(Stop::Panicked)) {
                    common.say(Notice::Stopped { worker, stop });
                }
            }
        };
        self.threads.push(std::thread::Builder::new().name(name).spawn(body)?);
        Ok(())
    }

    /// The next thing that the threads have to say; none when all have ended.
    pub async fn notice(&mut self) -> Option<Notice> {
        self.notices.recv().await
    }

    /// The next thing that they have said already, if any.
    pub fn said(&mut self) -> Option<Notice> {
        self.notices.try_recv().ok()
    }

    /// Ends a desk worker as a crash would, with its transaction open and without leaving the group, and has
    /// another take its place. Nothing, if there is no such worker.
    pub fn kill_desk(&self, number: usize) {
        if let Some(kill) = self.kills.get(number) {
            kill.store(true, Ordering::Release);
        }
    }

    /// Tells all threads to end and waits for them. Returns what they said meanwhile.
    ///
    /// # Errors
    /// What could not be finished.
    pub async fn stop(mut self) -> Result<Vec<Notice>, String> {
        self.ending.store(true, Ordering::Release);
        let until = Instant::now() + FINISH;
        while self.threads.iter().any(|thread| !thread.is_finished()) {
            if Instant::now() > until {
                return Err(format!("some workers did not end within {} s", FINISH.as_secs()));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let mut said = Vec::new();
        while let Ok(notice) = self.notices.try_recv() {
            if let Notice::Stopped { .. } = notice {
                return Err(notice.to_string());
            }
            said.push(notice);
        }
        Ok(said)
    }
}

impl Common {
    /// Whether the process is to end.
    pub fn is_ending(&self) -> bool {
        self.ending.load(Ordering::Acquire)
    }

    /// Says something. Nobody listens any more when the process is ending.
    pub fn say(&self, notice: Notice) {
        let _ = self.notices.send(notice);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{Error, Isolation, Lookup, Member, Membership, Producer, Reader, Transactions};
    use crate::service::MachineClock;

    /// A log with a bug.
    struct Buggy;

    impl Log for Buggy {
        fn member(&self, _: &Membership) -> Result<Box<dyn Member + Send>, Error> {
            panic!("a bug")
        }

        fn reader(&self, _: Isolation) -> Result<Box<dyn Reader + Send>, Error> {
            panic!("a bug")
        }

        fn producer(&self) -> Result<Box<dyn Producer + Send>, Error> {
            panic!("a bug")
        }

        fn transactions(&self, _: &str) -> Result<Box<dyn Transactions + Send>, Error> {
            panic!("a bug")
        }

        fn lookup(&self) -> Result<Box<dyn Lookup + Send>, Error> {
            panic!("a bug")
        }
    }

    #[test]
    fn a_worker_that_panics_ends_the_process() {
        let (config, secret, clock) = (Config::default(), Secret::published(), Arc::new(MachineClock));
        let plan = Plan { config, secret, stage: Stage::Desk, log: Arc::new(Buggy), clock, patience: 60_000 };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let mut crew = Crew::start(plan, Status::default()).unwrap();
            let said = tokio::time::timeout(Duration::from_secs(20), crew.notice()).await;
            let Ok(Some(Notice::Stopped { worker, stop: Stop::Panicked })) = said else { panic!("{said:?}") };
            assert_eq!(worker, "desk 0");
            assert!(crew.stop().await.is_ok(), "it was said already");
        });
    }
}
