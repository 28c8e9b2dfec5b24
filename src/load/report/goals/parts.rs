//! What the parts alone are to reach, and the desk alone.

use super::super::numbers::{SLACK, fixed, high, low, plural, ratio, whole};
use super::super::{DeskPass, Goal, Report};

/// Prefilter over memchr on the same bytes, hot, by the width of the vectors in bits; without any there is no goal.
const HOT: [(f64, f64); 2] = [(512.0, 0.22), (256.0, 0.16)];
/// The same from memory.
const COLD: f64 = 0.7;
/// How far few and many offers may lie apart.
const SPREAD: f64 = 0.15;
/// Seconds, and megabytes, for 100,000 offers.
const BUILT: f64 = 0.2;
const BUILT_MB: f64 = 5.0;
/// Sightings in a second, and transactions in a second at least.
const SIGHTINGS: f64 = 30_000.0;
const TRANSACTIONS: f64 = 10.0;
/// Pendings, and what they may take, in megabytes.
const PENDINGS: (f64, f64) = (10e6, 1_000.0);
/// Pendings that come and go in a second.
const PASSED: f64 = 3e6;
/// Pendings that fall due at once, and the longest that anybody may have to wait for them, in milliseconds.
const DUE: (f64, f64) = (1e6, 5.0);
/// Linked ids, what they may take in megabytes, and what a look-up may take in nanoseconds.
const LINKED: (f64, f64) = (10e6, 160.0);
const LOOK_UP: f64 = 100.0;
/// A replay over a loop that parses ids.
const REPLAY: f64 = 0.9;

/// What is to be reached by a figure.
enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

impl Bound {
    fn is_kept_by(&self, value: f64) -> bool {
        match self {
            Bound::AtLeast(limit) => value >= limit - SLACK,
            Bound::AtMost(limit) => value <= limit + SLACK,
        }
    }
}

impl Report {
    /// The goals of the parts.
    pub(super) fn parts(&self) -> Vec<Goal> {
        vec![
            self.hot(),
            self.part(
                "prefilter / memchr, cold",
                &format!("at least {}", ratio(COLD)),
                "prefilter.cold.to_memchr",
                &Bound::AtLeast(COLD),
                |value| self.with_speed(low(value, 3), "prefilter.cold.bytes_per_second"),
            ),
            self.part(
                "prefilter with 10 to 100,000 offers, hot",
                &format!("within {} %", whole(SPREAD * 100.0)),
                "prefilter.hot.spread_of_offers",
                &Bound::AtMost(SPREAD),
                |value| format!("{} % apart", high(value * 100.0, 1)),
            ),
            self.part(
                "100,000 offers built",
                &format!("at most {} s", fixed(BUILT, 1)),
                "prefilter.build.milliseconds",
                &Bound::AtMost(BUILT * 1e3),
                |value| format!("{} s", high(value / 1e3, 3)),
            ),
            self.part(
                "100,000 offers held",
                &format!("at most {} MB", whole(BUILT_MB)),
                "prefilter.build.bytes",
                &Bound::AtMost(BUILT_MB * 1e6),
                |value| format!("{} MB", high(value / 1e6, 1)),
            ),
            self.desk_alone(),
            self.of_many("pendings", "pendings.held", PENDINGS, "pendings.bytes"),
            self.part(
                "pendings that come and go in a second",
                &format!("at least {}", whole(PASSED)),
                "pendings.passed_per_second",
                &Bound::AtLeast(PASSED),
                |value| low(value, 0),
            ),
            self.due(),
            self.of_many("linked ids", "linked.ids", LINKED, "linked.bytes"),
            self.part(
                "a look-up among them",
                &format!("below {} ns", whole(LOOK_UP)),
                "linked.look_up.nanoseconds",
                &Bound::AtMost(LOOK_UP),
                |value| format!("{} ns", high(value, 0)),
            ),
            self.part(
                "replay of a plain file / a loop that parses ids",
                &format!("at least {}", ratio(REPLAY)),
                "replay.to_ids",
                &Bound::AtLeast(REPLAY),
                |value| self.with_speed(low(value, 3), "replay.bytes_per_second"),
            ),
        ]
    }

    fn part(&self, what: &str, goal: &str, name: &str, bound: &Bound, shown: impl Fn(f64) -> String) -> Goal {
        let goal = Goal::new(what, goal);
        match self.parts.get(name) {
            Some(value) => goal.judged(shown(*value), bound.is_kept_by(*value)),
            None => goal,
        }
    }

    fn with_speed(&self, shown: String, name: &str) -> String {
        match self.parts.get(name) {
            Some(speed) if *speed >= 1e10 => format!("{shown}; {} GB/s", low(speed / 1e9, 1)),
            Some(speed) => format!("{shown}; {} MB/s", whole(speed / 1e6)),
            None => shown,
        }
    }

    fn hot(&self) -> Goal {
        let what = "prefilter / memchr, hot, 1,000 offers";
        let bits = self.parts.get("prefilter.vector_bits").copied();
        let Some((bits, limit)) = HOT.into_iter().find(|(width, _)| Some(*width) == bits) else {
            let goal = Goal::new(what, "at least 0.220 with AVX-512, 0.160 with AVX2");
            return match self.parts.get("prefilter.hot.to_memchr") {
                Some(value) => goal.beside(format!("{} without vector instructions", low(*value, 3))),
                None => goal,
            };
        };
        let goal = format!("at least {} with {} bits", ratio(limit), whole(bits));
        self.part(what, &goal, "prefilter.hot.to_memchr", &Bound::AtLeast(limit), |value| {
            self.with_speed(low(value, 3), "prefilter.hot.bytes_per_second")
        })
    }

    /// So many of something in so many megabytes; of fewer it is only told.
    fn of_many(&self, what: &str, count: &str, (many, limit): (f64, f64), bytes: &str) -> Goal {
        let goal = Goal::new(format!("{} {what}", whole(many)), format!("at most {} MB", whole(limit)));
        match (self.parts.get(count), self.parts.get(bytes)) {
            (Some(count), Some(bytes)) if *count >= many => {
                goal.judged(format!("{} MB", high(bytes / 1e6, 0)), *bytes <= limit * 1e6)
            }
            (Some(count), Some(bytes)) => {
                goal.beside(format!("{} MB for {}", high(bytes / 1e6, 0), whole(*count)))
            }
            _ => goal,
        }
    }

    fn due(&self) -> Goal {
        let (many, limit) = DUE;
        let goal = Goal::new(
            format!("{} pendings due at once, longest step", whole(many)),
            format!("at most {} ms", whole(limit)),
        );
        let (count, longest) = (self.parts.get("due.pendings"), self.parts.get("due.longest.milliseconds"));
        match (count, longest) {
            (Some(count), Some(longest)) if *count >= many => {
                goal.judged(format!("{} ms", high(*longest, 2)), *longest <= limit)
            }
            (Some(count), Some(longest)) => {
                goal.beside(format!("{} ms with {}", high(*longest, 2), whole(*count)))
            }
            _ => goal,
        }
    }

    /// The middle one of the rounds.
    fn desk_alone(&self) -> Goal {
        let goal = Goal::new(
            "desk, sightings in a second",
            format!(
                "at least {}, with {} transactions a second or more",
                whole(SIGHTINGS),
                whole(TRANSACTIONS)
            ),
        );
        let mut rounds: Vec<&DeskPass> = self.desk.iter().collect();
        rounds.sort_by(|a, b| a.per_second().total_cmp(&b.per_second()));
        let Some(middle) = rounds.get(rounds.len() / 2) else { return goal };
        let transactions = middle.commits as f64 / middle.wall_seconds.max(f64::MIN_POSITIVE);
        let shown = format!(
            "{} by the clock, {} for each second of the processor; {} a second",
            low(middle.per_second(), 0),
            whole(middle.per_cpu_second()),
            plural(transactions as u64, "transaction", "transactions"),
        );
        goal.judged(shown, middle.per_second() >= SIGHTINGS && transactions >= TRANSACTIONS)
    }
}
