//! What a person sees: purchases and coupons as they happen, and how fast it all goes.
//!
//! On a terminal the numbers stand at the bottom and the purchases scroll above them; elsewhere each
//! second has a line. More happens than anybody can read, so some purchases and coupons are followed from their
//! beginning to their end, a few refusals are shown beside them, and the rest is counted.

use std::collections::HashSet;
use std::io::{self, IsTerminal, Write};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use uuid::Uuid;

use super::story::{clock, coloured, story};
use crate::books::ledger::Ledger;
use crate::command::Error;
use crate::core::event::{Event, EventKind};
use crate::core::ids::AccountId;
use crate::core::numeral::grouped;
use crate::core::time::{SECOND, Time};
use crate::firehose::Shoppers;
use crate::service::Notice;

/// Stdout, watched by somebody or not.
pub struct Screen {
    bar: Option<ProgressBar>,
    colours: bool,
    /// As much of the world's time passes in one second of ours, in milliseconds.
    second: i64,
    /// What may still begin to be shown in this second of ours, and which one that is.
    left: Left,
    number: i64,
    followed: HashSet<Thread>,
    /// Desk workers that were killed at any time.
    killed: HashSet<u32>,
    /// Events that were not shown since the last status line.
    left_out: u64,
    /// The first error of writing.
    failed: Option<io::Error>,
}

/// So many of each may still be shown.
#[derive(Default)]
struct Left {
    requests: u32,
    refusals: u32,
    loads: u32,
}

/// What has a beginning and an end.
#[derive(PartialEq, Eq, Hash)]
enum Thread {
    Purchase(Uuid),
    /// Of an offer, loaded by an account.
    Coupon(AccountId, String),
}

impl Thread {
    fn of(event: &Event) -> Option<Thread> {
        let purchase = event.purchase_id.map(Thread::Purchase);
        let is_of_a_coupon = matches!(
            event.kind,
            EventKind::CouponLoaded
                | EventKind::CouponRedeemed
                | EventKind::CouponReversed
                | EventKind::CouponExpired
        );
        let coupon = event.offer_id.as_ref().filter(|_| is_of_a_coupon);
        purchase.or(coupon.map(|offer_id| Thread::Coupon(event.account_id, offer_id.clone())))
    }

    /// Whether it ends with an event; a redeemed coupon may still be reversed.
    fn ends_with(kind: EventKind) -> bool {
        matches!(
            kind,
            EventKind::Confirmed
                | EventKind::Lapsed
                | EventKind::Cancelled
                | EventKind::CouponReversed
                | EventKind::CouponExpired
        )
    }
}

/// How it goes.
#[derive(Debug, Clone)]
pub struct Status {
    /// What time it is in the world.
    pub now: Time,
    /// How far behind that desk time is, in milliseconds; none before there is one.
    pub lag: Option<i64>,
    /// What is in the way of desk time.
    pub why: Option<String>,
    /// Tweets in a second, of late.
    pub tweets: f64,
    /// Bytes in a second, of late.
    pub bytes: f64,
    /// Purchases that wait.
    pub pendings: usize,
    /// Desk workers that were killed.
    pub kills: u64,
}

impl Status {
    fn desk_time(&self) -> String {
        let mut text = match self.lag {
            Some(lag) => format!("desk time {:.1} s behind", lag as f64 / SECOND as f64),
            None => "no desk time yet".to_owned(),
        };
        if let Some(why) = &self.why {
            text.push_str(": ");
            text.push_str(why);
        }
        text
    }
}

impl Screen {
    /// The screen, if stdout is one. `second`: as much of the world's time passes in one of ours.
    pub fn new(second: i64) -> Screen {
        let bar = watched().then(|| {
            let style =
                ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
            ProgressBar::with_draw_target(None, ProgressDrawTarget::stdout()).with_style(style)
        });
        let colours = bar.is_some() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Screen {
            bar,
            colours,
            second,
            left: Left::default(),
            number: -1,
            followed: HashSet::new(),
            killed: HashSet::new(),
            left_out: 0,
            failed: None,
        }
    }

    /// Whether the numbers stand at the bottom and can change at any time.
    pub fn is_live(&self) -> bool {
        self.bar.is_some()
    }

    /// Shows a line.
    pub fn line(&mut self, line: &str) {
        match &self.bar {
            Some(bar) => bar.println(line),
            None => {
                let written = writeln!(io::stdout(), "{line}");
                self.failed = self.failed.take().or(written.err());
            }
        }
    }

    /// Shows an event, if it belongs to what is followed.
    pub fn event(&mut self, shoppers: &Shoppers, event: &Event) {
        if matches!(
            event.kind,
            EventKind::OrderPlaced | EventKind::OrderCredited | EventKind::OrderCreditReversed
        ) {
            return;
        }
        if !self.chosen(event) {
            self.left_out += 1;
            return;
        }
        let line = story(shoppers, event, self.colours);
        self.line(&line);
    }

    /// Shows what a worker says, if it is about a desk worker's death or return.
    pub fn notice(&mut self, now: Time, notice: &Notice) {
        let line = match notice {
            Notice::Killed { desk, .. } => {
                self.killed.insert(*desk);
                notice.to_string()
            }
            // One that was killed early comes back with nothing to restore: that is news, too.
            Notice::Restored { desk, back } if back.records > 0 || self.killed.contains(desk) => {
                format!("desk {desk}: partition {} restored, {} records", back.partition, back.records)
            }
            Notice::Rejected { .. } => notice.to_string(),
            _ => return,
        };
        let line = format!("{}  {}", clock(now), coloured(&line, "36", self.colours));
        self.line(&line);
    }

    /// Shows how it goes.
    pub fn status(&mut self, status: &Status, ledger: &Ledger) {
        let [requested, confirmed, lapsed, cancelled, refused, reminded] = [
            EventKind::Requested,
            EventKind::Confirmed,
            EventKind::Lapsed,
            EventKind::Cancelled,
            EventKind::Refused,
            EventKind::Reminded,
        ]
        .map(|kind| grouped(ledger.count(kind)));
        let [loaded, redeemed, reversed, expired] = [
            EventKind::CouponLoaded,
            EventKind::CouponRedeemed,
            EventKind::CouponReversed,
            EventKind::CouponExpired,
        ]
        .map(|kind| grouped(ledger.count(kind)));
        let (clock, pendings, desk_time) = (clock(status.now), status.pendings, status.desk_time());
        let (tweets, megabytes) = (grouped(status.tweets.round() as u64), status.bytes / 1e6);
        let (kills, doubles) = (status.kills, ledger.doubles);
        match &self.bar {
            Some(bar) => bar.set_message(format!(
                "\n{clock}   {tweets} tweets/s   {megabytes:.1} MB/s   {desk_time}\n\
                 requested {requested}   confirmed {confirmed}   lapsed {lapsed}   cancelled {cancelled}   \
                 pending {pendings}   refused {refused}   reminded {reminded}\n\
                 coupons loaded {loaded}   redeemed {redeemed}   reversed {reversed}   expired {expired}\n\
                 killed {kills}   double purchases {doubles}   ({} events not shown)\n\
                 k kills a desk worker   q or Ctrl-C ends the demo",
                grouped(self.left_out)
            )),
            None => {
                let left_out = std::mem::take(&mut self.left_out);
                self.line(&format!(
                    "{clock}  -- {tweets} tweets/s, {megabytes:.1} MB/s; requested {requested}, confirmed {confirmed}, \
                     lapsed {lapsed}, cancelled {cancelled}, pending {pendings}, refused {refused}; coupons: \
                     loaded {loaded}, redeemed {redeemed}, reversed {reversed}, expired {expired} \
                     ({left_out} events not shown); {desk_time}; double purchases {doubles}"
                ));
            }
        }
    }

    /// Takes the numbers away from the bottom.
    pub fn close(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    /// Whether everything was written.
    ///
    /// # Errors
    /// The first error of writing to stdout.
    pub fn check(&self) -> Result<(), Error> {
        self.failed.as_ref().map_or(Ok(()), |error| Err(Error::stdout(error)))
    }

    fn chosen(&mut self, event: &Event) -> bool {
        let number = event.at.millis() / self.second.max(1);
        if number > self.number {
            self.number = number;
            let (requests, refusals, loads) = if self.bar.is_some() { (3, 2, 2) } else { (1, 1, 1) };
            self.left = Left { requests, refusals, loads };
        }
        let thread = Thread::of(event);
        if let Some(thread) = thread.as_ref().filter(|thread| self.followed.contains(thread)) {
            if Thread::ends_with(event.kind) {
                self.followed.remove(thread);
            }
            return true;
        }
        let left = match event.kind {
            EventKind::Requested => &mut self.left.requests,
            EventKind::Refused => &mut self.left.refusals,
            EventKind::CouponLoaded => &mut self.left.loads,
            _ => return false,
        };
        if *left == 0 {
            return false;
        }
        *left -= 1;
        self.followed.extend(thread.filter(|_| event.kind != EventKind::Refused));
        true
    }
}

/// Whether a person is watching stdout.
pub fn watched() -> bool {
    io::stdout().is_terminal()
}
