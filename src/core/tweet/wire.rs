//! Deletion notices as the v1.1 stream spells them, byte for byte: one record in eight is one, and the prefilter passes
//! all of them on.

use super::Deletion;
use crate::core::ids::{AccountId, TweetId};

/// The deletion in a record of exactly this shape, its members in any order:
/// `{"delete":{"status":{"id":8,"id_str":"8","user_id":9,"user_id_str":"9"},"timestamp_ms":"1"}}`, with or without the
/// last of them. None for anything else, which may be a deletion all the same.
pub(super) fn deletion(bytes: &[u8]) -> Option<Deletion> {
    let mut rest = bytes.strip_prefix(br#"{"delete":{"status":{"#)?;
    // Twice each, as a number and as a string.
    let (mut ids, mut authors) = ([None; 2], [None; 2]);
    for number in 0..4 {
        if number > 0 {
            rest = rest.strip_prefix(b",")?;
        }
        let (value, place);
        (value, place, rest) = if let Some(rest) = rest.strip_prefix(br#""id_str":"#) {
            let (digits, rest) = quoted(rest)?;
            (digits, &mut ids[0], rest)
        } else if let Some(rest) = rest.strip_prefix(br#""id":"#) {
            let (digits, rest) = digits(rest)?;
            (digits, &mut ids[1], rest)
        } else if let Some(rest) = rest.strip_prefix(br#""user_id_str":"#) {
            let (digits, rest) = quoted(rest)?;
            (digits, &mut authors[0], rest)
        } else {
            let (digits, rest) = digits(rest.strip_prefix(br#""user_id":"#)?)?;
            (digits, &mut authors[1], rest)
        };
        if place.replace(value).is_some() {
            return None;
        }
    }
    rest = rest.strip_prefix(b"}")?;
    if let Some(stamp) = rest.strip_prefix(br#","timestamp_ms":"#) {
        rest = quoted(stamp)?.1;
    }
    let [id, author] = [ids, authors].map(|[text, number]| text.filter(|_| text == number));
    // White space as JSON has it.
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
    let is_end = rest.strip_prefix(b"}}").is_some_and(|rest| rest.iter().all(is_space));
    match (TweetId::new(number(id?)?), AccountId::new(number(author?)?)) {
        (Some(id), Some(author)) if is_end => Some(Deletion { id, author }),
        _ => None,
    }
}

/// The number that digits stand for; none if it does not fit.
fn number(digits: &[u8]) -> Option<u64> {
    digits
        .iter()
        .try_fold(0_u64, |number, digit| number.checked_mul(10)?.checked_add(u64::from(digit - b'0')))
}

/// Digits, and what is behind them: a number that JSON allows.
fn digits(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let count = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = bytes.split_at(count);
    let is_number = count > 0 && (digits[0] != b'0' || count == 1);
    is_number.then_some((digits, rest))
}

/// The same in quotation marks.
fn quoted(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (digits, rest) = digits(bytes.strip_prefix(b"\"")?)?;
    Some((digits, rest.strip_prefix(b"\"")?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Record, parse_any};
    use super::*;

    fn members() -> impl Strategy<Value = Vec<String>> {
        let number = prop_oneof![
            Just("0".to_owned()),
            Just("8".to_owned()),
            Just("08".to_owned()),
            Just("18446744073709551616".to_owned()),
            (1u64..u64::MAX).prop_map(|id| id.to_string()),
        ];
        let all = |id: String, author: String| {
            [format!("\"id\":{id}"), format!("\"id_str\":\"{id}\""), format!("\"user_id\":{author}")]
                .into_iter()
                .chain([format!("\"user_id_str\":\"{author}\"")])
                .collect::<Vec<String>>()
        };
        (number.clone(), number).prop_map(move |(id, author)| all(id, author)).prop_shuffle()
    }

    proptest! {
        #[test]
        fn what_it_reads_is_what_the_parser_reads(
            members in members(),
            stamp in prop::option::of(0u64..u64::MAX),
            end in prop_oneof![Just(""), Just("\r\n"), Just(" "), Just("}"), Just(",")],
            // Something is done to one of its bytes: nothing, taken out, doubled, replaced.
            (place, what) in (any::<prop::sample::Index>(), prop::option::of(any::<u8>())),
        ) {
            let stamp = stamp.map_or_else(String::new, |stamp| format!(",\"timestamp_ms\":\"{stamp}\""));
            let whole = format!("{{\"delete\":{{\"status\":{{{}}}{stamp}}}}}{end}", members.join(","));
            let mut other = whole.clone().into_bytes();
            let at = place.index(other.len());
            match what {
                None => {}
                Some(0..60) => drop(other.remove(at)),
                Some(60..120) => other.insert(at, other[at]),
                Some(byte) => other[at] = byte % 128,
            }
            for record in [whole.as_bytes(), &other] {
                if let Some(read) = deletion(record) {
                    prop_assert_eq!(parse_any(record), Ok(Record::Deletion(read)));
                }
            }
        }
    }

    #[test]
    fn the_usual_notices_are_read() {
        let notice = r#"{"delete":{"status":{"id":8,"user_id":9,"id_str":"8","user_id_str":"9"}}}"#;
        let with_end = format!("{notice}\r\n");
        let stamped =
            r#"{"delete":{"status":{"id":8,"id_str":"8","user_id":9,"user_id_str":"9"},"timestamp_ms":"5"}}"#;
        for record in [notice, &with_end, stamped] {
            let read = deletion(record.as_bytes()).unwrap();
            assert_eq!((read.id.get(), read.author.get()), (8, 9), "{record}");
        }
        for other in [
            r#"{"delete":{"status":{"id":8,"user_id":9}}}"#,
            r#"{"delete":{"status":{"id":8,"id_str":"7","user_id":9,"user_id_str":"9"}}}"#,
            r#"{"delete":{"status":{"id":8,"id":8,"user_id":9,"user_id_str":"9"}}}"#,
            r#"{"delete":{"status":{"id":8,"id_str":"8","user_id":9,"user_id_str":"9"}},"text":"x"}"#,
            "{\"delete\":{\"status\":{\"id\":8,\"id_str\":\"8\",\"user_id\":9,\"user_id_str\":\"9\"}}}\x0c",
        ] {
            assert_eq!(deletion(other.as_bytes()), None, "{other}");
        }
    }
}
