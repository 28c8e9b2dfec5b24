//! Files of tweets and of table records: opening, decompressing, and cutting them into records.
//!
//! A file may be plain or compressed by gzip, bzip2 or zstd, which its first bytes tell, not its
//! name. Everything streams: an archive of a month needs no more memory than one of a minute.

mod balance;
pub mod frame;
pub mod table_file;

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The UTF-8 byte order mark, which some programs write at the start of a file.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";
/// As many of the first bytes as it takes to tell the compression.
const MAGIC_BYTES: usize = 4;

/// How a file is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// It is not.
    None,
    /// gzip, of one or more members.
    Gzip,
    /// bzip2, of one or more streams.
    Bzip2,
    /// zstd, of one or more frames.
    Zstd,
}

impl Compression {
    /// Tells the compression by the first bytes of a file.
    pub fn of(first_bytes: &[u8]) -> Compression {
        match *first_bytes {
            [0x1F, 0x8B, ..] => Compression::Gzip,
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Compression::Bzip2,
            // A frame, or a skippable frame in front of the first one.
            [0x28, 0xB5, 0x2F, 0xFD, ..] | [0x50..=0x5F, 0x2A, 0x4D, 0x18, ..] => Compression::Zstd,
            _ => Compression::None,
        }
    }
}

/// An open file, or standard input: a [`Read`] of its decompressed bytes, without a byte order
/// mark at the start.
///
/// A compressed file that is cut off is read as far as it goes; then comes an error for which
/// [`is_cut_off`] is true.
pub struct Input {
    name: String,
    size: Option<u64>,
    raw_bytes: Arc<AtomicU64>,
    compression: Compression,
    reader: SkipMark<Box<dyn Read + Send>>,
}

/// Opens a file; `-` is standard input.
///
/// # Errors
/// Those of opening the file and of reading its first bytes.
pub fn open(path: &Path) -> io::Result<Input> {
    if path == Path::new("-") {
        return Input::new("standard input", None, io::stdin());
    }
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "is a directory, must be a file"));
    }
    let size = metadata.is_file().then_some(metadata.len());
    Input::new(path.display().to_string(), size, file)
}

/// True for the error of a compressed file that ends before its end.
pub fn is_cut_off(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::UnexpectedEof
}

impl Input {
    /// Takes the bytes of a file from any reader; `size` is the number of raw bytes, if known.
    ///
    /// # Errors
    /// Those of reading the first bytes.
    pub fn new(
        name: impl Into<String>,
        size: Option<u64>,
        raw: impl Read + Send + 'static,
    ) -> io::Result<Input> {
        let raw_bytes = Arc::new(AtomicU64::new(0));
        let mut raw = Counted { reader: raw, count: Arc::clone(&raw_bytes) };
        let mut first = Vec::with_capacity(MAGIC_BYTES);
        raw.by_ref().take(MAGIC_BYTES as u64).read_to_end(&mut first)?;
        let compression = Compression::of(&first);
        let raw = Cursor::new(first).chain(raw);
        let reader: Box<dyn Read + Send> = match compression {
            Compression::None => Box::new(raw),
            Compression::Gzip => Box::new(flate2::read::MultiGzDecoder::new(raw)),
            Compression::Bzip2 => Box::new(bzip2::read::MultiBzDecoder::new(raw)),
            Compression::Zstd => Box::new(zstd::stream::read::Decoder::new(raw)?),
        };
        let reader = SkipMark { reader, held: Vec::new(), checked: false };
        Ok(Input { name: name.into(), size, raw_bytes, compression, reader })
    }

    /// The file's name, for messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The number of bytes in the file as it is (compressed), where that is known.
    pub fn size(&self) -> Option<u64> {
        self.size
    }

    /// A counter of the raw (compressed) bytes read until now, which can be watched from elsewhere
    /// while the input is being read: what a progress bar shows.
    pub fn raw_bytes(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.raw_bytes)
    }

    /// How the file is compressed.
    pub fn compression(&self) -> Compression {
        self.compression
    }
}

impl Read for Input {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.reader.read(into)
    }
}

/// Counts the bytes that pass.
struct Counted<R> {
    reader: R,
    count: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.reader.read(into)?;
        self.count.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

/// Leaves out a byte order mark at the start.
struct SkipMark<R> {
    reader: R,
    /// First bytes that were looked at and turned out to be no mark, last one first.
    held: Vec<u8>,
    checked: bool,
}

impl<R: Read> SkipMark<R> {
    /// Reads byte by byte for as long as it looks like a mark, so that an error behind the first
    /// bytes of a file does not come before them.
    fn check(&mut self) -> io::Result<()> {
        while self.held.len() < BYTE_ORDER_MARK.len() {
            let mut byte = [0];
            if self.reader.read(&mut byte)? == 0 {
                break;
            }
            self.held.push(byte[0]);
            if !BYTE_ORDER_MARK.starts_with(&self.held) {
                break;
            }
        }
        if self.held == BYTE_ORDER_MARK {
            self.held.clear();
        }
        self.held.reverse();
        self.checked = true;
        Ok(())
    }
}

impl<R: Read> Read for SkipMark<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        if !self.checked {
            self.check()?;
        }
        match self.held.pop() {
            Some(byte) => {
                into[0] = byte;
                Ok(1)
            }
            None => self.reader.read(into),
        }
    }
}

#[cfg(test)]
mod tests;
