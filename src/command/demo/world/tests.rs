use std::future::Future;

use super::*;
use crate::command::demo::scene::TICKS_PER_SECOND;
use crate::core::event::EventKind;
use crate::log::memory::MemoryLog;

const RATE: u64 = 2_000;

fn on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// A world at work.
async fn begun(seed: u64) -> World {
    let mut world = World::start(Scene::in_memory().unwrap(), seed, Status::default()).unwrap();
    let until = Instant::now() + Duration::from_secs(60);
    while !world.is_ready() {
        assert!(Instant::now() < until, "the workers do not begin");
        world.pause();
        world.turn().unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    world
}

/// Plays some seconds, a minute each, with something more in each tick. Returns what the workers said.
async fn play(world: &mut World, seconds: u64, mut more: impl FnMut(&mut World, u64)) -> Vec<Notice> {
    let mut said = Vec::new();
    for number in 0..seconds * TICKS_PER_SECOND {
        more(world, number);
        let mut tick = world.tick(number, RATE);
        while world.play(&mut tick).unwrap() {}
        tokio::time::sleep(Duration::from_millis(1_000 / TICKS_PER_SECOND)).await;
        said.append(&mut world.turn().unwrap().notices);
    }
    said
}

fn assert_adds_up(ended: &Ended) {
    assert_eq!(ended.biller.ledger.faults(&ended.audit), [""; 0]);
    assert_eq!(ended.complaints, [""; 0]);
    assert_eq!(ended.biller.ledger.doubles, 0);
}

#[test]
fn some_minutes_show_every_end_of_purchases_and_coupons_and_add_up() {
    let ended = on(async {
        let mut world = begun(3).await;
        play(&mut world, 10, |_, _| {}).await;
        world.finish().await.unwrap()
    });
    assert_adds_up(&ended);
    // These shoppers read their code before they could be reminded.
    for kind in EventKind::ALL.into_iter().filter(|kind| *kind != EventKind::Reminded) {
        assert!(ended.biller.ledger.count(kind) > 0, "{kind:?}");
    }
    assert!(!ended.audit.pending.is_empty());
    assert!(!ended.audit.loaded.is_empty());
    assert!(ended.age >= 10 * 60_000, "{}", ended.age);
}

#[test]
fn killed_workers_come_back_and_nothing_happens_twice() {
    let mut said = Vec::new();
    let ended = on(async {
        let mut world = begun(4).await;
        let kill = |world: &mut World, tick: u64| {
            // Now one of them, now the other, now both at once.
            if tick % 11 == 7 {
                world.kill();
                tick.is_multiple_of(3).then(|| world.kill());
            }
        };
        said = play(&mut world, 5, kill).await;
        world.finish().await.unwrap()
    });
    assert_adds_up(&ended);
    let left_open = |notice: &&Notice| matches!(notice, Notice::Killed { open: true, .. });
    assert!(said.iter().filter(left_open).count() >= 3, "transactions left open: {said:?}");
    assert!(ended.kills >= 5, "{}", ended.kills);
    let restored = |notice: &&Notice| matches!(notice, Notice::Restored { back, .. } if back.records > 0);
    assert!(said.iter().filter(restored).count() >= 5, "{said:?}");
    assert!(ended.biller.ledger.count(EventKind::Confirmed) > 0);
}

#[test]
fn the_log_does_not_grow() {
    let (log, played) = on(async {
        let mut world = begun(5).await;
        let log: MemoryLog = world.scene.memory.clone().unwrap();
        play(&mut world, 4, |_, _| {}).await;
        // All has been read, and the janitor comes by once more.
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        world.pause();
        tokio::time::sleep(Duration::from_millis(300)).await;
        world.turn().unwrap();
        let played = world.played();
        world.finish().await.unwrap();
        (log, played)
    });
    assert!(played.records() > 8_000, "{played:?}");
    let topics = Scene::in_memory().unwrap().config.service.topics;
    let left = |topic: &str| log.records(topic).unwrap().len();
    assert!(left(&topics.tweets) < 2_000, "{}", left(&topics.tweets));
    assert!(left(&topics.purchases) + left(&topics.orders) < 200, "events");
    assert!(left(&topics.card_transactions) < 50, "{}", left(&topics.card_transactions));
    assert!(left(&topics.inbox) < 1_000, "{}", left(&topics.inbox));
    // An entity each, and what came since.
    assert!(left(&topics.changelog) < 1_500, "{}", left(&topics.changelog));
}
