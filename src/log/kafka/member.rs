//! A member of a group.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::consumer::{CommitMode, Consumer as _, ConsumerGroupMetadata};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};

use super::error::{for_good, lacking, of_request};
use super::grouped;
use super::held::Held;
use super::left_until;
use super::lookup::{self, KafkaLookup, Offsets};
use super::partitions::{list, list_to_commit};
use super::rebalances::{Grouped, Note};
use super::seek::{self, NotStarted};
use super::settings::Settings;
use crate::log::right::Resource;
use crate::log::{
    Committed, Error, Isolation, Kind, Lookup as _, Member, Membership, Message, Partition, Polled, Standing,
};

/// The most messages that one poll hands over.
const BATCH: usize = 1_000;
/// So many consumers that were ours may fence the present one; if it happens more often it is somebody else.
const MAX_SHADOWS: usize = 3;

pub(super) struct KafkaMember {
    consumer: Arc<Grouped>,
    settings: Settings,
    membership: Membership,
    held: Held,
    /// What is to be given up.
    revoked: Option<Vec<Partition>>,
    /// How it stood when the worker was last told of a meeting of the group; none if the group has not met
    /// with it, or has gone on without it as far as is known.
    standing: Option<Standing>,
    /// It was silent for too long and the group has gone on without it, or librdkafka and we disagree on
    /// what it has. All of it counts as lost, and it has to join anew.
    lost: bool,
    /// When it was polled last.
    polled: Instant,
    /// Asks for committed offsets on behalf of a member that reads what is not committed: librdkafka
    /// would not wait for open transactions on its own.
    stable: Option<Offsets>,
    /// Partitions that were started at an offset that is not in the log. The next poll says so.
    absent: BTreeMap<Partition, Error>,
    /// Found when messages had been handed over already; for the next poll.
    later: Option<Error>,
    /// Consumers of this member whose place it has taken itself, and that may not know it yet: a request to join
    /// that one of them wrote while nothing went through is delivered later, and fences the present one. Each can
    /// do that once.
    shadows: usize,
    /// Why it can not go on.
    spent: Option<Error>,
}

impl KafkaMember {
    pub(super) fn new(settings: &Settings, membership: &Membership) -> Result<KafkaMember, Error> {
        let consumer = grouped::join(settings, membership)?;
        let stable = match membership.isolation {
            Isolation::Committed => None,
            Isolation::Uncommitted => Some(Offsets::new(settings, &membership.group)?),
        };
        Ok(KafkaMember {
            consumer,
            settings: settings.clone(),
            membership: membership.clone(),
            held: held_of(membership),
            revoked: None,
            standing: None,
            lost: false,
            polled: Instant::now(),
            stable,
            absent: BTreeMap::new(),
            later: None,
            shadows: 0,
            spent: None,
        })
    }

    /// Whether the group has gone on because this member was not polled for too long.
    ///
    /// librdkafka leaves the group then, but if a rebalance was under way it says nothing of what is lost,
    /// and may go on with partitions that others have had meanwhile.
    fn is_lost(&self) -> bool {
        self.lost || self.polled.elapsed() >= self.settings.poll
    }

    /// Whether the coordinator has been away for longer than the session of this static member lasts.
    ///
    /// librdkafka forgets its member id then, and goes on with heartbeats until the partitions are given up:
    /// a coordinator that is back meanwhile takes them for somebody else's and refuses them as fenced. Nobody
    /// has taken our place, but this consumer is of no more use.
    fn has_lost_its_name(&self) -> bool {
        self.membership.instance.is_some() && self.consumer.context().timed_out()
    }

    /// The next note, as the worker is told it.
    fn noted(&mut self) -> Result<Option<Polled>, Error> {
        if self.lost {
            self.check_fatal()?;
            self.standing = None;
            let partitions = self.held.all();
            partitions.iter().for_each(|partition| self.stand_still(partition));
            self.revoked = Some(partitions.clone());
            if partitions.is_empty() {
                self.rejoin()?;
                return Ok(None);
            }
            return Ok(Some(Polled::Revoked { partitions, lost: true }));
        }
        let Some(note) = self.consumer.context().note() else { return Ok(None) };
        match note {
            Note::Assigned { partitions, standing } => {
                self.standing = standing;
                partitions.iter().for_each(|partition| self.held.add(partition.clone()));
                Ok(Some(Polled::Assigned(partitions)))
            }
            Note::Revoked { partitions, lost, standing } => {
                self.standing = standing.filter(|_| !lost);
                self.lost = self.has_lost_its_name();
                partitions.iter().for_each(|partition| self.stand_still(partition));
                self.revoked = Some(partitions.clone());
                Ok(Some(Polled::Revoked { partitions, lost }))
            }
            Note::Failed => {
                self.lost = true;
                self.noted()
            }
        }
    }

    /// Fails if librdkafka has given up for good, as when another one has its name.
    fn check_fatal(&mut self) -> Result<(), Error> {
        match self.consumer.client().fatal_error() {
            Some((code, _)) if self.has_lost_its_name() || self.is_fenced_by_a_shadow(code) => Ok(()),
            Some((code, why)) => Err(self.failed(code, &why)),
            None => Ok(()),
        }
    }

    /// Whether this consumer may have been fenced by one that was ours. Nobody else has taken our place then.
    fn is_fenced_by_a_shadow(&self, code: Code) -> bool {
        code == Code::FencedInstanceId && self.shadows > 0
    }

    /// The end of this member, and what can be done about it.
    fn failed(&mut self, code: Code, why: &str) -> Error {
        let Membership { group, instance, .. } = &self.membership;
        let name = instance.as_deref().unwrap_or_default();
        let what = match code {
            Code::FencedInstanceId => format!(
                "group {group}: another process has joined as {name} and taken this one's place: give each process \
                 its own `instance`; if each has, the group's broker was cut off from the others, and this process \
                 can be started again"
            ),
            _ => format!("group {group}: {why}"),
        };
        self.spend(Error::new(Kind::Fatal, what))
    }

    fn spend(&mut self, error: Error) -> Error {
        self.standing = None;
        self.spent.get_or_insert(error).clone()
    }

    /// Hands over what comes, until there is something else to tell or the time is over.
    fn gather(&mut self, wait: Duration, each: &mut dyn FnMut(Message<'_>)) -> usize {
        let deadline = Instant::now() + wait;
        let consumer = Arc::clone(&self.consumer);
        let mut count = 0;
        while count < BATCH {
            // Once there is something, only what is at hand: and no look at the clock for each message.
            let left = match count {
                0 => left_until(deadline),
                _ => Duration::ZERO,
            };
            match consumer.poll(left) {
                Some(Ok(message)) => {
                    if let Some(message) = self.held.take(&message) {
                        each(message);
                        count += 1;
                        continue;
                    }
                }
                Some(Err(error)) => self.later = self.trouble(&error),
                None if left.is_zero() => break,
                None => {}
            }
            let is_over = count == 0 && left.is_zero();
            if is_over || self.later.is_some() || self.lost || consumer.context().has_notes() {
                break;
            }
        }
        count
    }

    /// What the worker has to know of an error that librdkafka met.
    fn trouble(&mut self, error: &KafkaError) -> Option<Error> {
        let reason = self.consumer.context().reason();
        let what = format!("group {}: {error}: {reason}", self.membership.group);
        match error {
            KafkaError::MessageConsumptionFatal(code)
                if self.has_lost_its_name() || self.is_fenced_by_a_shadow(*code) =>
            {
                self.lost = true;
                None
            }
            KafkaError::MessageConsumptionFatal(code) => {
                Some(self.failed(*code, &format!("{error}: {reason}")))
            }
            KafkaError::MessageConsumption(Code::AutoOffsetReset | Code::OffsetOutOfRange) => {
                seek::out_of_range(&self.consumer, self.held.running())
            }
            KafkaError::MessageConsumption(Code::PollExceeded) => {
                self.lost = true;
                None
            }
            KafkaError::MessageConsumption(code) if for_good(*code) => {
                Some(self.denied(Error::new(Kind::Fatal, what), *code, &reason))
            }
            KafkaError::MessageConsumption(Code::UnknownTopicOrPartition | Code::UnknownTopic) => {
                Some(Error::new(Kind::Retry, what))
            }
            // A broker that is gone, and the like: librdkafka sees to it itself.
            _ => None,
        }
    }

    /// Adds the right that is missing, if the code says that one is. librdkafka says of which topic in its words only.
    fn denied(&self, error: Error, code: Code, reason: &str) -> Error {
        let Membership { group, topics, .. } = &self.membership;
        let named: Vec<&str> =
            topics.iter().map(String::as_str).filter(|name| reason.contains(name)).collect();
        let topic = if named.is_empty() { topics.join(" or ") } else { named.join(" or ") };
        let error = lacking(error, Some(code), "Read", Resource::Topic, &topic);
        lacking(error, Some(code), "Read", Resource::Group, group)
    }

    /// Why a partition cannot be read from an offset, if it cannot.
    fn not_in_log(&self, partition: &Partition, offset: u64) -> Result<Option<Error>, Error> {
        let (low, high) = lookup::watermarks(&self.consumer, partition)?;
        if (low..=high).contains(&offset) {
            return Ok(None);
        }
        // A reader of what is committed is told the last stable offset, and the log goes on behind it.
        let high = match self.membership.isolation {
            Isolation::Committed if offset > high => {
                KafkaLookup::new(&self.settings)?.watermarks(partition, Isolation::Uncommitted)?.1
            }
            _ => high,
        };
        Ok((!(low..=high).contains(&offset)).then(|| seek::absent(partition, offset, low, high)))
    }

    fn must_hold(&self, partition: &Partition, kind: Kind) -> Result<(), Error> {
        if self.held.contains(partition) {
            return Ok(());
        }
        Err(Error::new(
            kind,
            format!("group {}: {partition} is not assigned to this member", self.membership.group),
        ))
    }

    fn must_keep(&self, partition: &Partition) -> Result<(), Error> {
        self.must_hold(partition, Kind::Fatal)?;
        if self.revoked.as_ref().is_some_and(|revoked| revoked.contains(partition)) {
            return Err(Error::new(Kind::Fatal, format!("{partition} is to be given up")));
        }
        Ok(())
    }

    fn stand_still(&mut self, partition: &Partition) {
        self.held.set(partition, None);
        self.absent.remove(partition);
    }

    /// Gives up what is to be given up.
    fn unassign(&mut self) -> Result<(), KafkaError> {
        let Some(partitions) = self.revoked.take() else { return Ok(()) };
        partitions.iter().for_each(|partition| self.held.remove(partition));
        match list(partitions.iter().map(|partition| (partition, 0))) {
            Ok(list) => self.consumer.incremental_unassign(&list),
            Err(_) => Ok(()), // it was a list of librdkafka's own
        }
    }

    /// Joins anew with a consumer that knows nothing of the past.
    fn rejoin(&mut self) -> Result<(), Error> {
        self.check_fatal()?;
        let is_fenced = self.consumer.client().fatal_error().is_some();
        // One that is fenced was met by a shadow, and is none itself: the coordinator does not know it any more.
        self.shadows =
            if is_fenced { self.shadows.saturating_sub(1) } else { (self.shadows + 1).min(MAX_SHADOWS) };
        grouped::close(&self.consumer);
        self.held = held_of(&self.membership);
        self.revoked = None;
        self.later = None;
        self.absent.clear();
        match grouped::join(&self.settings, &self.membership) {
            Ok(consumer) => self.consumer = consumer,
            Err(error) => return Err(self.spend(error)),
        }
        self.lost = false;
        self.polled = Instant::now();
        Ok(())
    }
}

impl Member for KafkaMember {
    fn poll(&mut self, wait: Duration, each: &mut dyn FnMut(Message<'_>)) -> Result<Polled, Error> {
        if let Some(error) = self.later.take().or_else(|| self.spent.clone()) {
            return Err(error);
        }
        if self.revoked.is_some() {
            let what =
                format!("group {}: release what was revoked before the next poll", self.membership.group);
            return Err(Error::new(Kind::Fatal, what));
        }
        self.lost = self.is_lost();
        if let Some(polled) = self.noted()? {
            return Ok(polled);
        }
        if let Some((_, error)) = self.absent.pop_first() {
            return Err(error);
        }
        let count = self.gather(wait, each);
        self.polled = Instant::now();
        if count > 0 {
            return Ok(Polled::Messages(count));
        }
        if let Some(error) = self.later.take() {
            return Err(error);
        }
        Ok(self.noted()?.unwrap_or(Polled::Messages(0)))
    }

    fn start(&mut self, partition: &Partition, offset: u64) -> Result<(), Error> {
        self.must_keep(partition)?;
        let failed = |error: KafkaError| {
            Error::new(Kind::Retry, format!("{partition} cannot be read from offset {offset}: {error}"))
        };
        self.stand_still(partition);
        // One that is fetched from an offset that is not there stops for good. So it is not even tried.
        if let Some(error) = self.not_in_log(partition, offset)? {
            self.pause(partition)?;
            self.absent.insert(partition.clone(), error);
            return Ok(());
        }
        let list = list([(partition, offset)])?;
        // Resumed after the seek, the next record would come a second late.
        self.consumer.resume(&list).map_err(failed)?;
        if let Err(NotStarted) = seek::seek(&self.consumer, &list)? {
            // The log has lost its beginning faster than this partition was paused or started, and a seek
            // can not revive it. To unassign and assign it anew could; but if librdkafka is about to tell of
            // a revocation, it would take that for the answer, and others would get what we still hold.
            self.lost = true;
            return Ok(());
        }
        self.held.set(partition, Some(offset));
        Ok(())
    }

    fn pause(&mut self, partition: &Partition) -> Result<(), Error> {
        self.must_keep(partition)?;
        self.stand_still(partition);
        let list = list([(partition, 0)])?;
        self.consumer
            .pause(&list)
            .map_err(|error| Error::new(Kind::Retry, format!("{partition} cannot be paused: {error}")))
    }

    fn release(&mut self) -> Result<(), Error> {
        if self.revoked.is_none() {
            return Err(Error::new(
                Kind::Fatal,
                format!("group {}: nothing is to be given up", self.membership.group),
            ));
        }
        if self.lost {
            // What else it has is lost too, and the next poll says so.
            self.revoked.take().iter().flatten().for_each(|partition| self.held.remove(partition));
            return if self.held.all().is_empty() { self.rejoin() } else { Ok(()) };
        }
        // If that fails there is nothing to be done about it but to begin anew.
        self.lost = self.unassign().is_err();
        Ok(())
    }

    fn position(&self, partition: &Partition) -> Option<u64> {
        let progress = self.held.progress(partition)?;
        let read = progress.read.then_some(progress.next);
        read.max(seek::position(&self.consumer, partition))
    }

    fn committed(&mut self, partitions: &[Partition]) -> Result<Vec<Option<Committed>>, Error> {
        match &self.stable {
            Some(offsets) => offsets.committed(partitions),
            None => lookup::committed(&self.consumer, &self.membership.group, partitions),
        }
    }

    fn commit(&mut self, offsets: &[(Partition, Committed)]) -> Result<(), Error> {
        if offsets.is_empty() {
            return Ok(());
        }
        // The broker does not check whose partition it is.
        offsets.iter().try_for_each(|(partition, _)| self.must_hold(partition, Kind::Fenced))?;
        if self.is_lost() {
            let what = format!("group {}: it has gone on without this member", self.membership.group);
            return Err(Error::new(Kind::Fenced, what));
        }
        let list = list_to_commit(offsets)?;
        self.consumer.commit(&list, CommitMode::Sync).map_err(|error| {
            let what = format!("group {}: offsets were not committed", self.membership.group);
            match error.rdkafka_error_code() {
                Some(code) if self.is_fenced_by_a_shadow(code) => Error::new(Kind::Fenced, what),
                Some(code) => self.denied(of_request(&what, &error), code, ""),
                None => of_request(&what, &error),
            }
        })
    }

    fn standing(&self) -> Result<Standing, Error> {
        // Not what librdkafka knows by now: it may have been to another meeting, and somebody else may have had
        // meanwhile what the worker takes for its own.
        self.standing.clone().filter(|_| !self.is_lost()).ok_or_else(|| {
            Error::new(Kind::Retry, format!("group {}: not a member at the moment", self.membership.group))
        })
    }

    fn leave(mut self: Box<Self>) {
        self.consumer.context().close();
        let _ = self.unassign(); // if that fails, it is lost to us anyway
        if self.spent.is_none() {
            grouped::leave(&self.consumer);
        }
    }
}

impl Drop for KafkaMember {
    /// Closes without leaving: a static member keeps its partitions until its session is over.
    fn drop(&mut self) {
        self.consumer.context().close();
        let _ = self.unassign();
        grouped::close(&self.consumer);
    }
}

/// A standing in a group of Kafka's.
pub(super) struct Seat {
    /// As the coordinator knows it.
    pub metadata: ConsumerGroupMetadata,
    /// The name of the group, for messages.
    pub group: String,
}

/// What [`Member::standing`] has put into it.
///
/// # Errors
/// [`Kind::Fatal`] for a standing with another log.
pub(super) fn standing_of(standing: &Standing) -> Result<&Seat, Error> {
    standing.0.downcast_ref().ok_or_else(|| {
        Error::new(Kind::Fatal, "a standing in a group of another log cannot be used in Kafka")
    })
}

/// Nothing yet.
fn held_of(membership: &Membership) -> Held {
    match membership.topics.len() {
        1 => Held::of_one_topic(),
        _ => Held::default(),
    }
}
