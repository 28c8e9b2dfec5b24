//! `deploy/examples/reply-bot`.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::client::Client;
use crate::common::program::text;
use crate::common::rng::Rng;
use crate::market::Market;

/// Every reply is posted once, whenever the bot is killed, but for one that is too long.
pub fn each_reply_is_posted_once(market: &Market) {
    let client = Client::of("reply-bot");
    let microblog = client.fresh("posts.jsonl");
    client.fresh("bot.db");
    let run = |group: &str, more: &str| {
        let files = format!("--book bot.db --microblog posts.jsonl {more}");
        let topic = format!("--topic {} --group {group}", market.purchases);
        client.command(&market.bootstrap, &[], &[&topic, &files])
    };
    let mut expected = market.replies.clone();
    expected.sort();

    // It is killed when it has begun to post, and may have anything half done.
    let (mut rng, posted) = (Rng::new(12), || fs::metadata(&microblog).map_or(0, |file| file.len()));
    for _ in 0..5 {
        let (before, cap) = (posted(), Instant::now() + Duration::from_secs(20));
        let mut bot = client.start(&run("bot-killed", ""));
        while posted() == before && Instant::now() < cap {
            thread::sleep(Duration::from_millis(2));
        }
        thread::sleep(Duration::from_millis(rng.range(0, 60).unsigned_abs()));
        bot.kill().unwrap();
        bot.wait().unwrap();
    }
    assert!(posts(&microblog).len() < expected.len(), "it was killed in the middle");
    client.run(&run("bot-killed", "--once"));
    assert_eq!(posts(&microblog), expected);

    // As if it had been killed once before it has posted, and once before it has noted that down.
    let forget = "import sqlite3; book = sqlite3.connect('bot.db', isolation_level=None); \
                  book.execute(\"update replies set state = 'posting' where rowid <= 2\"); \
                  print(book.execute('select reply from replies where rowid = 1').fetchone()[0])";
    let lost = client.run(&format!("python3 -c \"{}\"", forget.replace('"', "\\\"")));
    let lost: Value = serde_json::from_str(&lost).unwrap();
    let there = fs::read_to_string(&microblog).unwrap();
    let is_lost = |line: &&str| {
        let post: Value = serde_json::from_str(line).unwrap();
        post["in_reply_to"] == lost["in_reply_to"] && post["text"] == lost["text"]
    };
    let kept: String = there.lines().filter(|line| !is_lost(line)).map(|line| format!("{line}\n")).collect();
    assert_eq!(kept.lines().count() + 1, there.lines().count());
    fs::write(&microblog, kept).unwrap();
    let said = client.run(&run("bot-again", "--once"));
    assert_eq!(said, format!("posted 1, refused {} known and 1 that are too long", market.answered));
    assert_eq!(posts(&microblog), expected);
}

/// What was posted: the tweet that each answers, and its text.
fn posts(microblog: &Path) -> Vec<(String, String)> {
    let lines = fs::read_to_string(microblog).unwrap();
    let posts = lines.lines().map(|line| {
        let post: Value = serde_json::from_str(line).unwrap();
        (text(&post, "in_reply_to").to_owned(), text(&post, "text").to_owned())
    });
    let mut posts: Vec<(String, String)> = posts.collect();
    posts.sort();
    posts
}
