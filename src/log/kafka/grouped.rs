//! The consumer of a member of a group: how it joins, leaves and closes.

use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer as _;
use rdkafka::error::KafkaError;

use super::logged;
use super::rebalances::{Grouped, LOG_LEVEL, Rebalances};
use super::settings::Settings;
use crate::log::{Error, Kind, Membership};

/// How long giving up the partitions on leaving may take.
const LEAVE_WAIT: Duration = Duration::from_secs(5);

/// The request to leave goes out after the last partition is given up, and not once closing has begun.
const LEAVE_LINGER: Duration = Duration::from_millis(300);

/// How long closing may take, before the consumer is left to the end of the process.
const CLOSE_WAIT: Duration = Duration::from_secs(5);

/// A consumer that is about to join a group.
///
/// # Errors
/// [`Kind::Fatal`] with what librdkafka dislikes.
pub(super) fn join(settings: &Settings, membership: &Membership) -> Result<Arc<Grouped>, Error> {
    let failed = |error: KafkaError| {
        Error::new(Kind::Fatal, format!("group {} cannot be joined: {error}", membership.group))
    };
    let mut config = settings.member(membership);
    config.set_log_level(logged::level(LOG_LEVEL));
    let consumer: Grouped = config.create_with_context(Rebalances::of(&membership.group)).map_err(failed)?;
    let topics: Vec<&str> = membership.topics.iter().map(String::as_str).collect();
    consumer.subscribe(&topics).map_err(failed)?;
    Ok(Arc::new(consumer))
}

/// Polls until `done`, at most for a while, with nobody interested. False if the time was over.
fn serve(consumer: &Grouped, wait: Duration, done: impl Fn(&Grouped) -> bool) -> bool {
    let deadline = Instant::now() + wait;
    while !done(consumer) {
        if Instant::now() >= deadline {
            return false;
        }
        drop(consumer.poll(Duration::from_millis(10)));
    }
    true
}

/// Closes a consumer, without leaving the group if it is a static member.
///
/// rdkafka's own drop closes too, and waits for that without end. So it is closed before; and a consumer
/// that does not want to close is rather kept until the end of the process than waited for.
pub(super) fn close(consumer: &Arc<Grouped>) {
    consumer.context().close();
    if consumer.close_queue().is_err() || !serve(consumer, CLOSE_WAIT, Grouped::closed) {
        mem::forget(Arc::clone(consumer));
    }
}

/// Leaves the group so that others take over at once: also a static member, which closing alone would
/// leave in it until its session is over.
pub(super) fn leave(consumer: &Arc<Grouped>) {
    consumer.context().close();
    consumer.unsubscribe();
    serve(consumer, LEAVE_WAIT, |consumer| consumer.assignment().is_ok_and(|list| list.count() == 0));
    serve(consumer, LEAVE_LINGER, |_| false);
}
