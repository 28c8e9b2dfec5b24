//! An open loop: what is due is due by the clock, whether or not what came before is through.

use std::time::{Duration, Instant};

/// Between two looks at the clock.
const TICK: Duration = Duration::from_millis(1);

/// A constant rate from a moment on.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    began: Instant,
    rate: f64,
}

impl Pace {
    /// So many a second, from now on; the rate is above 0.
    pub fn new(rate: f64) -> Pace {
        Pace { began: Instant::now(), rate }
    }

    /// Since the beginning.
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// How many are due by now.
    pub fn due(&self) -> u64 {
        (self.elapsed().as_secs_f64() * self.rate) as u64 + 1
    }

    /// When one of them is due, in milliseconds after the beginning.
    pub fn millis(&self, number: u64) -> i64 {
        (number as f64 * 1e3 / self.rate) as i64
    }

    /// Waits until something more than `sent` is due, and a tick is over.
    pub fn wait(&self, sent: u64) {
        let next = Duration::from_secs_f64(sent as f64 / self.rate);
        std::thread::sleep(next.saturating_sub(self.elapsed()).max(TICK));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_is_due_by_the_clock() {
        let pace = Pace::new(1_000.0);
        assert!((1..50).contains(&pace.due()));
        std::thread::sleep(Duration::from_millis(100));
        assert!((101..500).contains(&pace.due()), "{}", pace.due());
        assert_eq!((pace.millis(0), pace.millis(500), pace.millis(1_000)), (0, 500, 1_000));
    }
}
