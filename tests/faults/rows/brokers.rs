//! Harm to brokers, and to the network between them and a process.

use std::thread;
use std::time::{Duration, Instant};

use hashbuy::log::{Log as _, NewRecord, Partition};
use rustix::process::Signal;

use crate::broker::Broker;
use crate::common::wire::Tweet;
use crate::load::Load;
use crate::process::Service;
use crate::scene::Scene;
use crate::world::{SOON, TWEETS};

const PACE: Duration = Duration::from_millis(200);
/// However a broker is lost, others lead within so long, and work goes on.
const STALL: Duration = Duration::from_secs(90);
/// Partitions of Kafka's own topics, by `deploy/kafka/kafka`.
const INTERNAL: i32 = 4;

/// What a broker can be for an instance.
#[derive(Clone, Copy, Debug)]
enum Duty {
    /// It leads a partition of the events.
    Leader,
    /// It keeps the state of the instance's transactions.
    OfTransactions,
    /// It keeps the desk's group.
    OfGroup,
}

impl Duty {
    /// Which broker has it at present.
    fn broker(self, scene: &Scene, instance: &str) -> i32 {
        match self {
            Duty::Leader => scene.broker.leader(&scene.world.topic("purchases"), 0),
            Duty::OfTransactions => scene.broker.leader("__transaction_state", slot(&scene.id(instance))),
            Duty::OfGroup => {
                scene.broker.leader("__consumer_offsets", slot(&format!("{}-desk", scene.world.app)))
            }
        }
    }
}

/// The partition that Kafka keeps a name in: Java's hash of it, modulo.
fn slot(name: &str) -> u32 {
    let hash =
        name.encode_utf16().fold(0_i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)));
    ((hash & i32::MAX) % INTERNAL).unsigned_abs()
}

/// Two processes at work.
fn two(scene: &mut Scene, load: &Load) -> [Service; 2] {
    let mut services = ["a", "b"].map(|name| scene.world.run(name));
    services.iter_mut().for_each(Service::await_ready);
    load.await_more(5, STALL, &scene.world);
    services
}

/// Row 8. `kill -9` of the broker that leads the events, of that of the transactions, and of that of the group.
pub fn killed(scene: &mut Scene) {
    let load = scene.open(PACE);
    let services = two(scene, &load);
    for duty in [Duty::Leader, Duty::OfTransactions, Duty::OfGroup] {
        let broker = duty.broker(scene, "a");
        scene.broker.kill(broker);
        let stalled = load.await_more(5, STALL, &scene.world);
        scene.say(&format!("broker {broker} killed, {duty:?}: five more bought after {stalled:?}"));
        scene.broker.start_again();
        scene.broker.await_in_sync();
        load.await_more(5, STALL, &scene.world);
    }
    scene.settle(load, services);
}

/// Row 9. Brokers that stand still for 45 s, and then go on as if nothing had been.
pub fn stand_still(scene: &mut Scene) {
    let load = scene.open(PACE);
    let services = two(scene, &load);
    for duty in [Duty::OfTransactions, Duty::OfGroup, Duty::Leader] {
        let broker = duty.broker(scene, "a");
        scene.broker.signal(broker, Signal::STOP);
        let stopped = Instant::now();
        let stalled = load.await_more(5, STALL, &scene.world);
        scene.say(&format!("broker {broker} stands still, {duty:?}: five more bought after {stalled:?}"));
        thread::sleep(Duration::from_secs(45).saturating_sub(stopped.elapsed()));
        scene.broker.signal(broker, Signal::CONT);
        scene.broker.await_in_sync();
        load.await_more(5, STALL, &scene.world);
    }
    scene.settle(load, services);
}

/// Row 10. The network between a process and the brokers is cut: for less than a session, for longer, for one broker
/// only; and its connections break again and again.
pub fn network_is_cut(scene: &mut Scene) {
    let load = scene.open(PACE);
    let proxy = scene.proxy();
    let mut first = scene.run_behind(&proxy, "a");
    let mut second = scene.world.run("b");
    first.await_ready();
    second.await_ready();
    for seconds in [5, 13, 35] {
        load.await_more(5, STALL, &scene.world);
        scene.say(&format!("nothing goes through for {seconds} s"));
        proxy.cut();
        thread::sleep(Duration::from_secs(seconds));
        proxy.restore();
    }
    for duty in [Duty::OfTransactions, Duty::OfGroup] {
        load.await_more(5, STALL, &scene.world);
        let broker = scene.broker.port(duty.broker(scene, "a"));
        scene.say(&format!("nothing from and to one broker for 20 s, {duty:?}"));
        proxy.cut_from(broker);
        thread::sleep(Duration::from_secs(20));
        proxy.restore_to(broker);
    }
    load.await_more(5, STALL, &scene.world);
    scene.say("connections break all the time for 10 s");
    for _ in 0..25 {
        proxy.sever();
        thread::sleep(Duration::from_millis(400));
    }
    load.await_more(5, STALL, &scene.world);
    for service in [&mut first, &mut second] {
        assert!(service.is_running(), "{}", service.log());
    }
    scene.settle(load, [first, second]);
}

/// Row 10. Nothing goes through between brokers, for as long as copies may lag and for longer: of one that leads the
/// events, of one that keeps the transactions, of all.
pub fn cut_off(scene: &mut Scene) {
    let between = scene.between.take().unwrap();
    let doors: Vec<u16> = scene
        .broker
        .back_doors()
        .split(',')
        .map(|address| address.rsplit_once(':').unwrap().1.parse().unwrap())
        .collect();
    scene.broker.await_in_sync();
    let load = scene.open(PACE);
    let mut services = two(scene, &load);
    for (duty, seconds) in
        [(Some(Duty::Leader), 10), (Some(Duty::OfTransactions), 45), (None, 10), (None, 45)]
    {
        let cut: Vec<u16> = match duty {
            Some(duty) => vec![doors[usize::try_from(duty.broker(scene, "a") - 1).unwrap()]],
            None => doors.clone(),
        };
        scene.say(&format!("nothing goes through to {} of the brokers for {seconds} s, {duty:?}", cut.len()));
        cut.iter().for_each(|door| between.cut_from(*door));
        thread::sleep(Duration::from_secs(seconds));
        cut.iter().for_each(|door| between.restore_to(*door));
        let (before, restored) = (load.confirmed(), Instant::now());
        while load.confirmed() < before + 5 {
            assert!(restored.elapsed() < STALL, "it does not go on\n{}", scene.world.said());
            supervise(scene, &mut services);
            thread::sleep(Duration::from_millis(20));
        }
        scene.say(&format!("five more bought after {:?}", restored.elapsed()));
        scene.broker.await_in_sync();
    }
    supervise(scene, &mut services);
    scene.settle(load, services);
}

/// A coordinator that was cut off may have let a process join anew, and the next one knows nothing of it: to that
/// process it looks as if another one had its name, and it ends at once and says so. Whoever starts processes starts it
/// again. For any other reason none may end.
fn supervise(scene: &Scene, services: &mut [Service; 2]) {
    for (name, service) in ["a", "b"].into_iter().zip(services) {
        if service.is_running() {
            continue;
        }
        scene.say(&format!("{name} has ended, and is started again"));
        let (code, log) = std::mem::replace(service, scene.world.run(name)).await_end(SOON);
        assert_eq!(code, Some(1), "{log}");
        assert!(log.contains("was cut off from the others"), "{log}");
    }
}

/// Row 11. Fewer copies in sync than the events need: nothing is committed, nothing is lost, nobody ends.
pub fn too_few_in_sync(scene: &mut Scene) {
    let load = scene.open(PACE);
    let mut services = two(scene, &load);
    scene.broker.set(&scene.world.topic("purchases"), &[("min.insync.replicas", "3")]);
    let broker = 1;
    scene.broker.kill(broker);
    let deadline = Instant::now() + STALL;
    let mut before = (load.confirmed(), Instant::now());
    while before.1.elapsed() < Duration::from_secs(12) {
        assert!(Instant::now() < deadline, "it goes on without the copies\n{}", scene.world.said());
        if load.confirmed() > before.0 {
            before = (load.confirmed(), Instant::now());
        }
        thread::sleep(Duration::from_millis(100));
    }
    scene.say("everything waits");
    // Whoever has nothing but time to write gets on.
    scene.world.wait_for("somebody is not ready", STALL, |_| {
        services.iter_mut().any(|service| service.get("/readyz").0 == 503).then_some(())
    });
    for service in &mut services {
        assert!(service.is_running(), "{}", service.log());
    }
    scene.broker.start_again();
    scene.broker.await_in_sync();
    load.await_more(5, STALL, &scene.world);
    scene.broker.set(&scene.world.topic("purchases"), &[("min.insync.replicas", "2")]);
    scene.settle(load, services);
}

/// Row 12. The disk of a broker takes nothing more: it ends, and others lead.
pub fn disk_is_full(scene: &mut Scene) {
    let load = scene.open(PACE);
    let services = two(scene, &load);
    let broker = Duty::Leader.broker(scene, "a");
    scene.broker.limit_files(broker, 4_096);
    let began = Instant::now();
    while scene.broker.is_up(broker) {
        assert!(began.elapsed() < STALL, "the broker bears a full disk");
        thread::sleep(Duration::from_millis(100));
    }
    scene.say("the broker whose disk is full has ended");
    let stalled = load.await_more(5, STALL, &scene.world);
    scene.say(&format!("five more bought after {stalled:?}"));
    scene.broker.start_again();
    scene.broker.await_in_sync();
    scene.settle(load, services);
}

/// Row 12. A broker that works for a tenth of the time only, and a backlog of 300 MB: it takes long, and no more
/// memory than else.
pub fn slow(scene: &mut Scene) {
    let load = scene.open(Duration::from_millis(500));
    backlog(scene, 200_000);
    let mut service = scene.world.run("a");
    service.await_ready();
    let ends = Instant::now() + Duration::from_secs(30);
    let mut most = 0.0_f64;
    while Instant::now() < ends {
        for _ in 0..5 {
            scene.broker.signal(1, Signal::STOP);
            thread::sleep(Duration::from_millis(270));
            scene.broker.signal(1, Signal::CONT);
            thread::sleep(Duration::from_millis(30));
        }
        most = most.max(service.metric("process_resident_memory_bytes"));
    }
    scene.say(&format!("at most {} MB", (most / 1e6).round()));
    assert!(most < 300e6, "{most} bytes");
    scene.settle(load, [service]);
}

/// Tweets that concern nobody, of 1.5 kB each.
fn backlog(scene: &Scene, count: u64) {
    let mut producer = scene.world.log.producer().unwrap();
    let topic: std::sync::Arc<str> = scene.world.topic("tweets").into();
    let id = hashbuy_id();
    let words = "so much to say ".repeat(70);
    for n in 0..count {
        let number = u32::try_from(n % u64::from(TWEETS)).unwrap();
        let value = Tweet::new(id + n % 4_000_000, 997, "talker", &words).record();
        let partition = Partition { topic: std::sync::Arc::clone(&topic), number };
        producer.send(NewRecord { partition, key: None, value: Some(value), headers: Vec::new() }).unwrap();
        if n % 1_000 == 0 {
            assert_eq!(producer.outstanding(SOON), Ok(0));
        }
    }
    assert_eq!(producer.outstanding(SOON), Ok(0));
}

/// The first id of this millisecond.
fn hashbuy_id() -> u64 {
    crate::common::tags::tweet_id(crate::firehose::now(), 0)
}

/// All brokers run and are in sync again, whatever a row has left.
pub fn heal(broker: &Broker) {
    for number in 1..=3 {
        broker.resume(number);
    }
    broker.start_again();
    broker.await_in_sync();
}
