//! hashbuy: buy by hashtag.

pub mod core;
