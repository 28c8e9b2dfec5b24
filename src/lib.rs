//! hashbuy: buy by hashtag.
//!
//! A microblog's author links a payment card to the account once. Then a tweet with an offer's
//! hashtag asks for an article, the answer carries a generated **confirmation code**, and a tweet with
//! that code within 15 minutes closes the deal. hashbuy is the engine behind it: it reads every tweet
//! that is posted, and writes purchase events, each exactly once.
//!
//! # The way of the data
//!
//! ```text
//!  tweets ----------> scan ------ sightings, deletions ------+
//!    (firehose)         ^ offers, linked ids                 |          +---------------+--> purchases
//!  offers, accounts ----+-> feeder -- records ---------------+--> inbox | desk          |
//!  card-transactions ------> feeder -- records ---------------+     ^    | account, stock|--> orders
//!                           time keeper -- marks ------------+     |    | and card      |
//!                                                                  |    | entities      |
//!                                                                  |    +---------------+--> desk-changelog
//!                                                                  +-- messages between entities --+
//! ```
//!
//! > Everything the desk decides on comes through its own inbox, in one order: sightings, deletions,
//! > records of accounts and offers, time. Nothing else is an input but the clock reading `now`, which
//! > is written down.
//!
//! **Why two stages.** An offer tweet and its confirmation have to meet in one place, but the firehose
//! is keyed by anything or nothing. The *scan* throws away nearly all bytes without parsing them; it
//! keeps no state and may repeat itself. What is left is tiny, keyed by account, and every cent of it
//! is decided by the *desk*, exactly once.
//!
//! **Why tables go through the inbox too.** A freeze that is read ten seconds late bills the thief. In
//! one order with the tweets, it is a record like any other.
//!
//! # One tweet on its way through the modules
//!
//! 1. A record comes from Kafka ([`worker::scan`] polls it from the [`log`]), or from a file: [`input`]
//!    undoes its compression and cuts it into records.
//! 2. [`core::prefilter`] searches the raw bytes for any spelling of an offer's hashtag, of a code, or
//!    of a deletion. What it does not find cannot matter; no JSON is parsed for it.
//! 3. [`core::tweet`] reads the record, in whichever of three formats it is, and keeps the author's
//!    [own words](core::tweet::OwnText).
//! 4. [`core::hashtag`] finds the hashtags in them and folds them; [`core::scan`] keeps those that are
//!    offers' or codes, with the offers as they stand at that moment, as one
//!    [`Sighting`](core::inbox::Sighting).
//! 5. [`core::inbox`] is what the two stages share: versioned records, each with the key of the entity
//!    that handles it.
//! 6. [`core::desk`] hands the record to its entity: [`core::desk::buyer`] for an account,
//!    [`core::desk::Stock`] for an offer with a stock, [`core::desk::card`] for the coupons on a card. The entity changes its state and says what is to
//!    be written: [`core::event`]s with [`core::reply`] texts, and messages to other entities.
//! 7. [`core::desk::wheel`] wakes pendings at their deadline, when a mark says that every tweet until
//!    then has been seen.
//!
//! [`core`] knows no Kafka, no clock, no threads and no random numbers: time is an argument, effects are
//! values. The [`worker`]s feed it from the [`log`], of which there are two, one in Kafka and one in memory,
//! and perform what it says. [`replay`] drives both stages over a stream whose time is that of its data,
//! without a log; [`firehose`] makes
//! up tweets and shoppers, for the demo and the benches; [`command`] has what a user types, with its
//! settings from [`config`]; [`operate`] has what operators need when something has happened,
//! [`plan`] what they need before; [`service`] has the threads that `run` and the demo are made of; [`metrics`] names what can be measured, and [`web`] shows it.
//!
//! # Guarantees
//!
//! | | guarantee | kept by |
//! | --- | --- | --- |
//! | I1 | A confirmed purchase is written to `purchases` and `orders` exactly once. | `order.placed` goes with its `purchase.confirmed` in one step ([`core::desk`]); one transaction with the state and the offsets of the input ([`worker::desk`]); ids that are the same on every replay ([`core::ids`]). |
//! | I2 | Each requested purchase has exactly one terminal event. | A pending is taken out of the state by whatever ends it; an offer with a stock has one writer ([`core::desk::Stock`]). |
//! | I3 | No confirmation tweeted in time and delivered is refused because of our lag. | Codes are judged by tweet time against the deadline; lapses fire by marks alone ([`core::desk`]); a pending's code counts at any age ([`core::desk::buyer`]); marks are facts ([`worker::keeper`]). |
//! | I4 | No confirmation tweeted after the deadline buys. | Tweet time comes from the id, which the author cannot forge ([`core::time`]). |
//! | I5 | No sighting of a linked account is dropped silently. | An event, or a named counter ([`core::tally`]). |
//! | I6 | What scan drops without parsing would have led to nothing. | [`core::prefilter`], held against parsing everything by a property test and by every `replay`. |
//! | I7 | The same inbox with the same `now`s gives the same events, byte for byte. | No other inputs; no order of a hash map reaches an output ([`core::desk`]). |
//! | I8 | Memory is bounded by accounts, pendings, markers, counters, offers and configured buffers. | Everything remembered has an end ([`core::desk::buyer::history`]). |
//! | I9 | No bad input stops the processor. | Dead letters with a reason ([`core::tweet::BadRecord`], [`input::frame`]); table records are rejected one by one ([`core::record`]). |
//! | I10 | Never more units of an offer are sold than its stock. | One writer of its end for each purchase ([`core::desk::Stock`]). |
//! | I11 | Never more is credited than coupons were loaded for. | One writer for each coupon, which redeems it once and credits at most its credit ([`core::desk::card`]). |
//! | I12 | A transaction is credited at most once for an offer. | A card has one coupon of an offer; a transaction's id counts once for as long as its coupon is remembered ([`core::desk::card`]). |
//!
//! # Failure policy
//!
//! Errors are of three kinds. *This record is bad*: it is a dead letter or a rejected record, with its
//! reason, and the next one is handled. *Stop*: the command line, a setting, a file that cannot be read;
//! the message names the thing, the value and the way to mend it. *Corruption* of what this program
//! itself has written ([`core::inbox::Corrupt`]): stop, never skip, since guessing costs somebody money.

pub mod books;
pub mod cli;
pub mod command;
pub mod config;
pub mod core;
pub mod firehose;
pub mod input;
pub mod load;
pub mod log;
pub mod logging;
pub mod metrics;
pub mod operate;
pub mod plan;
pub mod replay;
pub mod service;
pub mod web;
pub mod worker;
