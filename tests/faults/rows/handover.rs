//! Harm to processes that share the partitions, and hand them over.

use std::thread;
use std::time::Duration;

use rustix::process::Signal;

use crate::process::Service;
use crate::proxy::{Api, Deed, ERROR, Rule, Way};
use crate::rows::zombie::Zombie;
use crate::scene::{SETTLED, Scene};
use crate::world::{INBOX, SOON};

const PACE: Duration = Duration::from_millis(150);
/// A step of a transaction is seen within so long.
const STEP: Duration = Duration::from_secs(60);
/// A member may be silent for so long.
const SESSION: Duration = Duration::from_secs(10);
/// A member may go without a poll for so long.
const MAX_POLL: Duration = Duration::from_secs(60);
/// What Kafka says to a member whose generation is over.
const ILLEGAL_GENERATION: i16 = 22;
const UNKNOWN_MEMBER_ID: i16 = 25;

/// Row 3. A process stands still in mid-transaction for longer than it may go without a poll. Another takes its
/// partitions over; then it goes on where it stood.
pub fn stopped_past_max_poll(scene: &mut Scene) {
    stopped(scene, MAX_POLL + SESSION + Duration::from_secs(5));
}

/// Row 3 for a session only: the partitions are somebody else's when it goes on.
pub fn stopped_past_the_session(scene: &mut Scene) {
    stopped(scene, SESSION + Duration::from_secs(6));
}

fn stopped(scene: &mut Scene, pause: Duration) {
    let load = scene.open(PACE);
    let proxy = scene.proxy();
    let mut first = scene.run_behind(&proxy, "a");
    let mut second = scene.world.run("b");
    await_share(scene, &mut first, &mut second);
    load.await_more(5, STEP, &scene.world);
    let rule = Rule::new(Way::Answer, Api::TXN_OFFSET_COMMIT, Deed::Hold).of(&scene.id("a")).times(1);
    let trap = proxy.add(rule);
    assert!(trap.has_caught(STEP), "{}", scene.world.said());
    first.signal(Signal::STOP);
    scene.say(&format!("stopped for {pause:?}"));
    trap.release();
    let before = second.metric(RESTORED);
    thread::sleep(pause);
    let taken_over = second.metric(RESTORED) - before;
    assert!(taken_over >= f64::from(INBOX / 2), "only {taken_over} taken over\n{}", scene.world.said());
    first.signal(Signal::CONT);
    load.await_more(10, STEP, &scene.world);
    // It may come back or end with a clear message, but not go on with what is not its own.
    thread::sleep(Duration::from_secs(5));
    assert!(!first.log().contains("panicked"), "{}", first.log());
    let left = [first.is_running().then_some(first), Some(second)].into_iter().flatten();
    scene.settle(load, left);
}

/// Row 3 with heartbeats that are answered with errors, so that the member forgets who it is, while it has a
/// transaction open; also just before it stands still.
pub fn heartbeats_are_refused(scene: &mut Scene) {
    let load = scene.open(PACE);
    let proxy = scene.proxy();
    let mut first = scene.run_behind(&proxy, "a");
    let mut second = scene.world.run("b");
    await_share(scene, &mut first, &mut second);
    for (code, pause) in [(ILLEGAL_GENERATION, 0), (UNKNOWN_MEMBER_ID, 0), (ILLEGAL_GENERATION, 13)] {
        load.await_more(5, STEP, &scene.world);
        let forged = Rule::new(Way::Answer, Api::HEARTBEAT, Deed::Error(ERROR, code));
        // While its transaction is open, and its offsets are still to be sent.
        let held = Rule::new(Way::Answer, Api::PRODUCE, Deed::Hold).of(&scene.id("a")).times(1);
        let (held, forged) =
            (proxy.add(held), proxy.add(forged.of(&format!("{}-desk", scene.world.app)).times(2)));
        assert!(held.has_caught(STEP) && forged.has_caught(STEP), "{}", scene.world.said());
        scene.say(&format!("heartbeats answered with {code}, then stopped for {pause} s"));
        if pause > 0 {
            first.signal(Signal::STOP);
            thread::sleep(Duration::from_secs(pause));
            first.signal(Signal::CONT);
        }
        held.release();
        load.await_more(5, STEP, &scene.world);
    }
    assert!(first.is_running(), "{}", first.log());
    scene.settle(load, [first, second]);
}

/// Row 4. A second process with the same name, while the first has a transaction open: the older one ends.
pub fn same_name(scene: &mut Scene) {
    let load = scene.open(PACE);
    let proxy = scene.proxy();
    let older = scene.run_behind(&proxy, "a");
    load.await_more(5, STEP, &scene.world);
    let rule = Rule::new(Way::Request, Api::END_TXN, Deed::Hold).of(&scene.id("a")).times(1);
    let trap = proxy.add(rule);
    assert!(trap.has_caught(STEP), "{}", scene.world.said());
    let newer = scene.world.run("a");
    thread::sleep(Duration::from_secs(1));
    trap.release();
    let (code, log) = older.await_end(SOON);
    assert_eq!(code, Some(1), "the older's exit code\n{log}");
    assert!(log.contains("give each process its own `instance`") && !log.contains("panicked"), "{log}");
    load.await_more(5, STEP, &scene.world);
    scene.settle(load, [newer]);
}

/// Row 5. Somebody who is gone has a transaction open in the changelog and in the group's offsets, while the
/// partitions change hands twice. Nobody goes on without knowing what becomes of it.
pub fn zombie_through_two_handovers(scene: &mut Scene) {
    let load = scene.open(PACE);
    let first = scene.world.run("a");
    load.await_more(10, STEP, &scene.world);
    first.stop();
    let zombie = Zombie::begin(scene);
    let mut second = scene.world.run("b");
    thread::sleep(Duration::from_secs(4));
    assert_eq!(second.metric(RESTORED), 0.0, "it has not waited\n{}", scene.world.said());
    second.kill();
    let mut third = scene.world.run("b");
    thread::sleep(Duration::from_secs(4));
    assert_eq!(third.metric(RESTORED), 0.0, "it has not waited\n{}", scene.world.said());
    scene.say("the open transaction is aborted");
    drop(zombie);
    load.await_more(10, STEP, &scene.world);
    scene.settle(load, [third]);
}

/// Row 13. Three processes are replaced one after the other, without a pause: first told to end, then killed. Nobody
/// else ends of it, and shopping goes on.
pub fn rolling_restart(scene: &mut Scene) {
    let load = scene.open(PACE);
    let names = ["a", "b", "c"];
    let mut services: Vec<Option<Service>> = names.map(|name| Some(scene.world.run(name))).into();
    services.iter_mut().flatten().for_each(Service::await_ready);
    load.await_more(5, STEP, &scene.world);
    for is_killed in [false, true] {
        for (name, service) in names.iter().zip(&mut services) {
            let before = service.take().unwrap();
            if is_killed {
                before.kill()
            } else {
                before.stop()
            }
            *service = Some(scene.world.run(name));
            let stalled = load.await_more(3, STEP, &scene.world);
            scene.say(&format!("{name} replaced (killed: {is_killed}), three more bought after {stalled:?}"));
        }
    }
    // A storm: all of them come and go at once, before the group has met.
    for _ in 0..4 {
        for (name, service) in names.iter().zip(&mut services) {
            service.take().unwrap().kill();
            *service = Some(scene.world.run(name));
        }
        thread::sleep(Duration::from_millis(700));
    }
    scene.say("all three replaced four times within some seconds");
    load.await_more(5, STEP, &scene.world);
    for service in services.iter_mut().flatten() {
        assert!(service.is_running(), "{}", service.log());
    }
    scene.settle(load, services.into_iter().flatten());
}

/// Row 23. SIGTERM while requests of a transaction are on their way: it ends in time, and well.
pub fn terminated_in_mid_transaction(scene: &mut Scene) {
    let load = scene.open(PACE);
    for (api, way) in [
        (Api::PRODUCE, Way::Request),
        (Api::TXN_OFFSET_COMMIT, Way::Answer),
        (Api::END_TXN, Way::Request),
        (Api::END_TXN, Way::Answer),
    ] {
        let proxy = scene.proxy();
        let service = scene.run_behind(&proxy, "a");
        load.await_more(3, STEP, &scene.world);
        let rule = Rule::new(way, api, Deed::Hold).of(&scene.id("a")).times(1);
        let trap = proxy.add(rule);
        assert!(trap.has_caught(STEP), "{}", scene.world.said());
        service.terminate();
        scene.say(&format!("SIGTERM at {api:?}, {way:?}"));
        thread::sleep(Duration::from_secs(1));
        trap.release();
        let (code, log) = service.await_end(SOON);
        assert_eq!(code, Some(0), "exit code after SIGTERM\n{log}");
    }
    let service = scene.world.run("a");
    scene.settle(load, [service]);
}

/// Partitions that a process has restored.
const RESTORED: &str = "hashbuy_desk_restored_partitions_total";

/// Waits until two processes have their parts of the partitions.
fn await_share(scene: &mut Scene, first: &mut Service, second: &mut Service) {
    scene.world.wait_for("both have partitions", SETTLED, |_| {
        let all = [&mut *first, second].map(|service| service.metric(RESTORED));
        (all.iter().all(|count| *count >= f64::from(INBOX / 2))).then_some(())
    });
    first.await_ready();
    second.await_ready();
}
