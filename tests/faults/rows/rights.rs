//! Rights that are taken away.

use crate::proxy::{Api, Deed, ERROR, INIT_ERROR, Rule, Way};
use crate::rows::topics::{PACE, STEP, must_end};
use crate::scene::Scene;
use crate::world::{TOPICS, World};

/// Row 22. A right is taken away while the process runs: it ends with the reason, and so does the next. With the
/// rights that the manual names, and no others, nothing is missing in the end. `check` says whose right it lacks.
pub fn right_taken_away(scene: &mut Scene) {
    let load = scene.open(PACE);
    let user = scene.broker.settings_of_a_user();
    let user: Vec<&str> = user.iter().map(String::as_str).collect();
    let all = rights(&scene.world);
    change(scene, "--add", &all.iter().collect::<Vec<_>>());
    let [.., writes, _, groups, transactions] = all.as_slice() else { panic!("{all:?}") };
    for right in [writes, groups, transactions] {
        let service = scene.world.run_as("a", &user);
        load.await_more(3, STEP, &scene.world);
        change(scene, "--remove", &[right]);
        must_end(scene, service, STEP, &["uthorization"]);
        must_end(scene, scene.world.run_as("a", &user), STEP, &["uthorization"]);
        change(scene, "--add", &[right]);
    }
    change(scene, "--remove", &[groups]);
    let found = scene.world.command(&[&["check", "--quick", "--wait", "1"][..], &user].concat());
    let said = String::from_utf8_lossy(&found.stdout).into_owned() + &found.stderr;
    scene.say(&said);
    assert_eq!(found.code, Some(1), "{said}");
    assert!(said.contains("Describe on the groups") && said.contains(&scene.world.app), "{said}");
    change(scene, "--add", &[groups]);
    let mut service = scene.world.run_as("a", &user);
    service.await_ready();
    scene.settle(load, [service]);
}

/// What the service needs, as the manual has it: the words for `kafka-acls`, right by right.
fn rights(world: &World) -> Vec<Vec<String>> {
    let on = |operation: &str, kind: &str, names: &[String]| {
        let mut words = vec!["--operation".to_owned(), operation.to_owned()];
        names.iter().for_each(|name| words.extend([format!("--{kind}"), name.clone()]));
        words
    };
    let topics = |names: &[&str]| -> Vec<String> { names.iter().map(|name| world.topic(name)).collect() };
    let groups = ["scan", "tables", "desk"].map(|name| format!("{}-{name}", world.app));
    let mut transactions = on("Write", "transactional-id", &[format!("{}-desk-", world.app)]);
    transactions.extend(["--resource-pattern-type", "prefixed"].map(str::to_owned));
    vec![
        on("Read", "topic", &topics(&TOPICS[..6])),
        on("Write", "topic", &topics(&TOPICS[4..])),
        on("DescribeConfigs", "topic", &topics(&["offers", "accounts", "inbox", "changelog"])),
        on("Read", "group", &groups),
        transactions,
    ]
}

fn change(scene: &Scene, change: &str, rights: &[&Vec<String>]) {
    let call = |right: &&Vec<String>| {
        scene.say(&format!("{change} {}", right.join(" ")));
        let who = [change, "--allow-principal", "User:hashbuy"].map(str::to_owned).into_iter();
        let force = (change == "--remove").then(|| "--force".to_owned());
        who.chain(right.iter().cloned()).chain(force).collect()
    };
    scene.broker.change_rights(&rights.iter().map(call).collect::<Vec<Vec<String>>>());
}

/// Row 22. The same in the middle of a transaction and of a meeting, as the answers of its brokers say.
pub fn right_taken_away_in_an_answer(scene: &mut Scene) {
    const GROUP: i16 = 30;
    const TRANSACTIONAL_ID: i16 = 53;
    let load = scene.open(PACE);
    // What is refused first, and what is refused to whoever begins anew.
    for (code, first, then) in [
        (GROUP, (Api::ADD_OFFSETS_TO_TXN, ERROR), (Api::JOIN_GROUP, ERROR)),
        (TRANSACTIONAL_ID, (Api::END_TXN, ERROR), (Api::INIT_PRODUCER_ID, INIT_ERROR)),
        (GROUP, (Api::HEARTBEAT, ERROR), (Api::JOIN_GROUP, ERROR)),
    ] {
        let proxy = scene.proxy();
        let mut service = scene.run_behind(&proxy, "a");
        service.await_ready();
        load.await_more(3, STEP, &scene.world);
        let whose = format!("{}-desk", scene.world.app);
        let _traps = [first, then]
            .map(|(api, at)| proxy.add(Rule::new(Way::Answer, api, Deed::Error(at, code)).of(&whose)));
        must_end(scene, service, STEP, &["uthorization"]);
    }
    let service = scene.world.run("a");
    scene.settle(load, [service]);
}
