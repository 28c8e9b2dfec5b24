//! Who is linked: nothing but ids, as the scan asks for every author of an offer's tag.

use crate::core::by_account::ByAccount;
use crate::core::ids::AccountId;

/// The ids of the linked accounts. 10 million of them take 156 MB, also while they become so many; to put one in
/// takes about a millisecond at most. To look one up takes 60 nanoseconds if others are looked up beside it, and 100 to
/// 140 if it has to wait for the memory alone; twice that on a busy machine (`hashbuy load parts`).
#[derive(Debug, Default)]
pub struct LinkedIds(ByAccount<()>);

impl LinkedIds {
    /// How many are linked.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether an author is linked.
    pub fn contains(&self, id: AccountId) -> bool {
        self.0.get(id).is_some()
    }

    /// An account was linked. False if it was already.
    pub fn insert(&mut self, id: AccountId) -> bool {
        self.0.insert(id, ()).is_none()
    }

    /// An account was unlinked. False if it was not linked.
    pub fn remove(&mut self, id: AccountId) -> bool {
        self.0.remove(id).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_linked_once_until_it_is_unlinked() {
        let mut linked = LinkedIds::default();
        let id = |number| AccountId::new(number).unwrap();
        assert!(linked.is_empty() && !linked.contains(id(7)));
        assert!(linked.insert(id(7)) && !linked.insert(id(7)) && linked.insert(id(u64::MAX)));
        assert!(linked.contains(id(7)) && !linked.contains(id(8)));
        assert!(linked.remove(id(7)) && !linked.remove(id(7)));
        assert_eq!(linked.len(), 1);
    }
}
