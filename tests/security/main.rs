//! Who may do what: TLS and SASL, the rights on the brokers, secrets, the token of the page, and what the page on
//! security claims.
//!
//! `cargo test --features tls --test security` runs all of it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]
#![allow(dead_code, reason = "what is shared with the service's tests has more than is needed here")]

mod abuse;
#[path = "../common/broker.rs"]
mod broker;
mod certificates;
#[path = "../common/mod.rs"]
mod common;
#[path = "../service/firehose.rs"]
mod firehose;
mod page;
#[path = "../service/process.rs"]
mod process;
mod rights;
mod secrets;
mod shop;
mod tls;
mod token;
#[path = "../service/topics.rs"]
mod topics;
#[path = "../common/trials.rs"]
mod trials;
#[path = "../service/world.rs"]
mod world;

use std::sync::{Arc, OnceLock};

use libtest_mimic::{Arguments, Trial};

use self::broker::Broker;
use self::certificates::Certificates;
use self::common::built;
use self::trials::unless;

/// The variable that makes a program without TLS, or a missing `openssl`, a failure.
const REQUIRE_TLS: &str = "HASHBUY_REQUIRE_TLS";

/// A broker that asks by TLS, and the certificates for it.
struct Guarded {
    broker: Broker,
    certificates: Certificates,
}

fn is_required(variable: &str) -> bool {
    std::env::var(variable).is_ok_and(|value| value == "1")
}

/// Why there can be no TLS.
fn without_tls() -> Option<String> {
    let why = if !cfg!(feature = "tls") {
        "built without --features tls".to_owned()
    } else if !Certificates::can_be_made() {
        "openssl not installed".to_owned()
    } else {
        return None;
    };
    assert!(!is_required(REQUIRE_TLS), "{REQUIRE_TLS} is set: {why}");
    Some(why)
}

fn main() {
    let arguments = Arguments::from_args();
    let missing = Broker::missing().filter(|_| !is_required(broker::REQUIRE));
    let guarded: Arc<OnceLock<Result<Guarded, String>>> = Arc::default();
    let plain: Arc<OnceLock<Result<Broker, String>>> = Arc::default();
    let mut trials = Vec::new();
    let mut add = |trial: Trial, missing: Option<String>| {
        trials.push(unless(missing, trial));
    };
    let no_tls = missing.clone().or_else(without_tls);
    for &(name, case) in tls::CASES {
        let guarded = Arc::clone(&guarded);
        let trial = Trial::test(name, move || {
            case(guarded.get_or_init(Guarded::up).as_ref()?);
            Ok(())
        });
        add(trial, no_tls.clone());
    }
    for &(name, case) in secrets::CASES.iter().chain(token::CASES).chain(abuse::CASES) {
        let plain = Arc::clone(&plain);
        let trial = Trial::test(name, move || {
            case(plain.get_or_init(|| Broker::up_with_users("security")).as_ref()?);
            Ok(())
        });
        add(trial, missing.clone());
    }
    for &(name, case) in rights::CASES {
        let trial = Trial::test(name, move || {
            case(&Broker::up_with_more_users(name, &rights::users())?);
            Ok(())
        });
        add(trial, missing.clone());
    }
    for &(name, case) in page::CASES {
        let trial = Trial::test(name, move || {
            case();
            Ok(())
        });
        add(trial, None);
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    drop((guarded, plain));
    conclusion.exit();
}

impl Guarded {
    fn up() -> Result<Guarded, String> {
        let certificates = Certificates::make();
        let broker = Broker::up_with_tls("tls", &certificates.folder.path(""))?;
        broker.tool(&[
            "configs",
            "--alter",
            "--entity-type",
            "users",
            "--entity-name",
            "hashbuy",
            "--add-config",
            "SCRAM-SHA-512=[password=hashbuy-secret]",
        ]);
        Ok(Guarded { broker, certificates })
    }
}
