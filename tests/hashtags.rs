//! The hashtag rules, one trial for each case of two tables: our own
//! (`tests/data/hashtags.json`), and the public conformance cases of twitter-text. The latter are
//! looked for in `../shared/data/twitter-text/extract.yml` and count as ignored where they are
//! not there.

#![expect(clippy::expect_used, reason = "with a harness of its own, all of this is test code")]

use std::path::Path;

use hashbuy::core::hashtag::{hashtags, whole};
use libtest_mimic::{Arguments, Failed, Trial};
use serde::Deserialize;
use yaml_rust2::{Yaml, YamlLoader};

const OWN_CASES: &str = include_str!("data/hashtags.json");
const PUBLIC_CASES: &str = "../shared/data/twitter-text/extract.yml";
const PUBLIC_SECTIONS: [(&str, usize); 3] =
    [("hashtags", 65), ("hashtags_from_astral", 3), ("hashtags_with_indices", 8)];

fn main() {
    let mut trials = own_trials();
    trials.extend(public_trials());
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

/// A text and the bodies of the hashtags in it; several texts of one rule make one case.
#[derive(Deserialize)]
struct OwnCase {
    rule: String,
    texts: Vec<(String, Vec<String>)>,
}

fn own_trials() -> Vec<Trial> {
    let cases: Vec<OwnCase> = serde_json::from_str(OWN_CASES).expect("tests/data/hashtags.json");
    let trial = |case: OwnCase| {
        Trial::test(format!("own::{}", case.rule), move || {
            case.texts.iter().try_for_each(|(text, bodies)| check(text, bodies))
        })
    };
    cases.into_iter().map(trial).collect()
}

/// The bodies, and what has to hold for each hashtag of any text.
fn check(text: &str, bodies: &[String]) -> Result<(), Failed> {
    let found: Vec<&str> = hashtags(text).map(|tag| tag.body).collect();
    if found != bodies {
        return Err(format!("{text:?}: expected {bodies:?}, found {found:?}").into());
    }
    for tag in hashtags(text) {
        let is_whole = whole(tag.typed) == Some(tag.body);
        let sign = tag.typed.strip_suffix(tag.body);
        if !is_whole || !matches!(sign, Some("#" | "＃")) || &text[tag.start..tag.end] != tag.typed {
            return Err(format!("{text:?}: does not fit together: {tag:?}").into());
        }
    }
    Ok(())
}

fn public_trials() -> Vec<Trial> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PUBLIC_CASES);
    let Ok(text) = std::fs::read_to_string(path) else {
        let ignored = |(section, _)| {
            let absent = || Err(format!("{PUBLIC_CASES} is not there").into());
            Trial::test(format!("twitter-text::{section}"), absent).with_ignored_flag(true)
        };
        return PUBLIC_SECTIONS.into_iter().map(ignored).collect();
    };
    let file = YamlLoader::load_from_str(&text).expect("extract.yml is YAML").remove(0);
    let section = |(section, count): (&'static str, usize)| {
        let cases = file["tests"][section].as_vec().expect("a section of cases").clone();
        assert_eq!(cases.len(), count, "cases of {section} in {PUBLIC_CASES}");
        cases.into_iter().map(move |case| {
            let description = case["description"].as_str().expect("a description");
            Trial::test(format!("twitter-text::{section}::{description}"), move || check_public(&case))
        })
    };
    PUBLIC_SECTIONS.into_iter().flat_map(section).collect()
}

/// A case expects bodies, or bodies with their place in characters.
fn check_public(case: &Yaml) -> Result<(), Failed> {
    let text = case["text"].as_str().ok_or("no text")?;
    let expected = case["expected"].as_vec().ok_or("nothing expected")?;
    let body = |tag: &Yaml| tag.as_str().or(tag["hashtag"].as_str()).map(str::to_owned);
    let bodies: Vec<String> = expected.iter().filter_map(body).collect();
    if bodies.len() != expected.len() {
        return Err("an expected hashtag cannot be read".into());
    }
    check(text, &bodies)?;
    let characters = |end: usize| text[..end].chars().count() as i64;
    for (tag, expected) in hashtags(text).zip(expected) {
        let found = [characters(tag.start), characters(tag.end)];
        let indices = expected["indices"].as_vec().map(|pair| [pair[0].as_i64(), pair[1].as_i64()]);
        if indices.is_some_and(|indices| indices != found.map(Some)) {
            return Err(format!("{text:?}: expected at {indices:?}, found at {found:?}").into());
        }
    }
    Ok(())
}
