//! What a worker keeps an eye on: partitions that hand nothing over, its clock, and whose clock stamps
//! the records.

use super::DeskWorker;
use crate::core::time::{SECOND, Time};
use crate::worker::needs::Misfit;
use crate::worker::{Stop, passes};

/// A partition that has more and hands nothing over for so long is sought again, in milliseconds.
const SILENT_FOR: i64 = 5 * SECOND;

impl DeskWorker {
    /// Tries to start what could not be started.
    pub(super) fn start_standing(&mut self) -> Result<(), Stop> {
        if !self.troubles.may_try(self.clock.now()) {
            return Ok(());
        }
        let standing = self.parts.iter().filter(|(_, part)| part.stands);
        let numbers: Vec<u32> = standing.map(|(number, _)| *number).collect();
        numbers.into_iter().try_for_each(|number| self.start(number))
    }

    /// A partition that hands nothing over although it has more is sought again: a seek can be lost. There
    /// is one question to the brokers for each silent partition in [`SILENT_FOR`].
    pub(super) fn seek_silent(&mut self) -> Result<(), Stop> {
        let now = self.clock.now();
        if self.open.is_some() || !self.troubles.may_try(now) {
            return Ok(());
        }
        let is_silent = |since: Time| now.since(since) >= SILENT_FOR;
        let silent = self.parts.iter().filter(|(_, part)| !part.stands && is_silent(part.heard));
        let silent: Vec<(u32, u64)> = silent.map(|(number, part)| (*number, part.read)).collect();
        for (number, read) in silent {
            let inbox = self.inbox(number);
            let end = match self.restorer.end(&inbox) {
                Ok(end) => end,
                Err(error) if passes(&error) => {
                    self.troubles.failed(&error, now);
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            };
            let Some(part) = self.parts.get_mut(&number) else { continue };
            part.heard = now;
            // Control records and aborted ones are passed silently: the position tells, but not before anything
            // else was read. So one offset is counted once.
            if self.member.position(&inbox).unwrap_or(read).max(read) < end {
                self.done.sought += u64::from(part.sought.replace(read) != Some(read));
                self.start(number)?;
            }
            self.went_well();
        }
        Ok(())
    }

    /// Looks at the times in the acknowledgements of a transaction that began at `begun` and was committed
    /// just now by this worker's clock: its records were appended in between, or the clock is off.
    pub(super) fn check_times(&mut self, begun: Time) -> Result<(), Stop> {
        let now = self.clock.now();
        let Some(transactions) = &mut self.transactions else { return Ok(()) };
        for appended in transactions.appended() {
            let is_changelog = appended.topic == self.topics.changelog.name;
            if !is_changelog && appended.topic != self.topics.inbox.name {
                continue;
            }
            if !appended.by_log {
                return Err(Stop::Topics(vec![Misfit::create_time(&appended.topic)]));
            }
            if is_changelog {
                let at = appended.timestamp;
                self.clock_offset = begun.since(at).max(0) - at.since(now).max(0);
            }
        }
        Ok(())
    }
}
