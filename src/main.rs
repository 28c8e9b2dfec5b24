//! hashbuy: command line, wiring, exit codes.

use std::process::ExitCode;

use clap::Parser;
use hashbuy::cli::{self, Cli};
use hashbuy::command::tell;

fn main() -> ExitCode {
    // A wrong command line ends here, with a message and exit code 2.
    let cli = Cli::parse();
    match cli::run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if error.is_told() {
                tell(format_args!("hashbuy: {error}"));
            }
            error.exit_code()
        }
    }
}
