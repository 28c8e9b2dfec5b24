//! Pendings and their timers, as a desk holds them: memory, and how many come and go in a second.

use std::time::Instant;

use super::shop::Shop;
use super::{Figures, resident};
use crate::core::desk::wheel::{Due, Next, Wheel};
use crate::core::desk::{Pending, Pendings};
use crate::core::ids::AccountId;
use crate::core::time::Time;
use crate::load::Failed;
use crate::load::tables::account_id;

const START: Time = Time::from_millis(1_760_000_000_000);
/// The requests go through so many milliseconds: as long as the confirmation window.
const SPAN: u64 = 900_000;

/// `held` are there at once; `passing` come and go.
pub fn measure(held: u64, passing: u64) -> Result<Figures, Failed> {
    let shop = Shop::new(START)?;
    let before = resident()?;
    let (pendings, mut timers) = (Pendings::default(), Wheel::default());
    for number in 0..held {
        let pending = made(&shop, number, held);
        timers.insert(pending.due(), account_id(number));
        pendings.set(account_id(number), &[pending]);
    }
    let bytes = resident()? - before;
    let count = pendings.count() as f64;
    // To take them apart would take longer than to go on.
    std::mem::forget((pendings, timers));
    Ok(Figures::from([
        ("held".to_owned(), count),
        ("bytes".to_owned(), bytes),
        ("passed_per_second".to_owned(), passed(&shop, passing)),
    ]))
}

/// Pendings that come in the order of their requests; each lapses when its time has come, millisecond by millisecond.
/// How many a second are put in and taken out. To make them is not counted.
fn passed(shop: &Shop, passing: u64) -> f64 {
    let made: Vec<Pending> = (0..passing).map(|number| made(shop, number, passing)).collect();
    let (pendings, mut timers) = (Pendings::default(), Wheel::<AccountId>::default());
    let mut lapsed = 0;
    let mut lapse = |timers: &mut Wheel<AccountId>, until: Due| {
        while let Next::Item(_, account) = timers.take_due(until, &mut { usize::MAX }) {
            pendings.set(account, &[]);
            lapsed += 1;
        }
    };
    let begun = Instant::now();
    for (number, pending) in (0..).zip(&made) {
        timers.insert(pending.due(), account_id(number));
        pendings.set(account_id(number), std::slice::from_ref(pending));
        lapse(&mut timers, Due::last_of(pending.issued_at));
    }
    lapse(&mut timers, Due::last_of(Time::MAX));
    let seconds = begun.elapsed().as_secs_f64();
    assert_eq!((lapsed, pendings.count()), (passing, 0), "each comes and goes");
    passing as f64 / seconds
}

fn made(shop: &Shop, number: u64, of: u64) -> Pending {
    let at = u128::from(number) * u128::from(SPAN) / u128::from(of.max(1));
    shop.pending(number, number, START.plus(i64::try_from(at).unwrap_or(0)))
}
