//! Numbers as they stand in `report.json`: to the millionth, which is finer than anything that is measured.
//!
//! So the file has no `0.30000000000000004`, and whoever reads it gets the numbers that stand in it: JSON readers
//! differ in the last place of longer ones.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

/// To the millionth.
///
/// # Errors
/// Those of the serializer.
pub fn number<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    rounded(*value).serialize(serializer)
}

/// Numbers by name, to the millionth.
///
/// # Errors
/// Those of the serializer.
pub fn numbers<S: Serializer>(values: &BTreeMap<String, f64>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(values.iter().map(|(name, value)| (name, rounded(*value))))
}

/// Pairs, to the millionth.
///
/// # Errors
/// Those of the serializer.
pub fn pairs<S: Serializer>(values: &[(f64, f64)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(values.iter().map(|(a, b)| (rounded(*a), rounded(*b))))
}

/// What is no number becomes 0: JSON has none of it. Nobody measures what is too great for a millionth.
fn rounded(value: f64) -> f64 {
    let rounded = (value * 1e6).round() / 1e6;
    if rounded.is_finite() { rounded } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn to_the_millionth() {
        for (value, stored) in
            [(0.1 + 0.2, 0.3), (1.627_500_000_000_000_2, 1.627_5), (-2e-7, 0.0), (1e9, 1e9)]
        {
            assert_eq!(rounded(value), stored);
        }
        assert_eq!((rounded(f64::NAN), rounded(f64::INFINITY)), (0.0, 0.0));
    }
}
