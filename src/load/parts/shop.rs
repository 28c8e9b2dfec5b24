//! Accounts that ask for offers, as the desk sees them.

use std::sync::Arc;

use crate::core::account::Account;
use crate::core::code::{Code, Secret};
use crate::core::desk::Pending;
use crate::core::ids::{AccountId, TweetId, purchase_id};
use crate::core::inbox::{SeenOffer, Sighting};
use crate::core::offer::Offer;
use crate::core::time::{MINUTE, Time};
use crate::firehose::first_id_of;
use crate::load::Failed;
use crate::load::tables::{account_id, accounts, offers};

/// Offers, so many that an account in turn has one after the other.
const OFFERS: u64 = 1_000;
/// Tweets of one millisecond are told apart by so many bits of their ids.
const OF_A_MILLISECOND: u32 = 22;

/// The shop at a time.
pub struct Shop {
    start: Time,
    offers: Vec<Arc<Offer>>,
}

impl Shop {
    pub fn new(start: Time) -> Result<Shop, Failed> {
        let read = |(_, json): (String, String)| Offer::from_json(&json, "Confirm").map(Arc::new);
        let offers: Result<_, _> = offers(OFFERS, start).map(read).collect();
        Ok(Shop { start, offers: offers.map_err(|rejection| Failed::to("an offer of the load", rejection))? })
    }

    /// Accounts that were linked a day ago, with their numbers.
    pub fn accounts(&self, count: u64) -> impl Iterator<Item = Result<Account, Failed>> {
        accounts(count, self.start).map(|(_, json)| {
            Account::from_json(&json).map_err(|rejection| Failed::to("an account of the load", rejection))
        })
    }

    /// A tweet of an account that asks for one of the offers; `number` counts the tweets.
    pub fn wish(&self, account: u64, offer: u64, number: u64, time: Time) -> Sighting {
        let (offer, tweet_id) = (self.offer(offer), tweet_id(time, number));
        Sighting {
            account: account_id(account),
            tweet_id,
            first_id: tweet_id,
            time,
            handle: Some(crate::load::tables::handle(account)),
            protected: false,
            codes: vec![],
            offers: vec![SeenOffer { hashtag: offer.hashtag.clone(), offer: Arc::clone(offer) }],
        }
    }

    /// What a desk would have pending after such a tweet.
    pub fn pending(&self, account: u64, number: u64, time: Time) -> Pending {
        let (offer, offer_tweet): (_, TweetId) = (self.offer(number), tweet_id(time, number));
        let id: AccountId = account_id(account);
        Pending {
            purchase_id: purchase_id(id, &offer.offer_id, offer_tweet),
            code: Code::issue(&Secret::published(), id, &offer.offer_id, offer_tweet),
            offer: Arc::clone(offer),
            offer_tweet,
            version: offer_tweet,
            issued_at: time,
            deadline: time.plus(15 * MINUTE),
            reminded_at: time,
            to: Some(crate::load::tables::handle(account)),
        }
    }

    fn offer(&self, number: u64) -> &Arc<Offer> {
        &self.offers[(number % OFFERS) as usize]
    }
}

fn tweet_id(time: Time, number: u64) -> TweetId {
    let id = first_id_of(time) | (number % (1 << OF_A_MILLISECOND));
    TweetId::new(id.max(1)).unwrap_or_else(|| unreachable!("above 0"))
}
