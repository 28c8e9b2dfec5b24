//! The page of whoever operates the service: does it work, how far is it, and if it stands, why.

use axum::extract::{RawQuery, State};
use axum::response::Html;
use maud::{Markup, html};

use super::feed::Parts;
use super::layout::{clock, duration, figure, page as frame, table};
use super::{Shared, Site, abuse};
use crate::core::numeral::grouped;
use crate::core::time::Time;
use crate::service::{Happened, View};
use crate::worker::keeper::Scanned;

/// Desk time that is further behind than that, in milliseconds, is worth a word.
const FAR_BEHIND: i64 = 120_000;
/// Pendings that are listed.
const LISTED: usize = 8;

/// `/`.
pub async fn page(State(site): Shared, RawQuery(query): RawQuery) -> Html<String> {
    let parts = parts(&site);
    frame(
        "How it goes",
        &site.name,
        "/",
        &html! {
            h1 { "How it goes" }
            @if let Some(stand) = &site.stand {
                div #demo { section { (stand.forms(query.as_deref())) div #outcome data-live { (stand.outcome()) } } }
            }
            @for (id, part) in parts.iter().filter(|(id, _)| *id != "outcome") {
                // Only what is short and seldom changes is read aloud.
                @if *id == "state" { div id=(id) data-live role="status" { (part) } }
                @else { section id=(id) data-live { (part) } }
            }
        },
    )
}

/// The parts that change.
pub fn parts(site: &Site) -> Parts {
    let view = site.status.view();
    let outcome = site.stand.iter().map(|stand| ("outcome", stand.outcome()));
    let parts = vec![
        ("state", state(&view)),
        ("figures", figures(&view)),
        ("events-list", events(&view, site.show_ids)),
        ("pendings", pendings(&view, site.show_ids)),
        ("refusals", abuse::refusals(&view)),
        ("accounts", abuse::accounts(&view, site.show_ids)),
        ("selling", abuse::selling(&view)),
        ("posts", posts(&view)),
        ("partitions", partitions(&view)),
        ("firehose", firehose(&view)),
    ];
    outcome.chain(parts).collect()
}

/// Whether it works, in a few words.
fn state(view: &View) -> Markup {
    let missing = view.posts.iter().flat_map(|(who, missing)| missing.iter().map(move |what| (who, what)));
    let missing: Vec<_> = missing.collect();
    html! {
        @if view.posts.is_empty() { p.bad { strong { "Nothing was started yet." } } }
        @else if missing.is_empty() { p.good { strong { "Ready." } " Every stage of this process does its work." } }
        @else {
            p.bad { strong { "Not ready." } }
            ul { @for (who, what) in missing { li { (who) ": " (what) } } }
        }
        @if let Some(why) = &view.holds {
            p.bad { strong { "Time stands" } ", so nothing lapses: " (why) "." }
        }
    }
}

fn figures(view: &View) -> Markup {
    let count = |kind: &str| grouped(view.counts.get(kind).copied().unwrap_or(0));
    let behind = view.desk_time().map(|time| view.now.since(time));
    let (commits, aborts) = view.transactions;
    html! {
        h2 { "Now" }
        dl.figures {
            (figure("Clock", clock(view.now), "UTC"))
            @if let Some((records, bytes)) = view.rate {
                (figure("Firehose", grouped(records as u64), format!("records/s, {:.1} MB/s", bytes / 1e6)))
            }
            @match behind {
                Some(behind) if behind > FAR_BEHIND => {
                    (figure("Desk time", html! { span.bad { (duration(behind)) } }, "behind: nothing lapses sooner"))
                }
                Some(behind) => (figure("Desk time", duration(behind), "behind")),
                None => (figure("Desk time", "–", "none yet")),
            }
            (figure("Pending", grouped(view.pendings() as u64), "purchases wait"))
            (figure("Requested", count("purchase.requested"), html! { (count("purchase.reminded")) " reminded" }))
            (figure("Confirmed", count("purchase.confirmed"), html! { (count("order.placed")) " orders" }))
            (figure("Lapsed", count("purchase.lapsed"), html! { (count("purchase.cancelled")) " cancelled" }))
            (figure("Refused", count("purchase.refused"), html! { (count("coupon.loaded")) " coupons loaded" }))
            (figure("Tweet to event", duration(view.delays.half), html! { "half, 99 % in " (duration(view.delays.most)) }))
            (figure("Transactions", grouped(commits), html! { (grouped(aborts)) " not committed" }))
        }
        p.note { "Counts are of this process since its start, by what it has committed; other processes have pages of their own." }
    }
}

fn events(view: &View, show_ids: bool) -> Markup {
    let row = |event: &Happened| {
        let kind = event.kind.as_str();
        let verb = kind.rsplit('.').next().unwrap_or(kind);
        let mut row = vec![
            clock(event.at),
            html! { span class=(verb) { (kind.trim_start_matches("purchase.").replace('.', " ")) } },
            html! { (event.offer_id.as_deref().unwrap_or("–")) },
            html! { (event.why.replace('_', " ")) },
        ];
        row.extend(show_ids.then(|| html! { (event.account) }));
        row
    };
    let rows: Vec<Vec<Markup>> = view.events.iter().rev().map(row).collect();
    let header: &[&str] = &["Time", "Event", "Offer", "Why", "Account"];
    html! { h2 { "Events" } (table("The last events", &header[..4 + usize::from(show_ids)], &rows)) }
}

fn pendings(view: &View, show_ids: bool) -> Markup {
    let desk_time = view.desk_time().unwrap_or(view.now);
    let open = view.waiting.iter().filter(|waiting| waiting.deadline >= desk_time);
    let rows: Vec<Vec<Markup>> = open
        .take(LISTED)
        .map(|waiting| {
            let left = waiting.deadline.since(view.now);
            let mut row = vec![
                html! { (waiting.offer_id) },
                clock(waiting.deadline),
                match left {
                    0.. => html! { (duration(left)) },
                    _ => html! { "over; lapses when desk time is there" },
                },
            ];
            row.extend(show_ids.then(|| html! { (waiting.account) }));
            row
        })
        .collect();
    let header: &[&str] = &["Offer", "Deadline", "Time left", "Account"];
    html! {
        h2 { "Pending" }
        p.note { (grouped(view.pendings() as u64)) " in all. Of the last 200 requests, these lapse first:" }
        (table("Pendings that lapse first", &header[..3 + usize::from(show_ids)], &rows))
    }
}

fn posts(view: &View) -> Markup {
    let row = |(who, missing): &(String, Vec<String>)| {
        let state = match missing.is_empty() {
            true => html! { span.good { "works" } },
            false => html! { span.bad { (missing.join("; ")) } },
        };
        vec![html! { (who) }, state]
    };
    let rows: Vec<Vec<Markup>> = view.posts.iter().map(row).collect();
    html! { h2 { "Stages" } (table("The workers of this process", &["Worker", "State"], &rows)) }
}

fn partitions(view: &View) -> Markup {
    let row = |(number, pendings, time): &(u32, usize, Option<Time>)| {
        vec![
            html! { (number) },
            html! { (grouped(*pendings as u64)) },
            time.map_or(html! { "none yet" }, clock),
            time.map_or(html! { "–" }, |time| html! { (duration(view.now.since(time))) }),
        ]
    };
    let rows: Vec<Vec<Markup>> = view.partitions.iter().map(row).collect();
    html! {
        h2 { "Partitions of the inbox" }
        (table("Partitions that are here", &["Partition", "Pending", "Desk time", "Behind"], &rows))
        p.note { "Each process knows only its own partitions: accounts, pendings and stocks of the others are on the pages of the "
            "processes that have them." }
    }
}

fn firehose(view: &View) -> Markup {
    let row = |part: &Scanned| {
        vec![
            html! { (part.partition) },
            html! { (grouped(part.lag)) },
            part.time.map_or(html! { "none yet" }, clock),
            part.time.map_or(html! { "–" }, |time| html! { (duration(view.now.since(time))) }),
        ]
    };
    let rows: Vec<Vec<Markup>> = view.firehose.iter().map(row).collect();
    html! {
        h2 { "Partitions of the firehose" }
        @if rows.is_empty() { p.note { "The process that reads partition 0 keeps the time, and shows them." } }
        @else { (table("How far they are scanned", &["Partition", "Records to read", "Tweet time", "Behind"], &rows)) }
    }
}
