//! Whether a process does its work, and what is missing if it does not.
//!
//! Every worker that was started has a post here, and tells how it is after each of its turns. A process is
//! ready when nobody misses anything: the desk has met its group and has restored what it was given, be it
//! nothing; the feeder has passed what was in the tables at the start; the scan has read the tables and has
//! met its group. What passes within seconds makes no process unready again that was ready once: a group
//! that meets anew, a partition that is restored, a request that is tried twice.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::core::time::{SECOND, Time};
use crate::worker::Trouble;
use crate::worker::desk::State as DeskState;
use crate::worker::scan::State as ScanState;

/// Trouble that lasts so long is worth a word, in milliseconds; and so is a meeting of the group.
const TROUBLE: i64 = 5 * SECOND;
/// A restore that lasts so long, in milliseconds, makes a process unready that was ready.
const RESTORE: i64 = 10 * SECOND;
/// A worker whose turn takes so long stands still: a call to the brokers does not come back.
const STILL: Duration = Duration::from_secs(15);
/// A clock may be so far off, in milliseconds.
const CLOCK: i64 = 5 * SECOND;

/// Everybody who is expected to work.
#[derive(Default)]
pub(super) struct Posts {
    are_known: bool,
    pub desks: BTreeMap<u32, DeskThere>,
    pub scans: BTreeMap<u32, ScanThere>,
    pub feeder: Option<FeederThere>,
    pub keeper: Option<KeeperThere>,
}

/// When somebody told how it is: at a moment, and at a time of its own clock.
#[derive(Clone, Copy)]
struct Told(Option<(Instant, Time)>);

impl Told {
    fn at(now: Time) -> Told {
        Told(Some((Instant::now(), now)))
    }

    /// The present time of that clock.
    fn now(&self) -> Time {
        self.0.map_or(Time::ZERO, |(at, time)| {
            time.plus(i64::try_from(at.elapsed().as_millis()).unwrap_or(i64::MAX))
        })
    }

    fn stands_still(&self) -> Option<u64> {
        self.0.map(|(at, _)| at.elapsed()).filter(|silent| *silent >= STILL).map(|silent| silent.as_secs())
    }
}

/// A desk worker.
pub(super) struct DeskThere {
    pub state: DeskState,
    told: Told,
    was_ready: bool,
    /// Since when the group has gone on without it.
    alone_since: Option<Time>,
}

impl DeskThere {
    pub fn new(state: DeskState, now: Time, before: Option<&DeskThere>) -> DeskThere {
        let was_ready =
            before.is_some_and(|before| before.was_ready) || state.has_met && state.restoring.is_none();
        let alone_since = before.and_then(|before| before.alone_since).or(Some(now));
        let alone_since = alone_since.filter(|_| !state.has_met);
        DeskThere { state, told: Told::at(now), was_ready, alone_since }
    }

    /// For how long it restores partitions, in milliseconds, if it does.
    pub fn restores_since(&self) -> Option<i64> {
        self.state.restoring.map(|restoring| self.told.now().since(restoring.since).max(0))
    }

    fn missing(&self) -> Vec<String> {
        let now = self.told.now();
        let mut missing = common(&self.told, self.state.trouble.as_ref());
        let is_long = |since: Time, long: i64| !self.was_ready || now.since(since) >= long;
        if !self.state.has_met && self.alone_since.is_none_or(|since| is_long(since, TROUBLE)) {
            missing.push("has not met its group yet".to_owned());
        }
        if let Some(restoring) = self.state.restoring.filter(|restoring| is_long(restoring.since, RESTORE)) {
            missing.push(format!("restores its partitions: {restoring}"));
        }
        let offset = self.state.clock_offset;
        if offset.abs() > CLOCK {
            let way = if offset > 0 { "ahead of" } else { "behind" };
            missing.push(format!(
                "this machine's clock is {:.1} s {way} the brokers': set it",
                offset.abs() as f64 / SECOND as f64
            ));
        }
        missing
    }
}

/// A scan worker.
pub(super) struct ScanThere {
    pub state: ScanState,
    told: Told,
}

impl ScanThere {
    pub fn new(state: ScanState, now: Time) -> ScanThere {
        ScanThere { state, told: Told::at(now) }
    }

    fn missing(&self) -> Vec<String> {
        let mut missing = common(&self.told, self.state.trouble.as_ref());
        if !self.state.has_tables {
            missing.push("has not read the tables yet".to_owned());
        } else if !self.state.has_met {
            missing.push("has not met its group yet".to_owned());
        }
        missing
    }
}

/// The feeder.
pub(super) struct FeederThere {
    has_passed: bool,
    trouble: Option<Trouble>,
    told: Told,
}

impl FeederThere {
    pub fn new(has_passed: bool, trouble: Option<Trouble>, now: Time) -> FeederThere {
        FeederThere { has_passed, trouble, told: Told::at(now) }
    }

    fn missing(&self) -> Vec<String> {
        let mut missing = common(&self.told, self.trouble.as_ref());
        if !self.has_passed {
            missing.push("what was in the tables at the start is not in the inbox yet".to_owned());
        }
        missing
    }
}

/// The time keeper, if this process has it.
pub(super) struct KeeperThere {
    trouble: Option<Trouble>,
    told: Told,
}

impl KeeperThere {
    pub fn new(trouble: Option<Trouble>, now: Time) -> KeeperThere {
        KeeperThere { trouble, told: Told::at(now) }
    }
}

impl Posts {
    /// Nobody has said anything yet.
    pub fn expect(desks: u32, scans: u32) -> Posts {
        let told = Told(None);
        let desk = |number| {
            let state = DeskState::default();
            (number, DeskThere { state, told, was_ready: false, alone_since: None })
        };
        let scan = |number| (number, ScanThere { state: ScanState::default(), told });
        Posts {
            are_known: true,
            desks: (0..desks).map(desk).collect(),
            scans: (0..scans).map(scan).collect(),
            feeder: (scans > 0).then_some(FeederThere { has_passed: false, trouble: None, told }),
            keeper: None,
        }
    }

    /// What is missing, a line each.
    pub fn missing(&self) -> Vec<String> {
        if !self.are_known {
            return vec!["nothing was started yet".to_owned()];
        }
        let line = |who: &str, what: String| format!("{who}: {what}");
        let of = |(who, missing): (String, Vec<String>)| {
            missing.into_iter().map(move |what| line(&who, what)).collect::<Vec<_>>()
        };
        self.all().into_iter().flat_map(of).collect()
    }

    /// Every post with what it misses.
    pub fn all(&self) -> Vec<(String, Vec<String>)> {
        let mut posts = Vec::new();
        let mut add = |who: String, missing: Vec<String>| posts.push((who, missing));
        self.desks.iter().for_each(|(number, desk)| add(format!("desk {number}"), desk.missing()));
        self.feeder.iter().for_each(|feeder| add("feeder".to_owned(), feeder.missing()));
        // One that keeps no time says nothing.
        let keeper = self.keeper.as_ref().map(|keeper| common(&keeper.told, keeper.trouble.as_ref()));
        keeper.into_iter().for_each(|missing| add("keeper".to_owned(), missing));
        self.scans.iter().for_each(|(number, scan)| add(format!("scan {number}"), scan.missing()));
        posts
    }
}

/// What can be missing at any post.
fn common(told: &Told, trouble: Option<&Trouble>) -> Vec<String> {
    if let Some(seconds) = told.stands_still() {
        return vec![format!("waits for the brokers since {seconds} s")];
    }
    let lasting = trouble.filter(|trouble| told.now().since(trouble.since) >= TROUBLE);
    let said = lasting.map(|trouble| {
        let seconds = told.now().since(trouble.since) / SECOND;
        format!("does not get on since {seconds} s, and tries again: {}", trouble.what)
    });
    said.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::worker::desk::Restoring;

    const NOW: Time = Time::from_millis(1_360_756_800_000);

    fn desk(posts: &mut Posts, state: DeskState) {
        let before = posts.desks.remove(&0);
        posts.desks.insert(0, DeskThere::new(state, NOW, before.as_ref()));
    }

    #[test]
    fn a_process_is_ready_when_everybody_is() {
        assert_eq!(Posts::default().missing(), ["nothing was started yet"]);
        let mut posts = Posts::expect(1, 1);
        assert_eq!(
            posts.missing(),
            [
                "desk 0: has not met its group yet",
                "feeder: what was in the tables at the start is not in the inbox yet",
                "scan 0: has not read the tables yet",
            ]
        );
        let since = NOW.minus(SECOND);
        let restoring = Restoring { since, partitions: 2, read: 10, of: 40 };
        let met = DeskState { has_met: true, ..DeskState::default() };
        desk(&mut posts, DeskState { restoring: Some(restoring), ..met.clone() });
        posts.feeder = Some(FeederThere::new(true, None, NOW));
        let state = ScanState { has_tables: true, ..ScanState::default() };
        posts.scans.insert(0, ScanThere::new(state.clone(), NOW));
        assert_eq!(
            posts.missing(),
            [
                "desk 0: restores its partitions: 10 of 40 records for 2 partitions",
                "scan 0: has not met its group yet"
            ]
        );
        posts.scans.insert(0, ScanThere::new(ScanState { has_met: true, ..state }, NOW));
        desk(&mut posts, met.clone());
        assert_eq!(posts.missing(), [""; 0]);

        // What is short does not matter any more, what lasts does.
        desk(&mut posts, DeskState { restoring: Some(restoring), ..met.clone() });
        assert_eq!(posts.missing(), [""; 0]);
        let long = Restoring { since: NOW.minus(RESTORE), ..restoring };
        desk(&mut posts, DeskState { restoring: Some(long), ..met.clone() });
        assert_eq!(posts.missing().len(), 1);
        desk(&mut posts, DeskState::default());
        assert_eq!(posts.missing(), [""; 0], "it has just lost its partitions");
    }

    #[test]
    fn a_clock_that_is_off_is_told_with_its_way() {
        let mut posts = Posts::expect(1, 0);
        for (offset, told) in [(7_200, "7.2 s ahead of"), (-6_000, "6.0 s behind")] {
            desk(&mut posts, DeskState { has_met: true, clock_offset: offset, ..DeskState::default() });
            let missing = posts.missing();
            assert!(missing.len() == 1 && missing[0].contains(told), "{missing:?}");
        }
        desk(&mut posts, DeskState { has_met: true, clock_offset: 4_000, ..DeskState::default() });
        assert_eq!(posts.missing(), [""; 0]);
    }
}
