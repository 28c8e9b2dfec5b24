//! A made-up firehose: records in the exact shape of the real ones, with shoppers among them.
//!
//! ```text
//! Maker      any record: tweets, retweets, quotes, deletions in the formats of v1.1, v2 and
//!            Activity Streams, ids that carry their time; and noise in the mix of a real stream
//! Shoppers   people with accounts and plans: they ask for an offer, learn their code from the
//!            event, and confirm, are late, forget, regret, copy, guess
//! ```
//!
//! The mix is that of a public sample stream of 2013: 2.9 KB a tweet, 12 % deletions (2.6 KB a record), 20 % retweets,
//! a `#` somewhere in 40 % of all records, but a hashtag in the text of only 13 % of the tweets; pure
//! ASCII on the wire. Authors, texts and links are all invented, and every domain is one that is
//! reserved for examples.
//!
//! Everything is a function of a seed and of the times that are handed in: the same calls give the
//! same bytes.

mod author;
mod maker;
mod other_formats;
mod post;
pub mod shoppers;
mod wire;
mod words;

#[cfg(test)]
mod tests;

pub(crate) use author::created_at;
pub(crate) use maker::first_id_of;
pub use maker::{CONTROLS, DELETIONS, Draft, Format, Maker, Original, REPEATED, RETWEETS, TAGGED};
pub use shoppers::{Habits, Happening, Shoppers};
pub use wire::LINE_END;
