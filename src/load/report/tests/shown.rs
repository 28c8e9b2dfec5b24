//! The page, the table, the file.

use super::*;
use crate::load::report::numbers;

/// Whether every element that begins ends, in the right order; and no attribute is without quotes.
fn check(html: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = html;
    while let Some((before, from)) = rest.split_once('<') {
        assert!(!before.contains('>') || open.last() == Some(&"style"), "a stray > in {before:?}");
        let (tag, after) = from.split_once('>').expect("a tag that does not end");
        assert!(tag.matches('"').count().is_multiple_of(2), "quotes in <{tag}>");
        rest = after;
        let name = tag.trim_start_matches('/').split([' ', '\n', '/']).next().unwrap_or_default();
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "</{tag}>");
        } else if !(tag.ends_with('/') || tag.starts_with('!') || name == "meta") {
            open.push(name);
        }
    }
    assert_eq!(open, Vec::<&str>::new());
}

fn page(report: &Report) -> String {
    let page = crate::load::report::page::html(report);
    check(&page);
    for number in ["NaN", "inf", "Infinity"] {
        let found = page.match_indices(number).find(|(at, _)| {
            let around = |c: Option<char>| c.is_some_and(char::is_alphabetic);
            !around(page[..*at].chars().next_back()) && !around(page[at + number.len()..].chars().next())
        });
        assert_eq!(found, None);
    }
    page
}

#[test]
fn the_page_needs_nothing_else() {
    let mut report = full();
    report.settings.clear();
    let page = page(&report);
    for outside in ["<script", "http:", "https:", "src=", "url(", "@import", "<link", "<img", "javascript"] {
        assert!(!page.contains(outside), "{outside}");
    }
}

#[test]
fn what_comes_from_outside_is_text() {
    let mut report = full();
    report.began_at = "<b>now".to_owned();
    for entry in &mut report.throughput {
        entry.axis = format!("<b>{}", entry.axis);
        entry.shape.compression = "<b>lz4\"".to_owned();
    }
    let page = page(&report);
    assert!(!page.contains("<b>bold") && page.contains("&lt;b&gt;bold&lt;/b&gt;"));
    assert!(!page.contains("<b>now") && !page.contains("<b>lz4") && !page.contains("<b>main"));
    assert!(page.contains("purchase &lt;1&gt; was requested"));
}

#[test]
fn every_round_and_every_plot_is_there() {
    let report = full();
    let (page, text) = (page(&report), crate::load::report::table::text(&report));
    for round in report.throughput.iter().flat_map(|entry| &entry.rounds) {
        let ratio = numbers::ratio(round.ratio());
        assert!(page.contains(&format!("<td class=\"n\">{ratio}</td></tr>")), "{ratio}");
        assert!(text.lines().any(|line| line.ends_with(&format!(" {ratio}"))), "{ratio}");
    }
    let plots = page.matches("<figure>").count();
    assert_eq!(plots, 2 + (5 * 2 + 1) + 2 + 4);
    assert_eq!(page.matches("role=\"img\" aria-label=\"").count(), plots);
    assert_eq!(page.matches("<title>").count(), plots + 1);
    assert_eq!(page.matches("<details>").count(), plots + report.throughput.len());
    for part in ["✓ met", "✗ missed", "goal: 0.850", "better: 0.900", "1 fault", "12,345", "Settings"] {
        assert!(page.contains(part), "{part}");
    }
}

#[test]
fn the_colours_have_a_dark_twin() {
    let page = page(&full());
    let (_, style) =
        page.split_once("@media (prefers-color-scheme: dark) {\n  [stroke").expect("a dark palette");
    let style = &style[..style.find("</style>").expect("the end of the style")];
    for kind in ["fill", "stroke"] {
        for (at, _) in page.match_indices(&format!(" {kind}=\"#")) {
            let attribute: String = page[at + 1..].chars().take(kind.len() + 10).collect();
            // The first one of all was cut off with what stands before it.
            assert!(
                attribute == "stroke=\"#0B5CAD\"" || style.contains(&format!("[{attribute}]")),
                "{attribute} has no colour in the dark"
            );
        }
    }
}

#[test]
fn lines_are_no_longer_than_a_terminal() {
    let text = crate::load::report::table::text(&full());
    for line in text.lines() {
        assert!(line.chars().count() <= 100, "{line}");
    }
    assert!(["Goals", "p99.9", "double purchases", "4.75"].iter().all(|part| text.contains(part)));
}

#[test]
fn an_empty_report_can_be_shown() {
    let mut reports = vec![Report::default()];
    let nothing = Latency { samples: Vec::new(), ..latency(0.0, 0.0) };
    let none = Percentiles::default();
    reports.push(Report {
        throughput: vec![
            Throughput { axis: "main".to_owned(), shape: main_shape(), rounds: Vec::new() },
            Throughput {
                axis: "offers".to_owned(),
                shape: main_shape(),
                rounds: vec![Round { baseline: Pass::default(), scan: Pass::default(), scan_first: true }],
            },
        ],
        latency: vec![nothing.clone(), Latency { requested: none.clone(), confirmed: none, ..nothing }],
        restart: Some(Restart::default()),
        books: Some(Books::default()),
        ..Report::default()
    });
    let empty = Pass { samples: vec![Sample::default(); 3], ..Pass::default() };
    let mut still = full();
    for round in still.throughput.iter_mut().flat_map(|entry| &mut entry.rounds) {
        *round = Round { baseline: empty.clone(), scan: empty.clone(), scan_first: false };
    }
    reports.push(still);
    for report in reports {
        page(&report);
        let text = crate::load::report::table::text(&report);
        assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
    }
    assert!(page(&Report::default()).contains("Nothing was measured"));
}

#[test]
fn a_report_is_read_as_it_was_written() {
    let report = full();
    let folder = std::env::temp_dir().join(format!("hashbuy-report-{}", std::process::id()));
    report.write(&folder.join("new")).unwrap();
    let json = std::fs::read_to_string(folder.join("new/report.json")).unwrap();
    let html = std::fs::read_to_string(folder.join("new/report.html")).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    let read: Report = serde_json::from_str(&json).unwrap();
    assert_eq!(serde_json::to_string_pretty(&read).unwrap() + "\n", json);
    assert_eq!(page(&read), html);
    assert_eq!(page(&report), html);
    // Nothing but what lies beyond the millionth is lost.
    let (found, wanted) = (&read.latency[1], &report.latency[1]);
    assert_eq!((found.requested.count, &found.samples[7].tweets), (60_000, &wanted.samples[7].tweets));
    for ((found, millis), (wanted, wanted_millis)) in
        found.requested.points.iter().zip(&wanted.requested.points)
    {
        assert!((found - wanted).abs() <= 5e-7 && (millis - wanted_millis).abs() <= 5e-7);
    }
}

#[test]
fn a_percentile_that_nothing_lies_above_is_not_drawn() {
    let mut report = full();
    for entry in &mut report.latency {
        entry.requested.count = 500;
    }
    let plots = crate::load::report::figures::latency(&report);
    let drawn: Vec<f64> = plots[0].series[0].points.iter().map(|(percentile, _)| *percentile).collect();
    assert_eq!(drawn[drawn.len() - 3..], [99.0, 99.5, 100.0]);
}
