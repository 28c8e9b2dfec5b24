//! `hashbuy load`: the load benchmark.

mod baseline;
mod drive;
mod fill;
pub mod parts;
mod run;

use std::path::Path;
use std::time::Duration;

use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};

use crate::command::{Error, tell};
use crate::load::Failed;
use crate::load::stencils::{Stencils, Template};

/// What the load benchmark can do.
#[derive(Debug, Subcommand)]
pub enum Load {
    /// Write a made-up firehose into the topic of the tweets
    Fill(fill::Fill),
    /// Tweets at a constant rate, with shoppers among them: how long until they are answered
    Drive(drive::Drive),
    /// All of it in turn, on topics of its own, and a report
    Run(run::Run),
    /// What the parts cost alone, without a broker: prefilter, linked ids, pendings, replay
    Parts(parts::Parts),
    /// Read that topic with a loop that only counts: the limit of the client on this machine
    Baseline(baseline::Baseline),
}

/// Runs `hashbuy load`.
///
/// # Errors
/// How it ended, if not well.
pub fn run(load: &Load) -> Result<(), Error> {
    match load {
        Load::Fill(args) => fill::run(args),
        Load::Drive(args) => drive::run(args),
        Load::Run(args) => run::run(args),
        Load::Parts(args) => parts::run(args),
        Load::Baseline(args) => baseline::run(args),
    }
}

impl From<Failed> for Error {
    fn from(failed: Failed) -> Error {
        Error::Failed(failed.0)
    }
}

/// The records that are sent: those of a file, or made-up ones of so many bytes at least. What of the file cannot be
/// used is said.
fn stencils(template: Option<&Path>, seed: u64, least_bytes: usize) -> Result<Stencils, Error> {
    let Some(file) = template else { return Ok(Stencils::made_up_of(seed, least_bytes)) };
    let template = Template::from_file(file, seed).map_err(Error::usage)?;
    if let Some(first) = &template.first_left_out {
        tell(format_args!("{}: {} records are left out; {first}", file.display(), template.left_out));
    }
    if !template.whole {
        tell(format_args!("{}: only the first {} records are used", file.display(), template.used));
    }
    Ok(template.stencils)
}

/// A bar for a person who watches: how far it is, of how many, how long it will take.
fn bar(length: u64, what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} [{bar:30}] {human_pos}/{human_len} {per_sec} {eta}")
        .map(|style| style.progress_chars("=> "));
    let bar = ProgressBar::new(length).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_message(what);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
