//! Which faults a run uses, how often, and how large its world is.

use std::collections::BTreeMap;

use fastrand::Rng;

/// Kinds of faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A process is killed, in the middle of a call that one of its workers makes.
    Crash,
    /// A worker stands still in the middle of a call, while everything else goes on.
    Freeze,
    /// A whole process stands still.
    Stop,
    /// A process is told to end, and another takes its place.
    Terminate,
    /// One more process comes for a while.
    Join,
    /// A second process comes under the name of another.
    Twin,
    /// Something was done, and the answer is lost.
    LostAnswer,
    /// The end of a transaction arrives late, long after it was given up.
    LateEnd,
    /// A step is refused.
    Refusal,
    /// A step fails and would go well later.
    Retry,
    /// Nothing is answered for a while.
    Outage,
    /// What is sent is acknowledged late.
    Delay,
    /// A tweet comes again: at once, later, much later.
    Duplicate,
    /// Tweets overtake each other, by up to 5 s.
    Reorder,
    /// A partition of the firehose brings nothing for a while, and then all of it.
    Cut,
    /// The whole firehose is silent for a while, and then brings all of it.
    Silence,
    /// The firehose gets more partitions.
    Grow,
    /// The scan's offsets are set back.
    Rewind,
    /// The changelog and the tables are compacted.
    Compact,
    /// A clock is wrong for a while, by up to an hour.
    Clock,
    /// Processes are restarted one by one with other settings.
    Revision,
    /// Accounts are frozen and unlinked, offers withdrawn and changed.
    Tables,
    /// The inbox is read anew by a desk whose group has forgotten its offsets.
    Forgotten,
    /// A partition of the card transactions brings nothing for a while, and then all of it.
    CardsCut,
    /// The feeder's offsets of the card transactions are set back.
    Refeed,
    /// Everything stands still for a week: coupons expire.
    Week,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 26] = [
        Kind::Crash,
        Kind::Freeze,
        Kind::Stop,
        Kind::Terminate,
        Kind::Join,
        Kind::Twin,
        Kind::LostAnswer,
        Kind::LateEnd,
        Kind::Refusal,
        Kind::Retry,
        Kind::Outage,
        Kind::Delay,
        Kind::Duplicate,
        Kind::Reorder,
        Kind::Cut,
        Kind::Silence,
        Kind::Grow,
        Kind::Rewind,
        Kind::Compact,
        Kind::Clock,
        Kind::Revision,
        Kind::Tables,
        Kind::Forgotten,
        Kind::CardsCut,
        Kind::Refeed,
        Kind::Week,
    ];

    /// How often it strikes in a minute at most.
    fn most(self) -> f64 {
        match self {
            Kind::Crash | Kind::Terminate | Kind::Join => 4.0,
            Kind::Freeze | Kind::LostAnswer | Kind::Refusal => 12.0,
            Kind::Retry | Kind::Delay | Kind::Duplicate | Kind::Reorder => 20.0,
            Kind::LateEnd | Kind::Tables | Kind::Compact => 6.0,
            Kind::Stop | Kind::Outage | Kind::Clock | Kind::CardsCut => 1.0,
            Kind::Twin | Kind::Cut | Kind::Silence | Kind::Rewind | Kind::Revision | Kind::Refeed => 0.5,
            Kind::Grow | Kind::Forgotten => 0.3,
            // Once, and for all.
            Kind::Week => 0.0,
        }
    }
}

/// What a seed draws before its run.
#[derive(Debug, Clone)]
pub struct Swarm {
    /// How often a minute each kind strikes, of those that are in use.
    pub rates: BTreeMap<Kind, f64>,
    /// Processes at the beginning.
    pub processes: u32,
    /// Whether each process has one stage only.
    pub apart: bool,
    /// Desk and scan workers of a process.
    pub workers: u32,
    /// Partitions of the firehose.
    pub tweets: u32,
    /// Partitions of the card transactions.
    pub cards: u32,
    /// Partitions of the inbox and the changelog.
    pub inbox: u32,
    /// Records that a poll hands over at most.
    pub batch: usize,
    /// How long people tweet, in seconds.
    pub seconds: i64,
    /// The slack behind a deadline, in milliseconds.
    pub slack: i64,
    /// Whether time goes on while the firehose is silent.
    pub advance: bool,
}

impl Swarm {
    /// What a seed draws.
    pub fn draw(seed: u64) -> Swarm {
        let mut rng = Rng::with_seed(seed ^ 0x5157_4152_4d00);
        // Most runs have a few kinds of faults, some have all, one in twenty has none.
        let share = *rng.choice(&[0.0, 0.1, 0.2, 0.2, 0.3, 0.3, 0.5, 0.5, 0.8, 1.0]).unwrap_or(&0.5);
        let share: f64 = if rng.u32(0..2) == 0 && share == 0.0 { 0.2 } else { share };
        let mut rates = BTreeMap::new();
        for kind in Kind::ALL {
            let share = if kind == Kind::Week { 0.4 } else { share };
            let (used, rate) = (rng.f64() < share, kind.most() * 0.05f64.powf(rng.f64()));
            if used {
                rates.insert(kind, rate);
            }
        }
        let processes = rng.u32(1..=3);
        Swarm {
            rates,
            processes,
            apart: processes > 1 && rng.u32(0..4) == 0,
            workers: rng.u32(1..=2),
            tweets: rng.u32(1..=3),
            cards: rng.u32(1..=3),
            inbox: rng.u32(1..=4),
            batch: *rng.choice(&[1, 3, 20, 500]).unwrap_or(&20),
            seconds: rng.i64(80..=150),
            slack: *rng.choice(&[0, 1_000, 10_000, 30_000]).unwrap_or(&0),
            advance: rng.u32(0..8) == 0,
        }
    }

    /// The same without some kinds of faults.
    pub fn without(&self, kinds: &[Kind]) -> Swarm {
        let mut less = self.clone();
        less.rates.retain(|kind, _| !kinds.contains(kind));
        less
    }
}
