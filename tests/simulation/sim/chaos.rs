//! A log as one process sees it: every call is a point at which the seed may do something to the caller.
//!
//! A process that is killed gets no further: from then on all its calls fail and none has an effect, so its
//! workers unwind by themselves. One that is frozen stays in its call while the world goes on without it,
//! inside that call, and then it goes on as if nothing had been.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hashbuy::core::time::Time;
use hashbuy::log::memory::MemoryLog;
use hashbuy::log::{
    Appended, Committed, Error, Isolation, Kind, Log, Lookup, Member, Membership, Message, NewRecord,
    Partition, Polled, Producer, Reader, Standing, Transactions,
};
use hashbuy::worker::Clock;

use super::world;

/// Where a worker can be in its code, as seen from its calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    Join,
    Init,
    Begin,
    Write,
    Commit,
    Abort,
    Poll,
    Start,
    Pause,
    Release,
    Committed,
    CommitOffsets,
    Standing,
    Leave,
    Assign,
    Read,
    Send,
    Outstanding,
    Watermarks,
    LookUp,
    Clock,
}

impl Point {
    /// Those at which something is most likely to be torn.
    pub const ALL: [Point; 21] = [
        Point::Join,
        Point::Init,
        Point::Begin,
        Point::Write,
        Point::Commit,
        Point::Abort,
        Point::Poll,
        Point::Start,
        Point::Pause,
        Point::Release,
        Point::Committed,
        Point::CommitOffsets,
        Point::Standing,
        Point::Leave,
        Point::Assign,
        Point::Read,
        Point::Send,
        Point::Outstanding,
        Point::Watermarks,
        Point::LookUp,
        Point::Clock,
    ];
}

/// Whether a process lives, and how wrong its clock is.
#[derive(Debug)]
pub struct Life {
    pub name: String,
    alive: AtomicBool,
    ahead: AtomicI64,
    /// When its clock was slow last.
    slow: AtomicI64,
}

/// A clock is slow that takes what is tweeted now for the future, in milliseconds.
const SLOW: i64 = -60_000;
/// A worker that counts what is ahead knows of it for so long, in milliseconds: it may have stood still meanwhile.
const COUNTED: i64 = 120_000;

impl Life {
    pub fn new(name: String, ahead: i64) -> Arc<Life> {
        Arc::new(Life {
            name,
            alive: AtomicBool::new(true),
            ahead: AtomicI64::new(ahead),
            slow: AtomicI64::new(i64::MIN),
        })
    }

    pub fn is_alive(&self) -> bool {
        self.alive.load(Ordering::Relaxed)
    }

    /// kill -9.
    pub fn end(&self) {
        self.alive.store(false, Ordering::Relaxed);
    }

    /// How far its clock is ahead, in milliseconds.
    pub fn ahead(&self) -> i64 {
        self.ahead.load(Ordering::Relaxed)
    }

    pub fn set_ahead(&self, millis: i64) {
        if self.ahead.swap(millis, Ordering::Relaxed) < SLOW {
            self.slow.store(world::now(), Ordering::Relaxed);
        }
    }

    /// Whether its clock was slow of late.
    pub fn was_slow(&self) -> bool {
        self.ahead() < SLOW || world::now() < self.slow.load(Ordering::Relaxed).saturating_add(COUNTED)
    }

    fn check(&self) -> Result<(), Error> {
        if self.is_alive() { Ok(()) } else { Err(Error::new(Kind::Fatal, "killed")) }
    }

    /// Does something for a worker of this process, if it lives until then, and tells it if it still does.
    fn call<T>(&self, point: Point, act: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        self.check()?;
        world::reached(self, point, false);
        self.check()?;
        let result = act();
        world::reached(self, point, true);
        self.check()?;
        result
    }
}

/// The clock of a process.
pub struct ProcessClock(pub Arc<Life>);

impl Clock for ProcessClock {
    fn now(&self) -> Time {
        if self.0.is_alive() {
            world::reached(&self.0, Point::Clock, false);
        }
        Time::from_millis(world::now() + self.0.ahead())
    }
}

/// The log, as a process sees it.
pub struct Chaos {
    pub log: MemoryLog,
    pub life: Arc<Life>,
}

impl Log for Chaos {
    fn member(&self, membership: &Membership) -> Result<Box<dyn Member + Send>, Error> {
        let inner = self.life.call(Point::Join, || self.log.member(membership))?;
        Ok(Box::new(ChaosMember { inner, life: Arc::clone(&self.life) }))
    }

    fn reader(&self, isolation: Isolation) -> Result<Box<dyn Reader + Send>, Error> {
        let inner = self.life.call(Point::Join, || self.log.reader(isolation))?;
        Ok(Box::new(ChaosReader { inner, life: Arc::clone(&self.life) }))
    }

    fn producer(&self) -> Result<Box<dyn Producer + Send>, Error> {
        let inner = self.life.call(Point::Join, || self.log.producer())?;
        Ok(Box::new(ChaosProducer { inner, life: Arc::clone(&self.life) }))
    }

    fn transactions(&self, id: &str) -> Result<Box<dyn Transactions + Send>, Error> {
        let inner = self.life.call(Point::Init, || self.log.transactions(id))?;
        Ok(Box::new(ChaosTransactions { inner: Arc::new(Mutex::new(inner)), life: Arc::clone(&self.life) }))
    }

    fn lookup(&self) -> Result<Box<dyn Lookup + Send>, Error> {
        let inner = self.life.call(Point::Join, || self.log.lookup())?;
        Ok(Box::new(ChaosLookup { inner, life: Arc::clone(&self.life) }))
    }
}

struct ChaosMember {
    inner: Box<dyn Member + Send>,
    life: Arc<Life>,
}

impl Member for ChaosMember {
    fn poll(&mut self, wait: Duration, each: &mut dyn FnMut(Message<'_>)) -> Result<Polled, Error> {
        self.life.call(Point::Poll, || self.inner.poll(wait, each))
    }

    fn start(&mut self, partition: &Partition, offset: u64) -> Result<(), Error> {
        self.life.call(Point::Start, || self.inner.start(partition, offset))
    }

    fn pause(&mut self, partition: &Partition) -> Result<(), Error> {
        self.life.call(Point::Pause, || self.inner.pause(partition))
    }

    fn release(&mut self) -> Result<(), Error> {
        self.life.call(Point::Release, || self.inner.release())
    }

    fn position(&self, partition: &Partition) -> Option<u64> {
        self.inner.position(partition)
    }

    fn committed(&mut self, partitions: &[Partition]) -> Result<Vec<Option<Committed>>, Error> {
        self.life.call(Point::Committed, || self.inner.committed(partitions))
    }

    fn commit(&mut self, offsets: &[(Partition, Committed)]) -> Result<(), Error> {
        self.life.call(Point::CommitOffsets, || self.inner.commit(offsets))
    }

    fn standing(&self) -> Result<Standing, Error> {
        self.life.call(Point::Standing, || self.inner.standing())
    }

    fn leave(self: Box<Self>) {
        let ChaosMember { inner, life } = *self;
        let _ = life.call(Point::Leave, || {
            inner.leave();
            Ok(())
        });
    }
}

struct ChaosReader {
    inner: Box<dyn Reader + Send>,
    life: Arc<Life>,
}

impl Reader for ChaosReader {
    fn assign(&mut self, from: &[(Partition, u64)]) -> Result<(), Error> {
        self.life.call(Point::Assign, || self.inner.assign(from))
    }

    fn poll(&mut self, wait: Duration, each: &mut dyn FnMut(Message<'_>)) -> Result<usize, Error> {
        self.life.call(Point::Read, || self.inner.poll(wait, each))
    }

    fn position(&self, partition: &Partition) -> Option<u64> {
        self.inner.position(partition)
    }
}

struct ChaosProducer {
    inner: Box<dyn Producer + Send>,
    life: Arc<Life>,
}

impl Producer for ChaosProducer {
    fn send(&mut self, record: NewRecord) -> Result<(), Error> {
        self.life.call(Point::Send, || self.inner.send(record))
    }

    fn outstanding(&mut self, wait: Duration) -> Result<usize, Error> {
        self.life.call(Point::Outstanding, || self.inner.outstanding(wait))
    }

    fn appended(&mut self) -> Vec<Appended> {
        self.inner.appended()
    }
}

type Shared = Arc<Mutex<Box<dyn Transactions + Send>>>;

struct ChaosTransactions {
    /// Shared with the end of a transaction that arrives late.
    inner: Shared,
    life: Arc<Life>,
}

impl ChaosTransactions {
    fn with<T>(
        &self,
        point: Point,
        act: impl FnOnce(&mut dyn Transactions) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.life.call(point, || act(&mut **self.inner.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl Transactions for ChaosTransactions {
    fn begin(&mut self) -> Result<(), Error> {
        self.with(Point::Begin, |inner| inner.begin())
    }

    fn send(&mut self, record: &NewRecord) -> Result<(), Error> {
        self.with(Point::Write, |inner| inner.send(record))
    }

    fn commit(&mut self, offsets: &[(Partition, u64)], standing: &Standing) -> Result<(), Error> {
        if world::ends_late(&self.life) {
            let (inner, offsets, standing) = (Arc::clone(&self.inner), offsets.to_vec(), standing.clone());
            world::later(Box::new(move || {
                let mut inner = inner.lock().unwrap_or_else(PoisonError::into_inner);
                match inner.commit(&offsets, &standing) {
                    Ok(()) => "it is committed".to_owned(),
                    Err(error) => format!("{:?}: {error}", error.kind),
                }
            }));
            return Err(Error::new(Kind::Unknown, "the end of a transaction was not answered"));
        }
        self.with(Point::Commit, |inner| inner.commit(offsets, standing))
    }

    fn appended(&mut self) -> Vec<Appended> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).appended()
    }

    fn abort(&mut self) -> Result<(), Error> {
        self.with(Point::Abort, |inner| inner.abort())
    }
}

struct ChaosLookup {
    inner: Box<dyn Lookup + Send>,
    life: Arc<Life>,
}

impl Lookup for ChaosLookup {
    fn watermarks(&mut self, partition: &Partition, isolation: Isolation) -> Result<(u64, u64), Error> {
        self.life.call(Point::Watermarks, || self.inner.watermarks(partition, isolation))
    }

    fn partitions(&mut self, topic: &str) -> Result<Option<u32>, Error> {
        self.life.call(Point::LookUp, || self.inner.partitions(topic))
    }

    fn settings(&mut self, topic: &str) -> Result<Option<std::collections::BTreeMap<String, String>>, Error> {
        self.life.call(Point::LookUp, || self.inner.settings(topic))
    }

    fn committed(&mut self, group: &str, partitions: &[Partition]) -> Result<Vec<Option<Committed>>, Error> {
        self.life.call(Point::Committed, || self.inner.committed(group, partitions))
    }
}
