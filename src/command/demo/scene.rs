//! Where the demo is set: a log in memory, where a minute passes in each second, or a real Kafka, where time
//! is what it is. What plays on it is the same.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use crate::command::settings::Settings;
use crate::command::topics;
use crate::command::{Error, run};
use crate::config::Config;
use crate::core::time::{HOUR, MINUTE, SECOND, Time};
use crate::firehose::Habits;
use crate::log::Log;
use crate::log::memory::{Cleanup, MemoryLog, MemorySettings, TopicSettings};
use crate::service::MachineClock;
use crate::worker::desk::PATIENCE;
use crate::worker::{Clock, Topics};

/// Ticks in a second on the wall.
pub const TICKS_PER_SECOND: u64 = 50;
/// Partitions of the firehose.
pub const TWEETS: u32 = 2;
/// Partitions of the inbox, and of all that is keyed by account.
pub const INBOX: u32 = 4;
/// Desk workers: while one is killed, the other goes on.
const DESKS: u32 = 2;

/// A log, a clock, and the settings that go with them.
pub struct Scene {
    /// Where the records are.
    pub log: Arc<dyn Log>,
    /// The same, if it is in memory: somebody has to clean it.
    pub memory: Option<MemoryLog>,
    /// What time it is.
    pub clock: Arc<WorldClock>,
    /// The settings of the service.
    pub config: Config,
    /// How shoppers go about it.
    pub habits: Habits,
    /// A desk worker's patience with a restore, in milliseconds of the clock.
    pub patience: i64,
    /// As much of the world's time passes in one second on the wall, in milliseconds.
    pub second: i64,
}

/// The world's clock.
#[derive(Debug)]
pub enum WorldClock {
    /// Whoever plays moves it, so that a machine that is too slow has less time pass, and no lag.
    Driven(AtomicI64),
    /// The machine's.
    Machine,
}

impl Clock for WorldClock {
    fn now(&self) -> Time {
        match self {
            WorldClock::Driven(millis) => Time::from_millis(millis.load(Ordering::Acquire)),
            WorldClock::Machine => MachineClock.now(),
        }
    }
}

impl WorldClock {
    /// The end of a tick that begins at a time.
    pub fn end_of_tick(&self, from: Time) -> Time {
        match self {
            WorldClock::Driven(_) => from.plus(MINUTE / TICKS_PER_SECOND as i64),
            WorldClock::Machine => self.now().max(from),
        }
    }

    /// Everything up to a time has been played.
    pub fn reach(&self, time: Time) {
        if let WorldClock::Driven(millis) = self {
            millis.fetch_max(time.millis(), Ordering::AcqRel);
        }
    }
}

impl Scene {
    /// A log in memory. It begins at the present, and then a minute passes in a second; a code is good for
    /// two of them.
    ///
    /// # Errors
    /// None that could be explained: the log is new.
    pub fn in_memory() -> Result<Scene, Error> {
        let clock = Arc::new(WorldClock::Driven(AtomicI64::new(MachineClock.now().millis())));
        // Of the world's time: ten seconds on the wall. A thread that waits longer for its turn is dead.
        let patience = 10 * MINUTE;
        let timeout = Duration::from_millis(patience.unsigned_abs());
        let settings = MemorySettings {
            session_timeout: timeout,
            transaction_timeout: timeout,
            ..MemorySettings::default()
        };
        let time = Arc::clone(&clock);
        let log = MemoryLog::new(Arc::new(move || time.now()), settings);
        let mut config = Config::default();
        config.service.app = "demo".to_owned();
        config.service.desk_workers = DESKS;
        for (name, settings) in memory_topics(&config.service.topics) {
            log.create_topic(name, settings).map_err(Error::failed)?;
        }
        Ok(Scene {
            log: Arc::new(log.clone()),
            memory: Some(log),
            clock,
            config,
            habits: Habits::default(),
            patience,
            second: MINUTE,
        })
    }

    /// Topics of its own on a real Kafka, at real speed, with the shortest window and more shoppers at a time.
    /// Properties of librdkafka are taken from the environment.
    ///
    /// # Errors
    /// If the brokers are not reached, or do not make the topics.
    pub async fn on_kafka(brokers: &str) -> Result<Scene, Error> {
        let given = Settings::default().load()?;
        let mut config = Config::default();
        let app = unique_name();
        config.service.brokers = brokers.to_owned();
        config.service.properties = given.service.properties;
        config.service.topics = Topics::of(&app);
        config.service.app = app;
        config.service.desk_workers = DESKS;
        let log = run::connect(&config).map_err(|error| match error {
            Error::Usage(why) => Error::Usage(format!("--brokers {brokers}: {why}")),
            error => Error::Failed(format!("--brokers {brokers}: {error}")),
        })?;
        topics::make(&log, &config.service.topics, (TWEETS, INBOX)).await?;
        Ok(Scene {
            log,
            memory: None,
            clock: Arc::new(WorldClock::Machine),
            config,
            habits: Habits { window_seconds: 60, longest_pause: 800, ..Habits::default() },
            patience: PATIENCE,
            second: SECOND,
        })
    }
}

fn memory_topics(names: &Topics) -> [(&str, TopicSettings); 9] {
    let topic = TopicSettings::new;
    let compact = |partitions| TopicSettings { cleanup: Cleanup::Compact, ..topic(partitions) };
    let hour = Duration::from_millis(HOUR.unsigned_abs());
    [
        (&names.tweets, topic(TWEETS)),
        (&names.offers, compact(1)),
        (&names.accounts, compact(INBOX)),
        (&names.card_transactions, topic(INBOX)),
        (&names.inbox, topic(INBOX)),
        (&names.changelog, compact(INBOX)),
        (&names.purchases, topic(INBOX)),
        (&names.orders, topic(INBOX)),
        (&names.dead_letters, TopicSettings { cleanup: Cleanup::Delete(hour), ..topic(1) }),
    ]
}

/// `demo-20260213-120000-4711`: the time, and the process.
fn unique_name() -> String {
    let time: String = MachineClock.now().to_string().chars().filter(char::is_ascii_digit).take(14).collect();
    let (day, time) = time.split_at(time.len().min(8));
    format!("demo-{day}-{time}-{}", std::process::id())
}
