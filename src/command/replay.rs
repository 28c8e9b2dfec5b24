//! `hashbuy replay`: tweets from files, events to stdout.

mod output;
mod summary;

use std::collections::HashSet;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;

use self::output::{DeadLetter, Outputs};
use self::summary::Report;
use crate::command::settings::Settings;
use crate::command::{Error, now, read_secret, tell};
use crate::core::code::Secret;
use crate::core::record::Rejection;
use crate::core::time::Time;
use crate::core::transaction::Transaction;
use crate::input::frame::{Framed, Frames};
use crate::input::table_file::{self, Change};
use crate::input::{self, Input};
use crate::replay::{Engine, Line, Source, Stopped, Table};

/// Arguments of `replay`.
#[derive(Debug, Args)]
#[command(after_help = "\
Time is the data's: each tweet moves it to the greatest tweet time so far. Events are JSON \
lines on stdout, in the order of processing; dead letters and, last, a summary go to stderr.

A line of the offers or accounts FILE may be {\"at\":TIME,\"key\":ID,\"value\":RECORD or null}: it is \
in force from that time on.

Exit codes: 0 done (dead letters included), 1 failed while running, 2 wrong use or tables that \
cannot be read.

Examples:
  hashbuy replay --offers offers.jsonl --accounts accounts.jsonl tweets.json.bz2
  zcat day/*.gz | hashbuy replay --offers o.jsonl --accounts a.jsonl > events.jsonl
  hashbuy replay --offers o.jsonl --accounts a.jsonl --secret-file secret \\
      --until 2013-08-01T12:00:00Z stream.json | jq -r 'select(.code) | .code'")]
pub struct Replay {
    /// Offers, as JSON lines or one JSON array
    #[arg(long, value_name = "FILE")]
    pub offers: PathBuf,
    /// Linked accounts, as JSON lines or one JSON array
    #[arg(long, value_name = "FILE")]
    pub accounts: PathBuf,
    /// Card transactions, as JSON lines or one JSON array: each is taken when desk time reaches its own. Coupons then
    /// expire by the time of the transactions; without the file, by desk time
    #[arg(long, value_name = "FILE")]
    pub card_transactions: Option<PathBuf>,
    /// The secret of the codes: the file's content without line ends at its end. Without it a
    /// published one is used
    #[arg(long, value_name = "FILE")]
    pub secret_file: Option<PathBuf>,
    /// Skip tweets after this time, and let time pass until then at the end (RFC 3339)
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Its settings
    #[command(flatten)]
    pub settings: Settings,
    /// Where dead letters go instead of stderr
    #[arg(long, value_name = "FILE")]
    pub dead_letters: Option<PathBuf>,
    /// Tweets, plain or compressed by gzip, bzip2 or zstd; none or - is stdin
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

/// Runs `hashbuy replay`.
///
/// # Errors
/// How it ended, if not well.
pub fn run(args: &Replay) -> Result<(), Error> {
    let started = Instant::now();
    let config = args.settings.load()?;
    let until = args.until.as_deref().map(read_until).transpose()?;
    let secret = args.secret_file.as_deref().map(|file| read_secret("--secret-file", file)).transpose()?;
    let settings = config.settings.clone();
    let files = if args.files.is_empty() { vec![PathBuf::from("-")] } else { args.files.clone() };
    files.iter().try_for_each(|file| can_be_opened(file))?;

    let mut tables = Tables::default();
    tables.read(Table::Offers, &args.offers)?;
    tables.read(Table::Accounts, &args.accounts)?;
    if let Some(path) = &args.card_transactions {
        tables.read(Table::Transactions, path)?;
    }
    let outputs = Outputs::open(args.dead_letters.as_deref())?;
    if secret.is_none() {
        tell(
            "hashbuy: warning: no --secret-file: the codes are made with a published secret, which protects nobody",
        );
    }
    for (source, rejection) in &tables.rejected {
        outputs.say(&tables.place(*source), &rejection.to_string());
    }

    let ignored: HashSet<_> = config.scan.ignore_authors.iter().copied().collect();
    let engine = Engine::new(settings, secret.unwrap_or_else(Secret::published), ignored, until);
    let engine = if args.card_transactions.is_some() { engine.with_transactions() } else { engine };
    let mut report = Report::new(tables.rejected.len());
    let mut run =
        Run { engine, outputs, tables, max_record_bytes: config.input.max_record_bytes, report: &mut report };
    let failures = run.all(&files)?;
    let Run { engine, mut outputs, .. } = run;
    report.finish(&engine, started.elapsed());
    outputs.finish()?;
    for failure in &failures {
        tell(format_args!("hashbuy: {failure}"));
    }
    report.print();
    if failures.is_empty() { Ok(()) } else { Err(Error::Reported) }
}

/// The state of one run.
struct Run<'r> {
    engine: Engine,
    outputs: Outputs,
    tables: Tables,
    max_record_bytes: usize,
    report: &'r mut Report,
}

impl Run<'_> {
    /// Replays all files. Returns what went wrong with some of them.
    fn all(&mut self, files: &[PathBuf]) -> Result<Vec<String>, Error> {
        let lines = std::mem::take(&mut self.tables.lines);
        self.engine.load(lines).map_err(stopped)?;
        self.pass_on()?;
        let mut failures = Vec::new();
        for file in files {
            if let Some(failure) = self.file(file)? {
                failures.push(failure);
            }
        }
        self.engine.finish().map_err(stopped)?;
        self.pass_on()?;
        if self.engine.summary().missed > 0 {
            let missed = self.engine.summary().missed;
            failures.push(format!(
                "the prefilter would have dropped {missed} records that matter: this is a fault of hashbuy"
            ));
        }
        Ok(failures)
    }

    /// Replays one file. Returns what went wrong with reading it, if anything did; what could be
    /// read is replayed.
    fn file(&mut self, path: &Path) -> Result<Option<String>, Error> {
        let input = match input::open(path) {
            Ok(input) => input,
            Err(error) => return Ok(Some(format!("{}: cannot be read: {error}", path.display()))),
        };
        let name = input.name().to_owned();
        self.outputs.next_file(&input);
        // What comes in by and by is to go out by and by.
        let flush_each = path == Path::new("-");
        let mut frames = Frames::new(input, self.max_record_bytes);
        while let Some(framed) = frames.next() {
            match framed {
                Ok(Framed::Record { line, bytes }) => self.record(&name, line, bytes)?,
                Ok(Framed::Bad { line, reason, first_bytes }) => {
                    self.report.dead_letter(reason.name());
                    let letter = DeadLetter::new(reason.name(), &name, line, first_bytes);
                    self.outputs.dead_letter(&letter.because(reason))?;
                }
                Err(error) => return Ok(Some(unreadable(&name, &error))),
            }
            if flush_each {
                self.outputs.flush()?;
            }
        }
        Ok(None)
    }

    fn record(&mut self, name: &str, line: u64, bytes: &[u8]) -> Result<(), Error> {
        self.report.records += 1;
        self.outputs.step();
        let seen = self.engine.record(bytes, now()).map_err(stopped)?;
        self.pass_on()?;
        if let Err(bad) = seen {
            self.report.dead_letter(bad.reason());
            let letter = DeadLetter::new(bad.reason(), name, line, bytes);
            self.outputs.dead_letter(&letter.because(bad))?;
        }
        Ok(())
    }

    /// Writes what the engine has to say.
    fn pass_on(&mut self) -> Result<(), Error> {
        for event in self.engine.take_events() {
            self.outputs.event(&event)?;
        }
        for (source, rejection) in self.engine.take_rejections() {
            self.report.rejected_records += 1;
            self.outputs.say(&self.tables.place(source), &rejection.to_string());
        }
        Ok(())
    }
}

/// The lines of the table files.
#[derive(Default)]
struct Tables {
    names: [String; 3],
    lines: Vec<Line>,
    /// Lines that are no record at all.
    rejected: Vec<(Source, Rejection)>,
}

impl Tables {
    fn read(&mut self, table: Table, path: &Path) -> Result<(), Error> {
        self.names[table as usize] = path.display().to_string();
        let entries = match table {
            Table::Offers => table_file::read("offer", path),
            Table::Accounts => table_file::read("account", path),
            Table::Transactions => table_file::read_plain("transaction", path),
        };
        for entry in entries.map_err(Error::usage)? {
            let source = Source { table, line: entry.line };
            match entry.change.and_then(|change| in_time(table, change)) {
                Ok(change) => self.lines.push(Line { source, change }),
                Err(rejection) => self.rejected.push((source, rejection)),
            }
        }
        Ok(())
    }

    /// `offers.jsonl:12`.
    fn place(&self, source: Source) -> String {
        format!("{}:{}", self.names[source.table as usize], source.line)
    }
}

/// A card transaction takes effect at its own time.
fn in_time(table: Table, change: Change) -> Result<Change, Rejection> {
    match (table, &change.value) {
        (Table::Transactions, Some(json)) => {
            Ok(Change { at: Some(Transaction::from_json(json)?.at), ..change })
        }
        _ => Ok(change),
    }
}

fn read_until(text: &str) -> Result<Time, Error> {
    text.parse().map_err(|error| Error::Usage(format!("--until {text}: {error}")))
}

/// A missing file is told before any output. Standard input is there.
fn can_be_opened(path: &Path) -> Result<(), Error> {
    if path == Path::new("-") {
        return Ok(());
    }
    let readable = std::fs::File::open(path).and_then(|file| file.metadata());
    match readable {
        Ok(metadata) if metadata.is_dir() => {
            Err(Error::Usage(format!("{}: is a directory, must be a file", path.display())))
        }
        Ok(_) => Ok(()),
        Err(error) => Err(Error::Usage(format!("{}: cannot be read: {error}", path.display()))),
    }
}

fn unreadable(name: &str, error: &std::io::Error) -> String {
    if input::is_cut_off(error) {
        return format!("{name}: the compressed file is cut off; what could be read was replayed");
    }
    format!("{name}: cannot be read to its end: {error}; what could be read was replayed")
}

fn stopped(stopped: Stopped) -> Error {
    Error::failed(stopped)
}

/// Whether a person is watching stderr.
fn watched() -> bool {
    std::io::stderr().is_terminal()
}

/// The bar that shows how much of a file was read.
fn progress_bar(input: &Input) -> indicatif::ProgressBar {
    use indicatif::{ProgressBar, ProgressStyle};
    let (bar, template) = match input.size() {
        Some(size) => {
            (ProgressBar::new(size), "{msg} [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec} {eta}")
        }
        None => (ProgressBar::new_spinner(), "{msg} {bytes} {bytes_per_sec} {elapsed}"),
    };
    let style = ProgressStyle::with_template(template).map(|style| style.progress_chars("=> "));
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_message(input.name().to_owned())
}
