//! A crowd in one shop: they read `purchases` for their codes and do with them what people do, all at once.
//! Each one's story comes out exactly as it has to.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use hashbuy::worker::partitioner::partition_of;
use serde_json::{Value, json};

use crate::common::program::text;
use crate::common::rng::Rng;
use crate::common::tables::with;
use crate::common::tags::{code, millis, rfc3339, time_of};
use crate::common::wire::{Others, Tweet};
use crate::firehose::{Firehose, now};
use crate::topics::Stored;
use crate::world::{INBOX, SOON, TWEETS, World, account, offer};

use super::fates::{Deed, FATES, Fate, STOCK};

const FIRST: u64 = 700;

struct Shopper {
    id: u64,
    fate: &'static Fate,
    deeds: VecDeque<Deed>,
    /// The tweet with the offer's tag.
    asked: u64,
    /// What was answered to it.
    requested: Value,
    /// The tweets with the own code, by their ids.
    said_code: Vec<u64>,
}

/// Over fifty shoppers with mixed fates, in all partitions of the firehose and of the inbox.
pub fn shoppers(world: &mut World) {
    let mut rng = Rng::new(11);
    let mut crowd: Vec<Shopper> = (FIRST..)
        .zip(FATES.iter().flat_map(|(count, fate)| vec![fate; *count]))
        .map(|(id, fate)| Shopper {
            id,
            fate,
            deeds: fate.deeds.iter().copied().collect(),
            asked: 0,
            requested: Value::Null,
            said_code: Vec::new(),
        })
        .collect();
    rng.shuffle(&mut crowd);
    let inbox: BTreeSet<u32> = crowd
        .iter()
        .map(|shopper| partition_of(format!("account/{}", shopper.id).as_bytes(), INBOX))
        .collect();
    assert!(crowd.len() >= 40 && inbox.len() == INBOX as usize);
    let quick = with(offer("kettle", "#GetKettle"), json!({"window_seconds": 60}));
    let rare = with(offer("lamp", "#GetLamp"), json!({"stock": STOCK}));
    let accounts: Vec<Value> = crowd.iter().map(|shopper| account(shopper.id)).collect();
    world.set_up(&[quick, offer("vase", "#GetVase"), rare], &accounts);
    let mut service = world.run("a");
    service.await_ready();
    let firehose = world.firehose();

    ask(world, &firehose, &mut crowd);
    // Those whose window is short first, in any order; then all others, each a step at a time.
    let codes: Vec<(u64, String)> = crowd
        .iter()
        .filter(|shopper| shopper.requested.is_object())
        .map(|shopper| (shopper.id, text(&shopper.requested, "code").to_owned()))
        .collect();
    for quick in [true, false] {
        loop {
            let busy: Vec<usize> = (0..crowd.len())
                .filter(|&n| !crowd[n].deeds.is_empty() && (crowd[n].fate.offer == "kettle") == quick)
                .collect();
            if busy.is_empty() {
                break;
            }
            let shopper = &mut crowd[*rng.pick(&busy)];
            let deed = shopper.deeds.pop_front().unwrap();
            shopper.act(deed, world, &firehose, &codes, &mut rng);
        }
    }
    // The last unit is gone, and all partitions know.
    world.wait_for("the lamp is sold out", SOON, |world| {
        let ends = world.purchases().into_iter().filter(|event| {
            text(event, "offer_id") == "lamp"
                && ["purchase.confirmed", "purchase.cancelled"].contains(&text(event, "type"))
        });
        (ends.count() == crowd.iter().filter(|shopper| shopper.fate.is_rare()).count()).then_some(())
    });
    for shopper in crowd.iter_mut().filter(|shopper| shopper.fate.comes_last()) {
        shopper.asked = firehose.tweet(shopper.id, "one for me? #GetLamp");
    }
    let expected: usize = crowd.iter().map(|shopper| shopper.fate.story.len()).sum();
    world.wait_for("all stories at their ends", Duration::from_secs(100), |world| {
        (world.purchases().len() >= expected).then_some(())
    });
    service.stop();
    check(world, &crowd);
}

/// Everybody asks at once, but those who come last; everybody reads what is answered.
fn ask(world: &mut World, firehose: &Firehose, crowd: &mut [Shopper]) {
    for shopper in crowd.iter_mut().filter(|shopper| !shopper.fate.comes_last()) {
        let tag = format!("yes please #get{}!", shopper.fate.offer);
        let mut tweet = Tweet::new(firehose.id(now()), shopper.id, &format!("u{}", shopper.id), &tag);
        if !shopper.fate.asks() {
            tweet.others = Others::Retweet(tag);
        }
        shopper.asked = tweet.id;
        firehose.post(&tweet);
    }
    let asking = crowd.iter().filter(|shopper| shopper.fate.asks()).count();
    world.await_count("purchase.requested", asking, SOON);
    let answers: BTreeMap<u64, Value> =
        world.purchases().into_iter().map(|event| (account_of(&event), event)).collect();
    for shopper in crowd.iter_mut().filter(|shopper| shopper.fate.asks()) {
        shopper.requested = answers[&shopper.id].clone();
        assert_eq!(text(&shopper.requested, "offer_tweet_id"), shopper.asked.to_string());
    }
}

impl Shopper {
    fn act(
        &mut self,
        deed: Deed,
        world: &mut World,
        firehose: &Firehose,
        codes: &[(u64, String)],
        rng: &mut Rng,
    ) {
        let own = text(&self.requested, "code").to_owned();
        let deadline = || millis(text(&self.requested, "deadline"));
        // However slow this machine is, nobody is answered or reminded anew because a minute has passed.
        let moment = now().min(time_of(self.asked) + 50_000);
        let tweet = |text: &str| firehose.tweet_at(moment, self.id, text);
        match deed {
            Deed::Code => self.said_code.push(tweet(&format!("done: {own}"))),
            Deed::CodeAtTheDeadline => self.said_code.push(firehose.tweet_at(deadline(), self.id, &own)),
            Deed::CodeTooLate => self.said_code.push(firehose.tweet_at(deadline() + 1, self.id, &own)),
            Deed::CodeAgain => firehose.again(self.said_code[0], self.id, &format!("done: {own}")),
            Deed::CodeAndTag => self.said_code.push(tweet(&format!("{own} #Get{}", self.fate.offer))),
            Deed::CodeOfSomebody => {
                let others: Vec<&(u64, String)> = codes.iter().filter(|(id, _)| *id != self.id).collect();
                tweet(&rng.pick(&others).1);
            }
            Deed::Tag => drop(tweet(&format!("#Get{}", self.fate.offer))),
            Deed::Delete => firehose.delete(self.asked, self.id),
            Deed::Freeze => {
                // Two ways lead into the inbox, so what comes after the freeze has to wait for it.
                world.hashbuy(&["accounts", "freeze", &self.id.to_string()]);
                world.await_event("purchase.cancelled", self.id, self.fate.offer, SOON);
            }
        }
    }
}

/// Each one's story, word for word; what was paid for what; and nothing twice.
fn check(world: &World, crowd: &[Shopper]) {
    let purchases = world.committed(&["purchases"]);
    let orders = world.committed(&["orders"]);
    let mut ids = BTreeSet::new();
    for event in purchases.iter().chain(&orders).map(Stored::json) {
        assert!(ids.insert(text(&event, "event_id").to_owned()), "twice: {event}");
    }
    assert_eq!(world.committed(&["dead_letters"]).len(), 0);
    let mut of_account: BTreeMap<u64, Vec<Value>> = BTreeMap::new();
    for event in purchases.iter().map(Stored::json) {
        of_account.entry(account_of(&event)).or_default().push(event);
    }
    let (mut sold, mut firehoses) = (0, BTreeSet::new());
    for shopper in crowd {
        let events = of_account.remove(&shopper.id).unwrap_or_default();
        let story: Vec<String> = events.iter().map(told).collect();
        let found = if shopper.fate.is_rare() && story.last().is_some_and(|end| end == "confirmed") {
            sold += 1;
            story == ["requested", "confirmed"]
        } else {
            story == shopper.fate.story
        };
        assert!(found, "{}: {story:?}, not {:?}\n{}", shopper.id, shopper.fate.story, world.said());
        events.iter().for_each(|event| shopper.check(event));
        firehoses.insert(shopper.id % u64::from(TWEETS));
    }
    assert!(of_account.is_empty(), "of nobody here: {of_account:?}");
    assert_eq!((sold, firehoses.len()), (STOCK, TWEETS as usize));

    // Beside each confirmation its order, decided in the same step.
    let is_confirmed = |record: &&Stored| text(&record.json(), "type") == "purchase.confirmed";
    let decision = |record: &Stored| {
        let event = record.json();
        let field = |name: &str| event[name].to_string();
        let of_both = ["purchase_id", "account_id", "offer_id", "offer_version", "price", "product", "at"];
        let fields = of_both.map(field);
        (fields, record.header("hashbuy-cause").to_owned(), record.header("hashbuy-now").to_owned())
    };
    let confirmed: BTreeSet<_> = purchases.iter().filter(is_confirmed).map(decision).collect();
    let ordered: BTreeSet<_> = orders.iter().map(decision).collect();
    assert_eq!(confirmed, ordered);
    assert_eq!((orders.len(), ordered.len()), (confirmed.len(), confirmed.len()), "one for one");
    for order in orders.iter().map(Stored::json) {
        assert_eq!(text(&order, "card_token"), format!("tok-{}", account_of(&order)));
    }
}

impl Shopper {
    /// What an event says, beyond that it is there.
    fn check(&self, event: &Value) {
        if event["purchase_id"].is_string() {
            assert_eq!(event["purchase_id"], self.requested["purchase_id"], "{event}");
        }
        match text(event, "type") {
            "purchase.requested" => {
                let secret = crate::common::program::SECRET;
                assert_eq!(text(event, "code"), code(secret, self.id, self.fate.offer, self.asked));
            }
            "purchase.confirmed" => {
                let tweet = self.said_code[0];
                assert_eq!(text(event, "confirm_tweet_id"), tweet.to_string(), "{event}");
                assert!(event["confirmed_at"].as_str() <= self.requested["deadline"].as_str(), "{event}");
                if self.fate.deeds == [Deed::CodeAtTheDeadline] {
                    assert_eq!(event["confirmed_at"], self.requested["deadline"]);
                }
            }
            "purchase.lapsed" => {
                assert_eq!(event["at"], self.requested["deadline"]);
                assert!(text(event, "at") < rfc3339(now()).as_str(), "{event}");
            }
            _ => {}
        }
    }
}

/// An event in a word or two: what it is, why, and whether a refusal is left without an answer.
fn told(event: &Value) -> String {
    let kind = text(event, "type").trim_start_matches("purchase.");
    let words = [kind, text(event, "reason"), text(event, "cause")];
    let silent = kind == "refused" && event["reply"].is_null();
    let words = words.into_iter().chain(silent.then_some("silently"));
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

fn account_of(event: &Value) -> u64 {
    text(event, "account_id").parse().unwrap()
}
