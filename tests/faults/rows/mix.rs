//! Everything at once.

use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::common::rng::Rng;
use crate::process::Service;
use crate::proxy::{Api, Deed, Proxy, Rule, Way};
use crate::scene::Scene;

/// The variable with another seed.
const SEED: &str = "HASHBUY_FAULTS_SEED";
const PACE: Duration = Duration::from_millis(600);
/// Harm is done for so long.
const LASTS: Duration = Duration::from_secs(240);
const STEP: Duration = Duration::from_secs(120);

/// An instance and the proxy in front of it.
struct Player {
    name: &'static str,
    proxy: Proxy,
    service: Service,
}

/// Row 29. A seeded mix of harm to three processes, their connections and the brokers, with quiet gaps.
pub fn everything(scene: &mut Scene) {
    let seed = std::env::var(SEED).ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    scene.say(&format!("seed {seed}; {SEED} gives another"));
    let mut rng = Rng::new(seed);
    let load = scene.open(PACE);
    let mut players: Vec<Player> = ["a", "b", "c"]
        .map(|name| {
            let proxy = scene.proxy();
            let service = scene.run_behind(&proxy, name);
            Player { name, proxy, service }
        })
        .into();
    load.await_more(5, STEP, &scene.world);
    let ends = Instant::now() + LASTS;
    while Instant::now() < ends {
        let n = rng.range(0, 3) as usize;
        harm(scene, &mut players[n], &mut rng);
        if rng.chance(30) {
            // Quiet: everybody gets well.
            let took = load.await_more(3, STEP, &scene.world);
            scene.say(&format!("three more bought after {took:?}"));
        }
    }
    crate::rows::brokers::heal(scene.broker);
    load.await_more(3, STEP, &scene.world);
    for player in &mut players {
        assert!(player.service.is_running(), "{}", player.service.log());
    }
    scene.settle(
        load,
        players.into_iter().map(|player| {
            let Player { service, proxy, .. } = player;
            // It is needed until the process has ended.
            std::mem::forget(proxy);
            service
        }),
    );
}

fn harm(scene: &Scene, player: &mut Player, rng: &mut Rng) {
    let pause = |rng: &mut Rng, low, high| Duration::from_millis(rng.range(low, high) as u64);
    let name = player.name;
    let id = scene.id(name);
    match rng.range(0, 11) {
        0 => {
            let away = pause(rng, 0, 13_000);
            scene.say(&format!("{name}: killed, back after {away:?}"));
            player.service.signal(Signal::KILL);
            thread::sleep(away);
            player.service = scene.run_behind(&player.proxy, name);
        }
        1 => {
            scene.say(&format!("{name}: SIGTERM, and back"));
            player.service.terminate();
            thread::sleep(Duration::from_secs(2));
            player.service = scene.run_behind(&player.proxy, name);
        }
        2 => {
            let still = pause(rng, 1_000, 16_000);
            scene.say(&format!("{name}: stands still for {still:?}"));
            player.service.signal(Signal::STOP);
            thread::sleep(still);
            player.service.signal(Signal::CONT);
        }
        3 => {
            let cut = pause(rng, 1_000, 14_000);
            scene.say(&format!("{name}: nothing goes through for {cut:?}"));
            player.proxy.cut();
            thread::sleep(cut);
            player.proxy.restore();
        }
        4 => {
            scene.say(&format!("{name}: connections break"));
            player.proxy.sever();
        }
        5 | 6 => {
            let apis = [
                Api::PRODUCE,
                Api::ADD_PARTITIONS_TO_TXN,
                Api::ADD_OFFSETS_TO_TXN,
                Api::TXN_OFFSET_COMMIT,
                Api::END_TXN,
            ];
            let api = *rng.pick(&apis);
            let way = *rng.pick(&[Way::Request, Way::Answer]);
            let deed = *rng.pick(&[Deed::Cut, Deed::Swallow, Deed::Delay(Duration::from_secs(3))]);
            scene.say(&format!("{name}: {deed:?} of {api:?}, {way:?}"));
            let trap = player.proxy.add(Rule::new(way, api, deed).of(&id).times(2));
            trap.has_caught(Duration::from_secs(5));
            thread::sleep(Duration::from_secs(2));
        }
        7 => {
            scene.say(&format!("{name}: the end of a transaction comes late"));
            let late = player.proxy.add(Rule::new(Way::Request, Api::END_TXN, Deed::Hold).of(&id).times(1));
            if late.has_caught(Duration::from_secs(10)) {
                thread::sleep(pause(rng, 4_000, 8_000));
            }
            late.release();
            thread::sleep(Duration::from_millis(500));
        }
        8 => {
            let broker = rng.range(1, 4) as i32;
            scene.say(&format!("broker {broker}: killed, and back"));
            scene.broker.kill(broker);
            thread::sleep(pause(rng, 0, 12_000));
            crate::rows::brokers::heal(scene.broker);
        }
        9 => {
            let broker = rng.range(1, 4) as i32;
            let still = pause(rng, 1_000, 15_000);
            scene.say(&format!("broker {broker}: stands still for {still:?}"));
            scene.broker.signal(broker, Signal::STOP);
            thread::sleep(still);
            scene.broker.signal(broker, Signal::CONT);
        }
        _ => {
            scene.say(&format!("{name}: heartbeats are refused"));
            let group = format!("{}-desk", scene.world.app);
            let rule = Rule::new(Way::Answer, Api::HEARTBEAT, Deed::Error(crate::proxy::ERROR, 22));
            let trap = player.proxy.add(rule.of(&group).times(3));
            trap.has_caught(Duration::from_secs(5));
        }
    }
}
