//! hashbuy: command line, wiring, exit codes.

fn main() {}
