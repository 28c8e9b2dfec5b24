//! `hashbuy completions` and `hashbuy man`: what packages have beside the program, made from the command line itself.

use std::path::PathBuf;

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::cli::Cli;
use crate::command::Error;
use crate::command::desk::print;

/// Arguments of `completions`.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes: 0 done, 1 stdout cannot be written, 2 wrong use.

Examples:
  hashbuy completions bash > /etc/bash_completion.d/hashbuy
  hashbuy completions zsh > ~/.zfunc/_hashbuy")]
pub struct Completions {
    /// The shell
    pub shell: Shell,
}

/// Arguments of `man`.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes: 0 done, 2 wrong use, or the folder cannot be written.

Examples:
  hashbuy man --out man1 && man man1/hashbuy-run.1")]
pub struct Man {
    /// The folder, made if it is not there
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
}

/// Runs `hashbuy completions`.
///
/// # Errors
/// How it ended, if not well.
pub fn completions(args: &Completions) -> Result<(), Error> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "hashbuy", &mut script);
    print(&String::from_utf8_lossy(&script))
}

/// Runs `hashbuy man`.
///
/// # Errors
/// How it ended, if not well.
pub fn man(args: &Man) -> Result<(), Error> {
    let written =
        std::fs::create_dir_all(&args.out).and_then(|()| clap_mangen::generate_to(Cli::command(), &args.out));
    written.map_err(|error| Error::Usage(format!("--out {}: cannot be written: {error}", args.out.display())))
}
