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
            match client.context().shut() {
                Some(why) => Err(unanswered(&why, "kafka.properties against docs/security.md")),
                None => Err(unanswered(&error, "kafka.brokers")),
            }
        }
    }
}

/// Hears whether somebody is not let in.
#[derive(Debug, Default)]
struct Door {
    shut: Mutex<Option<String>>,
}

impl Door {
    /// Why the connection was ended before any question: certificates, a password.
    fn shut(&self) -> Option<String> {
        self.shut.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ClientContext for Door {
    fn error(&self, error: KafkaError, reason: &str) {
        if matches!(error.rdkafka_error_code(), Some(Code::Authentication | Code::SSL)) {
            // The last one is about the way that was tried last.
            *self.shut.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason.to_owned());
        }
    }
}

impl ConsumerContext for Door {}
