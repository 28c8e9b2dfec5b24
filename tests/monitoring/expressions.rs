//! PromQL, as far as a test has to look into it: which series an expression selects. Whether it is well-formed says
//! Prometheus.

use std::collections::BTreeSet;

use hashbuy::metrics::{ALL, Kind};

use super::rules;

/// What Prometheus itself makes.
const OF_PROMETHEUS: &[&str] = &["up", "ALERTS"];

/// The selectors of an expression, with their matchers and without ranges: `up{job="hashbuy"}`.
pub fn selectors(expression: &str) -> Vec<String> {
    let (mut found, mut rest) = (Vec::new(), expression);
    while let Some(first) = rest.chars().next() {
        let taken = match first {
            '"' => string_end(rest),
            '[' => rest.find(']').unwrap() + 1,
            _ if is_of_name(first) => {
                let end = rest.find(|c| !is_of_name(c)).unwrap_or(rest.len());
                let whole = end + matchers(&rest[end..]);
                if is_metric(&rest[..end]) {
                    found.push(rest[..whole].to_owned());
                }
                whole
            }
            _ => first.len_utf8(),
        };
        rest = &rest[taken..];
    }
    found
}

/// Names in an expression that look like metrics and are none, neither of the program nor of the rules.
pub fn unknown_names(expression: &str) -> BTreeSet<String> {
    let known: BTreeSet<String> = known();
    let names = selectors(expression).into_iter().map(|selector| name_of(&selector).to_owned());
    names.filter(|name| !known.contains(name)).collect()
}

/// The metric of a selector.
pub fn name_of(selector: &str) -> &str {
    selector.split('{').next().unwrap()
}

fn known() -> BTreeSet<String> {
    let mut known: BTreeSet<String> = OF_PROMETHEUS.iter().map(ToString::to_string).collect();
    known.extend(rules::all().into_iter().filter(|rule| !rule.is_alert).map(|rule| rule.name));
    for metric in ALL {
        match metric.kind {
            Kind::Histogram(_) => {
                known.extend(["bucket", "count", "sum"].map(|part| format!("{}_{part}", metric.name)));
            }
            _ => drop(known.insert(metric.name.to_owned())),
        }
    }
    known
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | ':' | '$' | '.')
}

/// Functions and words of the language have no prefix.
fn is_metric(name: &str) -> bool {
    OF_PROMETHEUS.contains(&name)
        || name.contains(':')
        || name.starts_with("hashbuy_")
        || name.starts_with("process_")
}

/// How long the matchers are that a text begins with.
fn matchers(text: &str) -> usize {
    if !text.starts_with('{') {
        return 0;
    }
    let mut end = 1;
    while !text[end..].starts_with('}') {
        end += if text[end..].starts_with('"') { string_end(&text[end..]) } else { 1 };
    }
    end + 1
}

/// How long the string is that a text begins with, with its quotes.
fn string_end(text: &str) -> usize {
    let is_end = |at: &usize| !text[..*at].ends_with('\\');
    1 + text.match_indices('"').map(|(at, _)| at).skip(1).find(is_end).unwrap()
}
