//! The settings that decide: with the same settings and the same inbox come the same events.
//!
//! They travel in the marks, so that all instances of a service decide by the same ones; the
//! highest [`revision`](Settings::revision) wins. What does not decide (where the brokers are,
//! how much to buffer) is in the configuration alone.

mod shared;

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::core::template::Template;
use crate::core::time::SECOND;

pub use shared::Shared;

/// What decides, and the texts of the replies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Counted up by whoever changes a setting.
    pub revision: u64,
    /// What every code begins with behind its sign: ASCII letters, then ASCII letters and digits.
    pub code_prefix: String,
    /// The confirmation window of offers that ask for none, in seconds, 60 to 3,600.
    pub window_seconds: u32,
    /// How long behind a deadline its lapse waits for tweets out of order, in milliseconds.
    pub slack_ms: i64,
    /// Limits against abuse.
    pub limits: Limits,
    /// The replies.
    pub texts: Texts,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            revision: 1,
            code_prefix: "Confirm".to_owned(),
            window_seconds: 900,
            slack_ms: 30 * SECOND,
            limits: Limits::default(),
            texts: Texts::default(),
        }
    }
}

impl Settings {
    /// Whether these are in force rather than others: those with the higher revision are, and of two with one
    /// revision the greater text, so that all who have seen both agree.
    pub fn goes_over(&self, other: &Settings) -> bool {
        let text = |settings: &Settings| serde_json::to_string(settings).unwrap_or_default();
        match self.revision.cmp(&other.revision) {
            Ordering::Equal => text(self) > text(other),
            order => order == Ordering::Greater,
        }
    }
}

/// Limits against abuse, for accounts without caps of their own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// The most that an account may spend in a UTC day, in minor units of each currency.
    pub per_day: i64,
    /// Pendings at once.
    pub pendings: u64,
    /// Requests within an hour.
    pub requests_per_hour: u64,
    /// Wrong codes within an hour; the last of them locks.
    pub wrong_codes_per_hour: u64,
    /// Seconds after linking in which nothing can be bought.
    pub hold_seconds: u64,
    /// Accounts that may share a card.
    pub accounts_per_card: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            per_day: 100_000,
            pendings: 5,
            requests_per_hour: 20,
            wrong_codes_per_hour: 5,
            hold_seconds: 3_600,
            accounts_per_card: 3,
        }
    }
}

/// Declares the texts once: field, default, and the list of all by name.
macro_rules! texts {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident = $text:expr,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(default)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: Template,)*
            #[doc = "Refusals, by their reason."]
            pub refused: Refused,
        }

        impl Default for $name {
            fn default() -> $name {
                $name { $($field: Template::known($text),)* refused: Refused::default() }
            }
        }

        impl $name {
            /// The names of all texts; those of refusals begin with `refused.`.
            pub fn names() -> impl Iterator<Item = String> {
                let refused = Refused::REASONS.iter().map(|reason| format!("refused.{reason}"));
                [$(stringify!($field)),*].into_iter().map(str::to_owned).chain(refused)
            }

            /// The text of a name.
            pub fn get(&self, name: &str) -> Option<&Template> {
                match name {
                    $(stringify!($field) => Some(&self.$field),)*
                    _ => self.refused.get(name.strip_prefix("refused.")?),
                }
            }

            /// The place of the text of a name.
            pub fn get_mut(&mut self, name: &str) -> Option<&mut Template> {
                match name {
                    $(stringify!($field) => Some(&mut self.$field),)*
                    _ => self.refused.get_mut(name.strip_prefix("refused.")?),
                }
            }
        }
    };
}

macro_rules! refused {
    ($($(#[$doc:meta])* $reason:ident = $text:expr,)*) => {
        /// The replies to refusals, one for each reason.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(default)]
        pub struct Refused {
            $($(#[$doc])* pub $reason: Template,)*
        }

        impl Default for Refused {
            fn default() -> Refused {
                Refused { $($reason: Template::known($text),)* }
            }
        }

        impl Refused {
            /// All reasons of a refusal.
            pub const REASONS: &[&str] = &[$(stringify!($reason)),*];

            /// The reply for a reason.
            pub fn get(&self, reason: &str) -> Option<&Template> {
                match reason {
                    $(stringify!($reason) => Some(&self.$reason),)*
                    _ => None,
                }
            }

            /// The place of the reply for a reason.
            pub fn get_mut(&mut self, reason: &str) -> Option<&mut Template> {
                match reason {
                    $(stringify!($reason) => Some(&mut self.$reason),)*
                    _ => None,
                }
            }
        }
    };
}

texts! {
    /// The templates of all replies.
    Texts {
        /// To the offer tweet.
        requested = "{to}Tweet {code} by {until} UTC to buy {product} for {price}",
        /// To another tweet with the offer's tag.
        reminded = "{to}Still waiting: tweet {code} by {until} UTC to buy {product} for {price}",
        /// To the confirming tweet.
        confirmed = "{to}Done: {product} for {price} is on its way to your address on file",
        /// To the offer tweet, after the deadline.
        lapsed = "{to}Your time to buy {product} has run out. Tweet {offer_tag} to start again",
        /// To a confirming tweet that came after the last unit.
        sold_out = "{to}Sorry, {product} is sold out. You have not been charged",
        /// To a tweet with a coupon's tag.
        loaded = "{to}{product} is on your card: pay with it until {until} UTC to get up to {price} back",
    }
}

refused! {
    /// The author has no linked account.
    not_linked = "{to}Link your card to your account first, then tweet {offer_tag} again",
    /// The account is protected.
    protected = "{to}Protected accounts cannot buy by hashtag",
    /// The account is frozen.
    frozen = "{to}Your account is frozen. Please contact us",
    /// Too many wrong codes.
    locked = "{to}Too many wrong codes. Please try again in an hour",
    /// The deadline has passed.
    lapsed = "{to}That code has run out. Tweet the offer's hashtag to start again",
    /// Somebody else's code, or nobody's.
    wrong_code = "{to}That is not one of your codes. Please check it and tweet again",
    /// A limit on numbers.
    limit_reached = "{to}You have reached the limit for this offer",
    /// A limit on amounts.
    cap_exceeded = "{to}That is more than your account may spend in a day",
    /// The tweet was read too late.
    too_old = "{to}We read your tweet too late. Please tweet {offer_tag} again",
    /// The card was linked just now.
    on_hold = "{to}Your card was linked only just now. Please try again in an hour",
    /// Outside of the offer's time, or withdrawn.
    not_open = "{to}The offer {offer_tag} is not open now",
    /// No unit left.
    sold_out = "{to}Sorry, {offer_tag} is sold out",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_default_texts_are_templates() {
        let texts = Texts::default();
        assert_eq!(Texts::names().count(), 18);
        for name in Texts::names() {
            let text = texts.get(&name).unwrap().as_str();
            assert_eq!(Template::new(text).unwrap().as_str(), text, "{name}");
            assert!(text.starts_with("{to}"), "{name}");
        }
    }

    #[test]
    fn settings_travel_as_json() {
        let settings = Settings { revision: 7, ..Settings::default() };
        let json = serde_json::to_string(&settings).unwrap();
        assert_eq!(serde_json::from_str::<Settings>(&json).unwrap(), settings);
    }
}
