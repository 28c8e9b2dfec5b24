//! How much a model remembers.

use std::collections::BTreeMap;

use super::Model;
use super::accounts::State;

/// How much is remembered, for bounds on memory.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Alive {
    /// Accounts with a record, linked now.
    pub linked: usize,
    pub pendings: usize,
    /// Purchases passed to a stock that has not answered.
    pub submitted: usize,
    /// Settled codes that are still known.
    pub outcomes: usize,
    /// Settled markers of sightings.
    pub markers: usize,
    /// Markers of deletions.
    pub deletions: usize,
}

impl Model {
    /// How much is remembered now.
    pub fn alive(&self) -> Alive {
        let mut alive = Alive::default();
        for account in self.accounts.values() {
            alive.linked += usize::from(account.record.is_some());
            alive.markers += account.markers.len();
            alive.deletions += account.deletions.len();
            for purchase in &account.purchases {
                match purchase.state {
                    State::Pending => alive.pendings += 1,
                    State::Submitted => alive.submitted += 1,
                    _ => alive.outcomes += usize::from(!purchase.code_forgotten),
                }
            }
        }
        alive
    }

    /// What has become of each coupon, by card and offer.
    pub fn coupons(&self) -> BTreeMap<(String, String), String> {
        let fates = self.cards.iter().flat_map(|(token, card)| card.fates().map(move |fate| (token, fate)));
        fates.map(|(token, (offer, fate))| ((token.clone(), offer.to_owned()), fate.to_owned())).collect()
    }
}
