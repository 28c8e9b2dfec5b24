//! The records of the changelog: the state of each entity, as JSON, under its key.

use serde::{Deserialize, Serialize};

use super::buyer::Buyer;
use super::card::Card;
use super::stock::Stock;
use crate::core::inbox::Position;
use crate::core::offer::Offer;
use crate::core::settings::Shared;
use crate::core::time::Time;
use crate::core::transaction::CardToken;
use crate::core::versioned::{Corrupt, SAYS_PARTITIONS, decode, version_of};

/// What belongs to no single entity.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Partition {
    /// Every tweet up to here is in the inbox. Never goes back.
    pub desk_time: Time,
    /// The settings with the highest revision of all marks; none before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<Shared>,
    /// Every card transaction before this time, by the transactions' own time, is in the inbox. Never goes back.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub transaction_time: Time,
    /// How many partitions the inbox has: which entity is in which partition goes by it. None in records of
    /// releases that did not write it down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitions: Option<u32>,
}

fn is_zero(time: &Time) -> bool {
    *time == Time::ZERO
}

/// What every partition has been told of an offer, since its accounts cannot know it by themselves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// By its stock, that nothing is left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sold_out: Option<SoldOut>,
    /// By its newest record, when it ends: units of it are counted until a day later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Time>,
    /// Where that record stood in its source: what comes from an older one is late, and changes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
}

impl Told {
    /// Whether something that stood at a position of the table of offers is older than what is known.
    pub fn is_newer_than(&self, position: Option<Position>) -> bool {
        position.is_some_and(|position| self.position > Some(position))
    }
}

/// What a stock has told about an offer of which nothing was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SoldOut {
    /// The newest version that the stock had seen.
    pub version: u64,
    /// Units sold, over all versions.
    pub sold: u64,
}

/// How many units of an offer are sold, as a partition knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Units {
    /// The offer.
    pub offer_id: String,
    /// Over all versions.
    pub sold: u64,
    /// Its stock says so. Else it is what the stock has told, when nothing was left.
    pub by_stock: bool,
}

impl SoldOut {
    /// Whether a request of this version of the offer is refused: it is not newer, or its stock is
    /// not above what is sold.
    pub fn closes(&self, offer: &Offer) -> bool {
        offer.version <= self.version || offer.stock.is_some_and(|stock| stock <= self.sold)
    }
}

/// One record of the changelog: the state of one entity, or of the partition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "entity", rename_all = "snake_case")]
pub enum Change {
    /// `account/<id>`.
    Account(Box<Buyer>),
    /// `offer/<id>`.
    Offer {
        /// The offer.
        offer_id: String,
        /// Its stock.
        stock: Stock,
    },
    /// `card/<token>`.
    Card {
        /// The card.
        card_token: CardToken,
        /// Its coupons.
        card: Card,
    },
    /// `told/<offer id>`.
    Told {
        /// The offer.
        offer_id: String,
        /// What is known of it here.
        told: Told,
    },
    /// `partition`.
    Partition {
        /// The first inbox offset that is not in the state.
        offset: u64,
        /// What belongs to no single entity.
        partition: Partition,
    },
    /// `import`: an import into this topic was begun. Its last transaction takes this away again, so whoever
    /// finds it without a record of the partition knows that the import did not end.
    Import,
}

impl Change {
    /// The key of the record of the partition.
    pub const PARTITION: &str = "partition";
    /// The key of the record of an import.
    pub const IMPORT: &str = "import";

    /// Reads a record of the changelog.
    ///
    /// # Errors
    /// [`Corrupt`].
    pub fn decode(bytes: &[u8]) -> Result<Change, Corrupt> {
        let version = version_of(bytes)?;
        let change: Change = decode(bytes)?;
        match &change {
            Change::Partition { partition: Partition { partitions: None, .. }, .. }
                if version.number() >= SAYS_PARTITIONS =>
            {
                Err(Corrupt::NotOurs(serde::de::Error::missing_field("partitions")))
            }
            _ => Ok(change),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::versioned::{Version, encode, encode_as};

    #[test]
    fn from_version_2_on_the_number_of_partitions_is_not_missing() {
        let newer = Version::new(SAYS_PARTITIONS).unwrap();
        let record = |partitions| Change::Partition {
            offset: 7,
            partition: Partition { partitions, ..Partition::default() },
        };
        for bytes in [encode(&record(None)), encode(&record(Some(8))), encode_as(newer, &record(Some(8)))] {
            assert!(Change::decode(&bytes).is_ok());
        }
        let error = Change::decode(&encode_as(newer, &record(None))).unwrap_err();
        assert_eq!(error.to_string(), "a record that this program did not write: missing field `partitions`");
    }
}
