//! How JSON spells characters: read forwards for the body of a hashtag, backwards for `delete`.

/// The character that is spelled at `at` in the content of a JSON string, and where the next one
/// begins. Nothing where no character of a hashtag can be: at the end of the string, at a short
/// escape (`\n`, `\"`...), at a surrogate without its partner, and in what is no valid JSON.
pub(super) fn char_at(json: &[u8], at: usize) -> Option<(char, usize)> {
    match *json.get(at)? {
        b'"' => None,
        b'\\' => escaped_char_at(json, at),
        ascii @ 0..0x80 => Some((char::from(ascii), at + 1)),
        lead => {
            let length = match lead {
                0xC0..0xE0 => 2,
                0xE0..0xF0 => 3,
                _ => 4,
            };
            let raw = std::str::from_utf8(json.get(at..at + length)?).ok()?;
            Some((raw.chars().next()?, at + length))
        }
    }
}

/// The length of `\uXXXX` in bytes.
const ESCAPE: usize = 6;

fn escaped_char_at(json: &[u8], at: usize) -> Option<(char, usize)> {
    let unit = unit_at(json, at)?;
    match unit {
        0xD800..0xDC00 => {
            let low = unit_at(json, at + ESCAPE).filter(|low| (0xDC00..0xE000).contains(low))?;
            let c = char::from_u32(0x1_0000 + ((unit - 0xD800) << 10) + (low - 0xDC00))?;
            Some((c, at + 2 * ESCAPE))
        }
        _ => Some((char::from_u32(unit)?, at + ESCAPE)),
    }
}

/// The UTF-16 unit of the escape `\uXXXX` at `at`.
fn unit_at(json: &[u8], at: usize) -> Option<u32> {
    let digits = json.get(at..at + ESCAPE)?.strip_prefix(br"\u")?;
    digits.iter().try_fold(0, |unit, &digit| Some(unit << 4 | char::from(digit).to_digit(16)?))
}

/// Whether `json`, which is followed by the quote that ends a string, spells a string that is
/// `delete` or ends in `_delete` up to there.
pub(super) fn ends_with_delete(json: &[u8]) -> bool {
    let word = b"delete".iter().rev().try_fold(json, |json, &letter| strip_letter(json, letter));
    word.is_some_and(|before| before.ends_with(b"\"") || strip_letter(before, b'_').is_some())
}

/// `json` without the ASCII character `letter` at its end, plain or as an escape.
fn strip_letter(json: &[u8], letter: u8) -> Option<&[u8]> {
    let (&last, before) = json.split_last()?;
    if last == letter {
        return Some(before);
    }
    let escape = json.len().checked_sub(ESCAPE)?;
    (unit_at(json, escape)? == u32::from(letter)).then(|| &json[..escape])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters() {
        for (json, expected) in [
            ("a", Some(('a', 1))),
            ("é", Some(('é', 2))),
            ("한", Some(('한', 3))),
            ("𐐀x", Some(('𐐀', 4))),
            (r"\u0061", Some(('a', 6))),
            (r"\uAc00", Some(('가', 6))),
            (r"\uD801\udc00", Some(('𐐀', 12))),
            (r"\ud801", None),
            (r"\ud801x", None),
            (r"\ud801\u0061", None),
            (r"\udc00", None),
            (r"\u006", None),
            (r"\u+061", None),
            (r"\n", None),
            (r"\\u0061", None),
            ("\"", None),
            ("", None),
        ] {
            assert_eq!(char_at(json.as_bytes(), 0), expected, "{json}");
        }
        assert_eq!(char_at(&[0xED, 0x95], 0), None);
        assert_eq!(char_at(&[0xFF; 5], 0), None);
    }
}
