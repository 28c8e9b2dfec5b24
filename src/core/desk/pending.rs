//! Pending purchases, in a sharded map: one thread writes, many may read while it does.

use std::sync::Arc;

use dashmap::DashMap;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::core::code::Code;
use crate::core::ids::{AccountId, TweetId};
use crate::core::offer::Offer;
use crate::core::time::Time;

/// A purchase that waits for its confirmation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pending {
    /// Made of account, offer and offer tweet.
    pub purchase_id: Uuid,
    /// The code that confirms it. Stored, so that the secret can be changed at any time.
    pub code: Code,
    /// The offer as it stood at the request: the price is as shown.
    pub offer: Arc<Offer>,
    /// The first id of the offer tweet's chain.
    pub offer_tweet: TweetId,
    /// The version of the offer tweet that was seen.
    pub version: TweetId,
    /// From here the window counts.
    pub issued_at: Time,
    /// The last millisecond at which the code buys.
    pub deadline: Time,
    /// Tweet time of the request or of the last reminder.
    pub reminded_at: Time,
    /// Whom the reply addresses, without `@`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

impl Pending {
    /// Whether the code still buys at a tweet's time. The deadline itself is in.
    pub fn is_open(&self, tweet_time: Time) -> bool {
        tweet_time <= self.deadline
    }

    /// The order in which purchases end when several do in one step.
    pub fn rank(&self) -> (Time, Uuid) {
        (self.deadline, self.purchase_id)
    }
}

/// All pendings of one desk, by account. It shows what is committed: a transaction that is still
/// open, or was aborted, leaves no trace in it.
#[derive(Debug, Default)]
pub struct Pendings {
    by_account: DashMap<AccountId, Vec<Pending>>,
}

impl Pendings {
    /// What an account has pending, oldest first.
    pub fn of(&self, account: AccountId) -> Vec<Pending> {
        self.by_account.get(&account).map(|pendings| pendings.clone()).unwrap_or_default()
    }

    /// How many purchases are pending. Looks at every account.
    pub fn count(&self) -> usize {
        self.by_account.iter().map(|entry| entry.value().len()).sum()
    }

    /// The accounts that have something of an offer pending, sorted. Looks at every account.
    pub fn accounts_with(&self, offer_id: &str) -> Vec<AccountId> {
        let has = |pendings: &[Pending]| pendings.iter().any(|pending| pending.offer.offer_id == offer_id);
        let mut accounts: Vec<AccountId> =
            self.by_account.iter().filter(|entry| has(entry.value())).map(|entry| *entry.key()).collect();
        // The order of a sharded map is nobody's business: it must not reach an output.
        accounts.sort_unstable();
        accounts
    }

    /// Puts an account's pendings in the place of those before.
    pub(super) fn set(&self, account: AccountId, pendings: Vec<Pending>) {
        if pendings.is_empty() {
            self.by_account.remove(&account);
        } else {
            self.by_account.insert(account, pendings);
        }
    }
}
