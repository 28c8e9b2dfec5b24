//! Cutting files into records: each rule by itself, then any mix of records and garbage, however
//! the reader hands it out.

use std::io::{self, Read};

use hashbuy::input::frame::{BadFrame, FIRST_BYTES, Framed, Frames};
use proptest::prelude::*;

/// A reader that gives its bytes in pieces of changing sizes, and perhaps fails at the end.
struct Pieces<'a> {
    bytes: &'a [u8],
    sizes: Vec<usize>,
    turn: usize,
    error: Option<io::ErrorKind>,
}

impl Read for Pieces<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.bytes.is_empty()
            && let Some(kind) = self.error.take()
        {
            return Err(kind.into());
        }
        let size = self.sizes[self.turn % self.sizes.len()];
        self.turn += 1;
        if size == 0 {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let n = size.min(into.len()).min(self.bytes.len());
        into[..n].copy_from_slice(&self.bytes[..n]);
        self.bytes = &self.bytes[n..];
        Ok(n)
    }
}

const MAX: usize = 40;

/// `1 {"a":1}` for a record, `2 trailing: x` for what is none, `error: ...` at the end.
fn frames_of(reader: impl Read) -> Vec<String> {
    let mut frames = Frames::new(reader, MAX);
    let mut shown = Vec::new();
    while let Some(next) = frames.next() {
        shown.push(match next {
            Ok(Framed::Record { line, bytes }) => format!("{line} {}", String::from_utf8_lossy(bytes)),
            Ok(Framed::Bad { line, reason, first_bytes }) => {
                format!("{line} {}: {}", reason.name(), String::from_utf8_lossy(first_bytes))
            }
            Err(error) => format!("error: {:?}", error.kind()),
        });
    }
    shown
}

/// The frames, which must not depend on the sizes of the pieces.
fn frames(text: &str) -> Vec<String> {
    let whole = frames_of(text.as_bytes());
    for size in 1..6 {
        let pieces = Pieces { bytes: text.as_bytes(), sizes: vec![size, 0], turn: 0, error: None };
        assert_eq!(frames_of(pieces), whole, "in pieces of {size}");
    }
    whole
}

#[test]
fn a_record_on_each_line() {
    assert_eq!(frames("{\"a\":1}\r\n\r\n{}\n \t\n{\"b\":{}}"), ["1 {\"a\":1}", "3 {}", "5 {\"b\":{}}"]);
    assert!(frames("").is_empty());
    assert!(frames("\n\n \r\n").is_empty());
}

#[test]
fn a_record_over_many_lines() {
    assert_eq!(frames("{\n  \"a\": {\n  }\n\n}\n{\n}"), ["1 {\n  \"a\": {\n  }\n\n}", "6 {\n}"]);
}

#[test]
fn braces_and_quotes_inside_of_strings() {
    for record in [r#"{"a":"}{"}"#, r#"{"\"}":"\\"}"#, r#"{"a":"\\\"}"}"#, r#"{"a":"\u007d","}":{}}"#] {
        assert_eq!(frames(&format!("{record}\n{{}}")), [format!("1 {record}"), "2 {}".to_owned()]);
    }
}

#[test]
fn a_line_that_begins_with_a_brace_starts_anew() {
    assert_eq!(
        frames("{\"a\":\"cut of\n{\"b\":1}\n{\n{\n }\n"),
        ["1 unfinished: {\"a\":\"cut of\n", "2 {\"b\":1}", "3 unfinished: {\n", "4 {\n }"]
    );
}

#[test]
fn an_indented_brace_does_not_start_a_record() {
    assert_eq!(frames("{\n {\n }\n}\n {}\n"), ["1 {\n {\n }\n}", "5 no_record:  {}"]);
}

#[test]
fn other_lines_are_bad_one_by_one() {
    assert_eq!(
        frames("garbage\n}\n[{}]\n{}\nmore"),
        ["1 no_record: garbage", "2 no_record: }", "3 no_record: [{}]", "4 {}", "5 no_record: more"]
    );
}

#[test]
fn text_behind_the_closing_brace() {
    assert_eq!(
        frames("{} \r\n{}{\"a\":1}\n{\n}, x\n{}"),
        ["1 {}", "2 {}", "2 trailing: {\"a\":1}", "3 {\n}", "4 trailing: , x", "5 {}"]
    );
}

#[test]
fn a_record_that_is_open_at_the_end() {
    assert_eq!(frames("{}\n{\"a\":{}"), ["1 {}", "2 unfinished: {\"a\":{}"]);
}

#[test]
fn a_record_may_be_as_large_as_the_limit() {
    let record = |size: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(size - 8));
    let fits = record(MAX);
    let too_large = record(MAX + 1);
    assert_eq!(
        frames(&format!("{fits}\n{too_large}\n{fits} z\n{too_large} z\n{too_large}")),
        [
            format!("1 {fits}"),
            format!("2 too_large: {too_large}"),
            format!("3 {fits}"),
            "3 trailing:  z".to_owned(),
            format!("4 too_large: {too_large}"),
            "4 trailing:  z".to_owned(),
            format!("5 too_large: {too_large}"),
        ]
    );
}

#[test]
fn what_is_too_large_is_skipped_to_its_end_and_its_first_bytes_are_kept() {
    let text = format!("{{\"a\":\"{}\n{{}}\n{}\n", "}".repeat(3_000_000), "y".repeat(1_000_000));
    let shown = frames_of(text.as_bytes());
    assert_eq!(shown.len(), 3);
    assert!(shown[0].starts_with("1 too_large: {\"a\":\"}}"));
    assert!(shown[0].len() <= FIRST_BYTES + "1 too_large: ".len());
    assert_eq!(shown[1], "2 {}");
    assert_eq!(shown[2], format!("3 no_record: {}", "y".repeat(FIRST_BYTES)));
}

#[test]
fn memory_does_not_grow_with_a_record() {
    struct Endless(usize);
    impl Read for Endless {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            // All that is kept of a record is handed back to be read over.
            assert!(into.len() <= 1 << 20);
            let n = into.len().min(self.0);
            into[..n].fill(b'{');
            self.0 -= n;
            Ok(n)
        }
    }
    assert_eq!(frames_of(Endless(50 << 20)), [format!("1 too_large: {}", "{".repeat(FIRST_BYTES))]);
}

#[test]
fn an_error_comes_once_and_last() {
    let bytes = b"{}\n{\"a\"";
    let pieces = Pieces { bytes, sizes: vec![3], turn: 0, error: Some(io::ErrorKind::UnexpectedEof) };
    assert_eq!(frames_of(pieces), ["1 {}", "2 unfinished: {\"a\"", "error: UnexpectedEof"]);
}

#[test]
fn reasons_have_names() {
    use BadFrame::{NoRecord, TooLarge, Trailing, Unfinished};
    let names = [NoRecord, Trailing, Unfinished, TooLarge].map(BadFrame::name);
    assert_eq!(names, ["no_record", "trailing", "unfinished", "too_large"]);
}

/// A JSON object on one line, of strings with all that can mislead.
fn flat() -> impl Strategy<Value = String> {
    let text = proptest::collection::vec(
        prop::sample::select(vec!["a", "{", "}", "\\\"", "\\\\", "é", "\\u007b"]),
        0..5,
    );
    let value = prop_oneof![text.prop_map(|t| format!("\"{}\"", t.concat())), Just("{\"b\":{}}".to_owned())];
    proptest::collection::vec(value, 0..3).prop_map(|values| {
        let members: Vec<String> = values.iter().map(|value| format!("\"k}}\":{value}")).collect();
        format!("{{{}}}", members.join(","))
    })
}

/// Some lines, with the frames that they must give, without their line numbers.
fn part() -> impl Strategy<Value = (String, Vec<String>)> {
    let framed = |record: &str| {
        let bad = if record.len() > MAX { " too_large:" } else { "" };
        format!("{bad} {record}")
    };
    prop_oneof![
        4 => flat().prop_map(move |record| (format!("{record}\n"), vec![framed(&record)])),
        2 => flat().prop_map(move |record| {
            let pretty = record.replace(",\"", ",\n  \"").replacen('{', "{\n  ", 1);
            (format!("{pretty} \r\n"), vec![framed(&pretty)])
        }),
        1 => flat().prop_map(move |record| {
            let trailing = format!(" trailing:  and {record}");
            (format!("{record} and {record}\n"), vec![framed(&record), trailing])
        }),
        // A record that is cut is ended by the next one, so one has to stand behind it.
        1 => flat().prop_map(|record| {
            let cut = format!("{}\n", &record[..record.len() - 1]);
            let reason = if cut.len() > MAX { "too_large" } else { "unfinished" };
            (format!("{cut}{{}}\n"), vec![format!(" {reason}: {cut}"), " {}".to_owned()])
        }),
        1 => "[}\"a][{}\"a]{0,5}".prop_map(|line| (format!("{line}\n"), vec![format!(" no_record: {line}")])),
        1 => "[ \t\r]{0,5}".prop_map(|blank| (format!("{blank}\n"), vec![])),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_mix_gives_its_records_back(
        parts in proptest::collection::vec(part(), 0..12),
        sizes in proptest::collection::vec(1_usize..50, 1..5),
    ) {
        let text: String = parts.iter().map(|(lines, _)| lines.as_str()).collect();
        let expected: Vec<String> = parts.into_iter().flat_map(|(_, frames)| frames).collect();
        let pieces = Pieces { bytes: text.as_bytes(), sizes, turn: 0, error: None };
        let shown: Vec<String> = frames_of(pieces)
            .iter()
            .map(|frame| frame.trim_start_matches(|c: char| c.is_ascii_digit()).to_owned())
            .collect();
        prop_assert_eq!(shown, expected);
    }
}
