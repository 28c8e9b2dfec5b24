//! Coupons and what is paid with the cards: payments and refunds around every limit that the rules know, in
//! any order, more than once, and the transactions' own time.

use hashbuy::core::transaction::CardToken;
use serde_json::{Value, json};

use super::{ACCOUNTS, KEPT, Shoppers, To, id_of};
use crate::common::model::{DAY, HOUR, MINUTE, SECOND};
use crate::inputs::{self, START, with};

pub const COUPONS: usize = 4;
const WEEK: i64 = 7 * DAY;
const MONTH: i64 = 30 * DAY;

/// What is known of the cards.
#[derive(Default)]
pub struct Cards {
    /// What happens to cards, of a hundred things.
    pub share: u64,
    /// The coupons' records as they are now.
    pub offers: Vec<Value>,
    /// Coupons that were passed on to a card, the newest last: the messages.
    passed: Vec<Value>,
    /// Transactions that were made, the newest last.
    made: Vec<Value>,
    /// Payments whose refunds have overtaken them.
    overtaken: Vec<Value>,
    /// How many there were.
    ids: u64,
}

impl Cards {
    /// In every other run there is a lot about cards, in the others there is little.
    pub fn new(seed: u64) -> Cards {
        let mut offers: Vec<Value> = (0..COUPONS).map(|n| inputs::coupon(&format!("k{n}"), 1)).collect();
        let after = |hours: i64| json!(inputs::time(START + hours * HOUR));
        for (n, hours) in [(0, 3), (1, 24), (2, 48)] {
            offers[n]["redeem_by"] = after(hours);
        }
        // Its last moment was long ago: soon it expires, and is forgotten.
        offers[3]["redeem_by"] = json!(inputs::time(START - WEEK + HOUR));
        offers[1].as_object_mut().unwrap().remove("min_spend");
        offers[1]["per_account"] = json!(3);
        offers[2]["min_spend"] = json!({"amount": 0, "currency": "USD"});
        offers[2]["merchant_id"] = json!("m-5");
        offers[2]["per_account"] = json!(2);
        offers[3]["per_account"] = json!(3);
        let share = if seed.is_multiple_of(2) { 12 } else { 65 };
        Cards { share, offers, ..Cards::default() }
    }

    /// A message between entities was sent.
    pub fn sent(&mut self, message: &Value) {
        if message["type"] == "load" {
            self.passed.push(message.clone());
            let excess = self.passed.len().saturating_sub(12);
            self.passed.drain(..excess);
        }
    }
}

impl Shoppers {
    /// What happens next to a card.
    pub(super) fn cards(&mut self) -> Vec<(To, Value)> {
        match self.rng.range(0, 100) {
            0..28 => self.coupon_tweet(),
            28..36 => self.coupon(),
            36..62 => self.pay(),
            62..80 => self.refund(),
            80..86 => self.transaction_again(),
            86..88 => self.leap(),
            _ => self.progress(),
        }
    }

    fn coupon_tweet(&mut self) -> Vec<(To, Value)> {
        let account = self.somebody();
        let payments = self.cards.made.iter().filter(|made| made["kind"] == "payment");
        let times: Vec<i64> = payments.map(|made| millis(&made["at"])).collect();
        let close = |time: &i64| (self.clock - HOUR..self.clock + MINUTE).contains(time);
        let times: Vec<i64> = times.into_iter().filter(close).collect();
        let time = if times.is_empty() || self.rng.chance(50) {
            self.tweet_time()
        } else {
            *self.rng.pick(&times) + self.rng.range(-1, 2)
        };
        let mut coupons = self.cards.offers.clone();
        self.rng.shuffle(&mut coupons);
        coupons.truncate(if self.rng.chance(50) { 1 } else { 2 });
        self.tweet(account, time, &[], &coupons.iter().collect::<Vec<_>>())
    }

    /// A new version of a coupon.
    fn coupon(&mut self) -> Vec<(To, Value)> {
        let n = self.rng.range(0, COUPONS as i64) as usize;
        let mut coupon = self.cards.offers[n].clone();
        if self.rng.chance(40) {
            // Another one in its place, which no card has yet.
            self.cards.ids += 1;
            coupon["offer_id"] = json!(format!("k-{}", self.cards.ids));
        }
        let id = id_of(&coupon);
        coupon["version"] = json!(coupon["version"].as_u64().unwrap() + 1);
        coupon["status"] = json!("open");
        let usd = |amount: i64| json!({"amount": amount, "currency": "USD"});
        match self.rng.range(0, 9) {
            0 => coupon["status"] = json!("withdrawn"),
            1 => drop(coupon.as_object_mut().unwrap().remove("min_spend")),
            2 => coupon["min_spend"] = usd(*self.rng.pick(&[0, 1, 1_000, 3_000])),
            3 => coupon["credit"] = usd(*self.rng.pick(&[1, 500, 2_000])),
            4 => coupon["per_account"] = json!(self.rng.range(1, 4)),
            5 => coupon["ends_at"] = json!(inputs::time(self.clock + self.rng.range(0, 20 * DAY))),
            6 if self.rng.chance(30) => drop(coupon.as_object_mut().unwrap().remove("merchant_id")),
            _ => {
                let ago = *self.rng.pick(&[0, 0, 0, WEEK, MONTH]);
                let by = self.clock - ago + self.rng.range(-HOUR, 5 * HOUR);
                coupon["redeem_by"] = json!(inputs::time(by));
            }
        }
        let ends = json!({"type": "ends", "offer_id": id, "ends_at": coupon["ends_at"]});
        self.cards.offers[n] = coupon;
        vec![(To::Everywhere, ends)]
    }

    fn pay(&mut self) -> Vec<(To, Value)> {
        if let Some(payment) = self.cards.overtaken.pop()
            && self.rng.chance(60)
        {
            return vec![to_card(payment)];
        }
        let payment = self.payment();
        vec![to_card(self.made(payment))]
    }

    /// A payment, most often one that is nearly or just enough for a coupon on its card, or one to come.
    fn payment(&mut self) -> Value {
        let n = self.rng.range(0, COUPONS as i64) as usize;
        let mut offer = self.cards.offers[n].clone();
        let account = self.rng.range(1, ACCOUNTS as i64 + 1) as usize;
        let own = self.linked[account]["card_token"].as_str().unwrap_or("tok1").to_owned();
        let (mut card, mut times) = (own, vec![self.clock]);
        if !self.cards.passed.is_empty() && self.rng.chance(75) {
            let load = self.rng.pick(&self.cards.passed).clone();
            offer = load["offer"].clone();
            times = vec![self.clock, self.clock, millis(&load["time"]), millis(&offer["redeem_by"])];
            card = load["card_token"].as_str().unwrap().to_owned();
        }
        let least = offer["min_spend"]["amount"].as_i64().unwrap_or(1);
        let credit = offer["credit"]["amount"].as_i64().unwrap();
        let amounts = [least, least, least + 1, credit, credit + 7, least + credit, 0, least - 1];
        let amount = (*self.rng.pick(&amounts)).max(0);
        self.cards.ids += 1;
        let at = *self.rng.pick(&times) + self.rng.range(-1, 2);
        let mut payment = inputs::payment(&format!("t{}", self.cards.ids), &card, at, amount);
        payment["merchant_id"] = offer.get("merchant_id").cloned().unwrap_or(json!("m-4"));
        if self.rng.chance(6) {
            payment["amount"]["currency"] = json!("EUR");
        }
        if self.rng.chance(6) {
            payment["merchant_id"] = json!("m-6");
        }
        payment
    }

    /// Part of a payment or all of it, or of one that is still to come.
    fn refund(&mut self) -> Vec<(To, Value)> {
        let payments: Vec<Value> =
            self.cards.made.iter().filter(|made| made["kind"] == "payment").cloned().collect();
        let mut payment = Value::Null;
        if !payments.is_empty() && self.rng.chance(70) {
            let back = self.rng.range(1, 8).min(payments.len() as i64) as usize;
            payment = payments[payments.len() - back].clone();
        }
        if payment.is_null() {
            payment = self.payment();
            let payment = self.made(payment.clone());
            self.cards.overtaken.push(payment);
            let excess = self.cards.overtaken.len().saturating_sub(5);
            self.cards.overtaken.drain(..excess);
        }
        let paid = payment["amount"]["amount"].as_i64().unwrap();
        let n = if self.rng.chance(70) { 1 } else { 3 };
        let parts = [paid, paid, paid - 1, paid / 2, paid - 5_000, paid - 4_999, 1, 0];
        let mut all = vec![];
        for _ in 0..n {
            self.cards.ids += 1;
            let amount = (*self.rng.pick(&parts)).max(0);
            let (id, of) = (format!("t{}", self.cards.ids), payment["transaction_id"].as_str().unwrap());
            let card = if self.rng.chance(96) { payment["card_token"].as_str().unwrap() } else { "tok1" };
            let at = millis(&payment["at"]) + *self.rng.pick(&[0, SECOND, MINUTE, HOUR, DAY, -MINUTE]);
            let mut refund = inputs::refund(&id, of, card, at, amount);
            refund["merchant_id"] = payment["merchant_id"].clone();
            refund["amount"]["currency"] = payment["amount"]["currency"].clone();
            if self.rng.chance(4) {
                refund["amount"]["currency"] = json!("EUR");
            }
            all.push(to_card(self.made(refund)));
        }
        all
    }

    fn transaction_again(&mut self) -> Vec<(To, Value)> {
        if self.cards.made.is_empty() {
            return vec![];
        }
        let mut again = self.rng.pick(&self.cards.made).clone();
        if self.rng.chance(10) {
            again["amount"]["amount"] = json!(9_000);
        }
        vec![to_card(again)]
    }

    fn made(&mut self, transaction: Value) -> Value {
        self.cards.made.push(transaction.clone());
        let excess = self.cards.made.len().saturating_sub(KEPT);
        self.cards.made.drain(..excess);
        transaction
    }

    /// The transactions' time comes to the moment at which something is forgotten, or close to it.
    fn progress(&mut self) -> Vec<(To, Value)> {
        let base = if self.cards.made.is_empty() || self.rng.chance(50) {
            self.clock - self.rng.range(0, HOUR)
        } else {
            let made = self.rng.pick(&self.cards.made);
            millis(&made["at"]) + DAY
        };
        let base = if base > self.clock + 12 * HOUR { self.clock } else { base };
        vec![(To::Everywhere, inputs::progress(base + self.rng.range(-1, 2)))]
    }

    /// Time comes to the end of a coupon or of its memory: both the transactions' and desk time.
    fn leap(&mut self) -> Vec<(To, Value)> {
        if self.cards.passed.is_empty() {
            return vec![];
        }
        let load = self.rng.pick(&self.cards.passed).clone();
        let by = millis(&load["offer"]["redeem_by"]);
        let kept = *self.rng.pick(&[WEEK, WEEK, MONTH]);
        let time = by + kept + self.rng.range(-1, 2);
        // Not too far: there is more to try before.
        let far = time > self.clock + HOUR;
        if far && (self.cards.share < 50 || self.rng.chance(95)) {
            return vec![];
        }
        self.clock = self.clock.max(time);
        let mut all = vec![(To::Everywhere, inputs::progress(time))];
        all.push((To::Everywhere, inputs::mark(time, &self.settings)));
        if self.rng.chance(30) {
            let account = load["account"].as_str().unwrap().parse().unwrap();
            all.extend(self.put(account, "frozen"));
            all.extend(self.put(account, "active"));
        }
        all
    }
}

/// The account's own card, or one that it shares with others.
pub fn some_card(shoppers: &mut Shoppers, record: Value) -> Value {
    if shoppers.rng.chance(60) {
        return record;
    }
    let card = *shoppers.rng.pick(&["tok7", "tok8"]);
    with(record, "card_token", json!(card))
}

fn to_card(transaction: Value) -> (To, Value) {
    let card = CardToken::new(transaction["card_token"].as_str().unwrap());
    (To::Card(card), transaction)
}

fn millis(time: &Value) -> i64 {
    time.as_str().unwrap().parse::<hashbuy::core::time::Time>().unwrap().millis()
}
