use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::core::desk::any;
use crate::core::desk::buyer::Buyer;
use crate::core::desk::pending::Pending;
use crate::core::desk::pool::Pool;
use crate::core::offer::Offer;

proptest! {
    #[test]
    fn an_account_is_unpacked_as_it_was(buyer in any::buyer()) {
        let (id, buyer) = (buyer.id, Buyer { pendings: Vec::new(), ..buyer });
        let packed = pack_account(&buyer);
        prop_assert_eq!(unpack_account(id, &packed), Some(buyer));
        // Whatever is cut off is missed.
        let cut = Packed(packed.0[..packed.0.len() - 1].into());
        prop_assert_eq!(unpack_account(id, &cut), None);
    }

    #[test]
    fn pendings_are_unpacked_as_they_were(pendings in vec(any::pending(), 1..6)) {
        let mut pool = Pool::default();
        let mut writer = Writer::new();
        writer.text("what was packed before");
        let packed = pack_pendings(&mut writer, &pendings, |offer| pool.hold(offer));
        prop_assert_eq!(offers_of(packed).count(), pendings.len());
        let unpacked = unpack_pendings(packed, |number| pool.get(number));
        prop_assert_eq!(unpacked.as_ref(), Some(&pendings));
        let cut = &packed[..packed.len() - 1];
        prop_assert_eq!(unpack_pendings(cut, |number| pool.get(number)), None);
    }
}

/// What is to be expected of the memory: see `hashbuy load parts`.
#[test]
fn a_usual_pending_takes_half_a_hundred_bytes() {
    let tweet = TweetId::parse("301829517291847680").unwrap();
    let issued_at = time_of(tweet).plus(3_000);
    let json = r##"{"offer_id":"cup","kind":"purchase","hashtag":"#GetCup","price":{"amount":1,"currency":"USD"},
        "starts_at":"2013-02-13T00:00:00.000Z","ends_at":"2013-02-14T00:00:00.000Z"}"##;
    let pending = Pending {
        purchase_id: Uuid::nil(),
        code: Code::parse("7K2QM4XA").unwrap(),
        offer: Arc::new(Offer::from_json(json, "Confirm").unwrap()),
        offer_tweet: tweet,
        version: tweet,
        issued_at,
        deadline: issued_at.plus(900_000),
        reminded_at: time_of(tweet),
        to: Some("buyer1234567".to_owned()),
    };
    let bytes = |count| pack_pendings(&mut Writer::new(), &vec![pending.clone(); count], |_| 999).len();
    assert_eq!(bytes(1), 52);
    assert_eq!(bytes(5), 52 + 4 * 39);
}
