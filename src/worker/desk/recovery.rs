//! A producer that is spent: a new one, and the state from the changelog.
//!
//! | what failed | what is done |
//! | --- | --- |
//! | the end of a transaction was not answered | a new producer, which first ends whatever the old one left; then the changelog tells |
//! | another producer has come under this one's id | the same, but not again and again: then somebody else uses the name |
//! | no broker answers | the same again, less and less often, for as long as it takes |
//! | it will not go well again | the worker ends |

use std::collections::VecDeque;

use super::DeskWorker;
use crate::core::time::{SECOND, Time};
use crate::log::{Error, Kind};
use crate::metrics::AbortCause;
use crate::worker::{Stop, passes};

/// A producer may be fenced so often within [`FENCE_WINDOW`]. A transaction that lasts too long is fenced as
/// well, but takes its timeout for it.
const MAX_FENCED: usize = 5;
/// In milliseconds.
const FENCE_WINDOW: i64 = 30 * SECOND;

/// When the producer was fenced of late. Commits in between do not count: two processes that take each
/// other's place get something done every time.
#[derive(Debug, Default)]
pub(super) struct Fences(VecDeque<Time>);

impl Fences {
    /// One more. True if that is too often.
    fn add(&mut self, now: Time) -> bool {
        self.0.retain(|at| now.since(*at) < FENCE_WINDOW);
        self.0.push_back(now);
        self.0.len() > MAX_FENCED
    }
}

impl DeskWorker {
    /// The outcome of the open transaction is not known, or the producer is spent.
    pub(super) fn recover(&mut self, error: &Error) -> Result<(), Stop> {
        self.recover_from(
            error,
            match error.kind {
                Kind::Fenced => AbortCause::Fenced,
                Kind::Fatal => AbortCause::Fatal,
                Kind::Refused => AbortCause::Refused,
                Kind::Abort | Kind::Retry => AbortCause::Delivery,
                Kind::Unknown | Kind::OutOfRange => AbortCause::Unknown,
            },
        )
    }

    /// A new producer ends whatever the old one left, and then the changelog tells what came of it.
    pub(super) fn recover_from(&mut self, error: &Error, cause: AbortCause) -> Result<(), Stop> {
        let now = self.clock.now();
        self.forget_open(cause);
        if error.kind == Kind::Fatal {
            return Err(error.clone().into());
        }
        if error.kind == Kind::Fenced && self.fences.add(now) {
            return Err(Stop::Fenced { id: self.id(), times: MAX_FENCED + 1, last: error.what.clone() });
        }
        self.troubles.failed(error, now);
        self.transactions = None;
        let numbers: Vec<u32> = std::mem::take(&mut self.parts).into_keys().collect();
        for number in numbers {
            if self.leaving.contains(&number) {
                continue;
            }
            match self.member.pause(&self.inbox(number)) {
                // What comes nevertheless is of a partition without a state, and not looked at.
                Err(error) if !passes(&error) => return Err(error.into()),
                _ => self.restorer.begin(number, now),
            }
        }
        if self.troubles.may_try(now) { self.new_producer() } else { Ok(()) }
    }

    /// Tries to make a new producer; a later turn tries again.
    pub(super) fn new_producer(&mut self) -> Result<(), Stop> {
        match self.log.transactions(&self.id()) {
            Ok(transactions) => {
                self.transactions = Some(transactions);
                if self.parts.is_empty() && self.restorer.is_idle() {
                    self.failing.clear();
                    self.troubles.over();
                }
                Ok(())
            }
            Err(error) if error.kind == Kind::Fatal => Err(error.into()),
            Err(error) => {
                self.troubles.failed(&error, self.clock.now());
                Ok(())
            }
        }
    }

    /// The id of its transactions, which is the name of the static member too.
    fn id(&self) -> String {
        format!("{}-desk-{}", self.options.app, self.options.instance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn often_is_too_often_only_within_the_window() {
        let mut fences = Fences::default();
        // A transaction that times out again and again.
        assert!((0..100).all(|n| !fences.add(Time::from_millis(n * 8 * SECOND))));
        let now = Time::from_millis(10_000 * SECOND);
        let quick: Vec<bool> = (0..7).map(|n| fences.add(now.plus(n * SECOND))).collect();
        assert_eq!(quick, [false, false, false, false, false, true, true]);
    }
}
