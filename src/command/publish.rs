//! Publishing table records: the whole file is checked first, together with what the topic holds, and
//! nothing is published if anything is wrong.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::command::run::connect;
use crate::command::{Error, tell};
use crate::config::Config;
use crate::core::record::Rejection;
use crate::input::table_file::{self, Entry};
use crate::log::{self, Isolation, Log, NewRecord, Partition, Reader};
use crate::worker::partitioner::partition_of;

/// A topic is read whole within so long, or it is a failure.
const PATIENCE: Duration = Duration::from_secs(30);

/// A table in its topic.
pub struct TableTopic {
    log: Arc<dyn Log>,
    topic: Arc<str>,
    partitions: u32,
    /// The present records by key, as JSON.
    pub records: BTreeMap<String, String>,
}

impl TableTopic {
    /// Reads a table from its topic.
    ///
    /// # Errors
    /// If the topic is missing, or cannot be read.
    pub fn read(config: &Config, topic: &str) -> Result<TableTopic, Error> {
        let mut table = TableTopic::unread(config, topic)?;
        let mut lookup = table.log.lookup().map_err(Error::failed)?;
        let partitions = table.partitions;
        let mut bounds = Vec::new();
        for number in 0..partitions {
            let partition = Partition { topic: Arc::clone(&table.topic), number };
            let (first, end) = patiently(|| lookup.watermarks(&partition, Isolation::Committed))?;
            if end > first {
                bounds.push((partition, first, end));
            }
        }
        table.read_all(&bounds)?;
        Ok(table)
    }

    /// A topic to be written to, whatever is in it.
    ///
    /// # Errors
    /// If the topic is missing.
    pub fn unread(config: &Config, topic: &str) -> Result<TableTopic, Error> {
        let log: Arc<dyn Log> = connect(config)?;
        let mut lookup = log.lookup().map_err(Error::failed)?;
        let partitions = patiently(|| lookup.partitions(topic))?.ok_or_else(|| {
            Error::Failed(format!("there is no topic {topic}: make it with `hashbuy topics create`"))
        })?;
        Ok(TableTopic { log, topic: topic.into(), partitions, records: BTreeMap::new() })
    }

    fn read_all(&mut self, bounds: &[(Partition, u64, u64)]) -> Result<(), Error> {
        let mut reader = self.log.reader(Isolation::Committed).map_err(Error::failed)?;
        let from: Vec<(Partition, u64)> =
            bounds.iter().map(|(partition, first, _)| (partition.clone(), *first)).collect();
        reader.assign(&from).map_err(Error::failed)?;
        let until = Instant::now() + PATIENCE;
        let is_read = |reader: &dyn Reader| {
            bounds.iter().all(|(partition, _, end)| reader.position(partition).is_some_and(|at| at >= *end))
        };
        while !is_read(&*reader) {
            if Instant::now() > until {
                return Err(Error::Failed(format!(
                    "{} could not be read within {} s",
                    self.topic,
                    PATIENCE.as_secs()
                )));
            }
            let records = &mut self.records;
            let taken = reader.poll(Duration::from_millis(100), &mut |message| {
                let key = String::from_utf8_lossy(message.key.unwrap_or_default()).into_owned();
                // What is no text was rejected by everybody who has read it.
                match message.value.and_then(|value| std::str::from_utf8(value).ok()) {
                    Some(value) => records.insert(key, value.to_owned()),
                    None => records.remove(&key),
                };
            });
            taken.map_err(Error::failed)?;
        }
        Ok(())
    }

    /// Publishes records, and waits until the brokers have them.
    ///
    /// # Errors
    /// If they could not be delivered.
    pub fn publish(
        &self,
        records: impl IntoIterator<Item = (String, Option<String>)>,
    ) -> Result<usize, Error> {
        let mut producer = self.log.producer().map_err(Error::failed)?;
        let mut count = 0;
        for (key, value) in records {
            let number = partition_of(key.as_bytes(), self.partitions);
            let partition = Partition { topic: Arc::clone(&self.topic), number };
            let value = value.map(String::into_bytes);
            let record = NewRecord { partition, key: Some(key.into_bytes()), value, headers: Vec::new() };
            producer.send(record).map_err(Error::failed)?;
            count += 1;
        }
        match producer.outstanding(PATIENCE).map_err(Error::failed)? {
            0 => Ok(count),
            left => Err(Error::Failed(format!("{left} of {count} records were not acknowledged"))),
        }
    }

    /// Prints the records, one JSON line each.
    ///
    /// # Errors
    /// Those of writing to stdout.
    pub fn print(&self) -> Result<(), Error> {
        let mut stdout = std::io::stdout().lock();
        let lines = self.records.values().try_for_each(|json| writeln!(stdout, "{}", json.trim_end()));
        lines.map_err(|error| Error::stdout(&error))
    }

    /// The present record of a key.
    ///
    /// # Errors
    /// If there is none.
    pub fn record(&self, record: &str, key: &str) -> Result<&str, Error> {
        self.records
            .get(key)
            .map(String::as_str)
            .ok_or_else(|| Error::Failed(format!("there is no {record} {key}")))
    }
}

/// Asks again while the answer is that it may go well later, as of a topic that was made just now.
fn patiently<T>(mut ask: impl FnMut() -> Result<T, log::Error>) -> Result<T, Error> {
    let until = Instant::now() + PATIENCE;
    loop {
        match ask() {
            Err(error) if error.kind == log::Kind::Retry && Instant::now() < until => {
                std::thread::sleep(Duration::from_millis(100));
            }
            answer => return answer.map_err(Error::failed),
        }
    }
}

/// Reads a file and hands each record to `check`, which says under which key it goes, or what is wrong.
///
/// # Errors
/// If anything is wrong: all of it is told, line by line.
pub fn checked(
    record: &'static str,
    file: &Path,
    check: impl FnMut(&str) -> Result<String, Rejection>,
) -> Result<Vec<(String, Option<String>)>, Error> {
    all_valid(record, file, table_file::read(record, file).map_err(Error::usage)?, check)
}

/// The same for a file of records that have their own time, and no key.
///
/// # Errors
/// As with [`checked`].
pub fn checked_plain(
    record: &'static str,
    file: &Path,
    check: impl FnMut(&str) -> Result<String, Rejection>,
) -> Result<Vec<(String, Option<String>)>, Error> {
    all_valid(record, file, table_file::read_plain(record, file).map_err(Error::usage)?, check)
}

fn all_valid(
    record: &'static str,
    file: &Path,
    entries: Vec<Entry>,
    mut check: impl FnMut(&str) -> Result<String, Rejection>,
) -> Result<Vec<(String, Option<String>)>, Error> {
    let mut records = Vec::new();
    let mut bad = 0;
    for entry in entries {
        let json = entry.change.and_then(|change| match (change.at, change.value) {
            (None, Some(json)) => Ok(json),
            _ => Err(Rejection::new(
                record,
                change.key.as_deref(),
                "the record",
                "a line with a time",
                "must be a plain record: lines with a time are for replay",
            )),
        });
        match json.and_then(|json| check(&json).map(|key| (key, Some(json)))) {
            Ok(checked) => records.push(checked),
            Err(rejection) => {
                bad += 1;
                tell(format_args!("{}:{}: {rejection}", file.display(), entry.line));
            }
        }
    }
    if bad > 0 {
        tell(format_args!("{}: {bad} records rejected, nothing was published", file.display()));
        return Err(Error::Reported);
    }
    Ok(records)
}

/// The record with other values in some of its fields.
///
/// # Errors
/// If the record is no JSON object.
pub fn changed(json: &str, fields: &[(&str, serde_json::Value)]) -> Result<String, Error> {
    let mut record: serde_json::Map<String, serde_json::Value> = serde_json::from_str(json)
        .map_err(|_| Error::Failed("the present record is no JSON object".into()))?;
    for (name, value) in fields {
        record.insert((*name).to_owned(), value.clone());
    }
    serde_json::to_string(&record).map_err(Error::failed)
}
