//! The command line: which commands there are, and which module runs each.

use clap::{Parser, Subcommand};

use crate::command::{
    Error, accounts, check, completions, config, demo, desk, load, offers, plan, replay, run, topics,
    transactions,
};

/// Buy by hashtag: a stream processor that turns a firehose of tweets into purchase events, each
/// exactly once.
#[derive(Debug, Parser)]
#[command(name = "hashbuy", version, max_term_width = 100)]
#[command(after_help = "\
Exit codes: 0 done, 1 failed while running, 2 wrong use or configuration.
Every setting can be given in a configuration file and as an environment variable:
window_seconds under [purchase] is HASHBUY_PURCHASE_WINDOW_SECONDS.

Examples:
  hashbuy demo
  hashbuy offers check offers.jsonl
  hashbuy accounts check accounts.jsonl")]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// A made-up firehose with shoppers, in the terminal; no set-up
    Demo(demo::Demo),
    /// The service on Kafka
    Run(run::Run),
    /// Tweets from files, events to stdout; no broker
    Replay(replay::Replay),
    /// The load benchmark: how much this machine carries, and how fast
    #[command(subcommand)]
    Load(load::Load),
    /// What a service of a size needs: cores, partitions, memory, brokers
    Plan(plan::Plan),
    /// The topics that the service needs
    #[command(subcommand)]
    Topics(topics::Topics),
    /// Whether topics, offsets, clock and tables are as they have to be
    Check(check::Check),
    /// The state of the desk: mend its offsets, move it
    #[command(subcommand)]
    Desk(desk::Desk),
    /// The table of offers
    #[command(subcommand)]
    Offers(offers::Offers),
    /// The table of linked accounts
    #[command(subcommand)]
    Accounts(accounts::Accounts),
    /// What was paid with cards
    #[command(subcommand)]
    Transactions(transactions::Transactions),
    /// The settings, and where they are from
    #[command(subcommand)]
    Config(config::Config),
    /// A completion script for a shell
    Completions(completions::Completions),
    /// The manual pages, into a folder
    Man(completions::Man),
}

/// Runs a command to its end.
///
/// # Errors
/// How it ended, if not well.
pub fn run(cli: &Cli) -> Result<(), Error> {
    match &cli.command {
        Command::Demo(args) => demo::run(args),
        Command::Run(args) => run::run(args),
        Command::Replay(args) => replay::run(args),
        Command::Load(load) => load::run(load),
        Command::Plan(args) => plan::run(args),
        Command::Topics(topics) => topics::run(topics),
        Command::Check(args) => check::run(args),
        Command::Desk(desk) => desk::run(desk),
        Command::Offers(offers) => offers::run(offers),
        Command::Accounts(accounts) => accounts::run(accounts),
        Command::Transactions(transactions) => transactions::run(transactions),
        Command::Config(config) => config::run(config),
        Command::Completions(args) => completions::completions(args),
        Command::Man(args) => completions::man(args),
    }
}
