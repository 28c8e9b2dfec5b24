//! What the parts of the engine cost alone, without a broker: each measured in a process of its own, so that what one
//! has left in memory does not count for the next.
//!
//! | part | what is measured |
//! | --- | --- |
//! | `prefilter` | the search over raw bytes, beside a loop of memchr over the same bytes |
//! | `linked` | the ids of linked accounts, as the scan holds them: memory, look-ups |
//! | `pendings` | pendings and their timers: memory, how many a second come and go |
//! | `due` | pendings that fall due in one millisecond: the longest transaction of it |
//! | `replay` | a plain file through the core, beside a loop that parses each record's id and nothing else |

mod due;
mod linked;
mod pendings;
mod prefilter;
mod replay;
pub(super) mod shop;
pub mod turns;

use std::collections::BTreeMap;

use super::Failed;

/// What was measured, by the name of the figure, in the unit that its name ends with: `bytes`, `milliseconds`,
/// `nanoseconds`, `bytes_per_second`; what is `to_` something is a ratio.
pub type Figures = BTreeMap<String, f64>;

/// A part of the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The search over raw bytes.
    Prefilter,
    /// The ids of linked accounts.
    Linked,
    /// Pendings and their timers.
    Pendings,
    /// Pendings that fall due at once.
    Due,
    /// A plain file through the core.
    Replay,
}

impl Part {
    /// All of them.
    pub const ALL: [Part; 5] = [Part::Prefilter, Part::Linked, Part::Pendings, Part::Due, Part::Replay];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Part::Prefilter => "prefilter",
            Part::Linked => "linked",
            Part::Pendings => "pendings",
            Part::Due => "due",
            Part::Replay => "replay",
        }
    }

    /// Measures it in this process, which should have done nothing else before. `scale` is how much of it: 1 for the
    /// figures that are asked for, less for a trial; above 0, at most 1.
    ///
    /// # Errors
    /// If the machine refuses memory figures or a file.
    pub fn measure(self, scale: f64) -> Result<Figures, Failed> {
        let figures = match self {
            Part::Prefilter => prefilter::measure(scale)?,
            Part::Linked => linked::measure(scaled(10_000_000, scale))?,
            Part::Pendings => pendings::measure(scaled(10_000_000, scale), scaled(1_000_000, scale))?,
            Part::Due => due::measure(scaled(1_000_000, scale))?,
            Part::Replay => replay::measure(scaled(100_000, scale))?,
        };
        Ok(figures.into_iter().map(|(name, value)| (format!("{}.{name}", self.as_str()), value)).collect())
    }
}

fn scaled(count: u64, scale: f64) -> u64 {
    ((count as f64 * scale) as u64).max(1_000)
}

/// Memory of this process, in bytes.
///
/// # Errors
/// Where the kernel does not say.
fn resident() -> Result<f64, Failed> {
    crate::metrics::process::resident_bytes()
        .ok_or_else(|| Failed("memory cannot be measured here: there is no /proc/self/status".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A trial of each part: what it measures is there and not absurd, whatever the machine.
    #[test]
    fn every_part_can_be_measured() {
        for part in Part::ALL {
            let figures = part.measure(0.000_1).unwrap();
            assert!(!figures.is_empty(), "{part:?}");
            for (name, value) in figures {
                assert!(name.starts_with(part.as_str()) && value.is_finite(), "{name}: {value}");
            }
        }
    }
}
