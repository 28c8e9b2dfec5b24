//! What the black-box tests of `hashbuy replay` share: the program as a child process, made-up
//! tables and tweets as they look on the wire, and some rules computed a second time.

// Each test crate uses its own part of these modules, and in a test a panic is the report.
#![allow(dead_code, unused_imports, clippy::unwrap_used, clippy::expect_used)]

pub mod built;
pub mod ledger;
pub mod market;
pub mod model;
pub mod program;
pub mod rng;
pub mod schema;
pub mod tables;
pub mod tags;
pub mod wire;
