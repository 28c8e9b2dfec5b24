//! The scan's view of the tables: the offers, and who is linked. Read whole at the start, and followed.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use super::{Stop, Topic};
use crate::core::hashtag::fold;
use crate::core::ids::AccountId;
use crate::core::offer::Offer;
use crate::core::prefilter::Prefilter;
use crate::core::scan::{OfferIndex, Scan};
use crate::core::tables::{LinkedIds, OfferTable};
use crate::log::{Isolation, Log, Lookup, Message, Partition, Reader};

/// What the scan goes by: made anew when the offers have changed.
pub(super) struct Matchers {
    pub prefilter: Prefilter,
    pub scan: Scan,
}

/// The tables as the scan needs them.
pub(super) struct Tables {
    reader: Box<dyn Reader + Send>,
    /// Up to where each partition has to be read before the first tweet.
    until: Vec<(Partition, u64)>,
    offers_topic: String,
    offers: OfferTable,
    changed: bool,
    /// How many tags belong to an offer, withdrawn and ended ones included.
    pub tags: usize,
    pub linked: LinkedIds,
    code_prefix: String,
    ignored: HashSet<AccountId>,
}

impl Tables {
    /// Begins to read the tables.
    pub fn new(
        log: &dyn Log,
        offers: &str,
        accounts: &str,
        code_prefix: &str,
        ignored: HashSet<AccountId>,
    ) -> Result<Tables, Stop> {
        let mut lookup = log.lookup()?;
        let (mut from, mut until) = (Vec::new(), Vec::new());
        for topic in [offers, accounts] {
            for (partition, first, end) in bounds(&mut *lookup, topic)? {
                from.push((partition.clone(), first));
                until.push((partition, end));
            }
        }
        let mut reader = log.reader(Isolation::Committed)?;
        reader.assign(&from)?;
        Ok(Tables {
            reader,
            until,
            offers_topic: offers.to_owned(),
            offers: OfferTable::new(),
            changed: true,
            tags: 0,
            linked: LinkedIds::default(),
            code_prefix: code_prefix.to_owned(),
            ignored,
        })
    }

    /// The offers that have a tag, as they are now, withdrawn and ended ones included.
    pub fn offers(&self) -> Vec<Arc<Offer>> {
        self.offers.index().map(|(_, offer)| offer).collect()
    }

    /// Whether everything that was there at the start has been read.
    pub fn are_whole(&self) -> bool {
        self.until.iter().all(|(partition, end)| {
            *end == 0 || self.reader.position(partition).is_some_and(|position| position >= *end)
        })
    }

    /// Reads on. Returns new matchers if the offers have changed.
    pub fn follow(&mut self, wait: Duration) -> Result<Option<Matchers>, Stop> {
        let (offers, linked, changed) = (&mut self.offers, &mut self.linked, &mut self.changed);
        let (offers_topic, code_prefix) = (&self.offers_topic, &self.code_prefix);
        self.reader.poll(wait, &mut |message| {
            if message.topic == offers_topic {
                take_offer(offers, &message, code_prefix);
                *changed = true;
            } else {
                take_account(linked, &message);
            }
        })?;
        if !self.changed || !self.are_whole() {
            return Ok(None);
        }
        self.changed = false;
        self.tags = self.offers.index().count();
        let index = OfferIndex::new(self.offers.index().map(|(tag, offer)| (tag.to_owned(), offer)))
            .map_err(|error| Stop::Offers(error.to_string()))?;
        let prefilter = Prefilter::new(self.offers.index().map(|(tag, _)| tag), &fold(&self.code_prefix));
        let scan = Scan::new(index, &self.code_prefix, self.ignored.clone());
        Ok(Some(Matchers { prefilter, scan }))
    }
}

/// Each partition of a topic with its first offset and its end.
pub(super) fn bounds(lookup: &mut dyn Lookup, topic: &str) -> Result<Vec<(Partition, u64, u64)>, Stop> {
    let topic = Topic::look_up(lookup, topic)?;
    let mut bounds = Vec::new();
    for number in 0..topic.partitions {
        let partition = topic.partition(number);
        let (first, end) = lookup.watermarks(&partition, Isolation::Uncommitted)?;
        bounds.push((partition, first, end));
    }
    Ok(bounds)
}

/// The key of a table record as text.
pub(super) fn key_of<'m>(message: &Message<'m>) -> Option<&'m str> {
    std::str::from_utf8(message.key?).ok()
}

/// A rejected record withdraws its offer; the feeder reports it.
fn take_offer(offers: &mut OfferTable, message: &Message<'_>, code_prefix: &str) {
    let Some(key) = key_of(message) else { return };
    match message.value {
        None => offers.withdraw(key),
        Some(value) => {
            // What is no text is no offer either.
            let json = std::str::from_utf8(value).unwrap_or_default();
            offers.apply(Some(key), Some(json), code_prefix);
        }
    }
}

/// Whoever has a record counts as linked here, valid or not: the desk decides.
fn take_account(linked: &mut LinkedIds, message: &Message<'_>) {
    let Some(id) = key_of(message).and_then(AccountId::parse) else { return };
    if message.value.is_some() {
        linked.insert(id);
    } else {
        linked.remove(id);
    }
}
