//! Random inbox records of few accounts, offers and codes, at times that the rules care about:
//! deadlines, hours, horizons and their neighbours to the millisecond.

mod again;
mod aims;
mod cards;
mod tables;

use hashbuy::core::transaction::CardToken;
use serde_json::{Value, json};

use self::cards::Cards;
use crate::common::model::{DAY, HOUR, MINUTE, SECOND};
use crate::common::rng::Rng;
use crate::inputs::{self, START, tweet_id};

const ACCOUNTS: u64 = 4;
const OFFERS: usize = 5;
/// What is remembered to come back to.
const KEPT: usize = 40;

/// Where a record goes.
pub enum To {
    Account(u64),
    Offer(String),
    Card(CardToken),
    Everywhere,
}

/// A code that was given out.
#[derive(Clone)]
struct Given {
    account: u64,
    code: String,
    issued_at: i64,
}

/// A tweet that was decided on, to come back to when something about it changes.
#[derive(Clone)]
struct Aim {
    account: u64,
    offer: Option<String>,
    /// Its tweet time.
    time: i64,
    issued_at: i64,
    deadline: Option<i64>,
    code: Option<String>,
}

#[derive(Clone)]
struct Tweet {
    account: u64,
    id: u64,
    chain: u64,
    time: i64,
    record: Value,
}

pub struct Shoppers {
    pub rng: Rng,
    /// The clock that everybody reads.
    pub clock: i64,
    settings: Value,
    offers: Vec<Value>,
    pub cards: Cards,
    linked: Vec<Value>,
    codes: Vec<Given>,
    tweets: Vec<Tweet>,
    aims: Vec<Aim>,
    /// Times at which something changes.
    special: Vec<i64>,
    ids: u64,
    offset: u64,
    /// A mark was made.
    marked: bool,
    /// Records of the account table, each with the time of its making.
    table: Vec<(i64, Value)>,
}

impl Shoppers {
    pub fn new(seed: u64) -> Shoppers {
        let mut settings = inputs::settings(1);
        settings["limits"] = json!({
            "per_day": 1_000, "pendings": 3, "requests_per_hour": 6, "wrong_codes_per_hour": 3,
            "hold_seconds": 3_600, "accounts_per_card": 3,
        });
        settings["window_seconds"] = json!(120);
        let mut offers: Vec<Value> = (0..OFFERS).map(|n| inputs::offer(&format!("o{n}"), 1, 300)).collect();
        offers[1]["stock"] = json!(2);
        offers[2]["stock"] = json!(3);
        offers[2]["per_account"] = json!(3);
        offers[3]["per_account"] = json!(5);
        offers[3]["window_seconds"] = json!(60);
        offers[4]["price"] = json!({"amount": 100, "currency": "EUR"});
        offers[4]["per_account"] = json!(3);
        let rng = Rng::new(seed);
        Shoppers {
            rng,
            clock: START,
            settings,
            offers,
            cards: Cards::new(seed),
            linked: vec![Value::Null; ACCOUNTS as usize + 1],
            codes: vec![],
            tweets: vec![],
            aims: vec![],
            special: vec![START],
            ids: 0,
            offset: 0,
            marked: false,
            table: vec![],
        }
    }

    /// The desk has given out a code, or decided something at a time worth coming back to.
    pub fn event(&mut self, event: &Value) {
        let of_card =
            event["type"].as_str().is_some_and(|kind| kind.contains("credit") || kind.contains("coupon"));
        if of_card || event["offer_id"].as_str().is_some_and(|id| id.starts_with('k')) {
            return;
        }
        let millis = |field: &str| {
            let text = event[field].as_str()?;
            Some(text.parse::<hashbuy::core::time::Time>().unwrap().millis())
        };
        self.special.extend(["at", "deadline", "issued_at"].into_iter().filter_map(millis));
        if let Some(code) = event["code"].as_str() {
            let account = event["account_id"].as_str().unwrap().parse().unwrap();
            let issued_at = if event["type"] == "purchase.requested" { millis("at") } else { None };
            let issued_at = issued_at.unwrap_or(self.clock);
            self.codes.push(Given {
                account,
                issued_at,
                code: code.trim_start_matches("#Confirm").to_owned(),
            });
        }
        self.aim(event, millis("issued_at"), millis("deadline"));
        let excess = self.special.len().saturating_sub(KEPT);
        self.special.drain(..excess);
        let excess = self.codes.len().saturating_sub(KEPT);
        self.codes.drain(..excess);
    }

    /// What happens next.
    pub fn next(&mut self) -> Vec<(To, Value)> {
        self.pause();
        if self.rng.chance(self.cards.share) {
            return self.cards();
        }
        match self.rng.range(0, 1_000) {
            0..280 => self.offer_tweet(),
            280..560 => self.code_tweet(),
            560..620 => self.wrong_code(),
            620..670 => self.copy(),
            670..700 => self.edit(),
            700..740 => self.delete(),
            740..800 => self.account(),
            800..835 => self.offer(),
            835..838 => self.burst(),
            838..842 => self.burst_of_deletions(),
            842..920 => self.come_back(),
            _ => self.mark(),
        }
    }

    /// The first records: a mark, unless they wait for one.
    pub fn begin(&mut self) -> Vec<(To, Value)> {
        let mut all = vec![];
        for id in 1..=ACCOUNTS {
            all.extend(self.put(id, "active"));
        }
        for offer in self.offers.clone().into_iter().filter(|offer| offer.get("stock").is_some()) {
            all.push((To::Offer(id_of(&offer)), json!({"type": "offer", "offer": offer})));
        }
        all
    }

    fn pause(&mut self) {
        self.clock += match self.rng.range(0, 1_000) {
            0..750 => self.rng.range(0, 3 * SECOND),
            750..960 => self.rng.range(0, 60 * SECOND),
            960..985 => self.rng.range(0, 15 * MINUTE),
            985..997 => self.rng.range(0, 3 * HOUR),
            _ => self.rng.range(0, 2 * DAY),
        };
    }

    /// A time close to something, not in the future by more than a minute.
    fn moment(&mut self, offsets: &[i64]) -> i64 {
        if self.rng.chance(50) {
            return self.clock - self.rng.range(0, 5 * SECOND);
        }
        let base = *self.rng.pick(&self.special);
        let time = base + *self.rng.pick(offsets) + self.rng.range(-1, 2);
        if (self.clock - 5 * HOUR..self.clock + MINUTE).contains(&time) {
            return time;
        }
        self.clock - self.rng.range(0, 5 * SECOND)
    }

    fn tweet_time(&mut self) -> i64 {
        let now_minus = [0, HOUR, 2 * HOUR + 30 * SECOND];
        if self.rng.chance(4) {
            return self.clock - *self.rng.pick(&now_minus) + self.rng.range(-1, 2);
        }
        self.moment(&[0, 0, 0, 0, MINUTE, -MINUTE, HOUR, -HOUR, 59_999])
    }

    fn tweet(&mut self, account: u64, time: i64, codes: &[&str], offers: &[&Value]) -> Vec<(To, Value)> {
        self.ids += 1;
        let id = tweet_id(time, self.ids & 0xf_ffff);
        let record = inputs::sighting(account, id, id, time, codes, offers);
        self.say(Tweet { account, id, chain: id, time, record })
    }

    fn say(&mut self, mut tweet: Tweet) -> Vec<(To, Value)> {
        if self.rng.chance(50) {
            tweet.record["handle"] = json!("somebody");
        }
        if self.rng.chance(2) {
            tweet.record["protected"] = json!(true);
        }
        self.special.push(tweet.time);
        let said = vec![(To::Account(tweet.account), tweet.record.clone())];
        self.tweets.push(tweet);
        let excess = self.tweets.len().saturating_sub(KEPT);
        self.tweets.drain(..excess);
        said
    }

    /// One account in ten has never had a record.
    fn somebody(&mut self) -> u64 {
        if self.rng.chance(4) { 9 } else { self.rng.range(1, ACCOUNTS as i64 + 1) as u64 }
    }

    fn some_offers(&mut self) -> Vec<Value> {
        let n = if self.rng.chance(80) { 1 } else { 2 };
        // The scan names each offer of a tweet once.
        let mut offers = self.offers.clone();
        offers.extend(self.cards.offers.first().cloned());
        self.rng.shuffle(&mut offers);
        offers.truncate(n);
        offers
    }

    fn offer_tweet(&mut self) -> Vec<(To, Value)> {
        let (account, time, offers) = (self.somebody(), self.tweet_time(), self.some_offers());
        let offers: Vec<&Value> = offers.iter().collect();
        self.tweet(account, time, &[], &offers)
    }

    fn code_tweet(&mut self) -> Vec<(To, Value)> {
        if self.codes.is_empty() {
            return self.offer_tweet();
        }
        let newest = self.codes.len() - 1;
        let at = if self.rng.chance(60) {
            newest.saturating_sub(self.rng.range(0, 4) as usize)
        } else {
            self.rng.range(0, newest as i64 + 1) as usize
        };
        let given = self.codes[at].clone();
        let account = if self.rng.chance(95) { given.account } else { self.somebody() };
        let mut codes = vec![given.code.clone()];
        if self.rng.chance(8) {
            let other = self.rng.pick(&self.codes).code.clone();
            if other != codes[0] {
                codes.push(other);
            }
        }
        let offers = if self.rng.chance(20) { self.some_offers() } else { vec![] };
        // Nobody tweets a code hours before it was given out; out of order is enough.
        let time = if self.rng.chance(40) { self.clock } else { self.tweet_time() };
        let time = time.max(given.issued_at - HOUR);
        let codes: Vec<&str> = codes.iter().map(String::as_str).collect();
        self.tweet(account, time, &codes, &offers.iter().collect::<Vec<_>>())
    }

    fn wrong_code(&mut self) -> Vec<(To, Value)> {
        let wrong = [format!("77{:06}", self.rng.range(0, 1_000_000)), "00000000".to_owned()];
        let (account, time) = (self.somebody(), self.tweet_time());
        let n = if self.rng.chance(80) { 1 } else { 2 };
        let codes: Vec<&str> = wrong.iter().take(n).map(String::as_str).collect();
        self.tweet(account, time, &codes, &[])
    }
}

fn id_of(offer: &Value) -> String {
    offer["offer_id"].as_str().unwrap().to_owned()
}
