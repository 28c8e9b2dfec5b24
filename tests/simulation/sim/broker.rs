//! What goes wrong in the log itself: answers that are lost, refusals, delays, and times without an answer.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fastrand::Rng;
use hashbuy::log::Kind as Error;
use hashbuy::log::memory::{Fault, MemoryLog, Step};

use super::swarm::Kind;

/// What goes wrong with the next step of some sort.
type Armed = (Kind, &'static str, Fault);

/// Faults that wait for their step.
#[derive(Debug, Clone, Default)]
pub struct Broker {
    armed: Arc<Mutex<Vec<Armed>>>,
    /// Nothing is answered until then.
    away_until: Arc<AtomicI64>,
    /// The simulation's own look at the log is spared.
    spared: Arc<AtomicBool>,
    struck: Arc<Mutex<BTreeMap<Kind, u64>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Broker {
    /// Puts itself into a log.
    pub fn haunt(log: &MemoryLog, now: Arc<AtomicI64>) -> Broker {
        let broker = Broker::default();
        let hook = broker.clone();
        log.set_faults(Some(Box::new(move |step| hook.fault(step, now.load(Ordering::Relaxed)))));
        broker
    }

    fn fault(&self, step: Step<'_>, now: i64) -> Option<Fault> {
        let is_ours = |topic: &str| !["tweets", "offers", "accounts", "card-transactions"].contains(&topic);
        if self.spared.load(Ordering::Relaxed) || matches!(step, Step::Send(to) if !is_ours(&to.topic)) {
            return None;
        }
        if now < self.away_until.load(Ordering::Relaxed) {
            return match step {
                // What is asked of a broker that is away.
                Step::Commit(_) | Step::Abort(_) => Some(Fault::Refused(Error::Unknown)),
                Step::Write(..) => Some(Fault::Refused(Error::Abort)),
                Step::Send(_) => Some(Fault::Delayed(Duration::from_millis(500))),
                Step::Begin(_) | Step::Poll(_) => None,
                _ => Some(Fault::Refused(Error::Retry)),
            };
        }
        let name = name(step);
        let mut armed = lock(&self.armed);
        let found = armed.iter().position(|(_, wanted, _)| *wanted == name)?;
        let (kind, _, fault) = armed.swap_remove(found);
        *lock(&self.struck).entry(kind).or_default() += 1;
        Some(fault)
    }

    /// The next step of some sort will go wrong.
    pub fn arm(&self, kind: Kind, rng: &mut Rng) -> Option<(&'static str, Fault)> {
        let delay = Duration::from_millis(rng.u64(50..4_000));
        let choices: &[(&str, Fault)] = match kind {
            Kind::LostAnswer => &[
                ("commit", Fault::Unanswered),
                ("commit", Fault::Refused(Error::Unknown)),
                ("abort", Fault::Unanswered),
                ("abort", Fault::Refused(Error::Unknown)),
                ("send", Fault::Unanswered),
                ("init", Fault::Unanswered),
                ("write", Fault::Unanswered),
                ("offsets", Fault::Unanswered),
                ("commit offsets", Fault::Unanswered),
            ],
            Kind::Refusal => &[
                ("commit", Fault::Refused(Error::Abort)),
                ("commit", Fault::Refused(Error::Fenced)),
                ("offsets", Fault::Refused(Error::Abort)),
                ("offsets", Fault::Refused(Error::Refused)),
                ("write", Fault::Refused(Error::Abort)),
                ("write", Fault::Refused(Error::Fenced)),
                ("begin", Fault::Refused(Error::Fenced)),
                ("send", Fault::Refused(Error::Fenced)),
                ("commit offsets", Fault::Refused(Error::Fenced)),
            ],
            Kind::Retry => &[
                ("send", Fault::Refused(Error::Retry)),
                ("init", Fault::Refused(Error::Retry)),
                ("poll", Fault::Refused(Error::Retry)),
                ("start", Fault::Refused(Error::Retry)),
                ("commit offsets", Fault::Refused(Error::Retry)),
                ("committed", Fault::Refused(Error::Retry)),
                ("watermarks", Fault::Refused(Error::Retry)),
            ],
            _ => &[("send", Fault::Delayed(delay))],
        };
        let chosen = *choices.get(rng.usize(0..choices.len()))?;
        lock(&self.armed).push((kind, chosen.0, chosen.1));
        Some(chosen)
    }

    /// Nothing is answered until then.
    pub fn away_until(&self, millis: i64) {
        self.away_until.store(millis, Ordering::Relaxed);
    }

    /// No more faults.
    pub fn heal(&self) {
        lock(&self.armed).clear();
        self.away_until(0);
    }

    /// Does something without faults.
    pub fn spare<T>(&self, act: impl FnOnce() -> T) -> T {
        let before = self.spared.swap(true, Ordering::Relaxed);
        let result = act();
        self.spared.store(before, Ordering::Relaxed);
        result
    }

    /// How often what was armed has struck.
    pub fn struck(&self) -> BTreeMap<Kind, u64> {
        lock(&self.struck).clone()
    }
}

fn name(step: Step<'_>) -> &'static str {
    match step {
        Step::Send(_) => "send",
        Step::Init(_) => "init",
        Step::Begin(_) => "begin",
        Step::Write(..) => "write",
        Step::Offsets(_) => "offsets",
        Step::Commit(_) => "commit",
        Step::Abort(_) => "abort",
        Step::Poll(_) => "poll",
        Step::Start(_) => "start",
        Step::CommitOffsets(_) => "commit offsets",
        Step::Committed(_) => "committed",
        Step::Watermarks(_) => "watermarks",
    }
}
