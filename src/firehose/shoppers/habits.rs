//! How shoppers go about it.

use crate::core::time::SECOND;

/// How shoppers go about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Habits {
    /// The confirmation window of all offers, in seconds: 60 to 3,600. Plans fill it.
    pub window_seconds: i64,
    /// The longest pause between two arrivals, in milliseconds, at least 2; on average it is half as long.
    pub longest_pause: i64,
    /// Account holders at any time: one has one plan at a time, and rests for a while behind it.
    pub holders: u64,
    /// The account id before the first.
    pub before_accounts: u64,
    /// So many plans of a hundred are about a coupon.
    pub coupons: u32,
    /// Whether there is a coupon that expires while they are at it.
    pub overdue: bool,
}

impl Default for Habits {
    /// A window of two minutes, an arrival every three seconds, 300 holders, and a coupon in three plans of ten, one of
    /// which expires.
    fn default() -> Habits {
        Habits {
            window_seconds: 120,
            longest_pause: 6 * SECOND,
            holders: 300,
            before_accounts: 1_500_000_000,
            coupons: 30,
            overdue: true,
        }
    }
}
