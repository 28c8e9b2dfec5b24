//! One event in a line: when, who, what.

use crate::core::event::{Cause, Details, Event, EventKind};
use crate::core::time::Time;
use crate::firehose::Shoppers;

/// `12:14:59  anna  #BuyTeapot  confirmed  $24.50`.
pub fn story(shoppers: &Shoppers, event: &Event, colours: bool) -> String {
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
        Details::CouponLoaded { credit, .. } => ("loaded", "", format!("up to {credit} back")),
        Details::CouponCredit { credited, .. } if event.kind == EventKind::CouponReversed => {
            ("reversed", "35", format!("{credited} taken back"))
        }
        Details::CouponCredit { credited, .. } => ("redeemed", "32", format!("{credited} back")),
        Details::CouponExpired { redeem_by, .. } => {
            ("expired", "33", format!("it was good until {}", redeem_by.date_and_minute()))
        }
        Details::OrderCredit { credited, .. } => ("credited", "", credited.to_string()),
    };
    let (clock, who) = (clock(event.at), who(shoppers, event));
    let verb = coloured(&format!("{verb:<9}"), colour, colours);
    format!("{clock}  {who:<9} {tag:<11} {verb} {more}")
}

/// A text in a colour, by its number; none: as it is.
pub fn coloured(text: &str, colour: &str, colours: bool) -> String {
    match colours && !colour.is_empty() {
        true => format!("\x1b[{colour}m{text}\x1b[0m"),
        false => text.to_owned(),
    }
}

/// The handle; else the account id.
fn who(shoppers: &Shoppers, event: &Event) -> String {
    let reply = match &event.details {
        Details::Requested { reply, .. }
        | Details::Reminded { reply, .. }
        | Details::Confirmed { reply, .. }
        | Details::Lapsed { reply, .. }
        | Details::CouponLoaded { reply, .. } => Some(reply),
        Details::Cancelled { reply, .. } | Details::Refused { reply, .. } => reply.as_ref(),
        Details::OrderPlaced { .. }
        | Details::OrderCredit { .. }
        | Details::CouponCredit { .. }
        | Details::CouponExpired { .. } => None,
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
pub fn clock(time: Time) -> String {
    let text = time.to_string();
    text.get(11..19).unwrap_or(&text).to_owned()
}
