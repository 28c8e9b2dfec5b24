//! What a desk worker has done, and how it is: for whoever watches.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::core::desk::Units;
use crate::core::event::Event;
use crate::core::ids::AccountId;
use crate::core::tally::Tally;
use crate::core::time::Time;
use crate::metrics::AbortCause;
use crate::worker::trouble::Trouble;

/// What a worker has done since it was asked last.
#[derive(Debug, Default, Clone)]
pub struct Done {
    /// Committed events, those of `orders` too.
    pub events: Vec<Event>,
    /// How long tweets took to lead to those of them that tweets cause.
    pub delays: Vec<Delay>,
    /// What led to nothing, in committed transactions.
    pub nothing: Tally,
    /// Accounts whose codes were locked, in committed transactions.
    pub lockouts: Vec<AccountId>,
    /// From requests to the tweets whose codes were taken, in milliseconds, in committed transactions.
    pub confirm_times: Vec<i64>,
    /// What is sold of offers: in partitions that were restored, and in committed transactions.
    pub units: Vec<(u32, Vec<Units>)>,
    /// Committed transactions.
    pub commits: u64,
    /// How long each of them took to be committed.
    pub committed_within: Vec<Duration>,
    /// Aborted ones, and those of which that is not known.
    pub aborts: u64,
    /// The same by cause.
    pub aborted: BTreeMap<AbortCause, u64>,
    /// Partitions restored.
    pub restored: Vec<Back>,
    /// Restores that have begun or come to their end.
    pub restores: Vec<Note>,
    /// Partitions that were sought again.
    pub sought: u64,
    /// Effects of the open transaction.
    pub(super) open: Effected,
}

/// Effects of a transaction that is not committed yet.
#[derive(Debug, Default, Clone)]
pub(super) struct Effected {
    pub events: Vec<Event>,
    /// For each event that a tweet has caused: tweet time, and when the inbox record was appended.
    pub caused: Vec<(Option<Time>, Time)>,
    pub nothing: Tally,
    pub lockouts: Vec<AccountId>,
    pub confirm_times: Vec<i64>,
}

impl Done {
    /// The open transaction was committed.
    pub(super) fn committed(&mut self, now: Time, within: Duration) {
        let open = std::mem::take(&mut self.open);
        self.commits += 1;
        self.committed_within.push(within);
        if self.events.is_empty() {
            self.events = open.events;
        } else {
            self.events.extend(open.events);
        }
        self.nothing.add(&open.nothing);
        self.lockouts.extend(open.lockouts);
        self.confirm_times.extend(open.confirm_times);
        self.delays.extend(open.caused.into_iter().map(|(tweet, record)| Delay {
            from_tweet: tweet.map(|time| now.since(time)),
            from_record: now.since(record),
        }));
    }

    /// It was not, or that is not known.
    pub(super) fn aborted(&mut self, cause: AbortCause) {
        self.open = Effected::default();
        self.aborts += 1;
        *self.aborted.entry(cause).or_default() += 1;
    }

    /// What was done until now; what is open stays.
    pub(super) fn take(&mut self) -> Done {
        let open = std::mem::take(&mut self.open);
        std::mem::replace(self, Done { open, ..Done::default() })
    }
}

/// How long a tweet took to lead to a committed event, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delay {
    /// From its tweet time; none if its id does not tell that.
    pub from_tweet: Option<i64>,
    /// From the append of the inbox record that the event was decided on.
    pub from_record: i64,
}

/// A partition that was restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Back {
    /// Its number.
    pub partition: u32,
    /// Records of the changelog that were read for it.
    pub records: u64,
    /// How long that took, in milliseconds.
    pub millis: i64,
    /// The group had no committed offset of it any more: the changelog's was taken.
    pub expired: bool,
}

/// How far the restores are that are at work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restoring {
    /// Since when.
    pub since: Time,
    /// Partitions, those included that are done already.
    pub partitions: usize,
    /// Records of the changelog that were read or skipped; compaction leaves gaps.
    pub read: u64,
    /// Of so many.
    pub of: u64,
}

impl fmt::Display for Restoring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Restoring { partitions, read, of, .. } = self;
        write!(f, "{read} of {of} records for {}", counted(*partitions))
    }
}

/// So many partitions, in words.
pub fn counted(partitions: usize) -> String {
    if partitions == 1 { "1 partition".to_owned() } else { format!("{partitions} partitions") }
}

/// Something about restores that is worth a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Note {
    /// It is known how much there is to read.
    Begins(Restoring),
    /// All are done, after so many milliseconds.
    Ends(Restoring, i64),
}

/// How a desk worker is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// The group has met with it: what it has is its share, be it nothing.
    pub has_met: bool,
    /// What it restores.
    pub restoring: Option<Restoring>,
    /// What does not go well, and is tried again.
    pub trouble: Option<Trouble>,
    /// The clock is ahead of the log's by at least so much, in milliseconds; below 0: behind.
    pub clock_offset: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(done: &mut Done, account: u64, millis: i64) {
        done.open.lockouts.extend(AccountId::new(account));
        done.open.confirm_times.push(millis);
    }

    #[test]
    fn only_what_is_committed_is_told() {
        let mut done = Done::default();
        open(&mut done, 1, 1_000);
        done.aborted(AbortCause::Fenced);
        open(&mut done, 2, 2_000);
        assert!(done.take().confirm_times.is_empty(), "it is open");
        open(&mut done, 3, 3_000);
        done.committed(Time::ZERO, Duration::ZERO);
        let told = done.take();
        assert_eq!(told.lockouts, [2, 3].map(|id| AccountId::new(id).unwrap()));
        assert_eq!(told.confirm_times, [2_000, 3_000]);
        assert!(done.take().lockouts.is_empty(), "it was told");
    }
}
