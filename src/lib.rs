//! hashbuy: buy by hashtag.

pub mod cli;
pub mod command;
pub mod config;
pub mod core;
pub mod firehose;
pub mod input;
pub mod metrics;
pub mod replay;
pub mod web;
