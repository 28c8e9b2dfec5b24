//! Account holders among the shoppers.

use fastrand::Rng;
use serde_json::json;

use super::Habits;
use super::coupon::Use;
use super::plan::Plan;
use super::shop::{ARTICLES, COUPONS, OVERDUE};
use crate::core::ids::{AccountId, TweetId};
use crate::core::time::Time;
use crate::core::transaction::CardToken;
use crate::firehose::Format;
use crate::firehose::words::{name, percent};

/// After so many plans a holder is tired of it, even if some offer is beyond his cap for ever.
const ERRANDS: u32 = 20;

/// Somebody with an account.
pub(super) struct Holder {
    pub account: AccountId,
    pub handle: String,
    /// The format in which the stream brings his tweets.
    pub format: Format,
    linked_at: Time,
    /// A cap of his own on what he spends in a day, in dollars.
    cap: Option<u64>,
    /// Units that he has bought, by article.
    pub bought: [u32; ARTICLES.len()],
    /// Coupons that were on his card at some time.
    pub loaded: [bool; COUPONS.len()],
    /// Plans that he has had.
    pub errands: u32,
    /// What he is up to.
    pub errand: Option<Errand>,
    /// The record of his last tweet.
    pub last_record: Vec<u8>,
}

/// A plan on its way.
pub(super) struct Errand {
    pub aim: Aim,
    /// The tweet that asked, once it is out, and its text.
    pub asked: Option<(TweetId, String)>,
    /// Whether an event has answered it.
    pub answered: bool,
    /// The code, once it is known.
    pub code: Option<String>,
    /// What he has paid last with a coupon in mind.
    pub paid: Option<Paid>,
}

/// What a plan is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aim {
    /// An article, by its number.
    Article(usize, Plan),
    /// A coupon, by its number.
    Coupon(usize, Use),
}

impl Aim {
    /// The offer's tag, with its sign.
    pub fn tag(self) -> &'static str {
        match self {
            Aim::Article(n, _) => ARTICLES[n].tag,
            Aim::Coupon(n, _) => COUPONS[n].tag,
        }
    }
}

/// A payment.
pub(super) struct Paid {
    pub id: String,
    /// What is left of it, in minor units.
    pub left: i64,
    /// The last record of it: the payment's own, or that of a refund.
    pub record: String,
}

impl Holder {
    /// A holder, number `n` of all that ever were.
    pub fn new(rng: &mut Rng, n: u64, account: AccountId, linked_at: Time) -> Holder {
        let format = match n % 10 {
            0 => Format::Activity,
            1 | 2 => Format::V2,
            _ => Format::V1,
        };
        Holder {
            account,
            handle: format!("{}{n}", name(rng, 2)),
            format,
            linked_at,
            cap: (n % 25 == 7).then_some(3_000),
            bought: [0; ARTICLES.len()],
            loaded: [false; COUPONS.len()],
            errands: 0,
            errand: None,
            last_record: Vec::new(),
        }
    }

    /// Whether he has asked, and nothing has answered.
    pub fn waits(&self) -> bool {
        self.errand.as_ref().is_some_and(|errand| errand.asked.is_some() && !errand.answered)
    }

    /// The card that is linked.
    pub fn card(&self) -> CardToken {
        CardToken::new(format!("tok_{:x}", self.account.get()))
    }

    /// The account's record.
    pub fn record(&self, status: &str) -> String {
        let mut record = json!({
            "account_id": self.account,
            "screen_name": self.handle,
            "card_token": self.card(),
            "delivery_ref": format!("addr_{:x}", self.account.get()),
            "status": status,
            "linked_at": self.linked_at,
        });
        if let Some(cap) = self.cap {
            record["caps"] = json!({ "per_day": { "amount": cap, "currency": "USD" } });
        }
        record.to_string()
    }

    /// What he may still want; nothing once he is tired of it.
    pub fn wish(&self, rng: &mut Rng, habits: Habits) -> Option<Aim> {
        if self.errands >= ERRANDS {
            return None;
        }
        let articles: Vec<usize> = (0..ARTICLES.len())
            .filter(|&article| self.bought[article] < ARTICLES[article].per_account)
            .collect();
        let is_offered = |coupon: &usize| *coupon != OVERDUE || habits.overdue;
        let coupons = (0..COUPONS.len()).filter(is_offered);
        let unloaded: Vec<usize> = coupons.filter(|&coupon| !self.loaded[coupon]).collect();
        if !unloaded.is_empty() && percent(rng, habits.coupons) {
            return Some(Aim::Coupon(unloaded[rng.usize(0..unloaded.len())], Use::any(rng)));
        }
        (!articles.is_empty()).then(|| Aim::Article(articles[rng.usize(0..articles.len())], Plan::any(rng)))
    }
}
