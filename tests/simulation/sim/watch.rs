//! What stands in the topics, against what was tweeted and what has to follow from it.
//!
//! | | what is compared | as it runs | at the end |
//! | --- | --- | --- | --- |
//! | the model | each decided inbox record with what the rules alone make of it | yes | nothing is left over |
//! | marks | a mark at tweet time t, with every tweet that has to be in the inbox before it (I3, I5) | yes | |
//! | sightings | every tweet that has to be seen is in the inbox (I5, I6) | | yes |
//! | promises | who has confirmed in time and done nothing odd has bought (I3) | | yes |
//! | state | the compacted changelog, replayed, holds the pendings that the model knows | | yes |

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use hashbuy::core::code::Secret;
use hashbuy::core::desk::Desk;
use hashbuy::core::inbox::{Inbox, decode};
use hashbuy::core::time::Time;
use hashbuy::log::memory::{MemoryLog, Tombstones};
use hashbuy::log::{Isolation, Log, Lookup, Partition, Reader};
use hashbuy::worker::partitioner::partition_of;
use serde_json::Value;

use super::firehose::{Delivered, Told};
use super::people::Promise;

/// A partition of the firehose may be idle when it was read to its end of so long ago; the keeper looks once
/// a second.
const IDLE_END: i64 = 12_000;

/// Reads along.
pub struct Watch {
    inbox: u32,
    reader: Box<dyn Reader + Send>,
    lookup: Box<dyn Lookup + Send>,
    /// Tweets that are in the inbox, by partition.
    sighted: Vec<BTreeSet<u64>>,
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
    census: BTreeMap<String, u64>,
    pub promises: u64,
}

struct Read {
    topic: String,
    partition: u32,
    offset: u64,
    timestamp: i64,
    value: Vec<u8>,
}

impl Watch {
    pub fn new(log: &MemoryLog, inbox: u32) -> Watch {
        let mut reader = log.reader(Isolation::Committed).unwrap();
        let mut from: Vec<(Partition, u64)> =
            (0..inbox).map(|number| (Partition::new("inbox", number), 0)).collect();
        from.extend([0, 1].map(|number| (Partition::new("purchases", number), 0)));
        from.extend([0, 1].map(|number| (Partition::new("orders", number), 0)));
        reader.assign(&from).unwrap();
        let partitions = inbox as usize;
        Watch {
            inbox,
            reader,
            lookup: log.lookup().unwrap(),
            sighted: vec![BTreeSet::new(); partitions],
            marked: vec![0; partitions],
            complete: HashMap::new(),
            first: Vec::new(),
            counted: Vec::new(),
            requested: BTreeMap::new(),
            ended: BTreeMap::new(),
            ordered: BTreeSet::new(),
            ids: BTreeSet::new(),
            census: BTreeMap::new(),
            promises: 0,
        }
    }

    /// Compares what has come since the last look.
    pub fn look(&mut self, _log: &MemoryLog, delivered: &[Vec<Delivered>]) -> Result<(), String> {
        self.note_times(delivered);
        let mut read = Vec::new();
        loop {
            let count = self.reader.poll(Duration::ZERO, &mut |message| {
                read.push(Read {
                    topic: message.topic.to_owned(),
                    partition: message.partition,
                    offset: message.offset,
                    timestamp: message.timestamp.millis(),
                    value: message.value.unwrap_or_default().to_vec(),
                });
            });
            if count.unwrap() == 0 {
                break;
            }
        }
        for record in read {
            match &*record.topic {
                "inbox" => self.inbox(&record, delivered)?,
                _ => self.event(&record)?,
            }
        }
        Ok(())
    }

    /// Every purchase has come to its end, and nothing is under way.
    pub fn is_settled(&self) -> bool {
        self.requested.keys().all(|purchase| self.ended.contains_key(purchase))
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

    fn inbox(&mut self, record: &Read, delivered: &[Vec<Delivered>]) -> Result<(), String> {
        let number = record.partition as usize;
        match decode::<Inbox>(&record.value) {
            Ok(Inbox::Sighting(sighting)) => {
                self.sighted[number].insert(sighting.tweet_id.get());
                Ok(())
            }
            Ok(Inbox::Mark { time, .. }) if time.millis() > self.marked[number] => {
                self.marked[number] = time.millis();
                self.mark(record, time.millis(), delivered)
            }
            Ok(_) => Ok(()),
            Err(corrupt) => Err(format!("inbox/{number}@{}: {corrupt}", record.offset)),
        }
    }

    /// A mark says that the inbox is complete up to a tweet time: in each partition of the firehose everything
    /// before the first tweet of that time or later; or where there is none, and so it counts as idle,
    /// everything that was there a while before anything of that time was.
    fn mark(&mut self, record: &Read, time: i64, delivered: &[Vec<Delivered>]) -> Result<(), String> {
        let first = self.first.partition_point(|(there, _)| *there < time);
        // By the clock of a silent firehose, if that is how it is set.
        let Some((_, first)) = self.first.get(first) else { return Ok(()) };
        for (number, delivered) in (0..).zip(delivered) {
            let mut from = self.complete.get(&(record.partition, number)).copied().unwrap_or(0);
            while let Some(one) = delivered.get(from) {
                let is_there = one.before < time && one.time.is_none_or(|at| at < time);
                let mut rest = delivered[from..].iter();
                let mut rest = rest.by_ref().take_while(|later| later.at <= record.timestamp);
                let is_idle = !rest.any(|later| later.time.is_some_and(|at| at >= time));
                if !is_there || is_idle && one.at > first - IDLE_END {
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

    fn event(&mut self, record: &Read) -> Result<(), String> {
        let event: Value = serde_json::from_slice(&record.value).map_err(|error| error.to_string())?;
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
        self.promises(delivered, promises, slack)?;
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

    /// Who has confirmed in time and done nothing odd has bought: unless the tweet came into its partition behind
    /// one that was past the deadline and the slack already, or long after it was tweeted.
    fn promises(
        &mut self,
        delivered: &[Vec<Delivered>],
        promises: &[Promise],
        slack: i64,
    ) -> Result<(), String> {
        let all = delivered.iter().flatten();
        let told = all.filter_map(|one| Some((one.told.as_ref()?.id, one)));
        let told: HashMap<u64, &Delivered> = told.collect();
        for promise in promises {
            let Some(one) = told.get(&promise.tweet) else { continue };
            if one.before >= promise.deadline + slack || one.at > promise.time + 6_000 {
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

    /// The changelog, compacted and replayed.
    fn state(&mut self, log: &MemoryLog) -> Result<(), String> {
        log.compact("desk-changelog", Tombstones::Drop).unwrap();
        let mut desks: BTreeMap<u32, (Desk, Option<u64>)> = BTreeMap::new();
        for record in log.records("desk-changelog").unwrap() {
            let desk =
                desks.entry(record.partition).or_insert_with(|| (Desk::new(Secret::published()), None));
            let key = String::from_utf8(record.key.unwrap_or_default()).unwrap();
            let offset = desk.0.restore(&key, record.value.as_deref()).map_err(|error| error.to_string())?;
            desk.1 = offset.or(desk.1);
        }
        for (number, (desk, offset)) in &desks {
            let partition = Partition::new("inbox", *number);
            let committed = self.lookup.committed("app-desk", &[partition]).unwrap();
            let committed = committed[0].as_ref().map(|committed| committed.offset);
            if committed.is_some() && committed != *offset {
                return Err(format!(
                    "partition {number}: the group is at {committed:?}, the changelog at {offset:?}"
                ));
            }
            if desk.pendings().count() > 0 {
                return Err(format!("partition {number}: pendings are left in the changelog"));
            }
        }
        Ok(())
    }
}
