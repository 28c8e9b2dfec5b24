//! The people: they ask, read the answers, confirm in time or not, change their minds, and cheat.

use std::collections::BTreeMap;

use fastrand::Rng;
use hashbuy::core::time::Time;
use serde_json::{Value, json};

use super::bank::Bank;
use super::firehose::Firehose;
use super::wallets::Wallets;

/// The alphabet of the codes.
const DIGITS: &[u8] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Accounts whose records are never touched, and who do nothing odd: what they confirm in time has to count.
pub const PLAIN: std::ops::Range<u64> = 101..104;
/// The others.
pub const ODD: std::ops::Range<u64> = 201..206;

/// A confirmation in time by somebody who has done nothing odd.
#[derive(Debug, Clone)]
pub struct Promise {
    pub purchase: String,
    pub tweet: u64,
    pub time: i64,
    pub deadline: i64,
}

enum Plan {
    Say { author: u64, text: String, time: i64, promise: Option<Promise> },
    Delete { author: u64, id: u64 },
    Retweet { author: u64, of: (u64, u64, String) },
}

/// An offer as it stands.
struct Stall {
    id: &'static str,
    hashtag: &'static str,
    version: u64,
    stock: Option<u64>,
    window: u32,
    open: bool,
    cancels: bool,
    price: i64,
}

/// Everybody, and the shop.
pub struct People {
    rng: Rng,
    plans: BTreeMap<(i64, u64), Plan>,
    planned: u64,
    codes: Vec<String>,
    stalls: Vec<Stall>,
    frozen: BTreeMap<u64, bool>,
    next_wish: i64,
    last_offer_tweet: Option<(u64, u64, String)>,
    pub promises: Vec<Promise>,
    pub wallets: Wallets,
}

impl People {
    pub fn new(seed: u64) -> People {
        let mut rng = Rng::with_seed(seed ^ 0x9E09);
        let stock = Some(rng.u64(1..12));
        let window = rng.u32(60..=100);
        let stall = |id, hashtag, stock, price| Stall {
            id,
            hashtag,
            version: 1,
            stock,
            window,
            open: true,
            cancels: false,
            price,
        };
        let stalls = vec![
            stall("pot", "#GetPot", None, 300),
            stall("pan", "#GetPan", None, 700),
            stall("few", "#GetFew", stock, 500),
            stall("wild", "#GetWild", None, 40_000),
        ];
        People {
            rng,
            plans: BTreeMap::new(),
            planned: 0,
            codes: Vec::new(),
            stalls,
            frozen: BTreeMap::new(),
            next_wish: 0,
            last_offer_tweet: None,
            promises: Vec::new(),
            wallets: Wallets::new(seed),
        }
    }

    /// Opens the shop, and links everybody.
    pub fn open(&mut self, firehose: &mut Firehose) {
        (0..self.stalls.len()).for_each(|stall| firehose.offer(&self.offer(stall)));
        self.wallets.offers().iter().for_each(|coupon| firehose.offer(coupon));
        PLAIN.chain(ODD).for_each(|id| firehose.account(id, Some(&self.account(id, "active"))));
    }

    fn offer(&self, stall: usize) -> Value {
        let Stall { id, hashtag, version, stock, window, open, cancels, price } = &self.stalls[stall];
        let mut offer = json!({
            "offer_id": id, "version": version, "kind": "purchase", "hashtag": hashtag, "product": id,
            "status": if *open { "open" } else { "withdrawn" }, "cancel_pending": cancels,
            "price": {"amount": price, "currency": "USD"}, "window_seconds": window,
            "per_account": if *id == "wild" { 2 } else { 1_000 },
            "starts_at": "2013-01-01T00:00:00.000Z", "ends_at": "2013-12-31T00:00:00.000Z",
        });
        if let Some(stock) = stock {
            offer["stock"] = json!(stock);
        }
        offer
    }

    /// Does what is due. `tweeting`: new wishes come up.
    pub fn turn(&mut self, now: i64, firehose: &mut Firehose, bank: &mut Bank, tweeting: bool) {
        if tweeting && now >= self.next_wish {
            self.next_wish = now + self.rng.i64(100..3_000);
            self.wish(now);
        }
        if tweeting && let Some((author, text)) = self.wallets.turn(now, bank) {
            self.say(now, author, text);
        }
        while let Some(entry) = self.plans.first_entry() {
            if entry.key().0 > now {
                break;
            }
            match entry.remove() {
                Plan::Say { author, text, time, promise } => {
                    // What a stranger or an unlinked person says need not be seen, and the same of a shop
                    // that may be closed.
                    let matters = PLAIN.contains(&author);
                    let id = firehose.post(now, time, author, &text, matters);
                    if text.contains("#Get") {
                        self.last_offer_tweet = Some((id, author, text));
                    }
                    self.promises.extend(promise.map(|promise| Promise { tweet: id, ..promise }));
                }
                Plan::Delete { author, id } => firehose.delete(now, author, id),
                Plan::Retweet { author, of: (id, original, text) } => {
                    firehose.retweet(now, author, (id, original, &text));
                }
            }
        }
    }

    fn plan(&mut self, at: i64, plan: Plan) {
        self.planned += 1;
        self.plans.insert((at, self.planned), plan);
    }

    fn say(&mut self, at: i64, author: u64, text: String) {
        self.plan(at, Plan::Say { author, text, time: at, promise: None });
    }

    fn wish(&mut self, now: i64) {
        let author = match self.rng.u32(0..12) {
            0..6 => self.rng.u64(PLAIN),
            6..11 => self.rng.u64(ODD),
            _ => 777, // a stranger
        };
        let plain = PLAIN.contains(&author);
        let stall = self.rng.usize(if plain { 0..2 } else { 0..self.stalls.len() });
        let tag = self.stalls[stall].hashtag;
        let text = match self.rng.u32(0..10) {
            0 if !plain => format!("{tag} and {}", self.stalls[(stall + 1) % 4].hashtag),
            1 if !plain => format!("{tag} {}", self.guess()),
            2 if !plain => self.guess(),
            3 => format!("I want {tag}!"),
            _ => tag.to_owned(),
        };
        self.say(now, author, text);
        if let (0, Some(of)) = (self.rng.u32(0..8), self.last_offer_tweet.clone()) {
            let author = self.rng.u64(ODD);
            self.plan(now, Plan::Retweet { author, of });
        }
    }

    /// A code that may be nobody's, or somebody's.
    fn guess(&mut self) -> String {
        if let (0..2, Some(code)) = (self.rng.u32(0..3), self.rng.choice(&self.codes).cloned()) {
            return code;
        }
        let mut random = || char::from(DIGITS[self.rng.usize(0..DIGITS.len())]);
        let tail: String = (0..6).map(|_| random()).collect();
        format!("#Confirm{tail}42")
    }

    /// Somebody reads an answer.
    pub fn hear(&mut self, now: i64, event: &Value, bank: &mut Bank) {
        match event["type"].as_str() {
            Some("coupon.loaded") => self.wallets.hear(now, event, bank),
            Some("purchase.requested") => self.hear_code(now, event),
            _ => {}
        }
    }

    fn hear_code(&mut self, now: i64, event: &Value) {
        let author: u64 = event["account_id"].as_str().unwrap().parse().unwrap();
        let code = event["code"].as_str().unwrap().to_owned();
        let deadline: Time = serde_json::from_value(event["deadline"].clone()).unwrap();
        let deadline = deadline.millis();
        let tweet: u64 = event["offer_tweet_id"].as_str().unwrap().parse().unwrap();
        self.codes.push(code.clone());
        if deadline <= now {
            return;
        }
        let soon = now + self.rng.i64(50..15_000);
        let in_time = match self.rng.u32(0..4) {
            0 => deadline,
            1 => self.rng.i64(now..=deadline.min(now + 120_000)),
            _ => soon.min(deadline),
        };
        if PLAIN.contains(&author) {
            if self.rng.u32(0..10) < 7 {
                let purchase = event["purchase_id"].as_str().unwrap().to_owned();
                let promise = Some(Promise { purchase, tweet: 0, time: in_time, deadline });
                let text = format!("{code} yes please");
                self.plan(in_time, Plan::Say { author, text, time: in_time, promise });
            }
            return;
        }
        let (after, again) = (deadline + self.rng.i64(1..40_000), in_time + self.rng.i64(0..9_000));
        let around = soon + self.rng.i64(-200..200);
        match self.rng.u32(0..11) {
            0..4 => self.say(in_time, author, code),
            4 => self.say(deadline + 1, author, code),
            5 => self.say(after, author, code),
            6 => {
                self.say(in_time, author, code.clone());
                self.say(again, author, format!("again {code}"));
            }
            7 => self.plan(soon, Plan::Delete { author, id: tweet }),
            8 => {
                self.plan(soon, Plan::Delete { author, id: tweet });
                self.say(around, author, code);
            }
            9 => {
                let tag = self.stalls[self.rng.usize(0..4)].hashtag;
                self.say(in_time, author, format!("{tag} {code}"));
            }
            _ => {}
        }
    }

    /// Something happens in the tables. Returns what.
    pub fn meddle(&mut self, firehose: &mut Firehose) -> String {
        match self.rng.u32(0..10) {
            0..4 => return self.meddle_with_an_account(firehose),
            4..6 => {
                let id = self.rng.u64(ODD);
                self.wallets.replace_card(id);
                let is_odd = self.frozen.get(&id).copied().unwrap_or(false);
                firehose.account(id, Some(&self.account(id, if is_odd { "frozen" } else { "active" })));
                return format!("account {id} has the card {}", self.wallets.card(id));
            }
            6..8 => {
                let (records, what) = self.wallets.meddle();
                records.iter().for_each(|record| firehose.offer(record));
                return what;
            }
            _ => {}
        }
        let stall = self.rng.usize(2..4);
        let change = self.rng.u32(0..4);
        let up = self.rng.u64(0..8);
        let cancels = self.rng.bool();
        let it = &mut self.stalls[stall];
        it.version += 1;
        match (change, it.open) {
            (0 | 1, true) => (it.open, it.cancels) = (false, cancels),
            (_, false) => (it.open, it.cancels) = (true, false),
            _ if it.stock.is_some() => it.stock = Some(1 + up),
            _ => it.price += 100,
        }
        let said = format!(
            "offer {} version {}: open {}, cancels {}, stock {:?}",
            it.id, it.version, it.open, it.cancels, it.stock
        );
        let offer = self.offer(stall);
        firehose.offer(&offer);
        said
    }

    fn meddle_with_an_account(&mut self, firehose: &mut Firehose) -> String {
        let id = self.rng.u64(ODD);
        let was_odd = self.frozen.insert(id, true).unwrap_or(false);
        let status = if was_odd { "active" } else { *self.rng.choice(&["frozen", "unlinked"]).unwrap() };
        self.frozen.insert(id, status != "active");
        let record = (status != "unlinked").then(|| self.account(id, status));
        firehose.account(id, record.as_ref());
        format!("account {id} is {status}")
    }

    /// Everything in the tables is as at the beginning, but for its version and the cards.
    pub fn settle(&mut self, firehose: &mut Firehose) {
        ODD.for_each(|id| firehose.account(id, Some(&self.account(id, "active"))));
    }

    fn account(&self, id: u64, status: &str) -> Value {
        account(id, status, self.wallets.card(id))
    }
}

fn account(id: u64, status: &str, card: &str) -> Value {
    json!({
        "account_id": id.to_string(), "card_token": card, "delivery_ref": format!("door-{id}"),
        "status": status, "linked_at": "2013-01-01T00:00:00.000Z",
        "caps": {
            "per_day": {"amount": if PLAIN.contains(&id) { 10_000_000 } else { 100_000 }, "currency": "USD"},
            "pendings": if PLAIN.contains(&id) { 1_000 } else { 4 },
            "requests_per_hour": if PLAIN.contains(&id) { 10_000 } else { 12 },
        },
    })
}
