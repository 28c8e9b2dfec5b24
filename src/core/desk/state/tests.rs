use std::sync::Arc;

use super::*;
use crate::core::account::Account;
use crate::core::code::{Code, Secret};
use crate::core::desk::{Desk, Effects, Progress};
use crate::core::ids::TweetId;
use crate::core::inbox::{Inbox, Position, SeenCode, SeenOffer, Sighting};
use crate::core::offer::Offer;
use crate::core::settings::{Settings, Shared};
use crate::core::time::{HOUR, MINUTE};

const START: Time = Time::from_millis(1_360_756_800_000);
const ANNA: u64 = 7_000_000_001;

struct Shop {
    desk: Desk,
    settings: Shared,
    offer: Arc<Offer>,
}

impl Shop {
    fn new(ends_at: &str) -> Shop {
        let account = format!(
            r#"{{"account_id":"{ANNA}","card_token":"tok","delivery_ref":"door","status":"active","linked_at":"2013-01-01T00:00:00Z"}}"#
        );
        let offer = format!(
            r##"{{"offer_id":"pot","kind":"purchase","hashtag":"#GetPot","product":"Pot","price":{{"amount":100,"currency":"USD"}},"starts_at":"2013-01-01T00:00:00Z","ends_at":"{ends_at}"}}"##
        );
        let mut shop = Shop {
            desk: Desk::new(Secret::published()),
            settings: Settings::default().into(),
            offer: Arc::new(Offer::from_json(&offer, "Confirm").unwrap()),
        };
        shop.pass(START);
        let account = Account::from_json(&account).unwrap();
        let (account_id, position) = (account.account_id, Position::default());
        shop.step(&Inbox::Account { account_id, position, account: Some(Arc::new(account)) }, START);
        shop
    }

    fn step(&mut self, record: &Inbox, now: Time) -> Effects {
        let mut effects = Effects::default();
        while self.desk.step(record, now, now, &mut effects).unwrap() == Progress::More {
            self.desk.commit();
        }
        self.desk.commit();
        effects
    }

    fn pass(&mut self, time: Time) {
        self.step(&Inbox::Mark { time, settings: self.settings.clone() }, time);
    }

    fn tweet(&mut self, time: Time, asks: bool, codes: Vec<SeenCode>) -> Effects {
        let id = ((time.millis() - 1_288_834_974_657) as u64) << 22;
        let tweet_id = TweetId::new(id).unwrap();
        let seen = SeenOffer { hashtag: "#GetPot".into(), offer: Arc::clone(&self.offer) };
        let sighting = Sighting {
            account: AccountId::new(ANNA).unwrap(),
            tweet_id,
            first_id: tweet_id,
            time,
            handle: None,
            protected: false,
            codes,
            offers: if asks { vec![seen] } else { vec![] },
        };
        self.step(&Inbox::Sighting(sighting), time)
    }

    /// Anna buys a pot, of which everybody may have one.
    fn sell(&mut self) -> Effects {
        self.tweet(START.plus(MINUTE), true, vec![]);
        let [pending] = self.pendings().try_into().unwrap();
        let effects = self.tweet(START.plus(2 * MINUTE), false, vec![seen(pending.code)]);
        assert!(self.pendings().is_empty());
        effects
    }

    fn pendings(&self) -> Vec<Pending> {
        self.desk.pendings().of(AccountId::new(ANNA).unwrap())
    }
}

fn seen(code: Code) -> SeenCode {
    SeenCode { hashtag: code.hashtag("Confirm"), code }
}

#[test]
fn a_code_that_is_taken_tells_how_long_it_took() {
    let effects = Shop::new("2014-01-01T00:00:00Z").sell();
    assert_eq!((effects.confirm_times, effects.lockouts), (vec![MINUTE], vec![]));
}

#[test]
fn a_lockout_is_told_once() {
    let mut shop = Shop::new("2014-01-01T00:00:00Z");
    shop.sell();
    let told = (0..8).map(|n| {
        let wrong = seen(Code::parse(&format!("0000000{n}")).unwrap());
        let effects = shop.tweet(START.plus((3 + n) * MINUTE), false, vec![wrong]);
        assert!(effects.confirm_times.is_empty());
        effects.lockouts.len()
    });
    assert_eq!(told.collect::<Vec<_>>(), [0, 0, 0, 0, 1, 0, 0, 0], "five wrong codes an hour");
}

#[test]
fn an_account_has_few_timers_however_long_its_offers_last() {
    let mut shop = Shop::new("2014-01-01T00:00:00Z");
    shop.sell();
    let mut most = 0;
    // Refused every five hours: by then everything of the last time but the unit is forgotten.
    for round in 1..200 {
        let time = START.plus(round * 5 * HOUR);
        shop.pass(time);
        shop.tweet(time, true, vec![]);
        assert!(shop.pendings().is_empty(), "one for everybody");
        most = most.max(shop.desk.state.prunes.len());
    }
    assert!(most <= 12, "{most} timers of one account");
}
