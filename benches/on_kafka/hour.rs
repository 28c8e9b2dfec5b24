//! An hour of shopping by tweet time, and what stands in the changelog behind it once that is compacted.
//!
//! It goes into the inbox as the first stage would put it there, as fast as it goes, with tweet times that
//! run ahead of the clock: windows count from them, so purchases lapse as they would in an hour.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hashbuy::core::code::{Code, Secret};
use hashbuy::core::ids::TweetId;
use hashbuy::core::inbox::{Inbox, SeenCode};
use hashbuy::core::time::{SECOND, Time};
use hashbuy::log::{Log as _, Producer};
use hashbuy::service::MachineClock;
use hashbuy::worker::{Clock as _, Topics};

use crate::broker::Broker;
use crate::changelog::{compact, stand};
use crate::crowd::{self, OFFERS, account, id_of, mark, offer, send, sighting, wish};
use crate::service::{How, SECRET, Service};
use crate::writing::settle;

/// Seconds of tweet time.
const HOUR: i64 = 3_600;
/// Requests in a second of tweet time.
const RATE: u64 = 20;
/// Accounts; each asks every quarter of an hour or so.
const ACCOUNTS: u64 = 20_000;

pub fn measure(broker: &Broker) {
    const APP: &str = "changelog";
    let topics = broker.topics(APP);
    let begun = Instant::now();
    let how = How { app: APP, topics: &topics, instance: "a", stage: "desk", core: None, more: "" };
    let mut service = Service::start(broker, &how);
    let mut producer = broker.log.producer().expect("a producer");
    let sent = shop(&mut *producer, &topics);
    settle(&mut *producer);
    let mut last = (Instant::now(), 0);
    // Nothing says that it has read all; but that it decides on nothing any more does.
    service.wait_for(Duration::from_secs(900), |service| {
        let events = service.metric("hashbuy_desk_events_total") as u64;
        if events > last.1 {
            last = (Instant::now(), events);
        }
        (events > 0 && last.0.elapsed() >= Duration::from_secs(10)).then_some(())
    });
    println!(
        "an hour of tweet time: {sent} records of the inbox within {:.0} s",
        begun.elapsed().as_secs_f64()
    );
    for kind in ["requested", "confirmed", "lapsed", "cancelled", "refused"] {
        let name = format!("hashbuy_desk_events_total{{type=\"purchase.{kind}\"");
        println!("  {kind} {}", service.metric(&name));
    }
    println!("  pending at its end {}", service.metric("hashbuy_desk_pendings"));
    service.stop();
    println!("  changelog as it was written: {}", stand(broker, &topics));
    let stand = compact(broker, &topics);
    println!("  changelog compacted: {stand}");
    println!(
        "  {:.2} records for each live key, {:.2} bytes for each live byte; goal 2",
        stand.records as f64 / stand.live_keys as f64,
        stand.bytes as f64 / stand.live_bytes as f64
    );
}

/// What is to come, by its second.
type Agenda = BTreeMap<i64, Vec<Inbox>>;

/// Puts the hour into the inbox. Returns how many records that were, without the marks.
fn shop(producer: &mut dyn Producer, topics: &Topics) -> u64 {
    // A little ahead of the clock from the beginning.
    let start = MachineClock.now().plus(60 * SECOND);
    let secret = Secret::new(SECRET).expect("a secret");
    let offers: Vec<_> = (0..OFFERS).map(|number| offer(number, start, 900)).collect();
    let (mut agenda, mut tweets, mut records) = (Agenda::new(), 0, 0);
    mark(producer, topics, start);
    for number in 0..ACCOUNTS {
        send(producer, topics, &linked(number, number, start));
    }
    for second in 0..HOUR {
        let time = start.plus(second * SECOND);
        for _ in 0..RATE {
            let (number, round) = (tweets % ACCOUNTS, tweets / ACCOUNTS);
            let offer = &offers[usize::try_from((number * 7 + round) % OFFERS).unwrap_or(0)];
            let wish = wish(number, tweets, offer, time);
            if let Inbox::Sighting(sighting) = &wish {
                let code = Code::issue(&secret, sighting.account, &offer.offer_id, sighting.first_id);
                plan(&mut agenda, tweets, second, start, sighting.first_id, code);
            }
            send(producer, topics, &wish);
            (tweets, records) = (tweets + 1, records + 1);
        }
        for record in agenda.remove(&second).unwrap_or_default() {
            send(producer, topics, &record);
            records += 1;
        }
        mark(producer, topics, time);
    }
    records + ACCOUNTS
}

/// What a shopper does after he has asked: of a hundred, sixty confirm, twenty forget it, twelve delete their
/// tweet, six try a wrong code first, and two give up their account and link it anew.
fn plan(agenda: &mut Agenda, tweet: u64, second: i64, start: Time, asked: TweetId, code: Code) {
    let (number, fate) = (tweet % ACCOUNTS, tweet.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32);
    let after = 20 + i64::try_from(fate % 600).unwrap_or(0);
    let mut at = |after: i64, make: &dyn Fn(Time, TweetId) -> Inbox| {
        let time = start.plus((second + after) * SECOND);
        let id = crowd::tweet_id(time, tweet);
        agenda.entry(second + after).or_default().push(make(time, id));
    };
    let confirm = |code: Code| move |time: Time, id: TweetId| answer(number, id, time, code);
    match fate / 600 % 100 {
        0..60 => at(after, &confirm(code)),
        60..80 => {}
        80..92 => at(after, &|_, _| Inbox::Deletion { account: id_of(number), tweet_id: asked }),
        92..98 => {
            at(after, &confirm(Code::parse("0A1B2C3D").expect("a code")));
            at(after + 10, &confirm(code));
        }
        _ => {
            at(after, &|time, _| match linked(number, ACCOUNTS + 2 * tweet, time) {
                Inbox::Account { account_id, position, .. } => {
                    Inbox::Account { account_id, position, account: None }
                }
                other => other,
            });
            at(after + 60, &|time, _| linked(number, ACCOUNTS + 2 * tweet + 1, time));
        }
    }
}

/// The record of an account, as it stands at an offset of its source.
fn linked(number: u64, offset: u64, time: Time) -> Inbox {
    let account = account(number, time);
    let position = hashbuy::core::inbox::Position { epoch: 0, offset };
    Inbox::Account { account_id: account.account_id, position, account: Some(Arc::new(account)) }
}

fn answer(number: u64, id: TweetId, time: Time, code: Code) -> Inbox {
    let seen = SeenCode { hashtag: code.hashtag("Confirm"), code };
    sighting(number, id, time, vec![seen], vec![])
}
