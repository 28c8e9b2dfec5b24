//! What a person sees: purchases as they happen, and how fast it all goes.
//!
//! On a terminal the numbers stand at the bottom and the purchases scroll above them; elsewhere each
//! second has a line. More happens than anybody can read, so some purchases are followed from their
//! request to their end, a few refusals are shown beside them, and the rest is counted.

use std::collections::HashSet;
use std::io::{self, IsTerminal, Write};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use uuid::Uuid;

use super::ledger::Ledger;
use crate::command::Error;
use crate::core::event::{Cause, Details, Event, EventKind};
use crate::core::time::{MINUTE, Time};
use crate::firehose::Shoppers;

/// Stdout, watched by somebody or not.
pub struct Screen {
    bar: Option<ProgressBar>,
    colours: bool,
    /// Requests and refusals that may still be shown in this minute of the world, a second of ours.
    left: (u32, u32),
    minute: i64,
    followed: HashSet<Uuid>,
    /// Events that were not shown since the last status line.
    left_out: u64,
    /// The first error of writing.
    failed: Option<io::Error>,
}

/// How it goes.
#[derive(Debug, Clone, Copy)]
pub struct Status {
    /// Desk time.
    pub time: Time,
    /// Tweets in a second, of late.
    pub tweets: f64,
    /// Bytes in a second, of late.
    pub bytes: f64,
    /// Purchases that wait.
    pub pendings: usize,
}

impl Screen {
    /// The screen, if stdout is one.
    pub fn new() -> Screen {
        let bar = watched().then(|| {
            let style =
                ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
            ProgressBar::with_draw_target(None, ProgressDrawTarget::stdout()).with_style(style)
        });
        let colours = bar.is_some() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Screen { bar, colours, left: (0, 0), minute: -1, followed: HashSet::new(), left_out: 0, failed: None }
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
        if event.kind == EventKind::OrderPlaced {
            return;
        }
        if !self.chosen(event) {
            self.left_out += 1;
            return;
        }
        let line = story(shoppers, event, self.colours);
        self.line(&line);
    }

    /// Shows how it goes.
    pub fn status(&mut self, status: Status, ledger: &Ledger) {
        let [requested, confirmed, lapsed, cancelled, refused, reminded] = [
            EventKind::Requested,
            EventKind::Confirmed,
            EventKind::Lapsed,
            EventKind::Cancelled,
            EventKind::Refused,
            EventKind::Reminded,
        ]
        .map(|kind| grouped(ledger.count(kind)));
        let (clock, pendings) = (clock(status.time), status.pendings);
        let (tweets, megabytes) = (grouped(status.tweets.round() as u64), status.bytes / 1e6);
        match &self.bar {
            Some(bar) => bar.set_message(format!(
                "\n{tweets} tweets/s   {megabytes:.1} MB/s   desk time {clock}   {pendings} pending\n\
                 requested {requested}   confirmed {confirmed}   lapsed {lapsed}   cancelled {cancelled}   \
                 refused {refused}\n\
                 reminded {reminded}   ({} events not shown)   Ctrl-C ends the demo",
                grouped(self.left_out)
            )),
            None => {
                let left_out = std::mem::take(&mut self.left_out);
                self.line(&format!(
                    "{clock}  -- {tweets} tweets/s, {megabytes:.1} MB/s; requested {requested}, confirmed {confirmed}, \
                     lapsed {lapsed}, cancelled {cancelled}, refused {refused}, pending {pendings} \
                     ({left_out} events not shown)"
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
        let minute = event.at.millis() / MINUTE;
        if minute > self.minute {
            self.minute = minute;
            self.left = if self.bar.is_some() { (3, 2) } else { (1, 1) };
        }
        if let Some(purchase) = event.purchase_id
            && self.followed.contains(&purchase)
        {
            if matches!(event.kind, EventKind::Confirmed | EventKind::Lapsed | EventKind::Cancelled) {
                self.followed.remove(&purchase);
            }
            return true;
        }
        let (requests, refusals) = &mut self.left;
        let left = match event.kind {
            EventKind::Requested => requests,
            EventKind::Refused => refusals,
            _ => return false,
        };
        if *left == 0 {
            return false;
        }
        *left -= 1;
        if event.kind == EventKind::Requested {
            self.followed.extend(event.purchase_id);
        }
        true
    }
}

/// Whether a person is watching stdout.
pub fn watched() -> bool {
    io::stdout().is_terminal()
}

/// `12:14:59  anna  #BuyTeapot  confirmed  $24.50`.
fn story(shoppers: &Shoppers, event: &Event, colours: bool) -> String {
    let tag = event.offer_id.as_deref().and_then(Shoppers::tag).unwrap_or("-");
    let (verb, colour, more) = match &event.details {
        Details::Requested { code, deadline, price, .. } => {
            ("requested", "", format!("{price}, {code} by {}", clock(*deadline)))
        }
        Details::Reminded { code, deadline, .. } => {
            ("reminded", "", format!("{code} by {}", clock(*deadline)))
        }
        Details::Confirmed { price, .. } => ("confirmed", "32", price.to_string()),
        Details::Lapsed { .. } => ("lapsed", "33", "no code in time".to_owned()),
        Details::Cancelled { cause, .. } => ("cancelled", "35", words(*cause).to_owned()),
        Details::Refused { reason, hashtag, .. } => {
            ("refused", "31", format!("{} ({hashtag})", reason.as_str()))
        }
        Details::OrderPlaced { .. } => ("ordered", "", String::new()),
    };
    let (clock, who) = (clock(event.at), who(shoppers, event));
    match colours && !colour.is_empty() {
        true => format!("{clock}  {who:<9} {tag:<11} \x1b[{colour}m{verb:<9}\x1b[0m {more}"),
        false => format!("{clock}  {who:<9} {tag:<11} {verb:<9} {more}"),
    }
}

/// The handle; else the account id.
fn who(shoppers: &Shoppers, event: &Event) -> String {
    let reply = match &event.details {
        Details::Requested { reply, .. }
        | Details::Reminded { reply, .. }
        | Details::Confirmed { reply, .. }
        | Details::Lapsed { reply, .. } => Some(reply),
        Details::Cancelled { reply, .. } | Details::Refused { reply, .. } => reply.as_ref(),
        Details::OrderPlaced { .. } => None,
    };
    let handle = shoppers.handle(event.account_id).or(reply.and_then(|reply| reply.to.as_deref()));
    handle.map_or_else(|| event.account_id.to_string(), str::to_owned)
}

fn words(cause: Cause) -> &'static str {
    match cause {
        Cause::Deleted => "the offer tweet was deleted",
        Cause::Frozen => "the account was frozen",
        Cause::Unlinked => "the account was unlinked",
        Cause::Withdrawn => "the offer was withdrawn",
        Cause::SoldOut => "sold out",
    }
}

/// `12:14:59`.
fn clock(time: Time) -> String {
    let text = time.to_string();
    text.get(11..19).unwrap_or(&text).to_owned()
}

/// `1,234,567`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (12_345_678, "12,345,678")] {
            assert_eq!(grouped(number), text);
        }
    }
}
