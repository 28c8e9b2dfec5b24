//! Files of table records: JSON lines, or one JSON array.
//!
//! A line (or an element of the array) is a record, or a record with a time from which on it is in
//! force: `{"at":TIME,"key":ID,"value":RECORD or null}`. It is taken for the latter if it has an
//! `at` and a `key` or a `value`; no record has those.
//!
//! A file that cannot be read, or is no JSON, is an error of the whole. A record that is not valid
//! is not: it is left to whoever keeps the table, to be reported and left out.

use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::vec;

use memchr::memchr_iter;
use serde_json::value::RawValue;

use crate::core::record::{Fields, Rejection};
use crate::core::time::Time;
use crate::input::{self, Input};

/// One line of a table file, or one element of its array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Where it begins, from 1.
    pub line: u64,
    /// What stands there, or why it is unfit to be looked at.
    pub change: Result<Change, Rejection>,
}

/// A record, perhaps with a time and a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// From when on it is in force; `None`: from the start.
    pub at: Option<Time>,
    /// The key under which it stands; `None`: the record's own id.
    pub key: Option<String>,
    /// The record, as JSON that was not looked into; `None` for the `null` that takes a record back.
    pub value: Option<String>,
}

/// Why a table file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TableFileError {
    /// The file cannot be opened or read, or is cut off.
    #[error("{file}: cannot be read: {source}")]
    Unreadable {
        /// The file's name.
        file: String,
        /// The error of reading.
        source: io::Error,
    },
    /// The file is no JSON.
    #[error(
        "{file}:{line}: broken JSON at column {column}; the file must be one JSON object a line, or one JSON array"
    )]
    Broken {
        /// The file's name.
        file: String,
        /// The line, from 1.
        line: u64,
        /// The byte in that line, from 1.
        column: u64,
    },
}

/// The entries of a table file, in its order.
pub struct TableFile {
    record: &'static str,
    file: String,
    reader: BufReader<Input>,
    line: u64,
    /// The elements that are left of an array.
    elements: vec::IntoIter<(u64, String)>,
    started: bool,
    /// Whether a line may be a record with a time and a key of its own.
    timed: bool,
}

/// Reads a whole table file; `record` is what is in it ("offer", "account").
///
/// # Errors
/// See [`TableFileError`].
pub fn read(record: &'static str, path: &Path) -> Result<Vec<Entry>, TableFileError> {
    TableFile::open(record, path)?.collect()
}

/// Reads a whole file of records that have their own time, and no key: card transactions. What is said of lines with
/// `at`, `key` and `value` does not hold for them.
///
/// # Errors
/// See [`TableFileError`].
pub fn read_plain(record: &'static str, path: &Path) -> Result<Vec<Entry>, TableFileError> {
    TableFile { timed: false, ..TableFile::open(record, path)? }.collect()
}

impl TableFile {
    /// Opens a table file, compressed or not; `-` is standard input.
    ///
    /// # Errors
    /// See [`TableFileError`].
    pub fn open(record: &'static str, path: &Path) -> Result<TableFile, TableFileError> {
        let input = input::open(path)
            .map_err(|source| TableFileError::Unreadable { file: path.display().to_string(), source })?;
        Ok(TableFile::new(record, input))
    }

    /// Reads a table file from an input.
    pub fn new(record: &'static str, input: Input) -> TableFile {
        TableFile {
            record,
            file: input.name().to_owned(),
            reader: BufReader::new(input),
            line: 0,
            elements: Vec::new().into_iter(),
            started: false,
            timed: true,
        }
    }

    /// The next record as JSON text, with its line.
    fn next_json(&mut self) -> Result<Option<(u64, String)>, TableFileError> {
        if let Some(element) = self.elements.next() {
            return Ok(Some(element));
        }
        let mut line = Vec::new();
        loop {
            line.clear();
            if self.reader.read_until(b'\n', &mut line).map_err(|error| self.unreadable(error))? == 0 {
                return Ok(None);
            }
            self.line += 1;
            let text = line.trim_ascii();
            if text.is_empty() {
                continue;
            }
            if !self.started && text.starts_with(b"[") {
                self.read_array(line)?;
                return Ok(self.elements.next());
            }
            self.started = true;
            let raw: &RawValue =
                serde_json::from_slice(line.trim_ascii_end()).map_err(|error| self.broken(&error, 0))?;
            return Ok(Some((self.line, raw.get().to_owned())));
        }
    }

    /// Reads an array that begins with `text`, which is all of the file.
    fn read_array(&mut self, mut text: Vec<u8>) -> Result<(), TableFileError> {
        self.started = true;
        self.reader.read_to_end(&mut text).map_err(|error| self.unreadable(error))?;
        let lines_before = self.line - 1;
        self.line = 0;
        let values: Vec<&RawValue> =
            serde_json::from_slice(&text).map_err(|error| self.broken(&error, lines_before))?;
        let mut newlines = memchr_iter(b'\n', &text).peekable();
        let mut line = lines_before + 1;
        let mut elements = Vec::with_capacity(values.len());
        for value in values {
            let begin = value.get().as_ptr().addr() - text.as_ptr().addr();
            while newlines.next_if(|&newline| newline < begin).is_some() {
                line += 1;
            }
            elements.push((line, value.get().to_owned()));
        }
        self.elements = elements.into_iter();
        Ok(())
    }

    fn unreadable(&self, source: io::Error) -> TableFileError {
        TableFileError::Unreadable { file: self.file.clone(), source }
    }

    /// `lines_before` are those in front of an array; of JSON lines `self.line` is the one.
    fn broken(&self, error: &serde_json::Error, lines_before: u64) -> TableFileError {
        let line = if self.line > 0 { self.line } else { lines_before + error.line() as u64 };
        TableFileError::Broken { file: self.file.clone(), line, column: error.column() as u64 }
    }
}

impl Iterator for TableFile {
    type Item = Result<Entry, TableFileError>;

    fn next(&mut self) -> Option<Self::Item> {
        let (line, json) = match self.next_json() {
            Ok(next) => next?,
            Err(error) => return Some(Err(error)),
        };
        let change = match self.timed {
            true => change(self.record, json),
            false => Ok(Change { at: None, key: None, value: Some(json) }),
        };
        Some(Ok(Entry { line, change }))
    }
}

fn change(record: &'static str, json: String) -> Result<Change, Rejection> {
    let timed = match Fields::read(record, &json) {
        Ok(fields) if fields.has("at") && (fields.has("key") || fields.has("value")) => timed(fields)?,
        // What is no object is rejected as a record.
        Ok(_) | Err(_) => None,
    };
    Ok(timed.unwrap_or(Change { at: None, key: None, value: Some(json) }))
}

fn timed(mut fields: Fields<'_>) -> Result<Option<Change>, Rejection> {
    fields.hide_within("value", "card_token");
    let key = fields.required("key", "the id of the record, a text", Fields::text)?;
    fields.name(&key);
    let at = fields.required("at", "a time", Fields::time)?;
    if !fields.has("value") {
        return Err(fields.reject("value", "must be a record or null"));
    }
    Ok(Some(Change { at: Some(at), key: Some(key), value: fields.json("value").map(str::to_owned) }))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn entries(text: &str) -> Result<Vec<Entry>, String> {
        let input = Input::new("offers.jsonl", None, Cursor::new(text.to_owned())).unwrap();
        TableFile::new("offer", input).collect::<Result<_, _>>().map_err(|error| error.to_string())
    }

    /// `1: {"a":1}` for each entry.
    fn shown(text: &str) -> Vec<String> {
        let shown = entries(text).unwrap().into_iter().map(|entry| match entry.change {
            Ok(Change { at: None, key: None, value }) => format!("{}: {}", entry.line, value.unwrap()),
            Ok(Change { at, key, value }) => {
                format!(
                    "{}: {} {}={}",
                    entry.line,
                    at.unwrap(),
                    key.unwrap(),
                    value.as_deref().unwrap_or("-")
                )
            }
            Err(rejection) => format!("{}: {rejection}", entry.line),
        });
        shown.collect()
    }

    #[test]
    fn json_lines() {
        assert_eq!(
            shown("\u{feff}{\"a\":1}\r\n\n  \n {\"b\" : [2]} \n5"),
            ["1: {\"a\":1}", "4: {\"b\" : [2]}", "5: 5"]
        );
        assert!(shown("").is_empty());
        assert!(shown(" \n\n").is_empty());
    }

    #[test]
    fn one_json_array() {
        assert_eq!(
            shown("\n[{\"a\":\n1}, {\"b\":2},\n\n{\"c\":3}]\n"),
            ["2: {\"a\":\n1}", "3: {\"b\":2}", "5: {\"c\":3}"]
        );
        assert!(shown("[]").is_empty());
    }

    #[test]
    fn lines_with_a_time() {
        let lines = [
            r#"{"at":"2016-05-04T09:00:00Z","key":"a","value":{"x":1}}"#,
            r#"{"at":"2016-05-04T09:00:00Z","key":"a","value":null}"#,
            r#"{"at":"soon","key":"a","value":null}"#,
            r#"{"at":"2016-05-04T09:00:00Z","key":5,"value":null}"#,
            r#"{"at":"2016-05-04T09:00:00Z","value":null}"#,
            r#"{"at":"2016-05-04T09:00:00Z","key":"a"}"#,
            r#"{"at":null,"key":"a","value":null}"#,
            r#"{"at":"2016-05-04T09:00:00Z","transaction_id":"t"}"#,
        ];
        let time = "must be an RFC 3339 time of 1970 to 9999 such as 2013-02-13T16:45:00.000Z";
        assert_eq!(
            shown(&lines.join("\n")),
            [
                "1: 2016-05-04T09:00:00.000Z a={\"x\":1}".to_owned(),
                "2: 2016-05-04T09:00:00.000Z a=-".to_owned(),
                format!("3: offer a: at is \"soon\", {time}"),
                "4: offer: key is 5, must be a text".to_owned(),
                "5: offer: key is missing, must be the id of the record, a text".to_owned(),
                "6: offer a: value is missing, must be a record or null".to_owned(),
                "7: offer a: at is missing, must be a time".to_owned(),
                format!("8: {}", lines[7]),
            ]
        );
    }

    #[test]
    fn broken_json_names_the_line_and_nothing_of_what_is_in_it() {
        let advice = "the file must be one JSON object a line, or one JSON array";
        for (text, place) in [
            ("{\"a\":1}\n\n{\"card_token\":\"tok\n{}", "offers.jsonl:3: broken JSON at column 18"),
            ("{\n\"a\":1}", "offers.jsonl:1: broken JSON at column 1"),
            ("{} {}", "offers.jsonl:1: broken JSON at column 4"),
            ("\n[{},\n{]", "offers.jsonl:3: broken JSON at column 2"),
            ("[{}]\n{}", "offers.jsonl:2: broken JSON at column 1"),
        ] {
            assert_eq!(entries(text), Err(format!("{place}; {advice}")), "{text}");
        }
        let input = Input::new("t", None, Cursor::new(b"{\"a\":\"\xff\"}".to_vec())).unwrap();
        assert!(matches!(
            TableFile::new("offer", input).next(),
            Some(Err(TableFileError::Broken { line: 1, .. }))
        ));
    }
}
