//! What librdkafka says of itself, for whoever wants to read it: `RUST_LOG=librdkafka=debug`, with the property `debug`
//! for more than warnings.

use rdkafka::config::RDKafkaLogLevel as Level;
use tracing::{debug, enabled, error, info, warn};

/// Where it is from, in `RUST_LOG`.
const TARGET: &str = "librdkafka";

/// The level down to which lines are handed over: what is wanted in the log, and at least this one.
pub(super) fn level(least: Level) -> Level {
    let wanted = if enabled!(target: TARGET, tracing::Level::DEBUG) {
        Level::Debug
    } else if enabled!(target: TARGET, tracing::Level::INFO) {
        Level::Info
    } else if enabled!(target: TARGET, tracing::Level::WARN) {
        Level::Warning
    } else {
        Level::Error
    };
    if wanted as i32 > least as i32 { wanted } else { least }
}

/// Puts a line of librdkafka's into the log.
pub(super) fn log(level: Level, facility: &str, said: &str) {
    match level {
        Level::Emerg | Level::Alert | Level::Critical | Level::Error => {
            error!(target: TARGET, facility, "{said}")
        }
        Level::Warning => warn!(target: TARGET, facility, "{said}"),
        Level::Notice | Level::Info => info!(target: TARGET, facility, "{said}"),
        Level::Debug => debug!(target: TARGET, facility, "{said}"),
    }
}
