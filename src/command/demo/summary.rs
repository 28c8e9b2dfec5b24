//! The end of a demo: what was played, what came of it, and whether it adds up.

use std::time::Duration;

use super::world::Ended;
use crate::command::Error;
use crate::core::event::EventKind;
use crate::core::money::Money;
use crate::core::numeral::grouped;
use crate::core::time::SECOND;

/// Below this part of the rate that was asked for, the machine was too slow.
const ENOUGH: f64 = 0.95;
/// A shorter time says nothing of a machine's speed.
const MEASURABLE: Duration = Duration::from_millis(500);
/// So many faults are told.
const SHOWN: usize = 5;

/// The summary, line by line. `elapsed`: how long it was played.
pub fn lines(ended: &Ended, rate: u64, elapsed: Duration) -> Vec<String> {
    let played = &ended.played;
    let seconds = elapsed.as_secs_f64().max(f64::MIN_POSITIVE);
    let per_second = played.tweets as f64 / seconds;
    let megabytes = played.bytes as f64 / 1e6;
    let age = ended.age / SECOND;
    let mut lines = vec![
        String::new(),
        format!(
            "played      {} tweets and {} deletions and the like, {megabytes:.1} MB, in {seconds:.1} s: {} tweets/s, \
             {:.1} MB/s",
            grouped(played.tweets),
            grouped(played.others),
            grouped(per_second.round() as u64),
            megabytes / seconds
        ),
        match ended.desk_time {
            Some(time) => format!("desk time   {time}, after {} min {} s", age / 60, age % 60),
            None => "desk time   none: the firehose was too short".to_owned(),
        },
        format!("purchases   {}", sum(ended)),
        format!("coupons     {}", coupons(ended)),
        format!("credits     {}", credits(ended)),
        format!("refusals    {}", refusals(ended)),
        format!("killed      {} desk workers", grouped(ended.kills)),
    ];
    let ledger = &ended.biller.ledger;
    if faults(ended).is_empty() {
        lines.push(format!(
            "billed      nobody was billed twice: {} orders, {} purchases; the desk's changelog knows the same {} \
             pending",
            grouped(ledger.count(EventKind::OrderPlaced)),
            grouped(ledger.count(EventKind::Confirmed)),
            grouped(ledger.pendings(&ended.audit))
        ));
        lines.push(format!(
            "credited    nobody was credited twice: {} orders, {} redeemed; {} taken back; the desk's changelog knows \
             the same {} loaded",
            grouped(ledger.count(EventKind::OrderCredited)),
            grouped(ledger.count(EventKind::CouponRedeemed)),
            grouped(ledger.count(EventKind::OrderCreditReversed)),
            grouped(ledger.coupons.still_loaded())
        ));
    }
    if ended.unscanned > 0 {
        lines.push(format!("left        {} records that the scan had no time for", grouped(ended.unscanned)));
    }
    if let Some((brokers, app)) = &ended.left {
        lines.push(format!("topics      {app}-* are left on {brokers}"));
    }
    if per_second < rate as f64 * ENOUGH && elapsed >= MEASURABLE {
        lines.push(format!("This machine was too slow for {} tweets a second.", grouped(rate)));
    }
    lines
}

/// Whether it adds up.
///
/// # Errors
/// What does not.
pub fn check(ended: &Ended) -> Result<(), Error> {
    let faults = faults(ended);
    if faults.is_empty() {
        return Ok(());
    }
    let mut message = format!("the sums are wrong, which is a fault of hashbuy ({} in all)", faults.len());
    for fault in faults.iter().take(SHOWN) {
        message.push_str("\n  ");
        message.push_str(fault);
    }
    Err(Error::Failed(message))
}

/// `requested 412 = confirmed 280 + lapsed 71 + cancelled 33 + pending 28`.
fn sum(ended: &Ended) -> String {
    let ledger = &ended.biller.ledger;
    let count = |kind| grouped(ledger.count(kind));
    format!(
        "requested {} = confirmed {} + lapsed {} + cancelled {} + pending {}",
        count(EventKind::Requested),
        count(EventKind::Confirmed),
        count(EventKind::Lapsed),
        count(EventKind::Cancelled),
        grouped(ledger.pendings(&ended.audit))
    )
}

/// `loaded 61 = redeemed 35 + expired 15 + still loaded 11; reversed 6`.
fn coupons(ended: &Ended) -> String {
    let ledger = &ended.biller.ledger;
    let count = |kind| grouped(ledger.count(kind));
    format!(
        "loaded {} = redeemed {} + expired {} + still loaded {}; reversed {}",
        count(EventKind::CouponLoaded),
        count(EventKind::CouponRedeemed),
        count(EventKind::CouponExpired),
        grouped(ended.audit.loaded.values().sum()),
        count(EventKind::CouponReversed)
    )
}

/// `£12.50 and $210.00 of the £20.00 and $480.00 that were loaded; $35.00 taken back`.
fn credits(ended: &Ended) -> String {
    let [at_most, credited, taken_back] = ended.biller.ledger.coupons.sums.each_ref().map(|sum| {
        let amounts = sum.iter().map(|(currency, amount)| Money::new(*amount, *currency).to_string());
        let amounts: Vec<String> = amounts.collect();
        if amounts.is_empty() { "nothing".to_owned() } else { amounts.join(" and ") }
    });
    format!("{credited} of the {at_most} that were loaded; {taken_back} taken back")
}

/// `60: lapsed 31, wrong_code 29`.
fn refusals(ended: &Ended) -> String {
    let ledger = &ended.biller.ledger;
    let mut reasons: Vec<_> = ledger.refusals.iter().collect();
    reasons.sort_by_key(|&(reason, &n)| (std::cmp::Reverse(n), *reason));
    let reasons: Vec<_> =
        reasons.into_iter().map(|(reason, &n)| format!("{reason} {}", grouped(n))).collect();
    let total = grouped(ledger.count(EventKind::Refused));
    if reasons.is_empty() { total } else { format!("{total}: {}", reasons.join(", ")) }
}

fn faults(ended: &Ended) -> Vec<String> {
    let mut faults = ended.biller.ledger.faults(&ended.audit);
    faults.extend(ended.complaints.iter().cloned());
    faults
}
