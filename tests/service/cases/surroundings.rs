//! Surroundings that a service cannot run in: it says so, names the thing and the way to mend it, and ends
//! with the right code.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use crate::common::program::{Folder, Run, SECRET, arguments, run};
use crate::world::{SOON, World, account, configuration, offer};

/// `hashbuy run` with a configuration in a folder.
fn run_with(configuration: &str) -> Run {
    let folder = Folder::new();
    folder.write("secret", SECRET);
    folder.write("hashbuy.toml", configuration);
    run(&arguments(["run", "--config", "hashbuy.toml"]), &folder.path(""), b"")
}

fn assert_ends(run: &Run, code: i32, parts: &[&str]) {
    assert_eq!(run.code, Some(code), "exit code; stderr:\n{}", run.stderr);
    for part in parts {
        assert!(run.stderr.contains(part), "{part:?} is missing in:\n{}", run.stderr);
    }
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
}

/// Nobody listens at the address.
pub fn no_broker() {
    // A port that was free a moment ago, and is not given away again at once.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let began = Instant::now();
    let address = format!("127.0.0.1:{port}");
    let run = run_with(&configuration(&address, "nowhere"));
    assert_ends(&run, 1, &["no broker answers", &address, "kafka.brokers"]);
    assert!(began.elapsed() < Duration::from_secs(15), "it took {:?}", began.elapsed());
    let lines: Vec<&str> = run.stderr.lines().collect();
    assert_eq!(lines.len(), 1, "one line says it all:\n{}", run.stderr);
}

/// Wrong settings end it before a broker is asked.
pub fn wrong_settings() {
    let good = configuration("127.0.0.1:1", "wrong");
    for (more, parts) in [
        ("[topic]\ntweets = \"t\"\n", &["hashbuy.toml: topic.tweets is no setting", "topics.tweets"][..]),
        ("[desk]\nworkers = 0\n", &["desk.workers is 0", "1 to 1024"]),
        ("[firehose]\nsilent = \"no\"\n", &["firehose.silent", "\"wait\" or \"advance\""]),
        ("[kafka.properties]\n\"transactional.id\" = \"x\"\n", &["transactional.id cannot be set"]),
        ("[kafka.properties]\n\"isolation.level\" = \"x\"\n", &["isolation.level cannot be set"]),
        ("[kafka.properties]\n\"enable.idempotence\" = false\n", &["enable.idempotence cannot be set"]),
        ("[kafka.properties]\n\"fetch.wait.maximum\" = 5\n", &["fetch.wait.maximum"]),
    ] {
        assert_ends(&run_with(&format!("{good}\n{more}")), 2, parts);
    }
    let without = good.replace("codes.secret_file = \"secret\"\n", "");
    assert_ends(&run_with(&without), 2, &["codes.secret_file is missing"]);
    let other = good.replace("\"secret\"", "\"nowhere\"");
    assert_ends(&run_with(&other), 2, &["codes.secret_file nowhere", "cannot be read"]);
}

/// No topics yet, or one of them missing.
pub fn missing_topics(world: &mut World) {
    let (code, log) = world.run("a").await_end(Duration::from_secs(20));
    assert_eq!(code, Some(1), "{log}");
    assert!(log.contains("there is no topic") && log.contains("`hashbuy topics create`"), "{log}");
    let put = world.command(&["offers", "put", "/dev/null"]);
    assert_ends(&put, 1, &[&world.topic("offers"), "`hashbuy topics create`"]);
}

/// Another program has the port of the page.
pub fn port_in_use(world: &mut World) {
    world.set_up(&[], &[]);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let variables = [("HASHBUY_WEB_PORT", port.to_string())];
    let (code, log) = world.run_with("a", &variables).await_end(Duration::from_secs(15));
    assert_eq!(code, Some(1), "{log}");
    assert!(log.contains(&format!("web.port {port}")) && log.contains("choose another"), "{log}");
}

/// Two processes with one name: the older ends and says why, the newer works on.
pub fn same_instance(world: &mut World) {
    world.set_up(&[offer("kettle", "#GetKettle")], &[account(501), account(502)]);
    let firehose = world.firehose();
    let mut older = world.run("a");
    older.await_ready();
    firehose.tweet(501, "#GetKettle");
    world.await_event("purchase.requested", 501, "kettle", SOON);
    let newer = world.run("a");
    let (code, log) = older.await_end(SOON);
    assert_eq!(code, Some(1), "the older's exit code\n{log}");
    assert!(!log.contains("panicked"), "{log}");
    assert!(log.contains("give each process its own `instance`"), "it does not say what is wrong:\n{log}");
    firehose.tweet(502, "#GetKettle");
    world.await_event("purchase.requested", 502, "kettle", SOON);
    newer.stop();
}
