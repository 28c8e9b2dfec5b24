//! Plans of the shoppers: what each is up to, and when he does which part of it.

use serde_json::{Value, json};

use crate::common::rng::Rng;
use crate::common::tables::with;
use crate::common::tags::rfc3339;
use crate::firehose::now;
use crate::world::{account, offer};

/// The id of the first shopper's account.
pub const FIRST: u64 = 5_000_000_000_000;
const SECOND: i64 = 1_000;
/// The windows, in seconds: short, so that many purchases lapse within a run.
const WINDOW: i64 = 120;
const SHORT_WINDOW: i64 = 60;
/// One in so many of those who want the rare article gets it.
const RARE: u64 = 2;

/// What a shopper is up to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// Asks, and tweets the code.
    Buy,
    /// Tweets it at the deadline, to the millisecond.
    BuyAtTheEnd,
    /// Tweets it a millisecond later, or up to half a minute.
    BeLate,
    /// Asks in a quote of somebody's tweet.
    BuyByQuote,
    /// Buys what there is little of.
    BuyRare,
    /// Tweets the code; that tweet comes again; tweets it once more; asks for more.
    BuyTwice,
    /// Asks again after a minute.
    AskAgain,
    /// Tweets somebody else's code first.
    Copy,
    /// Tries codes until none is taken any more, then his own.
    Guess,
    /// Never comes back.
    Forget,
    /// Deletes the tweet that asked.
    Regret,
    /// Is frozen while he waits.
    BeFrozen,
    /// Gives up his account while he waits.
    Leave,
    /// Repeats somebody's tweet that asks.
    Repeat,
}

/// Of a hundred shoppers so many have a plan.
const PLANS: [(Plan, u64); 14] = [
    (Plan::Buy, 32),
    (Plan::BuyAtTheEnd, 5),
    (Plan::BeLate, 8),
    (Plan::BuyByQuote, 4),
    (Plan::BuyRare, 8),
    (Plan::BuyTwice, 5),
    (Plan::AskAgain, 4),
    (Plan::Copy, 5),
    (Plan::Guess, 3),
    (Plan::Forget, 8),
    (Plan::Regret, 7),
    (Plan::BeFrozen, 3),
    (Plan::Leave, 3),
    (Plan::Repeat, 5),
];

/// One part of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Tweets the tag once more.
    Ask,
    /// Tweets the code.
    Confirm,
    /// Tweets the code, with a time in the id that is so long behind the deadline, in milliseconds.
    ConfirmAt(i64),
    /// The last tweet arrives again.
    Again,
    /// Tweets a code that somebody else has got.
    Copy,
    /// Tweets a code of his own invention.
    Guess,
    /// Deletes the tweet that asked.
    Delete,
    /// His account is frozen.
    Freeze,
    /// His account is unlinked.
    Unlink,
}

impl Plan {
    /// A plan, as likely as it is among shoppers.
    pub fn any(rng: &mut Rng) -> Plan {
        let mut left = rng.next() % PLANS.iter().map(|(_, share)| share).sum::<u64>();
        for (plan, share) in PLANS {
            match left.checked_sub(share) {
                Some(rest) => left = rest,
                None => return plan,
            }
        }
        Plan::Buy
    }

    /// The tag that he tweets.
    pub fn tag(self) -> &'static str {
        match self {
            Plan::BuyAtTheEnd | Plan::BeLate | Plan::Forget => "#GetVase",
            Plan::BuyRare => "#GetLamp",
            _ => "#GetKettle",
        }
    }

    /// Whether the purchase has no other end than its lapse.
    pub fn lapses(self) -> bool {
        matches!(self, Plan::BeLate | Plan::Guess | Plan::Forget)
    }

    /// What is done with a code that is read at a time and buys until another.
    pub fn acts(self, rng: &mut Rng, read: i64, deadline: i64) -> Vec<(i64, Act)> {
        let mut after = |from: i64, to: i64| read + rng.range(from * SECOND, to * SECOND);
        match self {
            Plan::Buy | Plan::BuyByQuote | Plan::BuyRare => vec![(after(0, 40), Act::Confirm)],
            Plan::BuyAtTheEnd => vec![(deadline, Act::ConfirmAt(0))],
            Plan::BeLate => {
                let late = if rng.chance(50) { 1 } else { rng.range(1, 30 * SECOND) };
                vec![(deadline + late, Act::ConfirmAt(late))]
            }
            Plan::BuyTwice => vec![
                (after(1, 20), Act::Confirm),
                (after(21, 25), Act::Again),
                (after(26, 30), Act::Confirm),
                (after(31, 35), Act::Ask),
            ],
            Plan::AskAgain => vec![(after(61, 65), Act::Ask), (after(66, 85), Act::Confirm)],
            Plan::Copy => vec![(after(1, 20), Act::Copy), (after(21, 40), Act::Confirm)],
            Plan::Guess => {
                let guesses = (1..6).map(|n| (after(n * 3, n * 3 + 2), Act::Guess));
                guesses.chain([(read + 20 * SECOND, Act::Confirm)]).collect()
            }
            Plan::Regret => vec![(after(1, 40), Act::Delete)],
            Plan::BeFrozen => vec![(after(1, 20), Act::Freeze)],
            Plan::Leave => vec![(after(1, 20), Act::Unlink)],
            Plan::Forget | Plan::Repeat => Vec::new(),
        }
    }
}

/// The offers, for so many shoppers, within so long.
pub fn offers(shoppers: u64, seconds: u64) -> Vec<Value> {
    let share = PLANS.iter().find(|(plan, _)| *plan == Plan::BuyRare).map_or(0, |(_, share)| *share);
    let stock = (shoppers * share / 100 / RARE).max(1);
    let ends = now() + i64::try_from(seconds).unwrap() * SECOND + 3_600 * SECOND;
    let offer = |id, tag, window: i64| {
        with(offer(id, tag), json!({"window_seconds": window, "ends_at": rfc3339(ends)}))
    };
    vec![
        offer("kettle", "#GetKettle", WINDOW),
        offer("vase", "#GetVase", SHORT_WINDOW),
        with(offer("lamp", "#GetLamp", WINDOW), json!({"stock": stock})),
    ]
}

/// The accounts of so many shoppers.
pub fn accounts(shoppers: u64) -> Vec<Value> {
    (FIRST..FIRST + shoppers).map(account).collect()
}
