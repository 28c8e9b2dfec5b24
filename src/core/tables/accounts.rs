//! The table of accounts, and the limit of accounts on one card.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use crate::core::account::Account;
use crate::core::ids::AccountId;
use crate::core::record::{Rejection, shown_text};
use crate::core::tables::{check_key, key_of_null};

/// What a line of the table did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountChange {
    /// The record in force is this one now.
    Linked(Arc<Account>),
    /// There is none any more (and perhaps there was none before).
    Unlinked(AccountId),
}

/// The account records in force.
///
/// At most so many accounts share one card, first come, first served. A record that would be one
/// too many is rejected and what was in force of that account stays. An account that changes its
/// card or is unlinked frees its place on the former one.
#[derive(Debug)]
pub struct AccountTable {
    accounts: HashMap<AccountId, Arc<Account>>,
    /// Card token -> how many accounts are linked to it, never 0.
    cards: HashMap<String, u64>,
    accounts_per_card: u64,
}

impl AccountTable {
    /// An empty table in which `accounts_per_card` accounts may share a card.
    pub fn new(accounts_per_card: u64) -> AccountTable {
        AccountTable { accounts: HashMap::new(), cards: HashMap::new(), accounts_per_card }
    }

    /// Takes one line of the table: a record as JSON, or `None` for the `null` that unlinks `key`.
    ///
    /// # Errors
    /// A rejection; what was in force stays.
    pub fn apply(&mut self, key: Option<&str>, record: Option<&str>) -> Result<AccountChange, Rejection> {
        let Some(json) = record else {
            let id = id_of(key_of_null("account", key)?)?;
            self.remove(id);
            return Ok(AccountChange::Unlinked(id));
        };
        let account = Account::from_json(json)?;
        check_key("account", key, &account.account_id.to_string(), Some(&account.card_token))?;
        self.put(account).map(AccountChange::Linked)
    }

    /// Puts a record in force in place of the account's former one.
    ///
    /// # Errors
    /// A rejection if the card has enough accounts already; nothing has changed then.
    pub fn put(&mut self, account: Account) -> Result<Arc<Account>, Rejection> {
        let former = self.accounts.get(&account.account_id);
        let same_card = former.is_some_and(|former| former.card_token == account.card_token);
        if !same_card {
            let sharing = self.cards.get(&account.card_token).copied().unwrap_or(0);
            if sharing >= self.accounts_per_card {
                return Err(one_too_many(&account, sharing, self.accounts_per_card));
            }
            self.remove(account.account_id);
            *self.cards.entry(account.card_token.clone()).or_default() += 1;
        }
        let account = Arc::new(account);
        self.accounts.insert(account.account_id, Arc::clone(&account));
        Ok(account)
    }

    /// Unlinks an account; returns the record that was in force.
    pub fn remove(&mut self, id: AccountId) -> Option<Arc<Account>> {
        let former = self.accounts.remove(&id)?;
        if let Entry::Occupied(mut sharing) = self.cards.entry(former.card_token.clone()) {
            *sharing.get_mut() -= 1;
            if *sharing.get() == 0 {
                sharing.remove();
            }
        }
        Some(former)
    }

    /// The record in force of an account.
    pub fn get(&self, id: AccountId) -> Option<&Arc<Account>> {
        self.accounts.get(&id)
    }

    /// How many accounts are linked.
    pub fn len(&self) -> usize {
        self.accounts.len()
    }

    /// True if no account is linked.
    pub fn is_empty(&self) -> bool {
        self.accounts.is_empty()
    }
}

fn id_of(key: &str) -> Result<AccountId, Rejection> {
    AccountId::parse(key).ok_or_else(|| {
        let mend = "must be an account id: decimal digits without leading zeros, 1 to 2^64 - 1";
        Rejection::new("account", None, "the key", shown_text(key), mend)
    })
}

fn one_too_many(account: &Account, sharing: u64, limit: u64) -> Rejection {
    Rejection::new(
        "account",
        Some(&account.account_id.to_string()),
        "card_token",
        format!("that of a card with {sharing} other accounts"),
        format!("must be another: at most {limit} may share a card (limits.accounts_per_card)"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::account::{AccountStatus, Caps};
    use crate::core::time::Time;

    fn account(id: u64, card_token: &str) -> Account {
        Account {
            account_id: AccountId::new(id).unwrap(),
            screen_name: None,
            card_token: card_token.to_owned(),
            delivery_ref: "door".to_owned(),
            status: AccountStatus::Active,
            linked_at: Time::ZERO,
            caps: Caps::default(),
        }
    }

    #[test]
    fn the_fourth_account_on_a_card_is_rejected() {
        let mut table = AccountTable::new(3);
        for id in [1, 2, 2, 3, 1] {
            table.put(account(id, "shared")).unwrap();
        }
        table.put(account(4, "own")).unwrap();
        let rejection = table.put(account(4, "shared")).unwrap_err();
        assert_eq!(
            rejection.to_string(),
            "account 4: card_token is that of a card with 3 other accounts, \
             must be another: at most 3 may share a card (limits.accounts_per_card)"
        );
        assert_eq!(table.get(AccountId::new(4).unwrap()).unwrap().card_token, "own");
        assert_eq!(table.len(), 4);
    }

    #[test]
    fn a_place_on_a_card_is_freed_by_another_card_and_by_unlinking() {
        let mut table = AccountTable::new(1);
        table.put(account(1, "a")).unwrap();
        assert!(table.put(account(2, "a")).is_err());
        table.put(account(1, "b")).unwrap();
        table.put(account(2, "a")).unwrap();
        assert_eq!(table.remove(AccountId::new(2).unwrap()).unwrap().card_token, "a");
        table.put(account(3, "a")).unwrap();
        assert_eq!(table.cards.values().sum::<u64>(), 2);
        assert!(!table.is_empty());
    }
}
