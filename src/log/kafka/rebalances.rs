//! What librdkafka calls when partitions come and go.
//!
//! Little is done inside the callback. What comes is assigned at a number, at once, and paused; what
//! goes is only noted. The member hands the notes to its worker, and the unassigning follows when the
//! worker has finished what was open: librdkafka delegates a rebalance as an event and waits for that
//! call (WAIT_UNASSIGN_CALL), with everything paused and its heartbeats going on, for as long as
//! `max.poll.interval.ms` allows.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{ClientContext, Offset, TopicPartitionList};

use super::logged;
use super::member::Seat;
use super::partitions::partitions;
use crate::log::{Partition, Standing};

/// The consumer of a member.
pub(super) type Grouped = BaseConsumer<Rebalances>;

/// Something for the worker to know.
#[derive(Debug)]
pub(super) enum Note {
    Assigned {
        partitions: Vec<Partition>,
        standing: Option<Standing>,
    },
    Revoked {
        partitions: Vec<Partition>,
        lost: bool,
        standing: Option<Standing>,
    },
    /// librdkafka would not do what it had asked for.
    Failed,
}

/// The callbacks of a member's consumer.
#[derive(Debug, Default)]
pub(super) struct Rebalances {
    group: String,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    notes: VecDeque<Note>,
    /// Nobody asks for notes any more: what is revoked is given up at once.
    closing: bool,
    /// The coordinator has not been heard of for as long as a session lasts.
    timed_out: bool,
    /// What librdkafka said last with an error; for error messages.
    reason: String,
}

impl Rebalances {
    /// The callbacks of a member of this group.
    pub(super) fn of(group: &str) -> Rebalances {
        Rebalances { group: group.to_owned(), ..Rebalances::default() }
    }

    pub(super) fn note(&self) -> Option<Note> {
        self.lock().notes.pop_front()
    }

    pub(super) fn has_notes(&self) -> bool {
        !self.lock().notes.is_empty()
    }

    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closing = true;
        state.notes.clear();
    }

    /// Whether librdkafka has given up its session, as the coordinator was not heard of for too long.
    pub(super) fn timed_out(&self) -> bool {
        self.lock().timed_out
    }

    pub(super) fn reason(&self) -> String {
        self.lock().reason.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What librdkafka calls the log line that tells the end of a session. It tells it in no other way.
const TIMED_OUT: &str = "SESSTMOUT";

/// Down to this level log lines are needed.
pub(super) const LOG_LEVEL: RDKafkaLogLevel = RDKafkaLogLevel::Warning;

impl ClientContext for Rebalances {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, said: &str) {
        logged::log(level, facility, said);
        if facility == TIMED_OUT {
            self.lock().timed_out = true;
        }
    }

    fn error(&self, _: KafkaError, reason: &str) {
        reason.clone_into(&mut self.lock().reason);
    }
}

impl ConsumerContext for Rebalances {
    // rdkafka's own drops the errors of assigning and unassigning.
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Rebalances>,
        event: RDKafkaRespErr,
        list: &mut TopicPartitionList,
    ) {
        let closing = self.lock().closing;
        if event == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
            // The group has met with it again.
            self.lock().timed_out = false;
        }
        // The standing of this meeting, and not of one that may follow before the worker is told: until then
        // the broker has to refuse what it does.
        let standing = consumer.group_metadata().map(|metadata| {
            let group = self.group.clone();
            Standing(Arc::new(Seat { metadata, group }))
        });
        let note = match event {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => match take_over(consumer, list) {
                Ok(()) => Note::Assigned { partitions: partitions(list), standing },
                Err(_) => Note::Failed,
            },
            _ if closing => match consumer.incremental_unassign(list) {
                Ok(()) => return,
                Err(_) => Note::Failed,
            },
            _ => Note::Revoked { partitions: partitions(list), lost: consumer.assignment_lost(), standing },
        };
        if !closing {
            self.lock().notes.push_back(note);
        }
    }
}

/// How long the callback may ask where the logs begin.
const ASK: Duration = Duration::from_secs(2);

/// Assigns what has come and lets it stand still.
///
/// It has to be assigned at a number: while librdkafka looks up what `Beginning` or `Stored` is, a seek
/// says Ok and is lost. And at one that is in the log: it may be fetched before the pause arrives, and an
/// offset that is not there stops a partition for good. So the callback asks where the logs begin, one
/// question for all. An empty list is assigned too; the group waits for the answer. A pause goes after
/// the assigning; before it, it says Ok and does nothing.
fn take_over(consumer: &BaseConsumer<Rebalances>, list: &mut TopicPartitionList) -> KafkaResult<()> {
    list.set_all_offsets(Offset::Offset(0))?;
    if list.count() == 0 {
        return consumer.incremental_assign(list);
    }
    let mut question = list.clone();
    question.set_all_offsets(Offset::Beginning)?;
    // Without an answer 0 has to do: most logs begin there.
    if let Ok(beginnings) = consumer.offsets_for_times(question, ASK) {
        for begins in beginnings.elements() {
            if let Offset::Offset(_) = begins.offset() {
                list.set_partition_offset(begins.topic(), begins.partition(), begins.offset())?;
            }
        }
    }
    consumer.incremental_assign(list)?;
    consumer.pause(list)
}
