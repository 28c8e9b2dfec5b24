//! Shoppers who go on shopping whatever happens, and remember what has to come of it.
//!
//! Each has one account and one plan, asks once, reads the answer in `purchases` as soon as it is committed, and does
//! what the plan says. A thread of its own plays them all, so that a row can do its harm meanwhile.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use hashbuy::log::{Log as _, NewRecord, Partition, Producer};
use serde_json::{Value, json};

use crate::common::program::{census, text};
use crate::common::tables::with;
use crate::common::tags::millis;
use crate::firehose::Firehose;
use crate::topics::{Follower, Stored};
use crate::world::{World, account, coupon, offer, payment};

/// The id of the first shopper's account.
const FIRST: u64 = 10_000;
/// So many have accounts.
const SHOPPERS: usize = 1_200;
/// Units of the rare article.
pub const STOCK: u64 = 8;
/// Who comes too late tweets so long after the answer, by a tweet that says that it is later.
const HESITATION: Duration = Duration::from_secs(2);
/// Brokers that are being restarted have so long to take a payment.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a shopper is up to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// Tweets the code.
    Buy,
    /// Tweets the code, and the same tweet comes again; then asks for more.
    BuyTwice,
    /// Tweets somebody else's code first.
    Copy,
    /// Tweets the code a millisecond after the deadline.
    BeLate,
    /// Never comes back.
    Forget,
    /// Buys what there is little of: the stock of an offer is asked, by messages between entities.
    BuyRare,
    /// Deletes the tweet that asked.
    Regret,
    /// Loads a coupon, and pays with the card; the payment comes twice.
    Save,
}

/// Plans, in the order in which shoppers come.
const PLANS: [Plan; 11] = [
    Plan::Buy,
    Plan::BuyRare,
    Plan::Copy,
    Plan::BeLate,
    Plan::Buy,
    Plan::Regret,
    Plan::BuyTwice,
    Plan::Buy,
    Plan::Forget,
    Plan::BuyRare,
    Plan::Save,
];

impl Plan {
    fn tag(self) -> &'static str {
        match self {
            Plan::BeLate => "#GetVase",
            Plan::BuyRare => "#GetLamp",
            Plan::Save => "#LoadShoes",
            _ => "#GetKettle",
        }
    }

    /// Whether a purchase has to come of it.
    pub fn has_to_buy(self) -> bool {
        matches!(self, Plan::Buy | Plan::BuyTwice | Plan::Copy)
    }

    /// Whether none may come of it.
    pub fn must_not_buy(self) -> bool {
        matches!(self, Plan::BeLate | Plan::Forget | Plan::Regret)
    }

    /// Whether the events of an account are the end of it, as far as it can be waited for.
    fn is_over(self, kinds: &[String]) -> bool {
        let has = |kind: &str| kinds.iter().any(|found| found == kind);
        match self {
            Plan::Buy | Plan::Copy => has("purchase.confirmed"),
            Plan::BuyTwice => has("purchase.confirmed") && has("purchase.refused"),
            Plan::BeLate => has("purchase.refused"),
            Plan::Forget => has("purchase.requested"),
            Plan::BuyRare => {
                has("purchase.confirmed") || has("purchase.cancelled") || kinds == ["purchase.refused"]
            }
            Plan::Regret => has("purchase.cancelled"),
            Plan::Save => has("coupon.redeemed"),
        }
    }
}

/// The offers that they buy.
pub fn offers() -> Vec<Value> {
    vec![
        with(offer("kettle", "#GetKettle"), json!({"window_seconds": 3_600})),
        with(offer("vase", "#GetVase"), json!({"window_seconds": 60})),
        with(offer("lamp", "#GetLamp"), json!({"window_seconds": 3_600, "stock": STOCK})),
        coupon("shoes", "#LoadShoes"),
    ]
}

/// The accounts of all.
pub fn accounts() -> Vec<Value> {
    (FIRST..).take(SHOPPERS).map(account).collect()
}

/// Whoever has asked, and with which plan.
pub type Asked = BTreeMap<u64, Plan>;

/// Shopping under way. It ends when this is dropped.
pub struct Load {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<Asked>>,
}

struct Shared {
    /// Nobody new comes.
    closing: AtomicBool,
    /// Nothing is waited for any more.
    ending: AtomicBool,
    /// How many have a confirmed purchase, as far as has been read.
    confirmed: Mutex<usize>,
    /// Who waits for what.
    waiting: Mutex<String>,
}

impl Load {
    /// Shoppers come, one in so long, into a world with their [`offers`] and [`accounts`].
    pub fn start(world: &World, pace: Duration) -> Load {
        let shared = Arc::new(Shared {
            closing: AtomicBool::new(false),
            ending: AtomicBool::new(false),
            confirmed: Mutex::new(0),
            waiting: Mutex::default(),
        });
        let crowd = Crowd {
            firehose: world.firehose(),
            till: Till::new(world),
            events: Follower::committed(&world.bootstrap, &[world.topic("purchases")]),
            read: 0,
            asked: Asked::new(),
            kinds: BTreeMap::new(),
            later: VecDeque::new(),
            last_code: None,
        };
        let thread = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || crowd.shop(&shared, pace))
        };
        Load { shared, thread: Some(thread) }
    }

    /// How many purchases are confirmed by now.
    pub fn confirmed(&self) -> usize {
        *self.shared.confirmed.lock().unwrap()
    }

    /// Waits until so many more purchases are confirmed. Returns how long it took.
    ///
    /// # Panics
    /// If they are not, within the time.
    pub fn await_more(&self, count: usize, within: Duration, world: &World) -> Duration {
        let (before, began) = (self.confirmed(), Instant::now());
        while self.confirmed() < before + count {
            let waiting = || self.shared.waiting.lock().unwrap().clone();
            assert!(
                began.elapsed() < within,
                "not {count} more confirmed within {within:?}; {}\n{}",
                waiting(),
                world.said()
            );
            assert!(
                self.thread.as_ref().is_some_and(|thread| !thread.is_finished()),
                "nobody shops any more"
            );
            thread::sleep(Duration::from_millis(20));
        }
        began.elapsed()
    }

    /// Nobody new comes; waits until everybody has what can be waited for.
    ///
    /// # Panics
    /// If somebody has not, within the time.
    pub fn finish(mut self, within: Duration, world: &World) -> Asked {
        self.shared.closing.store(true, Ordering::Release);
        let deadline = Instant::now() + within;
        let thread = self.thread.take().unwrap();
        while !thread.is_finished() {
            if Instant::now() > deadline {
                self.shared.ending.store(true, Ordering::Release);
                let waiting = self.shared.waiting.lock().unwrap().clone();
                panic!("not all within {within:?}: {waiting}\n{}", world.said());
            }
            thread::sleep(Duration::from_millis(50));
        }
        thread.join().unwrap()
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.shared.closing.store(true, Ordering::Release);
        self.shared.ending.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            // A row that panics has its own reason.
            let _ = thread.join();
        }
    }
}

/// What the shoppers' thread has.
struct Crowd {
    firehose: Firehose,
    till: Till,
    events: Follower,
    /// Events that were looked at.
    read: usize,
    asked: Asked,
    /// What has come for each.
    kinds: BTreeMap<u64, Vec<String>>,
    later: VecDeque<(Instant, u64, Value)>,
    last_code: Option<String>,
}

/// Where cards are paid with.
struct Till {
    producer: Box<dyn Producer + Send>,
    transactions: Partition,
}

impl Till {
    fn new(world: &World) -> Till {
        let transactions = Partition::new(world.topic("card_transactions"), 0);
        Till { producer: world.log.producer().unwrap(), transactions }
    }

    /// A payment that is enough for the coupon, delivered twice.
    fn pay_twice(&mut self, account: u64) {
        let value = payment(&format!("paid-{account}"), account, 6_200).to_string().into_bytes();
        for _ in 0..2 {
            let partition = self.transactions.clone();
            let record = NewRecord { partition, key: None, value: Some(value.clone()), headers: Vec::new() };
            self.producer.send(record).unwrap();
        }
        assert_eq!(self.producer.outstanding(PATIENCE), Ok(0));
    }
}

impl Crowd {
    fn shop(mut self, shared: &Shared, pace: Duration) -> Asked {
        let mut next = Instant::now();
        loop {
            let closing = shared.closing.load(Ordering::Acquire);
            if !closing && Instant::now() >= next && self.asked.len() < SHOPPERS {
                next = Instant::now() + pace;
                let n = self.asked.len();
                let (id, plan) = (FIRST + n as u64, PLANS[n % PLANS.len()]);
                self.asked.insert(id, plan);
                self.firehose.tweet(id, &format!("yes please {}", plan.tag()));
            }
            self.events.follow(Duration::from_millis(10));
            while let Some(event) = self.events.records.get(self.read).map(Stored::json) {
                self.read += 1;
                self.hear(&event, shared);
            }
            while let Some((_, id, event)) = self.later.pop_front_if(|(due, ..)| *due <= Instant::now()) {
                self.firehose.tweet_at(millis(text(&event, "deadline")) + 1, id, text(&event, "code"));
            }
            let is_over = self.is_over(shared);
            if closing && is_over || shared.ending.load(Ordering::Acquire) {
                return self.asked;
            }
        }
    }

    fn hear(&mut self, event: &Value, shared: &Shared) {
        let (id, kind) = (text(event, "account_id").parse().unwrap(), text(event, "type"));
        let Some(&plan) = self.asked.get(&id) else { return };
        let before = self.kinds.entry(id).or_default();
        before.push(kind.to_owned());
        if kind == "purchase.confirmed" {
            *shared.confirmed.lock().unwrap() += 1;
        }
        // What comes twice is for the audit.
        if (plan, kind) == (Plan::Save, "coupon.loaded") && before.len() == 1 {
            self.till.pay_twice(id);
        }
        if kind != "purchase.requested" || before.len() > 1 {
            return;
        }
        let code = text(event, "code").to_owned();
        match plan {
            Plan::Buy | Plan::BuyRare => drop(self.firehose.tweet(id, &format!("done {code}"))),
            Plan::BuyTwice => {
                let tweet = self.firehose.tweet(id, &code);
                self.firehose.again(tweet, id, &code);
                self.firehose.tweet(id, "more! #GetKettle");
            }
            Plan::Copy => {
                if let Some(other) = &self.last_code {
                    self.firehose.tweet(id, other);
                }
                self.firehose.tweet(id, &code);
            }
            Plan::BeLate => self.later.push_back((Instant::now() + HESITATION, id, event.clone())),
            Plan::Forget | Plan::Save => {}
            Plan::Regret => self.firehose.delete(text(event, "offer_tweet_id").parse().unwrap(), id),
        }
        self.last_code = Some(code);
    }

    /// Whether everybody has all; else it is noted who has not.
    fn is_over(&self, shared: &Shared) -> bool {
        let nothing = Vec::new();
        let open: Vec<String> = self
            .asked
            .iter()
            .map(|(id, plan)| (id, plan, self.kinds.get(id).unwrap_or(&nothing)))
            .filter(|(_, plan, kinds)| !plan.is_over(kinds))
            .map(|(id, plan, kinds)| format!("{id} {plan:?} has {kinds:?}"))
            .collect();
        let all: Vec<Value> = self.events.records.iter().map(Stored::json).collect();
        *shared.waiting.lock().unwrap() = format!(
            "of {} {} wait: {:?}; {:?}",
            self.asked.len(),
            open.len(),
            &open[..open.len().min(5)],
            census(&all)
        );
        open.is_empty()
    }
}
