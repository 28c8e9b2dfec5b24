//! What happened, line by line, and a number that stands for it.

use std::fmt;

/// Lines that are kept of a run at most; older ones go.
const KEPT: usize = 100_000;

/// The lines of a run.
#[derive(Debug, Default)]
pub struct Trace {
    lines: Vec<String>,
    digest: Digest,
}

impl Trace {
    /// One more line, at a simulated time in milliseconds since the start.
    pub fn say(&mut self, millis: i64, who: &str, what: fmt::Arguments<'_>) {
        let (minutes, seconds, rest) = (millis / 60_000, millis / 1_000 % 60, millis % 1_000);
        let line = format!("{minutes:02}:{seconds:02}.{rest:03}  {who:<12} {what}");
        self.digest.add(line.as_bytes());
        if self.lines.len() == KEPT {
            self.lines.drain(..KEPT / 2);
        }
        self.lines.push(line);
    }

    /// All lines that are kept.
    pub fn take(&mut self) -> Vec<String> {
        std::mem::take(&mut self.lines)
    }

    /// Bytes that are part of the run, but of no line.
    pub fn digest(&mut self) -> &mut Digest {
        &mut self.digest
    }
}

/// FNV-1a: short, and the same everywhere.
#[derive(Debug, Clone, Copy)]
pub struct Digest(u64);

impl Default for Digest {
    fn default() -> Digest {
        Digest(0xcbf2_9ce4_8422_2325)
    }
}

impl Digest {
    /// Adds bytes, and an end behind them.
    pub fn add(&mut self, bytes: &[u8]) {
        for byte in bytes.iter().chain(&[0xff]) {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// What has come of it.
    pub fn value(self) -> u64 {
        self.0
    }
}
