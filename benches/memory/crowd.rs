//! A desk with very many linked accounts that ask for offers, as records of the inbox come: each is read from its
//! JSON, and has an offer of its own.

use std::sync::Arc;

use hashbuy::core::account::Account;
use hashbuy::core::code::{Code, Secret};
use hashbuy::core::desk::{Desk, Effects, Pending, Progress};
use hashbuy::core::ids::{AccountId, TweetId, purchase_id};
use hashbuy::core::inbox::{Inbox, Position, SeenOffer, Sighting, decode, encode};
use hashbuy::core::offer::Offer;
use hashbuy::core::settings::Settings;
use hashbuy::core::time::{MINUTE, Time};

#[path = "../common/mod.rs"]
mod common;
pub use common::START;
use common::offer;

/// Offers, five for each account in turn.
const OFFERS: u64 = 1_000;
/// The beginning of tweet ids.
const EPOCH: i64 = 1_288_834_974_657;

/// A desk that has seen its first mark.
pub fn desk() -> Desk {
    let mut desk = Desk::new(Secret::published());
    assert_eq!(step(&mut desk, &mark(START), START).0, Progress::Done);
    desk.commit();
    desk
}

/// Every tweet up to a time is in the inbox.
pub fn mark(time: Time) -> Inbox {
    Inbox::Mark { time, settings: Settings::default().into() }
}

/// One step, and how many effects it had.
pub fn step(desk: &mut Desk, record: &Inbox, now: Time) -> (Progress, usize) {
    let mut effects = Effects::default();
    let progress = desk.step(record, now, now, &mut effects).expect("settings");
    (progress, effects.outputs.len())
}

/// Links so many accounts.
pub fn link(desk: &mut Desk, accounts: u64) {
    for number in 0..accounts {
        let account_id = id(number);
        let json = format!(
            r#"{{"account_id":"{account_id}","screen_name":"buyer{number}","card_token":"tok_{number:012}","delivery_ref":"addr_{number}","status":"active","linked_at":"2013-01-01T00:00:00Z"}}"#
        );
        let account = Account::from_json(&json).unwrap_or_else(|rejection| panic!("{rejection}"));
        let position = Position { epoch: 0, offset: number };
        take(desk, &Inbox::Account { account_id, position, account: Some(Arc::new(account)) }, START);
    }
}

/// Has so many purchases requested, `each` of them by one account, at times that go through `span` milliseconds.
pub fn request(desk: &mut Desk, pendings: u64, each: u64, span: u64) {
    let offers: Vec<Arc<Offer>> = (0..OFFERS as usize).map(offer).collect();
    let accounts = pendings.div_ceil(each);
    for number in 0..pendings {
        let (account, round) = (number % accounts, number / accounts);
        let now = START.plus((u128::from(number) * u128::from(span) / u128::from(pendings)) as i64);
        let offer = &offers[((account * 5 + round) % OFFERS) as usize];
        take(desk, &wish(account, number, offer, now), now);
    }
    assert_eq!(desk.pendings().count() as u64, pendings);
}

/// Makes pendings by their numbers, as a desk would, issued at times that go through `span` milliseconds.
pub fn pending(pendings: u64, span: u64) -> impl Fn(u64, AccountId) -> Pending {
    let offers: Vec<Arc<Offer>> = (0..OFFERS as usize).map(offer).collect();
    move |number, account| {
        let now = START.plus((u128::from(number) * u128::from(span) / u128::from(pendings)) as i64);
        let tweet = (((now.millis() - EPOCH) as u64) << 22) | (number % (1 << 22));
        let offer_tweet = TweetId::new(tweet).expect("an id");
        let offer = Arc::clone(&offers[(number % OFFERS) as usize]);
        Pending {
            purchase_id: purchase_id(account, &offer.offer_id, offer_tweet),
            code: Code::issue(&Secret::published(), account, &offer.offer_id, offer_tweet),
            offer,
            offer_tweet,
            version: offer_tweet,
            issued_at: now,
            deadline: now.plus(15 * MINUTE),
            reminded_at: now,
            to: Some(format!("buyer{account}")),
        }
    }
}

fn wish(account: u64, number: u64, offer: &Arc<Offer>, time: Time) -> Inbox {
    let tweet_id = (((time.millis() - EPOCH) as u64) << 22) | (number % (1 << 22));
    let tweet_id = TweetId::new(tweet_id).expect("an id");
    Inbox::Sighting(Sighting {
        account: id(account),
        tweet_id,
        first_id: tweet_id,
        time,
        handle: Some(format!("buyer{account}")),
        protected: false,
        codes: vec![],
        offers: vec![SeenOffer { hashtag: offer.hashtag.clone(), offer: Arc::clone(offer) }],
    })
}

/// A transaction of one record, as it comes from the log.
fn take(desk: &mut Desk, record: &Inbox, now: Time) {
    let record: Inbox = decode(&encode(record)).expect("what was written");
    assert_eq!(step(desk, &record, now).0, Progress::Done);
    desk.commit();
}

/// Ids as they are given out: of ten and more digits, one behind the other with gaps.
pub fn id(number: u64) -> AccountId {
    AccountId::new(1_000_000_000 + number * 37).expect("an id")
}
