//! Real streams, which lie beside the project in `../shared/data/tweets` and are no part of it;
//! where they are absent the trials are ignored. No text of a tweet is printed or kept.
//!
//! The events of two minutes of 2013 are counted a second time, in the slow and plain way: whole
//! records as JSON values, and hashtags that are simple enough for a simple rule.

#![allow(clippy::unwrap_used, clippy::expect_used)] // in a test a panic is the report

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use bzip2::read::MultiBzDecoder;
use hashbuy::core::hashtag::{fold, hashtags};
use hashbuy::core::prefilter::Prefilter;
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::{Value, json};

use common::program::{Folder, Run, SECRET, arguments, json_lines, run, text};
use common::tables::{account, offer, with};
use common::tags::{rfc3339, time_of};

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/tweets");
    let files = files(&root);
    let mut trials = Vec::new();
    for file in &files {
        let (name, file) = (file.strip_prefix(&root).unwrap().display().to_string(), file.clone());
        trials
            .push(Trial::test(format!("every_line_is_accounted_for::{name}"), move || accounted_for(&file)));
    }
    let stream: Vec<PathBuf> =
        files.into_iter().filter(|path| name(path).starts_with("stream-2013-")).collect();
    if stream.is_empty() {
        let absent = Trial::test("real streams: ../shared/data/tweets is not there", || Ok(()));
        trials.push(absent.with_ignored_flag(true));
    } else {
        let again = stream.clone();
        trials.push(Trial::test("requests_are_those_of_a_slow_count", move || slow_count(&stream)));
        trials.push(Trial::test("the_prefilter_passes_on_little_else", move || passed_on(&again)));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

/// The files with tweets below a folder, sorted.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut found = Vec::new();
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|e| e == "json" || e == "jsonl" || e == "bz2") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn content(path: &Path) -> Vec<u8> {
    let bytes = fs::read(path).unwrap();
    if !bytes.starts_with(b"BZh") {
        return bytes;
    }
    let mut plain = Vec::new();
    MultiBzDecoder::new(&bytes[..]).read_to_end(&mut plain).unwrap();
    plain
}

/// The records of a file: one for each line, or a single one over several lines.
fn records(bytes: &[u8]) -> Vec<Option<Value>> {
    if let Ok(whole) = serde_json::from_slice(bytes) {
        return vec![Some(whole)];
    }
    let lines = bytes.split(|&byte| byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    lines.map(|line| serde_json::from_slice(line).ok()).collect()
}

fn replay(folder: &Folder, offers: &[Value], accounts: &[Value], tweets: &[PathBuf]) -> Run {
    let mut args = arguments(["replay", "--offers", "offers.jsonl", "--accounts", "accounts.jsonl"]);
    args.extend(arguments(["--secret-file", "secret", "--dead-letters", "dead.jsonl"]));
    folder.write("offers.jsonl", json_lines(offers));
    folder.write("accounts.jsonl", json_lines(accounts));
    folder.write("secret", SECRET);
    args.extend(tweets.iter().map(|path| path.canonicalize().unwrap().into()));
    run(&args, &folder.path(""), b"")
}

/// All numbers of the summary, by their names.
fn counters(value: &Value, name: &str, into: &mut BTreeMap<String, u64>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(field, value)| {
            let name = if name.is_empty() { field.clone() } else { format!("{name}.{field}") };
            counters(value, &name, into);
        }),
        _ => drop(into.insert(name.to_owned(), value.as_u64().unwrap_or(0))),
    }
}

/// A file replays to its end, and each of its records is a tweet, a deletion, something skipped or
/// a dead letter.
fn accounted_for(file: &Path) -> Result<(), Failed> {
    let folder = Folder::new();
    let run = replay(&folder, &[offer("kettle", "#NobodySellsThisKettle", 100)], &[], &[file.to_owned()]);
    let records = records(&content(file));
    let bad = records.iter().filter(|record| record.is_none()).count();
    if run.code != Some(0) || !run.stdout.is_empty() {
        return Err(format!("exit code {:?}, {} bytes of events", run.code, run.stdout.len()).into());
    }
    let dead = folder.read("dead.jsonl").lines().count();
    if dead != bad {
        return Err(format!("{dead} dead letters, {bad} records that are no JSON").into());
    }
    let mut counted = BTreeMap::new();
    counters(&run.summary(), "", &mut counted);
    let kinds = ["tweets", "deletions", "control_messages", "dead_letters"];
    let of_a_kind = |name: &str| kinds.contains(&name.split('.').next().unwrap_or(name));
    let total: u64 = counted.iter().filter(|(name, _)| of_a_kind(name)).map(|(_, n)| n).sum();
    if total != records.len() as u64 {
        return Err(format!("{} records, and the summary says {counted:?}", records.len()).into());
    }
    Ok(())
}

/// A tweet of 2013, as far as it matters here.
struct Own {
    id: u64,
    author: u64,
    /// The author's own words.
    words: String,
    protected: bool,
}

enum Record {
    Own(Own),
    /// Words that are not the author's own, and the tweet's id.
    Others(u64, String),
    Deleted {
        id: u64,
        author: u64,
    },
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// Where the words of somebody else begin: an `RT @` at the start or after white space.
fn own_length(words: &str) -> usize {
    let starts = words.match_indices("RT @").map(|(at, _)| at);
    let mut after_space =
        starts.filter(|&at| words[..at].chars().next_back().is_none_or(char::is_whitespace));
    after_space.next().unwrap_or(words.len())
}

/// The stream in its order; records that are neither tweets nor deletions are left out.
fn plainly(values: Vec<Value>) -> Vec<Record> {
    let mut records = Vec::new();
    for value in values {
        let status = &value["delete"]["status"];
        if let (Some(id), Some(author)) = (status["id"].as_u64(), status["user_id"].as_u64()) {
            records.push(Record::Deleted { id, author });
            continue;
        }
        let (Some(id), Some(words)) = (value["id"].as_u64(), value["text"].as_str()) else { continue };
        let words = unescaped(words);
        if !value["retweeted_status"].is_null() {
            records.push(Record::Others(id, words));
            continue;
        }
        let (own, others) = words.split_at(own_length(&words));
        records.push(Record::Own(Own {
            id,
            author: value["user"]["id"].as_u64().unwrap(),
            words: own.to_owned(),
            protected: value["user"]["protected"] == true,
        }));
        records.push(Record::Others(id, others.to_owned()));
    }
    records
}

/// What stands in a text like a hashtag, in small letters without the sign: ASCII, in plain
/// surroundings if `plain`, else in any that are not plain.
fn ascii_tags(words: &str) -> Vec<(String, bool)> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut tags = Vec::new();
    for (at, sign) in words.match_indices(['#', '\u{ff03}']) {
        let behind = &words[at + sign.len()..];
        let length = behind.find(|c| !is_part(c)).unwrap_or(behind.len());
        let plain_before = words[..at].chars().next_back().is_none_or(char::is_whitespace);
        let next = behind[length..].chars().next();
        let plain_after = next.is_none_or(|c| c.is_whitespace() || ".,!?".contains(c));
        let tag = behind[..length].to_ascii_lowercase();
        let letters = tag.bytes().any(|b| b.is_ascii_alphabetic());
        tags.push((tag, plain_before && plain_after && letters && sign == "#"));
    }
    tags
}

/// How often each tag occurs, for tags that occur in plain surroundings only.
fn frequencies<'a>(texts: impl Iterator<Item = &'a str>) -> BTreeMap<String, usize> {
    let (mut counts, mut odd) = (BTreeMap::new(), BTreeSet::new());
    for (tag, plain) in texts.flat_map(ascii_tags) {
        if plain {
            *counts.entry(tag).or_default() += 1;
        } else {
            odd.insert(tag);
        }
    }
    counts.retain(|tag, _| !odd.contains(tag) && !tag.starts_with("confirm"));
    counts
}

/// A thousand tags of the stream as offers: of the records that the prefilter passes on, deletions aside, two in three
/// at least have one of them as a hashtag in some string, and none that has is dropped.
fn passed_on(files: &[PathBuf]) -> Result<(), Failed> {
    let bytes: Vec<u8> = files.iter().flat_map(|file| content(file)).collect();
    let lines = || bytes.split(|&byte| byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    let values: Vec<Option<Value>> = lines().map(|line| serde_json::from_slice(line).ok()).collect();
    let texts = values.iter().flatten().filter_map(|value| value["text"].as_str());
    let tags: BTreeSet<String> = texts
        .flat_map(|text| hashtags(text).map(|tag| fold(tag.body).into_owned()).collect::<Vec<_>>())
        .collect();
    let offered: BTreeSet<&String> = tags.iter().step_by((tags.len() / 1_000).max(1)).take(1_000).collect();
    let prefilter = Prefilter::new(offered.iter().map(|tag| tag.as_str()), "confirm");
    let is_true = |value: &Value| {
        let mut strings = Vec::new();
        all_strings(value, &mut strings);
        strings
            .iter()
            .flat_map(|text| hashtags(text))
            .any(|tag| offered.contains(&fold(tag.body).into_owned()))
    };
    let (mut passed, mut wanted, mut all) = (0, 0, 0);
    for (line, value) in lines().zip(&values) {
        let Some(value) = value.as_ref().filter(|value| value.get("delete").is_none()) else { continue };
        let (passes, is_true) = (prefilter.passes(line), is_true(value));
        assert!(passes || !is_true, "a record with an offer's tag is dropped");
        all += 1;
        passed += u32::from(passes);
        wanted += u32::from(is_true);
    }
    println!(
        "{} offers, {all} records: {passed} passed on, {wanted} of them with an offer's tag",
        offered.len()
    );
    assert!(wanted > 100 && passed * 2 <= wanted * 3, "{passed} for {wanted}");
    Ok(())
}

fn all_strings<'v>(value: &'v Value, into: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => into.push(text),
        Value::Array(values) => values.iter().for_each(|value| all_strings(value, into)),
        Value::Object(members) => members.values().for_each(|value| all_strings(value, into)),
        _ => {}
    }
}

fn is_linked(author: u64) -> bool {
    (author / 3).is_multiple_of(2)
}

/// Account, offer and tweet of an event.
type Cause = (u64, String, u64);

/// What the events should be: requests, and refusals of authors without an account.
#[derive(Default, PartialEq, Eq)]
struct Count {
    requested: BTreeSet<Cause>,
    cancelled: BTreeSet<Cause>,
    not_linked: BTreeSet<Cause>,
}

/// The plain rules, for offers that are all open and limits that nobody reaches.
fn count(records: &[Record], offers: &BTreeSet<String>) -> Count {
    let mut count = Count::default();
    let (mut open, mut gone): (BTreeMap<(u64, String), u64>, BTreeSet<u64>) = Default::default();
    let mut desk_time = 0;
    for record in records {
        match record {
            Record::Others(id, _) => desk_time = desk_time.max(time_of(*id)),
            Record::Deleted { id, author } => {
                gone.insert(*id);
                if let Some(key) =
                    open.iter().find(|((a, _), t)| a == author && *t == id).map(|(key, _)| key.clone())
                {
                    open.remove(&key);
                    count.cancelled.insert((key.0, key.1, *id));
                }
            }
            Record::Own(Own { id, author, words, protected }) => {
                desk_time = desk_time.max(time_of(*id));
                let tags: BTreeSet<String> = ascii_tags(words).into_iter().map(|(tag, _)| tag).collect();
                for tag in tags.intersection(offers) {
                    let cause = (*author, tag.clone(), *id);
                    if !is_linked(*author) {
                        if time_of(*id) >= desk_time - 60_000 {
                            count.not_linked.insert(cause);
                        }
                    } else if !protected && !gone.contains(id) && !open.contains_key(&(*author, tag.clone()))
                    {
                        open.insert((*author, tag.clone()), *id);
                        count.requested.insert(cause);
                    }
                }
            }
        }
    }
    count
}

fn counted(events: &[Value]) -> Count {
    let mut count = Count::default();
    for event in events {
        let number = |field| text(event, field).parse().unwrap_or(0);
        let (account, offer) = (number("account_id"), text(event, "offer_id").to_owned());
        let (causes, tweet) = match (text(event, "type"), text(event, "reason")) {
            ("purchase.requested", _) => (&mut count.requested, "offer_tweet_id"),
            ("purchase.cancelled", _) => (&mut count.cancelled, "offer_tweet_id"),
            (_, "not_linked") => (&mut count.not_linked, "tweet_id"),
            _ => continue,
        };
        causes.insert((account, offer, number(tweet)));
    }
    count
}

fn slow_count(files: &[PathBuf]) -> Result<(), Failed> {
    let values = files.iter().flat_map(|file| records(&content(file))).flatten().collect();
    let records = plainly(values);
    let own = frequencies(records.iter().filter_map(|r| match r {
        Record::Own(own) => Some(own.words.as_str()),
        _ => None,
    }));
    let others = frequencies(records.iter().filter_map(|r| match r {
        Record::Others(_, words) => Some(words.as_str()),
        _ => None,
    }));
    let said: BTreeSet<String> = records
        .iter()
        .filter_map(|r| if let Record::Own(own) = r { Some(ascii_tags(&own.words)) } else { None })
        .flatten()
        .map(|(tag, _)| tag)
        .collect();
    let mut frequent: Vec<(&String, &usize)> = own.iter().collect();
    frequent.sort_by_key(|(tag, n)| (std::cmp::Reverse(**n), *tag));
    let only_repeated = others.keys().filter(|tag| !said.contains(*tag)).take(20);
    let offers: BTreeSet<String> = frequent.iter().take(50).map(|(tag, _)| (*tag).clone()).collect();
    let repeated: BTreeSet<String> = only_repeated.cloned().collect();

    let expected = count(&records, &offers);
    if offers.len() < 50
        || repeated.len() < 20
        || expected.requested.len() < 50
        || expected.not_linked.len() < 20
    {
        return Err("too little of everything to compare".into());
    }
    let events = replay_with_offers(&records, offers.union(&repeated), files)?;
    let got = counted(&events);
    if got == expected {
        return Ok(());
    }
    // Tags are words of tweets, so only numbers are told.
    let differ =
        |a: &BTreeSet<Cause>, b: &BTreeSet<Cause>| (a.difference(b).count(), b.difference(a).count());
    Err(format!(
        "(missing, unexpected) requests {:?} of {}, cancellations {:?}, refusals of strangers {:?} of {}",
        differ(&expected.requested, &got.requested),
        expected.requested.len(),
        differ(&expected.cancelled, &got.cancelled),
        differ(&expected.not_linked, &got.not_linked),
        expected.not_linked.len(),
    )
    .into())
}

/// Every offer is open, and no account comes near a limit.
fn replay_with_offers<'a>(
    records: &[Record],
    tags: impl Iterator<Item = &'a String>,
    files: &[PathBuf],
) -> Result<Vec<Value>, Failed> {
    let times =
        records.iter().filter_map(|r| if let Record::Own(own) = r { Some(time_of(own.id)) } else { None });
    let (day, first) = (86_400_000, times.min().unwrap());
    let open =
        json!({"starts_at": rfc3339(first - day), "ends_at": rfc3339(first + day), "per_account": 1_000});
    let offers: Vec<Value> = tags.map(|tag| with(offer(tag, &format!("#{tag}"), 1), open.clone())).collect();
    let authors: BTreeSet<u64> = records
        .iter()
        .filter_map(|r| if let Record::Own(own) = r { Some(own.author) } else { None })
        .collect();
    let free =
        json!({"linked_at": rfc3339(first - day), "caps": {"pendings": 1_000, "requests_per_hour": 1_000}});
    let accounts: Vec<Value> = authors
        .into_iter()
        .filter(|author| is_linked(*author))
        .map(|author| with(account(author, &format!("u{author}")), free.clone()))
        .collect();
    let folder = Folder::new();
    let run = replay(&folder, &offers, &accounts, files);
    if run.code != Some(0) {
        return Err(format!("exit code {:?}", run.code).into());
    }
    Ok(run.events())
}
