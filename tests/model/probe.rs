use hashbuy::core::code::Secret;
use hashbuy::core::desk::{Desk, Effects};
use hashbuy::core::inbox::decode;
use hashbuy::core::time::Time;
use serde_json::{Value, json};
use crate::inputs::*;
use crate::common::model::*;

pub fn feed(desk: &mut Desk, record: Value, now: i64) -> usize {
    let mut effects = Effects::default();
    let _ = desk.step(&decode(&bytes(&record)).unwrap(), Time::from_millis(now), Time::from_millis(now), &mut effects).unwrap();
    desk.commit();
    effects.outputs.len()
}

#[test]
fn probe() {
    for tweets in [false, true] {
    for min in [0, 1, 30, 61, 119, 125, 170, 200, 24*60, 24*60+5, 48*60, 48*60+5, 72*60+5, 99*60] {
        let mut desk = Desk::new(Secret::new(SECRET).unwrap());
        let s = settings(1);
        feed(&mut desk, mark(START, &s), START);
        feed(&mut desk, account_record(1, 1, account(1, "active", START - DAY)), START);
        let o = offer("x", 1, 100);
        if tweets { feed(&mut desk, sighting(1, 7, 7, START, &[], &[&with(o.clone(), "status", json!("withdrawn"))]), START); }
        feed(&mut desk, account_record(1, 2, Value::Null), START);
        let t = START + min * MINUTE;
        if min > 0 { feed(&mut desk, mark(t, &s), t); }
        feed(&mut desk, account_record(1, 1, account(1, "active", START - DAY)), t);
        let mut effects = Effects::default();
        let record = sighting(1, tweet_id(t, 1), tweet_id(t, 1), t, &[], &[&o]);
        let _ = desk.step(&decode(&bytes(&record)).unwrap(), Time::from_millis(t), Time::from_millis(t), &mut effects).unwrap();
        println!("steps tweets {tweets} min {min} outputs {:?}", effects.outputs.iter().map(|o| match o { hashbuy::core::desk::Output::Event(e) => serde_json::to_value(e).unwrap()["type"].clone(), _ => Value::Null }).collect::<Vec<_>>());
    }
    }
}
