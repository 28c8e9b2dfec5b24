//! Random worlds with few accounts and few offers, so that everything collides: stocks, caps,
//! table lines in time, edits, deletions, copied codes, late arrivals.

use serde_json::{Value, json};

use super::program::{SECRET, World};
use super::rng::Rng;
use super::tables::{account, line, offer, with};
use super::tags::{code, millis, rfc3339, time_of, tweet_id};
use super::wire::{FORMATS, Spelling, Tweet, deletion};

const HANDLES: [&str; 5] = ["anna", "bela", "cora", "dov", "edda"];
const TAGS: [(&str, &str); 4] =
    [("bread", "#GetBread"), ("chair", "#GetChair"), ("kettle", "#GetKettle"), ("torte", "#GetTorte")];

/// An account id of the market; the last one is a stranger's.
pub fn author(n: usize) -> u64 {
    if n.is_multiple_of(2) { 70_210_000 + n as u64 } else { 726_300_000_000_000_000 + n as u64 }
}

/// What a random world is about.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Lines {
    /// Accounts are frozen, unlinked and linked again, offers change in all ways.
    Any,
    /// Nobody is unlinked: a tweet that meets an account meets it whenever it is read.
    NobodyUnlinked,
}

/// A tweet of a linked account with an offer's tag, for codes to be made of.
#[derive(Clone)]
struct Asked {
    author: usize,
    /// The first id of the edit chain.
    first: u64,
    time: i64,
    /// The offers whose tags are in it.
    offers: Vec<&'static str>,
}

/// The whole world of a seed, and when each of its records arrives.
pub struct Market {
    pub world: World,
    /// The end of the stream, in milliseconds.
    pub end: i64,
    rng: Rng,
    asked: Vec<Asked>,
    /// Author and version ids of what was tweeted, to edit or delete.
    tweeted: Vec<(usize, Vec<u64>)>,
    arrivals: Vec<(i64, Vec<u8>)>,
}

impl Market {
    pub fn new(seed: u64, lines: Lines) -> Market {
        let mut rng = Rng::new(seed);
        // Half of the worlds go through midnight, when the amounts of a day begin anew.
        let start = millis(rng.pick::<&str>(&["2016-05-04T09:00:00.000Z", "2016-05-04T22:30:00.000Z"]));
        let mut market = Market {
            world: World::default(),
            end: start,
            rng,
            asked: Vec::new(),
            tweeted: Vec::new(),
            arrivals: Vec::new(),
        };
        market.tables(start);
        for n in 0..260 {
            let step = if market.rng.chance(6) { 900_000 } else { 40_000 };
            market.end += market.rng.range(0, step);
            market.tweet(n);
            if market.rng.chance(6) {
                market.delete();
            }
        }
        market.lines(start, lines);
        market.arrivals.sort_by_key(|(arrival, _)| *arrival);
        market.world.records = market.arrivals.iter().map(|(_, record)| record.clone()).collect();
        market
    }

    fn tables(&mut self, start: i64) {
        let prices = [350, 8_000, 2_450, 31_000];
        for ((id, tag), price) in TAGS.into_iter().zip(prices) {
            let changes = match id {
                "bread" => json!({"per_account": 3, "window_seconds": 300}),
                "chair" => json!({"per_account": 2, "stock": self.rng.range(1, 5)}),
                "kettle" => json!({"per_account": 2, "stock": 1, "ends_at": rfc3339(start + 3_600_000)}),
                _ => json!({"per_account": 9, "price": {"amount": price, "currency": "EUR"}}),
            };
            self.world.offers.push(with(offer(id, tag, price), changes));
        }
        for (n, handle) in HANDLES.into_iter().enumerate().take(4) {
            let changes = match n {
                0 => json!({}),
                1 => json!({"caps": {"pendings": 2, "requests_per_hour": 4, "wrong_codes_per_hour": 3}}),
                2 => json!({"caps": {"per_day": {"amount": 9_000, "currency": "USD"}}}),
                _ => json!({"linked_at": rfc3339(start), "caps": {"hold_seconds": 1_200}}),
            };
            self.world.accounts.push(with(account(author(n), handle), changes));
        }
    }

    fn lines(&mut self, start: i64, lines: Lines) {
        for _ in 0..4 {
            let time = self.rng.range(start, self.end);
            let until = time + self.rng.range(60_000, 1_800_000);
            let (at, later) = (rfc3339(time), rfc3339(until));
            // Versions grow with time, whatever the order of the lines.
            let version = |time: i64| 2 + (time - start) / 1_000;
            let (n, (id, _)) = (self.rng.range(0, 4) as usize, *self.rng.pick(&TAGS));
            let key = author(n).to_string();
            let record = self.world.accounts[n].clone();
            let offer = self.world.offers.iter().find(|o| o["offer_id"] == id).unwrap().clone();
            let accounts = &mut self.world.accounts;
            let offers = &mut self.world.offers;
            match self.rng.next() % 5 {
                0 | 1 => {
                    let frozen = with(record.clone(), json!({"status": "frozen"}));
                    accounts.push(line(&at, &key, frozen));
                    accounts.push(line(&later, &key, record));
                }
                2 if lines == Lines::Any => {
                    accounts.push(line(&at, &key, Value::Null));
                    accounts.push(line(&later, &key, record));
                }
                3 => {
                    let withdrawn = json!({"version": version(time), "status": "withdrawn",
                                           "cancel_pending": self.rng.chance(50)});
                    offers.push(line(&at, id, with(offer.clone(), withdrawn)));
                    offers.push(line(&later, id, with(offer, json!({"version": version(until)}))));
                }
                _ => {
                    let mut next = with(offer, json!({"version": version(time)}));
                    next["price"]["amount"] = json!(next["price"]["amount"].as_i64().unwrap() + 50);
                    if next["stock"].is_number() {
                        next["stock"] = json!(self.rng.range(1, 6));
                    }
                    offers.push(line(&at, id, next));
                }
            }
        }
    }

    fn tweet(&mut self, n: u64) {
        let who = *self.rng.pick(&[0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 4]);
        let id = tweet_id(self.end, n);
        let mut versions = vec![id];
        if self.rng.chance(8) {
            // The microblog lets a tweet be edited for half an hour.
            let young = |versions: &[u64]| self.end - time_of(versions[0]) <= 1_800_000;
            let edited = self.tweeted.iter().rev().find(|(author, ids)| *author == who && young(ids));
            versions = edited.map_or(vec![id], |(_, before)| [&before[..], &[id]].concat());
        }
        let words: Vec<String> = (0..self.rng.range(1, 4)).map(|_| self.word(who)).collect();
        let mut tweet = Tweet::new(id, author(who), HANDLES[who], &words.join(" "));
        tweet.format = *self.rng.pick(&FORMATS);
        tweet.spelling = *self.rng.pick(&[Spelling::Escaped, Spelling::Raw, Spelling::Needless]);
        tweet.protected = self.rng.chance(2);
        if versions.len() > 1 {
            // Activities carry no edit history.
            tweet.format = *self.rng.pick(&FORMATS[..3]);
            tweet.versions = versions.clone();
        }
        let folded: Vec<String> =
            words.iter().map(|word| word.to_lowercase().replace('\u{ff03}', "#")).collect();
        let asks = |tag: &str| folded.iter().any(|word| *word == tag.to_lowercase());
        let offers: Vec<&str> = TAGS.iter().filter(|(_, tag)| asks(tag)).map(|(id, _)| *id).collect();
        if !offers.is_empty() {
            self.asked.push(Asked { author: who, first: versions[0], time: self.end, offers });
        }
        let arrival = self.end + self.delay();
        self.arrivals.push((arrival, tweet.record()));
        self.tweeted.push((who, versions));
    }

    fn word(&mut self, who: usize) -> String {
        let word = match self.rng.next() % 20 {
            0..8 => self.rng.pick(&TAGS).1.to_owned(),
            8..16 => self.code_of(|asked| asked.author == who),
            16 => self.code_of(|asked| asked.author != who),
            17 => format!("#Confirm{:04}ABCD", self.rng.range(0, 10_000)),
            _ => "rain".to_owned(),
        };
        match self.rng.next() % 6 {
            0 => word.to_uppercase(),
            1 => word.to_lowercase(),
            2 => word.replace('#', "\u{ff03}"),
            _ => word,
        }
    }

    /// A code of one of the newest tweets that ask for something; now and then for another offer.
    fn code_of(&mut self, whose: impl Fn(&Asked) -> bool) -> String {
        let newest: Vec<Asked> =
            self.asked.iter().rev().filter(|asked| whose(asked)).take(2).cloned().collect();
        if newest.is_empty() {
            return "soon".to_owned();
        }
        let asked = self.rng.pick(&newest);
        let offer = if self.rng.chance(90) { *self.rng.pick(&asked.offers) } else { self.rng.pick(&TAGS).0 };
        code(SECRET, author(asked.author), offer, asked.first)
    }

    fn delete(&mut self) {
        let Some(asked) = self.asked.iter().rev().nth(self.rng.range(0, 3) as usize).cloned() else {
            return;
        };
        let arrival = asked.time.max(self.end) + self.delay();
        let format = *self.rng.pick(&FORMATS);
        self.arrivals.push((arrival, deletion(asked.first, author(asked.author), format)));
    }

    /// Mostly the disorder of a stream, sometimes an outage.
    fn delay(&mut self) -> i64 {
        if self.rng.chance(3) { self.rng.range(0, 4_500_000) } else { self.rng.range(0, 5_000) }
    }
}
