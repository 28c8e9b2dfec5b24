//! The image, and the compose file.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

use hashbuy::config::Config;
use yaml_rust2::Yaml;

use super::dockerfile::{PATH, argument, only, stages};
use super::tools::{file, read, succeeds};
use super::yaml::{at, documents, list, text};
use super::{Case, program};

pub const CASES: &[Case] = &[
    ("hadolint_finds_nothing_in_the_dockerfile", "hadolint", hadolint),
    ("the_image_is_of_the_release_that_the_project_asks_for", "", image_of_the_release),
    ("the_image_runs_as_nobody_and_is_asked_whether_it_lives", "", image_asked),
    ("the_compose_file_fits_its_schema", "check-jsonschema", compose_schema),
    ("the_compose_file_fits_the_program", "", compose_fits),
];

const COMPOSE: &str = "deploy/docker/compose.yml";

fn hadolint() {
    succeeds(Command::new("hadolint").arg("--failure-threshold=style").arg(file(PATH)));
}

fn image_of_the_release() {
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    let rust = manifest["package"]["rust-version"].as_str().unwrap();
    let (image, debian) = (argument("RUST"), argument("DEBIAN"));
    let released = image.strip_prefix("rust:").unwrap().split('-').next().unwrap();
    assert!(
        released == rust || released.strip_prefix(rust).is_some_and(|rest| rest.starts_with('.')),
        "{image}"
    );
    // The libraries of the first stage are those of the second.
    assert!(image.ends_with("-slim-bookworm") && debian.starts_with("debian:12."), "{image}, {debian}");
    let features = manifest.get("features").and_then(toml::Value::as_table);
    for feature in argument("FEATURES").split(',').filter(|feature| !feature.is_empty()) {
        assert!(features.is_some_and(|features| features.contains_key(feature)), "no feature {feature}");
    }
    // Nothing goes into the build that is not named.
    let ignored = read(&format!("{PATH}.dockerignore"));
    let mut lines = ignored.lines().filter(|line| !line.starts_with('#'));
    assert_eq!(lines.next(), Some("*"));
    for line in lines {
        let path = line.strip_prefix('!').unwrap_or_else(|| panic!("{line}: no exception"));
        assert!(file(path).exists(), "{path}");
    }
}

fn image_asked() {
    let stages = stages();
    let last = stages.last().unwrap();
    assert!(only(last, "USER").split(':').all(|id| id.parse::<u32>().is_ok_and(|id| id > 0)));
    assert_eq!(only(last, "ENTRYPOINT"), "[\"/usr/bin/hashbuy\"]");
    // The settings in its environment are settings.
    let variables = only(last, "ENV").split(' ').map(|pair| pair.split_once('=').unwrap());
    let config = Config::load(None, variables.map(|(name, value)| (name.into(), value.into())), &[]).unwrap();
    assert_eq!(config.service.port.to_string(), only(last, "EXPOSE"));
    assert!(config.service.address.is_unspecified());
    let command: Vec<String> = serde_json::from_str(only(last, "CMD")).unwrap();
    assert_eq!(command[..2], ["run", "--config"]);

    // Its health check finds a process that lives, and misses one that does not.
    let check = only(last, "HEALTHCHECK").split_once("CMD ").unwrap().1;
    let check: Vec<String> = serde_json::from_str(check).unwrap();
    let asked = |port: u16| {
        let mut command = Command::new(&check[0]);
        command.args(&check[1..]).env("HASHBUY_WEB_PORT", port.to_string());
        command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success()
    };
    let mut demo = program::command();
    demo.args(["demo", "--for", "1h", "--rate", "500", "--port", "0"]).stdin(Stdio::null());
    let mut demo = demo.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let said = BufReader::new(demo.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut ports = said.filter_map(|line| {
        let (_, rest) = line.split_once("http://127.0.0.1:")?;
        rest.split('/').next()?.parse::<u16>().ok()
    });
    let port = ports.next();
    let lives = port.is_some_and(asked);
    demo.kill().unwrap();
    demo.wait().unwrap();
    assert!(lives, "{check:?} on port {port:?}");
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    assert!(!asked(free), "{check:?} is content with nobody");
}

fn compose_schema() {
    let schema = ["--builtin-schema", "vendor.compose-spec"];
    succeeds(Command::new("check-jsonschema").args(schema).arg(file(COMPOSE)));
}

fn compose_fits() {
    let compose = &documents(COMPOSE)[0];
    let services = at(compose, "services").as_hash().unwrap();
    let pom = read("deploy/kafka/pom.xml");
    let kafka = pom.split_once("<kafka.version>").unwrap().1.split('<').next().unwrap();
    assert_eq!(text(compose, "services.kafka.image"), format!("apache/kafka:{kafka}"));
    let config = Config::load(Some(&file("deploy/docker/hashbuy.toml")), [], &[]).unwrap().service;
    let advertised = text(compose, "services.kafka.environment.KAFKA_ADVERTISED_LISTENERS");
    assert!(advertised.contains(&format!("INSIDE://{},", config.brokers)), "{advertised}");
    let secret = format!("/run/secrets/{}", text(compose, "x-hashbuy.secrets.0"));
    assert_eq!(config.secret_file.as_deref(), Some(Path::new(&secret)));

    let mut targets = Vec::new();
    for (name, service) in services {
        let name = name.as_str().unwrap();
        check_mounts(name, service);
        let image = text(service, "image");
        let is_ours = image == "hashbuy";
        let pinned = image
            .split_once(':')
            .is_some_and(|(_, tag)| tag.starts_with(|c: char| c.is_ascii_digit() || c == 'v'));
        assert!(is_ours || pinned, "{image} is no release");
        for port in list(service, "ports") {
            assert!(port.as_str().unwrap().starts_with("127.0.0.1:"), "{name}: {port:?}");
        }
        if let Some(instance) = name.strip_prefix("hashbuy-") {
            assert_eq!(text(service, "environment.HASHBUY_INSTANCE"), instance);
            targets.push(Yaml::String(format!("{name}:{}", config.port)));
        }
    }
    assert_eq!(list(&documents("deploy/docker/prometheus-targets.yml")[0], "0.targets"), targets);
}

/// What a service has of ours is there, and where it looks for it.
fn check_mounts(name: &str, service: &Yaml) {
    let mounts = list(service, "volumes").iter().map(|mount| mount.as_str().unwrap());
    for mount in mounts.filter(|mount| mount.starts_with('.')) {
        let path = mount.split(':').next().unwrap();
        let path = Path::new("deploy/docker").join(path);
        assert!(file(path.to_str().unwrap()).exists(), "{name}: {}", path.display());
    }
}
