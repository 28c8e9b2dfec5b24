//! The fault matrix on a real Kafka: one fault each row, done to the built program while people shop; then what is
//! committed has to be exactly what it would have been without.
//!
//! | | |
//! | --- | --- |
//! | `cargo test --test faults` | the rows that are quick enough for every day |
//! | `HASHBUY_FAULTS=all cargo test --test faults` | all rows, and what each is doing |
//! | `HASHBUY_FAULTS=all cargo test --test faults row_08` | one of them |
//!
//! Harm is done from outside, with nothing in the program for it: signals to its processes and to the brokers', and
//! a [`proxy`] between them that loses, holds, delays and forges requests and answers of Kafka's protocol. [`load`] are
//! the shoppers, [`audit`] is what has to hold in the end.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]
#![allow(dead_code, reason = "what is shared with the service's tests has more than is needed here")]

mod audit;
#[path = "../common/broker.rs"]
mod broker;
#[path = "../common/mod.rs"]
mod common;
#[path = "../service/firehose.rs"]
mod firehose;
mod load;
#[path = "../service/process.rs"]
mod process;
mod proxy;
mod rows;
mod scene;
#[path = "../service/topics.rs"]
mod topics;
#[path = "../common/trials.rs"]
mod trials;
#[path = "../service/world.rs"]
mod world;

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use libtest_mimic::{Arguments, Trial};

use self::broker::Broker;
use self::common::built;
use self::proxy::{Doors, Proxy};
use self::rows::{On, ROWS, Row};
use self::scene::Scene;
use self::trials::unless;

/// The variable that asks for all rows.
const ALL: &str = "HASHBUY_FAULTS";
/// So many rows run at once, unless `--test-threads` says otherwise: they wait more than they work.
const AT_ONCE: usize = 5;

/// A broker that is started by the first row that needs it, or why it cannot be.
type Shared = Arc<OnceLock<Result<Broker, String>>>;

fn main() {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(AT_ONCE);
    let all = std::env::var(ALL).is_ok_and(|value| value == "all");
    let required = std::env::var(broker::REQUIRE).is_ok_and(|value| value == "1");
    let missing = Broker::missing().filter(|_| !required);
    // Stopped when they go, whatever became of the rows.
    let (single, cluster): (Shared, Shared) = Default::default();
    // What is done to the brokers of a cluster is done by one row at a time.
    let turn = Arc::new(Mutex::new(()));

    let mut trials = Vec::new();
    for row in ROWS {
        let (single, cluster, turn) = (Arc::clone(&single), Arc::clone(&cluster), Arc::clone(&turn));
        let trial = Trial::test(row.name, move || {
            match row.on {
                On::Single => play(row, single.get_or_init(|| Broker::up("faults")).as_ref()?, all),
                On::Own => play(row, &Broker::up(row.name)?, all),
                On::WithUsers => play(row, &Broker::up_with_users(row.name)?, all),
                On::Apart => play_apart(row, all)?,
                On::Cluster => {
                    let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
                    let cluster = cluster.get_or_init(|| Broker::up_with("cluster", 3)).as_ref()?;
                    rows::brokers::heal(cluster);
                    play(row, cluster, all);
                }
            }
            Ok(())
        });
        let left_out = (!all && !row.short).then(|| format!("{ALL}=all runs it"));
        trials.push(unless(missing.clone().or(left_out), trial));
    }
    for &(name, case) in proxy::tests::ALL {
        trials.push(Trial::test(name, move || {
            case();
            Ok(())
        }));
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    drop((single, cluster));
    conclusion.exit();
}

fn play(row: &Row, broker: &Broker, loud: bool) {
    (row.play)(&mut Scene::new(row.name, broker, loud));
}

/// Plays a row on three brokers that reach each other through a proxy only.
fn play_apart(row: &Row, loud: bool) -> Result<(), String> {
    let doors = Doors::open(3);
    let ports: Vec<String> = doors.ports().map(|port| port.to_string()).collect();
    let broker = Broker::up_apart(row.name, &ports)?;
    let mut scene = Scene::new(row.name, &broker, loud);
    scene.between = Some(Proxy::on(doors, &broker.back_doors()));
    (row.play)(&mut scene);
    Ok(())
}
