//! What `offers check` and `accounts check` have in common.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use crate::command::Error;
use crate::core::record::Rejection;
use crate::input::table_file::{self, Change, Entry};

/// The rejected records of a table file, by line.
#[derive(Debug, Default)]
pub struct Rejected(BTreeMap<u64, Vec<Rejection>>);

impl Rejected {
    /// Notes that the record of a line is rejected.
    pub fn add(&mut self, line: u64, rejection: Rejection) {
        self.0.entry(line).or_default().push(rejection);
    }
}

/// Reads a table file and hands its changes to `apply` in the order in which they take effect:
/// first what is in force from the start, then what has a time, by that. Reports what is rejected
/// on stderr, line by line, and a summary on stdout.
pub fn check(
    record: &'static str,
    file: &Path,
    mut apply: impl FnMut(u64, Change, &mut Rejected),
) -> Result<(), Error> {
    let mut entries = table_file::read(record, file).map_err(Error::usage)?;
    let records = entries.len();
    entries.sort_by_key(|entry| entry.change.as_ref().map_or(None, |change| change.at));
    let mut rejected = Rejected::default();
    for Entry { line, change } in entries {
        match change {
            Ok(change) => apply(line, change, &mut rejected),
            Err(rejection) => rejected.add(line, rejection),
        }
    }
    report(file, records, &rejected)
}

fn report(file: &Path, records: usize, Rejected(rejected): &Rejected) -> Result<(), Error> {
    let file = file.display();
    let mut stderr = io::stderr().lock();
    for (line, rejections) in rejected {
        for rejection in rejections {
            // Nothing can be done for a user whose stderr is gone.
            let _ = writeln!(stderr, "{file}:{line}: {rejection}");
        }
    }
    let bad = rejected.len();
    let s = if records == 1 { "" } else { "s" };
    let valid = records - bad;
    let summary = writeln!(io::stdout().lock(), "{file}: {records} record{s}, {valid} valid, {bad} rejected");
    // Whoever closed stdout can still tell by the exit code.
    if bad > 0 { Err(Error::Reported) } else { summary.map_err(|error| Error::stdout(&error)) }
}
