//! Two minutes of a real stream of 2013, as if they were the last two. No word of it is to be shown.
//!
//! It lies beside the project in `../shared/data/tweets`, and is no part of it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use bzip2::read::MultiBzDecoder;
use hashbuy::core::hashtag::fold;
use hashbuy::core::tweet::{self, Record};

use crate::firehose::now;
use crate::restamp::later;

/// A record of the stream, and whose it is.
pub struct Line {
    pub author: Option<u64>,
    pub bytes: Vec<u8>,
}

/// What is missing, if anything is.
pub fn missing() -> Option<String> {
    files().is_empty().then(|| "no ../shared/data/tweets/stream-2013-0*.json.bz2".to_owned())
}

/// The stream, moved so that its newest tweet is of this moment, which is returned, too.
pub fn stream() -> (Vec<Line>, i64) {
    let mut bytes = Vec::new();
    for file in files() {
        MultiBzDecoder::new(File::open(file).unwrap()).read_to_end(&mut bytes).unwrap();
    }
    let records: Vec<&[u8]> = bytes.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()).collect();
    let newest = records.iter().filter_map(|record| match tweet::parse(record) {
        Ok(Record::Tweet(tweet)) => Some(tweet.time.millis()),
        _ => None,
    });
    let end = now();
    let delta = end - newest.max().unwrap();
    let line = |record: &&[u8]| {
        let bytes = later(record, delta);
        let author = match (tweet::parse(record), tweet::parse(&bytes)) {
            (Ok(Record::Tweet(old)), Ok(Record::Tweet(new))) => {
                assert_eq!(new.time.since(old.time), delta);
                Some(new.author.get())
            }
            (Ok(Record::Deletion(_)), Ok(Record::Deletion(new))) => Some(new.author.get()),
            _ => None,
        };
        Line { author, bytes }
    };
    (records.iter().map(line).collect(), end)
}

/// The hashtags that authors use most in their own words, folded.
pub fn frequent_tags(lines: &[Line], count: usize) -> Vec<String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for line in lines {
        let Ok(Record::Tweet(tweet)) = tweet::parse(&line.bytes) else { continue };
        if !tweet.retweet {
            let tags: BTreeSet<String> =
                tweet.text.hashtags().map(|tag| fold(tag.body).into_owned()).collect();
            tags.into_iter().for_each(|tag| *counts.entry(tag).or_default() += 1);
        }
    }
    counts.retain(|tag, _| !tag.starts_with("confirm"));
    let mut tags: Vec<(String, usize)> = counts.into_iter().collect();
    tags.sort_by_key(|(tag, times)| (Reverse(*times), tag.clone()));
    tags.into_iter().take(count).map(|(tag, _)| tag).collect()
}

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/tweets");
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    let is_wanted = |name: &str| name.starts_with("stream-2013-0") && name.ends_with(".json.bz2");
    files.retain(|path| path.file_name().is_some_and(|name| is_wanted(&name.to_string_lossy())));
    files.sort();
    files
}
