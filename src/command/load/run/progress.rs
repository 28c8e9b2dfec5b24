//! What a person sees of a load run on stderr: a line for each thing measured, and on a terminal a bar below them.

use std::fmt::Display;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::command::tell;
use crate::service::time_of_day;

/// How far it is.
pub struct Progress(ProgressBar);

impl Progress {
    /// A run of so many steps: fills, rounds and drives.
    pub fn new(steps: u64) -> Progress {
        let style = ProgressStyle::with_template("[{bar:30}] {pos}/{len} {elapsed} {msg}")
            .map(|style| style.progress_chars("=> "));
        let bar = ProgressBar::new(steps).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.enable_steady_tick(Duration::from_millis(200));
        Progress(bar)
    }

    /// What is being done.
    pub fn doing(&self, what: impl Display) {
        self.0.set_message(what.to_string());
    }

    /// A step is done; what came of it.
    pub fn done(&self, what: impl Display) {
        self.0.inc(1);
        self.0.suspend(|| tell(format_args!("{}  {what}", time_of_day())));
    }

    /// The bar goes.
    pub fn end(&self) {
        self.0.finish_and_clear();
    }
}
