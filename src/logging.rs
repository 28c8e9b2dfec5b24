//! What a service says as it runs, on stderr: text for a person at a terminal, a line of JSON for each event elsewhere.
//!
//! `RUST_LOG` says what is told, in the notation of
//! [`EnvFilter`]: `RUST_LOG=hashbuy=debug` adds each event of a purchase, with
//! the ids of accounts, which are told at no level above that one. Codes, card tokens and passwords are told at none.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::env::VarError;
use std::fmt::{self, Write as _};
use std::io::{self, IsTerminal as _};
use std::panic;

use clap::ValueEnum;
use indicatif::MultiProgress;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber, error};
use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, MakeWriter};
use tracing_subscriber::prelude::*;
use tracing_subscriber::registry::LookupSpan;

use crate::service::time_of_day;

/// Says what is told.
const VARIABLE: &str = "RUST_LOG";
/// What is told if nobody says it. What librdkafka complains of is told by whoever has to do with it, once and not
/// with each attempt.
const USUAL: &str = "warn,hashbuy=info,librdkafka=off,rdkafka=off";

/// How lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    /// Text on a terminal, JSON elsewhere
    #[default]
    Auto,
    /// The time of day, and a sentence
    Text,
    /// An object on each line: timestamp, level, message, target, and what belongs to the event
    Json,
}

/// The log of this process.
#[derive(Debug)]
pub struct Logging {
    is_json: bool,
    bars: MultiProgress,
}

impl Logging {
    /// From now on everything that is told goes to stderr.
    ///
    /// # Errors
    /// If `RUST_LOG` cannot be read, or there is a log already.
    pub fn start(format: Format) -> Result<Logging, String> {
        let is_json = match format {
            Format::Auto => !io::stderr().is_terminal(),
            Format::Text => false,
            Format::Json => true,
        };
        let bars = MultiProgress::new();
        let writer = Above(bars.clone());
        let lines = tracing_subscriber::fmt::layer().with_writer(writer);
        let lines = match is_json {
            true => lines.json().flatten_event(true).with_span_list(false).boxed(),
            false => lines.event_format(Plain).boxed(),
        };
        let log = tracing_subscriber::registry().with(lines).with(filter()?);
        log.try_init().map_err(|error| format!("the log cannot be started: {error}"))?;
        if is_json {
            panic::set_hook(Box::new(panicked));
        }
        Ok(Logging { is_json, bars })
    }

    /// Where bars of progress are shown, with the lines above them. There is nothing to see of them if stderr is no
    /// terminal.
    pub fn bars(&self) -> &MultiProgress {
        &self.bars
    }

    /// Whether lines are JSON, so that nothing else may be written between them.
    pub fn is_json(&self) -> bool {
        self.is_json
    }
}

fn filter() -> Result<EnvFilter, String> {
    let wanted = match std::env::var(VARIABLE) {
        Ok(wanted) if !wanted.trim().is_empty() => wanted,
        Ok(_) | Err(VarError::NotPresent) => USUAL.to_owned(),
        Err(VarError::NotUnicode(_)) => return Err(format!("{VARIABLE} is not UTF-8")),
    };
    EnvFilter::builder().parse(&wanted).map_err(|error| {
        format!("{VARIABLE} is {wanted:?}: {error}; write a level, or target=level with commas between: hashbuy=debug")
    })
}

/// A panic in one line.
fn panicked(info: &panic::PanicHookInfo<'_>) {
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    let thread = std::thread::current();
    let worker = thread.name().unwrap_or_default();
    let what = info.payload_as_str().unwrap_or_default();
    // Only with RUST_BACKTRACE=1.
    let trace = Backtrace::capture();
    match trace.status() {
        BacktraceStatus::Captured => error!(worker, place, backtrace = %trace, "panicked: {what}"),
        _ => error!(worker, place, "panicked: {what}"),
    }
}

/// Writes lines to stderr, above the bars.
struct Above(MultiProgress);

impl<'a> MakeWriter<'a> for Above {
    type Writer = &'a Above;

    fn make_writer(&'a self) -> &'a Above {
        self
    }
}

impl io::Write for &Above {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.suspend(|| io::stderr().write_all(line))?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// The time of day and the message. What else belongs to the event is in the message, if it is one for everybody.
struct Plain;

impl<S, N> FormatEvent<S, N> for Plain
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut line: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let level = *event.metadata().level();
        let mut said = Said::default();
        event.record(&mut said);
        write!(line, "{}  ", time_of_day())?;
        match level {
            Level::INFO => {}
            Level::ERROR => line.write_str("error: ")?,
            Level::WARN => line.write_str("warning: ")?,
            Level::DEBUG => line.write_str("debug: ")?,
            Level::TRACE => line.write_str("trace: ")?,
        }
        line.write_str(&said.message)?;
        if level > Level::INFO {
            line.write_str(&said.rest)?;
        }
        line.write_char('\n')
    }
}

/// The parts of an event.
#[derive(Default)]
struct Said {
    message: String,
    rest: String,
}

impl Visit for Said {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing into a text does not fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.rest, " {name}={value:?}"),
        };
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => self.message.push_str(value),
            _ => self.record_debug(field, &value),
        }
    }
}
