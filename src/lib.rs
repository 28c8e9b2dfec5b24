//! hashbuy: buy by hashtag.

pub mod cli;
pub mod command;
pub mod config;
pub mod core;
pub mod input;
pub mod replay;
