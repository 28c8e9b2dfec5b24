//! What the cases of the rules do not show: order of arrival, suspension, and that memory is bounded.

use super::*;
use crate::core::code::Secret;
use crate::core::desk::{Desk, Effects, Output, Progress};
use crate::core::event::Event;
use crate::core::settings::Settings;
use crate::core::time::{HOUR, SECOND};

const START: Time = Time::from_millis(1_462_352_400_000);

struct Stage(Desk);

impl Stage {
    fn new() -> Stage {
        let mut stage = Stage(Desk::new(Secret::published()));
        stage.step(Inbox::Mark { time: START, settings: Settings::default().into() });
        stage
    }

    /// What a record leads to, a word each, with the transaction.
    fn step(&mut self, record: Inbox) -> Vec<String> {
        let mut effects = Effects::default();
        while self.0.step(&record, START, START, &mut effects).unwrap() == Progress::More {
            self.0.commit();
        }
        self.0.commit();
        let said = effects.outputs.iter().map(|output| match output {
            Output::Event(event) | Output::Order(event) => shown(event),
            Output::Send(message) => message.key().to_string(),
        });
        said.chain(effects.tally.iter().map(|(what, _)| what.as_str().to_owned())).collect()
    }

    fn load(&mut self, offer: &str, time: Time) -> Vec<String> {
        let json = format!(
            r##"{{"offer_id":"{offer}","kind":"coupon","hashtag":"#Load{offer}","merchant_id":"m",
                "credit":{{"amount":500,"currency":"USD"}},"min_spend":{{"amount":2000,"currency":"USD"}},
                "starts_at":"{START}","ends_at":"{}"}}"##,
            START.plus(10 * DAY)
        );
        self.step(Inbox::Load(Box::new(Load {
            account: AccountId::new(7).unwrap(),
            card_token: CardToken::new("tok"),
            offer: Arc::new(Offer::from_json(&json, "Confirm").unwrap()),
            tweet_id: TweetId::new(9).unwrap(),
            time,
            hashtag: format!("#Load{offer}"),
            to: None,
        })))
    }

    fn pay(&mut self, id: &str, amount: i64, at: Time) -> Vec<String> {
        self.transaction(id, amount, at, TransactionKind::Payment)
    }

    fn refund(&mut self, id: &str, of: &str, amount: i64, at: Time) -> Vec<String> {
        self.transaction(id, amount, at, TransactionKind::Refund { of: of.to_owned() })
    }

    fn transaction(&mut self, id: &str, amount: i64, at: Time, kind: TransactionKind) -> Vec<String> {
        let currency = crate::core::money::Currency::parse("USD").unwrap();
        let amount = Money::new(amount, currency);
        let (transaction_id, merchant_id) = (id.to_owned(), "m".to_owned());
        let card_token = CardToken::new("tok");
        let transaction = Transaction { transaction_id, card_token, merchant_id, amount, kind, at };
        self.step(Inbox::Transaction(Box::new(transaction)))
    }

    fn until(&mut self, time: Time) -> Vec<String> {
        self.step(Inbox::Progress { time })
    }

    fn standing(&mut self, active: bool) {
        let account = AccountId::new(7).unwrap();
        self.step(Inbox::Standing { card_token: CardToken::new("tok"), account, active });
    }
}

/// `coupon.redeemed p`.
fn shown(event: &Event) -> String {
    let json = serde_json::to_value(event).unwrap();
    let transaction = json["transaction_id"].as_str().unwrap_or_default();
    format!("{} {transaction}", event.kind.as_str()).trim_end().to_owned()
}

#[test]
fn the_earliest_payment_that_was_there_before_redeems() {
    let mut stage = Stage::new();
    for (id, amount, after) in
        [("late", 2_000, 3), ("small", 1_999, 1), ("early", 2_000, 2), ("old", 2_000, -1)]
    {
        assert_eq!(stage.pay(id, amount, START.plus(after * SECOND)), ["payment_without_coupon"]);
    }
    let redeemed = ["coupon.loaded", "coupon.redeemed early", "order.credited early"];
    assert_eq!(stage.load("a", START), redeemed);
    assert_eq!(stage.pay("later", 9_000, START.plus(HOUR)), ["payment_without_coupon"]);
}

#[test]
fn a_payment_waits_a_day_for_its_coupon() {
    for (late, redeems) in [(0, true), (1, false)] {
        let mut stage = Stage::new();
        stage.pay("p", 2_000, START);
        stage.until(START.plus(DAY + late));
        assert_eq!(stage.load("a", START).len() == 3, redeems, "{late} ms after a day");
    }
}

#[test]
fn refunds_before_their_payment_lead_to_the_same() {
    let mut stage = Stage::new();
    stage.load("a", START);
    assert_eq!(stage.refund("r1", "p", 1_000, START), ["refund_without_effect"]);
    assert_eq!(stage.refund("r2", "p", 1_000, START), ["refund_without_effect"]);
    assert_eq!(stage.refund("r2", "p", 1_000, START), ["transaction_again"]);
    let both = ["coupon.redeemed p", "order.credited p", "coupon.reversed r2", "order.credit_reversed r2"];
    assert_eq!(stage.pay("p", 3_500, START.plus(1)), both);
    assert_eq!(stage.refund("r3", "p", 1_500, START), ["refund_without_effect"], "it is reversed once");
}

#[test]
fn nothing_is_redeemed_while_suspended_nor_later_for_it() {
    let mut stage = Stage::new();
    stage.load("a", START);
    stage.standing(false);
    assert_eq!(stage.pay("p", 2_000, START.plus(1)), ["payment_without_coupon"]);
    stage.standing(true);
    assert_eq!(stage.pay("p", 2_000, START.plus(1)), ["transaction_again"]);
    assert_eq!(stage.pay("q", 2_000, START.plus(1)), ["coupon.redeemed q", "order.credited q"]);
    stage.standing(false);
    let reversed = ["coupon.reversed r", "order.credit_reversed r"];
    assert_eq!(stage.refund("r", "q", 1, START.plus(2)), reversed, "credit is taken back all the same");
}

#[test]
fn a_coupon_expires_and_is_forgotten_by_the_time_of_the_transactions() {
    let mut stage = Stage::new();
    stage.load("a", START);
    let redeem_by = START.plus(10 * DAY);
    assert_eq!(stage.until(redeem_by.plus(SETTLEMENT - 1)), Vec::<String>::new());
    assert_eq!(stage.until(redeem_by.plus(SETTLEMENT)), ["coupon.expired"]);
    assert_eq!(stage.pay("p", 2_000, START), ["payment_without_coupon"]);
    stage.until(redeem_by.plus(COUPON_KEPT));
    assert_eq!(stage.load("a", START), ["account/7"], "the card has had one");
    let _ = stage.0.step(
        &Inbox::Progress { time: redeem_by.plus(COUPON_KEPT + 1) },
        START,
        START,
        &mut Effects::default(),
    );
    let gone = stage.0.changes(0).into_iter().find(|(key, _)| key == "card/tok");
    assert_eq!(gone, Some(("card/tok".to_owned(), None)), "nobody remembers it");
}

#[test]
fn one_that_is_loaded_after_its_time_expires_at_once() {
    let mut stage = Stage::new();
    stage.until(START.plus(10 * DAY + SETTLEMENT));
    assert_eq!(stage.load("a", START), ["coupon.loaded", "coupon.expired"]);
}

#[test]
fn a_payment_that_another_coupon_hangs_on_waits_no_longer() {
    let mut stage = Stage::new();
    stage.load("a", START);
    assert_eq!(stage.pay("p", 2_000, START.plus(1)).len(), 2);
    stage.until(START.plus(DAY + 2));
    assert_eq!(stage.load("b", START), ["coupon.loaded"]);
}

#[test]
fn a_payment_of_the_time_of_suspension_is_remembered_like_the_coupon() {
    let mut stage = Stage::new();
    stage.load("a", START);
    stage.standing(false);
    stage.pay("p", 2_000, START.plus(1));
    stage.standing(true);
    stage.until(START.plus(5 * DAY));
    assert_eq!(stage.pay("p", 2_000, START.plus(1)), ["transaction_again"]);
}

#[test]
fn what_a_card_remembers_is_bounded() {
    let mut stage = Stage::new();
    stage.load("a", START);
    assert_eq!(stage.pay("redeems", 2_000, START).len(), 2);
    for number in 0..300 {
        stage.pay(&format!("p{number}"), 5_000, START.plus(number));
    }
    for number in 0..300 {
        stage.refund(&format!("r{number}"), "p299", 1, START);
    }
    let card = stage.0.changes(0);
    assert_eq!(card.len(), 1, "all is committed");
    let mut effects = Effects::default();
    let _ = stage
        .0
        .step(&Inbox::Transaction(Box::new(transaction("one more"))), START, START, &mut effects)
        .unwrap();
    let changes = stage.0.changes(0);
    let written = changes.iter().find(|(key, _)| key == "card/tok").and_then(|(_, value)| value.as_ref());
    let card: serde_json::Value = serde_json::from_slice(written.unwrap()).unwrap();
    assert_eq!(card["card"]["payments"].as_array().unwrap().len(), 257, "256, and the one that has redeemed");
    assert_eq!(card["card"]["refunds"].as_array().unwrap().len(), 256);
    assert_eq!(card["card"]["payments"][0]["transaction_id"], "redeems");
}

fn transaction(id: &str) -> Transaction {
    let json = format!(
        r#"{{"transaction_id":"{id}","card_token":"tok","merchant_id":"m","kind":"payment",
            "amount":{{"amount":5000,"currency":"USD"}},"at":"{START}"}}"#
    );
    Transaction::from_json(&json).unwrap()
}
