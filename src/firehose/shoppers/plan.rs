//! Plans: what a shopper is up to, and when he does which part of it.

use fastrand::Rng;

use super::Habits;
use crate::core::time::{SECOND, Time};

/// What a shopper is up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Plan {
    /// Asks and confirms.
    Buy,
    /// Asks in a quote of somebody's tweet, and confirms.
    BuyByQuote,
    /// Confirms, and the stream delivers that tweet twice; then tweets the code once more.
    BuyTwice,
    /// Asks, asks again, and confirms.
    AskAgain,
    /// Confirms behind the deadline.
    BeLate,
    /// Never confirms.
    Forget,
    /// Deletes the tweet that asked.
    Regret,
    /// Tries somebody else's code, then his own.
    Copy,
    /// Tries codes until none is taken any more, then his own.
    Guess,
    /// Is frozen while he waits, and set free later.
    BeFrozen,
    /// Gives up his account while he waits.
    Leave,
}

/// One part of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    /// Tweets the offer's tag.
    Ask,
    /// Tweets it once more.
    AskAgain,
    /// Tweets the code.
    Confirm,
    /// The record of the last tweet arrives once more.
    Repeat,
    /// Tweets a code that somebody else got.
    Copy,
    /// Tweets a code of his own invention.
    Guess,
    /// Deletes the tweet that asked.
    Delete,
    /// The card company freezes the account.
    Freeze,
    /// The card company sets it free.
    Unfreeze,
    /// Unlinks the account.
    Unlink,
    /// Pays at the coupon's merchant, enough for it.
    Pay,
    /// Pays there less than is needed, or than would be credited.
    PayLittle,
    /// The record of the last payment or refund arrives once more.
    PayAgain,
    /// Gets all that he has paid back.
    Refund,
    /// Gets a little of it back.
    RefundSome,
    /// Is done with this plan.
    Rest,
}

/// From the end of the window to resting, in milliseconds: longer than the slack of a lapse.
const REST: i64 = 120 * SECOND;
/// The window for which the times of the plans are meant, in seconds; in a shorter one all goes faster.
pub(super) const USUAL_WINDOW: i64 = 120;

/// From asking to resting, in milliseconds.
pub(super) fn errand(habits: Habits) -> i64 {
    habits.window_seconds * SECOND + REST
}

impl Plan {
    /// A plan, as likely as it is among shoppers.
    pub fn any(rng: &mut Rng) -> Plan {
        match rng.u32(0..100) {
            0..44 => Plan::Buy,
            44..50 => Plan::BuyByQuote,
            50..54 => Plan::BuyTwice,
            54..60 => Plan::AskAgain,
            60..68 => Plan::BeLate,
            68..80 => Plan::Forget,
            80..88 => Plan::Regret,
            88..92 => Plan::Copy,
            92..95 => Plan::Guess,
            95..98 => Plan::BeFrozen,
            _ => Plan::Leave,
        }
    }

    /// What is done with a code that was issued at one time and buys until another.
    pub fn acts(self, rng: &mut Rng, habits: Habits, issued: Time, deadline: Time) -> Vec<(Time, Act)> {
        let scaled = |millis: i64| issued.plus(millis * habits.window_seconds / USUAL_WINDOW);
        let mut after =
            |seconds: std::ops::Range<i64>| scaled(rng.i64(seconds.start * SECOND..seconds.end * SECOND));
        match self {
            Plan::Buy | Plan::BuyByQuote => vec![(after(8..75), Act::Confirm)],
            Plan::BuyTwice => vec![
                (after(8..40), Act::Confirm),
                (after(41..50), Act::Repeat),
                (after(51..90), Act::Confirm),
            ],
            Plan::AskAgain => vec![(after(62..75), Act::AskAgain), (after(80..115), Act::Confirm)],
            Plan::BeLate => vec![(deadline.plus(rng.i64(1..25 * SECOND)), Act::Confirm)],
            Plan::Forget => Vec::new(),
            Plan::Regret => vec![(after(5..80), Act::Delete)],
            Plan::Copy => vec![(after(10..40), Act::Copy), (after(45..100), Act::Confirm)],
            Plan::Guess => {
                let mut acts: Vec<_> = (1..6).map(|n| (scaled(n * 7 * SECOND), Act::Guess)).collect();
                acts.push((after(45..100), Act::Confirm));
                acts
            }
            Plan::BeFrozen => {
                vec![
                    (after(10..25), Act::Freeze),
                    (after(30..60), Act::Confirm),
                    (after(90..110), Act::Unfreeze),
                ]
            }
            Plan::Leave => vec![(after(10..60), Act::Unlink)],
        }
    }
}
