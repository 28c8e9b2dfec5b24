//! What the tables and the clock bring: accounts, offers, marks with settings.

use serde_json::{Value, json};

use super::cards::some_card;
use super::{ACCOUNTS, OFFERS, Shoppers, To, id_of};
use crate::common::model::{DAY, HOUR, MINUTE};
use crate::inputs::{self, START, with};

impl Shoppers {
    pub(super) fn put(&mut self, id: u64, status: &str) -> Vec<(To, Value)> {
        self.offset += 1;
        let before = self.clock - HOUR - self.rng.range(0, 2) * self.rng.range(-MINUTE, MINUTE);
        let linked_at = if self.linked[id as usize].is_null() { before } else { START - DAY };
        let mut record = inputs::account(id, status, linked_at);
        if id == 4 {
            record["caps"] = json!({"per_day": {"amount": 700, "currency": "USD"}, "pendings": 2, "wrong_codes_per_hour": 2});
        }
        if self.rng.chance(20) {
            record["caps"] = json!({"per_day": {"amount": self.rng.range(0, 900), "currency": "USD"}, "requests_per_hour": 3, "hold_seconds": 0});
        }
        let record = some_card(self, record);
        self.linked[id as usize] = record.clone();
        let record = inputs::account_record(id, self.offset, record);
        self.table.push((self.clock, record.clone()));
        vec![(To::Account(id), record)]
    }

    pub(super) fn account(&mut self) -> Vec<(To, Value)> {
        let id = self.rng.range(1, ACCOUNTS as i64 + 1) as u64;
        match self.rng.range(0, 10) {
            0..6 => self.put(id, "active"),
            6 => self.put(id, "frozen"),
            // Not before the first mark: see below.
            7 if self.marked => {
                self.offset += 1;
                self.linked[id as usize] = Value::Null;
                vec![(To::Account(id), inputs::account_record(id, self.offset, Value::Null))]
            }
            _ => {
                let Some(old) = self.table.len().checked_sub(self.rng.range(1, 8) as usize) else {
                    return vec![];
                };
                let (made, record) = self.table[old].clone();
                // How long the place of an unlinked record is remembered is left open: the desk keeps
                // it for a day of desk time, which begins at 0.
                if made < self.clock - 12 * HOUR {
                    return vec![];
                }
                vec![(To::Account(record["account_id"].as_str().unwrap().parse().unwrap()), record)]
            }
        }
    }

    pub(super) fn offer(&mut self) -> Vec<(To, Value)> {
        let n = self.rng.range(0, OFFERS as i64) as usize;
        let mut offer = self.offers[n].clone();
        let id = id_of(&offer);
        offer["version"] = json!(offer["version"].as_u64().unwrap() + 1);
        offer["status"] = json!("open");
        offer["cancel_pending"] = json!(false);
        let mut all = vec![];
        match self.rng.range(0, 10) {
            0..4 => offer["stock"] = json!(self.rng.range(1, 6)),
            4 => {
                offer.as_object_mut().unwrap().remove("stock");
            }
            5 => {
                offer["status"] = json!("withdrawn");
                offer["cancel_pending"] = json!(self.rng.chance(60));
                if offer["cancel_pending"] == json!(true) {
                    all.push((To::Everywhere, json!({"type": "withdrawn", "offer_id": id})));
                }
            }
            6 => offer["ends_at"] = json!(inputs::time(self.clock + self.rng.range(0, 20 * MINUTE))),
            7 => offer["ends_at"] = json!(inputs::time(self.clock + self.rng.range(0, 20 * DAY))),
            8 => offer["price"] = json!({"amount": self.rng.range(1, 6) * 100, "currency": "USD"}),
            _ => offer["per_account"] = json!(self.rng.range(1, 6)),
        }
        all.push((To::Everywhere, json!({"type": "ends", "offer_id": id, "ends_at": offer["ends_at"]})));
        if offer.get("stock").is_some() {
            // The feeder may repeat a record.
            for _ in 0..self.rng.range(1, 3) {
                all.push((To::Offer(id.clone()), json!({"type": "offer", "offer": offer})));
            }
        }
        self.offers[n] = with(offer, "hashtag", json!(format!("#Get{id}")));
        all
    }

    pub(super) fn mark(&mut self) -> Vec<(To, Value)> {
        if self.rng.chance(2) {
            self.settings["revision"] = json!(self.settings["revision"].as_u64().unwrap() + 1);
            self.settings["limits"]["pendings"] = json!(self.rng.range(2, 5));
            self.settings["slack_ms"] = json!(*self.rng.pick(&[30_000, 10_000, 60_000]));
            self.settings["window_seconds"] = json!(self.rng.range(60, 180));
        }
        self.marked = true;
        let slack = self.settings["slack_ms"].as_i64().unwrap();
        let horizon = 2 * HOUR + slack;
        let time = self.moment(&[0, slack, slack, slack, slack, horizon, HOUR, DAY]).min(self.clock);
        vec![(To::Everywhere, inputs::mark(time, &self.settings))]
    }
}
