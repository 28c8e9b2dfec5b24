//! Counts what a producer has sent and what the brokers have acknowledged.
//!
//! Where an answer is waited for all the time the reports come on a polling thread of the producer, and the worker
//! waits for the count to reach nought; else the worker polls. Not `flush()`: it says that all is well although records have failed, and rdkafka sits out
//! slices of 100 ms in it.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::ClientContext;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::message::{Header, Message as _, OwnedHeaders, Timestamp};
use rdkafka::producer::{
    BaseProducer, BaseRecord, DeliveryResult, Producer as _, ProducerContext, ThreadedProducer,
};

use super::error::for_good;
use super::logged;
use super::partitions::number;
use crate::core::time::Time;
use crate::log::{Appended, Error, Kind, NewRecord};

/// A producer whose deliveries are counted, and are reported by a thread of its own.
pub(super) type Counted = ThreadedProducer<Deliveries>;
/// The same without a thread: whoever has it polls.
pub(super) type Polled = BaseProducer<Deliveries>;

/// What records can be handed to.
pub(super) trait Taker {
    /// Counts what is handed over.
    fn deliveries(&self) -> &Deliveries;

    /// Takes a record.
    ///
    /// # Errors
    /// What librdkafka says.
    fn take(&self, record: BaseRecord<'_, [u8], [u8], usize>) -> Result<(), KafkaError>;
}

impl Taker for Counted {
    fn deliveries(&self) -> &Deliveries {
        self.context()
    }

    fn take(&self, record: BaseRecord<'_, [u8], [u8], usize>) -> Result<(), KafkaError> {
        self.send(record).map_err(|(error, _)| error)
    }
}

impl Taker for Polled {
    fn deliveries(&self) -> &Deliveries {
        self.context()
    }

    fn take(&self, record: BaseRecord<'_, [u8], [u8], usize>) -> Result<(), KafkaError> {
        self.send(record).map_err(|(error, _)| error)
    }
}

/// What has been sent and not yet reported on.
#[derive(Debug, Default)]
pub(super) struct Deliveries {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Reports on records of earlier rounds, which were aborted, are not counted.
    round: usize,
    outstanding: usize,
    failed: Option<Failed>,
    /// The greatest offset of each partition among the records of this round, and of the rounds before.
    newest: Offsets,
    before: Offsets,
    /// The newest report of each topic, since somebody asked last.
    appended: BTreeMap<Arc<str>, Timestamp>,
    /// What librdkafka said last of the connection; for error messages.
    trouble: String,
    /// How often it has said something.
    errors: usize,
    /// A topic that the transaction's coordinator does not take in, as this client may not write to it.
    denied: Option<String>,
}

/// An offset of each partition of each topic.
pub(super) type Offsets = BTreeMap<(String, i32), i64>;

/// A record that was not delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failed {
    pub code: Code,
    pub topic: String,
    pub partition: i32,
    /// It was appended, but at an offset that is not above this one of an earlier round: another topic has this one's
    /// name by now.
    pub anew: Option<(i64, i64)>,
}

impl Deliveries {
    /// Forgets what was sent before: its transaction is over.
    pub(super) fn next_round(&self) {
        let mut state = self.lock();
        state.round += 1;
        state.outstanding = 0;
        state.failed = None;
        let newest = std::mem::take(&mut state.newest);
        state.before.extend(newest);
    }

    /// Up to which offsets records were appended in earlier rounds.
    pub(super) fn offsets(&self) -> Offsets {
        self.lock().before.clone()
    }

    /// The producer before this one has got so far.
    pub(super) fn go_on_from(&self, offsets: Offsets) {
        self.lock().before = offsets;
    }

    /// What the newest reports said of the times of their records.
    pub(super) fn appended(&self) -> Vec<Appended> {
        let appended = std::mem::take(&mut self.lock().appended);
        let said = appended.into_iter().filter_map(|(topic, timestamp)| {
            let (millis, by_log) = match timestamp {
                Timestamp::NotAvailable => return None,
                Timestamp::CreateTime(millis) => (millis, false),
                Timestamp::LogAppendTime(millis) => (millis, true),
            };
            Some(Appended { topic, timestamp: Time::from_millis(millis), by_log })
        });
        said.collect()
    }

    /// What librdkafka said last of its connections.
    pub(super) fn trouble(&self) -> String {
        self.lock().trouble.clone()
    }

    /// A topic that may not be written to. What librdkafka says of its records and of the transaction's end is that
    /// they come at a wrong time.
    pub(super) fn denied(&self) -> Option<String> {
        self.lock().denied.clone()
    }

    /// How many errors librdkafka has told: connections that broke, requests that were not answered.
    pub(super) fn errors(&self) -> usize {
        self.lock().errors
    }

    /// Waits until everything is reported on, something has failed, or the time is over. Returns how
    /// many reports are outstanding.
    ///
    /// # Errors
    /// The record that failed first; one that would fail for good goes before.
    pub(super) fn wait(&self, wait: Duration) -> Result<usize, Failed> {
        let deadline = Instant::now() + wait;
        let mut state = self.lock();
        loop {
            if let Some(failed) = &state.failed {
                return Err(failed.clone());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if state.outstanding == 0 || left.is_zero() {
                return Ok(state.outstanding);
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// A record of this round was appended. Within a round reports may come in any order, when some records were sent
    /// again; but each round begins when the one before is delivered.
    fn appended_at(&mut self, topic: &str, partition: i32, offset: i64) {
        // A copy of a record that is there already: where, nobody says.
        if offset < 0 {
            return;
        }
        let place = (topic.to_owned(), partition);
        match self.before.get(&place) {
            Some(&before) if offset <= before => {
                let (topic, partition) = place;
                let anew = Some((offset, before));
                self.failed = Some(Failed { code: Code::UnknownTopicOrPartition, topic, partition, anew });
            }
            _ => {
                let newest = self.newest.entry(place).or_default();
                *newest = offset.max(*newest);
            }
        }
    }
}

impl ClientContext for Deliveries {
    fn error(&self, _: KafkaError, reason: &str) {
        let mut state = self.lock();
        reason.clone_into(&mut state.trouble);
        state.errors += 1;
    }

    // Which topic was refused is told nowhere else.
    fn log(&self, level: RDKafkaLogLevel, facility: &str, said: &str) {
        logged::log(level, facility, said);
        if let Some(topic) = denied_topic(facility, said) {
            let mut state = self.lock();
            let (topic, partition) = (topic.to_owned(), -1);
            state.denied = Some(topic.clone());
            let code = Code::TopicAuthorizationFailed;
            state.failed = Some(Failed { code, topic, partition, anew: None });
            self.changed.notify_all();
        }
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, round: usize) {
        let mut state = self.lock();
        if round != state.round {
            return;
        }
        state.outstanding = state.outstanding.saturating_sub(1);
        if let Ok(message) = result {
            state.appended_at(message.topic(), message.partition(), message.offset());
            let (topic, timestamp) = (message.topic(), message.timestamp());
            match state.appended.get_mut(topic) {
                Some(newest) => *newest = timestamp,
                None => drop(state.appended.insert(topic.into(), timestamp)),
            }
        }
        if let Err((error, message)) = result {
            let code = error.rdkafka_error_code().unwrap_or(Code::Unknown);
            // The refusal of one record makes others of its batch or queue fail with other codes.
            if state.failed.as_ref().is_none_or(|failed| !for_good(failed.code) && for_good(code)) {
                let (topic, partition) = (message.topic().to_owned(), message.partition());
                state.failed = Some(Failed { code, topic, partition, anew: None });
            }
        }
        if state.outstanding == 0 || state.failed.is_some() {
            self.changed.notify_all();
        }
    }
}

/// Hands a record over and counts it.
///
/// # Errors
/// What librdkafka says; then the record is not counted. [`Kind::Fatal`] for a partition that Kafka
/// can not have.
pub(super) fn send(producer: &impl Taker, record: &NewRecord) -> Result<Result<(), Code>, Error> {
    let deliveries = producer.deliveries();
    let round = {
        let mut state = deliveries.lock();
        state.outstanding += 1;
        state.round
    };
    let sent = number(&record.partition).map(|number| hand_over(producer, record, number, round));
    if !matches!(sent, Ok(Ok(()))) {
        let mut state = deliveries.lock();
        state.outstanding = state.outstanding.saturating_sub(1);
    }
    sent
}

fn hand_over(producer: &impl Taker, record: &NewRecord, partition: i32, round: usize) -> Result<(), Code> {
    let mut handed: BaseRecord<'_, [u8], [u8], usize> =
        BaseRecord::with_opaque_to(&record.partition.topic, round).partition(partition);
    handed.key = record.key.as_deref();
    handed.payload = record.value.as_deref();
    if !record.headers.is_empty() {
        let empty = OwnedHeaders::new_with_capacity(record.headers.len());
        let headers = record
            .headers
            .iter()
            .fold(empty, |headers, (key, value)| headers.insert(Header { key, value: Some(value) }));
        handed = handed.headers(headers);
    }
    producer.take(handed).map_err(|error| error.rdkafka_error_code().unwrap_or(Code::Unknown))
}

/// The topic in `Failed to add partition "orders" [0] to transaction: Broker: Topic authorization failed`.
fn denied_topic<'s>(facility: &str, said: &'s str) -> Option<&'s str> {
    let refused = facility == "ADDPARTS" && said.ends_with("Topic authorization failed");
    said.split('"').nth(1).filter(|_| refused)
}

/// A producer that counts.
///
/// # Errors
/// [`Kind::Fatal`] with what librdkafka dislikes about the settings.
pub(super) fn producer<P: FromClientConfigAndContext<Deliveries>>(
    config: &rdkafka::ClientConfig,
    what: &str,
) -> Result<P, Error> {
    let mut config = config.clone();
    config.set_log_level(logged::level(RDKafkaLogLevel::Error));
    config
        .create_with_context(Deliveries::default())
        .map_err(|error| Error::new(Kind::Fatal, format!("{what}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_that_is_refused_is_named_in_the_log() {
        let said = "[thrd:TxnCoordinator]: TxnCoordinator/1: Failed to add partition \"a-orders\" [0] to transaction: ";
        let refused = format!("{said}Broker: Topic authorization failed");
        assert_eq!(denied_topic("ADDPARTS", &refused), Some("a-orders"));
        assert_eq!(denied_topic("ADDPARTS", &format!("{said}Broker: Operation not attempted")), None);
        assert_eq!(denied_topic("TXNERR", &refused), None);
    }

    #[test]
    fn a_topic_that_was_made_anew_is_noticed_by_its_offsets() {
        let deliveries = Deliveries::default();
        let appended = |offset| deliveries.lock().appended_at("t", 0, offset);
        let failed = || deliveries.lock().failed.clone();
        // In a round in any order, and copies that nobody says the offset of.
        [500, 502, 501, -1].into_iter().for_each(appended);
        deliveries.next_round();
        appended(504);
        deliveries.lock().appended_at("t", 1, 3);
        assert_eq!(failed(), None);
        // The next producer knows what this one knew.
        deliveries.next_round();
        let next = Deliveries::default();
        next.go_on_from(deliveries.offsets());
        next.lock().appended_at("t", 1, 4);
        assert_eq!(next.lock().failed, None);
        next.lock().appended_at("t", 0, 0);
        let anew = next.lock().failed.clone().and_then(|failed| failed.anew);
        assert_eq!(anew, Some((0, 504)));
        assert_eq!(next.wait(Duration::ZERO).map_err(|failed| failed.topic), Err("t".to_owned()));
    }
}
