//! Writing a great many records, for load and for nothing that money hangs on: they have no keys, and nothing is
//! said of those that are safe.
//!
//! A report on each record would cost as much as sending it. So only failures are reported, and librdkafka gives
//! away what it has delivered. Everything is safe when it holds nothing more and has reported no failure: a record
//! that failed is held until its report was read.

use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::ClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::message::Message as _;
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer as _, ProducerContext};

use super::KafkaLog;
use super::error::{for_good, of_delivery};
use super::partitions::number;
use crate::log::{Error, Kind, Partition};

/// Between two looks whether there is room, or all is safe.
const A_MOMENT: Duration = Duration::from_millis(1);
/// Failures are looked for after so many records.
const LOOK_EVERY: u32 = 256;

/// How batches of records are compressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Codec {
    /// They are not.
    #[default]
    None,
    /// gzip.
    Gzip,
    /// Snappy.
    Snappy,
    /// LZ4.
    Lz4,
    /// Zstandard.
    Zstd,
}

impl Codec {
    /// All of them.
    pub const ALL: [Codec; 5] = [Codec::None, Codec::Lz4, Codec::Zstd, Codec::Gzip, Codec::Snappy];

    /// Its name in Kafka's settings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Codec::None => "none",
            Codec::Gzip => "gzip",
            Codec::Snappy => "snappy",
            Codec::Lz4 => "lz4",
            Codec::Zstd => "zstd",
        }
    }
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that is the name of no codec.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no compression; there are none, lz4, zstd, gzip and snappy")]
pub struct UnknownCodec(String);

impl FromStr for Codec {
    type Err = UnknownCodec;

    fn from_str(text: &str) -> Result<Codec, UnknownCodec> {
        let found = Codec::ALL.into_iter().find(|codec| codec.as_str() == text);
        found.ok_or_else(|| UnknownCodec(text.to_owned()))
    }
}

/// Writes records to one topic. What has not been waited for with [`BulkWriter::outstanding`] is lost when it is
/// dropped.
pub struct BulkWriter {
    producer: BaseProducer<Failures>,
    topic: String,
    /// Records since failures were looked for.
    unlooked: u32,
    /// Why it is of no more use.
    spent: Option<Error>,
}

impl KafkaLog {
    /// A writer of a great many records to an existing topic. A record waits up to `linger` for others, which
    /// become a batch with it.
    ///
    /// # Errors
    /// [`Kind::Fatal`] with what librdkafka dislikes about the settings, or if there can be no such topic.
    pub fn bulk_writer(&self, topic: &str, codec: Codec, linger: Duration) -> Result<BulkWriter, Error> {
        number(&Partition::new(topic, 0))?;
        let producer = self.settings.bulk(codec, linger).create_with_context(Failures::default());
        let producer = producer.map_err(|error| {
            Error::new(Kind::Fatal, format!("a producer cannot be made: {error}; check kafka.properties"))
        })?;
        Ok(BulkWriter { producer, topic: topic.to_owned(), unlooked: 0, spent: None })
    }
}

impl BulkWriter {
    /// Hands a record over; waits while the queue is full, up to the minute after which a record that no broker
    /// takes has failed.
    ///
    /// # Errors
    /// The first record that failed, this one or one before it: then this writer is spent. [`Kind::Fatal`] if it
    /// will fail again, else [`Kind::Fenced`].
    pub fn send(&mut self, partition: u32, value: &[u8]) -> Result<(), Error> {
        let number = i32::try_from(partition).unwrap_or(i32::MAX);
        self.unlooked += 1;
        if self.unlooked >= LOOK_EVERY {
            self.look(Duration::ZERO)?;
        }
        loop {
            if let Some(spent) = &self.spent {
                return Err(spent.clone());
            }
            let record: BaseRecord<'_, [u8], [u8]> =
                BaseRecord::to(&self.topic).partition(number).payload(value);
            let sent = self.producer.send(record).map_err(|(error, _)| error);
            match sent {
                Ok(()) => return Ok(()),
                // Those before it make room when they are delivered, or have failed.
                Err(KafkaError::MessageProduction(Code::QueueFull)) => self.look(A_MOMENT)?,
                Err(error) => return Err(self.refused(partition, &error)),
            }
        }
    }

    /// Waits up to `wait` until all that was sent is safe. Returns how many records are not.
    ///
    /// # Errors
    /// As [`BulkWriter::send`].
    pub fn outstanding(&mut self, wait: Duration) -> Result<usize, Error> {
        let deadline = Instant::now() + wait;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            // Counted before failures are looked for: whatever has left the count since then shows next time.
            let outstanding = usize::try_from(self.producer.in_flight_count()).unwrap_or(0);
            self.look(if outstanding == 0 { Duration::ZERO } else { left.min(A_MOMENT) })?;
            if outstanding == 0 || left.is_zero() {
                return Ok(outstanding);
            }
        }
    }

    /// Looks for failures, and waits so long if there are none. Successes are not reported, so there is nothing to be
    /// woken by; and a poll with a timeout spins through its last millisecond.
    fn look(&mut self, wait: Duration) -> Result<(), Error> {
        self.unlooked = 0;
        if self.spent.is_none() {
            self.producer.poll(Duration::ZERO);
            let failed = self.producer.context().lock().failed.take();
            self.spent = failed.map(|(partition, code)| {
                self.error(&format!("a record for {}/{partition} was not delivered", self.topic), code)
            });
        }
        if let Some(spent) = &self.spent {
            return Err(spent.clone());
        }
        if !wait.is_zero() {
            std::thread::sleep(wait);
        }
        Ok(())
    }

    /// A record was not even taken. A client that is dead already refuses with its own code: the report says why
    /// it died.
    fn refused(&mut self, partition: u32, error: &KafkaError) -> Error {
        if let Err(failed) = self.look(A_MOMENT) {
            return failed;
        }
        let code = error.rdkafka_error_code().unwrap_or(Code::Unknown);
        let error = self.error(&format!("a record for {}/{partition} was refused", self.topic), code);
        self.spent.insert(error).clone()
    }

    fn error(&self, what: &str, code: Code) -> Error {
        let mut error = of_delivery(what, code, Kind::Fenced);
        let state = self.producer.context().lock();
        if !state.trouble.is_empty() {
            error.what = format!("{} ({})", error.what, state.trouble);
        }
        error.what = format!("{}; {}", error.what, mend(code));
        error
    }
}

/// What can be done about it.
fn mend(code: Code) -> &'static str {
    match code {
        Code::MessageTimedOut => "no broker took it within 60 s: see to the brokers, and to their disks",
        Code::UnknownPartition | Code::UnknownTopic | Code::UnknownTopicOrPartition => {
            "make the topic, or write only to partitions that it has"
        }
        Code::MessageSizeTooLarge | Code::MessageBatchTooLarge => {
            "leave the record out, or raise max.message.bytes of the topic and message.max.bytes in kafka.properties"
        }
        code if for_good(code) => "check kafka.properties, and what this client may do",
        _ => "begin again with an empty topic",
    }
}

/// What has gone wrong.
#[derive(Debug, Default)]
struct Failures(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// The partition of the record that failed first, and why; one that would fail for good goes before.
    failed: Option<(i32, Code)>,
    /// What librdkafka said last of its connections; for error messages.
    trouble: String,
}

impl Failures {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientContext for Failures {
    fn error(&self, _: KafkaError, reason: &str) {
        reason.clone_into(&mut self.lock().trouble);
    }
}

impl ProducerContext for Failures {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        let Err((error, message)) = result else { return };
        let code = error.rdkafka_error_code().unwrap_or(Code::Unknown);
        let mut state = self.lock();
        // The refusal of one record makes others of its batch or queue fail with other codes.
        if state.failed.is_none_or(|(_, before)| !for_good(before) && for_good(code)) {
            state.failed = Some((message.partition(), code));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codecs_are_called_as_kafka_calls_them() {
        for codec in Codec::ALL {
            assert_eq!(codec.to_string().parse(), Ok(codec));
        }
        let error = "lzma".parse::<Codec>().unwrap_err().to_string();
        assert_eq!(error, "\"lzma\" is no compression; there are none, lz4, zstd, gzip and snappy");
    }
}
