//! A record of the table of offers.
//!
//! - A valid one is the same when it is written and read again, by ourselves and as a record from outside.
//! - Its tag is one that the prefilter passes and the scan finds in a tweet.
//! - A rejection is fit for a log.

use hashbuy::core::hashtag::{fold, hashtags};
use hashbuy::core::offer::Offer;
use hashbuy::core::prefilter::Prefilter;
use hashbuy::core::record::Rejection;

use super::{CODE_PREFIX, check_message};

pub fn run(bytes: &[u8]) {
    let read = Rejection::text("offer", None, bytes).and_then(|json| Offer::from_json(json, CODE_PREFIX));
    let offer = match read {
        Ok(offer) => offer,
        Err(rejection) => return check_message(&rejection),
    };
    let written = serde_json::to_string(&offer).unwrap();
    assert_eq!(serde_json::from_str::<Offer>(&written).unwrap(), offer);
    assert_eq!(Offer::from_json(&written, CODE_PREFIX).unwrap(), offer);
    assert!(offer.starts_at <= offer.ends_at && offer.amount().amount >= 0 && offer.per_account >= 1);

    let tag = offer.folded_tag();
    let text = format!("I want {} now", offer.hashtag);
    assert!(hashtags(&text).any(|found| fold(found.body) == tag), "{text} does not hold #{tag}");
    let tweet = serde_json::json!({ "text": text }).to_string();
    assert!(
        Prefilter::new([tag.as_str()], &fold(CODE_PREFIX)).passes(tweet.as_bytes()),
        "{tweet} is dropped"
    );
}
