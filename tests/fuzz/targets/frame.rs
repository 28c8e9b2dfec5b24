//! A file, cut into records. The first byte of the input chooses the sizes in which the reader hands out the
//! rest.
//!
//! - The same pieces come out, whatever those sizes.
//! - A record begins at the first byte of its line with `{`, ends with `}`, stands there byte for byte, and is
//!   no longer than allowed. Lines ascend.
//! - Of what is bad no more is kept than allowed, and it is the beginning of its line or of what is behind a
//!   record.

use std::io::{self, Read};

use hashbuy::input::frame::{BadFrame, FIRST_BYTES, Framed, Frames};

/// The largest record; small, so that short inputs reach it.
const MAX: usize = 300;

/// A reader that hands out its bytes in pieces of changing sizes, with an interruption now and then.
struct Pieces<'a> {
    bytes: &'a [u8],
    state: u8,
}

impl Read for Pieces<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.state = self.state.wrapping_mul(29).wrapping_add(71);
        let size = match self.state {
            0..=31 => return Err(io::ErrorKind::Interrupted.into()),
            32..=127 => 1,
            128..=223 => usize::from(self.state & 31) + 1,
            224.. => usize::from(self.state),
        };
        let n = size.min(into.len()).min(self.bytes.len());
        into[..n].copy_from_slice(&self.bytes[..n]);
        self.bytes = &self.bytes[n..];
        Ok(n)
    }
}

#[derive(Debug, PartialEq)]
enum Piece {
    Record(u64, Vec<u8>),
    Bad(u64, BadFrame, Vec<u8>),
}

pub fn run(bytes: &[u8]) {
    let Some((&state, file)) = bytes.split_first() else { return };
    let whole = pieces(file);
    assert_eq!(pieces(Pieces { bytes: file, state }), whole);

    let behind_line_ends = (1..).zip(file).filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at);
    let starts: Vec<usize> = std::iter::once(0).chain(behind_line_ends).collect();
    let at = |line: u64| &file[starts[usize::try_from(line).unwrap() - 1]..];
    let mut last = 1;
    for piece in &whole {
        let line = match piece {
            Piece::Record(line, record) => {
                assert!(record.len() <= MAX && record.ends_with(b"}"));
                assert!(record.starts_with(b"{") && at(*line).starts_with(record));
                *line
            }
            Piece::Bad(line, reason, first_bytes) => {
                assert!(first_bytes.len() <= FIRST_BYTES);
                assert!(*reason == BadFrame::Trailing || at(*line).starts_with(first_bytes));
                *line
            }
        };
        assert!(line >= last, "{line} comes after {last}");
        last = line;
    }
}

fn pieces(reader: impl Read) -> Vec<Piece> {
    let mut frames = Frames::new(reader, MAX);
    let mut pieces = Vec::new();
    while let Some(next) = frames.next() {
        pieces.push(match next.unwrap() {
            Framed::Record { line, bytes } => Piece::Record(line, bytes.to_vec()),
            Framed::Bad { line, reason, first_bytes } => Piece::Bad(line, reason, first_bytes.to_vec()),
        });
    }
    pieces
}
