//! What time does while nothing comes, with hours that take no time.

use hashbuy::core::time::{HOUR, MINUTE, SECOND};
use hashbuy::log::memory::Step;
use hashbuy::log::{Log as _, NewRecord, Partition};
use hashbuy::worker::keeper::{Holds, Silence};
use hashbuy::worker::partitioner::partition_of;
use serde_json::{Value, json};

use crate::fleet::{Fleet, START, TWEETS};

/// When the ids of tweets begin to count.
const ID_EPOCH: i64 = 1_288_834_974_657;
/// The default slack behind a deadline.
const SLACK: i64 = 30 * SECOND;
/// The default window.
const WINDOW: i64 = 15 * MINUTE;

const ANNA: u64 = 101;

/// A fleet with an offer and an account, half a minute after its start.
fn fleet(silence: Silence) -> Fleet {
    fleet_of(silence, 1)
}

/// The same with so many scan workers.
fn fleet_of(silence: Silence, scans: u32) -> Fleet {
    let mut fleet = Fleet::with_silence(silence, 5, scans, 1);
    let offer = json!({
        "offer_id": "kettle", "kind": "purchase", "hashtag": "#GetKettle",
        "price": {"amount": 1_999, "currency": "USD"},
        "starts_at": "2013-01-01T00:00:00.000Z", "ends_at": "2013-12-31T00:00:00.000Z",
    });
    fleet.write("offers", 0, Some(b"kettle".to_vec()), Some(offer.to_string().into_bytes()));
    let account = json!({
        "account_id": ANNA.to_string(), "card_token": "tok-anna", "delivery_ref": "door-anna",
        "status": "active", "linked_at": "2013-01-01T00:00:00.000Z",
    });
    let key = ANNA.to_string().into_bytes();
    fleet.write("accounts", partition_of(&key, 2), Some(key), Some(account.to_string().into_bytes()));
    pass(&mut fleet, 30, true);
    fleet
}

/// Lets seconds pass, with noise in every partition or without any.
fn pass(fleet: &mut Fleet, seconds: i64, noise: bool) {
    for _ in 0..seconds {
        fleet.pass(SECOND);
        if noise {
            (0..TWEETS).for_each(|partition| tweet(fleet, partition, 999, "what a day"));
        }
        fleet.holds = None;
        (0..4).for_each(|_| fleet.turn());
    }
}

fn tweet(fleet: &mut Fleet, partition: u32, author: u64, text: &str) {
    tweet_of(fleet, 0, partition, author, text);
}

/// A tweet of so many milliseconds from now.
fn tweet_of(fleet: &mut Fleet, millis: i64, partition: u32, author: u64, text: &str) {
    let time = fleet.now().plus(millis).millis();
    let id = ((time - ID_EPOCH) as u64) << 22 | u64::from(partition);
    tweet_with(fleet, partition, id, author, text);
}

/// A transaction that is aborted: what is then at the end of its partition is handed to nobody.
fn abort_something(fleet: &Fleet, topic: &str, partition: u32) {
    let mut transactions = fleet.log.transactions("firehose").unwrap();
    transactions.begin().unwrap();
    let partition = Partition::new(topic, partition);
    let value = Some(b"taken back".to_vec());
    let key = Some(b"1".to_vec());
    transactions.send(&NewRecord { partition, key, value, headers: vec![] }).unwrap();
    transactions.abort().unwrap();
}

fn tweet_with(fleet: &mut Fleet, partition: u32, id: u64, author: u64, text: &str) {
    let user = json!({"id": author, "id_str": author.to_string(), "screen_name": "someone"});
    let tweet = json!({"id": id, "id_str": id.to_string(), "text": text, "user": user});
    fleet.write("tweets", partition, None, Some(tweet.to_string().into_bytes()));
}

/// How far the desk's time is behind the clock, in milliseconds.
fn behind(fleet: &Fleet) -> i64 {
    fleet.now().since(fleet.keeper_time())
}

fn find(fleet: &Fleet, kind: &str) -> Option<Value> {
    fleet.purchases().into_iter().find(|event| event["type"] == kind)
}

/// Time stands for as long as nothing comes, and goes on with the first tweet.
#[test]
fn time_waits_in_a_silence() {
    let mut fleet = fleet(Silence::Wait);
    tweet(&mut fleet, 0, ANNA, "#GetKettle");
    pass(&mut fleet, 5, true);
    assert!(find(&fleet, "purchase.requested").is_some());
    let stands = fleet.keeper_time();
    pass(&mut fleet, 30 * 60, false);
    assert_eq!(fleet.keeper_time(), stands);
    assert_eq!(fleet.holds, Some(Holds::Silent));
    assert_eq!(find(&fleet, "purchase.lapsed"), None);
    pass(&mut fleet, 5, true);
    assert!(find(&fleet, "purchase.lapsed").is_some());
    assert_eq!(fleet.holds, None);
}

/// Time goes on five minutes behind the clock: nobody waits for a lapse for ever, and what is delivered
/// within these minutes counts.
#[test]
fn time_advances_in_a_silence() {
    let mut fleet = fleet(Silence::Advance);
    tweet(&mut fleet, 0, ANNA, "#GetKettle");
    pass(&mut fleet, 5, true);
    let requested = find(&fleet, "purchase.requested").unwrap();
    let issued = fleet.now().millis() - 5 * SECOND;
    // Before it is sure that the silence is one, time stands.
    let stands = fleet.keeper_time();
    pass(&mut fleet, 4 * 60, false);
    assert_eq!(fleet.keeper_time(), stands);
    pass(&mut fleet, 10 * 60, false);
    assert!((5 * MINUTE..5 * MINUTE + 2 * SECOND).contains(&behind(&fleet)), "{}", behind(&fleet));
    assert_eq!(fleet.holds, None);

    // A second more than four minutes after the deadline, time is not there yet.
    let deadline = issued + WINDOW;
    let until = deadline + 4 * MINUTE + SECOND;
    let seconds = (until - fleet.now().millis()) / SECOND;
    pass(&mut fleet, seconds, false);
    assert_eq!(find(&fleet, "purchase.lapsed"), None, "it lapsed before time was there");
    let late = ((deadline - SECOND - ID_EPOCH) as u64) << 22 | 9;
    let mut other = fleet;
    tweet_with(&mut other, 1, late, ANNA, requested["code"].as_str().unwrap());
    pass(&mut other, 3, false);
    assert!(find(&other, "purchase.confirmed").is_some(), "tweeted in time, delivered within five minutes");
}

/// The lapse comes when time, five minutes behind, is past deadline and slack.
#[test]
fn a_silence_ends_a_purchase_if_time_advances() {
    let mut fleet = fleet(Silence::Advance);
    tweet(&mut fleet, 0, ANNA, "#GetKettle");
    pass(&mut fleet, 1, true);
    let issued = fleet.now().millis();
    let due = issued + WINDOW + SLACK + 5 * MINUTE;
    while find(&fleet, "purchase.lapsed").is_none() {
        assert!(
            fleet.now().millis() < due + 5 * SECOND,
            "no lapse, {} s after the start",
            (due - START) / 1_000
        );
        pass(&mut fleet, 1, false);
    }
    assert!(fleet.now().millis() >= due - 2 * SECOND, "it lapsed too early");
}

/// A partition that is read to its end becomes idle, also when what stands there is no tweet but the end of a
/// transaction.
#[test]
fn the_end_of_a_transaction_holds_no_time() {
    let mut fleet = fleet(Silence::Wait);
    fleet.pass(SECOND);
    tweet(&mut fleet, 1, 999, "anybody here?");
    abort_something(&fleet, "tweets", 1);
    let written = fleet.now();
    for second in 0..90 {
        fleet.pass(SECOND);
        [0, 2].into_iter().for_each(|partition| tweet(&mut fleet, partition, 999, "what a day"));
        (0..4).for_each(|_| fleet.turn());
        if (5..55).contains(&second) {
            assert_eq!(fleet.keeper_time(), written, "after {second} s");
        }
        if (12..55).contains(&second) {
            assert_eq!(fleet.holds, Some(Holds::Quiet(1)), "after {second} s");
        }
    }
    assert!(behind(&fleet) <= 2 * SECOND, "time stands: {:?}, {} ms behind", fleet.holds, behind(&fleet));
}

/// A stream that was cut off comes back, and one partition is read a little later than the others: what is in
/// it may be old, and counts.
#[test]
fn news_in_an_idle_partition_is_read_before_time_goes_on() {
    let mut fleet = fleet_of(Silence::Wait, 2);
    tweet(&mut fleet, 0, ANNA, "#GetKettle");
    pass(&mut fleet, 5, true);
    let requested = find(&fleet, "purchase.requested").unwrap();
    let in_time = ((fleet.now().millis() + 4 * MINUTE - ID_EPOCH) as u64) << 22;
    pass(&mut fleet, 40 * 60, false);

    tweet_with(&mut fleet, 0, in_time, ANNA, requested["code"].as_str().unwrap());
    let first = fleet.scans.iter().position(|scan| scan.keeps_time()).unwrap();
    let late = fleet.scans.remove(first);
    for _ in 0..4 {
        fleet.pass(SECOND);
        (1..TWEETS).for_each(|partition| tweet(&mut fleet, partition, 999, "we are back"));
        (0..4).for_each(|_| fleet.turn());
    }
    assert_eq!(find(&fleet, "purchase.lapsed"), None, "it lapsed while its confirmation was not read");
    assert!(matches!(fleet.holds, Some(Holds::Unread(_))), "{:?}", fleet.holds);
    fleet.scans.push(late);
    pass(&mut fleet, 5, true);
    assert!(find(&fleet, "purchase.confirmed").is_some());
    assert!(behind(&fleet) <= 2 * SECOND, "{} ms behind", behind(&fleet));
}

/// A partition that nothing but deletions comes into has no tweet times, and holds up nobody for long.
#[test]
fn deletions_alone_hold_no_time() {
    let mut fleet = fleet(Silence::Wait);
    for _ in 0..120 {
        fleet.pass(SECOND);
        [0, 2].into_iter().for_each(|partition| tweet(&mut fleet, partition, 999, "what a day"));
        let deletion =
            json!({"delete": {"status": {"id": 5, "id_str": "5", "user_id": 7, "user_id_str": "7"}}});
        fleet.write("tweets", 1, None, Some(deletion.to_string().into_bytes()));
        // Read at once in part only: there is always something that is not.
        fleet.turn();
    }
    assert!(behind(&fleet) <= 14 * SECOND, "{} ms behind", behind(&fleet));
}

/// Tables may be written in transactions: their ends are read like records, and nobody waits for more.
#[test]
fn a_table_may_end_with_the_end_of_a_transaction() {
    let mut fleet = fleet(Silence::Wait);
    abort_something(&fleet, "accounts", 0);
    abort_something(&fleet, "offers", 0);
    fleet.restart_feeder();
    assert!(!fleet.is_fed(), "what has come since is not read yet");
    pass(&mut fleet, 5, true);
    assert!(fleet.is_fed());
}

#[test]
fn who_has_stood_still_does_not_think_that_the_tweets_are_ahead() {
    let mut fleet = fleet(Silence::Wait);
    let before = fleet.now();
    pass(&mut fleet, 5 * 60, true);
    (0..20).for_each(|n| tweet(&mut fleet, n % TWEETS, ANNA, "#GetKettle"));
    let (hand, after) = (fleet.hand.clone(), fleet.now());
    fleet.hand.set(before.millis());
    // It stands still between its look at the clock and its question for more.
    fleet.log.set_faults(Some(Box::new(move |step| {
        if let Step::Poll("app-scan") = step {
            hand.set(after.millis());
        }
        None
    })));
    (0..4).for_each(|_| fleet.turn());
    assert_eq!(fleet.now(), after);
    fleet.log.set_faults(None);
    pass(&mut fleet, 5, true);
    assert_eq!(fleet.events("dead-letters"), [] as [Value; 0]);
    assert!(find(&fleet, "purchase.requested").is_some());
}

/// A slow clock takes a tweet of now for one of the future. The tweets behind it that are not, because they were held
/// back for long or are nearly of the future, do not show that it is right.
#[test]
fn what_was_held_back_says_nothing_about_a_clock() {
    for old in [-7 * 24 * HOUR, -MINUTE, 59 * SECOND] {
        let mut fleet = fleet(Silence::Wait);
        tweet_of(&mut fleet, 90 * SECOND, 0, ANNA, "#GetKettle");
        (0..20).for_each(|_| tweet_of(&mut fleet, old, 0, 999, "#GetKettle"));
        pass(&mut fleet, 5, false);
        assert_eq!(find(&fleet, "purchase.requested"), None);
        // It is set.
        fleet.pass(90 * SECOND);
        pass(&mut fleet, 5, true);
        (0..20).for_each(|_| tweet(&mut fleet, 0, 999, "#GetKettle"));
        pass(&mut fleet, 5, true);
        assert!(find(&fleet, "purchase.requested").is_some(), "{old}");
    }
}

/// Where the clock is right, a tweet of the future holds up nobody.
#[test]
fn what_is_of_now_shows_that_a_tweet_is_wrong() {
    let mut fleet = fleet(Silence::Wait);
    tweet_of(&mut fleet, 90 * SECOND, 0, ANNA, "#GetKettle");
    (0..20).for_each(|_| tweet(&mut fleet, 0, 999, "#GetKettle"));
    pass(&mut fleet, 5, true);
    assert!(behind(&fleet) <= 10 * SECOND);
    fleet.pass(90 * SECOND);
    pass(&mut fleet, 5, true);
    assert_eq!(find(&fleet, "purchase.requested"), None);
}
