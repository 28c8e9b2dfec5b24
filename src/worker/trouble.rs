//! What fails and may go well later: it is tried again, less and less often, for as long as it takes.
//!
//! A broker that is away for ten minutes is no reason to end: the process that takes this one's place
//! would find the same. Whoever watches is told, and the process is not ready meanwhile.

use super::is_due;
use crate::core::time::{SECOND, Time};
use crate::log::Error;

/// The second attempt comes so long after the first, in milliseconds; each further one twice as long.
const FIRST_PAUSE: i64 = 100;
/// Attempts are at most so far apart, in milliseconds.
const LONGEST_PAUSE: i64 = 5 * SECOND;

/// Failures since something went well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// When the first was.
    pub since: Time,
    /// How many.
    pub times: u32,
    /// What the last one said.
    pub what: String,
    /// When the last was, and so long after it it is tried again, in milliseconds.
    last: Time,
    pause: i64,
}

/// The trouble of a worker, if it is in any.
#[derive(Debug, Default)]
pub(super) struct Troubles(Option<Trouble>);

impl Troubles {
    /// Something has failed.
    pub fn failed(&mut self, error: &Error, now: Time) {
        let (since, times) = match &self.0 {
            Some(before) => (before.since, before.times.saturating_add(1)),
            None => (now, 1),
        };
        tracing::debug!(times, "{error}");
        // The first one may have been chance.
        let pause = match times {
            1 => 0,
            times => (FIRST_PAUSE << (times - 2).min(16)).min(LONGEST_PAUSE),
        };
        // By a clock that was set back, it has lasted no time yet.
        let since = since.min(now);
        self.0 = Some(Trouble { since, times, what: error.what.clone(), last: now, pause });
    }

    /// It went well.
    pub fn over(&mut self) {
        self.0 = None;
    }

    /// Whether to try again now.
    pub fn may_try(&self, now: Time) -> bool {
        self.0.as_ref().is_none_or(|trouble| is_due(now, trouble.last, trouble.pause))
    }

    /// What it is.
    pub fn now(&self) -> Option<&Trouble> {
        self.0.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Kind;

    #[test]
    fn attempts_become_rarer_and_never_end() {
        let (mut troubles, mut now, mut pauses) = (Troubles::default(), Time::ZERO, Vec::new());
        assert!(troubles.may_try(now));
        for _ in 0..100 {
            troubles.failed(&Error::new(Kind::Retry, "no broker"), now);
            let begun = now;
            while !troubles.may_try(now) {
                now = now.plus(50);
            }
            pauses.push(now.since(begun));
        }
        assert_eq!(pauses[..5], [0, 100, 200, 400, 800]);
        assert!(pauses.is_sorted() && pauses.last() == Some(&LONGEST_PAUSE), "{pauses:?}");
        let trouble = troubles.now().unwrap();
        assert_eq!((trouble.since, trouble.times, trouble.what.as_str()), (Time::ZERO, 100, "no broker"));
        // A clock that is set back by an hour makes nobody wait for an hour.
        assert!(troubles.may_try(now.plus(-3_600 * SECOND)));
        troubles.over();
        assert!(troubles.now().is_none() && troubles.may_try(Time::ZERO));
    }
}
