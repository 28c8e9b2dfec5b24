//! Harm to topics: records that are not taken, partitions and topics that change, transactions that hang, compaction.

use std::thread;
use std::time::{Duration, Instant};

use crate::load::Load;
use crate::process::Service;
use crate::rows::zombie::Zombie;
use crate::scene::{SETTLED, Scene};
use crate::topics::Stored;
use crate::world::{INBOX, SOON};

pub const PACE: Duration = Duration::from_millis(150);
/// With shoppers around, something is bought within so long.
pub const STEP: Duration = Duration::from_secs(60);
/// A restore without progress ends the process after a minute.
const PATIENCE: Duration = Duration::from_secs(100);

/// A process with a load, that has done something.
fn at_work(scene: &mut Scene) -> (Load, Service) {
    let load = scene.open(PACE);
    let service = scene.world.run("a");
    load.await_more(10, STEP, &scene.world);
    (load, service)
}

/// Waits for the end of a process that has to end with code 1 and say these words. Nothing else is wrong with it.
pub fn must_end(scene: &Scene, service: Service, within: Duration, words: &[&str]) {
    let (code, log) = service.await_end(within);
    assert_eq!(code, Some(1), "{log}");
    assert!(words.iter().all(|word| log.contains(word)) && !log.contains("panicked"), "{words:?} in\n{log}");
    scene.say(&format!("ended: {}", log.lines().last().unwrap_or_default()));
}

/// Row 16. The brokers refuse events for their size: the process ends and says so, as often as it is started. When
/// they are taken again nothing is missing.
pub fn event_too_large(scene: &mut Scene) {
    let (load, service) = at_work(scene);
    let purchases = scene.world.topic("purchases");
    scene.broker.set(&purchases, &[("max.message.bytes", "200")]);
    must_end(scene, service, SOON, &[&purchases, "too large"]);
    must_end(scene, scene.world.run("a"), SOON, &[&purchases, "too large"]);
    scene.broker.set(&purchases, &[]);
    let service = scene.world.run("a");
    scene.settle(load, [service]);
}

/// Row 18. The inbox gets more partitions, then the changelog as many: whose state is where goes by that number, so
/// nobody starts on it.
pub fn inbox_grows(scene: &mut Scene) {
    let (load, service) = at_work(scene);
    let asked = load.finish(SETTLED, &scene.world);
    service.stop();
    crate::audit::audit(&mut scene.world, &asked);
    let before = scene.world.committed(&["purchases"]).len();
    let [inbox, changelog] = ["inbox", "changelog"].map(|name| scene.world.topic(name));
    scene.broker.grow(&inbox, INBOX + 2);
    scene.broker.await_partitions(&inbox, INBOX + 2);
    must_end(scene, scene.world.run("a"), SOON, &[&inbox, &changelog, "partitions"]);
    scene.broker.grow(&changelog, INBOX + 2);
    scene.broker.await_partitions(&changelog, INBOX + 2);
    must_end(scene, scene.world.run("a"), SOON, &[&inbox, "6 partitions", "with 4"]);
    assert_eq!(scene.world.committed(&["purchases"]).len(), before, "something was decided");
}

/// Row 19. Topics that are deleted, and some made anew, while the process runs and while it does not: it ends and says
/// which, rather than to go on with what is left.
pub fn topic_deleted(scene: &mut Scene) {
    for name in ["orders", "inbox", "tweets", "accounts"] {
        let (load, service) = at_work(scene);
        drop(load);
        let topic = scene.world.topic(name);
        scene.broker.delete(&topic);
        scene.say(&format!("{name} is deleted"));
        must_end(scene, service, STEP, &[&topic]);
        must_end(scene, scene.world.run("a"), STEP, &["there is no topic", &topic]);
        scene.anew();
    }
    let append_time = ("message.timestamp.type", "LogAppendTime");
    for (name, settings) in
        [("inbox", vec![append_time]), ("changelog", vec![append_time, ("cleanup.policy", "compact")])]
    {
        let (load, service) = at_work(scene);
        let asked = load.finish(SETTLED, &scene.world);
        service.stop();
        crate::audit::audit(&mut scene.world, &asked);
        let topic = scene.world.topic(name);
        scene.broker.delete(&topic);
        thread::sleep(Duration::from_secs(2));
        scene.broker.create(&topic, INBOX, &settings);
        scene.broker.await_partitions(&topic, INBOX);
        scene.say(&format!("{name} is made anew"));
        let before = scene.world.committed(&["purchases"]).len();
        must_end(scene, scene.world.run("a"), STEP, &[&scene.world.topic("inbox")]);
        assert_eq!(scene.world.committed(&["purchases"]).len(), before, "something was decided");
        scene.anew();
    }
}

/// Row 19. The changelog is deleted and made anew under a process that holds its state: what it writes from then on
/// would be a state without its beginning.
pub fn changelog_made_anew_at_work(scene: &mut Scene) {
    let (_load, service) = at_work(scene);
    let changelog = scene.world.topic("changelog");
    let settings = [("message.timestamp.type", "LogAppendTime"), ("cleanup.policy", "compact")];
    scene.broker.delete(&changelog);
    scene.broker.create(&changelog, INBOX, &settings);
    scene.say("the changelog is made anew");
    must_end(scene, service, STEP * 2, &["changelog"]);
    must_end(scene, scene.world.run("a"), STEP, &["changelog"]);
}

/// Row 19. The beginning of the inbox is cut off beyond what was read.
pub fn inbox_is_trimmed(scene: &mut Scene) {
    let (load, service) = at_work(scene);
    service.kill();
    // Somebody shops on, and nobody decides.
    let scan = scene.world.run_as("s", &["--stage", "scan"]);
    thread::sleep(Duration::from_secs(4));
    scan.stop();
    drop(load);
    use hashbuy::log::{Isolation, Log as _, Partition};
    let mut lookup = scene.world.log.lookup().unwrap();
    for number in 0..INBOX {
        let partition = Partition::new(scene.world.topic("inbox"), number);
        let (_, end) = lookup.watermarks(&partition, Isolation::Uncommitted).unwrap();
        scene.broker.trim(&partition, end);
    }
    let before = scene.world.committed(&["purchases"]).len();
    must_end(scene, scene.world.run("a"), STEP, &[&scene.world.topic("inbox"), "records are lost"]);
    assert_eq!(scene.world.committed(&["purchases"]).len(), before, "something was decided");
}

/// Row 20. Somebody's transaction hangs over the changelog and the group's offsets: a process that cannot restore ends
/// with the reason; when the transaction is aborted the next one goes on.
pub fn transaction_hangs(scene: &mut Scene) {
    let (load, service) = at_work(scene);
    service.stop();
    let zombie = Zombie::begin(scene);
    let service = scene.world.run("a");
    must_end(scene, service, PATIENCE, &["look for a hanging transaction"]);
    drop(zombie);
    let service = scene.world.run("a");
    load.await_more(10, STEP, &scene.world);
    scene.settle(load, [service]);
}

/// Row 21. The changelog is compacted as fast as Kafka can, while it is written and restored again and again.
pub fn compacted_during_restores(scene: &mut Scene) {
    let (load, service) = at_work(scene);
    let settings = [
        ("cleanup.policy", "compact"),
        ("message.timestamp.type", "LogAppendTime"),
        ("segment.ms", "300"),
        ("min.cleanable.dirty.ratio", "0.001"),
        ("max.compaction.lag.ms", "500"),
        ("delete.retention.ms", "0"),
    ];
    let changelog = scene.world.topic("changelog");
    scene.broker.set(&changelog, &settings);
    service.kill();
    for _ in 0..8 {
        let service = scene.world.run("a");
        load.await_more(8, STEP, &scene.world);
        thread::sleep(Duration::from_millis(500));
        service.kill();
    }
    let service = scene.world.run("a");
    load.await_more(5, STEP, &scene.world);
    let deadline = Instant::now() + STEP;
    loop {
        let kept: Vec<Stored> = scene.world.committed(&["changelog"]);
        let ends = (0..i32::try_from(INBOX).unwrap()).filter_map(|number| {
            kept.iter().filter(|record| record.partition == number).map(|record| record.offset).max()
        });
        let written: i64 = ends.sum();
        if 2 * i64::try_from(kept.len()).unwrap() < written {
            scene.say(&format!("{} records are left of {written}", kept.len()));
            break;
        }
        assert!(Instant::now() < deadline, "nothing is compacted: {} of {written}", kept.len());
        thread::sleep(Duration::from_millis(500));
    }
    scene.settle(load, [service]);
}
