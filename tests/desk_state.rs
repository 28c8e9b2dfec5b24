//! The state of the desk: an aborted transaction leaves no trace, a restored desk goes on as if it
//! had never stopped, and what can matter no more goes away. Random records of few accounts and few
//! offers, so that everything meets everything.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use hashbuy::core::account::Account;
use hashbuy::core::code::{Code, Secret};
use hashbuy::core::desk::{Desk, Effects, Output, Progress};
use hashbuy::core::event::Details;
use hashbuy::core::ids::{AccountId, TweetId};
use hashbuy::core::inbox::{Inbox, Position, SeenCode, SeenOffer, Sighting, decode, encode};
use hashbuy::core::offer::Offer;
use hashbuy::core::settings::{Settings, Shared};
use hashbuy::core::time::Time;
use hashbuy::core::transaction::Transaction;
use proptest::prelude::*;

const START: i64 = 1_462_352_400_000;
const ACCOUNTS: u64 = 3;
const OFFERS: usize = 4;
/// Their numbers come after those of the offers.
const COUPONS: usize = 2;
const CARDS: u64 = 2;

/// One thing that happens, with the milliseconds that pass before it.
#[derive(Debug, Clone)]
struct Step {
    pause: i64,
    account: u64,
    what: What,
}

#[derive(Debug, Clone)]
enum What {
    Tags { offers: Vec<usize>, code: Option<usize>, age: i64 },
    Code { code: usize, age: i64 },
    WrongCode,
    Again,
    Delete { tweet: usize },
    Freeze,
    Link,
    Unlink,
    Withdraw { offer: usize },
    Restock { stock: u64, newer: bool },
    Prolong { offer: usize, days: i64 },
    Pay { card: u64, merchant: usize, amount: i64, age: i64 },
    Refund { of: usize, amount: i64 },
    PaidAgain,
    TransactionsGoOn,
    Mark,
}

fn what() -> impl Strategy<Value = What> {
    prop_oneof![
        6 => (prop::collection::vec(0..OFFERS + COUPONS, 1..3), prop::option::of(0..50usize), 0..100_000i64)
            .prop_map(|(offers, code, age)| What::Tags { offers, code, age }),
        6 => (0..50usize, 0..8_000_000i64).prop_map(|(code, age)| What::Code { code, age }),
        6 => (0..50usize).prop_map(|code| What::Code { code, age: 0 }),
        2 => Just(What::WrongCode),
        1 => Just(What::Again),
        2 => (0..50usize).prop_map(|tweet| What::Delete { tweet }),
        1 => Just(What::Freeze),
        3 => Just(What::Link),
        1 => Just(What::Unlink),
        1 => (0..OFFERS).prop_map(|offer| What::Withdraw { offer }),
        1 => (1..3u64, any::<bool>()).prop_map(|(stock, newer)| What::Restock { stock, newer }),
        1 => (0..OFFERS, 0..9i64).prop_map(|(offer, days)| What::Prolong { offer, days }),
        3 => (0..CARDS, 0..COUPONS, prop::sample::select(vec![0, 1_999, 2_000, 4_000]), 0..600_000i64)
            .prop_map(|(card, merchant, amount, age)| What::Pay { card, merchant, amount, age }),
        2 => (0..20usize, 1..2_500i64).prop_map(|(of, amount)| What::Refund { of, amount }),
        1 => Just(What::PaidAgain),
        2 => Just(What::TransactionsGoOn),
        6 => Just(What::Mark),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let pause =
        prop_oneof![8 => 0..2_000i64, 8 => 0..400_000i64, 2 => 0..20_000_000i64, 1 => 0..700_000_000i64];
    let step = (pause, 1..=ACCOUNTS, what()).prop_map(|(pause, account, what)| Step { pause, account, what });
    prop::collection::vec(step, 1..80)
}

fn account(id: u64, status: &str) -> Arc<Account> {
    let json = format!(
        r#"{{"account_id":"{id}","screen_name":"a{id}","card_token":"tok{}","delivery_ref":"d{id}",
            "status":"{status}","linked_at":"2016-01-01T00:00:00Z","caps":{{"pendings":3,"wrong_codes_per_hour":2}}}}"#,
        id % CARDS
    );
    Arc::new(Account::from_json(&json).unwrap())
}

fn offer(number: usize, version: u64, stock: u64) -> Arc<Offer> {
    if number >= OFFERS {
        return coupon(number, version);
    }
    // The first two have a stock.
    let stock = if number < 2 { format!(r#","stock":{stock}"#) } else { String::new() };
    let json = format!(
        r##"{{"offer_id":"o{number}","version":{version},"kind":"purchase","hashtag":"#Get{number}x",
            "product":"Pot {number}","price":{{"amount":{},"currency":"USD"}},"per_account":2,
            "starts_at":"2016-05-01T00:00:00Z","ends_at":"2016-05-05T00:00:00Z"{stock}}}"##,
        1_000 * (number + 1)
    );
    Arc::new(Offer::from_json(&json, "Confirm").unwrap())
}

/// Each at a merchant of its own; the second has no least amount.
fn coupon(number: usize, version: u64) -> Arc<Offer> {
    let least = if number == OFFERS { r#","min_spend":{"amount":2000,"currency":"USD"}"# } else { "" };
    let json = format!(
        r##"{{"offer_id":"o{number}","version":{version},"kind":"coupon","hashtag":"#Get{number}x",
            "merchant_id":"m{}","credit":{{"amount":500,"currency":"USD"}},"per_account":2{least},
            "starts_at":"2016-05-01T00:00:00Z","ends_at":"2016-05-05T00:00:00Z","redeem_by":"2016-05-06T00:00:00Z"}}"##,
        number - OFFERS
    );
    Arc::new(Offer::from_json(&json, "Confirm").unwrap())
}

/// Turns steps into records. What it knows of codes and tweets it learns from the effects.
struct Script {
    settings: Shared,
    time: i64,
    sequence: u64,
    version: u64,
    stock: u64,
    codes: Vec<Code>,
    tweets: Vec<(u64, TweetId)>,
    last: Option<Sighting>,
    transactions: Vec<Transaction>,
}

impl Script {
    fn new() -> Script {
        Script {
            settings: Settings::default().into(),
            time: START,
            sequence: 0,
            version: 1,
            stock: 1,
            codes: Vec::new(),
            tweets: Vec::new(),
            last: None,
            transactions: Vec::new(),
        }
    }

    fn transaction(&mut self, card: u64, merchant: usize, amount: i64, age: i64, of: Option<usize>) -> Inbox {
        let of = match of {
            Some(of) => format!(r#""kind":"refund","of":"t{of}""#),
            None => r#""kind":"payment""#.to_owned(),
        };
        let json = format!(
            r#"{{"transaction_id":"t{}","card_token":"tok{card}","merchant_id":"m{merchant}",{of},
                "amount":{{"amount":{amount},"currency":"USD"}},"at":"{}"}}"#,
            self.transactions.len(),
            Time::from_millis(self.time - age)
        );
        let transaction = Transaction::from_json(&json).unwrap();
        self.transactions.push(transaction.clone());
        Inbox::Transaction(Box::new(transaction))
    }

    fn mark(&self) -> Inbox {
        Inbox::Mark { time: Time::from_millis(self.time), settings: self.settings.clone() }
    }

    fn sighting(&mut self, account: u64, age: i64, offers: &[usize], codes: Vec<Code>) -> Inbox {
        self.sequence += 1;
        let time = self.time - age;
        let id = TweetId::new(((time - 1_288_834_974_657) as u64) << 22 | (self.sequence & 0xfff)).unwrap();
        self.tweets.push((account, id));
        let sighting = Sighting {
            account: AccountId::new(account).unwrap(),
            tweet_id: id,
            first_id: id,
            time: Time::from_millis(time),
            handle: Some(format!("a{account}")),
            protected: false,
            codes: codes
                .into_iter()
                .map(|code| SeenCode { hashtag: code.hashtag("Confirm"), code })
                .collect(),
            offers: offers
                .iter()
                .map(|&number| SeenOffer {
                    hashtag: format!("#Get{number}x"),
                    offer: offer(number, self.version, self.stock),
                })
                .collect(),
        };
        self.last = Some(sighting.clone());
        Inbox::Sighting(sighting)
    }

    fn record(&mut self, step: &Step) -> Inbox {
        self.time += step.pause;
        let account_id = AccountId::new(step.account).unwrap();
        self.sequence += 1;
        let position = Position { epoch: 0, offset: self.sequence };
        let known = |codes: &[Code], index: usize| codes.get(index % codes.len().max(1)).copied();
        match &step.what {
            What::Tags { offers, code, age } => {
                let mut offers = offers.clone();
                offers.dedup();
                let codes = code.and_then(|index| known(&self.codes, index)).into_iter().collect();
                self.sighting(step.account, *age, &offers, codes)
            }
            What::Code { code, age } => {
                let codes = known(&self.codes, *code).into_iter().collect();
                self.sighting(step.account, *age, &[], codes)
            }
            What::WrongCode => {
                let code = Code::parse(&format!("{:08}", self.sequence % 100_000)).unwrap();
                self.sighting(step.account, 0, &[], vec![code])
            }
            What::Again => match &self.last {
                Some(sighting) => Inbox::Sighting(sighting.clone()),
                None => self.mark(),
            },
            What::Delete { tweet } => match self.tweets.get(tweet % self.tweets.len().max(1)) {
                Some(&(account, tweet_id)) => {
                    Inbox::Deletion { account: AccountId::new(account).unwrap(), tweet_id }
                }
                None => self.mark(),
            },
            What::Freeze => {
                Inbox::Account { account_id, position, account: Some(account(step.account, "frozen")) }
            }
            What::Link => {
                Inbox::Account { account_id, position, account: Some(account(step.account, "active")) }
            }
            What::Unlink => Inbox::Account { account_id, position, account: None },
            What::Withdraw { offer } => Inbox::Withdrawn { offer_id: format!("o{offer}"), position: None },
            What::Prolong { offer, days } => Inbox::Ends {
                offer_id: format!("o{offer}"),
                ends_at: Time::from_millis(START).plus(days * 86_400_000),
                position: None,
            },
            What::Restock { stock, newer } => {
                self.version += u64::from(*newer);
                self.stock = *stock;
                Inbox::Offer { offer: offer(step.account as usize % 2, self.version, self.stock) }
            }
            What::Pay { card, merchant, amount, age } => {
                self.transaction(*card, *merchant, *amount, *age, None)
            }
            What::Refund { of, amount } => {
                // Of one that was, or of the next one but one.
                let of = of % (self.transactions.len() + 2);
                let card = self.transactions.get(of).map(|payment| payment.card_token.as_str().to_owned());
                let card = u64::from(card.as_deref() == Some("tok1"));
                self.transaction(card, 0, *amount, 0, Some(of))
            }
            What::PaidAgain => match self.transactions.last() {
                Some(transaction) => Inbox::Transaction(Box::new(transaction.clone())),
                None => self.mark(),
            },
            What::TransactionsGoOn => Inbox::Progress { time: Time::from_millis(self.time) },
            What::Mark => self.mark(),
        }
    }

    fn learn(&mut self, effects: &Effects) {
        for output in &effects.outputs {
            if let Output::Event(event) = output
                && let Details::Requested { code, .. } = &event.details
            {
                self.codes.push(Code::parse(code.strip_prefix("#Confirm").unwrap()).unwrap());
            }
        }
    }
}

/// The records that a script of steps leads to, messages between entities included, each with its
/// time and with its effects on a desk that commits after every record.
fn run(steps: &[Step]) -> Vec<(Inbox, Time, Effects)> {
    let mut script = Script::new();
    let mut desk = Desk::new(Secret::published());
    let mut log = Vec::new();
    let linked = (1..=ACCOUNTS).map(|account| Step { pause: 0, account, what: What::Link });
    let steps = std::iter::once(Step { pause: 0, account: 1, what: What::Mark })
        .chain(linked)
        .chain(steps.iter().cloned());
    for step in steps {
        let record = script.record(&step);
        let now = Time::from_millis(script.time);
        let mut queue = VecDeque::from([record]);
        while let Some(record) = queue.pop_front() {
            let mut effects = Effects::default();
            assert_eq!(desk.step(&record, now, now, &mut effects).unwrap(), Progress::Done);
            desk.commit();
            script.learn(&effects);
            for output in &effects.outputs {
                if let Output::Send(message) = output {
                    queue.push_back(message.clone());
                }
            }
            log.push((record, now, effects));
        }
    }
    log
}

fn write(desk: &mut Desk, changelog: &mut BTreeMap<String, Vec<u8>>, offset: usize) {
    for (key, value) in desk.changes(offset as u64) {
        match value {
            Some(value) => changelog.insert(key, value),
            None => changelog.remove(&key),
        };
    }
}

fn restored(changelog: &BTreeMap<String, Vec<u8>>) -> (Desk, Option<u64>) {
    let mut desk = Desk::new(Secret::published());
    let mut offset = None;
    for (key, value) in changelog {
        offset = desk.restore(key, Some(value)).unwrap().or(offset);
    }
    (desk, offset)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// Transactions of several records, some aborted and tried again: the same effects.
    #[test]
    fn an_abort_leaves_no_trace(steps in steps(), sizes in prop::collection::vec((1..6usize, 0..3usize), 1..40)) {
        let log = run(&steps);
        let mut desk = Desk::new(Secret::published());
        let mut rest = &log[..];
        for &(size, tries) in sizes.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (transaction, behind) = rest.split_at(size.min(rest.len()));
            for attempt in 0..=tries {
                // An aborted attempt may have come to its end, or may have stopped on the way.
                let reached = if attempt < tries { transaction.len() - attempt % transaction.len() } else { transaction.len() };
                for (record, now, expected) in &transaction[..reached] {
                    let mut effects = Effects::default();
                    let _ = desk.step(record, *now, *now, &mut effects).unwrap();
                    prop_assert_eq!(&effects, expected);
                }
                if attempt < tries { desk.abort() } else { desk.commit() }
            }
            rest = behind;
        }
    }

    /// A desk that is thrown away and restored from its changelog, again and again: the same
    /// effects, from the offset that the changelog names.
    #[test]
    fn a_restored_desk_goes_on(steps in steps(), sizes in prop::collection::vec(1..9usize, 1..40)) {
        let log = run(&steps);
        let mut changelog = BTreeMap::new();
        let mut done = 0;
        for &size in sizes.iter().cycle() {
            if done == log.len() {
                break;
            }
            let (mut desk, offset) = restored(&changelog);
            prop_assert_eq!(offset.unwrap_or(0), done as u64);
            let until = (done + size).min(log.len());
            for (record, now, expected) in &log[done..until] {
                let mut effects = Effects::default();
                let _ = desk.step(record, *now, *now, &mut effects).unwrap();
                prop_assert_eq!(&effects, expected);
            }
            done = until;
            write(&mut desk, &mut changelog, done);
        }
    }

    /// Long after everything nothing is left but linked accounts and stocks, and the committed
    /// pendings are none.
    #[test]
    fn what_can_matter_no_more_goes_away(steps in steps()) {
        let log = run(&steps);
        let mut desk = Desk::new(Secret::published());
        let mut changelog = BTreeMap::new();
        let mut last = Time::ZERO;
        for (offset, (record, now, _)) in log.iter().enumerate() {
            let _ = desk.step(record, *now, *now, &mut Effects::default()).unwrap();
            write(&mut desk, &mut changelog, offset);
            desk.commit();
            last = *now;
        }
        for days in [1, 40, 80] {
            let time = last.plus(days * 86_400_000);
            let mark = Inbox::Mark { time, settings: Settings::default().into() };
            let _ = desk.step(&mark, time, time, &mut Effects::default()).unwrap();
            write(&mut desk, &mut changelog, log.len());
            desk.commit();
            let _ = desk.step(&Inbox::Progress { time }, time, time, &mut Effects::default()).unwrap();
            write(&mut desk, &mut changelog, log.len());
            desk.commit();
        }
        prop_assert_eq!(desk.pendings().count(), 0);
        for (key, value) in &changelog {
            let value: serde_json::Value = serde_json::from_slice(value).unwrap();
            prop_assert!(!key.starts_with("card/"), "{key}: {value}");
            if key.starts_with("account/") {
                prop_assert!(value["account"].is_object(), "{key}: {value}");
                prop_assert_eq!(&value["history"], &serde_json::json!({}), "{}", key);
            }
        }
    }

    /// Records of the inbox are the same after a round trip through their JSON.
    #[test]
    fn inbox_records_survive_their_json(steps in steps()) {
        for (record, _, effects) in run(&steps) {
            prop_assert_eq!(&decode::<Inbox>(&encode(&record)).unwrap(), &record);
            for output in effects.outputs {
                if let Output::Send(message) = output {
                    prop_assert_eq!(&decode::<Inbox>(&encode(&message)).unwrap(), &message);
                }
            }
        }
    }
}

/// The properties above say nothing if nothing happens.
#[test]
fn the_scripts_lead_to_everything() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let mut kinds = BTreeMap::new();
    for _ in 0..400 {
        let steps = steps().new_tree(&mut runner).unwrap().current();
        for (_, _, effects) in run(&steps) {
            for output in &effects.outputs {
                let kind = match output {
                    Output::Event(event) | Output::Order(event) => match &event.details {
                        Details::Cancelled { cause, .. } => format!("cancelled {cause:?}"),
                        Details::Refused { reason, .. } => format!("refused {}", reason.as_str()),
                        _ => event.kind.as_str().to_owned(),
                    },
                    Output::Send(message) => {
                        format!("{message:?}").split(['(', ' ']).next().unwrap().to_owned()
                    }
                };
                *kinds.entry(kind).or_insert(0) += 1;
            }
            for (what, _) in effects.tally.iter() {
                *kinds.entry(format!("nothing: {}", what.as_str())).or_insert(0) += 1;
            }
        }
    }
    println!("{kinds:#?}");
    for expected in [
        "purchase.requested",
        "purchase.reminded",
        "purchase.confirmed",
        "order.placed",
        "purchase.lapsed",
        "cancelled Deleted",
        "cancelled Frozen",
        "cancelled Unlinked",
        "cancelled Withdrawn",
        "cancelled SoldOut",
        "refused not_linked",
        "refused frozen",
        "refused locked",
        "refused wrong_code",
        "refused lapsed",
        "refused not_open",
        "refused sold_out",
        "refused limit_reached",
        "Submitted",
        "Answer",
        "SoldOut",
        "Sold",
        "coupon.loaded",
        "coupon.redeemed",
        "order.credited",
        "coupon.reversed",
        "order.credit_reversed",
        "coupon.expired",
        "Load",
        "NotLoaded",
        "Standing",
        "nothing: transaction_again",
        "nothing: payment_without_coupon",
        "nothing: refund_without_effect",
        "nothing: replayed",
        "nothing: duplicate",
        "nothing: already_done",
        "nothing: reminded_recently",
    ] {
        assert!(kinds.contains_key(expected), "{expected} never happened: {kinds:#?}");
    }
}
