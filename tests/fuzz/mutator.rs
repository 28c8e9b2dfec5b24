//! Changes that bytes chosen at random hardly ever come to: an end of what numbers can be, a word in the place
//! of another one, a character spelled as an escape. They are one change in four; the others are libFuzzer's.

use std::ops::Range;

use fastrand::Rng;

/// Where sums, shifts and conversions go wrong.
const ENDS: [&str; 8] = [
    "0",
    "-1",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "30000000000",
    "1e3",
];

/// Changes the first `size` of the bytes. Returns how many there are then, at most `most`.
pub fn change(bytes: &mut [u8], size: usize, most: usize, seed: u32) -> usize {
    let mut rng = Rng::with_seed(seed.into());
    let changed = if rng.u8(..4) == 0 { by_the_piece(&bytes[..size], &mut rng) } else { None };
    match changed.filter(|changed| changed.len() <= most) {
        Some(changed) => {
            bytes[..changed.len()].copy_from_slice(&changed);
            changed.len()
        }
        None => libfuzzer_sys::fuzzer_mutate(bytes, size, most),
    }
}

/// Another piece in the place of one, if there is any of the kind.
fn by_the_piece(input: &[u8], rng: &mut Rng) -> Option<Vec<u8>> {
    let (place, piece) = match rng.u8(..3) {
        0 => (rng.choice(runs(input, u8::is_ascii_digit))?, rng.choice(ENDS)?.as_bytes().to_vec()),
        1 => {
            let words =
                runs(input, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'));
            (rng.choice(&words)?.clone(), input[rng.choice(&words)?.clone()].to_vec())
        }
        _ => {
            let text = std::str::from_utf8(input).ok()?;
            let (at, c) = rng.choice(text.char_indices().collect::<Vec<_>>())?;
            (at..at + c.len_utf8(), escaped(c, rng).into_bytes())
        }
    };
    Some([&input[..place.start], &piece, &input[place.end..]].concat())
}

/// The longest runs of such bytes.
fn runs(input: &[u8], is: impl Fn(&u8) -> bool) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for at in (0..input.len()).filter(|&at| is(&input[at])) {
        match runs.last_mut() {
            Some(last) if last.end == at => last.end += 1,
            _ => runs.push(at..at + 1),
        }
    }
    runs
}

/// As JSON may spell it: each hex digit is small or a capital.
fn escaped(c: char, rng: &mut Rng) -> String {
    let mut escaped = String::new();
    for unit in c.encode_utf16(&mut [0; 2]) {
        let digits = format!("{unit:04x}");
        escaped.push_str(r"\u");
        escaped.extend(digits.chars().map(|c| if rng.bool() { c.to_ascii_uppercase() } else { c }));
    }
    escaped
}
