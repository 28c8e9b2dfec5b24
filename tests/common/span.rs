//! Spans of time on the command lines of tools: `90s`, `10m`, `2h`.

use std::time::Duration;

/// Reads a number and its unit.
///
/// # Errors
/// What was wanted.
pub fn span(text: &str) -> Result<Duration, String> {
    let wanted = || format!("{text:?} is no time: write it as 90s, 10m or 2h");
    let unit = text.chars().last().ok_or_else(wanted)?;
    let number: u64 = text[..text.len() - unit.len_utf8()].parse().map_err(|_| wanted())?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        _ => return Err(wanted()),
    };
    Ok(Duration::from_secs(number * seconds))
}
