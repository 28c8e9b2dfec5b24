//! Why a purchase was cancelled, and why a tweet is refused.

use serde::{Deserialize, Serialize};

/// What ended a purchase before its deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The offer tweet was deleted.
    Deleted,
    /// The account was frozen.
    Frozen,
    /// The account was unlinked.
    Unlinked,
    /// The offer was withdrawn, pending purchases included.
    Withdrawn,
    /// No unit was left at the confirmation.
    SoldOut,
}

impl Cause {
    /// All causes.
    pub const ALL: [Cause; 5] =
        [Cause::Deleted, Cause::Frozen, Cause::Unlinked, Cause::Withdrawn, Cause::SoldOut];

    /// The cause as consumers see it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Cause::Deleted => "deleted",
            Cause::Frozen => "frozen",
            Cause::Unlinked => "unlinked",
            Cause::Withdrawn => "withdrawn",
            Cause::SoldOut => "sold_out",
        }
    }
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// Why a tweet is refused, in the order in which the reasons are tested.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Reason {
            $($(#[$doc])* $variant,)*
        }

        impl Reason {
            /// All reasons.
            pub const ALL: &'static [Reason] = &[$(Reason::$variant,)*];

            /// The reason as consumers see it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Reason::$variant => $name,)*
                }
            }
        }
    };
}

reasons! {
    /// The author has no account.
    NotLinked = "not_linked",
    /// The author's tweets are protected: nobody could see the answer.
    Protected = "protected",
    /// The account is frozen.
    Frozen = "frozen",
    /// Too many wrong codes within an hour.
    Locked = "locked",
    /// The code's purchase is over, or its deadline was before the tweet.
    Lapsed = "lapsed",
    /// A code of somebody else or of nobody.
    WrongCode = "wrong_code",
    /// The offer tweet is more than an hour old.
    TooOld = "too_old",
    /// The card was linked less than an hour before the tweet.
    OnHold = "on_hold",
    /// The offer is not open at the tweet's time, or withdrawn.
    NotOpen = "not_open",
    /// No unit is left.
    SoldOut = "sold_out",
    /// A limit on numbers.
    LimitReached = "limit_reached",
    /// The limit on the amount of a day.
    CapExceeded = "cap_exceeded",
}
