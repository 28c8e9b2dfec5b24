//! hashbuy: command line, wiring, exit codes.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use hashbuy::cli::{self, Cli};

fn main() -> ExitCode {
    // A wrong command line ends here, with a message and exit code 2.
    let cli = Cli::parse();
    match cli::run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if error.is_told() {
                // `eprintln` would panic where nobody reads stderr.
                let _ = writeln!(io::stderr(), "hashbuy: {error}");
            }
            error.exit_code()
        }
    }
}
