//! The first question to a cluster, and why it has no answer.

use std::fmt::Display;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::ClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};

use super::seek::ASK_WAIT;
use super::settings::Settings;
use crate::log::{Error, Isolation, Kind};

/// librdkafka has so long to tell what it has met meanwhile: a poll that finds something of no interest ends too.
const TELL: Duration = Duration::from_millis(200);

/// Asks the brokers who they are, for at most 10 s.
///
/// # Errors
/// [`Kind::Fatal`] with the setting that is wrong, or if no broker answers.
pub(super) fn greet(settings: &Settings) -> Result<(), Error> {
    let unanswered = |why: &dyn Display, mend: &str| {
        let brokers = &settings.brokers;
        Error::new(Kind::Fatal, format!("no broker answers at {brokers}: {why}; check {mend}"))
    };
    let client: BaseConsumer<Door> = settings
        .lookup(Isolation::Uncommitted)
        .create_with_context(Door::default())
        .map_err(|error| Error::new(Kind::Fatal, format!("kafka.properties: {error}")))?;
    match client.fetch_metadata(None, ASK_WAIT) {
        Ok(metadata) if metadata.brokers().is_empty() => {
            Err(unanswered(&"the cluster has no brokers", "kafka.brokers"))
        }
        Ok(_) => Ok(()),
        Err(error) => {
            // The question has no answer, whatever the reason; librdkafka tells that beside it.
            let until = Instant::now() + TELL;
            while Instant::now() < until {
                drop(client.poll(Duration::from_millis(10)));
            }
            let heard = client.context().heard.lock().unwrap_or_else(PoisonError::into_inner);
            match (&heard.shut, &heard.other) {
                (Some(why), _) => Err(unanswered(why, "kafka.properties against docs/security.md")),
                (None, Some(why)) if !why.contains("Connection refused") => {
                    Err(unanswered(why, "kafka.brokers, and kafka.properties against docs/security.md"))
                }
                _ => Err(unanswered(&error, "kafka.brokers")),
            }
        }
    }
}

/// Hears what becomes of the connections.
#[derive(Debug, Default)]
struct Door {
    heard: Mutex<Heard>,
}

/// What librdkafka has told last.
#[derive(Debug, Default)]
struct Heard {
    /// Why somebody is not let in: certificates, a password.
    shut: Option<String>,
    /// Whatever else has happened. A broker that wants a certificate says so when librdkafka thinks that it is in.
    other: Option<String>,
}

impl ClientContext for Door {
    fn error(&self, error: KafkaError, reason: &str) {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        match error.rdkafka_error_code() {
            Some(Code::Authentication | Code::SSL) => heard.shut = Some(reason.to_owned()),
            Some(Code::AllBrokersDown) => {}
            _ => heard.other = Some(reason.to_owned()),
        }
    }
}

impl ConsumerContext for Door {}
