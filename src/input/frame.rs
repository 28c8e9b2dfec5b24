//! Cutting a file of tweets into records.
//!
//! Streams were saved in many ways: a record a line, pretty-printed over many lines, with blank
//! keep-alive lines between, cut off in the middle where a connection broke. One rule reads all of
//! them and lets a broken line cost only itself:
//!
//! - A record starts at a line whose first byte is `{` and runs until its braces balance; braces
//!   inside of strings do not count.
//! - A line that begins with `{` while a record is open ends that one, unfinished, and starts anew.
//!   (A pretty-printed record is indented, so its inner lines begin with a blank.)
//! - Other lines outside of a record are bad, one by one. Blank ones are nothing.
//! - Text behind the closing brace on its line is bad; the record itself is not.
//!
//! Whether a record is JSON at all is for the parser to say. Memory is bounded: a record beyond
//! the largest size is skipped without being kept.

use std::fmt;
use std::io::{self, Read};
use std::ops::Range;

use memchr::memchr;

use crate::input::balance::Balance;

/// How much is read at once.
const CHUNK: usize = 256 << 10;
/// How much of a bad record or line is kept, in bytes.
pub const FIRST_BYTES: usize = 256;

/// A piece of the file.
#[derive(Debug, PartialEq, Eq)]
pub enum Framed<'a> {
    /// From an opening brace to the one that balances it.
    Record {
        /// The line on which it starts, from 1.
        line: u64,
        /// The record.
        bytes: &'a [u8],
    },
    /// What is no record.
    Bad {
        /// The line on which it starts, from 1.
        line: u64,
        /// Why.
        reason: BadFrame,
        /// How it begins, at most [`FIRST_BYTES`].
        first_bytes: &'a [u8],
    },
}

/// Why a piece of a file is no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadFrame {
    /// A line outside of a record that does not begin with `{`.
    NoRecord,
    /// Text behind the closing brace of a record, on the same line.
    Trailing,
    /// A record that was still open at the next one or at the end of the file.
    Unfinished,
    /// A record longer than the largest size.
    TooLarge,
}

impl BadFrame {
    /// The reason as it is written into dead letters.
    pub const fn name(self) -> &'static str {
        match self {
            BadFrame::NoRecord => "no_record",
            BadFrame::Trailing => "trailing",
            BadFrame::Unfinished => "unfinished",
            BadFrame::TooLarge => "too_large",
        }
    }
}

impl fmt::Display for BadFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BadFrame::NoRecord => "a line outside of a record that does not begin with {",
            BadFrame::Trailing => "text behind the closing brace of a record, on the same line",
            BadFrame::Unfinished => "a record that was still open at the next one or at the end of the file",
            BadFrame::TooLarge => "a record larger than input.max_record_bytes",
        })
    }
}

/// The records of a reader, one after the other.
pub struct Frames<R> {
    reader: R,
    max_record_bytes: usize,
    buffer: Vec<u8>,
    /// The bytes in the buffer that were not looked at yet.
    ahead: Range<usize>,
    /// The line of the first of them.
    line: u64,
    state: State,
    /// The reader is at its end, or failed.
    ended: bool,
    error: Option<io::Error>,
    /// How what is bad begins.
    first_bytes: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// At the first byte of a line outside of a record.
    LineStart,
    /// In a line that is bad for this reason, unless it is blank.
    Line { reason: BadFrame, blank: bool },
    /// In a record.
    Open(Open),
}

#[derive(Clone, Copy, Debug)]
struct Open {
    line: u64,
    /// Where it starts in the buffer; `None` once it is too large, and no longer kept.
    start: Option<usize>,
    /// At the first byte of one of its lines.
    at_line_start: bool,
    balance: Balance,
}

/// What [`Frames::step`] found: a [`Framed`] that borrows nothing yet.
enum Step {
    Record { line: u64, bytes: Range<usize> },
    Bad { line: u64, reason: BadFrame },
}

impl<R: Read> Frames<R> {
    /// Cuts `reader` into records of at most `max_record_bytes`.
    pub fn new(reader: R, max_record_bytes: usize) -> Frames<R> {
        Frames {
            reader,
            max_record_bytes,
            buffer: Vec::new(),
            ahead: 0..0,
            line: 1,
            state: State::LineStart,
            ended: false,
            error: None,
            first_bytes: Vec::new(),
        }
    }

    /// The next piece, or nothing at the end of the file.
    ///
    /// # Errors
    /// The reader's, once, after everything that could be read before it; then the file is at its
    /// end.
    #[allow(clippy::should_implement_trait)] // It lends: no iterator can.
    pub fn next(&mut self) -> Option<io::Result<Framed<'_>>> {
        self.first_bytes.clear();
        let step = loop {
            if let Some(step) = self.step() {
                break step;
            }
            if self.ahead.is_empty() && !self.refill() {
                match self.finish() {
                    Some(step) => break step,
                    None => return self.error.take().map(Err),
                }
            }
        };
        Some(Ok(match step {
            Step::Record { line, bytes } => Framed::Record { line, bytes: &self.buffer[bytes] },
            Step::Bad { line, reason } => Framed::Bad { line, reason, first_bytes: &self.first_bytes },
        }))
    }

    /// The reader, which is somewhere ahead of the last piece.
    pub fn get_ref(&self) -> &R {
        &self.reader
    }

    /// Goes on through the bytes ahead until a piece is complete or there are no more of them.
    fn step(&mut self) -> Option<Step> {
        while !self.ahead.is_empty() {
            let found = match self.state {
                State::LineStart => {
                    self.start_line();
                    None
                }
                State::Line { reason, blank } => self.go_on_in_line(reason, blank),
                State::Open(open) => self.go_on_in_record(open),
            };
            if found.is_some() {
                return found;
            }
        }
        None
    }

    fn start_line(&mut self) {
        self.first_bytes.clear();
        self.state = if self.buffer[self.ahead.start] == b'{' {
            State::Open(Open {
                line: self.line,
                start: Some(self.ahead.start),
                at_line_start: false,
                balance: Balance::default(),
            })
        } else {
            State::Line { reason: BadFrame::NoRecord, blank: true }
        };
    }

    fn go_on_in_line(&mut self, reason: BadFrame, blank: bool) -> Option<Step> {
        let ahead = &self.buffer[self.ahead.clone()];
        let newline = memchr(b'\n', ahead);
        let text = &ahead[..newline.unwrap_or(ahead.len())];
        let blank = blank && text.iter().all(u8::is_ascii_whitespace);
        keep_first(&mut self.first_bytes, text);
        self.ahead.start += newline.map_or(ahead.len(), |n| n + 1);
        if newline.is_none() {
            self.state = State::Line { reason, blank };
            return None;
        }
        self.state = State::LineStart;
        let line = self.line;
        self.line += 1;
        (!blank).then_some(Step::Bad { line, reason })
    }

    /// Goes on to the end of the record, of the line, or of the bytes ahead.
    fn go_on_in_record(&mut self, mut open: Open) -> Option<Step> {
        if open.at_line_start && self.buffer[self.ahead.start] == b'{' {
            self.state = State::LineStart;
            return Some(self.unfinished(open));
        }
        open.at_line_start = false;
        let begin = self.ahead.start;
        let ahead = &self.buffer[self.ahead.clone()];
        let newline = memchr(b'\n', ahead);
        let text = &ahead[..newline.unwrap_or(ahead.len())];
        // The only slow look at each byte; `memchr` finds the end of the line ten times as fast.
        let brace = open.balance.closed_at(text);
        self.ahead.start += match (brace, newline) {
            (Some(brace), _) => brace + 1,
            (None, Some(newline)) => newline + 1,
            (None, None) => text.len(),
        };
        match open.start {
            Some(start) if self.ahead.start - start > self.max_record_bytes => {
                keep_first(&mut self.first_bytes, &self.buffer[start..self.ahead.start]);
                open.start = None;
            }
            Some(_) => {}
            None => keep_first(&mut self.first_bytes, &self.buffer[begin..self.ahead.start]),
        }
        if brace.is_some() {
            self.state = State::Line { reason: BadFrame::Trailing, blank: true };
            return Some(self.closed(open));
        }
        if newline.is_some() {
            self.line += 1;
            open.at_line_start = true;
        }
        self.state = State::Open(open);
        None
    }

    fn closed(&self, open: Open) -> Step {
        match open.start {
            Some(start) => Step::Record { line: open.line, bytes: start..self.ahead.start },
            None => Step::Bad { line: open.line, reason: BadFrame::TooLarge },
        }
    }

    fn unfinished(&mut self, open: Open) -> Step {
        let reason = match open.start {
            Some(start) => {
                keep_first(&mut self.first_bytes, &self.buffer[start..self.ahead.start]);
                BadFrame::Unfinished
            }
            None => BadFrame::TooLarge,
        };
        Step::Bad { line: open.line, reason }
    }

    /// What is left at the end of the file.
    fn finish(&mut self) -> Option<Step> {
        match std::mem::replace(&mut self.state, State::LineStart) {
            State::Open(open) => Some(self.unfinished(open)),
            State::Line { reason, blank: false } => Some(Step::Bad { line: self.line, reason }),
            State::Line { .. } | State::LineStart => None,
        }
    }

    /// Reads on behind what is kept of an open record. False at the end of the file.
    fn refill(&mut self) -> bool {
        if self.ended {
            return false;
        }
        let mut kept = self.ahead.start..self.ahead.start;
        if let State::Open(Open { start: Some(start), .. }) = &mut self.state {
            kept.start = std::mem::take(start);
        }
        self.buffer.copy_within(kept.clone(), 0);
        let end = kept.len();
        self.buffer.resize(self.buffer.len().max(end + CHUNK), 0);
        self.ahead = end..end;
        loop {
            match self.reader.read(&mut self.buffer[end..]) {
                Ok(0) => self.ended = true,
                Ok(n) => self.ahead = end..end + n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    self.ended = true;
                    self.error = Some(error);
                }
            }
            return !self.ended;
        }
    }
}

/// Appends to what is kept of something bad, up to [`FIRST_BYTES`].
fn keep_first(first_bytes: &mut Vec<u8>, bytes: &[u8]) {
    let room = FIRST_BYTES.saturating_sub(first_bytes.len());
    first_bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
}
