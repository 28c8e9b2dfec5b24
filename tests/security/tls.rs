//! The ways into a cluster that is reached by TLS, and what is said when there is none.

use crate::Guarded;
use crate::shop::{ANNA, buy, open};
use crate::world::World;

/// A case.
pub type Case = (&'static str, fn(&Guarded));

pub const CASES: &[Case] = &[
    ("mutual_tls_to_an_order", |guarded| purchase(guarded, &mutual(guarded, "client"))),
    ("scram_sha_512_to_an_order", |guarded| {
        purchase(guarded, &user(guarded, "SCRAM-SHA-512", "hashbuy-secret"))
    }),
    ("plain_over_tls_to_an_order", |guarded| purchase(guarded, &user(guarded, "PLAIN", "hashbuy-secret"))),
    ("oauthbearer_to_an_order", |guarded| purchase(guarded, &bearer(guarded))),
    ("who_is_not_let_in_is_told_why", who_is_not_let_in_is_told_why),
];

fn set(name: &str, value: &str) -> String {
    format!("--set=kafka.properties.{name}={value}")
}

fn door(address: &str, protocol: &str, ca: &str) -> Vec<String> {
    let brokers = format!("--set=kafka.brokers={address}");
    vec![brokers, set("security.protocol", protocol), set("ssl.ca.location", ca)]
}

/// With a certificate of the client.
fn mutual(Guarded { broker, certificates }: &Guarded, client: &str) -> Vec<String> {
    let [tls, _] = broker.doors_with_tls();
    let mut settings = door(&tls, "ssl", &certificates.path("ca.pem"));
    settings.push(set("ssl.certificate.location", &certificates.path(&format!("{client}.pem"))));
    settings.push(set("ssl.key.location", &certificates.path(&format!("{client}.key"))));
    settings
}

/// With the password of `hashbuy`.
fn user(Guarded { broker, certificates }: &Guarded, mechanism: &str, password: &str) -> Vec<String> {
    let [_, sasl] = broker.doors_with_tls();
    let file = certificates.folder.write(&format!("password-{mechanism}-{}", password.len()), password);
    let mut settings = door(&sasl, "sasl_ssl", &certificates.path("ca.pem"));
    settings.extend([set("sasl.mechanism", mechanism), set("sasl.username", "hashbuy")]);
    settings.push(format!("--set=kafka.property_files.sasl.password={}", file.display()));
    settings
}

/// With a token that says who it is of.
fn bearer(Guarded { broker, certificates }: &Guarded) -> Vec<String> {
    let [_, sasl] = broker.doors_with_tls();
    let file = certificates.folder.write("bearer", "principal=hashbuy");
    let mut settings = door(&sasl, "sasl_ssl", &certificates.path("ca.pem"));
    settings
        .extend([set("sasl.mechanism", "OAUTHBEARER"), set("enable.sasl.oauthbearer.unsecure.jwt", "true")]);
    settings.push(format!("--set=kafka.property_files.sasl.oauthbearer.config={}", file.display()));
    settings
}

/// Topics, tables, a service and a purchase, all by that way.
fn purchase(guarded: &Guarded, way: &[String]) {
    let way: Vec<&str> = way.iter().map(String::as_str).collect();
    let mut world = World::new(&guarded.broker.bootstrap);
    open(&mut world);
    let found = world.command(&[&["check", "--quick", "--wait", "1"][..], &way].concat());
    let said = String::from_utf8_lossy(&found.stdout).into_owned() + &found.stderr;
    assert!(said.contains("topic") && !said.contains("cannot be looked up"), "{said}");
    let mut service = world.run_as("a", &way);
    service.await_ready();
    buy(&mut world, ANNA);
    service.stop();
}

fn who_is_not_let_in_is_told_why(guarded: &Guarded) {
    let world = World::new(&guarded.broker.bootstrap);
    let [tls, sasl] = guarded.broker.doors_with_tls();
    let (ca, other) = (guarded.certificates.path("ca.pem"), guarded.certificates.path("other-ca.pem"));
    let mut strange = mutual(guarded, "client");
    strange.retain(|setting| !setting.contains("ssl.ca.location"));
    strange.push(set("ssl.ca.location", &other));
    let localhost = tls.replace("127.0.0.1", "localhost");
    let mut elsewhere = mutual(guarded, "client");
    elsewhere[0] = format!("--set=kafka.brokers={localhost}");
    let ways: [(&str, Vec<String>, &[&str]); 7] = [
        ("a broker of an unknown authority", strange, &["certificate verify failed"]),
        ("a broker with another name", elsewhere, &["certificate verify failed"]),
        ("no certificate", door(&tls, "ssl", &ca), &["ssl://", "docs/security.md"]),
        ("a certificate of nobody", mutual(guarded, "other-client"), &["ssl://", "docs/security.md"]),
        ("a wrong password", user(guarded, "SCRAM-SHA-512", "wrong"), &["uthentication failed"]),
        ("a wrong password, plain", user(guarded, "PLAIN", "wrong"), &["uthentication failed"]),
        ("no protocol at all", vec![format!("--set=kafka.brokers={sasl}")], &["no broker answers"]),
    ];
    std::thread::scope(|scope| {
        for (what, way, words) in &ways {
            let world = &world;
            scope.spawn(move || {
                let way: Vec<&str> = way.iter().map(String::as_str).collect();
                let run = world.command(&[&["check", "--quick"][..], &way].concat());
                eprintln!("{what}: {}", run.stderr);
                assert_eq!(run.code, Some(1), "{what}: {}", run.stderr);
                assert!(words.iter().all(|word| run.stderr.contains(word)), "{what}: {}", run.stderr);
                assert!(run.stderr.contains("check kafka."), "{what}: {}", run.stderr);
                assert!(!run.stderr.contains("hashbuy-secret"), "{what}: {}", run.stderr);
            });
        }
    });
}
