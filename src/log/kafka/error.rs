//! What librdkafka's error codes mean for whoever reads or writes.
//!
//! The codes say what happened; [`Kind`] says what can be done. Three families matter: *for good*
//! (too large, not allowed: it will fail again), *replaced* (another producer or member has the
//! place), and all the rest, which time or a fresh start can heal.

use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};

use crate::log::right::{Resource, Right};
use crate::log::{Error, Kind};

/// What can be done about a failed look-up, commit of offsets or join.
pub(super) fn of_request(what: &str, error: &KafkaError) -> Error {
    let kind = match error.rdkafka_error_code() {
        Some(code) if for_good(code) => Kind::Fatal,
        Some(Code::FencedInstanceId) => Kind::Fatal,
        Some(Code::UnknownMemberId | Code::IllegalGeneration | Code::AssignmentLost) => Kind::Fenced,
        _ => Kind::Retry,
    };
    Error::new(kind, format!("{what}: {error}"))
}

/// What can be done about a record that was not delivered; `lost` is for what might go well with a
/// fresh start.
pub(super) fn of_delivery(what: &str, code: Code, lost: Kind) -> Error {
    let kind = match code {
        code if for_good(code) => Kind::Fatal,
        code if replaced(code) => Kind::Fenced,
        _ => lost,
    };
    Error::new(kind, format!("{what}: {code}"))
}

/// Adds the right that is missing, if that is what the code says. `operation` is what the topic was wanted for.
pub(super) fn lacking(
    error: Error,
    code: Option<Code>,
    operation: &'static str,
    resource: Resource,
    name: &str,
) -> Error {
    let refuses = match resource {
        Resource::Topic => Code::TopicAuthorizationFailed,
        Resource::Group => Code::GroupAuthorizationFailed,
        Resource::TransactionalId | Resource::TransactionalIds => Code::TransactionalIdAuthorizationFailed,
    };
    let lacking = Right::new(operation, resource, name).lacking();
    if code != Some(refuses) || error.what.contains(&lacking) {
        return error;
    }
    Error { what: format!("{}; {lacking}", error.what), ..error }
}

/// True if it fails again however often it is tried: it is not allowed, or can never be taken.
pub(super) fn for_good(code: Code) -> bool {
    matches!(
        code,
        Code::MessageSizeTooLarge
            | Code::MessageBatchTooLarge
            | Code::InvalidMessageSize
            | Code::InvalidRecord
            | Code::InvalidTimestamp
            | Code::InvalidTopic
            | Code::InvalidPartitions
            | Code::InvalidRequiredAcks
            | Code::InvalidTransactionTimeout
            | Code::OffsetMetadataTooLarge
            | Code::PolicyViolation
            | Code::TopicAuthorizationFailed
            | Code::GroupAuthorizationFailed
            | Code::ClusterAuthorizationFailed
            | Code::TransactionalIdAuthorizationFailed
            | Code::SaslAuthenticationFailed
            | Code::Authentication
            | Code::UnsupportedFeature
            | Code::UnsupportedVersion
    )
}

/// True if the group has gone on without the member whose offsets these were.
pub(super) fn refused(code: Code) -> bool {
    matches!(
        code,
        Code::UnknownMemberId
            | Code::IllegalGeneration
            | Code::FencedInstanceId
            | Code::RebalanceInProgress
            | Code::AssignmentLost
    )
}

/// True if a later producer has this one's place, or its transaction was ended by its timeout.
pub(super) fn replaced(code: Code) -> bool {
    matches!(
        code,
        Code::Fenced
            | Code::ProducerFenced
            | Code::InvalidProducerEpoch
            | Code::InvalidProducerIdMapping
            | Code::InvalidTransactionalState
            | Code::TransactionCoordinatorFenced
            | Code::UnknownProducerId
            | Code::OutOfOrderSequenceNumber
    )
}
