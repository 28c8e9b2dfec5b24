//! What shows that accounts are in the wrong hands, before the bill comes.

use maud::{Markup, html};

use super::layout::{duration, figure, table};
use crate::core::event::Reason;
use crate::core::numeral::grouped;
use crate::service::{MINUTES, Minute, View};

/// Accounts and offers that are listed.
const LISTED: usize = 8;
/// What sells fastest is counted over so many minutes.
const FASTEST: i64 = 10;

/// Refusals by reason over the last hour, and how soon people confirm.
pub fn refusals(view: &View) -> Markup {
    let last = view.now.millis().div_euclid(60_000);
    let row = |(n, reason): (usize, &Reason)| {
        let over_time = over_time(&view.minutes, last, |minute| minute.refused[n]);
        let sum: u64 = over_time.iter().sum();
        (sum > 0).then(|| {
            let ten: u64 = over_time.iter().rev().take(10).sum();
            vec![
                html! { (reason.as_str().replace('_', " ")) },
                html! { (grouped(sum)) },
                html! { (grouped(ten)) },
                spark(&over_time),
            ]
        })
    };
    let rows: Vec<Vec<Markup>> = Reason::ALL.iter().enumerate().filter_map(row).collect();
    let lockouts: u64 = view.minutes.iter().map(|minute| minute.lockouts).sum();
    let confirms = view.confirms;
    let share = if confirms.count == 0 { 0.0 } else { confirms.soon as f64 * 100.0 / confirms.count as f64 };
    html! {
        h2 { "Abuse" }
        dl.figures {
            (figure("Locked out", grouped(lockouts), "in the last hour, by wrong codes"))
            (figure("Confirmed in under 2 s", grouped(confirms.soon), html! { (format!("{share:.1} %")) ": no person does" }))
            (figure("Time to confirm", duration(confirms.half), html! { "half, 99 % in " (duration(confirms.most)) }))
        }
        (table("Refusals by reason, last hour", &["Reason", "In the hour", "Last 10 min", "Each minute"], &rows))
    }
}

/// The accounts with the most refusals and lockouts.
pub fn accounts(view: &View, show_ids: bool) -> Markup {
    let rows: Vec<Vec<Markup>> = view
        .accounts
        .iter()
        .take(LISTED)
        .enumerate()
        .map(|(n, (id, trials))| {
            let who = if show_ids {
                html! { (id) }
            } else {
                html! { "No. " (n + 1) }
            };
            vec![who, html! { (grouped(trials.refused)) }, html! { (grouped(trials.lockouts)) }]
        })
        .collect();
    html! {
        h2 { "Accounts with the most refusals" }
        (table("In the last one to two hours", &["Account", "Refused", "Locked out"], &rows))
        @if !show_ids { p.note { "Ids are shown with the setting " code { "web.show_ids = true" } "." } }
    }
}

/// The offers that sell fastest.
pub fn selling(view: &View) -> Markup {
    let last = view.now.millis().div_euclid(60_000);
    let offers: std::collections::BTreeSet<&String> =
        view.minutes.iter().flat_map(|minute| minute.sold.keys()).collect();
    let mut sold: Vec<(u64, &String, Vec<u64>)> = offers
        .into_iter()
        .map(|offer| {
            let over_time =
                over_time(&view.minutes, last, |minute| minute.sold.get(offer).copied().unwrap_or(0));
            (over_time.iter().rev().take(FASTEST as usize).sum(), offer, over_time)
        })
        .collect();
    sold.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
    let rows: Vec<Vec<Markup>> = sold
        .iter()
        .take(LISTED)
        .map(|(fast, offer, over_time)| {
            vec![
                html! { (offer) },
                html! { (grouped(*fast)) },
                html! { (grouped(over_time.iter().sum())) },
                spark(over_time),
            ]
        })
        .collect();
    html! {
        h2 { "Selling fastest" }
        (table("Confirmed and loaded, by offer", &["Offer", "Last 10 min", "In the hour", "Each minute"], &rows))
    }
}

/// The last hour, minute by minute.
fn over_time(minutes: &[Minute], last: i64, of: impl Fn(&Minute) -> u64) -> Vec<u64> {
    let mut counts = vec![0; MINUTES];
    let first = last + 1 - MINUTES as i64;
    for minute in minutes {
        if let Some(count) = usize::try_from(minute.number - first).ok().and_then(|n| counts.get_mut(n)) {
            *count += of(minute);
        }
    }
    counts
}

/// Small bars: the numbers beside them say the same.
fn spark(counts: &[u64]) -> Markup {
    let most = counts.iter().copied().max().unwrap_or(0).max(1);
    html! {
        svg.spark viewBox=(format!("0 0 {} 20", counts.len())) preserveAspectRatio="none" aria-hidden="true" {
            @for (x, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
                @let height = (*count as f64 * 20.0 / most as f64).max(1.0);
                rect x=(x) y=(format!("{:.1}", 20.0 - height)) width="0.8" height=(format!("{height:.1}")) {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_that_is_missing_is_one_without_anything() {
        let minute = |number| Minute { number, lockouts: 3, ..Minute::default() };
        let counts = over_time(&[minute(40), minute(98), minute(100)], 100, |minute| minute.lockouts);
        assert_eq!(counts.len(), MINUTES);
        assert_eq!(&counts[MINUTES - 4..], [0, 3, 0, 3]);
        assert_eq!(counts.iter().sum::<u64>(), 6, "what is older than an hour is not in it");
    }
}
