//! Guests: linked accounts that nobody plays. Whoever looks at the page may tweet as one of them.

use serde_json::json;

use crate::core::code::Code;
use crate::core::event::{Details, Event};
use crate::core::hashtag::{fold, hashtags};
use crate::core::ids::AccountId;
use crate::core::time::{DAY, Time};
use crate::firehose::Happening;
use crate::web::stand::{Heard, Keeper, Wish};

/// Their handles.
const HANDLES: [&str; 3] = ["ada", "grace", "linus"];
/// The account id before the first: between those of strangers and those of shoppers.
const BEFORE: u64 = 1_400_000_000;
/// What stands on the page in the place of a code.
const HIDDEN: &str = "#Confirm········";

/// The hashtag of the guests' own offer.
pub const TAG: &str = "#BuyPuzzle";
/// Its window, in seconds: the longest there is, so a minute where a minute takes a second. A visitor has to read the answer
/// and to find the button.
const WINDOW_SECONDS: u32 = 3_600;

/// What stands in the tables for the guests.
pub fn records(start: Time) -> impl Iterator<Item = Happening> {
    accounts(start).chain([offer(start)])
}

/// An offer that no shopper asks for, as often as they like.
fn offer(start: Time) -> Happening {
    let record = json!({
        "offer_id": "puzzle",
        "kind": "purchase",
        "hashtag": TAG,
        "product": "Jigsaw Puzzle",
        "merchant_id": "m-1",
        "price": { "amount": 1_500, "currency": "USD" },
        "starts_at": start,
        "ends_at": start.plus(365 * DAY),
        "per_account": 100,
        "window_seconds": WINDOW_SECONDS,
    });
    Happening::Offer { id: "puzzle".to_owned(), json: record.to_string() }
}

/// The accounts' records, linked long ago.
fn accounts(start: Time) -> impl Iterator<Item = Happening> {
    ids().zip(HANDLES).map(move |(id, handle)| {
        let record = json!({
            "account_id": id,
            "screen_name": handle,
            "card_token": format!("tok_{handle}"),
            "delivery_ref": format!("addr_{handle}"),
            "status": "active",
            "linked_at": start.minus(30 * DAY),
        });
        Happening::Account { id, json: Some(record.to_string()) }
    })
}

fn ids() -> impl Iterator<Item = AccountId> {
    (1..).map_while(|n| AccountId::new(BEFORE + n)).take(HANDLES.len())
}

/// A tweet that a guest is to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Who.
    pub account: AccountId,
    /// Their handle.
    pub handle: &'static str,
    /// As typed.
    pub text: String,
}

/// What a visitor wants of the world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// A tweet.
    Tweet(Said),
    /// The death of a desk worker.
    Kill,
}

/// The guests.
pub struct Guests {
    keeper: Keeper,
    /// The last code that each was given.
    codes: [Option<String>; HANDLES.len()],
    prefix: String,
}

impl Guests {
    /// Guests whom the visitors of this stand play.
    pub fn new(keeper: Keeper, code_prefix: &str) -> Guests {
        {
            let mut board = keeper.board();
            (board.guests, board.tag) = (HANDLES.map(str::to_owned).to_vec(), TAG.to_owned());
        }
        Guests { keeper, codes: Default::default(), prefix: fold(code_prefix).into() }
    }

    /// What somebody wants, if anybody wants anything.
    pub fn wanted(&mut self, now: Time) -> Option<Wanted> {
        loop {
            let (guest, text) = match self.keeper.wish()? {
                Wish::Kill => return Some(Wanted::Kill),
                Wish::Tweet(guest, text) => (guest, Some(text)),
                Wish::Confirm(guest) => {
                    let code = self.codes.get(guest).and_then(Option::as_ref);
                    (guest, code.map(|code| format!("{code} please")))
                }
            };
            let Some((account, handle)) = ids().zip(HANDLES).nth(guest) else { continue };
            match text {
                Some(text) => return Some(Wanted::Tweet(Said { account, handle, text })),
                None => {
                    self.show(now, handle, "no code", "There is no code yet: tweet an offer's hashtag first.")
                }
            }
        }
    }

    /// An event, which may be about a guest.
    pub fn hear(&mut self, event: &Event) {
        let Some(guest) = ids().position(|id| id == event.account_id) else { return };
        let reply = match &event.details {
            Details::Requested { code, reply, .. } | Details::Reminded { code, reply, .. } => {
                self.codes[guest] = Some(code.clone());
                Some(reply)
            }
            Details::Confirmed { reply, .. }
            | Details::Lapsed { reply, .. }
            | Details::CouponLoaded { reply, .. } => Some(reply),
            Details::Cancelled { reply, .. } | Details::Refused { reply, .. } => reply.as_ref(),
            _ => return,
        };
        let why = match &event.details {
            Details::Refused { reason, .. } => reason.as_str(),
            Details::Cancelled { cause, .. } => cause.as_str(),
            _ => "",
        };
        let text = match reply {
            Some(reply) => self.without_codes(&reply.text),
            None => format!("(no answer within a minute of the last) {}", why.replace('_', " ")),
        };
        self.show(event.at, HANDLES[guest], event.kind.as_str(), &text);
    }

    /// Shows how it goes with the desk workers.
    pub fn figures(&self, kills: u64, doubles: u64, restoring: u32) {
        let mut board = self.keeper.board();
        (board.kills, board.doubles, board.restoring) = (kills, doubles, restoring);
    }

    fn show(&self, at: Time, handle: &str, kind: &'static str, text: &str) {
        let (handle, text) = (handle.to_owned(), text.to_owned());
        self.keeper.board().hear(Heard { at, handle, kind, text });
    }

    fn without_codes(&self, text: &str) -> String {
        let (mut shown, mut from) = (String::new(), 0);
        for tag in hashtags(text) {
            if Code::of_hashtag(&fold(tag.body), &self.prefix).is_some() {
                shown.push_str(&text[from..tag.start]);
                shown.push_str(HIDDEN);
                from = tag.end;
            }
        }
        shown + &text[from..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::stand::stand;

    #[test]
    fn no_code_is_shown() {
        let guests = Guests::new(stand().1, "Confirm");
        let shown =
            guests.without_codes("@ada Tweet #Confirm7K2QM4XA or #CONFIRM7k2qm4xa by 12:15 to buy #BuyTea");
        assert_eq!(shown, format!("@ada Tweet {HIDDEN} or {HIDDEN} by 12:15 to buy #BuyTea"));
        assert_eq!(guests.without_codes("@ada Done."), "@ada Done.");
    }
}
