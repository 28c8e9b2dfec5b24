//! A desk with linked accounts, and sightings for it.

use std::hint::black_box;
use std::sync::Arc;

use hashbuy::core::account::Account;
use hashbuy::core::code::{Code, Secret};
use hashbuy::core::desk::{Desk, Effects, Progress};
use hashbuy::core::ids::{AccountId, TweetId};
use hashbuy::core::inbox::{Inbox, Position, SeenCode, SeenOffer, Sighting};
use hashbuy::core::offer::Offer;
use hashbuy::core::settings::Settings;
use hashbuy::core::time::{MINUTE, Time};

use super::{START, offer};

/// Steps of a transaction.
const TRANSACTION: usize = 100;

/// Handles a record. Returns what it has led to.
pub fn step(desk: &mut Desk, record: &Inbox, now: Time) -> usize {
    let mut effects = Effects::default();
    match desk.step(record, now, now, &mut effects) {
        Ok(Progress::Done) => effects.outputs.len(),
        other => panic!("{other:?}"),
    }
}

/// A desk that has so many linked accounts, with ids from 1 on.
pub fn desk(accounts: u64) -> Desk {
    let mut desk = Desk::new(Secret::published());
    let mark = Inbox::Mark { time: START, settings: Settings::default().into() };
    step(&mut desk, &mark, START);
    for id in 1..=accounts {
        let json = format!(
            r#"{{"account_id":"{id}","screen_name":"a{id}","card_token":"t{id}","delivery_ref":"d{id}","status":"active","linked_at":"2013-01-01T00:00:00Z"}}"#
        );
        let account = Account::from_json(&json).unwrap_or_else(|rejection| panic!("{rejection}"));
        let (account_id, position) = (account.account_id, Position::default());
        step(&mut desk, &Inbox::Account { account_id, position, account: Some(Arc::new(account)) }, START);
        desk.commit();
    }
    desk
}

/// So many offers.
pub fn offers(count: usize) -> Vec<Arc<Offer>> {
    (0..count).map(offer).collect()
}

fn account(number: usize, accounts: u64) -> AccountId {
    AccountId::new(1 + number as u64 * 7 % accounts).unwrap_or_else(|| unreachable!())
}

fn tweet(time: Time, number: usize) -> TweetId {
    let id = ((time.millis() - 1_288_834_974_657) as u64) << 22 | number as u64;
    TweetId::new(id).unwrap_or_else(|| unreachable!())
}

fn sighting(account: AccountId, tweet_id: TweetId, time: Time) -> Sighting {
    Sighting {
        account,
        tweet_id,
        first_id: tweet_id,
        time,
        handle: Some("anna".into()),
        protected: false,
        codes: vec![],
        offers: vec![],
    }
}

/// Sightings of one offer tag each, of as many accounts.
pub fn requests(count: usize, accounts: u64, offers: &[Arc<Offer>]) -> Vec<Inbox> {
    let request = |number: usize| {
        let offer = &offers[number % offers.len()];
        let seen = SeenOffer { hashtag: offer.hashtag.clone(), offer: Arc::clone(offer) };
        let plain = sighting(account(number, accounts), tweet(START, number), START);
        Inbox::Sighting(Sighting { offers: vec![seen], ..plain })
    };
    (0..count).map(request).collect()
}

/// The sightings of the codes that those requests have led to, a minute later.
pub fn confirmations(count: usize, accounts: u64, offers: &[Arc<Offer>]) -> Vec<Inbox> {
    let time = START.plus(MINUTE);
    let confirmation = |number: usize| {
        let (account, offer) = (account(number, accounts), &offers[number % offers.len()]);
        let code = Code::issue(&Secret::published(), account, &offer.offer_id, tweet(START, number));
        let seen = SeenCode { hashtag: code.hashtag("Confirm"), code };
        Inbox::Sighting(Sighting { codes: vec![seen], ..sighting(account, tweet(time, number), time) })
    };
    (0..count).map(confirmation).collect()
}

/// Handles records in transactions, with what is written to the changelog. Returns what they have led to.
pub fn in_transactions(desk: &mut Desk, records: &[Inbox]) -> usize {
    let mut outputs = 0;
    for transaction in records.chunks(TRANSACTION) {
        outputs += transaction.iter().map(|record| step(desk, record, START)).sum::<usize>();
        black_box(desk.changes(0));
        desk.commit();
    }
    outputs
}
