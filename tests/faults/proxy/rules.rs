//! What a proxy does to what passes through, and who may change that while it runs.

use std::collections::BTreeSet;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::frame::{Api, Request};

/// On which way a rule lies in wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From the client to the broker.
    Request,
    /// From the broker to the client.
    Answer,
}

/// What is done to something that is caught.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// It waits until the trap is released or dropped, and so does all that comes behind it.
    Hold,
    /// It waits for so long, and so does all that comes behind it.
    Delay(Duration),
    /// It does not arrive.
    Swallow,
    /// It does not arrive, and the connection is cut.
    Cut,
    /// An answer arrives with an error code at a place.
    Error(usize, i16),
}

/// What is to be caught, and what becomes of it.
#[derive(Clone, Debug)]
pub struct Rule {
    way: Way,
    api: Api,
    of: Vec<u8>,
    skip: usize,
    times: usize,
    deed: Deed,
}

impl Rule {
    /// Everything of an API, on one way.
    pub fn new(way: Way, api: Api, deed: Deed) -> Rule {
        Rule { way, api, of: Vec::new(), skip: 0, times: usize::MAX, deed }
    }

    /// Only requests that begin with this id or name.
    pub fn of(mut self, name: &str) -> Rule {
        self.of = name.into();
        self
    }

    /// Not the first so many.
    pub fn skip(mut self, count: usize) -> Rule {
        self.skip = count;
        self
    }

    /// At most so many.
    pub fn times(mut self, count: usize) -> Rule {
        self.times = count;
        self
    }

    fn is_about(&self, way: Way, request: &Request) -> bool {
        self.way == way && self.api == request.api && request.contains(&self.of)
    }
}

/// What becomes of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Pass,
    Error(usize, i16),
    Swallow,
    Cut,
}

/// All rules of a proxy, and the state of the network that it plays.
#[derive(Default)]
pub struct Rules {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    next: usize,
    rules: Vec<Standing>,
    /// Nothing goes through, and nobody is told.
    dead: bool,
    /// Brokers to which nothing goes through.
    apart: BTreeSet<u16>,
    ending: bool,
}

/// A rule that is in force.
struct Standing {
    id: usize,
    rule: Rule,
    seen: usize,
    caught: usize,
    /// Nothing more is caught; what is held goes on.
    released: bool,
}

impl Rules {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What becomes of a frame. Waits as long as that takes.
    pub fn judge(&self, way: Way, request: &Request) -> Verdict {
        let mut state = self.lock();
        let Some((id, deed)) = state.catch(way, request) else { return Verdict::Pass };
        self.changed.notify_all();
        match deed {
            Deed::Hold => loop {
                match state.rules.iter().find(|standing| standing.id == id) {
                    // Dropped: what it held is gone.
                    None => return Verdict::Cut,
                    Some(standing) if standing.released => return Verdict::Pass,
                    Some(_) if state.ending => return Verdict::Cut,
                    Some(_) => state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                }
            },
            Deed::Delay(delay) => {
                drop(state);
                std::thread::sleep(delay);
                Verdict::Pass
            }
            Deed::Swallow => Verdict::Swallow,
            Deed::Cut => Verdict::Cut,
            Deed::Error(at, code) => Verdict::Error(at, code),
        }
    }

    /// Waits until something can get through to or from a broker. False if the proxy ends.
    pub fn await_network(&self, broker: u16) -> bool {
        let mut state = self.lock();
        while (state.dead || state.apart.contains(&broker)) && !state.ending {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        !state.ending
    }

    pub fn set_dead(&self, dead: bool) {
        self.lock().dead = dead;
        self.changed.notify_all();
    }

    pub fn set_apart(&self, broker: u16, apart: bool) {
        let mut state = self.lock();
        if apart {
            state.apart.insert(broker)
        } else {
            state.apart.remove(&broker)
        };
        self.changed.notify_all();
    }

    pub fn end(&self) {
        self.lock().ending = true;
        self.changed.notify_all();
    }

    pub fn is_ending(&self) -> bool {
        self.lock().ending
    }

    /// A rule comes into force.
    pub fn add(self: &Arc<Rules>, rule: Rule) -> Trap {
        let mut state = self.lock();
        state.next += 1;
        let id = state.next;
        state.rules.push(Standing { id, rule, seen: 0, caught: 0, released: false });
        Trap { id, rules: Arc::clone(self) }
    }
}

impl State {
    /// Counts a frame, and finds the first rule that catches it.
    fn catch(&mut self, way: Way, request: &Request) -> Option<(usize, Deed)> {
        let about = self.rules.iter_mut().filter(|standing| standing.rule.is_about(way, request));
        for standing in about {
            standing.seen += 1;
            let counts = standing.seen > standing.rule.skip && standing.caught < standing.rule.times;
            if counts && !standing.released {
                standing.caught += 1;
                return Some((standing.id, standing.rule.deed));
            }
        }
        None
    }
}

/// A rule in force. When this is dropped it is not any more, and what it still holds is lost.
#[must_use = "dropped, it is not in force any more"]
pub struct Trap {
    id: usize,
    rules: Arc<Rules>,
}

impl Trap {
    /// How many it has caught.
    pub fn caught(&self) -> usize {
        let state = self.rules.lock();
        state.rules.iter().find(|standing| standing.id == self.id).map_or(0, |standing| standing.caught)
    }

    /// Waits until it has caught something. False if it has not within the time.
    pub fn has_caught(&self, within: Duration) -> bool {
        let deadline = Instant::now() + within;
        let mut state = self.rules.lock();
        loop {
            if state.rules.iter().any(|standing| standing.id == self.id && standing.caught > 0) {
                return true;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = self.rules.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Lets what it holds go on, and everything that comes pass.
    pub fn release(&self) {
        let mut state = self.rules.lock();
        state
            .rules
            .iter_mut()
            .filter(|standing| standing.id == self.id)
            .for_each(|standing| standing.released = true);
        self.rules.changed.notify_all();
    }
}

impl Drop for Trap {
    fn drop(&mut self) {
        self.rules.lock().rules.retain(|standing| standing.id != self.id);
        self.rules.changed.notify_all();
    }
}
