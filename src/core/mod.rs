//! The rules, as plain functions over values. The core knows no Kafka, no clock, no threads and
//! no random numbers: what it decides on is handed to it.

pub mod account;
pub mod by_account;
pub mod card_number;
pub mod code;
pub mod desk;
pub mod event;
mod from_text;
pub mod hashtag;
pub mod ids;
pub mod inbox;
mod known_offers;
mod layout;
pub mod money;
pub mod numeral;
pub mod offer;
pub mod prefilter;
pub mod reader;
pub mod record;
pub mod reply;
pub mod scan;
pub mod settings;
pub mod tables;
pub mod tally;
pub mod template;
pub mod time;
pub mod transaction;
pub mod tweet;
pub mod versioned;
