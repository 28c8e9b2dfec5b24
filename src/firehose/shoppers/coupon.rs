//! What a shopper does with a coupon, and when he does which part of it.

use fastrand::Rng;

use super::Habits;
use super::plan::{Act, USUAL_WINDOW};
use crate::core::time::{SECOND, Time};

/// What a shopper does with a coupon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// Pays with the card.
    Spend,
    /// Pays a second after the tweet, and waits for no answer.
    Hurry,
    /// Pays, and the card company tells of it twice; then pays once more.
    SpendTwice,
    /// Pays less than is needed, or than would be credited.
    SpendLittle,
    /// Never pays.
    Keep,
    /// Pays, and returns what he has bought; the card company tells of the refund twice.
    Return,
    /// Pays, and gets a little of it back.
    ReturnSome,
    /// Tweets the tag once more, and pays.
    LoadAgain,
    /// Pays while he is frozen, and again when he is free.
    BeFrozen,
    /// Gives up his account before he has paid.
    Leave,
}

impl Use {
    /// A use, as likely as it is among shoppers.
    pub fn any(rng: &mut Rng) -> Use {
        match rng.u32(0..100) {
            0..24 => Use::Spend,
            24..34 => Use::Hurry,
            34..46 => Use::SpendTwice,
            46..56 => Use::SpendLittle,
            56..64 => Use::Keep,
            64..80 => Use::Return,
            80..88 => Use::ReturnSome,
            88..94 => Use::LoadAgain,
            94..98 => Use::BeFrozen,
            _ => Use::Leave,
        }
    }

    /// What is done with a coupon that is on the card.
    pub fn acts(self, rng: &mut Rng, habits: Habits, loaded: Time) -> Vec<(Time, Act)> {
        let scaled = |millis: i64| loaded.plus(millis * habits.window_seconds / USUAL_WINDOW);
        let mut after =
            |seconds: std::ops::Range<i64>| scaled(rng.i64(seconds.start * SECOND..seconds.end * SECOND));
        match self {
            Use::Spend => vec![(after(8..75), Act::Pay)],
            // He has paid.
            Use::Hurry | Use::Keep => Vec::new(),
            Use::SpendTwice => {
                vec![(after(8..40), Act::Pay), (after(41..60), Act::PayAgain), (after(61..90), Act::Pay)]
            }
            Use::SpendLittle => vec![(after(8..60), Act::PayLittle)],
            Use::Return => {
                vec![(after(8..30), Act::Pay), (after(31..50), Act::Refund), (after(51..60), Act::PayAgain)]
            }
            Use::ReturnSome => vec![(after(8..40), Act::Pay), (after(41..80), Act::RefundSome)],
            Use::LoadAgain => vec![(after(8..40), Act::AskAgain), (after(41..80), Act::Pay)],
            Use::BeFrozen => vec![
                (after(8..20), Act::Freeze),
                (after(30..50), Act::Pay),
                (after(60..70), Act::Unfreeze),
                (after(80..110), Act::Pay),
            ],
            Use::Leave => vec![(after(8..60), Act::Unlink)],
        }
    }
}
