//! Writing records.

use std::time::Duration;

use hashbuy::log::Producer;

/// Waits until everything is acknowledged.
pub fn settle(producer: &mut dyn Producer) {
    while producer.outstanding(Duration::from_secs(1)).unwrap_or_else(|error| panic!("{error}")) > 0 {}
}
