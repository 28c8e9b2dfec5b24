//! Pending purchases, in a sharded map: one thread writes, many may read while it does.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use dashmap::DashMap;
use foldhash::fast::RandomState;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::packed::{Arena, Handle, Writer, as_it_was, offers_of, pack_pendings, unpack_pendings};
use super::pool::Pool;
use super::wheel::Due;
use crate::core::code::Code;
use crate::core::ids::{AccountId, TweetId};
use crate::core::offer::Offer;
use crate::core::time::Time;

/// Parts of the map: each grows by itself, so no step has to move more than one of them.
const PARTS: usize = 256;

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

    /// When the wheel comes by to let it lapse: in an order that [`Pending::rank`] agrees with.
    pub fn due(&self) -> Due {
        Due::new(self.deadline, (self.purchase_id.as_u128() >> 112) as u16)
    }
}

/// All pendings of one desk, by account. It shows what is committed: a transaction that is still
/// open, or was aborted, leaves no trace in it.
#[derive(Debug)]
pub struct Pendings {
    by_account: DashMap<AccountId, Handle, RandomState>,
    /// What the handles refer to. Whoever goes by one keeps this locked from before he finds it in the map: so
    /// what is referred to is there.
    held: RwLock<Held>,
    /// All of them: somebody asks several times a second, and there may be millions of accounts.
    count: AtomicUsize,
}

/// What pendings at rest are made of.
#[derive(Debug, Default)]
struct Held {
    offers: Pool,
    packed: Arena,
    /// To pack with.
    writer: Writer,
}

impl Default for Pendings {
    fn default() -> Pendings {
        Pendings {
            by_account: DashMap::with_hasher_and_shard_amount(RandomState::default(), PARTS),
            held: RwLock::default(),
            count: AtomicUsize::new(0),
        }
    }
}

impl Pendings {
    /// What an account has pending, oldest first.
    pub fn of(&self, account: AccountId) -> Vec<Pending> {
        let held = self.held();
        let Some(handle) = self.by_account.get(&account) else { return Vec::new() };
        as_it_was(unpack_pendings(held.packed.get(*handle), |number| held.offers.get(number)))
    }

    /// Whether an account has these pending, in this order.
    pub(super) fn are(&self, account: AccountId, pendings: &[Pending]) -> bool {
        let held = self.held();
        let Some(handle) = self.by_account.get(&account) else { return pendings.is_empty() };
        let mut all_held = true;
        let number = |offer: &Arc<Offer>| {
            held.offers.number(offer).unwrap_or_else(|| {
                all_held = false;
                0
            })
        };
        pack_pendings(&mut Writer::default(), pendings, number) == held.packed.get(*handle) && all_held
    }

    /// How many purchases are pending.
    pub fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// The accounts that have something of an offer pending, sorted. Looks at every account.
    pub fn accounts_with(&self, offer_id: &str) -> Vec<AccountId> {
        let held = self.held();
        let versions = held.offers.versions(offer_id);
        if versions.is_empty() {
            return Vec::new();
        }
        let has =
            |handle: Handle| offers_of(held.packed.get(handle)).any(|number| versions.contains(&number));
        let mut accounts: Vec<AccountId> =
            self.by_account.iter().filter(|entry| has(*entry.value())).map(|entry| *entry.key()).collect();
        // The order of a sharded map is nobody's business: it must not reach an output.
        accounts.sort_unstable();
        accounts
    }

    /// Puts an account's pendings in the place of those before. Only the desk does: one thread writes.
    pub fn set(&self, account: AccountId, pendings: &[Pending]) {
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        let Held { offers, packed, writer } = &mut *held;
        let before = if pendings.is_empty() {
            self.by_account.remove(&account).map(|(_, before)| before)
        } else {
            let handle = packed.put(pack_pendings(writer, pendings, |offer| offers.hold(offer)));
            self.by_account.insert(account, handle)
        };
        let mut less = 0;
        if let Some(before) = before {
            for number in offers_of(packed.get(before)) {
                offers.release(number);
                less += 1;
            }
            packed.give_back(before);
        }
        self.count.store(self.count() + pendings.len() - less, Ordering::Relaxed);
    }

    /// What panics holds no lock but for reading, so none is ever poisoned.
    fn held(&self) -> RwLockReadGuard<'_, Held> {
        self.held.read().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_that_of_all_accounts() {
        let offer = crate::core::offer::Offer::from_json(
            r##"{"offer_id":"cup","kind":"purchase","hashtag":"#GetCup","price":{"amount":1,"currency":"USD"},
                "starts_at":"2013-02-13T00:00:00.000Z","ends_at":"2013-02-14T00:00:00.000Z"}"##,
            "Confirm",
        );
        let tweet = TweetId::parse("301829517291847680").unwrap();
        let pending = Pending {
            purchase_id: Uuid::nil(),
            code: serde_json::from_str("\"7K2QM4XA\"").unwrap(),
            offer: Arc::new(offer.unwrap()),
            offer_tweet: tweet,
            version: tweet,
            issued_at: Time::ZERO,
            deadline: Time::ZERO,
            reminded_at: Time::ZERO,
            to: None,
        };
        let pendings = Pendings::default();
        let anna = AccountId::parse("17").unwrap();
        let ben = AccountId::parse("18").unwrap();
        let mut other = pending.clone();
        other.offer = Arc::new(Offer { version: 2, ..(*pending.offer).clone() });
        for (account, most) in [(anna, 3), (ben, 2), (anna, 1), (anna, 1), (ben, 0), (ben, 0), (anna, 0)] {
            pendings.set(account, &vec![pending.clone(); most]);
            assert!(pendings.are(account, &vec![pending.clone(); most]));
            assert!(!pendings.are(account, &vec![pending.clone(); most + 1]));
            assert!(!pendings.are(account, &vec![other.clone(); most.max(1)]), "nobody has this offer");
            let all: usize = pendings
                .by_account
                .iter()
                .map(|entry| offers_of(pendings.held().packed.get(*entry.value())).count())
                .sum();
            assert_eq!(pendings.count(), all);
        }
        assert_eq!(pendings.count(), 0);
        assert!(pendings.held().offers.versions("cup").is_empty(), "nobody refers to it");
    }
}
