//! Harm to a single process in the middle of a transaction.

use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::process::Service;
use crate::proxy::{Api, Deed, Rule, Way};
use crate::scene::Scene;

const PACE: Duration = Duration::from_millis(100);
/// With shoppers around, each step of a transaction is seen within so long, a restore before it included.
const STEP: Duration = Duration::from_secs(60);

/// The requests of a transaction, in their order.
const STEPS: [(&str, Api); 5] = [
    ("AddPartitionsToTxn", Api::ADD_PARTITIONS_TO_TXN),
    ("Produce", Api::PRODUCE),
    ("AddOffsetsToTxn", Api::ADD_OFFSETS_TO_TXN),
    ("TxnOffsetCommit", Api::TXN_OFFSET_COMMIT),
    ("EndTxn", Api::END_TXN),
];

/// Row 1. `kill -9`: each request of a transaction has left the process and not arrived, or was handled and the
/// answer has not arrived.
pub fn killed_at_each_step(scene: &mut Scene) {
    let load = scene.open(PACE);
    for (step, (name, api)) in STEPS.into_iter().enumerate() {
        for way in [Way::Request, Way::Answer] {
            let proxy = scene.proxy();
            // Not always the first transaction after the restore.
            let rule = Rule::new(way, api, Deed::Hold).of(&scene.id("a")).skip(3 * (step % 2)).times(1);
            let trap = proxy.add(rule);
            let service = scene.run_behind(&proxy, "a");
            assert!(trap.has_caught(STEP), "no {name}\n{}", scene.world.said());
            service.kill();
            scene.say(&format!("killed at {name}, {way:?}"));
            drop(trap);
        }
    }
    let service = scene.world.run("a");
    scene.settle(load, [service]);
}

/// Row 2. A process stands still with its transaction open until the broker has aborted that: first for less than a
/// session, then for longer.
pub fn stopped_past_the_timeout(scene: &mut Scene) {
    let load = scene.open(PACE);
    let proxy = scene.proxy();
    let mut service = scene.run_behind(&proxy, "a");
    for seconds in [9, 13] {
        load.await_more(5, STEP, &scene.world);
        let before = aborted(&mut service);
        let rule = Rule::new(Way::Answer, Api::TXN_OFFSET_COMMIT, Deed::Hold).of(&scene.id("a")).times(1);
        let trap = proxy.add(rule);
        assert!(trap.has_caught(STEP), "{}", scene.world.said());
        service.signal(Signal::STOP);
        trap.release();
        scene.say(&format!("stopped for {seconds} s"));
        thread::sleep(Duration::from_secs(seconds));
        // A busy broker takes its time.
        let deadline = Instant::now() + STEP;
        while state_of_transaction(scene) != "CompleteAbort" {
            assert!(Instant::now() < deadline, "not aborted by the broker: {}", state_of_transaction(scene));
        }
        service.signal(Signal::CONT);
        scene.world.wait_for("that it is aborted", STEP, |_| (aborted(&mut service) > before).then_some(()));
    }
    load.await_more(5, STEP, &scene.world);
    scene.settle(load, [service]);
}

/// What the broker makes of the last transaction, in the words of its own tool.
fn state_of_transaction(scene: &Scene) -> String {
    let said = scene.broker.tool(&["transactions", "describe", "--transactional-id", &scene.id("a")]);
    let words = said.lines().nth(1).into_iter().flat_map(str::split_whitespace);
    words.into_iter().nth(4).unwrap_or_else(|| panic!("no state in {said}")).to_owned()
}

/// Row 6. The request to end a transaction is on its way until the next transaction is open. Were it taken for the
/// end of that one, then a part of it would be committed; so in the very middle of it the process is killed.
pub fn end_comes_late(scene: &mut Scene) {
    let load = scene.open(PACE);
    for (name, api) in [STEPS[2], STEPS[1]] {
        let proxy = scene.proxy();
        let service = scene.run_behind(&proxy, "a");
        load.await_more(3, STEP, &scene.world);
        let rule = Rule::new(Way::Request, Api::END_TXN, Deed::Hold).of(&scene.id("a")).times(1);
        let late = proxy.add(rule);
        assert!(late.has_caught(STEP), "{}", scene.world.said());
        // Whoever asks again meanwhile gets through, on another connection.
        let next = proxy.add(Rule::new(Way::Answer, api, Deed::Hold).of(&scene.id("a")).times(1));
        assert!(next.has_caught(STEP), "no {name} in another transaction\n{}", scene.world.said());
        scene.say(&format!("the end comes at {name} of the next transaction"));
        late.release();
        thread::sleep(Duration::from_secs(1));
        service.kill();
    }
    let service = scene.world.run("a");
    scene.settle(load, [service]);
}

/// Row 7. The transaction is ended and nobody is told: the connection breaks, the answer does not come, and none comes
/// for longer than anybody waits.
pub fn answer_is_lost(scene: &mut Scene) {
    let load = scene.open(PACE);
    let proxy = scene.proxy();
    let mut service = scene.run_behind(&proxy, "a");
    let lost = |deed| Rule::new(Way::Answer, Api::END_TXN, deed).of(&scene.id("a"));
    for deed in [Deed::Cut, Deed::Swallow] {
        load.await_more(3, STEP, &scene.world);
        let trap = proxy.add(lost(deed).times(1));
        assert!(trap.has_caught(STEP), "{}", scene.world.said());
        scene.say(&format!("{deed:?} of one answer"));
    }
    load.await_more(3, STEP, &scene.world);
    let unknown = "hashbuy_desk_aborts_total{cause=\"unknown_outcome\"}";
    let before = service.metric(unknown);
    let trap = proxy.add(lost(Deed::Swallow));
    scene.say("no answer any more");
    scene
        .world
        .wait_for("an outcome that is not known", STEP, |_| (service.metric(unknown) > before).then_some(()));
    drop(trap);
    load.await_more(3, STEP, &scene.world);
    scene.settle(load, [service]);
}

/// Transactions that were not committed, or of which that is not known.
fn aborted(service: &mut Service) -> f64 {
    let body = service.get("/metrics").1;
    let lines = body.lines().filter(|line| line.starts_with("hashbuy_desk_aborts_total{"));
    lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}
