//! What falls due all at once is dealt with in bounded transactions, exactly, through aborts and
//! restarts in the middle of it.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use hashbuy::core::account::Account;
use hashbuy::core::code::{Code, Secret};
use hashbuy::core::desk::{Desk, Effects, MAX_CANCELLED, MAX_LAPSED, Output, Progress};
use hashbuy::core::event::{Details, EventKind};
use hashbuy::core::ids::{AccountId, TweetId};
use hashbuy::core::inbox::{Inbox, Position, SeenCode, SeenOffer, Sighting};
use hashbuy::core::offer::Offer;
use hashbuy::core::settings::Settings;
use hashbuy::core::time::{MINUTE, Time};

const START: Time = Time::from_millis(1_462_352_400_000);
const BUYERS: u64 = 2_500;

fn offer() -> Arc<Offer> {
    let json = r##"{"offer_id":"pot","kind":"purchase","hashtag":"#GetPot","price":{"amount":100,"currency":"USD"},
        "starts_at":"2016-05-01T00:00:00Z","ends_at":"2016-05-05T00:00:00Z"}"##;
    Arc::new(Offer::from_json(json, "Confirm").unwrap())
}

fn step(desk: &mut Desk, record: &Inbox, now: Time) -> (Progress, Vec<Output>) {
    let mut effects = Effects::default();
    let progress = desk.step(record, now, now, &mut effects).unwrap();
    (progress, effects.outputs)
}

fn mark(time: Time) -> Inbox {
    Inbox::Mark { time, settings: Settings::default().into() }
}

/// Links an account.
fn link(desk: &mut Desk, id: u64) -> AccountId {
    let json = format!(
        r#"{{"account_id":"{id}","card_token":"t{id}","delivery_ref":"d","status":"active","linked_at":"2016-01-01T00:00:00Z"}}"#
    );
    let account_id = AccountId::new(id).unwrap();
    let account = Some(Arc::new(Account::from_json(&json).unwrap()));
    let record = Inbox::Account { account_id, position: Position::default(), account };
    assert_eq!(step(desk, &record, START).0, Progress::Done);
    account_id
}

/// A desk with as many pendings as there are buyers; a third of them with the same deadline.
fn desk(changelog: &mut BTreeMap<String, Vec<u8>>) -> Desk {
    let mut desk = Desk::new(Secret::published());
    let offer = offer();
    assert_eq!(step(&mut desk, &mark(START), START).0, Progress::Done);
    for id in 1..=BUYERS {
        let account_id = link(&mut desk, id);
        let tweet_id = TweetId::new(((START.millis() - 1_288_834_974_657) as u64) << 22 | id).unwrap();
        let sighting = Sighting {
            account: account_id,
            tweet_id,
            first_id: tweet_id,
            time: START,
            handle: None,
            protected: false,
            codes: vec![],
            offers: vec![SeenOffer { hashtag: "#GetPot".into(), offer: Arc::clone(&offer) }],
        };
        let now = START.plus(if id % 3 == 0 { 0 } else { id as i64 });
        let (_, outputs) = step(&mut desk, &Inbox::Sighting(sighting), now);
        assert_eq!(outputs.len(), 1);
    }
    write(&mut desk, changelog);
    desk.commit();
    assert_eq!(desk.pendings().count(), BUYERS as usize);
    desk
}

fn write(desk: &mut Desk, changelog: &mut BTreeMap<String, Vec<u8>>) {
    for (key, value) in desk.changes(0) {
        match value {
            Some(value) => changelog.insert(key, value),
            None => changelog.remove(&key),
        };
    }
}

/// Hands the record in until it is done; aborts each transaction once, and goes on with a restored
/// desk after the second one.
fn all(record: &Inbox, now: Time, most: usize) -> Vec<Output> {
    let mut changelog = BTreeMap::new();
    let mut desk = desk(&mut changelog);
    let mut all = Vec::new();
    for round in 0.. {
        let aborted = step(&mut desk, record, now);
        desk.abort();
        let (progress, outputs) = step(&mut desk, record, now);
        assert_eq!(aborted, (progress, outputs.clone()));
        let ended = outputs.len();
        assert_eq!(ended, most.min(BUYERS as usize - all.len()), "round {round}: as many as may be");
        all.extend(outputs);
        assert_eq!(all.len() < BUYERS as usize, progress == Progress::More, "round {round}");
        write(&mut desk, &mut changelog);
        desk.commit();
        if round == 1 {
            desk = Desk::new(Secret::published());
            for (key, value) in &changelog {
                desk.restore(key, Some(value)).unwrap();
            }
        }
        if progress == Progress::Done {
            break;
        }
    }
    assert_eq!(desk.pendings().count(), 0);
    all
}

fn ids(outputs: &[Output]) -> HashSet<String> {
    let ids = outputs.iter().map(|output| match output {
        Output::Event(event) => event.purchase_id.unwrap().to_string(),
        other => panic!("{other:?}"),
    });
    ids.collect()
}

#[test]
fn lapses_fire_in_order_and_so_many_at_once_at_most() {
    let now = START.plus(20 * MINUTE);
    let outputs = all(&mark(now), now, MAX_LAPSED);
    let ranks: Vec<(Time, String)> = outputs
        .iter()
        .map(|output| match output {
            Output::Event(event) => match event.details {
                Details::Lapsed { deadline, .. } => (deadline, event.purchase_id.unwrap().to_string()),
                _ => panic!("{event:?}"),
            },
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(ranks.len(), BUYERS as usize);
    assert!(ranks.is_sorted(), "by deadline, then by purchase");
    assert_eq!(ids(&outputs).len(), BUYERS as usize);
}

#[test]
fn a_withdrawal_cancels_so_many_at_once_at_most() {
    let outputs =
        all(&Inbox::Withdrawn { offer_id: "pot".into(), position: None }, START.plus(MINUTE), MAX_CANCELLED);
    assert_eq!(ids(&outputs).len(), BUYERS as usize);
    let cancelled =
        |output: &Output| matches!(output, Output::Event(event) if event.kind == EventKind::Cancelled);
    assert!(outputs.iter().all(cancelled));
}

#[test]
fn pendings_can_be_read_by_others_while_the_desk_writes() {
    use std::sync::atomic::{AtomicBool, Ordering};

    let mut desk = desk(&mut BTreeMap::new());
    let pendings = desk.pendings();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let (mut reads, mut least) = (0u64, usize::MAX);
                    while !done.load(Ordering::Acquire) {
                        let (count, of_one) = (pendings.count(), pendings.of(AccountId::new(7).unwrap()));
                        assert!(count <= BUYERS as usize && of_one.len() <= 1);
                        (reads, least) = (reads + 1, least.min(count));
                    }
                    (reads, least)
                })
            })
            .collect();
        let now = START.plus(20 * MINUTE);
        while step(&mut desk, &mark(now), now).0 == Progress::More {
            desk.commit();
            std::thread::yield_now();
        }
        desk.commit();
        assert_eq!(pendings.count(), 0);
        // Until both have seen it.
        std::thread::sleep(std::time::Duration::from_millis(50));
        done.store(true, Ordering::Release);
        for reader in readers {
            let (reads, least) = reader.join().unwrap();
            assert!(reads > 0 && least == 0, "{reads} reads, the least {least}");
        }
    });
}

/// Whoever tweets walls of invented codes has a state that is bounded nevertheless: a record of the changelog
/// has to fit into a message.
#[test]
fn walls_of_codes_fit_into_a_record() {
    let mut desk = Desk::new(Secret::published());
    assert_eq!(step(&mut desk, &mark(START), START).0, Progress::Done);
    let account_id = link(&mut desk, 7);
    let mut refused = 0;
    for number in 0..400 {
        let id = ((START.millis() - 1_288_834_974_657) as u64) << 22 | number;
        let tweet_id = TweetId::new(id).unwrap();
        let code = |n: u64| {
            let code = Code::parse(&format!("{:08}", number * 1_000 + n)).unwrap();
            SeenCode { hashtag: code.hashtag("Confirm"), code }
        };
        let sighting = Sighting {
            account: account_id,
            tweet_id,
            first_id: tweet_id,
            time: START,
            handle: None,
            protected: false,
            codes: (0..256).map(code).collect(),
            offers: vec![offer_seen(); usize::from(number == 0)],
        };
        refused += step(&mut desk, &Inbox::Sighting(sighting), START).1.len();
        desk.commit();
    }
    assert!(refused > 256 * 250, "{refused}");
    // The whole account is in each of its records.
    assert_eq!(step(&mut desk, &mark(START.plus(1)), START).0, Progress::Done);
    let tweet_id = TweetId::new(((START.millis() - 1_288_834_974_657) as u64) << 22 | 9_999).unwrap();
    let deletion = Inbox::Deletion { account: account_id, tweet_id };
    assert_eq!(step(&mut desk, &deletion, START).0, Progress::Done);
    let changes = desk.changes(1);
    let largest = changes.iter().filter_map(|(_, value)| value.as_ref().map(Vec::len)).max().unwrap();
    assert!((50_000..400_000).contains(&largest), "{largest} bytes");
}

fn offer_seen() -> SeenOffer {
    SeenOffer { hashtag: "#GetPot".into(), offer: offer() }
}
