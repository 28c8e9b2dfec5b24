//! What is remembered of tweets, and for how long; what came before the first mark.

use super::*;

#[test]
fn copies_and_later_versions_do_nothing() {
    let mut stage = Stage::new();
    let (first, second) = (stage.id(START), stage.id(START + 1));
    let tweet = sighting(ANNA, first, first, START, &[], &[&tea()]);
    assert_eq!(stage.at(START, &tweet), ["requested"]);
    assert_eq!(stage.at(START, &tweet), NONE);
    assert_eq!(stage.at(START, &sighting(ANNA, second, first, START + 1, &["00000000"], &[&tea()])), NONE);
    stage.mark(START + HORIZON);
    assert_eq!(stage.at(START, &tweet), NONE);
    assert_eq!(stage.model.alive().markers, 1);
    stage.mark(START + HORIZON + 1);
    assert_eq!(stage.at(START, &tweet), NONE);
    assert_eq!(stage.model.alive().markers, 0);
}

#[test]
fn beyond_256_markers_only_an_own_open_code_counts() {
    let (mut stage, code) = requested();
    for _ in 0..255 {
        stage.tweet(START, &["00000000"], &[]);
    }
    assert_eq!(stage.tweet(START + HOUR + 1, &["00000000"], &[&tea()]), NONE);
    assert_eq!(stage.model.alive().markers, 256);
    // The lock of the wrong codes is over for a tweet from before it.
    assert_eq!(stage.tweet(START - 1, &[&code, "00000000"], &[&offer("pot", 1, 1)]), CONFIRMED);
}

#[test]
fn how_old_a_tweet_may_be() {
    let read = |age: i64, codes: &[&str]| {
        let (mut stage, code) = requested();
        stage.mark(START);
        let codes: Vec<&str> = codes.iter().map(|c| if *c == "own" { code.as_str() } else { c }).collect();
        let id = stage.id(START - age);
        let offers = [&offer("pot", 1, 1)];
        stage.step(&sighting(ANNA, id, id, START - age, &codes, &offers), START, START)
    };
    assert_eq!(read(HOUR, &[]), ["requested"]);
    assert_eq!(read(HOUR + 1, &[]), ["refused too_old"]);
    assert_eq!(read(HORIZON, &["00000000"]), ["refused wrong_code", "refused too_old -"]);
    assert_eq!(read(HORIZON + 1, &["00000000"]), NONE);
    // A code in time counts at any age.
    assert_eq!(read(HORIZON, &["own"]), [&CONFIRMED[..], &["refused too_old"]].concat());
    assert_eq!(read(HORIZON + 1, &["own"]), CONFIRMED);
    assert_eq!(read(9 * DAY, &["own"]), CONFIRMED);
}

#[test]
fn deletions() {
    let mut stage = Stage::new();
    let (first, second) = (stage.id(START), stage.id(START + 1));
    assert_eq!(stage.at(START, &deletion(ANNA, first)), NONE);
    assert_eq!(stage.at(START, &sighting(ANNA, first, first, START, &[], &[&tea()])), NONE);
    for notice in [second, first] {
        let mut stage = Stage::new();
        assert_eq!(stage.at(START, &sighting(ANNA, second, first, START + 1, &[], &[&tea()])), ["requested"]);
        let code = stage.code();
        assert_eq!(stage.at(START, &deletion(2, notice)), NONE, "somebody else's");
        assert_eq!(stage.at(START, &deletion(ANNA, notice)), ["cancelled deleted"]);
        assert_eq!(stage.tweet(START + 2, &[&code], &[]), ["refused lapsed"]);
    }
    // A code in time counts although its tweet was deleted first.
    let (mut stage, code) = requested();
    let id = stage.id(START + 1);
    stage.at(START, &deletion(ANNA, id));
    assert_eq!(
        stage.at(START, &sighting(ANNA, id, id, START + 1, &[&code], &[&offer("pot", 1, 1)])),
        CONFIRMED
    );
}

#[test]
fn the_newest_64_deletions_are_kept() {
    let mut stage = Stage::new();
    let ids: Vec<u64> = (0..66).map(|_| stage.id(START)).collect();
    for id in &ids {
        stage.at(START, &deletion(ANNA, *id));
    }
    let found: Vec<usize> = ids
        .iter()
        .map(|id| {
            stage.at(START, &sighting(ANNA, *id, *id, START, &[], &[&offer(&id.to_string(), 1, 1)])).len()
        })
        .collect();
    assert_eq!(found[..3], [1, 1, 0]);
    assert_eq!(found.iter().sum::<usize>(), 2);
}

#[test]
fn a_code_is_forgotten_a_horizon_after_its_end() {
    let (mut stage, code) = requested();
    assert_eq!(stage.tweet(START, &[&code], &[]), CONFIRMED);
    let last = DEADLINE + HORIZON;
    stage.mark(last);
    assert_eq!(stage.tweet(last, &[&code], &[]), NONE, "already done");
    stage.mark(last + 1);
    assert_eq!(stage.tweet(last, &[&code], &[]), NONE, "no purchase");
    assert_eq!(stage.tweet(last, &[], &[&offer("pot", 1, 1)]), ["requested"]);
    assert_eq!(stage.tweet(last, &[&code], &[]), ["refused wrong_code"]);
    // Its unit still counts, until a day after the end of the offer.
    assert_eq!(stage.tweet(last, &[], &[&tea()]), ["refused limit_reached -"]);
}

#[test]
fn what_comes_before_the_first_mark_waits_for_its_settings() {
    let mut model = Model::new(SECRET);
    let mut feed = |offset: u64, record: Value, now: i64| {
        let value = bytes(&record);
        let record = Record { partition: 0, offset, appended_at: START, value: &value, now: Some(now) };
        let all = model.step(&record);
        all.iter()
            .map(|(of, outputs)| (*of, outputs.iter().map(words).collect()))
            .collect::<Vec<(u64, Vec<String>)>>()
    };
    let id = tweet_id(START, 1);
    assert!(feed(5, account_record(ANNA, 1, account(ANNA, "active", START - DAY)), START).is_empty());
    assert!(feed(7, sighting(ANNA, id, id, START, &[], &[&tea()]), START + 9).is_empty());
    let short = with(settings(3), "window_seconds", json!(60));
    let all = feed(8, mark(START + DAY, &short), START);
    assert_eq!(all, [(5, vec![]), (7, vec!["requested".to_owned()]), (8, vec!["lapsed".to_owned()])]);
}

#[test]
fn the_highest_revision_decides() {
    let mut stage = Stage::new();
    let short = |revision: u64, seconds: u64| with(settings(revision), "window_seconds", json!(seconds));
    for (brought, seconds) in [(short(3, 60), 60), (short(2, 120), 60), (short(4, 180), 180)] {
        stage.settings = brought;
        stage.mark(START - DAY);
        let at = START + seconds * MINUTE;
        assert_eq!(stage.tweet(at, &[], &[&offer(&format!("o{}", stage.offset), 1, 1)]), ["requested"]);
        assert_eq!(stage.event(0)["deadline"], json!(time(at + seconds * SECOND)));
    }
    assert!(!stage.model.two_settings_of_one_revision);
    stage.settings = short(4, 61);
    stage.mark(START - DAY);
    assert!(stage.model.two_settings_of_one_revision);
}

#[test]
fn strangers_are_answered_for_a_minute() {
    let mut stage = Stage::new();
    stage.mark(START);
    let stranger = |at: i64| sighting(9, tweet_id(at, 1), tweet_id(at, 1), at, &["00000000"], &[&tea()]);
    assert_eq!(stage.at(START, &stranger(START - MINUTE)), ["refused not_linked"]);
    assert_eq!(stage.at(START, &stranger(START - MINUTE)), ["refused not_linked"], "nothing is remembered");
    assert_eq!(stage.at(START, &stranger(START - MINUTE - 1)), NONE);
}
