//! The tables: records that the service does not take.

use std::collections::BTreeMap;

use super::Look;
use crate::core::record::Rejection;
use crate::core::tables::{AccountTable, OfferTable};
use crate::operate::Unable;
use crate::operate::reading::{read, whole};

/// So many are shown of each table.
const SHOWN: usize = 5;

pub(super) fn look(look: &mut Look<'_>) -> Result<(), Unable> {
    let topics = look.config.service.topics.clone();
    let settings = look.config.settings.clone();
    let mut offers = OfferTable::new();
    table(look, &topics.offers, "hashbuy offers put", |key, value| {
        offers.apply(key, value, &settings.code_prefix).rejection
    })?;
    let mut accounts = AccountTable::new(settings.limits.accounts_per_card);
    table(look, &topics.accounts, "hashbuy accounts put", |key, value| accounts.apply(key, value).err())
}

/// Reads a table whole. Only the newest record of a key counts, so a bad one that was mended is none.
fn table(
    look: &mut Look<'_>,
    topic: &str,
    mend: &str,
    mut apply: impl FnMut(Option<&str>, Option<&str>) -> Option<Rejection>,
) -> Result<(), Unable> {
    let (partitions, mut spans) = (look.partitions(topic)?, Vec::new());
    if partitions.is_empty() {
        return Ok(()); // missing, which is a finding already
    }
    for partition in partitions {
        spans.push(whole(&mut *look.lookup, &partition)?);
    }
    let mut bad = BTreeMap::new();
    let mut count = 0_u64;
    read(look.log, &spans, |message| {
        count += 1;
        let key = message.key.and_then(|key| std::str::from_utf8(key).ok());
        // What is no text is no record.
        let value = message.value.map(|value| std::str::from_utf8(value).unwrap_or_default());
        let name = key.unwrap_or_default().to_owned();
        match apply(key, value) {
            Some(rejection) => {
                bad.insert(name, format!("{}@{}: {rejection}", message.partition, message.offset))
            }
            None => bad.remove(&name),
        };
    })?;
    let what = format!("table {topic}");
    for rejection in bad.values().take(SHOWN) {
        look.problem(&what, rejection, format!("put a valid record in its place: {mend}"));
    }
    if bad.len() > SHOWN {
        look.problem(&what, format!("{} more are rejected", bad.len() - SHOWN), "the same");
    }
    if bad.is_empty() {
        look.ok(what, format!("{count} records, all of them valid"));
    }
    Ok(())
}
