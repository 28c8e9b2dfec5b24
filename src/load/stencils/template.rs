//! A pool from a file of somebody's own tweets.

use std::io::Read;
use std::path::Path;

use super::{Stencils, age};
use crate::core::time::Time;
use crate::core::tweet::{self, Record};
use crate::input::frame::{BadFrame, Framed, Frames};
use crate::input::{is_cut_off, open};

/// So many bytes of a file are kept in memory; what comes behind them is not read.
pub const MAX_BYTES: usize = 64 << 20;
/// The largest record that is kept, in bytes: brokers take no larger ones than 1 MB unless they are told to.
pub const MAX_RECORD_BYTES: usize = 900 << 10;

/// A file of tweets as a pool, and how much of it could be used.
pub struct Template {
    /// The pool: the records of the file, in their order.
    pub stencils: Stencils,
    /// Records that are in it.
    pub used: u64,
    /// Records that are not, since they cannot be read.
    pub left_out: u64,
    /// Where the first of those is, and what is wrong with it.
    pub first_left_out: Option<String>,
    /// False if the file is larger than [`MAX_BYTES`], or was cut off, so that its end is missing.
    pub whole: bool,
}

/// Why a file cannot be a template.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// It cannot be opened, or not be read on.
    #[error("{file}: {error}")]
    Unreadable {
        /// Its name.
        file: String,
        /// What the system says.
        error: std::io::Error,
    },
    /// There is no tweet in it.
    #[error("{file}: no tweet in it ({records} records, {left_out} of them unreadable{}); it has to be a file of \
             tweets, one a line, in the format of v1.1, v2 or Activity Streams", .first.as_deref().unwrap_or(""))]
    NoTweet {
        /// Its name.
        file: String,
        /// Records that there are.
        records: u64,
        /// Records that cannot be read.
        left_out: u64,
        /// `; line 1: ...` for the first of those.
        first: Option<String>,
    },
}

impl Template {
    /// Reads a file of tweets in the formats of v1.1, v2 or Activity Streams, plain or compressed by gzip, bzip2 or
    /// zstd; `-` is standard input. Of its records at most [`MAX_BYTES`] are kept. The time of a deletion is taken
    /// to be that of the tweet before it.
    ///
    /// # Errors
    /// [`TemplateError`], if the file cannot be read or has no tweet.
    pub fn from_file(path: &Path, seed: u64) -> Result<Template, TemplateError> {
        let file = path.display().to_string();
        let input = open(path).map_err(|error| TemplateError::Unreadable { file: file.clone(), error })?;
        Template::from_reader(input, &file, seed)
    }

    /// The same from a reader of decompressed bytes; `file` is what errors call it.
    ///
    /// # Errors
    /// As [`Template::from_file`].
    pub fn from_reader(reader: impl Read, file: &str, seed: u64) -> Result<Template, TemplateError> {
        let mut template = Template {
            stencils: Stencils::empty(seed),
            used: 0,
            left_out: 0,
            first_left_out: None,
            whole: true,
        };
        let mut frames = Frames::new(reader, MAX_RECORD_BYTES);
        let mut newest = None;
        while let Some(framed) = frames.next() {
            match framed {
                Ok(Framed::Record { bytes, .. })
                    if template.stencils.bytes.len() + bytes.len() > MAX_BYTES =>
                {
                    template.whole = false;
                    break;
                }
                Ok(Framed::Record { line, bytes }) => template.take(line, bytes, &mut newest),
                Ok(Framed::Bad { line, reason: BadFrame::TooLarge, .. }) => {
                    template.leave_out(line, &format!("a record larger than {MAX_RECORD_BYTES} bytes"));
                }
                Ok(Framed::Bad { line, reason, .. }) => template.leave_out(line, &reason),
                Err(error) if is_cut_off(&error) => template.whole = false,
                Err(error) => return Err(TemplateError::Unreadable { file: file.to_owned(), error }),
            }
        }
        template.finish(file)
    }

    fn take(&mut self, line: u64, bytes: &[u8], newest: &mut Option<Time>) {
        let record = match tweet::parse(bytes) {
            Ok(record) => record,
            Err(bad) => return self.leave_out(line, &bad),
        };
        if let Record::Tweet(tweet) = &record {
            *newest = Some(tweet.time);
        }
        let age = age(&record, *newest);
        match self.stencils.add_checked(&String::from_utf8_lossy(bytes), &record, age) {
            true => self.used += 1,
            false => self.leave_out(line, &"its id is written in a way that it cannot be written anew"),
        }
    }

    fn leave_out(&mut self, line: u64, why: &dyn std::fmt::Display) {
        self.left_out += 1;
        self.first_left_out.get_or_insert_with(|| format!("line {line}: {why}"));
    }

    fn finish(mut self, file: &str) -> Result<Template, TemplateError> {
        if self.stencils.records.iter().any(|record| record.is_tweet) {
            self.stencils.begin();
            return Ok(self);
        }
        Err(TemplateError::NoTweet {
            file: file.to_owned(),
            records: self.used + self.left_out,
            left_out: self.left_out,
            first: self.first_left_out.map(|first| format!("; {first}")),
        })
    }
}

impl Stencils {
    /// Adds a record if it reads back with the id and the time that it is given. Returns whether.
    fn add_checked(&mut self, text: &str, record: &Record, age: i64) -> bool {
        let (bytes, places) = (self.bytes.len(), self.places.len());
        self.add(text, record, age);
        self.stamp.set_time(super::MADE_AT);
        let number = self.records.len() - 1;
        self.patch(number);
        let patched = tweet::parse(&self.bytes[bytes..]);
        let good = match (record, &patched) {
            (Record::Tweet(_), Ok(Record::Tweet(tweet))) => {
                tweet.id.get() == self.stamp.last_id() && tweet.time == super::MADE_AT
            }
            (Record::Deletion(_), Ok(Record::Deletion(deletion))) => {
                Time::of_tweet_id(deletion.id.get()) == Some(self.stamp.earlier(age))
            }
            (Record::Control(_), Ok(Record::Control(_))) => true,
            _ => false,
        };
        if !good {
            self.records.pop();
            self.places.truncate(places);
            self.bytes.truncate(bytes);
        }
        good
    }

    /// Forgets the ids that checking has used up.
    fn begin(&mut self) {
        self.stamp = super::Stamp::new();
    }
}
