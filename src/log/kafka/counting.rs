//! The least that any reader of a topic does: librdkafka's poll, and a count. It shows what the client alone costs.

use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;

use super::KafkaLog;
use crate::log::{Error, Isolation, Kind, Membership};

/// A member of a group with the settings of every other member, and nothing around it.
///
/// It reads a topic from its beginning and commits nothing. Nothing is handed over: whoever wants what is in the
/// messages is better served by a [`Member`](crate::log::Member).
pub struct Counting {
    consumer: BaseConsumer,
}

/// What was counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counted {
    /// Messages.
    pub messages: u64,
    /// The bytes of their values.
    pub bytes: u64,
}

impl KafkaLog {
    /// A loop over a topic that only counts, as a member of a group that has committed nothing.
    ///
    /// # Errors
    /// [`Kind::Fatal`] with what librdkafka dislikes.
    pub fn counting(&self, group: &str, topic: &str) -> Result<Counting, Error> {
        let failed =
            |error: KafkaError| Error::new(Kind::Fatal, format!("group {group} cannot be joined: {error}"));
        let mut config = self.settings.member(&Membership {
            group: group.to_owned(),
            topics: vec![topic.to_owned()],
            instance: None,
            isolation: Isolation::Committed,
        });
        // A member is told where to begin; this one begins by itself.
        config.set("auto.offset.reset", "earliest");
        let consumer: BaseConsumer = config.create().map_err(failed)?;
        consumer.subscribe(&[topic]).map_err(failed)?;
        Ok(Counting { consumer })
    }
}

impl Counting {
    /// Counts up to `most` messages; fewer, if nothing comes for `wait`.
    ///
    /// # Errors
    /// What librdkafka says; [`Kind::Retry`] for what it mends itself.
    pub fn count(&mut self, most: u64, wait: Duration) -> Result<Counted, Error> {
        let (mut counted, deadline) = (Counted::default(), Instant::now() + wait);
        while counted.messages < most {
            match self.consumer.poll(wait) {
                Some(Ok(message)) => {
                    counted.messages += 1;
                    counted.bytes += message.payload_len() as u64;
                }
                Some(Err(error @ KafkaError::MessageConsumptionFatal(_))) => {
                    return Err(Error::new(Kind::Fatal, error.to_string()));
                }
                Some(Err(error)) => return Err(Error::new(Kind::Retry, error.to_string())),
                None if Instant::now() >= deadline => break,
                None => {}
            }
        }
        Ok(counted)
    }
}
