//! `/events`: what changes on the pages, as server-sent events.
//!
//! Once a second each part of the page is made anew, and sent if it is another than before: the script puts it
//! where the old one is. So what is shown is made in one place, with or without JavaScript.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::sse::{Event, Sse};
use futures_util::Stream;
use maud::Markup;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Interval, MissedTickBehavior};

use super::{Shared, Site, offers, operator};

/// Between two looks.
const EVERY: Duration = Duration::from_secs(1);
/// Streams at a time; who comes then has to load the page again.
pub const STREAMS: usize = 16;

/// The parts of a page, each with the id of its element.
pub type Parts = Vec<(&'static str, Markup)>;

/// Somebody who watches a page.
struct Watcher {
    site: Arc<Site>,
    of_offers: bool,
    /// What is on the screen.
    shown: BTreeMap<&'static str, String>,
    beat: Interval,
    _place: OwnedSemaphorePermit,
}

/// `/events`, and `/events?offers` for the list of offers.
pub async fn events(
    State(site): Shared,
    RawQuery(query): RawQuery,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, StatusCode> {
    let place = Arc::clone(&site.streams).try_acquire_owned();
    let place = place.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    let mut beat = tokio::time::interval(EVERY);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let of_offers = query.as_deref() == Some("offers");
    let watcher = Watcher { site, of_offers, shown: BTreeMap::new(), beat, _place: place };
    Ok(Sse::new(futures_util::stream::unfold(watcher, |mut watcher| async {
        watcher.beat.tick().await;
        let event = watcher.news();
        Some((Ok(event), watcher))
    })))
}

impl Watcher {
    /// What is another than before; nothing at all is a sign of life.
    fn news(&mut self) -> Event {
        let parts = match self.of_offers {
            true => vec![("list", offers::list(&self.site.status.offers()))],
            false => operator::parts(&self.site),
        };
        let mut news = BTreeMap::new();
        for (id, part) in parts {
            let part = part.into_string();
            if self.shown.get(id) != Some(&part) {
                self.shown.insert(id, part.clone());
                news.insert(id, part);
            }
        }
        let comment = Event::default().comment("nothing new");
        match serde_json::to_string(&news) {
            Ok(json) if !news.is_empty() => Event::default().data(json),
            _ => comment,
        }
    }
}
