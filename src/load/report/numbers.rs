//! Numbers as a person reads them.

/// What stands where there is no number.
pub const NONE: &str = "–";

/// Less than this is an error of floating point, no difference.
pub const SLACK: f64 = 1e-9;

/// `1,234,567`: rounded, with thousands separators.
pub fn whole(value: f64) -> String {
    fixed(value, 0)
}

/// `1,234.57`: with so many digits behind the point; [`NONE`] for what is no number.
pub fn fixed(value: f64, digits: usize) -> String {
    if !value.is_finite() {
        return NONE.to_owned();
    }
    let text = format!("{value:.digits$}");
    let end = text.find('.').unwrap_or(text.len());
    let mut grouped = String::with_capacity(text.len() * 4 / 3);
    for (i, c) in text.char_indices() {
        let digit_before = grouped.ends_with(|c: char| c.is_ascii_digit());
        if i < end && digit_before && (end - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(c);
    }
    grouped
}

/// `1.5 M`, `20 k`, `0.85`: for the marks of an axis.
pub fn short(value: f64) -> String {
    let (scaled, unit) = match value.abs() {
        size if size >= 1e6 => (value / 1e6, " M"),
        size if size >= 1e4 => (value / 1e3, " k"),
        _ => (value, ""),
    };
    let text = fixed(scaled, 3);
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text}{unit}")
}

/// Rounded down: what fails to reach a limit never looks as if it did.
pub fn low(value: f64, digits: usize) -> String {
    stepped(value, digits, |steps| (steps + SLACK).floor())
}

/// Rounded up: what goes beyond a limit never looks as if it did not.
pub fn high(value: f64, digits: usize) -> String {
    stepped(value, digits, |steps| (steps - SLACK).ceil())
}

fn stepped(value: f64, digits: usize, round: impl Fn(f64) -> f64) -> String {
    let steps = 10f64.powi(i32::try_from(digits).unwrap_or(0));
    // Nothing is below nothing.
    fixed(round(value * steps) / steps + 0.0, digits)
}

/// A ratio, to the thousandth.
pub fn ratio(value: f64) -> String {
    fixed(value, 3)
}

/// Bytes as megabytes, to the tenth, without the unit.
pub fn megabytes(bytes: u64) -> String {
    fixed(bytes as f64 / 1e6, 1)
}

/// Milliseconds: to the hundredth below ten, else to the tenth.
pub fn millis(value: f64) -> String {
    fixed(value, if value < 10.0 { 2 } else { 1 })
}

/// `45 s`, `65 min 12 s`, without a line's end in it.
pub fn duration(seconds: f64) -> String {
    let all = seconds.round().max(0.0);
    if all < 120.0 || !all.is_finite() {
        return format!("{}\u{a0}s", whole(all));
    }
    format!("{}\u{a0}min {}\u{a0}s", whole((all / 60.0).floor()), whole(all % 60.0))
}

/// `1 process`, `2 processes`.
pub fn plural(count: u64, one: &str, more: &str) -> String {
    format!("{} {}", whole(count as f64), if count == 1 { one } else { more })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        for (value, digits, text) in [
            (0.0, 0, "0"),
            (999.4, 0, "999"),
            (1_000.0, 0, "1,000"),
            (-12_345_678.25, 1, "-12,345,678.2"),
            (-123.0, 0, "-123"),
            (0.85, 3, "0.850"),
            (f64::NAN, 3, "–"),
            (f64::INFINITY, 0, "–"),
        ] {
            assert_eq!(fixed(value, digits), text);
        }
    }

    #[test]
    fn durations() {
        for (seconds, text) in
            [(0.4, "0 s"), (119.4, "119 s"), (119.5, "2 min 0 s"), (3_912.4, "65 min 12 s")]
        {
            assert_eq!(duration(seconds).replace('\u{a0}', " "), text);
        }
    }

    #[test]
    fn marks_are_short() {
        for (value, text) in [
            (0.0, "0"),
            (0.85, "0.85"),
            (100.0, "100"),
            (1_000.0, "1,000"),
            (20_000.0, "20 k"),
            (1_500_000.0, "1.5 M"),
        ] {
            assert_eq!(short(value), text);
        }
    }

    #[test]
    fn a_limit_is_not_reached_by_rounding() {
        assert_eq!((low(0.849_99, 3), low(0.85, 3)), ("0.849".to_owned(), "0.850".to_owned()));
        assert_eq!((high(200.01, 1), high(200.0, 1)), ("200.1".to_owned(), "200.0".to_owned()));
    }
}
