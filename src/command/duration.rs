//! Spans of time on the command line: `30s`, `2m`, `500ms`.

use std::time::Duration;

/// Reads a number and its unit: `ms`, `s`, `m` or `h`. Longer than 0.
///
/// # Errors
/// What is wrong, in words for the command line.
pub fn parse(text: &str) -> Result<Duration, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let millis_each: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err("must be a whole number and its unit, ms, s, m or h, such as 30s".to_owned()),
    };
    let number: u64 = number.parse().map_err(|_| "must begin with a whole number, such as 30s".to_owned())?;
    match number.checked_mul(millis_each) {
        None => Err("is longer than any run".to_owned()),
        Some(0) => Err("must be longer than 0".to_owned()),
        Some(millis) => Ok(Duration::from_millis(millis)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_with_units() {
        for (text, millis) in [("500ms", 500), ("30s", 30_000), ("2m", 120_000), ("1h", 3_600_000)] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in [
            "",
            "30",
            "s",
            "0s",
            "-1s",
            "1.5s",
            "30 s",
            "30S",
            "1d",
            "99999999999999999999s",
            "9999999999999999h",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
