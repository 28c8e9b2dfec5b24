//! What stands in the topics, against what was tweeted and what has to follow from it.
//!
//! | | what is compared | as it runs | at the end |
//! | --- | --- | --- | --- |
//! | the model | each decided inbox record with what the rules alone make of it | yes | nothing is left over |
//! | marks | a mark at tweet time t, with every tweet that has to be in the inbox before it (I3, I5) | yes | |
//! | sightings | every tweet that has to be seen is in the inbox (I5, I6) | | yes |
//! | tables | the newest record of every account is in the inbox (I5) | | yes |
//! | promises | who has confirmed in time and done nothing odd has bought (I3) | | yes |
//! | state | the compacted changelog, replayed, holds the pendings that the model knows | yes | yes |
//! | bounds | what it remembers of an account has its bounds (I8) | yes | yes |

use std::collections::{BTreeMap, BTreeSet, HashMap};

use hashbuy::core::code::Secret;
use hashbuy::core::desk::Desk;
use hashbuy::core::inbox::Inbox;
use hashbuy::core::reader::Reader;
use hashbuy::core::time::Time;
use hashbuy::log::memory::{MemoryLog, Record, Tombstones};
use hashbuy::log::{Isolation, Log, Lookup, Partition};
use hashbuy::worker::partitioner::partition_of;
use serde_json::Value;

use super::firehose::{ACCOUNTS, Delivered, Told};
use super::people::Promise;
use crate::model::{Oracle, Topic};

/// A partition of the firehose may be idle when it was read to its end of so long ago; the keeper looks once
/// a second.
const IDLE_END: i64 = 12_000;
/// And when its tweet time has not moved for so long, or it is empty.
const IDLE_AFTER: i64 = 58_000;

/// So much at most is remembered of what an account did.
const MOST: [(&str, usize); 2] = [("markers", 256), ("deletions", 64)];

/// The key of the codes.
pub const SECRET: &[u8] = b"what nobody may know";
/// The state is compared at every so manieth look.
const STATE_EVERY: u32 = 30;

/// Reads along.
pub struct Watch {
    inbox: u32,
    lookup: Box<dyn Lookup + Send>,
    oracle: Oracle,
    reader: Reader,
    /// Up to where each partition was read.
    read: BTreeMap<Partition, u64>,
    /// Looks since the state was compared.
    looks: u32,
    /// Tweets that are in the inbox, by partition.
    sighted: Vec<BTreeSet<u64>>,
    /// The last record of each partition of the inbox that is not a mark.
    told: Vec<Option<u64>>,
    /// The greatest mark of each partition of the inbox.
    marked: Vec<i64>,
    /// How much of each partition of the firehose has to be in each of the inbox.
    complete: HashMap<(u32, u32), usize>,
    /// When a tweet of that time or later was delivered first: (tweet time, delivered at), both ascending.
    first: Vec<(i64, i64)>,
    counted: Vec<usize>,
    requested: BTreeMap<String, i64>,
    ended: BTreeMap<String, String>,
    ordered: BTreeSet<String>,
    ids: BTreeSet<String>,
    /// All that were ever linked, and up to which offset of the table the inbox knows of each.
    accounts: BTreeMap<String, u64>,
    census: BTreeMap<String, u64>,
    pub promises: u64,
}

impl Watch {
    pub fn new(log: &MemoryLog, inbox: u32) -> Watch {
        let count = |topic| if topic == "inbox" { inbox } else { 2 };
        let all = ["inbox", "purchases", "orders"].into_iter();
        let all =
            all.flat_map(|topic| (0..count(topic)).map(move |number| (Partition::new(topic, number), 0)));
        let partitions = inbox as usize;
        Watch {
            inbox,
            lookup: log.lookup().unwrap(),
            oracle: Oracle::new(SECRET),
            reader: Reader::default(),
            read: all.collect(),
            looks: 0,
            sighted: vec![BTreeSet::new(); partitions],
            told: vec![None; partitions],
            marked: vec![0; partitions],
            complete: HashMap::new(),
            first: Vec::new(),
            counted: Vec::new(),
            requested: BTreeMap::new(),
            ended: BTreeMap::new(),
            ordered: BTreeSet::new(),
            ids: BTreeSet::new(),
            accounts: BTreeMap::new(),
            census: BTreeMap::new(),
            promises: 0,
        }
    }

    /// Compares what has come since the last look.
    pub fn look(&mut self, log: &MemoryLog, delivered: &[Vec<Delivered>]) -> Result<(), String> {
        self.note_times(delivered);
        let decided = self.decided();
        for (partition, from) in self.read.clone() {
            let records = log.records_from(&partition, from).unwrap();
            for record in &records {
                match &*partition.topic {
                    "inbox" => self.inbox(record, delivered)?,
                    topic => self.event(topic, record)?,
                }
            }
            if let Some(last) = records.last() {
                self.read.insert(partition, last.offset + 1);
            }
        }
        // What an open transaction hides may have been decided, and is not read yet.
        if self.is_anything_open() {
            return Ok(());
        }
        for (number, offset) in &decided {
            self.oracle.decided(*number, *offset)?;
        }
        self.looks += 1;
        if self.looks.is_multiple_of(STATE_EVERY) { self.state(log) } else { Ok(()) }
    }

    /// How far the desk has come in each partition of its inbox.
    fn decided(&mut self) -> Vec<(u32, u64)> {
        let partitions: Vec<Partition> =
            (0..self.inbox).map(|number| Partition::new("inbox", number)).collect();
        // While a transaction with offsets is open nobody is told.
        let committed = self.lookup.committed("app-desk", &partitions).unwrap_or_default();
        (0..).zip(committed).filter_map(|(number, committed)| Some((number, committed?.offset))).collect()
    }

    fn is_anything_open(&mut self) -> bool {
        let changelog = (0..self.inbox).map(|number| Partition::new("desk-changelog", number));
        let mut all = self.read.keys().cloned().chain(changelog);
        all.any(|partition| {
            let mut end = |isolation| self.lookup.watermarks(&partition, isolation).unwrap().1;
            end(Isolation::Committed) < end(Isolation::Uncommitted)
        })
    }

    /// All that was tweeted has been seen and decided, and every purchase has come to its end.
    pub fn is_settled(&mut self, delivered: &[Vec<Delivered>]) -> bool {
        let decided: BTreeMap<u32, u64> = self.decided().into_iter().collect();
        let is_decided = |(number, last): (u32, &Option<u64>)| {
            last.is_none_or(|last| decided.get(&number).is_some_and(|next| *next > last))
        };
        self.sightings(delivered).is_ok()
            && (0..).zip(&self.told).all(is_decided)
            && self.requested.keys().all(|purchase| self.ended.contains_key(purchase))
    }

    pub fn census(&self) -> BTreeMap<String, u64> {
        self.census.clone()
    }

    /// When tweet times were there first.
    fn note_times(&mut self, delivered: &[Vec<Delivered>]) {
        self.counted.resize(delivered.len(), 0);
        let mut news: Vec<(i64, i64)> = Vec::new();
        for (counted, delivered) in self.counted.iter_mut().zip(delivered) {
            news.extend(delivered[*counted..].iter().filter_map(|one| Some((one.at, one.time?))));
            *counted = delivered.len();
        }
        news.sort_unstable();
        for (at, time) in news {
            if self.first.last().is_none_or(|(latest, _)| time > *latest) {
                self.first.push((time, at));
            }
        }
    }

    fn inbox(&mut self, record: &Record, delivered: &[Vec<Delivered>]) -> Result<(), String> {
        let number = record.partition as usize;
        let value = record.value.as_deref().unwrap_or_default();
        self.oracle.inbox(record.partition, record.offset, record.timestamp.millis(), value);
        let read = self.reader.read(value);
        if !matches!(read, Ok(Inbox::Mark { .. })) {
            self.told[number] = Some(record.offset);
        }
        match read {
            Ok(Inbox::Sighting(sighting)) => {
                self.sighted[number].insert(sighting.tweet_id.get());
                Ok(())
            }
            Ok(Inbox::Mark { time, .. }) if time.millis() > self.marked[number] => {
                self.marked[number] = time.millis();
                self.mark(record, time.millis(), delivered)
            }
            Ok(Inbox::Account { account_id, position, .. }) => {
                let known = self.accounts.entry(account_id.to_string()).or_default();
                *known = position.offset.max(*known);
                Ok(())
            }
            Ok(_) => Ok(()),
            Err(corrupt) => Err(format!("inbox/{number}@{}: {corrupt}", record.offset)),
        }
    }

    /// A mark says that the inbox is complete up to a tweet time: in each partition of the firehose everything
    /// before the first tweet of that time or later; or where the partition was idle, everything that was there a
    /// while before anything of that time was.
    fn mark(&mut self, record: &Record, time: i64, delivered: &[Vec<Delivered>]) -> Result<(), String> {
        let first = self.first.partition_point(|(there, _)| *there < time);
        // By the clock of a silent firehose, if that is how it is set.
        let Some((_, first)) = self.first.get(first) else { return Ok(()) };
        for (number, delivered) in (0..).zip(delivered) {
            let is_idle = was_idle(delivered, first - IDLE_END, record.timestamp.millis());
            let mut from = self.complete.get(&(record.partition, number)).copied().unwrap_or(0);
            while let Some(one) = delivered.get(from) {
                let is_there = one.before < time && one.time.is_none_or(|at| at < time);
                if !is_there || is_idle && one.at > first - IDLE_END || one.at > record.timestamp.millis() {
                    break;
                }
                from += 1;
                if let Some(told) = one.told.as_ref().filter(|told| self.inbox_of(told) == record.partition)
                    && !self.sighted[record.partition as usize].contains(&told.id)
                {
                    return Err(format!(
                        "inbox/{}@{}: a mark at {}, but tweet {} of account {} at {}, in partition {number} of the \
                         firehose since {}, is not in the inbox (I3)",
                        record.partition,
                        record.offset,
                        Time::from_millis(time),
                        told.id,
                        told.author,
                        Time::from_millis(told.time),
                        Time::from_millis(one.at),
                    ));
                }
            }
            self.complete.insert((record.partition, number), from);
        }
        Ok(())
    }

    fn inbox_of(&self, told: &Told) -> u32 {
        partition_of(format!("account/{}", told.author).as_bytes(), self.inbox)
    }

    fn event(&mut self, topic: &str, record: &Record) -> Result<(), String> {
        let value = record.value.as_deref().unwrap_or_default();
        let header = |wanted: &str| {
            let found = record.headers.iter().find(|(name, _)| *name == wanted);
            found.map(|(_, value)| String::from_utf8_lossy(value).into_owned()).unwrap_or_default()
        };
        let which = if topic == "orders" { Topic::Orders } else { Topic::Purchases };
        let (cause, now) = (header("hashbuy-cause"), header("hashbuy-now"));
        self.oracle.written(which, record.partition, record.offset, value, &cause, &now);
        let event: Value = serde_json::from_slice(value).map_err(|error| error.to_string())?;
        let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
        let (kind, purchase) = (text("type"), text("purchase_id"));
        *self.census.entry(kind.clone()).or_default() += 1;
        // linked.
        let id = text("event_id");
        if event["reason"] != "not_linked" && !self.ids.insert(id) {
            return Err(format!("twice (I1): {event}"));
        }
        let time = |name: &str| serde_json::from_value::<Time>(event[name].clone()).map(Time::millis);
        match &*kind {
            "order.placed" => {
                self.ordered.insert(purchase);
            }
            "purchase.requested" => {
                let deadline = time("deadline").map_err(|error| error.to_string())?;
                self.requested.insert(purchase, deadline);
            }
            "purchase.confirmed" | "purchase.lapsed" | "purchase.cancelled" => {
                if let Some(before) = self.ended.insert(purchase.clone(), kind.clone()) {
                    return Err(format!("it has ended as {before} before (I2): {event}"));
                }
                if kind == "purchase.confirmed" {
                    let at = time("confirmed_at").map_err(|error| error.to_string())?;
                    // What was requested is read from another partition of the topic, and may come later.
                    if self.requested.get(&purchase).is_some_and(|deadline| at > *deadline) {
                        return Err(format!("confirmed after the deadline (I4): {event}"));
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Compares what can be said at the end only.
    pub fn finish(
        &mut self,
        log: &MemoryLog,
        delivered: &[Vec<Delivered>],
        promises: &[Promise],
        slack: i64,
    ) -> Result<(), String> {
        self.look(log, delivered)?;
        let unended = self.requested.keys().find(|purchase| !self.ended.contains_key(*purchase));
        if let Some(purchase) = unended {
            return Err(format!("purchase {purchase} has no end (I2)"));
        }
        if let Some(purchase) = self.ended.keys().find(|purchase| !self.requested.contains_key(*purchase)) {
            return Err(format!("purchase {purchase} has ended and was never requested"));
        }
        let confirmed = self.ended.iter().filter(|(_, end)| *end == "purchase.confirmed");
        let confirmed: BTreeSet<String> = confirmed.map(|(purchase, _)| purchase.clone()).collect();
        if let Some(purchase) = confirmed.symmetric_difference(&self.ordered).next() {
            return Err(format!("purchase {purchase} is either not confirmed or not ordered (I1)"));
        }
        self.sightings(delivered)?;
        self.tables(log)?;
        self.promises(delivered, promises, slack)?;
        self.oracle.finish()?;
        log.compact("desk-changelog", Tombstones::Drop).unwrap();
        self.state(log)
    }

    fn sightings(&self, delivered: &[Vec<Delivered>]) -> Result<(), String> {
        let told = delivered.iter().flatten().filter_map(|one| one.told.as_ref());
        for told in told {
            if !self.sighted[self.inbox_of(told) as usize].contains(&told.id) {
                return Err(format!("tweet {} of account {} was never seen (I5, I6)", told.id, told.author));
            }
        }
        Ok(())
    }

    /// What became of each account last is in the inbox.
    fn tables(&self, log: &MemoryLog) -> Result<(), String> {
        let partitions = (0..ACCOUNTS).map(|number| Partition::new("accounts", number));
        for record in partitions.flat_map(|partition| log.records_from(&partition, 0).unwrap()) {
            let id = String::from_utf8(record.key.unwrap_or_default()).unwrap();
            if self.accounts.get(&id).is_none_or(|known| *known < record.offset) {
                return Err(format!(
                    "accounts/{}@{}: {id} is not in the inbox (I5)",
                    record.partition, record.offset
                ));
            }
        }
        Ok(())
    }

    /// Who has confirmed in time and done nothing odd has bought: unless the tweet came into its partition behind
    /// one that was past the deadline and the slack already, or the partition had brought nothing for so long that
    /// nobody waited for it.
    fn promises(
        &mut self,
        delivered: &[Vec<Delivered>],
        promises: &[Promise],
        slack: i64,
    ) -> Result<(), String> {
        let all = delivered.iter().flat_map(|partition| partition.iter().map(move |one| (partition, one)));
        let told = all.filter_map(|(partition, one)| Some((one.told.as_ref()?.id, (partition, one))));
        let told: HashMap<u64, (&Vec<Delivered>, &Delivered)> = told.collect();
        for promise in promises {
            let Some((partition, one)) = told.get(&promise.tweet) else { continue };
            let is_late = one.before >= promise.deadline + slack;
            if is_late || was_idle(partition, promise.time - IDLE_END, one.at - 1) {
                continue;
            }
            self.promises += 1;
            let end = self.ended.get(&promise.purchase).map(String::as_str);
            if end != Some("purchase.confirmed") {
                return Err(format!(
                    "purchase {} was confirmed in time by tweet {} at {} (deadline {}), and has ended as {end:?} (I3)",
                    promise.purchase,
                    promise.tweet,
                    Time::from_millis(promise.time),
                    Time::from_millis(promise.deadline),
                ));
            }
        }
        Ok(())
    }

    /// The changelog, replayed: it ends where the group is, holds what the model holds, and nothing is
    /// remembered beyond its bounds.
    fn state(&mut self, log: &MemoryLog) -> Result<(), String> {
        let decided: BTreeMap<u32, u64> = self.decided().into_iter().collect();
        for (number, model) in self.oracle.models() {
            let Some(committed) = decided.get(&number) else { continue };
            let (mut desk, mut offset) = (Desk::new(Secret::published()), None);
            let records = log.records_from(&Partition::new("desk-changelog", number), 0).unwrap();
            let newest: BTreeMap<Vec<u8>, Option<Vec<u8>>> =
                records.into_iter().map(|record| (record.key.unwrap_or_default(), record.value)).collect();
            for (key, value) in newest {
                let key = String::from_utf8(key).unwrap();
                if let Some(value) = &value {
                    self.bounded(&key, value)
                        .map_err(|what| format!("partition {number} at {committed}: {what} (I8)"))?;
                }
                let restored = desk.restore(&key, value.as_deref()).map_err(|error| error.to_string())?;
                offset = restored.or(offset);
            }
            if offset != Some(*committed) {
                return Err(format!(
                    "partition {number}: the group is at {committed}, the changelog at {offset:?}"
                ));
            }
            let (here, there) = (desk.pendings().count(), model.pendings().len());
            if here != there {
                return Err(format!(
                    "partition {number} at {committed}: {here} pendings in the changelog, {there} in the model (I2)"
                ));
            }
        }
        Ok(())
    }

    /// Whether what is remembered under a key is: nothing of those who were never linked, and so much of what the
    /// others did.
    fn bounded(&self, key: &str, value: &[u8]) -> Result<(), String> {
        let Some(id) = key.strip_prefix("account/") else { return Ok(()) };
        if !self.accounts.contains_key(id) {
            return Err(format!("account {id} is remembered, and was never linked"));
        }
        let record: Value = serde_json::from_slice(value).unwrap();
        for (list, most) in MOST {
            let count = record["history"][list].as_array().map_or(0, Vec::len);
            if count > most {
                return Err(format!("account {id} has {count} {list}, more than {most}"));
            }
        }
        Ok(())
    }
}

/// Whether a partition of the firehose may have been idle, or empty, at any time from `from` to `until`.
fn was_idle(delivered: &[Delivered], from: i64, until: i64) -> bool {
    let raised =
        delivered.iter().filter(|one| one.time.is_some_and(|time| time > one.before)).map(|one| one.at);
    // Before the first it was empty, and may be idle from the last on.
    let mut since = i64::MIN / 2;
    for at in raised.chain([i64::MAX / 2]) {
        if at - since >= IDLE_AFTER && at >= from && since + IDLE_AFTER <= until {
            return true;
        }
        since = at;
    }
    false
}
