//! A plain file through the core, as `hashbuy replay` takes it: every record is parsed by the exact rules, and the
//! prefilter has to agree. Beside it a loop that cuts the same file into records and parses the id of each, which
//! nobody who replays can do without.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;

use serde::Deserialize;

use super::Figures;
use super::turns::{in_turns, middle};
use crate::core::code::Secret;
use crate::core::settings::Settings;
use crate::core::time::Time;
use crate::firehose::Maker;
use crate::input::frame::{Framed, Frames};
use crate::input::table_file::Change;
use crate::load::Failed;
use crate::load::tables::{accounts, offers};
use crate::replay::{Engine, Line, Source, Table};

const START: Time = Time::from_millis(1_760_000_000_000);
const OFFERS: u64 = 1_000;
const ACCOUNTS: u64 = 1_000;
/// The largest record, in bytes.
const LARGEST: usize = 4 << 20;

/// What every tweet has.
#[derive(Deserialize)]
struct Id<'t> {
    #[serde(borrow)]
    id_str: Option<&'t str>,
}

/// A file that goes with this.
struct Plain(PathBuf);

impl Drop for Plain {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

pub fn measure(records: u64) -> Result<Figures, Failed> {
    let plain = Plain(std::env::temp_dir().join(format!("hashbuy-replay-{}.json", std::process::id())));
    let bytes = write(&plain, records).map_err(|error| Failed::to("a file of tweets", error))?;
    let failed = RefCell::new(None);
    let keep = |done: Result<u64, Failed>| match done {
        Ok(count) if count == records => {}
        Ok(count) => *failed.borrow_mut() = Some(Failed(format!("of {records} records {count} were read"))),
        Err(error) => *failed.borrow_mut() = Some(error),
    };
    let rounds = in_turns([&mut || keep(replay(&plain)), &mut || {
        keep(each(&plain, |record| id(record).is_some_and(|id| !id.is_empty())))
    }]);
    if let Some(failed) = failed.into_inner() {
        return Err(failed);
    }
    Ok(Figures::from([
        ("bytes_per_second".to_owned(), middle(&rounds, |[replay, _]| bytes as f64 / replay)),
        ("ids.bytes_per_second".to_owned(), middle(&rounds, |[_, ids]| bytes as f64 / ids)),
        ("to_ids".to_owned(), middle(&rounds, |[replay, ids]| ids / replay)),
    ]))
}

fn write(plain: &Plain, records: u64) -> std::io::Result<u64> {
    let (mut maker, mut file) = (Maker::new(1), std::io::BufWriter::new(File::create(&plain.0)?));
    let mut bytes = 0;
    for number in 0..records {
        let record = maker.noise(START.plus(i64::try_from(number / 6).unwrap_or(0)));
        bytes += record.len() as u64;
        file.write_all(record)?;
    }
    file.flush().map(|()| bytes)
}

/// The id of a tweet, or that there is none, as in a deletion: the whole text has been parsed for it.
fn id(record: &[u8]) -> Option<&str> {
    serde_json::from_slice::<Id<'_>>(record).ok().map(|id| id.id_str.unwrap_or("0"))
}

/// Hands over each record of the file. How many were taken.
fn each(plain: &Plain, mut take: impl FnMut(&[u8]) -> bool) -> Result<u64, Failed> {
    let failed = |error| Failed::to(&plain.0.display().to_string(), error);
    let mut frames = Frames::new(File::open(&plain.0).map_err(failed)?, LARGEST);
    let mut taken = 0;
    while let Some(framed) = frames.next() {
        if let Framed::Record { bytes, .. } = framed.map_err(failed)? {
            taken += u64::from(take(bytes));
        }
    }
    Ok(taken)
}

fn replay(plain: &Plain) -> Result<u64, Failed> {
    let stopped = |error: crate::replay::Stopped| Failed(error.to_string());
    let mut engine = Engine::new(Settings::default(), Secret::published(), HashSet::new(), None);
    let lines = |table, records: Vec<(String, String)>| {
        let line = move |(number, (_, json)): (u64, (String, String))| {
            let change = Change { at: None, key: None, value: Some(json) };
            Line { source: Source { table, line: number }, change }
        };
        (1..).zip(records).map(line).collect::<Vec<Line>>()
    };
    let mut all = lines(Table::Offers, offers(OFFERS, START).collect());
    all.extend(lines(Table::Accounts, accounts(ACCOUNTS, START).collect()));
    engine.load(all).map_err(stopped)?;
    let mut failed = None;
    let taken = each(plain, |record| {
        let seen = engine.record(record, START);
        engine.take_events();
        match seen {
            Ok(seen) => seen.is_ok(),
            Err(error) => {
                failed = Some(stopped(error));
                false
            }
        }
    })?;
    failed.map_or(Ok(taken), Err)
}
