//! Restoring inbox partitions from the changelog, beside the work on others.
//!
//! For each partition: the group's committed offset (which waits for pending transactions), then the
//! changelog's high watermark as a reader sees it who does not wait for transactions (an open one of a
//! zombie would hide newer records that are committed), then every committed record up to there. What
//! the changelog says of the offset has to be what the group says.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::desk::{Note, Restoring};
use super::needs::Misfit;
use super::{Clock, Stop, Topics, passes};
use crate::core::code::Secret;
use crate::core::desk::Desk;
use crate::core::inbox::Version;
use crate::core::time::{SECOND, Time};
use crate::log::{Error, Isolation, Log, Lookup, Member, Message, Partition, Reader};

/// A restore without progress asks so many times within its patience whether the brokers answer at all. Time
/// without an answer does not count: a process that ends because they are away helps nobody.
const PROBES: i64 = 6;

/// Restores any number of partitions with one reader.
pub(super) struct Restorer {
    inbox: Arc<str>,
    changelog: Arc<str>,
    /// How many partitions they have, and the version of the records that are written.
    partitions: u32,
    version: Version,
    secret: Secret,
    /// A restore without any progress for so long is a failure, in milliseconds of the clock.
    patience: i64,
    reader: Box<dyn Reader + Send>,
    lookup: Box<dyn Lookup + Send>,
    at_work: BTreeMap<u32, Restore>,
    /// Whether the reader's partitions are those of `at_work`.
    assigned: bool,
    episode: Option<Episode>,
    notes: Vec<Note>,
}

/// From the first restore to the end of the last that goes on beside it.
#[derive(Debug, Clone, Copy)]
struct Episode {
    since: Time,
    partitions: usize,
    /// Records of partitions that are done.
    done: u64,
    /// It was said how much there is to do.
    told: bool,
}

struct Restore {
    desk: Desk,
    phase: Phase,
    begun: Time,
    /// The last time at which anything went on, or no broker was there that could have answered.
    progress: Time,
    /// When it was asked last whether one is, and how often one has answered since there was progress.
    probed: Time,
    answers: i64,
    /// The offset that the last record of the partition named.
    offset: Option<u64>,
    records: u64,
}

impl Restore {
    fn goes_on(&mut self, now: Time) {
        (self.progress, self.answers) = (now, 0);
    }
}

#[derive(Clone, Copy)]
enum Phase {
    /// Nothing is known yet.
    Asking,
    /// The changelog is read up to an offset.
    Reading { committed: Option<u64>, from: u64, until: u64 },
}

/// A partition whose state is back.
pub(super) struct Restored {
    pub number: u32,
    pub desk: Desk,
    /// Where the inbox goes on.
    pub offset: u64,
    /// Records of the changelog that were read.
    pub records: u64,
    /// How long it took, in milliseconds.
    pub millis: i64,
    /// The group had no offset any more, and the changelog's was taken.
    pub expired: bool,
}

impl Restorer {
    pub fn new(
        log: &dyn Log,
        topics: &Topics,
        partitions: u32,
        secret: Secret,
        patience: i64,
    ) -> Result<Restorer, Error> {
        Ok(Restorer {
            inbox: topics.inbox.as_str().into(),
            changelog: topics.changelog.as_str().into(),
            partitions,
            version: topics.version,
            secret,
            patience,
            reader: log.reader(Isolation::Committed)?,
            lookup: log.lookup()?,
            at_work: BTreeMap::new(),
            assigned: true,
            episode: None,
            notes: Vec::new(),
        })
    }

    /// Begins with a partition.
    pub fn begin(&mut self, number: u32, now: Time) {
        let desk = Desk::in_layout(self.secret.clone(), self.version, self.partitions);
        let (begun, progress, probed) = (now, now, now);
        let phase = Phase::Asking;
        let restore = Restore { desk, phase, begun, progress, probed, answers: 0, offset: None, records: 0 };
        let before = self.at_work.insert(number, restore);
        self.assigned = false;
        let fresh = Episode { since: now, partitions: 0, done: 0, told: false };
        let episode = self.episode.get_or_insert(fresh);
        episode.partitions += usize::from(before.is_none());
        episode.told = false;
    }

    /// Forgets a partition.
    pub fn forget(&mut self, number: u32) {
        if self.at_work.remove(&number).is_some() {
            self.assigned = false;
            if let Some(episode) = &mut self.episode {
                episode.partitions -= 1;
            }
        }
        if self.at_work.is_empty() {
            self.episode = None;
        }
    }

    /// How far it is.
    pub fn restoring(&self) -> Option<Restoring> {
        let Episode { since, partitions, done, .. } = self.episode?;
        let (mut read, mut of) = (done, done);
        for (&number, restore) in &self.at_work {
            if let Phase::Reading { from, until, .. } = restore.phase {
                let partition = Partition { topic: Arc::clone(&self.changelog), number };
                let position = self.reader.position(&partition).filter(|_| self.assigned).unwrap_or(from);
                read += position.clamp(from, until.max(from)) - from;
                of += until.saturating_sub(from);
            }
        }
        Some(Restoring { since, partitions, read, of })
    }

    /// What is worth a line, since somebody asked last.
    pub fn take_notes(&mut self) -> Vec<Note> {
        std::mem::take(&mut self.notes)
    }

    /// Up to where what is committed of a partition can be read.
    ///
    /// # Errors
    /// [`crate::log::Kind::Retry`].
    pub fn end(&mut self, partition: &Partition) -> Result<u64, Error> {
        self.lookup.watermarks(partition, Isolation::Committed).map(|(_, end)| end)
    }

    pub fn is_idle(&self) -> bool {
        self.at_work.is_empty()
    }

    /// Does a slice of the work. Returns what is done.
    pub fn turn(&mut self, member: &mut dyn Member, clock: &dyn Clock) -> Result<Vec<Restored>, Stop> {
        if self.at_work.is_empty() {
            return Ok(Vec::new());
        }
        let mut restored = Vec::new();
        match self.try_turn(member, clock, &mut restored) {
            // What cannot be found out now is asked for again; `stuck` says when it has been too long.
            Err(Stop::Log(error)) if passes(&error) => self.stuck(clock.now())?,
            done => done?,
        }
        Ok(restored)
    }

    fn try_turn(
        &mut self,
        member: &mut dyn Member,
        clock: &dyn Clock,
        restored: &mut Vec<Restored>,
    ) -> Result<(), Stop> {
        let numbers: Vec<u32> = self.at_work.keys().copied().collect();
        for number in numbers {
            self.ask(number, member, clock)?;
        }
        self.note_beginning();
        self.read(clock)?;
        let done = self.at_work.iter().filter(|(number, restore)| self.is_done(**number, restore));
        let done: Vec<u32> = done.map(|(number, _)| *number).collect();
        for number in done {
            restored.extend(self.finish(number, member, clock.now())?);
        }
        self.stuck(clock.now())
    }

    /// Once it is known of all partitions how much there is to read, somebody may want to hear it.
    fn note_beginning(&mut self) {
        let asking = self.at_work.values().any(|restore| matches!(restore.phase, Phase::Asking));
        let restoring = self.restoring();
        if let (Some(episode), Some(restoring), false) = (&mut self.episode, restoring, asking)
            && !std::mem::replace(&mut episode.told, true)
        {
            self.notes.push(Note::Begins(restoring));
        }
    }

    /// Asks where the inbox was committed, and up to where the changelog is to be read, in this order.
    fn ask(&mut self, number: u32, member: &mut dyn Member, clock: &dyn Clock) -> Result<(), Stop> {
        let Some(restore) = self.at_work.get_mut(&number) else { return Ok(()) };
        let Phase::Asking = restore.phase else { return Ok(()) };
        if number >= self.partitions {
            let has = self.lookup.partitions(&self.inbox)?.unwrap_or(0);
            return Err(Misfit::grown(&self.inbox, has, self.partitions).into());
        }
        let inbox = Partition { topic: Arc::clone(&self.inbox), number };
        let changelog = Partition { topic: Arc::clone(&self.changelog), number };
        let answer = member.committed(std::slice::from_ref(&inbox)).and_then(|committed| {
            let (from, until) = self.lookup.watermarks(&changelog, Isolation::Uncommitted)?;
            Ok((committed.into_iter().next().flatten(), from, until))
        });
        match answer {
            Ok((committed, from, until)) => {
                restore.phase = Phase::Reading { committed: committed.map(|at| at.offset), from, until };
                restore.goes_on(clock.now());
                self.assigned = false;
                Ok(())
            }
            // The others go on meanwhile.
            Err(error) if passes(&error) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn read(&mut self, clock: &dyn Clock) -> Result<(), Stop> {
        if !self.assigned {
            let mut from = Vec::new();
            for (&number, restore) in &self.at_work {
                if let Phase::Reading { from: first, .. } = restore.phase {
                    let partition = Partition { topic: Arc::clone(&self.changelog), number };
                    let position = self.reader.position(&partition).filter(|_| restore.records > 0);
                    from.push((partition, position.unwrap_or(first)));
                }
            }
            self.reader.assign(&from)?;
            self.assigned = true;
        }
        let (at_work, topic) = (&mut self.at_work, &self.changelog);
        let mut corrupt = None;
        let now = clock.now();
        self.reader.poll(Duration::from_millis(5), &mut |message| {
            if let Some(restore) = at_work.get_mut(&message.partition)
                && corrupt.is_none()
            {
                restore.goes_on(now);
                corrupt = take(restore, &message, topic).err();
            }
        })?;
        corrupt.map_or(Ok(()), Err)
    }

    /// A restore without progress for too long is a failure, if the brokers answer meanwhile.
    fn stuck(&mut self, now: Time) -> Result<(), Stop> {
        let pause = self.patience / PROBES;
        for (&number, restore) in &mut self.at_work {
            if now.since(restore.progress) < pause || now.since(restore.probed) < pause {
                continue;
            }
            restore.probed = now;
            let partition = Partition { topic: Arc::clone(&self.changelog), number };
            match self.lookup.watermarks(&partition, Isolation::Uncommitted) {
                // A clock that was set forward is no lack of progress: the brokers have to have answered often.
                Ok(_) if restore.answers + 1 < PROBES || now.since(restore.progress) < self.patience => {
                    restore.answers += 1;
                }
                Ok(_) => {
                    return Err(Stop::Offsets(format!(
                        "the restore of {partition} has made no progress for {} s: look for a hanging transaction \
                         with `hashbuy check`",
                        self.patience / SECOND
                    )));
                }
                Err(error) if passes(&error) => restore.goes_on(now),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn is_done(&self, number: u32, restore: &Restore) -> bool {
        let Phase::Reading { from, until, .. } = restore.phase else { return false };
        let partition = Partition { topic: Arc::clone(&self.changelog), number };
        from >= until || self.reader.position(&partition).is_some_and(|position| position >= until)
    }

    /// Compares the two offsets. They can differ if another worker has the partition by now, and has
    /// committed: then all is read anew, until we are told. Else somebody has meddled, and a human decides.
    fn finish(&mut self, number: u32, member: &mut dyn Member, now: Time) -> Result<Option<Restored>, Stop> {
        let inbox = Partition { topic: Arc::clone(&self.inbox), number };
        let (first, _) = self.lookup.watermarks(&inbox, Isolation::Uncommitted)?;
        if self.has_moved(number, &inbox, member)? {
            self.begin(number, now);
            return Ok(None);
        }
        let restore = self.at_work.remove(&number);
        self.assigned = false;
        let Some(Restore {
            desk,
            phase: Phase::Reading { committed, from, until },
            begun,
            offset,
            records,
            ..
        }) = restore
        else {
            return Err(Stop::Offsets(format!("{inbox} was not being restored")));
        };
        if let Some(was) = desk.partition().partitions.filter(|was| *was != self.partitions) {
            return Err(Misfit::grown(&self.inbox, self.partitions, was).into());
        }
        let (at, expired) = match (committed, offset) {
            (Some(committed), Some(offset)) if committed == offset => (committed, false),
            (None, Some(offset)) => (offset, true),
            // The first start. Transactions that were aborted may stand in the changelog.
            (None, None) if records == 0 => (first, false),
            (committed, offset) => return Err(Stop::Offsets(disagree(&inbox, committed, offset))),
        };
        if at < first {
            return Err(Stop::Offsets(format!(
                "{inbox} begins at offset {first}, but the desk has read it up to {at} only: records are lost. \
                 Was the topic made anew, or its retention too short?"
            )));
        }
        if let Some(episode) = &mut self.episode {
            episode.done += until.saturating_sub(from);
        }
        if self.at_work.is_empty() {
            if let Some(restoring) = self.restoring() {
                self.notes.push(Note::Ends(restoring, now.since(restoring.since)));
            }
            self.episode = None;
        }
        Ok(Some(Restored { number, desk, offset: at, records, millis: now.since(begun), expired }))
    }

    /// Whether a partition whose offsets disagree has another committed offset now than when it was asked for.
    fn has_moved(&self, number: u32, inbox: &Partition, member: &mut dyn Member) -> Result<bool, Error> {
        let Some(Restore { phase: Phase::Reading { committed, .. }, offset, records, .. }) =
            self.at_work.get(&number)
        else {
            return Ok(false);
        };
        let is_first_start = offset.is_none() && *records == 0;
        if committed == offset && (offset.is_some() || is_first_start) {
            return Ok(false);
        }
        let now = member.committed(std::slice::from_ref(inbox))?.into_iter().next().flatten();
        Ok(now.map(|at| at.offset) != *committed)
    }
}

fn take(restore: &mut Restore, message: &Message<'_>, topic: &str) -> Result<(), Stop> {
    let key = String::from_utf8_lossy(message.key.unwrap_or_default());
    let offset = restore.desk.restore(&key, message.value).map_err(|corrupt| Stop::Corrupt {
        place: format!("{topic}/{}@{}", message.partition, message.offset),
        corrupt,
    })?;
    restore.offset = offset.or(restore.offset);
    restore.records += 1;
    Ok(())
}

fn disagree(inbox: &Partition, committed: Option<u64>, changelog: Option<u64>) -> String {
    let shown = |offset: Option<u64>| offset.map_or("none".to_owned(), |offset| offset.to_string());
    let what = match (committed, changelog) {
        (None, None) => {
            return format!(
                "{inbox}: the changelog holds records but no offset, and the group has committed none. If an import was \
                 begun and did not end, run `hashbuy desk import FILE` again; else the changelog is not this inbox's"
            );
        }
        (Some(_), Some(_)) => "one of them was reset by hand",
        _ => "one of them is lost",
    };
    let mend = match changelog {
        Some(_) => format!(
            "If the changelog is right, stop all desk workers of the app and take its offset with `hashbuy desk adopt \
             --partition {}`, which shows first what it would do",
            inbox.number
        ),
        None => {
            "Without its changelog the state of this partition is gone: restore the topic from a copy, then \
                 `hashbuy desk adopt`"
                .to_owned()
        }
    };
    format!(
        "{inbox}: the group's committed offset is {}, the changelog's {}. They are written in one transaction, so \
         {what}. {mend}",
        shown(committed),
        shown(changelog)
    )
}
