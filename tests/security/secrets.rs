//! Nothing tells a secret: not the arguments, what is said, what is served, nor a core dump.

use std::fs;

use crate::broker::Broker;
use crate::common::program::SECRET;
use crate::shop::{ANNA, buy, open};
use crate::world::World;

/// A case.
pub type Case = (&'static str, fn(&Broker));

pub const CASES: &[Case] = &[
    ("no_secret_is_told_by_anything", no_secret_is_told),
    ("a_secret_among_the_arguments_is_refused", a_secret_among_the_arguments_is_refused),
];

const PATHS: [&str; 8] =
    ["/", "/offers", "/page.js", "/offers.json", "/metrics", "/healthz", "/readyz", "/status.json"];

fn no_secret_is_told(broker: &Broker) {
    let mut world = World::new(&broker.bootstrap);
    open(&mut world);
    let topics = ["tweets", "offers", "accounts", "card_transactions", "inbox", "changelog", "purchases"];
    let names = topics.iter().chain(&["orders", "dead_letters"]);
    let names: Vec<String> = names.flat_map(|name| ["--topic".to_owned(), world.topic(name)]).collect();
    let groups = ["scan", "tables", "desk"].iter().flat_map(|stage| {
        let group = format!("{}-{stage}", world.app);
        ["--group".to_owned(), group]
    });
    let ids = ["--transactional-id".to_owned(), "*".to_owned()];
    let who = ["--add", "--allow-principal", "User:hashbuy", "--operation", "All"].map(str::to_owned);
    broker.change_rights(&[who.into_iter().chain(names).chain(groups).chain(ids).collect()]);

    let settings = broker.settings_of_a_user();
    let mut service = world.run_as("a", &settings.iter().map(String::as_str).collect::<Vec<_>>());
    service.await_ready();
    let code = buy(&mut world, ANNA);
    let of_process = |file: &str| {
        let bytes = fs::read(format!("/proc/{}/{file}", service.id())).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let limits = of_process("limits");
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
    let mut told =
        vec![("arguments".to_owned(), of_process("cmdline")), ("title".to_owned(), of_process("comm"))];
    told.extend(PATHS.map(|path| (path.to_owned(), service.get(path).1)));
    told.push(("log".to_owned(), service.log()));
    let card = format!("tok-{ANNA}");
    let told_nothing = |told: &[(String, String)]| {
        for (what, text) in told {
            for (secret, name) in
                [(SECRET, "secret"), ("hashbuy-secret", "password"), (&code, "code"), (&card, "token")]
            {
                assert!(!text.contains(secret), "the {name} is told by {what}:\n{text}");
            }
        }
    };
    // What is looked through is there: of an empty page nothing could be told.
    assert!(told.iter().filter(|(_, text)| text.len() > 5).count() >= 8, "{told:?}");
    told_nothing(&told);
    let log = service.log();
    service.terminate();
    let (ended, last) = service.await_end(std::time::Duration::from_secs(20));
    assert_eq!(ended, Some(0), "{log}");
    let found =
        world.command(&[&["check"][..], &settings.iter().map(String::as_str).collect::<Vec<_>>()].concat());
    let said = String::from_utf8_lossy(&found.stdout).into_owned() + &found.stderr;
    told_nothing(&[("its end".to_owned(), last), ("check".to_owned(), said)]);
}

fn a_secret_among_the_arguments_is_refused(broker: &Broker) {
    let world = World::new(&broker.bootstrap);
    let run = world.command(&["check", "--set", "kafka.properties.sasl.password=hashbuy-secret"]);
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    assert!(run.stderr.contains("HASHBUY_KAFKA_PROPERTIES_SASL_PASSWORD"), "{}", run.stderr);
    assert!(!run.stderr.contains("hashbuy-secret"), "{}", run.stderr);
}
