//! What a run has written, against the models of its inbox partitions.

mod ledger;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use self::ledger::Ledger;
use super::{Model, Output, Record};

/// So many differences are told; the first ones explain the others.
const TOLD: usize = 5;

/// Where an event was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    Purchases,
    Orders,
}

/// What a run came to.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Inbox records that were decided.
    pub records: u64,
    /// Events and orders by type, refusals by `purchase.refused/<reason>`, cancellations by cause.
    pub events: BTreeMap<String, u64>,
    /// Messages between entities.
    pub messages: u64,
    /// Purchases that wait for their code at the end.
    pub pendings: usize,
}

/// One event as it was found.
#[derive(Debug, Clone)]
struct Written {
    topic: Topic,
    partition: u32,
    offset: u64,
    /// Without the text of its reply.
    event: Value,
    now: i64,
}

/// One inbox record.
struct Entry {
    appended_at: i64,
    value: Vec<u8>,
}

struct Partition {
    model: Model,
    inbox: BTreeMap<u64, Entry>,
    /// Records below this one are decided.
    upto: u64,
}

/// Compares the topics of a run with the model of each inbox partition.
///
/// Feed it all committed records ([`inbox`](Oracle::inbox), [`written`](Oracle::written)), then say
/// how far the desk has come ([`decided`](Oracle::decided)). Every event of a decided record has to
/// be fed before: read the group's committed offsets *first*, then the high watermarks of the topics,
/// then the topics up to these. (A transaction's end reaches its partitions one by one, so the end of
/// what is readable at a moment is not enough.)
pub struct Oracle {
    secret: Vec<u8>,
    partitions: BTreeMap<u32, Partition>,
    /// Events by the inbox record that they were decided on, until that is decided here.
    written: BTreeMap<(u32, u64), Vec<Written>>,
    ledger: Ledger,
    differences: Vec<String>,
    summary: Summary,
}

impl Oracle {
    pub fn new(secret: &[u8]) -> Oracle {
        Oracle {
            secret: secret.to_vec(),
            partitions: BTreeMap::new(),
            written: BTreeMap::new(),
            ledger: Ledger::default(),
            differences: Vec::new(),
            summary: Summary::default(),
        }
    }

    /// A committed record of the inbox; those of a partition in the order of their offsets.
    pub fn inbox(&mut self, partition: u32, offset: u64, appended_at: i64, value: &[u8]) {
        let secret = &self.secret;
        let of = self.partitions.entry(partition).or_insert_with(|| Partition {
            model: Model::new(secret),
            inbox: BTreeMap::new(),
            upto: 0,
        });
        if let Some((last, _)) = of.inbox.last_key_value() {
            assert!(*last < offset, "inbox {partition}: {offset} was fed after {last}");
        }
        of.inbox.insert(offset, Entry { appended_at, value: value.to_vec() });
        self.ledger.found(partition, offset, value);
    }

    /// A committed event, with its headers `hashbuy-cause` and `hashbuy-now`; those of a partition
    /// in the order of their offsets.
    pub fn written(
        &mut self,
        topic: Topic,
        partition: u32,
        offset: u64,
        value: &[u8],
        cause: &str,
        now: &str,
    ) {
        let place = format!("{topic:?} {partition}/{offset}");
        let Ok(mut event) = serde_json::from_slice::<Value>(value) else {
            return self.differ(format!("{place}: no JSON: {}", String::from_utf8_lossy(value)));
        };
        let now = now.parse::<hashbuy::core::time::Time>().map(|time| time.millis());
        let cause = cause.split_once('/').and_then(|(p, o)| Some((p.parse().ok()?, o.parse().ok()?)));
        let (Some(cause), Ok(now)) = (cause, now) else {
            return self.differ(format!("{place}: unreadable hashbuy-cause or hashbuy-now: {event}"));
        };
        if let Some(difference) = self.ledger.written(topic, partition, cause, &event) {
            self.differ(format!("{place}: {difference}: {event}"));
        }
        strip_text(&mut event);
        self.written.entry(cause).or_default().push(Written { topic, partition, offset, event, now });
    }

    /// All records of this partition below `upto` are decided and committed: compares.
    ///
    /// # Errors
    /// The first differences of the whole run so far.
    pub fn decided(&mut self, partition: u32, upto: u64) -> Result<(), String> {
        let Some(of) = self.partitions.get_mut(&partition) else { return self.verdict() };
        let from = of.upto;
        of.upto = upto.max(from);
        if !of.model.has_begun() {
            of.inbox.range(from..).any(|(_, entry)| of.model.looks_ahead(&entry.value));
        }
        let mut expected = Vec::new();
        for (&offset, entry) in of.inbox.range(from..of.upto) {
            let written = self.written.get(&(partition, offset));
            let now = written.and_then(|all| all.first()).map(|event| event.now);
            let record =
                Record { partition, offset, appended_at: entry.appended_at, value: &entry.value, now };
            expected.extend(of.model.step(&record));
            self.summary.records += 1;
        }
        if of.model.two_settings_of_one_revision {
            self.differ(format!("inbox {partition}: two contents of settings with one revision"));
        }
        for (offset, outputs) in expected {
            self.compare(partition, offset, outputs);
        }
        // Nobody asks for what is compared; the last one tells how far the records go. A run may be long.
        if let Some(of) = self.partitions.get_mut(&partition)
            && let Some(last) = of.inbox.last_key_value().map(|(last, _)| *last)
        {
            // Before the first mark all of them wait.
            let done = if of.model.has_begun() { of.upto.min(last) } else { 0 };
            of.inbox = of.inbox.split_off(&done);
        }
        self.verdict()
    }

    /// At the end of a run, when the desk has decided on everything: nothing is left over.
    ///
    /// # Errors
    /// The first differences of the whole run.
    pub fn finish(&mut self) -> Result<Summary, String> {
        let undecided = self.partitions.iter().filter_map(|(number, of)| {
            let last = *of.inbox.last_key_value()?.0;
            (last >= of.upto).then(|| format!("inbox {number}: decided up to {}, it has {last}", of.upto))
        });
        let mut left: Vec<String> = undecided.collect();
        for ((partition, offset), all) in std::mem::take(&mut self.written) {
            let what: Vec<String> = all.iter().map(Written::show).collect();
            let what = what.join("\n  ");
            left.push(format!(
                "events whose cause {partition}/{offset} is not decided, or unknown:\n  {what}"
            ));
        }
        let (mut pendings, mut ended) = (Vec::new(), 0);
        for of in self.partitions.values() {
            pendings.extend(of.model.pendings().into_keys());
            ended += of.model.alive().submitted;
        }
        if ended > 0 {
            left.push(format!("{ended} purchases are submitted and have no answer"));
        }
        left.extend(self.ledger.left_over(self.partitions.keys().copied(), &pendings));
        for difference in left {
            self.differ(difference);
        }
        self.summary.pendings = pendings.len();
        self.summary.messages = self.ledger.messages();
        self.verdict()?;
        Ok(self.summary.clone())
    }

    /// How much the models of all partitions remember now.
    pub fn models(&self) -> impl Iterator<Item = (u32, &Model)> {
        self.partitions.iter().map(|(number, of)| (*number, &of.model))
    }

    /// Compares what one record should have led to with what it has.
    fn compare(&mut self, partition: u32, offset: u64, outputs: Vec<Output>) {
        let mut found = self.written.remove(&(partition, offset)).unwrap_or_default();
        let clocks: BTreeSet<i64> = found.iter().map(|event| event.now).collect();
        let record = self.record(partition, offset);
        // What ends many purchases may take several transactions; a tweet is one step of one.
        if clocks.len() > 1
            && !["mark", "withdrawn", "account", "progress"].iter().any(|kind| is(&record, kind))
        {
            self.differ(format!(
                "inbox {partition}/{offset}: decided by several clocks {clocks:?}: {record}"
            ));
        }
        let mut missing = Vec::new();
        // The last expected event found in each event partition: they stand in the expected order.
        let mut reached: BTreeMap<(Topic, u32), usize> = BTreeMap::new();
        let mut out_of_order = Vec::new();
        for (n, output) in outputs.into_iter().enumerate() {
            let (topic, event) = match output {
                Output::Message(message) => {
                    self.ledger.expect(message);
                    continue;
                }
                Output::Event(event) => (Topic::Purchases, event),
                Output::Order(event) => (Topic::Orders, event),
            };
            let Some(at) = found.iter().position(|w| w.topic == topic && w.event == event) else {
                missing.push(format!("{topic:?} {event}"));
                continue;
            };
            let there = found.remove(at);
            *self.summary.events.entry(name(&there.event)).or_default() += 1;
            // In which order one record cancels is left open, and in which order coupons expire.
            if !is_unordered(&there.event) {
                let after = reached.insert((topic, there.partition), there.offset as usize);
                if after.is_some_and(|after| after > there.offset as usize) {
                    out_of_order.push(format!("{} (number {n})", there.show()));
                }
            }
        }
        if missing.is_empty() && found.is_empty() && out_of_order.is_empty() {
            return;
        }
        let mut text = format!("inbox {partition}/{offset}: {record}");
        let found = found.iter().map(Written::show).collect();
        for (what, which) in [("expected", missing), ("found", found), ("out of order", out_of_order)] {
            for event in which {
                text.push_str(&format!("\n  {what}: {event}"));
            }
        }
        self.differ(text);
    }

    fn record(&self, partition: u32, offset: u64) -> String {
        let entry = self.partitions.get(&partition).and_then(|of| of.inbox.get(&offset));
        entry.map_or_else(String::new, |e| {
            format!("(appended at {}) {}", e.appended_at, String::from_utf8_lossy(&e.value))
        })
    }

    fn differ(&mut self, difference: String) {
        self.differences.push(difference);
    }

    fn verdict(&self) -> Result<(), String> {
        if self.differences.is_empty() {
            return Ok(());
        }
        let mut first: Vec<String> = self.differences.iter().take(TOLD).cloned().collect();
        // A message that never came explains a lot of what follows.
        let messages = self.ledger.wrong_messages(self.partitions.keys().copied());
        first.extend(messages.into_iter().filter(|m| !self.differences.contains(m)).take(TOLD));
        Err(format!("{} differences; the first, and messages:\n{}", self.differences.len(), first.join("\n")))
    }
}

impl Written {
    fn show(&self) -> String {
        format!("{:?} {}/{} now {} {}", self.topic, self.partition, self.offset, self.now, self.event)
    }
}

/// Whether an inbox record is of this type.
fn is(record: &str, kind: &str) -> bool {
    record.contains(&format!(r#""type":"{kind}""#))
}

/// One record may lead to many of these, in an order that is left open.
pub fn is_unordered(event: &Value) -> bool {
    event["type"] == "purchase.cancelled" || event["type"] == "coupon.expired"
}

/// What an event is counted as.
fn name(event: &Value) -> String {
    let kind = event["type"].as_str().unwrap_or("?");
    match event.get("reason").or(event.get("cause")).and_then(Value::as_str) {
        Some(why) => format!("{kind}/{why}"),
        None => kind.to_owned(),
    }
}

/// Takes out the text of the reply, whose wording is free; one that is missing or empty stands out.
pub fn strip_text(event: &mut Value) {
    let Some(reply) = event.get_mut("reply").and_then(Value::as_object_mut) else { return };
    let text = reply.remove("text");
    if text.as_ref().and_then(Value::as_str).is_none_or(str::is_empty) {
        reply.insert("text".to_owned(), "missing or empty".into());
    }
}
