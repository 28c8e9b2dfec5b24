//! Two processes of the service, and the harm that is done to them.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::common::rng::Rng;
use crate::process::Service;
use crate::world::World;

/// From one strike to the next, in milliseconds.
const PAUSE: (i64, i64) = (10_000, 60_000);
/// A process that was killed comes back after so long.
const AWAY: (i64, i64) = (0, 10_000);
/// A process stands still for so long: half of the times longer than its session, so that the other takes over.
const STILL: (i64, i64) = (1_000, 20_000);
/// A process that is told to end has ended within so long.
const ENDED: Duration = Duration::from_secs(20);

/// What is done to a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strike {
    Kill,
    Terminate,
    StandStill,
}

impl fmt::Display for Strike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Strike::Kill => "kill -9",
            Strike::Terminate => "SIGTERM",
            Strike::StandStill => "SIGSTOP",
        })
    }
}

/// The processes.
pub struct Fleet {
    players: [Player; 2],
    rng: Rng,
    next: Instant,
    /// What is done next, the last one first: of three strikes each is another.
    deck: Vec<Strike>,
    /// How often what was done.
    pub strikes: BTreeMap<Strike, u64>,
}

struct Player {
    name: &'static str,
    state: State,
    /// Lives so far.
    lives: u32,
}

enum State {
    Up(Service),
    /// Gone, and back at a time.
    Away(Instant),
    /// Told to end.
    Ending(Service, Instant),
    /// Stands still until a time.
    Still(Service, Instant),
    /// Nothing of the above, for a moment.
    Between,
}

impl Fleet {
    /// Starts both, and waits until they are at work.
    pub fn start(world: &World, seed: u64) -> Fleet {
        let players = ["a", "b"].map(|name| {
            let service = run(world, name);
            Player { name, state: State::Up(service), lives: 1 }
        });
        let mut rng = Rng::new(seed);
        let next = Instant::now() + pause(&mut rng, PAUSE);
        let mut fleet = Fleet { players, rng, next, deck: Vec::new(), strikes: BTreeMap::new() };
        for player in &mut fleet.players {
            if let State::Up(service) = &mut player.state {
                service.await_ready();
            }
        }
        fleet
    }

    /// Goes on with what is under way, and begins with what is due: the end of the process that is not `spared`, or a
    /// standstill of any. Returns what is worth telling.
    ///
    /// # Errors
    /// If a process has ended by itself, or has not as it should.
    pub fn turn(&mut self, world: &World, spared: Option<usize>) -> Result<Option<String>, String> {
        let mut said = None;
        for player in &mut self.players {
            said = player.turn(world)?.or(said);
        }
        let Some(spared) = spared.filter(|_| Instant::now() >= self.next) else { return Ok(said) };
        self.next = Instant::now() + pause(&mut self.rng, PAUSE);
        if self.deck.is_empty() {
            self.deck = vec![Strike::Kill, Strike::Terminate, Strike::StandStill];
            self.rng.shuffle(&mut self.deck);
        }
        let Some(&strike) = self.deck.last() else { return Ok(said) };
        let victim = match strike {
            Strike::StandStill => self.rng.range(0, 2) as usize,
            _ => 1 - spared,
        };
        let player = &mut self.players[victim];
        let service = match std::mem::replace(&mut player.state, State::Between) {
            State::Up(service) => service,
            // It is harmed enough at the moment.
            state => {
                player.state = state;
                return Ok(said);
            }
        };
        self.deck.pop();
        *self.strikes.entry(strike).or_default() += 1;
        let now = Instant::now();
        let (state, what) = match strike {
            Strike::Kill => {
                service.kill();
                let away = pause(&mut self.rng, AWAY);
                (State::Away(now + away), format!("back after {:.1} s", away.as_secs_f64()))
            }
            Strike::Terminate => {
                service.terminate();
                (State::Ending(service, now), "and back".to_owned())
            }
            Strike::StandStill => {
                service.signal(Signal::STOP);
                let still = pause(&mut self.rng, STILL);
                (State::Still(service, now + still), format!("for {:.1} s", still.as_secs_f64()))
            }
        };
        player.state = state;
        Ok(Some(format!("{}: {strike}, {what}", player.name)))
    }

    /// Whether nobody is away or stands still.
    pub fn is_whole(&self) -> bool {
        self.players.iter().all(|player| matches!(player.state, State::Up(_)))
    }

    /// Each process that there is: which life of it, and its resident memory in bytes.
    pub fn memory(&self) -> [Option<(u32, u64)>; 2] {
        [0, 1].map(|n: usize| {
            let player = &self.players[n];
            let (State::Up(service) | State::Ending(service, _) | State::Still(service, _)) = &player.state
            else {
                return None;
            };
            Some((player.lives, resident(service.id())?))
        })
    }

    /// Ends both in good order.
    pub fn stop(self) {
        for player in self.players {
            if let State::Up(service) = player.state {
                service.stop();
            }
        }
    }
}

impl Player {
    fn turn(&mut self, world: &World) -> Result<Option<String>, String> {
        let now = Instant::now();
        let name = self.name;
        let (state, said) = match std::mem::replace(&mut self.state, State::Between) {
            State::Up(mut service) => {
                if !service.is_running() {
                    let (code, log) = service.await_end(ENDED);
                    return Err(format!("{name} has ended by itself with {code:?}:\n{log}"));
                }
                (State::Up(service), None)
            }
            State::Away(until) if now >= until => {
                self.lives += 1;
                (State::Up(run(world, name)), None)
            }
            State::Still(service, until) if now >= until => {
                service.signal(Signal::CONT);
                (State::Up(service), None)
            }
            State::Ending(mut service, since) => {
                if service.is_running() {
                    if since.elapsed() > ENDED {
                        return Err(format!("{name} does not end:\n{}", service.log()));
                    }
                    (State::Ending(service, since), None)
                } else {
                    let (code, log) = service.await_end(ENDED);
                    if code != Some(0) {
                        return Err(format!("{name} has ended with {code:?} after SIGTERM:\n{log}"));
                    }
                    self.lives += 1;
                    let took = since.elapsed().as_secs_f64();
                    (State::Up(run(world, name)), Some(format!("{name}: ended with 0 after {took:.1} s")))
                }
            }
            state => (state, None),
        };
        self.state = state;
        Ok(said)
    }
}

fn run(world: &World, name: &str) -> Service {
    // As in production, unlike in the cases of the tests, which have little time.
    world.run_with(name, &[("HASHBUY_TIME_SLACK_SECONDS", "30".to_owned())])
}

fn pause(rng: &mut Rng, (low, high): (i64, i64)) -> Duration {
    Duration::from_millis(rng.range(low, high).unsigned_abs())
}

/// Resident memory of a process, as Linux tells it.
fn resident(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()? * 1_024)
}
