//! The oracle of the exactly-once tests, tested itself: case by case against the written rules, and
//! on random inboxes against the program's desk, which it shares no line of deciding with.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod audit;
mod cases;
#[path = "../common/mod.rs"]
mod common;
mod differential;
mod inputs;
mod known;
mod run;
mod shoppers;
