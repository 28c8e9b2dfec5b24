//! What leads to no event is counted by name (I5): every reason, in one place.

use std::fmt;

macro_rules! counted {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// Why a tweet, a tag, a code or a record led to nothing, or what else is worth counting.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Counted {
            $($(#[$doc])* $variant,)*
        }

        impl Counted {
            /// All of them, in the order of the way of a tweet.
            pub const ALL: &'static [Counted] = &[$(Counted::$variant,)*];

            /// The name in metrics and summaries.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Counted::$variant => $name,)*
                }
            }
        }
    };
}

counted! {
    /// A retweet repeats somebody else's words.
    Retweet = "retweet",
    /// A tweet whose own text has neither an offer's tag nor a code.
    NoTag = "no_tag",
    /// An author in `scan.ignore_authors` wrote an offer's tag or a code.
    IgnoredAuthor = "ignored_author",
    /// A tag whose offer ended more than a day before the tweet.
    Ended = "ended",
    /// A code from an author without an account.
    CodeOfStranger = "code_of_stranger",
    /// An offer's tag from an author without an account.
    TagOfStranger = "tag_of_stranger",
    /// A stranger's tag that came too late to be worth an answer.
    StaleStranger = "stale_stranger",
    /// Tags and codes beyond those that one sighting may carry.
    TooManyTags = "too_many_tags",
    /// A deletion by an author without an account, or of a tweet older than the horizon.
    DeletionDropped = "deletion_dropped",
    /// A deletion by a linked author.
    Deletion = "deletion",
    /// A sighting older than the horizon.
    Replayed = "replayed",
    /// The same version of a tweet that was decided on already.
    Duplicate = "duplicate",
    /// Another version of a tweet that was decided on already.
    Edited = "edited",
    /// A sighting of an account that has all its markers in use.
    TooMany = "too_many",
    /// An offer tweet that came after its own deletion.
    Deleted = "deleted",
    /// The code of a purchase that is confirmed or submitted already.
    AlreadyDone = "already_done",
    /// A code from an account that never had one.
    NoPurchase = "no_purchase",
    /// A code tweeted in time that came after its lapse.
    LateInTime = "late_in_time",
    /// A reminder less than a minute after the last one.
    RemindedRecently = "reminded_recently",
    /// An offer's tag beside its code, which has decided already.
    BesideItsCode = "beside_its_code",
    /// A card transaction whose id is known already.
    TransactionAgain = "transaction_again",
    /// A payment that redeems no coupon, at least not now.
    PaymentWithoutCoupon = "payment_without_coupon",
    /// A refund that leaves every credit as it is.
    RefundWithoutEffect = "refund_without_effect",
    /// A card transaction beyond those that are remembered of a card.
    TooManyTransactions = "too_many_transactions",
    /// An account record that is older than the one held.
    StaleRecord = "stale_record",
    /// A mark whose settings have the revision of those in force, and are others.
    SettingsDiffer = "settings_differ",
}

/// Counters of everything in [`Counted`].
#[derive(Clone, PartialEq, Eq)]
pub struct Tally([u64; Counted::ALL.len()]);

impl Default for Tally {
    fn default() -> Tally {
        Tally([0; Counted::ALL.len()])
    }
}

impl Tally {
    /// Counts one.
    pub fn count(&mut self, what: Counted) {
        self.0[what as usize] += 1;
    }

    /// How often it was counted.
    pub fn of(&self, what: Counted) -> u64 {
        self.0[what as usize]
    }

    /// Adds all of another tally's counts.
    pub fn add(&mut self, other: &Tally) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine += theirs;
        }
    }

    /// Everything that was counted at least once, in the order of [`Counted::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (Counted, u64)> + '_ {
        Counted::ALL.iter().map(|&what| (what, self.of(what))).filter(|(_, n)| *n > 0)
    }
}

impl fmt::Debug for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().map(|(what, n)| (what.as_str(), n))).finish()
    }
}
