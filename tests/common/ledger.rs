//! A second book-keeping: reads the events of a run in their order and says what they break.
//!
//! It knows the tables and the events, but no tweets: what is promised to those who read the
//! events has to be visible in them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::program::{World, text};
use super::tags::{id_of, millis, time_of};

const HOUR: i64 = 3_600_000;

#[derive(Clone)]
struct Purchase {
    /// The version of the offer tweet that asked.
    tweet: u64,
    account: String,
    offer: String,
    issued: i64,
    deadline: i64,
    price: Value,
    /// The type of its terminal event.
    end: Option<String>,
    /// The UTC day of its confirmation.
    confirmed_on: Option<i64>,
}

/// What was seen so far.
pub struct Ledger<'w> {
    world: &'w World,
    purchases: BTreeMap<String, Purchase>,
    /// Which tweet ended which purchase; known from the beginning, because an offer's stock answers
    /// only after the whole tweet was looked at.
    ended_by: BTreeMap<String, u64>,
    wrong_codes: BTreeMap<String, Vec<i64>>,
    /// From when an account's codes are locked for an hour, and by which tweet, each time.
    locks: BTreeMap<String, Vec<(i64, u64)>>,
    answered: BTreeMap<String, i64>,
    event_ids: BTreeSet<String>,
    pub faults: Vec<String>,
}

/// Reads all events and gives back what is wrong with them; `finished` says that no purchase may
/// be left without an end.
pub fn faults(world: &World, events: &[Value], finished: bool) -> Vec<String> {
    let mut ledger = Ledger {
        world,
        purchases: BTreeMap::new(),
        ended_by: events.iter().filter_map(ending).collect(),
        wrong_codes: BTreeMap::new(),
        locks: BTreeMap::new(),
        answered: BTreeMap::new(),
        event_ids: BTreeSet::new(),
        faults: Vec::new(),
    };
    for (i, event) in events.iter().enumerate() {
        ledger.identity(event);
        ledger.privacy(event);
        ledger.order(events, i);
        match text(event, "type") {
            "purchase.requested" => ledger.requested(event),
            "purchase.confirmed" => ledger.confirmed(event),
            "purchase.lapsed" | "purchase.cancelled" => ledger.ended(event),
            "purchase.refused" => ledger.refused(event),
            "purchase.reminded" | "order.placed" => {}
            other => ledger.faults.push(format!("an event of the type {other:?}")),
        }
    }
    let left = ledger.purchases.values().filter(|p| p.end.is_none()).count();
    if finished && left > 0 {
        ledger.faults.push(format!("{left} purchases without an end"));
    }
    ledger.faults
}

/// The purchase that a tweet ended, and the tweet.
fn ending(event: &Value) -> Option<(String, u64)> {
    let tweet = match text(event, "type") {
        "purchase.confirmed" => text(event, "confirm_tweet_id"),
        "purchase.cancelled" if event["cause"] == "sold_out" => text(&event["reply"], "in_reply_to"),
        _ => return None,
    };
    Some((text(event, "purchase_id").to_owned(), tweet.parse().unwrap()))
}

impl Ledger<'_> {
    fn check(&mut self, holds: bool, rule: &str, event: &Value) {
        if !holds {
            self.faults.push(format!("{rule}: {event}"));
        }
    }

    /// No event twice; an event's id is made of what the event is about.
    fn identity(&mut self, event: &Value) {
        let new = self.event_ids.insert(text(event, "event_id").to_owned());
        // A stranger's refusal leaves no trace, so its tweet's copy is refused again.
        self.check(new || event["reason"] == "not_linked", "an event id twice", event);
        let subject = event["purchase_id"].as_str().unwrap_or(text(event, "account_id"));
        let cause = match text(event, "type") {
            "purchase.requested" => text(&event["reply"], "in_reply_to").to_owned(),
            "purchase.reminded" | "purchase.refused" => text(event, "tweet_id").to_owned(),
            "purchase.confirmed" => text(event, "confirm_tweet_id").to_owned(),
            "order.placed" => {
                self.ended_by.get(text(event, "purchase_id")).map_or(String::new(), u64::to_string)
            }
            _ => text(event, "offer_tweet_id").to_owned(),
        };
        let tag = text(event, "hashtag").trim_start_matches(['#', '\u{ff03}']).to_ascii_lowercase();
        let what = event["offer_id"].as_str().unwrap_or(&tag);
        let expected = id_of(&format!("{}\n{subject}\n{cause}\n{what}", text(event, "type")));
        self.check(expected == text(event, "event_id"), "the event id is not that of its parts", event);
    }

    /// Events for everybody carry no card token and no address.
    fn privacy(&mut self, event: &Value) {
        let line = event.to_string();
        let secret = line.contains("tok-") || line.contains("door-");
        self.check(secret == (event["type"] == "order.placed"), "card token or delivery reference", event);
    }

    /// An order stands directly behind its confirmation, and every confirmation has one.
    fn order(&mut self, events: &[Value], i: usize) {
        let event = &events[i];
        let twin = match text(event, "type") {
            "purchase.confirmed" => events.get(i + 1).filter(|e| e["type"] == "order.placed"),
            "order.placed" => {
                i.checked_sub(1).map(|i| &events[i]).filter(|e| e["type"] == "purchase.confirmed")
            }
            _ => return,
        };
        let same = |field: &str| twin.is_some_and(|twin| twin[field] == event[field]);
        let fields =
            ["purchase_id", "account_id", "offer_id", "offer_version", "product", "merchant_id", "price"];
        self.check(fields.into_iter().all(same), "order.placed and purchase.confirmed stand together", event);
    }

    fn requested(&mut self, event: &Value) {
        let (account, offer) = (text(event, "account_id").to_owned(), text(event, "offer_id").to_owned());
        let tweet: u64 = text(&event["reply"], "in_reply_to").parse().unwrap();
        let (time, issued) = (time_of(tweet), millis(text(event, "issued_at")));
        let deadline = millis(text(event, "deadline"));

        let record = self.account_at(&account, issued);
        self.check(record.is_some_and(|r| r["status"] == "active"), "a request of no active account", event);
        let terms = self.offer_at(&offer, issued).cloned().unwrap_or_default();
        self.check(terms["version"] == event["offer_version"], "not the version in force", event);
        self.check(terms["price"] == event["price"], "not the price in force", event);
        self.check(terms["status"] != "withdrawn", "a withdrawn offer", event);
        let open = millis(text(&terms, "starts_at"))..=millis(text(&terms, "ends_at"));
        self.check(open.contains(&time), "an offer that is not open", event);
        let window = terms["window_seconds"].as_i64().unwrap_or(900) * 1_000;
        self.check(issued >= time && deadline == issued + window, "not the whole window", event);
        self.check(event["at"] == event["issued_at"], "at is not issued_at", event);

        self.limits(event, &account, &offer, time, tweet);
        let purchase = Purchase {
            tweet,
            account,
            offer,
            issued,
            deadline,
            price: event["price"].clone(),
            end: None,
            confirmed_on: None,
        };
        let twice = self.purchases.insert(text(event, "purchase_id").to_owned(), purchase).is_some();
        self.check(!twice, "a purchase requested twice", event);
    }

    /// The limits at a request, by what the events before it say.
    fn limits(&mut self, event: &Value, account: &str, offer: &str, time: i64, tweet: u64) {
        let caps = self.caps(account);
        let limit = |name: &str, default: i64| caps[name].as_i64().unwrap_or(default);
        let own: Vec<(&String, &Purchase)> =
            self.purchases.iter().filter(|(_, p)| p.account == account).collect();
        let pending: Vec<&Purchase> = own
            .iter()
            .filter(|(id, p)| p.end.is_none() && p.deadline >= time && self.ended_by.get(*id) != Some(&tweet))
            .map(|(_, p)| *p)
            .collect();
        let lately = own.iter().filter(|(_, p)| p.issued > time - HOUR).count() as i64;
        let units = own.iter().filter(|(_, p)| p.offer == offer && p.confirmed_on.is_some()).count();
        let same = pending.iter().filter(|p| p.offer == offer).count();
        let price = &event["price"];
        let spent: i64 = own
            .iter()
            .filter(|(_, p)| p.confirmed_on == Some(day(time)))
            .map(|(_, p)| *p)
            .chain(pending.iter().copied())
            .map(|p| amount_in(&p.price, price))
            .sum();
        let linked_at = self.linked_since(account);
        let kept = [
            ((pending.len() as i64) < limit("pendings", 5), "too many pendings"),
            (lately < limit("requests_per_hour", 20), "too many requests in an hour"),
            (same == 0, "a second pending of an offer"),
            (((units + same) as i64) < self.per_account(offer), "too many units"),
            (spent + amount_in(price, price) <= self.cap(account, price), "too much in a day"),
            (time >= linked_at + limit("hold_seconds", 3_600) * 1_000, "on hold"),
        ];
        for (holds, rule) in kept {
            self.check(holds, rule, event);
        }
    }

    fn confirmed(&mut self, event: &Value) {
        let time = millis(text(event, "confirmed_at"));
        let tweet: u64 = text(event, "confirm_tweet_id").parse().unwrap();
        self.check(time_of(tweet) == time, "confirmed_at is not the tweet's time", event);
        self.ended(event);
        let id = text(event, "purchase_id");
        let Some(purchase) = self.purchases.get_mut(id) else { return };
        purchase.confirmed_on = Some(day(time));
        let purchase = purchase.clone();
        self.check(time <= purchase.deadline, "confirmed after the deadline", event);
        self.check(event["price"] == purchase.price, "not the price as shown", event);

        let bought = |p: &&Purchase| p.confirmed_on.is_some() && p.offer == purchase.offer;
        let sold = self.purchases.values().filter(bought).count() as i64;
        let units = self.purchases.values().filter(bought).filter(|p| p.account == purchase.account).count();
        let spent: i64 = self
            .purchases
            .values()
            .filter(|p| p.account == purchase.account && p.confirmed_on == Some(day(time)))
            .map(|p| amount_in(&p.price, &purchase.price))
            .sum();
        let stock = self.stocks(&purchase.offer).max().unwrap_or(i64::MAX);
        let free = self.lock_of(&purchase.account, time).is_none_or(|by| by == tweet);
        self.check(sold <= stock, "more units than stock", event);
        self.check(units as i64 <= self.per_account(&purchase.offer), "too many units of an account", event);
        self.check(spent <= self.cap(&purchase.account, &purchase.price), "too much in a day", event);
        self.check(free, "a code while codes are locked", event);
    }

    /// A terminal event: the only one of a purchase that was requested before.
    fn ended(&mut self, event: &Value) {
        let id = text(event, "purchase_id");
        let Some(purchase) = self.purchases.get_mut(id) else {
            self.faults.push(format!("the end of a purchase that nobody requested: {event}"));
            return;
        };
        let before = purchase.end.replace(text(event, "type").to_owned());
        let purchase = purchase.clone();
        self.check(before.is_none(), "a second terminal event", event);
        if event["type"] == "purchase.lapsed" {
            let on_time =
                millis(text(event, "deadline")) == purchase.deadline && event["at"] == event["deadline"];
            let to = text(&event["reply"], "in_reply_to");
            self.check(to == purchase.tweet.to_string(), "the reply is not to the offer tweet", event);
            self.check(on_time, "lapsed at another time than its deadline", event);
        }
        if event["cause"] == "sold_out" {
            let sold = |p: &&Purchase| p.confirmed_on.is_some() && p.offer == purchase.offer;
            let sold = self.purchases.values().filter(sold).count() as i64;
            let least = self.stocks(&purchase.offer).min().unwrap_or(0);
            self.check(sold >= least, "sold out with units left", event);
        }
    }

    fn refused(&mut self, event: &Value) {
        let account = text(event, "account_id").to_owned();
        let time = millis(text(event, "at"));
        let tweet: u64 = text(event, "tweet_id").parse().unwrap();
        self.check(time_of(tweet) == time, "at is not the tweet's time", event);
        let answered = event["reply"].is_object();
        if event["reason"] == "not_linked" {
            self.check(answered, "a stranger without an answer", event);
            return;
        }
        let due = self.answered.get(&account).is_none_or(|last| time - last >= 60_000);
        self.check(answered == due, "an answer a minute, and no fewer", event);
        if answered {
            self.answered.insert(account.clone(), time);
        }
        if event["reason"] == "wrong_code" {
            self.wrong_code(event, account, time, tweet);
        }
    }

    fn wrong_code(&mut self, event: &Value, account: String, time: i64, tweet: u64) {
        self.check(self.lock_of(&account, time).is_none(), "a wrong code while codes are locked", event);
        let limit = self.caps(&account)["wrong_codes_per_hour"].as_i64().unwrap_or(5);
        let times = self.wrong_codes.entry(account.clone()).or_default();
        times.push(time);
        if times.iter().filter(|&&t| t > time - HOUR).count() as i64 >= limit {
            times.clear();
            self.locks.entry(account).or_default().push((time, tweet));
        }
    }

    /// The tweet that locked an account's codes of a time.
    fn lock_of(&self, account: &str, time: i64) -> Option<u64> {
        let locks = self.locks.get(account)?;
        locks.iter().find(|(from, _)| (*from..*from + HOUR).contains(&time)).map(|(_, by)| *by)
    }

    /// The records of an id that take effect, with their times, in the order of the table.
    fn records<'a, 'b>(
        table: &'a [Value],
        id: &'b str,
        name: &'b str,
    ) -> impl Iterator<Item = (i64, &'a Value)> {
        table.iter().filter_map(move |line| match line["at"].as_str() {
            Some(at) if line["key"] == id => Some((millis(at), &line["value"])),
            None if line[name] == id => Some((0, line)),
            _ => None,
        })
    }

    fn in_force<'a>(table: &'a [Value], id: &str, name: &str, time: i64) -> Option<&'a Value> {
        // Of two with the same time the later line counts: max_by_key gives the last.
        Ledger::records(table, id, name)
            .filter(|(at, _)| *at <= time)
            .max_by_key(|(at, _)| *at)
            .map(|(_, r)| r)
    }

    fn account_at(&self, id: &str, time: i64) -> Option<&Value> {
        Ledger::in_force(&self.world.accounts, id, "account_id", time).filter(|r| !r.is_null())
    }

    fn offer_at(&self, id: &str, time: i64) -> Option<&Value> {
        Ledger::in_force(&self.world.offers, id, "offer_id", time).filter(|r| !r.is_null())
    }

    /// Caps, units and the time of linking are the same in all records of an account or offer.
    fn first<'a>(table: &'a [Value], id: &str, name: &str) -> &'a Value {
        Ledger::records(table, id, name).map(|(_, record)| record).next().unwrap()
    }

    fn caps(&self, account: &str) -> Value {
        Ledger::first(&self.world.accounts, account, "account_id")["caps"].clone()
    }

    fn linked_since(&self, account: &str) -> i64 {
        millis(text(Ledger::first(&self.world.accounts, account, "account_id"), "linked_at"))
    }

    fn per_account(&self, offer: &str) -> i64 {
        Ledger::first(&self.world.offers, offer, "offer_id")["per_account"].as_i64().unwrap_or(1)
    }

    fn stocks<'a>(&'a self, offer: &'a str) -> impl Iterator<Item = i64> + 'a {
        Ledger::records(&self.world.offers, offer, "offer_id").filter_map(|(_, r)| r["stock"].as_i64())
    }

    /// What an account may spend in a day in the currency of a price.
    fn cap(&self, account: &str, price: &Value) -> i64 {
        match &self.caps(account)["per_day"] {
            Value::Null => 100_000,
            cap => amount_in(cap, price),
        }
    }
}

fn day(time: i64) -> i64 {
    time.div_euclid(24 * HOUR)
}

/// The amount, if it is in the currency of the other one; else 0.
fn amount_in(money: &Value, other: &Value) -> i64 {
    if money["currency"] == other["currency"] { money["amount"].as_i64().unwrap() } else { 0 }
}
