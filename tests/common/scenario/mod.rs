//! A small language for golden scenarios: what is in the tables, who tweets what and when, and
//! behind `->` every event that follows, all of them and in order.
//!
//! ```text
//! # The first comment says what the scenario shows.
//! offer teapot #GetTeapot 24.50 USD stock 2
//! account anna
//! stranger zed
//!
//! 12:00:00.000 anna tweets "yes #GetTeapot"   -> requested A
//! 12:15:00.000 anna tweets "{A}"              -> confirmed A
//! 12:16:00.000 passes                         -> nothing
//! ```
//!
//! **Lines** stand in the order of arrival. A time is one of the scenario's day (13 February
//! 2013), or `1d+09:00` of the day after, `-2d+09:00` of two days before; seconds and milliseconds
//! may be left out. A line with `#` at its start is a comment; outside of quotes ` // ` begins one.
//!
//! | line | means |
//! | --- | --- |
//! | `[TIME] offer ID ...` | a record of the table: `#Tag`, `24.50 USD`, `version`, `stock N` or `no_stock`, `per_account`, `window` (s), `starts`, `ends`, `open`, `withdrawn`, `cancel_pending`, `removed` (null). What is not said stays as it was. A coupon has a `credit 10.00 USD` in the place of the price, and may have `min_spend 50.00 USD`, `redeem_by TIME`, `merchant NAME` (else `shop-ID`) |
//! | `[TIME] account NAME ...` | `active`, `frozen`, `unlinked` (null), `linked TIME`, `card`, `delivery`, and of its own caps `pendings`, `requests_per_hour`, `wrong_codes_per_hour`, `hold_seconds`, `per_day 500.00 USD` |
//! | `stranger NAME` | an author without an account |
//! | `TIME NAME tweets "TEXT" ...` | the text is a JSON string; behind `raw` it goes to the wire letter by letter. `{A}` is the code that purchase A got (also `{A:lower}`, `{A:upper}`, `{A:wide}` with ＃) |
//! | `again LABEL [as FORMAT]` | that tweet once more, as it was or in another format; or the payment or refund of the line before, delivered twice |
//! | `NAME deletes LABEL [first] [as FORMAT]` | the deletion of that version (or of the first of its chain), before or after it; `NAME deletes N unseen` tweets of which nothing else is known |
//! | `TIME NAME pays 62.00 USD at MERCHANT ...` | a payment with the card that the account has then, or with `card TOKEN`; it may be `called LABEL` |
//! | `TIME NAME gets 12.00 USD back of LABEL ...` | a refund of that payment; it may be `called LABEL` |
//! | `TIME settles` | a payment of nobody's, nowhere: the time of the card transactions goes on |
//! | `TIME passes` | a tweet of nobody's, about nothing: time goes on |
//! | `TIME until` | the last line: `--until TIME`, and what happens at the end |
//!
//! **A tweet may be** `as v2`, `as activity` (else v1.1), `protected`, `truncated`, `retweet`, `retweeted_flag`, `reply`,
//! `quoting "..."`, `full_text "..."`, `extended_tweet "..."`, `note_tweet "..."`, `long_object "..."`, `bio "..."`,
//! `entities "..."` (a hashtag that is said to be in the text), `edit_of LABEL`, `called LABEL`, `255 times every 0.100` (s).
//!
//! **Events**: `requested A [OFFER] [issued TIME] [deadline TIME]`, `reminded A`, `confirmed A` (with the order directly behind
//! it), `lapsed A`, `cancelled A CAUSE`, `refused REASON [A] [#Tag] [OFFER] [unanswered]`, `nothing`. `requested A` gives
//! the purchase, its code and its tweet the name A, in the whole file. A refusal that names A has its `purchase_id`.
//! Of coupons: `loaded C [OFFER]`, which gives the coupon and its tweet the name C; `redeemed C 10.00 USD [by LABEL]` and
//! `reversed C [by LABEL]`, each with its order directly behind it, by the payment or refund of the line if none is named;
//! `expired C`.
//!
//! Card transactions are taken when desk time reaches their own time, as table lines are; those behind the last tweet
//! are taken, too, if there is no `until`. Without any of them coupons expire by desk time.
//!
//! What a line does not say is worked out and compared all the same: ids, times, versions, prices, whom a reply
//! answers. Cancellations of one step may stand in any order.

mod cards;
mod cast;
mod compare;
mod coupons;
mod events;
mod parse;
mod stage;
mod wire;
mod words;

use std::fmt;

use serde_json::Value;

pub use compare::difference;
pub use parse::parse;
pub use stage::{Staged, stage};

/// What is wrong with a scenario file, and where.
#[derive(Debug)]
pub struct Fault {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong, with the word that is.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.line, self.message)
    }
}

/// One line of a scenario that is no comment.
pub struct Statement {
    /// The line, from 1.
    pub line: usize,
    /// Milliseconds since the Unix epoch, where the line has a time.
    pub time: Option<i64>,
    /// What happens.
    pub action: Action,
    /// What follows.
    pub events: Vec<Expected>,
}

/// What a line lets happen.
pub enum Action {
    /// A record of the offers table.
    Offer(String, Vec<Setting>),
    /// A record of the accounts table.
    Account(String, Vec<Setting>),
    /// An author without an account.
    Stranger(String),
    /// A tweet.
    Tweet(Tweet),
    /// A tweet that came before, once more.
    Again(String, Option<Format>),
    /// A deletion of one version of a tweet.
    Deletes { author: String, label: String, first: bool, format: Format },
    /// Deletions of tweets that never came.
    DeletesUnseen(String, u64),
    /// A payment with a card: the account's, if no other is named.
    Pays { author: String, amount: Value, merchant: String, card: Option<String>, label: Option<String> },
    /// A refund of a payment.
    GetsBack { author: String, amount: Value, of: String, label: Option<String> },
    /// The time of the card transactions goes on.
    Settles,
    /// Time goes on.
    Passes,
    /// The end of the time that is replayed.
    Until,
}

/// One word of a table line, with its value.
#[derive(Clone)]
pub enum Setting {
    /// A field that is a number or a text.
    Field(&'static str, Value),
    /// A field that is left out from now on.
    Without(&'static str),
    /// One of an account's own caps.
    Cap(&'static str, Value),
    /// The record becomes null.
    Null,
}

/// The JSON format of a tweet.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// The v1.1 stream.
    V1,
    /// The v2 stream.
    V2,
    /// Activity Streams.
    Activity,
}

/// A tweet, as the scenario tells it.
pub struct Tweet {
    /// The name of its author.
    pub author: String,
    /// The text, with `{A}` for codes; a JSON string literal without its quotes.
    pub text: String,
    /// The format of its first arrival.
    pub format: Format,
    /// Its name for later lines.
    pub label: Option<String>,
    /// The version of which it is an edit.
    pub edit_of: Option<String>,
    /// Single words: `protected`, `retweet` and the like.
    pub flags: Vec<&'static str>,
    /// Further texts by the field that they go to.
    pub fields: Vec<(&'static str, String)>,
    /// How often, and how many milliseconds apart.
    pub times: (u32, i64),
}

/// An event that has to follow.
pub enum Expected {
    /// `purchase.requested`
    Requested { label: String, offer: Option<String>, issued: Option<i64>, deadline: Option<i64> },
    /// `purchase.reminded`
    Reminded(String),
    /// `purchase.confirmed` and `order.placed`
    Confirmed(String),
    /// `purchase.lapsed`
    Lapsed(String),
    /// `purchase.cancelled` with its cause
    Cancelled(String, String),
    /// `purchase.refused`
    Refused {
        reason: &'static str,
        purchase: Option<String>,
        hashtag: Option<String>,
        offer: Option<String>,
        unanswered: bool,
    },
    /// `coupon.loaded`
    Loaded { label: String, offer: Option<String> },
    /// `coupon.redeemed` and `order.credited`: how much, and by which payment if not by that of the line
    Redeemed { label: String, credited: Value, by: Option<String> },
    /// `coupon.reversed` and `order.credit_reversed`
    Reversed { label: String, by: Option<String> },
    /// `coupon.expired`
    Expired(String),
}
