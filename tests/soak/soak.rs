//! The service for half an hour as in production: on a real Kafka, at 20,000 tweets a second, with shoppers among
//! them, while its two processes are killed, ended and stopped at random. Memory has to stay flat, and every event has
//! to be the model's.
//!
//! ```text
//! cargo run --release --example soak                       half an hour; a broker and the program are brought along
//! cargo run --release --example soak -- --for 3m --rate 5000 --seed 7
//! ```
//!
//! [`stream`] is the firehose, [`crowd`] the shoppers, [`fleet`] the processes and what is done to them, [`audit`]
//! what has to hold, [`memory`] what flat means. It needs Linux, Java and Maven, 8 GB of disk, and nothing else.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a tool of the tests may panic")]
#![allow(dead_code, reason = "what is shared with the service's tests has more than is needed here")]

mod audit;
#[path = "../common/broker.rs"]
mod broker;
#[path = "../common/mod.rs"]
mod common;
mod crowd;
mod drive;
#[path = "../service/firehose.rs"]
mod firehose;
mod fleet;
mod lag;
mod memory;
mod plan;
#[path = "../service/process.rs"]
mod process;
mod report;
mod run;
#[path = "../common/span.rs"]
mod span;
mod stream;
#[path = "../service/topics.rs"]
mod topics;
#[path = "../service/world.rs"]
mod world;

use std::process::{Command, ExitCode};
use std::time::Duration;

use clap::Parser;

use self::broker::Broker;
use self::common::built;

/// Runs the service on a real Kafka for long, kills it at random, and checks every event and its memory.
#[derive(Parser)]
pub struct Cli {
    /// How long tweets and kills go on. Then everybody gets what is due, which takes three minutes.
    #[arg(long = "for", value_name = "TIME", default_value = "30m", value_parser = span::span)]
    lasts: Duration,
    /// Tweets a second; deletions come on top, 12 of 100 records.
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    rate: u64,
    /// Shoppers a second; each tweets three times or so.
    #[arg(long, value_name = "N", default_value_t = 50)]
    shoppers: u64,
    /// Of the kills, the plans and the noise.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Some(missing) = Broker::missing() {
        eprintln!("soak: {missing}: apt-get install openjdk-17-jre-headless maven procps");
        return ExitCode::from(2);
    }
    build();
    // Stopped and wiped when it goes, whatever became of the run.
    let broker = match Broker::up("soak") {
        Ok(broker) => broker,
        Err(why) => {
            eprintln!("soak: no broker: {why}");
            return ExitCode::FAILURE;
        }
    };
    match run::run(&cli, &broker) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            println!("FAILED: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Cargo builds the program of the project for its tests, but not for its examples.
fn build() {
    let program = built::program();
    let cargo = std::env::var_os("CARGO");
    let Some(cargo) = cargo else {
        assert!(program.is_file(), "{} is not there: cargo build --release", program.display());
        return;
    };
    let profile =
        if program.parent().is_some_and(|folder| folder.ends_with("release")) { "release" } else { "dev" };
    let built = Command::new(cargo)
        .args(["build", "--quiet", "--bin", "hashbuy", "--profile", profile])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status();
    assert!(built.is_ok_and(|status| status.success()), "the program cannot be built");
}
