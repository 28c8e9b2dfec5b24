//! Shoppers, each with an account and a plan of his own. They read their codes in `purchases`, and remember what has to
//! come of what they do.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use hashbuy::log::{Log, NewRecord, Partition, Producer};
use hashbuy::worker::partitioner::partition_of;
use serde_json::json;

use crate::common::rng::Rng;
use crate::common::tables::with;
use crate::common::tags::tweet_id;
use crate::common::wire::{FORMATS, Format, Others, Tweet, deletion};
use crate::firehose::now;
use crate::plan::{Act, FIRST, Plan};
use crate::stream::Stream;
use crate::world::{INBOX, World, account};

/// Codes of others that a shopper may have read.
const READ: usize = 64;
/// One in so many of those who ask has no account.
const STRANGERS: u64 = 25;
/// Ids of people without an account.
const STRANGER: u64 = 4_000_000_000_000;

/// An event as a shopper reads it.
#[derive(Debug)]
pub struct Heard {
    pub account: u64,
    /// Type, and reason or cause.
    pub name: String,
    /// Of a request.
    pub answer: Option<Answer>,
}

/// What the answer to a request says.
#[derive(Debug, Clone)]
pub struct Answer {
    pub code: String,
    pub deadline: i64,
    pub offer_tweet: u64,
}

/// All who have come so far.
pub struct Crowd {
    rng: Rng,
    shoppers: HashMap<u64, Shopper>,
    /// What is to be done, in its order.
    agenda: BTreeMap<(i64, u64), (u64, Act)>,
    planned: u64,
    /// Those who wait for something.
    open: BTreeSet<u64>,
    /// Accounts and codes of late.
    read: VecDeque<(u64, String)>,
    /// Tweets that are not noise; they make ids differ.
    tweets: u64,
    tables: Box<dyn Producer + Send>,
    accounts: String,
    /// Those who come at most.
    room: u64,
    /// Who was too late because he had read his code late.
    pub belated: u64,
}

struct Shopper {
    plan: Plan,
    format: Format,
    answer: Option<Answer>,
    /// His last tweet.
    last: Vec<u8>,
    /// Acts that are still to come.
    todo: usize,
    /// What has to come, and what has come.
    expected: Vec<&'static str>,
    heard: Vec<String>,
}

impl Crowd {
    /// Nobody has come yet; `room` have accounts.
    pub fn new(world: &World, seed: u64, room: u64) -> Crowd {
        Crowd {
            rng: Rng::new(seed),
            shoppers: HashMap::new(),
            agenda: BTreeMap::new(),
            planned: 0,
            open: BTreeSet::new(),
            read: VecDeque::new(),
            tweets: 0,
            tables: world.log.producer().unwrap(),
            accounts: world.topic("accounts"),
            room,
            belated: 0,
        }
    }

    /// Who has come.
    pub fn asked(&self) -> u64 {
        self.shoppers.len() as u64
    }

    /// Who waits for something.
    pub fn waiting(&self) -> usize {
        self.open.len()
    }

    /// Somebody comes, and asks for what he wants.
    pub fn arrival(&mut self, stream: &mut Stream) {
        if self.rng.next().is_multiple_of(STRANGERS) {
            self.stranger(stream);
        }
        if self.asked() >= self.room {
            return;
        }
        let id = FIRST + self.asked();
        let plan = Plan::any(&mut self.rng);
        let format = *self.rng.pick(&FORMATS);
        let shopper = Shopper {
            plan,
            format,
            answer: None,
            last: Vec::new(),
            todo: 0,
            expected: Vec::new(),
            heard: Vec::new(),
        };
        self.shoppers.insert(id, shopper);
        self.ask(id, stream);
    }

    fn ask(&mut self, id: u64, stream: &mut Stream) {
        let tweet = self.tweets;
        let Some(shopper) = self.shoppers.get_mut(&id) else { return };
        let words = format!("yes please {}", shopper.plan.tag());
        let (text, others) = match shopper.plan {
            Plan::Repeat => (String::new(), Others::Retweet(words)),
            Plan::BuyByQuote => (words, Others::Quote("finally #GetLamp".to_owned())),
            _ => (words, Others::None),
        };
        let first = shopper.answer.is_none();
        match shopper.plan {
            Plan::Repeat => {}
            // Which of three ends it has, the stock decides.
            Plan::BuyRare => {}
            Plan::BuyTwice if !first => shopper.expected.push("purchase.refused/limit_reached"),
            _ if first => shopper.expected.push("purchase.requested"),
            _ => shopper.expected.push("purchase.reminded"),
        }
        let time = now();
        let tweet = Tweet { others, ..Tweet::new(free_id(time, tweet), id, &handle(id), &text) };
        self.tweets += 1;
        stream.send(id, &tweet.format(shopper.format).record());
        self.note(id);
    }

    /// Somebody without an account wants something, or tries a code that he has read.
    fn stranger(&mut self, stream: &mut Stream) {
        let id = STRANGER + self.rng.next() % 1_000_000;
        let text = match self.read.back() {
            Some((_, code)) if self.rng.chance(50) => code.clone(),
            _ => "me too #GetKettle".to_owned(),
        };
        let tweet = Tweet::new(free_id(now(), self.tweets), id, &handle(id), &text);
        self.tweets += 1;
        stream.send(id, &tweet.record());
    }

    /// An event was read.
    pub fn hear(&mut self, heard: Heard) {
        let Some(shopper) = self.shoppers.get_mut(&heard.account) else { return };
        let first = shopper.answer.is_none();
        shopper.heard.push(heard.name);
        // What comes twice is for the audit.
        if let Some(answer) = heard.answer.filter(|_| first) {
            if shopper.plan.lapses() {
                shopper.expected.push("purchase.lapsed");
            }
            let acts = shopper.plan.acts(&mut self.rng, now(), answer.deadline);
            shopper.todo = acts.len();
            for (at, act) in acts {
                self.planned += 1;
                self.agenda.insert((at, self.planned), (heard.account, act));
            }
            self.read.push_back((heard.account, answer.code.clone()));
            if self.read.len() > READ {
                self.read.pop_front();
            }
            shopper.answer = Some(answer);
        }
        self.note(heard.account);
    }

    /// Does what is due.
    pub fn act(&mut self, stream: &mut Stream) {
        let time = now();
        while let Some(entry) = self.agenda.first_entry().filter(|entry| entry.key().0 <= time) {
            let (id, act) = entry.remove();
            if let Some(shopper) = self.shoppers.get_mut(&id) {
                shopper.todo -= 1;
            }
            self.deed(id, act, stream);
            self.note(id);
        }
    }

    fn deed(&mut self, id: u64, act: Act, stream: &mut Stream) {
        let Some(shopper) = self.shoppers.get_mut(&id) else { return };
        let Some(answer) = shopper.answer.clone() else { return };
        let time = now();
        match act {
            // Behind the deadline it would be another purchase, or the end of this one.
            Act::Ask if shopper.plan == Plan::AskAgain && time > answer.deadline => self.give_up(id),
            Act::Delete | Act::Freeze | Act::Unlink if time > answer.deadline => self.give_up(id),
            Act::Ask => self.ask(id, stream),
            Act::Confirm => self.confirm(id, time, stream),
            Act::ConfirmAt(behind) => {
                // Whoever has read his code late does what he can.
                let at = if time > answer.deadline + 1_000 { time } else { answer.deadline + behind };
                self.confirm(id, at, stream);
            }
            Act::Again => stream.send(id, &shopper.last),
            Act::Copy => {
                let Some((_, code)) = self.read.iter().find(|(other, _)| *other != id) else { return };
                shopper.expected.push("purchase.refused/wrong_code");
                let code = code.clone();
                self.tweet(id, time, &code, stream);
            }
            Act::Guess => {
                shopper.expected.push("purchase.refused/wrong_code");
                let code = format!("#Confirm{:08}", self.rng.next() % 100_000_000);
                self.tweet(id, time, &code, stream);
            }
            Act::Delete => {
                shopper.expected.push("purchase.cancelled/deleted");
                let record = deletion(answer.offer_tweet, id, shopper.format);
                stream.send(id, &record);
            }
            Act::Freeze => {
                shopper.expected.push("purchase.cancelled/frozen");
                let frozen = with(account(id), json!({"status": "frozen"}));
                self.publish(id, Some(frozen.to_string().into_bytes()));
            }
            Act::Unlink => {
                shopper.expected.push("purchase.cancelled/unlinked");
                self.publish(id, None);
            }
        }
    }

    /// Tweets the code; what comes of it depends on the tweet's own time alone.
    fn confirm(&mut self, id: u64, time: i64, stream: &mut Stream) {
        let Some(shopper) = self.shoppers.get_mut(&id) else { return };
        let Some(answer) = shopper.answer.clone() else { return };
        let late = time > answer.deadline;
        let bought = shopper.expected.contains(&"purchase.confirmed");
        match shopper.plan {
            Plan::Guess => shopper.expected.push("purchase.refused/locked"),
            Plan::BeLate => shopper.expected.push("purchase.refused/lapsed"),
            // What has no time left buys nothing of the rest either.
            _ if late && !bought => {
                self.give_up(id);
                if let Some(shopper) = self.shoppers.get_mut(&id) {
                    shopper.expected.push("purchase.refused/lapsed");
                }
            }
            Plan::BuyRare => {}
            _ if !bought => shopper.expected.push("purchase.confirmed"),
            _ => {}
        }
        self.tweet(id, time, &answer.code, stream);
    }

    /// He has read his code too late to go on with his plan.
    fn give_up(&mut self, id: u64) {
        let Some(shopper) = self.shoppers.get_mut(&id) else { return };
        if shopper.plan == Plan::BuyRare {
            shopper.expected.push("purchase.requested");
        }
        shopper.plan = Plan::Forget;
        shopper.expected.push("purchase.lapsed");
        shopper.todo = 0;
        self.agenda.retain(|_, (other, _)| *other != id);
        self.belated += 1;
    }

    fn tweet(&mut self, id: u64, time: i64, text: &str, stream: &mut Stream) {
        let Some(shopper) = self.shoppers.get_mut(&id) else { return };
        let tweet = Tweet::new(free_id(time, self.tweets), id, &handle(id), text).format(shopper.format);
        self.tweets += 1;
        shopper.last = tweet.record();
        stream.send(id, &shopper.last);
    }

    /// A record of the table of accounts.
    fn publish(&mut self, id: u64, value: Option<Vec<u8>>) {
        let key = id.to_string().into_bytes();
        let partition = Partition::new(self.accounts.as_str(), partition_of(&key, INBOX));
        let record = NewRecord { partition, key: Some(key), value, headers: Vec::new() };
        self.tables.send(record).unwrap();
    }

    /// Whether somebody waits now.
    fn note(&mut self, id: u64) {
        let Some(shopper) = self.shoppers.get(&id) else { return };
        if shopper.todo == 0 && shopper.difference().is_none() {
            self.open.remove(&id);
        } else {
            self.open.insert(id);
        }
    }

    /// Those who have not what is due, or more.
    pub fn differences(&self) -> Vec<String> {
        let show = |(id, shopper): (&u64, &Shopper)| {
            let what = shopper.difference()?;
            Some(format!("{id} {:?}: {what}", shopper.plan))
        };
        self.shoppers.iter().filter_map(show).collect()
    }
}

impl Shopper {
    /// What is missing or too much.
    fn difference(&self) -> Option<String> {
        let mut heard: Vec<&str> = self.heard.iter().map(String::as_str).collect();
        heard.sort_unstable();
        if self.plan == Plan::BuyRare {
            let ends: [&[&str]; 3] = [
                &["purchase.refused/sold_out"],
                &["purchase.cancelled/sold_out", "purchase.requested"],
                &["purchase.confirmed", "purchase.requested"],
            ];
            return (!ends.contains(&heard.as_slice())).then(|| format!("{heard:?}"));
        }
        let mut expected = self.expected.clone();
        expected.sort_unstable();
        (heard != expected).then(|| format!("{heard:?}, not {expected:?}"))
    }
}

/// An id that nobody else has: those of the noise count up from 0 in each millisecond.
fn free_id(millis: i64, n: u64) -> u64 {
    tweet_id(millis, (1 << 21) | (n % (1 << 21)))
}

fn handle(id: u64) -> String {
    format!("u{id}")
}
