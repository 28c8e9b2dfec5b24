//! What stands in the topics, against what was tweeted and what has to follow from it.
//!
//! | | what is compared | as it runs | at the end |
//! | --- | --- | --- | --- |
//! | the model | each decided inbox record with what the rules alone make of it | yes | nothing is left over |
//! | marks | a mark at tweet time t, with every tweet that has to be in the inbox before it (I3, I5) | yes | |
//! | progress | the same for the card transactions and their own time | yes | |
//! | sightings | every tweet that has to be seen is in the inbox (I5, I6), and every card transaction | | yes |
//! | schemas | every record of the inbox, the changelog and the events with its published schema | yes | yes |
//! | tables | the newest record of every account is in the inbox (I5) | | yes |
//! | promises | who has confirmed in time and done nothing odd has bought (I3), and who has paid for a coupon has its credit | | yes |
//! | credits | what was credited, with what was loaded (I11) and by which transactions (I12), and with the orders | yes | yes |
//! | state | the compacted changelog, replayed, holds the pendings that the model knows, and its coupons | yes | yes |
//! | bounds | what it remembers of an account or a card has its bounds (I8) | yes | yes |

mod credits;
mod facts;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use hashbuy::core::code::Secret;
use hashbuy::core::desk::Desk;
use hashbuy::core::inbox::Inbox;
use hashbuy::core::reader::Reader;
use hashbuy::core::time::Time;
use hashbuy::log::memory::{MemoryLog, Record, Tombstones};
use hashbuy::log::{Isolation, Log, Lookup, Partition};
use serde_json::Value;

use self::credits::Credits;
use self::facts::{Facts, IDLE_END, was_idle};
use super::firehose::ACCOUNTS;
use super::people::{People, Promise};
use super::stream::Delivered;
use super::wallets::Credit;
use crate::model::{Oracle, Topic};
use crate::schema;

/// So much at most is remembered of what an account did.
const MOST: [(&str, usize); 2] = [("markers", 256), ("deletions", 64)];
/// And so much of a card, with the payments that coupons hang on.
const MOST_OF_A_CARD: [(&str, usize); 2] = [("payments", 512), ("refunds", 256)];

/// The key of the codes.
pub const SECRET: &[u8] = b"what nobody may know";
/// The state is compared at every so manieth look.
const STATE_EVERY: u32 = 30;

/// What was delivered into the topics that others fill.
#[derive(Clone, Copy)]
pub struct Sent<'s> {
    pub tweets: &'s [Vec<Delivered>],
    pub transactions: &'s [Vec<Delivered>],
}

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
    tweets: Facts,
    transactions: Facts,
    /// The last record of each partition of the inbox that moves no time.
    told: Vec<Option<u64>>,
    purse: Credits,
    requested: BTreeMap<String, i64>,
    ended: BTreeMap<String, String>,
    ordered: BTreeSet<String>,
    ids: BTreeSet<String>,
    /// All that were ever linked, and up to which offset of the table the inbox knows of each.
    accounts: BTreeMap<String, u64>,
    census: BTreeMap<String, u64>,
    pub promises: u64,
    /// Credits that were promised, and tested.
    pub credits: u64,
}

impl Watch {
    pub fn new(log: &MemoryLog, inbox: u32) -> Watch {
        let count = |topic| if matches!(topic, "inbox" | "desk-changelog") { inbox } else { 2 };
        let all = ["inbox", "desk-changelog", "purchases", "orders"].into_iter();
        let all =
            all.flat_map(|topic| (0..count(topic)).map(move |number| (Partition::new(topic, number), 0)));
        Watch {
            inbox,
            lookup: log.lookup().unwrap(),
            oracle: Oracle::new(SECRET),
            reader: Reader::default(),
            read: all.collect(),
            looks: 0,
            tweets: Facts::new("tweet", inbox),
            transactions: Facts::new("transaction", inbox),
            told: vec![None; inbox as usize],
            purse: Credits::default(),
            requested: BTreeMap::new(),
            ended: BTreeMap::new(),
            ordered: BTreeSet::new(),
            ids: BTreeSet::new(),
            accounts: BTreeMap::new(),
            census: BTreeMap::new(),
            promises: 0,
            credits: 0,
        }
    }

    /// Compares what has come since the last look.
    pub fn look(&mut self, log: &MemoryLog, sent: Sent<'_>) -> Result<(), String> {
        self.tweets.note_times(sent.tweets);
        self.transactions.note_times(sent.transactions);
        let decided = self.decided();
        for (partition, from) in self.read.clone() {
            let records = log.records_from(&partition, from).unwrap();
            for record in &records {
                match &*partition.topic {
                    "inbox" => self.inbox(record, sent)?,
                    "desk-changelog" => published("changelog", record.value.as_deref())?,
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
        self.read.keys().any(|partition| {
            let mut end = |isolation| self.lookup.watermarks(partition, isolation).unwrap().1;
            end(Isolation::Committed) < end(Isolation::Uncommitted)
        })
    }

    /// All that was tweeted has been seen and decided, and every purchase has come to its end.
    pub fn is_settled(&mut self, sent: Sent<'_>) -> bool {
        let decided: BTreeMap<u32, u64> = self.decided().into_iter().collect();
        let is_decided = |(number, last): (u32, &Option<u64>)| {
            last.is_none_or(|last| decided.get(&number).is_some_and(|next| *next > last))
        };
        self.tweets.all(sent.tweets).is_ok()
            && self.transactions.all(sent.transactions).is_ok()
            && (0..).zip(&self.told).all(is_decided)
            && self.requested.keys().all(|purchase| self.ended.contains_key(purchase))
    }

    pub fn census(&self) -> BTreeMap<String, u64> {
        self.census.clone()
    }

    fn inbox(&mut self, record: &Record, sent: Sent<'_>) -> Result<(), String> {
        let number = record.partition as usize;
        let value = record.value.as_deref().unwrap_or_default();
        published("inbox", Some(value))?;
        self.oracle.inbox(record.partition, record.offset, record.timestamp.millis(), value);
        let read = self.reader.read(value);
        if !matches!(read, Ok(Inbox::Mark { .. } | Inbox::Progress { .. })) {
            self.told[number] = Some(record.offset);
        }
        match read {
            Ok(Inbox::Sighting(sighting)) => {
                self.tweets.has_come(record.partition, sighting.tweet_id.to_string());
            }
            Ok(Inbox::Transaction(transaction)) => {
                self.transactions.has_come(record.partition, transaction.transaction_id);
            }
            Ok(Inbox::Mark { time, .. }) => self.tweets.said(record, time.millis(), sent.tweets)?,
            Ok(Inbox::Progress { time }) => {
                self.transactions.said(record, time.millis(), sent.transactions)?;
            }
            Ok(Inbox::Account { account_id, position, .. }) => {
                let known = self.accounts.entry(account_id.to_string()).or_default();
                *known = position.offset.max(*known);
            }
            Ok(_) => {}
            Err(corrupt) => return Err(format!("inbox/{number}@{}: {corrupt}", record.offset)),
        }
        Ok(())
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
        if let Some(fault) = schema::fault(&event) {
            return Err(fault);
        }
        let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
        let (kind, purchase) = (text("type"), text("purchase_id"));
        *self.census.entry(kind.clone()).or_default() += 1;
        self.purse.event(&event)?;
        // What an author is told who was not linked may come again.
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
        sent: Sent<'_>,
        people: &People,
        slack: i64,
    ) -> Result<(), String> {
        self.look(log, sent)?;
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
        self.purse.finish()?;
        self.tweets.all(sent.tweets)?;
        self.transactions.all(sent.transactions)?;
        self.tables(log)?;
        self.promises(sent.tweets, &people.promises, slack)?;
        self.promised_credits(sent.transactions, &people.wallets.promises)?;
        self.oracle.finish()?;
        log.compact("desk-changelog", Tombstones::Drop).unwrap();
        self.state(log)
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
        let told = by_id(delivered);
        for promise in promises {
            let Some((partition, one)) = told.get(&*promise.tweet.to_string()) else { continue };
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

    /// Who has paid for a coupon and done nothing odd has its credit, by this payment or another one: unless the
    /// payment came into its partition behind one that was past the end of the coupon, or nobody waited for that.
    fn promised_credits(&mut self, delivered: &[Vec<Delivered>], promises: &[Credit]) -> Result<(), String> {
        let told = by_id(delivered);
        for promise in promises {
            let Some((partition, one)) = told.get(&*promise.payment) else { continue };
            if one.before >= promise.until || was_idle(partition, promise.at - IDLE_END, one.at - 1) {
                continue;
            }
            self.credits += 1;
            if !self.purse.has_earned(&promise.account, &promise.offer) {
                return Err(format!(
                    "{} was paid in time at {}, and coupon {} of account {} has earned nothing (I3)",
                    promise.payment,
                    Time::from_millis(promise.at),
                    promise.offer,
                    promise.account,
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
            let mut coupons = BTreeMap::new();
            let records = log.records_from(&Partition::new("desk-changelog", number), 0).unwrap();
            let newest: BTreeMap<Vec<u8>, Option<Vec<u8>>> =
                records.into_iter().map(|record| (record.key.unwrap_or_default(), record.value)).collect();
            for (key, value) in newest {
                let key = String::from_utf8(key).unwrap();
                if let Some(value) = &value {
                    self.bounded(&key, value)
                        .map_err(|what| format!("partition {number} at {committed}: {what} (I8)"))?;
                    coupons.extend(coupons_in(&key, value));
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
            let there = model.coupons();
            if coupons != there {
                return Err(format!(
                    "partition {number} at {committed}: coupons {coupons:?} in the changelog, {there:?} in the model"
                ));
            }
        }
        Ok(())
    }

    /// Whether what is remembered under a key is: nothing of those who were never linked, and so much of what the
    /// others did.
    fn bounded(&self, key: &str, value: &[u8]) -> Result<(), String> {
        let id = key.strip_prefix("account/");
        if let Some(id) = id.filter(|id| !self.accounts.contains_key(*id)) {
            return Err(format!("account {id} is remembered, and was never linked"));
        }
        if id.is_none() && !key.starts_with("card/") {
            return Ok(());
        }
        let record: Value = serde_json::from_slice(value).unwrap();
        let (lists, bounds) =
            if id.is_some() { (&record["history"], MOST) } else { (&record["card"], MOST_OF_A_CARD) };
        for (list, most) in bounds {
            let count = lists[list].as_array().map_or(0, Vec::len);
            if count > most {
                return Err(format!("{key} has {count} {list}, more than {most}"));
            }
        }
        Ok(())
    }
}

/// Whether a record is what its schema says.
fn published(schema: &'static str, value: Option<&[u8]>) -> Result<(), String> {
    value.and_then(|value| schema::record_fault(schema, value)).map_or(Ok(()), Err)
}

/// What was delivered and has to be seen, with its partition.
fn by_id(delivered: &[Vec<Delivered>]) -> HashMap<&str, (&Vec<Delivered>, &Delivered)> {
    let all = delivered.iter().flat_map(|partition| partition.iter().map(move |one| (partition, one)));
    all.filter_map(|(partition, one)| Some((&*one.told.as_ref()?.id, (partition, one)))).collect()
}

/// The coupons in a record of the changelog: what has become of each, by card and offer.
fn coupons_in(key: &str, value: &[u8]) -> Vec<((String, String), String)> {
    let Some(card) = key.strip_prefix("card/") else { return Vec::new() };
    let record: Value = serde_json::from_slice(value).unwrap();
    let coupons = record["card"]["coupons"].as_array().into_iter().flatten();
    let fate = |fate: &Value| match fate {
        Value::Object(fate) => fate.keys().next().unwrap().clone(),
        fate => fate.as_str().unwrap().to_owned(),
    };
    let coupon = |coupon: &Value| {
        let offer = coupon["offer"]["offer_id"].as_str().unwrap().to_owned();
        ((card.to_owned(), offer), fate(&coupon["fate"]))
    };
    coupons.map(coupon).collect()
}
