//! What all pages have in common: the frame, tables, and how times and numbers are written.

use axum::response::Html;
use maud::{DOCTYPE, Markup, html};

use crate::core::time::{DAY, HOUR, MINUTE, SECOND, Time};

/// A whole page.
pub fn page(title: &str, name: &str, here: &str, main: &Markup) -> Html<String> {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " – hashbuy" }
                link rel="icon" href="data:,";
                link rel="stylesheet" href="/page.css";
                script src="/page.js" defer {}
            }
            body {
                a.skip href="#main" { "Skip to the content" }
                header {
                    p.brand { span.hash { "#" } "hashbuy " span.name { (name) } }
                    nav aria-label="Pages" {
                        @for (path, label) in [("/", "How it goes"), ("/offers", "Offers")] {
                            a href=(path) aria-current=[(path == here).then_some("page")] { (label) }
                        }
                    }
                }
                main #main tabindex="-1" { (main) }
                footer {
                    p { "For machines: " a href="/offers.json" { "offers.json" } ", " a href="/metrics" { "metrics" } ", "
                        a href="/readyz" { "readyz" } "." }
                }
            }
        }
    };
    Html(page.into_string())
}

/// A table that scrolls by itself where it is too wide. Whatever scrolls can be reached with the keyboard.
pub fn table(caption: &str, header: &[&str], rows: &[Vec<Markup>]) -> Markup {
    html! {
        div.scrolls tabindex="0" role="region" aria-label=(caption) {
            table {
                caption { (caption) }
                thead { tr { @for cell in header { th scope="col" { (cell) } } } }
                tbody {
                    @for row in rows {
                        tr {
                            @for (n, cell) in row.iter().enumerate() {
                                @if n == 0 { th scope="row" { (cell) } } @else { td { (cell) } }
                            }
                        }
                    }
                    @if rows.is_empty() { tr { td.none colspan=(header.len()) { "Nothing yet." } } }
                }
            }
        }
    }
}

/// A number with its name.
pub fn figure(name: &str, value: impl maud::Render, more: impl maud::Render) -> Markup {
    html! { div.figure { dt { (name) } dd { span.value { (value) } " " span.more { (more) } } } }
}

/// `#BuyTeapot` at 12:14:59.
pub fn clock(time: Time) -> Markup {
    let text = time.to_string();
    html! { time datetime=(text) { (text.get(11..19).unwrap_or(&text)) } }
}

/// How long, in two units at most: `2 d 3 h`, `12 min 5 s`, `350 ms`. A number stays with its unit.
pub fn duration(millis: i64) -> String {
    let (sign, millis) = if millis < 0 { ("−", millis.saturating_neg()) } else { ("", millis) };
    let two = |large: i64, name: &str, small: i64, other: &str| {
        format!("{sign}{}\u{a0}{name} {}\u{a0}{other}", millis / large, millis % large / small)
    };
    match millis {
        DAY.. => two(DAY, "d", HOUR, "h"),
        HOUR.. => two(HOUR, "h", MINUTE, "min"),
        MINUTE.. => two(MINUTE, "min", SECOND, "s"),
        10_000.. => format!("{sign}{}\u{a0}s", millis / SECOND),
        SECOND.. => format!("{sign}{:.1}\u{a0}s", millis as f64 / SECOND as f64),
        _ => format!("{sign}{millis}\u{a0}ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_two_units_at_most() {
        for (millis, text) in [
            (0, "0 ms"),
            (999, "999 ms"),
            (1_500, "1.5 s"),
            (59_999, "59 s"),
            (725_000, "12 min 5 s"),
            (HOUR, "1 h 0 min"),
            (2 * DAY + 3 * HOUR, "2 d 3 h"),
            (-1_500, "−1.5 s"),
            (i64::MIN, "−106751991167 d 7 h"),
        ] {
            assert_eq!(duration(millis).replace('\u{a0}', " "), text);
        }
    }

    #[test]
    fn texts_are_escaped() {
        let text = "<script>alert('1')</script>\"";
        let shown = page(text, text, "/", &table(text, &[text], &[vec![html! { (text) }]])).0;
        assert!(!shown.contains("<script>") && !shown.contains("\"\""), "{shown}");
    }

    /// The luminance of `#rrggbb`, as WCAG 2 has it.
    fn luminance(colour: &str) -> f64 {
        let part = |at: usize| {
            let part = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5)
    }

    #[test]
    fn texts_can_be_read_in_the_light_and_in_the_dark() {
        let style = include_str!("assets/page.css");
        let schemes: Vec<&str> = style.split("--ground:").skip(1).collect();
        assert_eq!(schemes.len(), 2);
        for scheme in schemes {
            let scheme = format!("--ground:{scheme}");
            let colour = |name: &str| {
                let (_, rest) = scheme.split_once(&format!("--{name}: ")).unwrap();
                luminance(&rest[..7])
            };
            for text in ["ink", "soft", "accent", "good", "bad", "warm"] {
                for ground in ["ground", "card"] {
                    let (text_is, ground_is) = (colour(text), colour(ground));
                    let contrast = (text_is.max(ground_is) + 0.05) / (text_is.min(ground_is) + 0.05);
                    assert!(contrast >= 4.5, "{text} on {ground}: {contrast:.1}");
                }
            }
        }
    }
}
