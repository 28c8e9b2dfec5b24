//! Books that need no rule of the desk: nothing twice, nothing lost, whatever was decided.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Topic;

/// Types of inbox records that one entity sends to another.
const BETWEEN_ENTITIES: [&str; 7] =
    ["submitted", "sold", "answer", "sold_out", "load", "not_loaded", "standing"];

#[derive(Default)]
pub struct Ledger {
    /// Event ids seen, but for those of strangers, which may come again.
    ids: BTreeSet<String>,
    requested: BTreeSet<String>,
    /// Terminal events by purchase.
    ended: BTreeMap<String, Vec<String>>,
    orders: BTreeMap<String, u64>,
    /// The cause of the last event: of one inbox partition they follow one another.
    causes: BTreeMap<(Topic, u32, u32), u64>,
    /// Messages between entities: how often expected, and how often found in which inbox partition.
    expected: BTreeMap<String, u64>,
    found: BTreeMap<String, BTreeMap<u32, u64>>,
    /// Where the entities live.
    homes: BTreeMap<String, u32>,
    strays: Vec<String>,
}

impl Ledger {
    /// A record of the inbox.
    pub fn found(&mut self, partition: u32, offset: u64, value: &[u8]) {
        // What moves time is for everybody, and there is much of it.
        let head = &value[..value.len().min(32)];
        let is = |kind: &[u8]| memchr::memmem::find(head, kind).is_some();
        if is(br#""type":"mark""#) || is(br#""type":"progress""#) {
            return;
        }
        let Ok(Value::Object(mut record)) = serde_json::from_slice::<Value>(value) else {
            return self.strays.push(format!("inbox {partition}/{offset}: no JSON object"));
        };
        record.remove("v");
        let record = Value::Object(record);
        if let Some(entity) = entity(&record)
            && *self.homes.entry(entity.clone()).or_insert(partition) != partition
        {
            self.strays.push(format!("inbox {partition}/{offset}: {entity} lives in another partition"));
        }
        if record["type"].as_str().is_some_and(|kind| BETWEEN_ENTITIES.contains(&kind)) {
            *self.found.entry(record.to_string()).or_default().entry(partition).or_default() += 1;
        }
    }

    /// The rules ask for a message.
    pub fn expect(&mut self, message: Value) {
        *self.expected.entry(message.to_string()).or_default() += 1;
    }

    /// How many messages were asked for.
    pub fn messages(&self) -> u64 {
        self.expected.values().sum()
    }

    /// An event. Says what is wrong with it whatever it was decided on.
    pub fn written(
        &mut self,
        topic: Topic,
        partition: u32,
        cause: (u32, u64),
        event: &Value,
    ) -> Option<String> {
        let of = |field: &str| event[field].as_str().unwrap_or_default().to_owned();
        let before = self.causes.insert((topic, partition, cause.0), cause.1);
        if before.is_some_and(|before| before > cause.1) {
            return Some(format!("an event of {}/{} came before it", cause.0, before.unwrap_or_default()));
        }
        if event["reason"] != "not_linked" && !self.ids.insert(of("event_id")) {
            return Some("the event_id was there before".to_owned());
        }
        let purchase = of("purchase_id");
        match event["type"].as_str().unwrap_or_default() {
            "purchase.requested" if !self.requested.insert(purchase.clone()) => {
                Some("requested twice".to_owned())
            }
            kind @ ("purchase.confirmed" | "purchase.lapsed" | "purchase.cancelled") => {
                let ends = self.ended.entry(purchase).or_default();
                ends.push(kind.to_owned());
                (ends.len() > 1).then(|| format!("its purchase has ended before: {ends:?}"))
            }
            "order.placed" => {
                *self.orders.entry(purchase).or_default() += 1;
                None
            }
            _ => None,
        }
    }

    /// Messages that are not in the inbox as often as the rules ask for.
    pub fn wrong_messages(&self, partitions: impl Iterator<Item = u32>) -> Vec<String> {
        let mut left = Vec::new();
        let partitions: Vec<u32> = partitions.collect();
        let messages: BTreeSet<&String> = self.expected.keys().chain(self.found.keys()).collect();
        for message in messages {
            let expected = self.expected.get(message).copied().unwrap_or(0);
            let found = self.found.get(message).cloned().unwrap_or_default();
            let everywhere = message.contains(r#""type":"sold_out""#);
            let right = if everywhere {
                partitions.iter().all(|p| found.get(p).copied().unwrap_or(0) == expected)
            } else {
                found.values().sum::<u64>() == expected
            };
            if !right {
                left.push(format!(
                    "message {message}: expected {expected}, found (inbox partition: times) {found:?}"
                ));
            }
        }
        left
    }

    /// What is missing or too much at the end of a run.
    pub fn left_over(&self, partitions: impl Iterator<Item = u32>, pendings: &[String]) -> Vec<String> {
        let mut left = self.strays.clone();
        left.extend(self.wrong_messages(partitions));
        let pendings: BTreeSet<&String> = pendings.iter().collect();
        for purchase in &self.requested {
            if !self.ended.contains_key(purchase) && !pendings.contains(purchase) {
                left.push(format!("purchase {purchase} was requested, has no end and is not pending"));
            }
        }
        for (purchase, ends) in &self.ended {
            if !self.requested.contains(purchase) {
                left.push(format!("purchase {purchase} ended and was never requested: {ends:?}"));
            }
            let bought = ends.iter().filter(|kind| *kind == "purchase.confirmed").count() as u64;
            let orders = self.orders.get(purchase).copied().unwrap_or(0);
            if bought != orders {
                left.push(format!("purchase {purchase}: {bought} times confirmed, {orders} orders"));
            }
        }
        for purchase in self.orders.keys().filter(|id| !self.ended.contains_key(*id)) {
            left.push(format!("purchase {purchase} has an order and was never confirmed"));
        }
        left
    }
}

/// Which entity a record is for, if it is for one alone.
fn entity(record: &Value) -> Option<String> {
    let text = |field: &Value| field.as_str().map(str::to_owned);
    let offer = |id: &Value| text(id).map(|id| format!("offer/{id}"));
    match record["type"].as_str()? {
        "sighting" | "deletion" | "answer" | "not_loaded" => {
            text(&record["account"]).map(|id| format!("account/{id}"))
        }
        "account" => text(&record["account_id"]).map(|id| format!("account/{id}")),
        "offer" | "submitted" => offer(&record["offer"]["offer_id"]),
        "sold" => offer(&record["offer_id"]),
        "load" | "standing" | "transaction" => {
            text(&record["card_token"]).map(|token| format!("card/{token}"))
        }
        _ => None,
    }
}
