use super::*;
use crate::core::event::Subject;
use crate::core::ids::TweetId;
use crate::core::time::DAY;

const NOW: Time = Time::from_millis(1_360_756_800_000);

fn account(id: u64) -> AccountId {
    AccountId::new(id).unwrap()
}

fn refused(id: u64, reason: Reason) -> Event {
    let tweet_id = TweetId::new(7).unwrap();
    let details = Details::Refused { reason, tweet_id, hashtag: "#ConfirmE1FS2GDF".to_owned(), reply: None };
    let subject = Subject { account: account(id), purchase_id: None, offer: None };
    subject.event(EventKind::Refused, NOW, tweet_id, "", details)
}

fn done(change: impl FnOnce(&mut Done)) -> Done {
    let mut done = Done::default();
    change(&mut done);
    done
}

fn see(watch: &mut Watch, events: Vec<Event>, now: Time) {
    watch.see(&done(|done| done.events = events), now);
}

#[test]
fn refusals_are_counted_by_minute_and_reason_for_an_hour() {
    let mut watch = Watch::default();
    for minute in 0..90 {
        see(
            &mut watch,
            vec![refused(1, Reason::Frozen), refused(1, Reason::WrongCode)],
            NOW.plus(minute * MINUTE),
        );
    }
    assert_eq!(watch.minutes.len(), MINUTES);
    assert_eq!(watch.minutes[0].number, NOW.millis() / MINUTE + 30);
    assert!(watch.minutes.iter().all(|minute| minute.refused[Reason::Frozen as usize] == 1));
    assert!(watch.minutes.iter().all(|minute| minute.refused.iter().sum::<u64>() == 2));
}

#[test]
fn whoever_has_the_most_is_never_missed_among_very_many() {
    let mut watch = Watch::default();
    for n in 0..5_000 {
        see(&mut watch, vec![refused(1_000 + n, Reason::NotOpen)], NOW);
        if n % 10 == 0 {
            see(&mut watch, vec![refused(7, Reason::CapExceeded)], NOW);
        }
    }
    let accounts = watch.accounts();
    assert_eq!((accounts[0].0, accounts[0].1.refused), (account(7), 500));
    assert!(accounts.len() <= ACCOUNTS);
    watch.see(&done(|done| done.lockouts = vec![account(9)]), NOW.plus(HOUR));
    assert_eq!(
        watch.accounts()[0],
        (account(9), Trials { refused: 0, lockouts: 1 }),
        "a lockout comes first"
    );
    watch.see(&done(|done| done.lockouts = vec![account(9)]), NOW.plus(DAY));
    assert_eq!(watch.accounts().len(), 1, "what is old is gone");
}

#[test]
fn what_took_under_two_seconds_is_counted() {
    let mut watch = Watch::default();
    watch.see(&done(|done| done.confirm_times = vec![500, 1_999, 2_000, 60_000]), NOW);
    watch.see(&done(|done| done.confirm_times = vec![-5]), NOW.plus(HOUR));
    let took = watch.confirms();
    assert_eq!((took.count, took.soon), (5, 3));
    assert!((1_990..2_010).contains(&took.half), "{took:?}");
    assert!(took.most >= 59_000, "{took:?}");
}

#[test]
fn only_so_many_events_are_kept() {
    let mut watch = Watch::default();
    see(&mut watch, (1..100).map(|id| refused(id, Reason::TooOld)).collect(), NOW);
    assert_eq!(watch.events.len(), EVENTS);
    assert_eq!(watch.events.back().map(|event| event.account), Some(account(99)));
}
