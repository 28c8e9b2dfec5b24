//! Where events, dead letters and messages go, beside a progress bar on a terminal.

use std::fmt::Display;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use indicatif::ProgressBar;
use serde::Serialize;

use super::{progress_bar, watched};
use crate::command::{Error, tell};
use crate::core::event::Event;
use crate::input::Input;

/// As many of a dead letter's bytes are shown.
const SHOWN_BYTES: usize = 200;
/// The bar is moved once in so many records and events.
const BAR_STEP: u64 = 256;

/// One JSON line about a record that could not be read.
#[derive(Debug, Serialize)]
pub struct DeadLetter<'d> {
    reason: &'d str,
    file: &'d str,
    line: u64,
    #[serde(skip_serializing_if = "String::is_empty")]
    detail: String,
    first_bytes: String,
}

impl<'d> DeadLetter<'d> {
    /// A dead letter with the beginning of its bytes; what is no UTF-8 is shown as U+FFFD.
    pub fn new(reason: &'d str, file: &'d str, line: u64, bytes: &[u8]) -> DeadLetter<'d> {
        let shown = &bytes[..bytes.len().min(SHOWN_BYTES)];
        let mut first_bytes = String::from_utf8_lossy(shown).into_owned();
        if bytes.len() > SHOWN_BYTES {
            // The cut may have gone through a character.
            first_bytes.truncate(first_bytes.trim_end_matches('\u{fffd}').len());
        }
        DeadLetter { reason, file, line, detail: String::new(), first_bytes }
    }

    /// Says more about the reason.
    pub fn because(self, detail: impl Display) -> DeadLetter<'d> {
        DeadLetter { detail: detail.to_string(), ..self }
    }
}

/// The outputs of a run.
pub struct Outputs {
    events: BufWriter<io::Stdout>,
    dead_letters: Option<BufWriter<File>>,
    bar: Option<ProgressBar>,
    /// Bytes read of the present file.
    read: Arc<AtomicU64>,
    steps: u64,
}

impl Outputs {
    /// Events go to stdout, dead letters to a file or to stderr.
    ///
    /// # Errors
    /// If the file cannot be made.
    pub fn open(dead_letters: Option<&Path>) -> Result<Outputs, Error> {
        let create = |path: &Path| {
            let file = File::create(path).map_err(|error| {
                Error::Usage(format!("--dead-letters {}: cannot be written: {error}", path.display()))
            });
            file.map(BufWriter::new)
        };
        Ok(Outputs {
            events: BufWriter::with_capacity(1 << 16, io::stdout()),
            dead_letters: dead_letters.map(create).transpose()?,
            bar: None,
            read: Arc::default(),
            steps: 0,
        })
    }

    /// Another file begins: its own bar, on a terminal.
    pub fn next_file(&mut self, input: &Input) {
        self.read = input.raw_bytes();
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        self.bar = watched().then(|| progress_bar(input));
    }

    /// Writes an event.
    ///
    /// # Errors
    /// Those of writing to stdout.
    pub fn event(&mut self, event: &Event) -> Result<(), Error> {
        serde_json::to_writer(&mut self.events, event)
            .map_err(io::Error::from)
            .and_then(|()| self.events.write_all(b"\n"))
            .map_err(|error| Error::stdout(&error))
    }

    /// Writes a dead letter.
    ///
    /// # Errors
    /// Those of writing to its file; nothing can be done about a stderr that is gone.
    pub fn dead_letter(&mut self, letter: &DeadLetter<'_>) -> Result<(), Error> {
        let line = serde_json::to_string(letter).unwrap_or_default();
        match &mut self.dead_letters {
            Some(file) => {
                writeln!(file, "{line}").map_err(|error| Error::Failed(format!("--dead-letters: {error}")))
            }
            None => {
                self.to_stderr(&line);
                Ok(())
            }
        }
    }

    /// Says something about a place in a table.
    pub fn say(&self, place: &str, message: &str) {
        self.to_stderr(&format!("{place}: {message}"));
    }

    /// Hands on what is buffered.
    ///
    /// # Errors
    /// Those of writing to stdout.
    pub fn flush(&mut self) -> Result<(), Error> {
        self.events.flush().map_err(|error| Error::stdout(&error))
    }

    /// A record was dealt with: moves the bar now and then.
    pub fn step(&mut self) {
        self.steps += 1;
        if self.steps.is_multiple_of(BAR_STEP)
            && let Some(bar) = &self.bar
        {
            bar.set_position(self.read.load(Ordering::Relaxed));
        }
    }

    /// Takes the bar away and hands on everything.
    ///
    /// # Errors
    /// Those of writing.
    pub fn finish(&mut self) -> Result<(), Error> {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        if let Some(file) = &mut self.dead_letters {
            file.flush().map_err(|error| Error::Failed(format!("--dead-letters: {error}")))?;
        }
        self.flush()
    }

    fn to_stderr(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| tell(line)),
            None => tell(line),
        }
    }
}
