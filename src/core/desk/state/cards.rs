//! The cards of a partition, and when each of them has something to do by itself.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::State;
use crate::core::desk::card::Card;
use crate::core::desk::changelog::Change;
use crate::core::inbox::Key;
use crate::core::time::Time;
use crate::core::transaction::CardToken;

/// The committed cards.
#[derive(Debug, Default)]
pub(super) struct Cards {
    by_token: HashMap<CardToken, Card>,
    agenda: BTreeSet<(Time, CardToken)>,
}

/// Those of the open transaction, which go over the committed ones.
#[derive(Debug, Default)]
pub(super) struct OpenCards {
    by_token: BTreeMap<CardToken, Card>,
    agenda: BTreeSet<(Time, CardToken)>,
}

impl Cards {
    /// Puts a card in the place of the one before.
    pub fn put(&mut self, token: CardToken, card: Card) {
        if let Some(next) = self.by_token.get(&token).and_then(Card::next) {
            self.agenda.remove(&(next, token.clone()));
        }
        if card.is_empty() {
            self.by_token.remove(&token);
            return;
        }
        if let Some(next) = card.next() {
            self.agenda.insert((next, token.clone()));
        }
        self.by_token.insert(token, card);
    }

    /// Folds an overlay in.
    pub fn commit(&mut self, open: OpenCards) {
        for (token, card) in open.by_token {
            self.put(token, card);
        }
    }
}

impl State {
    /// Changes a card.
    pub fn card<T>(&mut self, token: &CardToken, change: impl FnOnce(&mut Card) -> T) -> T {
        let (base, open) = (&self.cards.by_token, &mut self.open.cards);
        let fresh = || base.get(token).cloned().unwrap_or_default();
        let card = open.by_token.entry(token.clone()).or_insert_with(fresh);
        if let Some(next) = card.next() {
            open.agenda.remove(&(next, token.clone()));
        }
        let result = change(card);
        if let Some(next) = card.next() {
            open.agenda.insert((next, token.clone()));
        }
        result
    }

    /// The card that has something to do by itself first, not after a time of the transactions, and when.
    pub fn next_card(&self, until: Time) -> Option<(Time, CardToken)> {
        let open = self.open.cards.agenda.first();
        let is_open = |token: &CardToken| self.open.cards.by_token.contains_key(token);
        let committed = self.cards.agenda.iter().find(|(_, token)| !is_open(token));
        let first = open.into_iter().chain(committed).min()?;
        (first.0 <= until).then(|| first.clone())
    }

    /// What the open transaction writes of its cards, in the order of the keys.
    pub(super) fn card_changes(&self) -> impl Iterator<Item = (String, Option<Change>)> + '_ {
        self.open.cards.by_token.iter().filter_map(|(token, card)| {
            let before = self.cards.by_token.get(token);
            let has_changed = if card.is_empty() { before.is_some() } else { before != Some(card) };
            let change = || Change::Card { card_token: token.clone(), card: card.clone() };
            has_changed.then(|| (Key::Card(token.clone()).to_string(), (!card.is_empty()).then(change)))
        })
    }
}
